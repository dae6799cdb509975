//! The SQL of threads.

use std::collections::{HashMap, HashSet};

use sqlx::FromRow;

use super::model::MessageId;
use super::thread_line::ThreadLine;
use crate::base::db::{Db, Sql, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};

/// A thread.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Thread {
    #[sqlx(rename = "room_id")]
    pub(super) room: RoomId,
    #[sqlx(rename = "parent_id")]
    pub(super) parent: RoomId,
    /// The message it grew from.
    #[sqlx(rename = "origin_id")]
    pub(super) origin: MessageId,
    pub(super) begun_by: AccountId,
    /// Whether the message is a post of a forum room.
    pub(super) is_post: bool,
    /// Replies that are not deleted.
    pub(super) replies: i64,
    /// The newest reply; zero before the first.
    #[sqlx(rename = "last_id")]
    pub(super) last: MessageId,
}

impl Thread {
    pub(super) fn line(&self) -> ThreadLine {
        ThreadLine {
            message: self.origin,
            thread: self.room,
            replies: self.replies,
            last: self.last,
        }
    }
}

macro_rules! thread_query {
    ($rest:literal) => {
        concat!(
            "SELECT t.room_id, t.parent_id, t.origin_id, t.begun_by, t.is_post, \
             t.replies, t.last_id FROM chat_threads t ",
            $rest
        )
    };
}

/// Stores a new thread of a message, whose room was made in the same transaction.
pub(super) async fn insert(tx: &mut Tx, thread: &Thread) -> Result<()> {
    const INSERT: &str = "INSERT INTO chat_threads (room_id, parent_id, origin_id, begun_by, \
        is_post, is_named, last_id) VALUES ($1, $2, $3, $4, $5, $5, $6)";
    let Thread {
        room,
        parent,
        origin,
        begun_by,
        is_post,
        last,
        ..
    } = thread;
    let fields = (*room, *parent, *origin, *begun_by, *is_post, *last);
    tx.execute(INSERT, fields).await.map(drop)
}

/// Calls the thread of a message as the message begins now, unless people have named it.
pub(super) async fn retitle(tx: &mut Tx, message: MessageId, name: &str) -> Result<()> {
    const RETITLE: &str = "UPDATE rooms SET name = $2 WHERE id = \
        (SELECT room_id FROM chat_threads WHERE origin_id = $1 AND NOT is_named)";
    tx.execute(RETITLE, (message, name)).await.map(drop)
}

/// Takes the title from the thread of a deleted message, unless others may have named it: that of a
/// post is part of what its author wrote.
pub(super) async fn untitle(tx: &mut Tx, message: MessageId, name: &str) -> Result<()> {
    const UNTITLE: &str = "UPDATE rooms SET name = $2 WHERE id = \
        (SELECT room_id FROM chat_threads WHERE origin_id = $1 AND (is_post OR NOT is_named))";
    tx.execute(UNTITLE, (message, name)).await.map(drop)
}

/// Notes that people have named a thread.
pub(super) async fn set_named(tx: &mut Tx, thread: RoomId) -> Result<()> {
    const SET: &str = "UPDATE chat_threads SET is_named = TRUE WHERE room_id = $1";
    tx.execute(SET, (thread,)).await.map(drop)
}

/// What a thread is called.
pub(super) async fn name(db: &Db, thread: RoomId) -> Result<String> {
    const READ: &str = "SELECT name FROM rooms WHERE id = $1";
    db.scalar(READ, (thread,)).await
}

/// The thread that a room is.
pub(super) async fn find(db: &Db, room: RoomId) -> Result<Option<Thread>> {
    db.optional(thread_query!("WHERE t.room_id = $1"), (room,))
        .await
}

/// The thread of a message.
pub(super) async fn of_message(db: &Db, message: MessageId) -> Result<Option<Thread>> {
    db.optional(thread_query!("WHERE t.origin_id = $1"), (message,))
        .await
}

/// The thread of a message, in a transaction that has locked the message's room.
pub(super) async fn of_message_in(tx: &mut Tx, message: MessageId) -> Result<Option<RoomId>> {
    const FIND: &str = "SELECT room_id FROM chat_threads WHERE origin_id = $1";
    tx.optional_scalar(FIND, (message,)).await
}

