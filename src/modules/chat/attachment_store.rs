//! The attachments of messages. Whoever may read a room may download its files, until their message
//! is deleted.

use super::attachment::{Attachment, Attachments};
use super::model::{Message, MessageId};
use super::scheduled_model::ScheduledId;
use super::topics::AttachmentsReady;
use super::voice::Voice;
use super::{ATTACH, Chat, MODERATE, ROOM_FEED, scheduled_store, store};
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

/// A file of a message that is about to be posted.
struct NewFile {
    id: FileId,
    caption: String,
    voice: Option<Voice>,
}

/// Attachments of a message that is about to be posted, validated.
pub(super) struct NewAttachments {
    files: Vec<NewFile>,
    /// The scheduled message that has them; uploads else.
    scheduled: Option<ScheduledId>,
}

impl NewAttachments {
    /// Files with their captions and marks of voice messages, in order; of both there may be fewer.
    ///
    /// # Errors
    /// `Invalid` for too many files, one named twice, a caption that is too long, or a mark that is
    /// none.
    pub(super) fn new(
        files: Vec<FileId>,
        captions: Vec<String>,
        voices: &[String],
    ) -> Result<Self> {
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
        let mut captions = captions.into_iter();
        let mut voices = voices.iter();
        let mut all = Vec::new();
        for id in files {
            all.push(NewFile {
                id,
                caption: captions.next().unwrap_or_default(),
                voice: Voice::parse(voices.next().map_or("", String::as_str))?,
            });
        }
        Ok(Self {
            files: all,
            scheduled: None,
        })
    }

    /// The same files, which a scheduled message has claimed and hands on.
    pub(super) fn of_scheduled(self, scheduled: Option<ScheduledId>) -> Self {
        Self { scheduled, ..self }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// Claims the files for a room, in the transaction that stores what has them.
    ///
    /// # Errors
    /// `Invalid` when a file is not the author's, not for this room, or claimed already, and when
    /// a voice message is no sound.
    pub(super) async fn claim(
        self,
        chat: &Chat,
        tx: &mut Tx,
        room: RoomId,
        author: AccountId,
    ) -> Result<Attachments> {
        let mut claimed = Vec::new();
        for NewFile { id, caption, voice } in self.files {
            let files = &chat.engine.files;
            let file = match self.scheduled {
                None => files.claim(tx, id, KIND, room.0, author).await?,
                Some(scheduled) if scheduled_store::take_file(tx, scheduled, id).await? => {
                    files.file_in(tx, id).await?
                }
                Some(_) => return Err(Error::field("files", "error-file-gone")),
            };
            claimed.push(Attachment::of(&file, caption).with_voice(voice)?);
        }
        Ok(Attachments(claimed))
    }

    /// Claims the files for a message that was posted in the same transaction.
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
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
        let attachments = self.claim(chat, tx, room, author).await?;
        for file in &attachments.0 {
            insert(tx, file.id, (message, room)).await?;
        }
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
            let copy = Attachment::of(&copy, file.caption.clone());
            copies.push(copy.with_voice(file.voice.clone())?);
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
    if file.owner == reader {
        return Ok(());
    }
    // Of a message that waits, only its author and who decides about it see the files.
    let (is_held, is_scheduled) = waits(&chat, file.id).await?;
    if is_held {
        access.permit_in_room(reader, &MODERATE, room).await?;
    }
    match is_scheduled {
        true => Err(Error::NotFound),
        false => Ok(()),
    }
}

/// Whether a file belongs to a message that waits for a moderator, or for its time.
async fn waits(chat: &Chat, file: FileId) -> Result<(bool, bool)> {
    const WAITS: &str = "SELECT EXISTS (SELECT 1 FROM held_files WHERE file_id = $1), \
        EXISTS (SELECT 1 FROM chat_scheduled_files WHERE file_id = $1)";
    chat.engine.db.one(WAITS, (file,)).await
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
        assert!(NewAttachments::new(files(10), vec![], &[]).is_ok());
        assert!(NewAttachments::new(files(11), vec![], &[]).is_err());
        assert!(NewAttachments::new(vec![FileId(1), FileId(1)], vec![], &[]).is_err());
        assert!(NewAttachments::new(files(1), vec!["x".repeat(301)], &[]).is_err());
        assert!(NewAttachments::new(files(1), vec![], &["1 aa".into()]).is_ok());
        assert!(NewAttachments::new(files(1), vec![], &["NaN aa".into()]).is_err());
    }
}
