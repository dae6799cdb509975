//! What chat keeps of an account: its messages, and its name in lines that nobody
//! wrote.

use serde_json::{Value, json};

use super::attachment::{Attachment, Attachments};
use super::joined::Joined;
use super::model::MessageId;
use super::scheduled::MAX_SCHEDULED;
use super::scheduled_model::Scheduled;
use super::topics::MessageDeleted;
use super::{Chat, ROOM_FEED, attachment_store, held_store, scheduled_store, store, thread_store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};
use crate::engine::bus::Origin;
use crate::engine::personal_data::{DataPage, Erasure};

/// Messages of a page of a copy.
const PAGE_MESSAGES: i64 = 200;
/// Messages that one transaction deletes.
const BATCH_MESSAGES: i64 = 50;

/// The files of a message: their contents are at their addresses.
fn exported(files: &Attachments) -> Vec<Value> {
    let one = |file: &Attachment| {
        json!({ "href": file.href(), "name": file.name, "caption": file.caption,
            "media": file.media, "size": file.size, "voice": file.voice })
    };
    files.0.iter().map(one).collect()
}

/// A page of an account's messages.
pub(super) async fn export(chat: Chat, account: AccountId, after: i64) -> Result<DataPage> {
    const READ: &str = "SELECT id, room_id, body, created_at, edited_at, files \
        FROM messages \
        WHERE author_id = $1 AND id > $2 AND deleted_at IS NULL AND told = '' \
        ORDER BY id LIMIT $3";
    type Row = (MessageId, RoomId, String, Micros, Option<Micros>, String);
    let db = &chat.engine.db;
    let rows: Vec<Row> = db.all(READ, (account, after, PAGE_MESSAGES)).await?;
    let is_full = i64::try_from(rows.len()).unwrap_or(0) == PAGE_MESSAGES;
    let last = rows.last().map(|(id, ..)| id.0);
    let mut items = Vec::new();
    for (id, room, body, created, edited, files) in rows {
        let files = Attachments::try_from(files).map_err(anyhow::Error::new)?;
        items.push(json!({ "id": id, "room": room, "body": body,
            "created_at": created.rfc3339(), "edited_at": edited.map(Micros::rfc3339),
            "files": exported(&files) }));
    }
    Ok(DataPage {
        items,
        next: last.filter(|_| is_full),
    })
}

/// Deletes some of an account's messages, if they go; then what lines tell of it.
pub(super) async fn erase(chat: Chat, erasure: Erasure) -> Result<bool> {
    if erasure.deletes_content && delete_messages(&chat, erasure.account).await? {
        return Ok(true);
    }
    Ok(delete_told(&chat, erasure.account).await? || scrub_join_line(&chat, &erasure).await?)
}

/// A page of an account's messages that wait for a moderator.
pub(super) async fn export_held(chat: Chat, account: AccountId, after: i64) -> Result<DataPage> {
    let db = &chat.engine.db;
    let rows = held_store::waiting_of(db, account, after, PAGE_MESSAGES).await?;
    let is_full = i64::try_from(rows.len()).unwrap_or(0) == PAGE_MESSAGES;
    let last = rows.last().map(|held| held.id.0);
    let items = rows.into_iter().map(|held| {
        json!({ "id": held.id, "room": held.room, "body": held.body,
            "created_at": held.created_at.rfc3339(), "files": exported(&held.files) })
    });
    Ok(DataPage {
        items: items.collect(),
        next: last.filter(|_| is_full),
    })
}

/// An account's scheduled messages: they are few.
pub(super) async fn export_scheduled(
    chat: Chat,
    account: AccountId,
    _after: i64,
) -> Result<DataPage> {
    let all = scheduled_store::of_account(&chat.engine.db, account, MAX_SCHEDULED).await?;
    let mut items = Vec::new();
    for one in all {
        let files = exported(&chat.files_of_scheduled(&one).await?);
        let Scheduled {
            room, body, due_at, ..
        } = one;
        let due_at = due_at.rfc3339();
        items.push(json!({ "room": room, "body": body, "due_at": due_at, "files": files }));
    }
    Ok(DataPage { items, next: None })
}

/// Removes some of an account's scheduled messages, with their files.
pub(super) async fn erase_scheduled(chat: Chat, erasure: Erasure) -> Result<bool> {
    chat.erase_some_scheduled(Some(erasure.account), None).await
}