/// The threads of these messages that have replies.
pub(super) async fn lines(
    db: &Db,
    messages: impl Iterator<Item = MessageId>,
) -> Result<HashMap<MessageId, ThreadLine>> {
    const READ: Sql = Sql {
        sqlite: thread_query!(
            "WHERE t.origin_id IN \
             (SELECT CAST(value AS INTEGER) FROM json_each('[' || $1 || ']')) AND t.replies > 0"
        ),
        postgres: thread_query!(
            "WHERE t.origin_id = ANY (CAST(string_to_array($1, ',') AS BIGINT[])) \
             AND t.replies > 0"
        ),
    };
    let ids: Vec<_> = messages.map(|id| id.to_string()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let threads: Vec<Thread> = db.all(READ, (ids.join(","),)).await?;
    let threads = threads.into_iter();
    Ok(threads.map(|one| (one.origin, one.line())).collect())
}

/// Counts a reply; its author and those whom it mentions follow the thread from now on.
pub(super) async fn count_reply(
    tx: &mut Tx,
    thread: RoomId,
    message: MessageId,
    followers: impl Iterator<Item = AccountId>,
) -> Result<()> {
    const COUNT: &str = "UPDATE chat_threads SET replies = replies + 1, last_id = $2 \
        WHERE room_id = $1";
    tx.execute(COUNT, (thread, message)).await?;
    for account in followers {
        follow(tx, account, thread).await?;
    }
    Ok(())
}

/// Counts the deletion of a message, if its room is a thread.
pub(super) async fn count_deletion(tx: &mut Tx, room: RoomId) -> Result<()> {
    const COUNT: &str = "UPDATE chat_threads SET replies = replies - 1 \
        WHERE room_id = $1 AND replies > 0";
    tx.execute(COUNT, (room,)).await.map(drop)
}

/// Has an account hear of a thread's replies.
pub(super) async fn follow(tx: &mut Tx, account: AccountId, thread: RoomId) -> Result<()> {
    const FOLLOW: &str = "INSERT INTO chat_thread_followers (account_id, room_id) \
        VALUES ($1, $2) ON CONFLICT DO NOTHING";
    tx.execute(FOLLOW, (account, thread)).await.map(drop)
}

/// Has an account hear of a thread's replies no more.
pub(super) async fn unfollow(tx: &mut Tx, account: AccountId, thread: RoomId) -> Result<()> {
    const UNFOLLOW: &str = "DELETE FROM chat_thread_followers \
        WHERE account_id = $1 AND room_id = $2";
    tx.execute(UNFOLLOW, (account, thread)).await.map(drop)
}

/// Whether an account hears of a thread's replies.
pub(super) async fn is_followed_by(db: &Db, account: AccountId, thread: RoomId) -> Result<bool> {
    const READ: &str = "SELECT EXISTS (SELECT 1 FROM chat_thread_followers \
        WHERE account_id = $1 AND room_id = $2)";
    db.scalar(READ, (account, thread)).await
}

/// Those who hear of a thread's replies.
pub(super) async fn followers(db: &Db, thread: RoomId) -> Result<HashSet<AccountId>> {
    const READ: &str = "SELECT account_id FROM chat_thread_followers WHERE room_id = $1";
    let accounts: Vec<AccountId> = db.scalars(READ, (thread,)).await?;
    Ok(accounts.into_iter().collect())
}

/// The threads with unread replies that an account follows, newest activity first, at most `limit`.
/// Who reads each is for the caller to check.
pub(super) async fn unread(db: &Db, account: AccountId, limit: i64) -> Result<Vec<RoomId>> {
    // Authors have read up to their own message, so what is newer was written by others.
    const READ: &str = "SELECT t.room_id FROM chat_thread_followers f \
        JOIN chat_threads t ON t.room_id = f.room_id \
        JOIN rooms p ON p.id = t.parent_id \
        LEFT JOIN chat_reads c ON c.room_id = f.room_id AND c.account_id = f.account_id \
        WHERE f.account_id = $1 AND t.replies > 0 AND t.last_id > COALESCE(c.message_id, 0) \
        AND p.archived_at IS NULL AND p.deleted_at IS NULL \
        ORDER BY t.last_id DESC LIMIT $2";
    db.scalars(READ, (account, limit)).await
}

/// A thread in a list.
#[derive(Debug, FromRow)]
pub(super) struct Listed {
    #[sqlx(flatten)]
    pub(super) thread: Thread,
    pub(super) name: String,
    pub(super) unread: bool,
}

/// The threads that an account follows, either those with unread replies or the others, before a
/// position, newest activity first.
pub(super) async fn followed(
    db: &Db,
    account: AccountId,
    (unread, before): (bool, MessageId),
    limit: i64,
) -> Result<Vec<Listed>> {
    const READ: &str = "SELECT t.room_id, t.parent_id, t.origin_id, t.begun_by, t.is_post, \
        t.replies, t.last_id, r.name, (t.last_id > COALESCE(c.message_id, 0)) AS unread \
        FROM chat_thread_followers f JOIN chat_threads t ON t.room_id = f.room_id \
        JOIN rooms r ON r.id = t.room_id \
        LEFT JOIN chat_reads c ON c.room_id = f.room_id AND c.account_id = f.account_id \
        WHERE f.account_id = $1 AND t.replies > 0 AND t.last_id < $3 \
        AND (t.last_id > COALESCE(c.message_id, 0)) = $2 ORDER BY t.last_id DESC LIMIT $4";
    db.all(READ, (account, unread, before, limit)).await
}

/// The threads of a room that have replies, before a position, newest activity first.
pub(super) async fn of_room(
    db: &Db,
    account: AccountId,
    (room, before): (RoomId, MessageId),
    limit: i64,
) -> Result<Vec<Listed>> {
    const READ: &str = "SELECT t.room_id, t.parent_id, t.origin_id, t.begun_by, t.is_post, \
        t.replies, t.last_id, r.name, (f.room_id IS NOT NULL AND t.last_id > COALESCE(c.message_id, 0)) \
        AS unread FROM chat_threads t JOIN rooms r ON r.id = t.room_id \
        LEFT JOIN chat_thread_followers f ON f.room_id = t.room_id AND f.account_id = $1 \
        LEFT JOIN chat_reads c ON c.room_id = t.room_id AND c.account_id = $1 \
        WHERE t.parent_id = $2 AND t.replies > 0 AND t.last_id < $3 \
        ORDER BY t.last_id DESC LIMIT $4";
    db.all(READ, (account, room, before, limit)).await
}

/// The threads that an account follows after one, in the order of their ids, for a copy of its
/// data.
pub(super) async fn followed_after(
    db: &Db,
    account: AccountId,
    after: i64,
    limit: i64,
) -> Result<Vec<(RoomId, String)>> {
    const READ: &str = "SELECT r.id, r.name FROM chat_thread_followers f \
        JOIN rooms r ON r.id = f.room_id WHERE f.account_id = $1 AND r.id > $2 \
        ORDER BY r.id LIMIT $3";
    db.all(READ, (account, after, limit)).await
}
