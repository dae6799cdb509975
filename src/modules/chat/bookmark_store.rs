//! The SQL of bookmarks.

use super::model::MessageId;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};

/// Bookmarks of one account.
pub const MAX_BOOKMARKS: i64 = 1_000;

/// Adds a bookmark; one that is there stays.
///
/// # Errors
/// `Conflict` when the account has [`MAX_BOOKMARKS`].
pub(super) async fn add(tx: &mut Tx, account: AccountId, message: MessageId) -> Result<()> {
    const LOCK: &str = "SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
    const COUNT: &str = "SELECT COUNT(*) FROM chat_bookmarks WHERE account_id = $1";
    const ADD: &str = "INSERT INTO chat_bookmarks (account_id, message_id, created_at) \
        VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.lock::<(i64,)>(LOCK, (account,)).await?;
    let count: i64 = tx.scalar(COUNT, (account,)).await?;
    tx.execute(ADD, (account, message, Micros::now())).await?;
    match count < MAX_BOOKMARKS {
        true => Ok(()),
        false => Err(Error::Conflict("error-bookmarks-full")),
    }
}

/// Removes a bookmark, if it is there.
pub(super) async fn remove(tx: &mut Tx, account: AccountId, message: MessageId) -> Result<()> {
    const REMOVE: &str = "DELETE FROM chat_bookmarks WHERE account_id = $1 AND message_id = $2";
    tx.execute(REMOVE, (account, message)).await?;
    Ok(())
}

/// Whether an account has bookmarked a message.
pub(super) async fn has(db: &Db, account: AccountId, message: MessageId) -> Result<bool> {
    const READ: &str = "SELECT EXISTS (SELECT 1 FROM chat_bookmarks \
        WHERE account_id = $1 AND message_id = $2)";
    db.scalar(READ, (account, message)).await
}

/// The newest bookmarked messages before one, with their rooms.
pub(super) async fn newest(
    db: &Db,
    account: AccountId,
    before: MessageId,
    limit: usize,
) -> Result<Vec<(MessageId, RoomId)>> {
    const READ: &str = "SELECT b.message_id, m.room_id FROM chat_bookmarks b \
        JOIN messages m ON m.id = b.message_id WHERE b.account_id = $1 AND b.message_id < $2 \
        AND m.deleted_at IS NULL ORDER BY b.message_id DESC LIMIT $3";
    db.all(READ, (account, before, limit as i64)).await
}

/// Bookmarks of an account for its copy, after one of them.
pub(super) async fn of_account(
    db: &Db,
    account: AccountId,
    after: i64,
    limit: i64,
) -> Result<Vec<(MessageId, Micros)>> {
    const READ: &str = "SELECT message_id, created_at FROM chat_bookmarks \
        WHERE account_id = $1 AND message_id > $2 ORDER BY message_id LIMIT $3";
    db.all(READ, (account, after, limit)).await
}

/// Removes some bookmarks of an account. Returns whether there may be more.
pub(super) async fn remove_some(tx: &mut Tx, account: AccountId, limit: i64) -> Result<bool> {
    const REMOVE: &str = "DELETE FROM chat_bookmarks WHERE account_id = $1 AND message_id IN \
        (SELECT message_id FROM chat_bookmarks WHERE account_id = $1 LIMIT $2)";
    Ok(tx.execute(REMOVE, (account, limit)).await? > 0)
}
