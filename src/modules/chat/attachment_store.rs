//! The attachments of messages. Whoever may read a room may download its files, until their message
//! is deleted.

use super::attachment::{Attachment, Attachments};
use super::model::{Message, MessageId};
use super::topics::AttachmentsReady;
use super::{ATTACH, Chat, MODERATE, ROOM_FEED, held_store, store};
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::text::{has_excess_marks, is_short, normalize_optional_line};
use crate::community::permissions;
use crate::engine::bus::Origin;
use crate::engine::files::{File, FileId, FileKind};
use crate::engine::viewer::Viewer;

/// The file kind of attachments. Their target is a room.
pub(super) const KIND: &str = "chat.attachment";
/// Attachments of one message.
pub const MAX_FILES: usize = 10;
/// Graphemes of a caption.
const MAX_CAPTION_CHARS: usize = 300;

/// Attachments of a message that is about to be posted, validated.
pub(super) struct NewAttachments {
    files: Vec<FileId>,
    captions: Vec<String>,
}

impl NewAttachments {
    /// Files with their captions, in order; captions may be fewer.
    ///
    /// # Errors
    /// `Invalid` for too many files, one named twice, or a caption that is too long.
    pub(super) fn new(files: Vec<FileId>, captions: Vec<String>) -> Result<Self> {
        let captions: Vec<_> = captions
            .into_iter()
            .map(|caption| normalize_optional_line(&caption))
            .collect();
        let fits =
            |caption: &String| is_short(caption, MAX_CAPTION_CHARS) && !has_excess_marks(caption);
        let has_duplicate = files
            .iter()
            .enumerate()
            .any(|(index, file)| files[..index].contains(file));
        Check::default()
            .that(
                files.len() <= MAX_FILES,
                "files",
                "error-files-many",
                MAX_FILES,
            )
            .that(!has_duplicate, "files", "error-file-gone", 0)
            .that(
                captions.iter().all(fits),
                "captions",
                "error-caption-long",
                MAX_CAPTION_CHARS,
            )
            .done()?;
        Ok(Self { files, captions })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The files with their captions, in order.
    pub(super) fn into_files(self) -> impl Iterator<Item = (FileId, String)> {
        let captions = self
            .captions
            .into_iter()
            .chain(std::iter::repeat(String::new()));
        self.files.into_iter().zip(captions)
    }

    /// Claims the files for a message that was posted in the same transaction.
    ///
    /// # Errors
    /// `Invalid` when a file is not the author's, not for this room, or claimed already.
    pub(super) async fn attach(
        self,
        chat: &Chat,
        tx: &mut Tx,
        room: RoomId,
        message: MessageId,
        author: AccountId,
    ) -> Result<Attachments> {
        if self.is_empty() {
            return Ok(Attachments::default());
        }
        let mut attachments = Vec::new();
        for (index, id) in self.files.into_iter().enumerate() {
            let file = chat
                .engine
                .files
                .claim(tx, id, KIND, room.0, author)
                .await?;
            insert(tx, id, (message, room)).await?;
            attachments.push(Attachment::of(
                &file,
                self.captions.get(index).cloned().unwrap_or_default(),
            ));
        }
        let attachments = Attachments(attachments);
        store::set_files(tx, message, &attachments).await?;
        Ok(attachments)
    }
}

/// Stores that a file belongs to a message.
pub(super) async fn insert(
    tx: &mut Tx,
    file: FileId,
    (message, room): (MessageId, RoomId),
) -> Result<()> {
    const ATTACH: &str =
        "INSERT INTO attachments (file_id, message_id, room_id) VALUES ($1, $2, $3)";
    tx.execute(ATTACH, (file, message, room)).await?;
    Ok(())
}

impl Chat {
    /// Copies the files of a message to another one that forwards it, in a space or a conversation.
    pub(super) async fn copy_files(
        &self,
        tx: &mut Tx,
        from: &Message,
        to: &Message,
        space: Option<SpaceId>,
    ) -> Result<Attachments> {
        if from.files.0.is_empty() {
            return Ok(Attachments::default());
        }
        let mut copies = Vec::new();
        for file in &from.files.0 {
            let (files, target) = (&self.engine.files, to.room.0);
            let copy = files.copy(tx, file.id, target, to.author, space).await?;
            insert(tx, copy.id, (to.id, to.room)).await?;
            copies.push(Attachment::of(&copy, file.caption.clone()));
        }
        let copies = Attachments(copies);
        store::set_files(tx, to.id, &copies).await?;
        Ok(copies)
    }
}

/// Releases the attachments and previews of a message that is being deleted.
pub(super) async fn detach(chat: &Chat, tx: &mut Tx, message: MessageId) -> Result<()> {
    const DETACH: &str = "DELETE FROM attachments WHERE message_id = $1 RETURNING file_id";
    let files: Vec<FileId> = tx.scalars(DETACH, (message,)).await?;
    for file in files {
        chat.engine.files.release(tx, file).await?;
    }
    chat.drop_previews(tx, message).await
}

pub(super) fn kind() -> FileKind<Chat> {
    FileKind::new(KIND, "A file in a room", "room", may_add, may_read).when_ready(pictures_ready)
}

/// Whoever may post in the room may upload; the file counts towards the quota of the room's space.
async fn may_add(chat: Chat, viewer: Viewer, room: i64) -> Result<Option<SpaceId>> {
    let access = &chat.community.access;
    let room = access.permit_in_room(viewer.account, &ATTACH, RoomId(room));
    Ok(room.await?.space)
}

async fn may_read(chat: Chat, viewer: Viewer, file: File) -> Result<()> {
    let access = &chat.community.access;
    let (reader, room) = (viewer.account, RoomId(file.target));
    access
        .permit_in_room(reader, &permissions::READ, room)
        .await?;
    // Of a message that waits, only its author and who decides about it see the files.
    if file.owner != reader && held_store::is_held(&chat.engine.db, file.id).await? {
        access.permit_in_room(reader, &MODERATE, room).await?;
    }
    Ok(())
}

/// Updates a file's message once its pictures are made or have failed.
async fn pictures_ready(chat: Chat, tx: &mut Tx, file: File) -> Result<()> {
    const FIND: &str = "SELECT message_id FROM attachments WHERE file_id = $1";
    let Some(id): Option<MessageId> = tx.optional_scalar(FIND, (file.id,)).await? else {
        return Ok(());
    };
    store::lock_message(tx, id).await?;
    let mut files = store::message_in(tx, id).await?.files;
    for one in files.0.iter_mut().filter(|one| one.id == file.id) {
        *one = Attachment::of(&file, std::mem::take(&mut one.caption));
    }
    store::set_files(tx, id, &files).await?;
    let message: Message = store::message_in(tx, id).await?;
    let (room, feed) = (message.room, ROOM_FEED.name(message.room));
    let event = AttachmentsReady { room, message };
    let bus = &chat.engine.bus;
    bus.publish_to_followers(tx, &[feed], Origin::default(), event)
        .await
}

/// One page of a room's files, newest first. `next` is the position the next page continues from.
pub(super) struct FilePage {
    pub(super) files: Vec<RoomFile>,
    pub(super) next: Option<FileId>,
}

/// A file of a room, with its message.
pub(super) struct RoomFile {
    pub(super) message: MessageId,
    pub(super) attachment: Attachment,
}

impl Chat {
    /// The files of a room before a position; the newest ones without.
    pub(super) async fn files_page(
        &self,
        room: RoomId,
        before: Option<FileId>,
    ) -> Result<FilePage> {
        const PAGE_SIZE: usize = 60;
        const READ: &str = "SELECT a.file_id, a.message_id, m.files FROM attachments a \
            JOIN messages m ON m.id = a.message_id \
            WHERE a.room_id = $1 AND a.file_id < $2 ORDER BY a.file_id DESC LIMIT $3";
        let before = before.map_or(i64::MAX, |id| id.0);
        let rows: Vec<(FileId, MessageId, String)> = self
            .engine
            .db
            .all(READ, (room, before, PAGE_SIZE as i64 + 1))
            .await?;
        let next = if rows.len() > PAGE_SIZE {
            rows.get(PAGE_SIZE - 1).map(|row| row.0)
        } else {
            None
        };
        let mut files = Vec::new();
        for (id, message, stored) in rows.into_iter().take(PAGE_SIZE) {
            let all =
                Attachments::try_from(stored).map_err(|error| Error::Internal(error.into()))?;
            files.extend(
                all.0
                    .into_iter()
                    .find(|one| one.id == id)
                    .map(|attachment| RoomFile {
                        message,
                        attachment,
                    }),
            );
        }
        Ok(FilePage { files, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attachments_over_limits_are_invalid() {
        let files = |count: i64| (0..count).map(FileId).collect();
        assert!(NewAttachments::new(files(10), vec![]).is_ok());
        assert!(NewAttachments::new(files(11), vec![]).is_err());
        assert!(NewAttachments::new(vec![FileId(1), FileId(1)], vec![]).is_err());
        assert!(NewAttachments::new(files(1), vec!["x".repeat(301)]).is_err());
    }
}
