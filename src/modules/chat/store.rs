//! Chat's SQL, one function per query.

use std::collections::HashSet;

use serde::Serialize;
use sqlx::FromRow;

use super::attachment::Attachments;
use super::checksum::Covered;
use super::link_card::LinkPreviews;
use super::mention_targets::Mentions;
use super::model::{CONTINUATION_WINDOW, Forwarded, Message, MessageId};
use super::polls::Poll;
use super::reactions::Reactions;
use super::reply::{Reply, quoted_columns, quoted_joins};
use super::thread_line::UNTITLED;
use super::told::Told;
use super::topics::ReadRoom;
use super::{thread_store, versions};
use crate::base::clock::Micros;
use crate::base::db::{Db, Sql, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AccountId, RoomId, SpaceId};

/// A query of whole messages: `messages m` with the names of authors and with what they answer.
macro_rules! message_query {
    ($rest:literal) => {
        concat!(
            "SELECT m.*, a.name AS author_name, ",
            quoted_columns!(),
            " FROM messages m JOIN accounts a ON a.id = m.author_id ",
            quoted_joins!(),
            $rest
        )
    };
}
pub(super) use message_query;

/// What identifies a message's cached fragment.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub(super) struct Stub {
    pub(super) id: MessageId,
    pub(super) revision: i64,
    #[sqlx(rename = "author_id")]
    pub(super) author: AccountId,
    /// The fragment shows the present names of those who are mentioned.
    #[sqlx(try_from = "String")]
    pub(super) mentions: Mentions,
    #[sqlx(try_from = "String")]
    pub(super) reactions: Reactions,
    #[sqlx(try_from = "String")]
    pub(super) poll: Poll,
    #[sqlx(try_from = "String")]
    pub(super) previews: LinkPreviews,
    pub(super) pinned_at: Option<Micros>,
    pub(super) forwarded_author: Option<AccountId>,
    /// Of the message that it answers.
    pub(super) quoted_revision: Option<i64>,
}

impl Stub {
    pub(super) fn of(message: &Message) -> Self {
        Self {
            id: message.id,
            revision: message.revision,
            author: message.author,
            mentions: message.mentions.clone(),
            reactions: message.reactions.clone(),
            poll: message.poll.clone(),
            previews: message.previews.clone(),
            pinned_at: message.pinned_at,
            forwarded_author: message.forwarded.author,
            quoted_revision: message.reply.revision,
        }
    }

    /// The people whom the fragment names, besides the author.
    pub(super) fn named(&self) -> impl Iterator<Item = AccountId> {
        let marks = self.reactions.named().chain(self.poll.named());
        let marks = marks.chain(self.forwarded_author);
        self.mentions.accounts().chain(marks)
    }
}

/// A message that is about to be posted.
pub(super) struct NewMessage<'a> {
    pub(super) room: RoomId,
    pub(super) author: AccountId,
    pub(super) author_name: &'a str,
    pub(super) key: &'a str,
    pub(super) body: &'a str,
    /// See [`Message::html`].
    pub(super) html: Option<&'a str>,
    pub(super) mentions: &'a Mentions,
    pub(super) reply: Reply,
    pub(super) poll: &'a Poll,
    pub(super) forwarded: Forwarded,
}

