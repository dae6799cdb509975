//! `chat.delete-many`: moderators delete several messages at once, by their ids or the last ones of
//! a member; and the deletion of what somebody wrote who was banned.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::model::MessageId;
use super::super::topics::MessageDeleted;
use super::super::{Chat, MODERATE, ROOM_FEED, attachment_store, store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId, first_at};
use crate::base::list::List;
use crate::community::audit::{self, Act};
use crate::community::permissions::is_granted;
use crate::community::{Room, Scope};
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::content_removal::ContentRemoval;
use crate::engine::viewer::Viewer;

/// Messages that one call deletes.
const MAX_DELETED_AT_ONCE: usize = 100;

#[derive(Deserialize)]
pub(in super::super) struct DeleteManyInput {
    /// The messages; at most a hundred.
    #[serde(default)]
    messages: List<MessageId, MAX_DELETED_AT_ONCE>,
    /// With `last`: whose messages.
    account: Option<AccountId>,
    /// With `account`: in the rooms of this space.
    space: Option<SpaceId>,
    /// With `account`: in this room only.
    room: Option<RoomId>,
    /// How many of the newest messages of `account` are deleted; at most a hundred.
    #[serde(default)]
    last: String,
}

impl DeleteManyInput {
    async fn find(&self, chat: &Chat) -> Result<Vec<MessageId>> {
        let Some(account) = self.account else {
            return Ok(self.messages.to_vec());
        };
        let last: usize = self.last.trim().parse().unwrap_or(0);
        if !(1..=MAX_DELETED_AT_ONCE).contains(&last) {
            return Err(Error::field("last", "error-delete-last"));
        }
        let db = &chat.engine.db;
        let all = MessageId(0);
        match (self.room, self.space) {
            (Some(room), _) => store::newest_of_author(db, account, room, last).await,
            (None, Some(space)) => store::newest_in_space(db, account, space, all, last).await,
            (None, None) => Err(Error::field("space", "error-message-shape")),
        }
    }
}

/// Deletes messages in rooms where the viewer moderates; those that were deleted before count as
/// done. Each room is one transaction, with one entry in the audit log.
pub(in super::super) async fn delete_many(
    chat: Chat,
    viewer: Viewer,
    input: DeleteManyInput,
) -> Result<Outcome> {
    let found = input.find(&chat).await?;
    let mut by_room: BTreeMap<RoomId, Vec<MessageId>> = BTreeMap::new();
    for message in store::places(&chat.engine.db, &found).await? {
        by_room.entry(message.1).or_default().push(message.0);
    }
    if by_room.is_empty() && input.account.is_none() {
        return Err(Error::NotFound);
    }
    // Nothing is deleted if one of them may not be. Of an account's last messages, those in rooms
    // that the viewer does not moderate are left.
    let mut rooms = Vec::new();
    for (room, messages) in by_room {
        let access = &chat.community.access;
        let room = access.permit_in_room(viewer.account, &MODERATE, room);
        match room.await {
            Ok(room) => rooms.push((room, messages)),
            Err(error) if input.account.is_some() => {
                is_granted(Err::<(), _>(error))?;
            }
            Err(error) => return Err(error),
        }
    }
    if let (Some(space), true) = (input.space, rooms.is_empty()) {
        let access = &chat.community.access;
        let scope = Scope::Space(space);
        access.permit(viewer.account, &MODERATE, scope).await?;
    } else if let (Some(room), true) = (input.room, rooms.is_empty()) {
        let access = &chat.community.access;
        access
            .permit(viewer.account, &MODERATE, Scope::Room(room))
            .await?;
    }
    let mut deleted = 0;
    for (room, messages) in &rooms {
        deleted += chat
            .delete_in_room(viewer.account, room, messages.clone())
            .await?;
    }
    let next = match (input.space, input.account, rooms.first()) {
        (Some(space), Some(account), _) => format!("/spaces/{space}/members/{account}"),
        (_, _, Some((room, _))) => format!("/rooms/{}", room.id),
        _ => "/".to_owned(),
    };
    Ok(Outcome::new(json!({ "deleted": deleted }), next))
}

impl Chat {
    /// Deletes messages of one room; returns how many were there.
    async fn delete_in_room(
        &self,
        by: AccountId,
        room: &Room,
        messages: Vec<MessageId>,
    ) -> Result<usize> {
        let (id, space, room) = (room.id, room.space, room.clone());
        let context = self.clone();
        let write = async move |tx: &mut Tx| {
            let mut authors = Vec::new();
            let mut texts = Vec::new();
            for message in messages {
                let before = store::message_in(tx, message).await?;
                let (message, is_new) = store::delete(tx, message).await?;
                if !is_new {
                    continue;
                }
                authors.push(message.author);
                texts.push(before.body);
                attachment_store::detach(&context, tx, message.id).await?;
                let origin = Origin::new(by, space);
                context
                    .drop_mentions(tx, origin, id, message.id, &before.mentions)
                    .await?;
                let event = MessageDeleted { room: id, message };
                let (bus, feed) = (&context.engine.bus, ROOM_FEED.name(id));
                bus.publish_to_followers(tx, &[feed], origin, event).await?;
            }
            if texts.is_empty() {
                return Ok(0);
            }
            let one = authors
                .first()
                .filter(|one| authors.iter().all(|other| other == *one));
            let act = Act {
                space,
                actor: Some(by),
                act: "message.deleted-many",
                subject: one.map(|author| author.0),
                name: "",
                before: audited(&room, &texts),
                after: Value::Null,
            };
            audit::record(tx, act).await?;
            Ok(texts.len())
        };
        self.community
            .access
            .permitted_protective_write(by, &MODERATE, Scope::Room(id), write)
            .await
    }
}

/// What the audit log says of deleted messages: the room, how many, and how each began. Of a room
/// that not everybody reads only how many: others than its readers read the log.
pub(super) fn audited(room: &Room, texts: &[String]) -> Value {
    if room.rules.may_exclude() {
        return json!({ "count": texts.len() });
    }
    let starts = texts.iter();
    let starts: Vec<String> = starts
        .map(|text| text.chars().take(MAX_AUDITED_CHARS).collect())
        .collect();
    json!({ "room": room.name, "count": texts.len(), "texts": starts })
}

/// Characters of a deleted message that the audit log keeps.
const MAX_AUDITED_CHARS: usize = 200;

/// Deletes what somebody wrote in a space, in rooms where the one who decided it moderates. What a
/// failure leaves is deleted when the job is tried again.
pub(in super::super) async fn remove_content(chat: Chat, removal: ContentRemoval) -> Result<()> {
    let ContentRemoval {
        by,
        account,
        space,
        since,
    } = removal;
    let mut skipped = 0;
    loop {
        let since = MessageId(first_at(since));
        let (db, limit) = (&chat.engine.db, MAX_DELETED_AT_ONCE + skipped);
        let found = store::newest_in_space(db, account, space, since, limit).await?;
        let mut by_room: BTreeMap<RoomId, Vec<MessageId>> = BTreeMap::new();
        for (message, room) in store::places(db, &found).await? {
            by_room.entry(room).or_default().push(message);
        }
        let (mut deleted, mut left) = (0, 0);
        for (room, messages) in by_room {
            let count = messages.len();
            let access = &chat.community.access;
            match access.permit_in_room(by, &MODERATE, room).await {
                Ok(room) => deleted += chat.delete_in_room(by, &room, messages).await?,
                Err(error) => {
                    is_granted(Err::<(), _>(error))?;
                    left += count;
                }
            }
        }
        skipped = left;
        if deleted == 0 {
            return Ok(());
        }
    }
}
