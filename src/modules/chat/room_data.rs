//! What chat keeps of a room: its messages with their files, also those that wait, and how far
//! people have read. Erased with the room.

use super::attachment_store::detach;
use super::model::MessageId;
use super::{Chat, held_store};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::engine::scope_data::ErasedScope;

/// Messages that one transaction erases.
const BATCH_MESSAGES: i64 = 50;
/// Read marks that one transaction erases.
const BATCH_MARKS: i64 = 500;

/// Erases some of a room's messages, then its read marks and, of a thread, its followers. Returns
/// whether there may be more.
pub(super) async fn erase(chat: Chat, scope: ErasedScope) -> Result<bool> {
    let ErasedScope::Room(room) = scope else {
        return Ok(false);
    };
    Ok(erase_messages(&chat, room).await?
        || erase_held(&chat, room).await?
        || chat.erase_some_scheduled(None, Some(room)).await?
        || erase_marks(&chat, room).await?
        || erase_followers(&chat, room).await?)
}

async fn erase_messages(chat: &Chat, room: RoomId) -> Result<bool> {
    let own = chat.clone();
    let write = chat.engine.db.write_queued(async move |tx| {
        const FIND: &str = "SELECT id FROM messages WHERE room_id = $1 LIMIT $2";
        const DELETE: &str = "DELETE FROM messages WHERE id = $1";
        let ids: Vec<MessageId> = tx.scalars(FIND, (room, BATCH_MESSAGES)).await?;
        for id in &ids {
            detach(&own, tx, *id).await?;
            tx.execute(DELETE, (*id,)).await?;
        }
        Ok(!ids.is_empty())
    });
    write.await
}

/// Erases some of the messages that wait for a moderator there.
async fn erase_held(chat: &Chat, room: RoomId) -> Result<bool> {
    let some = held_store::some_in(&chat.engine.db, room).await?;
    let (own, is_more) = (chat.clone(), !some.is_empty());
    let write = chat.engine.db.write_queued(async move |tx| {
        for id in some {
            own.delete_held(tx, id).await?;
        }
        Ok(())
    });
    write.await?;
    Ok(is_more)
}

async fn erase_followers(chat: &Chat, room: RoomId) -> Result<bool> {
    const DELETE: &str = "DELETE FROM chat_thread_followers WHERE room_id = $1 AND account_id IN \
        (SELECT account_id FROM chat_thread_followers WHERE room_id = $1 LIMIT $2)";
    let write = async move |tx: &mut Tx| tx.execute(DELETE, (room, BATCH_MARKS)).await;
    Ok(chat.engine.db.write_queued(write).await? > 0)
}

async fn erase_marks(chat: &Chat, room: RoomId) -> Result<bool> {
    const DELETE: &str = "DELETE FROM chat_reads WHERE room_id = $1 AND account_id IN \
        (SELECT account_id FROM chat_reads WHERE room_id = $1 LIMIT $2)";
    let write = async move |tx: &mut Tx| tx.execute(DELETE, (room, BATCH_MARKS)).await;
    Ok(chat.engine.db.write_queued(write).await? > 0)
}