/// Inserts a message, or finds the one that the author posted under this key before. The flag says
/// whether it is new.
pub(super) async fn post(tx: &mut Tx, new: NewMessage<'_>) -> Result<(Message, bool)> {
    // `continues` is decided in the statement: no other post can come between it and the message
    // before.
    const POST: &str = "INSERT INTO messages (id, room_id, author_id, client_key, body, \
        html, mentions, reply_to, poll, forwarded_from, forwarded_author, revision, checksum, \
        continues, created_at) VALUES ($1, $2, $3, $4, $5, $9, $10, $11, $12, $13, $14, 1, $8, \
        $11 IS NULL AND $13 IS NULL AND EXISTS \
        (SELECT 1 FROM (SELECT author_id, created_at, told \
        FROM messages WHERE room_id = $2 ORDER BY id DESC LIMIT 1) AS last \
        WHERE last.author_id = $3 AND last.created_at > $7 AND last.told = ''), $6) \
        ON CONFLICT (author_id, client_key) DO NOTHING RETURNING continues";
    let NewMessage {
        room,
        author,
        author_name: name,
        key,
        body,
        html,
        mentions,
        reply,
        poll,
        forwarded,
    } = new;
    continue_ids(tx, room).await?;
    let (id, now) = (MessageId::new(), Micros::now());
    let continues_after =
        Micros(now.0 - i64::try_from(CONTINUATION_WINDOW.as_micros()).unwrap_or(0));
    let covered = Covered {
        id,
        room,
        author,
        created_at: now,
        key,
        body,
    };
    let checksum = covered.checksum();
    let values = (
        id,
        room,
        author,
        key,
        body,
        now,
        continues_after,
        checksum,
        html,
        mentions.to_string(),
        reply.to,
        poll.to_string(),
        forwarded.from,
        forwarded.author,
    );
    let continues: Option<bool> = tx.optional_scalar(POST, values).await?;
    if let Some(continues) = continues {
        // Authors have read up to their own message. This also bounds the query for unread rooms,
        // which scans from the read mark on.
        mark_read(tx, author, room, id).await?;
        let message = Message {
            id,
            room,
            author,
            author_name: name.to_owned(),
            body: body.to_owned(),
            revision: 1,
            continues,
            created_at: now,
            edited_at: None,
            deleted_at: None,
            key: key.to_owned(),
            html: html.map(str::to_owned),
            files: Attachments::default(),
            told: Told::default(),
            mentions: mentions.clone(),
            reply,
            forwarded,
            reactions: Reactions::default(),
            poll: poll.clone(),
            previews: LinkPreviews::default(),
            pinned_at: None,
        };
        return Ok((message, true));
    }
    const FIND: &str = message_query!("WHERE m.author_id = $1 AND m.client_key = $2");
    Ok((tx.one(FIND, (author, key)).await?, false))
}

const MESSAGE: &str = message_query!("WHERE m.id = $1");

/// A message, by id.
pub(super) async fn message(db: &Db, id: MessageId) -> Result<Message> {
    db.one(MESSAGE, (id,)).await
}

/// A message, by id, in a transaction.
pub(super) async fn message_in(tx: &mut Tx, id: MessageId) -> Result<Message> {
    tx.one(MESSAGE, (id,)).await
}

/// A message of a room as what another one answers.
///
/// # Errors
/// `Conflict` when it is not there, deleted, or was written by nobody.
pub(super) async fn reply_to(tx: &mut Tx, room: RoomId, id: MessageId) -> Result<Reply> {
    const READ: &str = concat!(
        "SELECT m.reply_to, ",
        quoted_columns!(),
        " FROM (SELECT CAST($1 AS BIGINT) AS reply_to) m ",
        quoted_joins!(),
        "WHERE q.room_id = $2 AND q.told = ''"
    );
    let found: Option<Reply> = tx.optional(READ, (id, room)).await?;
    found
        .filter(|reply| !reply.is_gone())
        .ok_or(Error::Conflict("error-reply-gone"))
}

/// The newest messages that answer one, which show a quote of it.
pub(super) async fn replies_to(db: &Db, id: MessageId, limit: i64) -> Result<Vec<MessageId>> {
    const READ: &str = "SELECT id FROM messages WHERE reply_to = $1 ORDER BY id DESC LIMIT $2";
    db.scalars(READ, (id, limit)).await
}

/// Has other transactions wait that change this message.
pub(super) async fn lock_message(tx: &mut Tx, id: MessageId) -> Result<()> {
    const LOCK: &str = "SELECT id FROM messages WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK, (id,)).await.map(drop)
}

/// Makes the next id greater than those of the room's messages, which other servers may have
/// posted. The caller's transaction holds the room.
pub(super) async fn continue_ids(tx: &mut Tx, room: RoomId) -> Result<()> {
    const NEWEST: &str = "SELECT id FROM messages WHERE room_id = $1 ORDER BY id DESC LIMIT 1";
    if tx.has_other_writers()
        && let Some(newest) = tx.optional_scalar(NEWEST, (room,)).await?
    {
        ids::at_least(newest);
    }
    Ok(())
}

