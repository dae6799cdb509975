//! Which instance serves the media of a room: one at a time, which holds a lease in the database
//! and renews it. Where there is only one instance, it serves all.

use std::time::Duration;

use crate::base::clock::Micros;
use crate::base::db::Db;
use crate::base::error::Result;
use crate::base::ids::RoomId;

/// How long a lease holds. After the death of its instance another takes the room over once this
/// has passed.
const LEASE_TIME: Duration = Duration::from_secs(6);
/// Between two renewals.
pub(super) const RENEW_INTERVAL: Duration = Duration::from_secs(2);

/// The instance that serves a room: `own`, if no other does.
///
/// # Errors
/// The database's.
pub(super) async fn claim(db: &Db, room: RoomId, own: &str) -> Result<String> {
    const CLAIM: &str = "INSERT INTO voice_leases (room_id, instance, expires_at) \
        VALUES ($1, $2, $3) ON CONFLICT (room_id) DO UPDATE SET instance = excluded.instance, \
        expires_at = excluded.expires_at \
        WHERE voice_leases.expires_at <= $4 OR voice_leases.instance = excluded.instance";
    let own = own.to_owned();
    db.write(async move |tx| {
        let now = Micros::now();
        tx.execute(CLAIM, (room, &own, now.plus(LEASE_TIME), now))
            .await?;
        const HOLDER: &str = "SELECT instance FROM voice_leases WHERE room_id = $1";
        tx.scalar(HOLDER, (room,)).await
    })
    .await
}

/// Renews the lease of a room. False when another instance has it.
///
/// # Errors
/// The database's.
pub(super) async fn renew(db: &Db, room: RoomId, own: &str) -> Result<bool> {
    Ok(claim(db, room, own).await? == own)
}

/// The instance that serves a room, if one does.
///
/// # Errors
/// The database's.
pub(super) async fn holder(db: &Db, room: RoomId) -> Result<Option<String>> {
    const HOLDER: &str = "SELECT instance FROM voice_leases WHERE room_id = $1 AND expires_at > $2";
    db.optional_scalar(HOLDER, (room, Micros::now())).await
}

/// Gives a room back, which nobody is in any more.
///
/// # Errors
/// The database's.
pub(super) async fn release(db: &Db, room: RoomId, own: &str) -> Result<()> {
    const RELEASE: &str = "DELETE FROM voice_leases WHERE room_id = $1 AND instance = $2";
    let own = own.to_owned();
    db.write(async move |tx| {
        tx.execute(RELEASE, (room, &own)).await?;
        Ok(())
    })
    .await
}
