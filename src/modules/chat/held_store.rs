//! The SQL of held messages, one function per query.

use super::held_model::{HeldId, HeldMessage, HeldState};
use super::model::MessageId;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::files::FileId;

/// Expired ones that are deleted at once.
const MAX_EXPIRED_AT_ONCE: i64 = 100;

macro_rules! held {
    ($rest:literal) => {
        concat!(
            "SELECT h.id, h.space_id, h.room_id, h.author_id, a.name AS author_name, \
             h.client_key, h.body, h.title, h.tags, h.reply_to, h.poll, h.files, \
             h.created_at FROM held_messages h \
             JOIN accounts a ON a.id = h.author_id WHERE ",
            $rest
        )
    };
}

/// What became of the post with this key: a message, or a held one with its state.
pub(super) async fn find_posted(
    tx: &mut Tx,
    author: AccountId,
    key: &str,
) -> Result<(bool, Option<(HeldId, HeldState)>)> {
    const POSTED: &str =
        "SELECT EXISTS (SELECT 1 FROM messages WHERE author_id = $1 AND client_key = $2)";
    const HELD: &str = "SELECT id, state FROM held_messages \
        WHERE author_id = $1 AND client_key = $2";
    if tx.scalar(POSTED, (author, key)).await? {
        return Ok((true, None));
    }
    Ok((false, tx.optional(HELD, (author, key)).await?))
}

/// How many messages wait in a space: of an author, and in all.
pub(super) async fn count_waiting(
    tx: &mut Tx,
    author: AccountId,
    space: SpaceId,
) -> Result<(i64, i64)> {
    const COUNT: &str = "SELECT CAST(COALESCE(SUM(CASE WHEN author_id = $1 THEN 1 ELSE 0 END), 0) \
        AS BIGINT), COUNT(*) FROM held_messages WHERE space_id = $2 AND state = 'waiting'";
    tx.one(COUNT, (author, space)).await
}

/// Inserts a held message and the files it has.
pub(super) async fn insert(tx: &mut Tx, message: &HeldMessage, rule: &str) -> Result<()> {
    const INSERT: &str = "INSERT INTO held_messages (id, space_id, room_id, author_id, \
        client_key, body, files, rule, state, created_at, reply_to, title, tags, poll) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    const ATTACH: &str = "INSERT INTO held_files (file_id, held_id, position, caption) \
        VALUES ($1, $2, $3, $4)";
    let row = (
        message.id,
        message.space,
        message.room,
        message.author,
        &message.key,
        &message.body,
        message.files.to_string(),
        rule,
        HeldState::Waiting,
        message.created_at,
        message.reply_to,
        &message.title,
        &message.tags,
        message.poll.to_string(),
    );
    tx.execute(INSERT, row).await?;
    for (position, file) in (0_i64..).zip(&message.files.0) {
        tx.execute(ATTACH, (file.id, message.id, position, &file.caption))
            .await?;
    }
    Ok(())
}

/// A held message, by id, whatever became of it.
pub(super) async fn find(db: &Db, id: HeldId) -> Result<HeldMessage> {
    db.one(held!("h.id = $1"), (id,)).await
}

/// The same in a transaction.
pub(super) async fn find_in(tx: &mut Tx, id: HeldId) -> Result<HeldMessage> {
    tx.one(held!("h.id = $1"), (id,)).await
}

/// The messages of an author that wait in a room, oldest first.
pub(super) async fn of_author(
    db: &Db,
    author: AccountId,
    room: RoomId,
    limit: i64,
) -> Result<Vec<HeldMessage>> {
    const READ: &str =
        held!("h.room_id = $1 AND h.author_id = $2 AND h.state = 'waiting' ORDER BY h.id LIMIT $3");
    db.all(READ, (room, author, limit)).await
}

/// The rooms of a space in which messages wait, with how many.
pub(super) async fn waiting_rooms(db: &Db, space: SpaceId) -> Result<Vec<(RoomId, i64)>> {
    const COUNT: &str = "SELECT room_id, COUNT(*) FROM held_messages \
        WHERE space_id = $1 AND state = 'waiting' GROUP BY room_id";
    db.all(COUNT, (space,)).await
}