/// Stores a message's attachments. Only replacing earlier ones makes a new revision: the first are
/// stored together with the message.
pub(super) async fn set_files(tx: &mut Tx, id: MessageId, files: &Attachments) -> Result<()> {
    const SET: &str = "UPDATE messages SET files = $2, \
        revision = revision + CASE WHEN files = '' THEN 0 ELSE 1 END \
        WHERE id = $1 AND deleted_at IS NULL";
    tx.execute(SET, (id, files.to_string())).await?;
    Ok(())
}

/// Replaces a message's text and raises its revision. `revision` is the one that was edited, if
/// that matters.
///
/// # Errors
/// `Conflict` when it was deleted.
pub(super) async fn edit(
    tx: &mut Tx,
    id: MessageId,
    (body, html): (&str, Option<&str>),
    mentions: &Mentions,
    revision: Option<i64>,
) -> Result<Message> {
    const EDIT: &str = "UPDATE messages SET body = $2, html = $4, edited_at = $3, \
        mentions = $6, revision = revision + 1 \
        WHERE id = $1 AND deleted_at IS NULL AND revision = COALESCE($5, revision)";
    let fields = (
        id,
        body,
        Micros::now(),
        html,
        revision,
        mentions.to_string(),
    );
    versions::keep(tx, id, body).await?;
    let done = tx.execute(EDIT, fields).await?;
    let message = message_in(tx, id).await?;
    if done == 0 {
        return Err(Error::Conflict(match message.is_deleted() {
            true => "error-message-deleted",
            false => "error-message-changed",
        }));
    }
    set_checksum(tx, &message).await?;
    Ok(message)
}

/// Stores the checksum of a message whose text was changed.
async fn set_checksum(tx: &mut Tx, message: &Message) -> Result<()> {
    const SET: &str = "UPDATE messages SET checksum = $2 WHERE id = $1";
    let checksum = Covered::of(message).checksum();
    tx.execute(SET, (message.id, checksum)).await?;
    Ok(())
}

/// Deletes a message's content; its row remains as a tombstone. The flag says whether it existed.
pub(super) async fn delete(tx: &mut Tx, id: MessageId) -> Result<(Message, bool)> {
    const DELETE: &str = "UPDATE messages SET body = '', html = NULL, files = '', told = '', \
        mentions = '', reactions = '', poll = '', previews = '', pinned_at = NULL, reply_to = NULL, \
        forwarded_from = NULL, forwarded_author = NULL, deleted_at = $2, \
        revision = revision + 1 WHERE id = $1 AND deleted_at IS NULL";
    let done = tx.execute(DELETE, (id, Micros::now())).await?;
    if done > 0 {
        for delete in [
            "DELETE FROM chat_versions WHERE message_id = $1",
            "DELETE FROM chat_reactions WHERE message_id = $1",
            "DELETE FROM chat_votes WHERE message_id = $1",
        ] {
            tx.execute(delete, (id,)).await?;
        }
    }
    let message: Message = tx.one(MESSAGE, (id,)).await?;
    if done > 0 {
        thread_store::count_deletion(tx, message.room).await?;
        thread_store::untitle(tx, id, UNTITLED).await?;
        set_checksum(tx, &message).await?;
    }
    Ok((message, done > 0))
}

/// The newest messages of an account in a room that are not deleted, newest first.
pub(super) async fn newest_of_author(
    db: &Db,
    author: AccountId,
    room: RoomId,
    limit: usize,
) -> Result<Vec<MessageId>> {
    const READ: &str = "SELECT id FROM messages WHERE room_id = $1 AND author_id = $2 \
        AND deleted_at IS NULL ORDER BY id DESC LIMIT $3";
    db.scalars(READ, (room, author, limit as i64)).await
}