/// Deletes some of an account's held messages: they were never posted, and go in any case.
pub(super) async fn erase_held(chat: Chat, erasure: Erasure) -> Result<bool> {
    let some = held_store::some_of(&chat.engine.db, erasure.account).await?;
    let (context, is_more) = (chat.clone(), !some.is_empty());
    let write = chat.engine.db.write_queued(async move |tx| {
        for id in some {
            context.delete_held(tx, id).await?;
        }
        Ok(())
    });
    write.await?;
    Ok(is_more)
}

/// A page of the threads that an account follows.
pub(super) async fn export_threads(chat: Chat, account: AccountId, after: i64) -> Result<DataPage> {
    let db = &chat.engine.db;
    let rows = thread_store::followed_after(db, account, after, PAGE_MESSAGES).await?;
    let is_full = i64::try_from(rows.len()).unwrap_or(0) == PAGE_MESSAGES;
    let last = rows.last().map(|(room, _)| room.0);
    let items = rows.into_iter();
    Ok(DataPage {
        items: items
            .map(|(room, name)| json!({ "room": room, "name": name }))
            .collect(),
        next: last.filter(|_| is_full),
    })
}

/// Has an account follow some threads no more.
pub(super) async fn erase_threads(chat: Chat, erasure: Erasure) -> Result<bool> {
    const DELETE: &str = "DELETE FROM chat_thread_followers WHERE account_id = $1 AND room_id IN \
        (SELECT room_id FROM chat_thread_followers WHERE account_id = $1 LIMIT $2)";
    let fields = (erasure.account, PAGE_MESSAGES);
    let write = async move |tx: &mut Tx| tx.execute(DELETE, fields).await;
    Ok(chat.engine.db.write_queued(write).await? > 0)
}

async fn delete_messages(chat: &Chat, account: AccountId) -> Result<bool> {
    let context = chat.clone();
    let write = chat.engine.db.write_queued(async move |tx| {
        const FIND: &str = "SELECT id FROM messages \
            WHERE author_id = $1 AND deleted_at IS NULL AND told = '' LIMIT $2";
        let ids: Vec<MessageId> = tx.scalars(FIND, (account, BATCH_MESSAGES)).await?;
        for id in &ids {
            let before = store::message_in(tx, *id).await?.mentions;
            let (message, is_new) = store::delete(tx, *id).await?;
            if is_new {
                attachment_store::detach(&context, tx, *id).await?;
                let origin = Origin::new(account, None);
                context
                    .drop_mentions(tx, origin, message.room, *id, &before)
                    .await?;
                let (room, feed) = (message.room, ROOM_FEED.name(message.room));
                let (bus, event) = (&context.engine.bus, MessageDeleted { room, message });
                bus.publish_to_followers(tx, &[feed], origin, event).await?;
            }
        }
        Ok(!ids.is_empty())
    });
    write.await
}

/// Deletes one line that a module told of the account.
async fn delete_told(chat: &Chat, account: AccountId) -> Result<bool> {
    const FIND: &str = "SELECT id FROM messages \
        WHERE author_id = $1 AND told LIKE '{%' AND deleted_at IS NULL LIMIT 1";
    let found: Option<MessageId> = chat.engine.db.optional_scalar(FIND, (account,)).await?;
    if let Some(id) = found {
        delete_line(chat, account, id).await?;
    }
    Ok(found.is_some())
}

/// Deletes one line about who joined that names the account; its names are text.
async fn scrub_join_line(chat: &Chat, erasure: &Erasure) -> Result<bool> {
    const FIND: &str = "SELECT id, told FROM messages WHERE told <> '' \
        AND told NOT LIKE '{%' AND told LIKE '%' || $1 || '%' AND id > $2 ORDER BY id LIMIT 1";
    let mut after = MessageId(i64::MIN);
    loop {
        let found: Option<(MessageId, String)> = chat
            .engine
            .db
            .optional(FIND, (&*erasure.name, after))
            .await?;
        let Some((id, stored)) = found else {
            return Ok(false);
        };
        if Joined::try_from(stored)?.names.contains(&erasure.name) {
            delete_line(chat, erasure.account, id).await?;
            return Ok(true);
        }
        after = id; // of another name that contains this one
    }
}

async fn delete_line(chat: &Chat, account: AccountId, id: MessageId) -> Result<()> {
    let context = chat.clone();
    let write = chat.engine.db.write_queued(async move |tx| {
        let (message, _) = store::delete(tx, id).await?;
        let (room, feed) = (message.room, ROOM_FEED.name(message.room));
        let (bus, event) = (&context.engine.bus, MessageDeleted { room, message });
        let origin = Origin::new(account, None);
        bus.publish_to_followers(tx, &[feed], origin, event).await
    });
    write.await
}