/// The messages that wait in a space after one of them, oldest first, with the names of the rules
/// that held them.
pub(super) async fn waiting(
    db: &Db,
    space: SpaceId,
    after: HeldId,
    limit: i64,
) -> Result<Vec<(HeldMessage, String)>> {
    const READ: &str =
        held!("h.space_id = $1 AND h.state = 'waiting' AND h.id > $2 ORDER BY h.id LIMIT $3");
    const RULES: &str = "SELECT id, rule FROM held_messages \
        WHERE space_id = $1 AND state = 'waiting' AND id > $2 ORDER BY id LIMIT $3";
    let messages: Vec<HeldMessage> = db.all(READ, (space, after, limit)).await?;
    let rules: Vec<(HeldId, String)> = db.all(RULES, (space, after, limit)).await?;
    let rule_of = |id| {
        let found = rules.iter().find(|(held, _)| *held == id);
        found.map(|(_, rule)| rule.clone()).unwrap_or_default()
    };
    let messages = messages.into_iter();
    Ok(messages
        .map(|one| (rule_of(one.id), one))
        .map(|(rule, one)| (one, rule))
        .collect())
}

/// Decides about a message that waits: false when somebody else has.
pub(super) async fn decide(tx: &mut Tx, id: HeldId, state: HeldState) -> Result<bool> {
    const DECIDE: &str = "UPDATE held_messages SET state = $2, body = '', title = '', files = '' \
        WHERE id = $1 AND state = 'waiting'";
    Ok(tx.execute(DECIDE, (id, state)).await? > 0)
}

/// Takes the files from a held message, in order, with their captions.
pub(super) async fn take_files(tx: &mut Tx, id: HeldId) -> Result<Vec<(FileId, String)>> {
    const READ: &str = "SELECT file_id, caption FROM held_files WHERE held_id = $1 \
        ORDER BY position";
    const DELETE: &str = "DELETE FROM held_files WHERE held_id = $1";
    let files = tx.all(READ, (id,)).await?;
    tx.execute(DELETE, (id,)).await?;
    Ok(files)
}

/// Attaches a file to the message as which a held one was posted.
pub(super) async fn attach(
    tx: &mut Tx,
    file: FileId,
    message: MessageId,
    room: RoomId,
) -> Result<()> {
    const ATTACH: &str =
        "INSERT INTO attachments (file_id, message_id, room_id) VALUES ($1, $2, $3)";
    tx.execute(ATTACH, (file, message, room)).await?;
    Ok(())
}

/// Some held messages from before a time.
pub(super) async fn expired(db: &Db, before: Micros) -> Result<Vec<HeldId>> {
    const READ: &str = "SELECT id FROM held_messages WHERE id < $1 ORDER BY id LIMIT $2";
    let before = crate::base::ids::first_at(before);
    db.scalars(READ, (before, MAX_EXPIRED_AT_ONCE)).await
}

/// Some of the held messages in a room.
pub(super) async fn some_in(db: &Db, room: RoomId) -> Result<Vec<HeldId>> {
    const READ: &str = "SELECT id FROM held_messages WHERE room_id = $1 LIMIT $2";
    db.scalars(READ, (room, MAX_EXPIRED_AT_ONCE)).await
}

/// Some of the held messages of an account.
pub(super) async fn some_of(db: &Db, author: AccountId) -> Result<Vec<HeldId>> {
    const READ: &str = "SELECT id FROM held_messages WHERE author_id = $1 LIMIT $2";
    db.scalars(READ, (author, MAX_EXPIRED_AT_ONCE)).await
}

/// The messages of an account that wait, after one of them.
pub(super) async fn waiting_of(
    db: &Db,
    author: AccountId,
    after: i64,
    limit: i64,
) -> Result<Vec<HeldMessage>> {
    const READ: &str =
        held!("h.author_id = $1 AND h.state = 'waiting' AND h.id > $2 ORDER BY h.id LIMIT $3");
    db.all(READ, (author, after, limit)).await
}

/// Deletes a held message, whose files are gone. The space in which it waited, if it still did.
pub(super) async fn delete(tx: &mut Tx, id: HeldId) -> Result<Option<SpaceId>> {
    const DELETE: &str = "DELETE FROM held_messages WHERE id = $1 RETURNING space_id, state";
    let deleted: Option<(SpaceId, HeldState)> = tx.optional(DELETE, (id,)).await?;
    let waited = deleted.filter(|(_, state)| *state == HeldState::Waiting);
    Ok(waited.map(|(space, _)| space))
}