/// The newest messages of an account in the rooms of a space that are not deleted, from `since`
/// on, newest first.
pub(super) async fn newest_in_space(
    db: &Db,
    author: AccountId,
    space: SpaceId,
    since: MessageId,
    limit: usize,
) -> Result<Vec<MessageId>> {
    const READ: &str = "SELECT m.id FROM messages m JOIN rooms r ON r.id = m.room_id \
        LEFT JOIN rooms p ON p.id = r.parent_id WHERE m.author_id = $1 \
        AND COALESCE(r.space_id, p.space_id) = $2 AND m.id >= $3 AND m.deleted_at IS NULL \
        ORDER BY m.id DESC LIMIT $4";
    db.scalars(READ, (author, space, since, limit as i64)).await
}

/// The rooms of messages, of those that there are.
pub(super) async fn places(db: &Db, messages: &[MessageId]) -> Result<Vec<(MessageId, RoomId)>> {
    const READ: Sql = Sql {
        sqlite: "SELECT id, room_id FROM messages WHERE id IN \
            (SELECT CAST(value AS INTEGER) FROM json_each('[' || $1 || ']'))",
        postgres: "SELECT id, room_id FROM messages \
            WHERE id = ANY (CAST(string_to_array($1, ',') AS BIGINT[]))",
    };
    let ids: Vec<_> = messages.iter().map(ToString::to_string).collect();
    match ids.is_empty() {
        true => Ok(Vec::new()),
        false => db.all(READ, (ids.join(","),)).await,
    }
}

/// A query of [`Stub`]s, of `messages m`.
macro_rules! stub_query {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.revision, m.author_id, m.mentions, m.reactions, m.poll, m.previews, \
             m.pinned_at, m.forwarded_author, \
             q.revision AS quoted_revision FROM messages m \
             LEFT JOIN messages q ON q.id = m.reply_to ",
            $rest
        )
    };
}

/// Up to `limit` messages before a position, newest first.
pub(super) async fn before(
    db: &Db,
    room: RoomId,
    position: MessageId,
    limit: usize,
) -> Result<Vec<Stub>> {
    const READ: &str =
        stub_query!("WHERE m.room_id = $1 AND m.id < $2 ORDER BY m.id DESC LIMIT $3");
    db.all(READ, (room, position, limit as i64)).await
}

/// Up to `limit` messages at or after a position, oldest first.
pub(super) async fn from(
    db: &Db,
    room: RoomId,
    position: MessageId,
    limit: usize,
) -> Result<Vec<Stub>> {
    const READ: &str = stub_query!("WHERE m.room_id = $1 AND m.id >= $2 ORDER BY m.id LIMIT $3");
    db.all(READ, (room, position, limit as i64)).await
}

/// The newest pinned messages of a room before a position.
pub(super) async fn pinned(
    db: &Db,
    room: RoomId,
    before: MessageId,
    limit: usize,
) -> Result<Vec<MessageId>> {
    const READ: &str = "SELECT id FROM messages WHERE room_id = $1 AND pinned_at IS NOT NULL \
        AND id < $2 ORDER BY id DESC LIMIT $3";
    db.scalars(READ, (room, before, limit as i64)).await
}

/// The messages of a room between two, both included, oldest first.
pub(super) async fn range(
    db: &Db,
    room: RoomId,
    first: MessageId,
    last: MessageId,
) -> Result<Vec<Message>> {
    const READ: &str =
        message_query!("WHERE m.room_id = $1 AND m.id >= $2 AND m.id <= $3 ORDER BY m.id");
    db.all(READ, (room, first, last)).await
}

/// The ids of messages before one, wherever they are, newest first.
pub(super) async fn before_of_all(db: &Db, id: MessageId, limit: usize) -> Result<Vec<i64>> {
    const READ: &str = "SELECT id FROM messages WHERE id < $1 ORDER BY id DESC LIMIT $2";
    db.scalars(READ, (id, limit as i64)).await
}

/// The newest message on the server.
pub(super) async fn newest_of_all(db: &Db) -> Result<Option<MessageId>> {
    db.optional_scalar("SELECT id FROM messages ORDER BY id DESC LIMIT 1", ())
        .await
}

