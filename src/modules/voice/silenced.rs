//! Whom moderators muted in the voice of a room: they stay so when they come back, on whichever
//! instance.

use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};

/// Whether an account is muted in a room.
///
/// # Errors
/// The database's.
pub(super) async fn is_silenced(db: &Db, room: RoomId, account: AccountId) -> Result<bool> {
    const READ: &str = "SELECT EXISTS (SELECT 1 FROM voice_silenced \
        WHERE room_id = $1 AND account_id = $2)";
    db.scalar(READ, (room, account)).await
}

/// Mutes an account in a room, or lets it speak again.
///
/// # Errors
/// The database's.
pub(super) async fn set(
    tx: &mut Tx,
    room: RoomId,
    account: AccountId,
    is_silenced: bool,
) -> Result<()> {
    const ADD: &str = "INSERT INTO voice_silenced (room_id, account_id) VALUES ($1, $2) \
        ON CONFLICT DO NOTHING";
    const REMOVE: &str = "DELETE FROM voice_silenced WHERE room_id = $1 AND account_id = $2";
    let sql = if is_silenced { ADD } else { REMOVE };
    tx.execute(sql, (room, account)).await?;
    Ok(())
}
