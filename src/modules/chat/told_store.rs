//! The SQL of lines that nobody wrote.

use super::checksum::Covered;
use super::joined::Joined;
use super::model::{Message, MessageId};
use super::store::{continue_ids, message_in};
use super::told::Told;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};

/// Adds people to the newest line of a room about who joined, after a position, if there is one; the
/// line then. The
/// caller's transaction holds the room.
pub(super) async fn add(
    tx: &mut Tx,
    room: RoomId,
    since: MessageId,
    people: &[String],
) -> Result<Option<Message>> {
    const FIND: &str = "SELECT id, told FROM messages \
        WHERE room_id = $1 AND id > $2 AND told <> '' AND told NOT LIKE '{%' \
        ORDER BY id DESC LIMIT 1";
    const SET: &str = "UPDATE messages SET told = $2, revision = revision + 1 WHERE id = $1";
    let found: Option<(MessageId, String)> = tx.optional(FIND, (room, since)).await?;
    let Some((id, stored)) = found else {
        return Ok(None);
    };
    let mut joined = Joined::try_from(stored)?;
    joined.add(people.iter().map(String::as_str));
    tx.execute(SET, (id, joined.to_string())).await?;
    Ok(Some(message_in(tx, id).await?))
}

/// Inserts a line. The caller's transaction holds the room.
pub(super) async fn insert(
    tx: &mut Tx,
    room: RoomId,
    author: AccountId,
    told: &Told,
) -> Result<Message> {
    const INSERT: &str = "INSERT INTO messages (id, room_id, author_id, client_key, body, \
        revision, checksum, continues, created_at, told) \
        VALUES ($1, $2, $3, $4, '', 1, $5, FALSE, $6, $7)";
    continue_ids(tx, room).await?;
    let (id, created_at) = (MessageId::new(), Micros::now());
    let key = format!("told-{id}");
    let covered = Covered {
        id,
        room,
        author,
        created_at,
        key: &key,
        body: "",
    };
    let checksum = covered.checksum();
    let row = (
        id,
        room,
        author,
        &key,
        checksum,
        created_at,
        told.to_string(),
    );
    tx.execute(INSERT, row).await?;
    message_in(tx, id).await
}