/// The newest message of a room, and the last one that an account has read there.
pub(super) async fn newest_and_read(
    db: &Db,
    account: AccountId,
    room: RoomId,
) -> Result<(Option<MessageId>, Option<MessageId>)> {
    const READ: &str = "SELECT \
        (SELECT id FROM messages WHERE room_id = $2 ORDER BY id DESC LIMIT 1), \
        (SELECT message_id FROM chat_reads WHERE account_id = $1 AND room_id = $2)";
    db.one(READ, (account, room)).await
}

/// The newest message of a room that is not deleted, and its author, if the newest is not.
pub(super) async fn newest_with_author(
    db: &Db,
    room: RoomId,
) -> Result<Option<(MessageId, AccountId)>> {
    const READ: &str = "SELECT id, author_id FROM \
        (SELECT id, author_id, deleted_at FROM messages WHERE room_id = $1 \
        ORDER BY id DESC LIMIT 1) newest WHERE deleted_at IS NULL";
    db.optional(READ, (room,)).await
}

/// How far each member of a direct conversation has read it.
pub(super) async fn read_marks_in(db: &Db, room: RoomId) -> Result<Vec<(AccountId, MessageId)>> {
    const READ: &str = "SELECT c.account_id, c.message_id FROM room_members m \
        JOIN chat_reads c ON c.account_id = m.account_id AND c.room_id = m.room_id \
        WHERE m.room_id = $1";
    db.all(READ, (room,)).await
}

/// Moves the read mark forward, never back. Returns whether it moved.
pub(super) async fn mark_read(
    tx: &mut Tx,
    account: AccountId,
    room: RoomId,
    message: MessageId,
) -> Result<bool> {
    const MARK: &str = "INSERT INTO chat_reads (account_id, room_id, message_id) \
        VALUES ($1, $2, $3) \
        ON CONFLICT (account_id, room_id) DO UPDATE SET message_id = $3 \
        WHERE chat_reads.message_id < $3";
    Ok(tx.execute(MARK, (account, room, message)).await? > 0)
}

/// Moves the read marks of an account to the ends of these rooms. Returns those that moved.
pub(super) async fn read_to_end(
    tx: &mut Tx,
    account: AccountId,
    rooms: &[RoomId],
) -> Result<Vec<ReadRoom>> {
    const MARK: Sql = Sql {
        sqlite: "INSERT INTO chat_reads (account_id, room_id, message_id) \
            SELECT $1, room_id, MAX(id) FROM messages WHERE room_id IN \
            (SELECT CAST(value AS INTEGER) FROM json_each('[' || $2 || ']')) GROUP BY room_id \
            ON CONFLICT (account_id, room_id) DO UPDATE SET message_id = excluded.message_id \
            WHERE chat_reads.message_id < excluded.message_id RETURNING room_id, message_id",
        postgres: "INSERT INTO chat_reads (account_id, room_id, message_id) \
            SELECT $1, room_id, MAX(id) FROM messages \
            WHERE room_id = ANY (CAST(string_to_array($2, ',') AS BIGINT[])) GROUP BY room_id \
            ON CONFLICT (account_id, room_id) DO UPDATE SET message_id = excluded.message_id \
            WHERE chat_reads.message_id < excluded.message_id RETURNING room_id, message_id",
    };
    let ids: Vec<_> = rooms.iter().map(ToString::to_string).collect();
    match ids.is_empty() {
        true => Ok(Vec::new()),
        false => tx.all(MARK, (account, ids.join(","))).await,
    }
}

// Lines that nobody wrote are not unread.
// A member without a read mark counts as having read everything posted before they joined. Ids hold
// milliseconds since the epoch 1704067200000 in their upper bits, shifted by 2^20 = 1048576.

/// Rooms that an account has read to their ends, at most a thousand.
pub(super) async fn read_rooms(db: &Db, account: AccountId) -> Result<Vec<RoomId>> {
    const READ: &str = "SELECT c.room_id FROM chat_reads c WHERE c.account_id = $1 AND NOT EXISTS \
        (SELECT 1 FROM messages m WHERE m.room_id = c.room_id AND m.id > c.message_id \
        AND m.author_id <> $1 AND m.told = '') LIMIT 1000";
    db.scalars(READ, (account,)).await
}

/// A room with unread messages.
#[derive(Serialize, FromRow)]
pub(super) struct UnreadRoom {
    #[sqlx(rename = "id")]
    pub(super) room: RoomId,
    /// None for a direct conversation.
    #[sqlx(rename = "space_id")]
    pub(super) space: Option<SpaceId>,
    /// How many of them mention the account; 100 stands for more, too.
    #[sqlx(default)]
    pub(super) mentions: i64,
    /// Whether it is a thread.
    #[sqlx(default)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) thread: bool,
}

/// Rooms with unread messages that an account may be able to read, wherever they are, and threads
/// that it follows, at most a thousand of each. Of private rooms, and of those that allow or deny
/// something, the caller checks each.
pub(super) async fn unread_with_spaces(db: &Db, account: AccountId) -> Result<Vec<UnreadRoom>> {
    const UNREAD: &str = "SELECT r.id, r.space_id FROM rooms r \
        LEFT JOIN members me ON me.space_id = r.space_id AND me.account_id = $1 \
        LEFT JOIN room_members own ON own.room_id = r.id AND own.account_id = $1 \
        LEFT JOIN chat_reads c ON c.room_id = r.id AND c.account_id = $1 \
        WHERE r.archived_at IS NULL AND r.deleted_at IS NULL \
        AND NOT EXISTS (SELECT 1 FROM spaces s \
        WHERE s.id = r.space_id AND s.deleted_at IS NOT NULL) AND (own.room_id IS NOT NULL \
        OR (me.space_id IS NOT NULL AND NOT r.private) \
        OR (me.space_id IS NOT NULL AND EXISTS \
        (SELECT 1 FROM room_overrides o WHERE o.room_id = r.id))) AND EXISTS \
        (SELECT 1 FROM messages m WHERE m.room_id = r.id AND m.id > COALESCE(c.message_id, \
        (me.joined_at / 1000 - 1704067200000) * 1048576, 0) \
        AND m.author_id <> $1 AND m.told = '') \
        LIMIT 1000";
    let mut rooms: Vec<UnreadRoom> = db.all(UNREAD, (account,)).await?;
    let threads = thread_store::unread(db, account, 1000).await?;
    rooms.extend(threads.into_iter().map(|room| UnreadRoom {
        room,
        space: None,
        mentions: 0,
        thread: true,
    }));
    Ok(rooms)
}

/// The direct conversations with unread messages for an account, and such rooms of `space`.
pub(super) async fn unread(
    db: &Db,
    account: AccountId,
    space: Option<SpaceId>,
) -> Result<HashSet<RoomId>> {
    const READ: &str = "SELECT r.id FROM room_members me \
        JOIN rooms r ON r.id = me.room_id AND r.space_id IS NULL \
        LEFT JOIN chat_reads c ON c.room_id = r.id AND c.account_id = $1 \
        WHERE me.account_id = $1 AND EXISTS \
        (SELECT 1 FROM messages m \
        WHERE m.room_id = r.id AND m.id > COALESCE(c.message_id, 0) \
        AND m.author_id <> $1 AND m.told = '') \
        UNION ALL SELECT r.id FROM rooms r \
        JOIN members me ON me.space_id = r.space_id AND me.account_id = $1 \
        LEFT JOIN chat_reads c ON c.room_id = r.id AND c.account_id = $1 \
        WHERE r.space_id = $2 AND r.archived_at IS NULL AND r.deleted_at IS NULL AND EXISTS \
        (SELECT 1 FROM messages m \
        WHERE m.room_id = r.id AND m.id > COALESCE(c.message_id, \
        (me.joined_at / 1000 - 1704067200000) * 1048576) AND m.author_id <> $1 AND m.told = '')";
    let rooms: Vec<RoomId> = db.scalars(READ, (account, space)).await?;
    Ok(rooms.into_iter().collect())
}
