//! Slow mode: members wait between two messages in a room that is slow, its threads included.
//! Counted in a row per member and room, in the transaction of the post, so every instance counts
//! the same.

use std::time::Duration;

use super::{Chat, MODERATE};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Allowance, Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::community::permissions::is_granted;
use crate::community::{Room, Scope};

/// How long the author of a post waits after their last one.
#[derive(Clone, Copy)]
pub(super) struct SlowMode(Option<Duration>);

impl Chat {
    /// The slow mode of a room for an account. Moderators do not wait.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn slow_mode(&self, account: AccountId, room: &Room) -> Result<SlowMode> {
        let seconds = u64::try_from(room.slow_seconds).unwrap_or(0);
        if seconds == 0 {
            return Ok(SlowMode(None));
        }
        let access = &self.community.access;
        let moderates = access.permit(account, &MODERATE, Scope::Room(room.id));
        Ok(SlowMode(match is_granted(moderates.await)? {
            true => None,
            false => Some(Duration::from_secs(seconds)),
        }))
    }
}

impl Chat {
    /// When an account may post again in a room: a time that may be past; `None` for who does not
    /// wait there.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn slow_until(
        &self,
        account: AccountId,
        room: &Room,
    ) -> Result<Option<Micros>> {
        const LAST: &str = "SELECT posted_at FROM slow_posts \
            WHERE room_id = $1 AND account_id = $2";
        let SlowMode(Some(wait)) = self.slow_mode(account, room).await? else {
            return Ok(None);
        };
        let db = &self.engine.db;
        let last: Option<Micros> = db
            .optional_scalar(LAST, (room.governing(), account))
            .await?;
        Ok(Some(last.map_or(Micros(0), |last| last.plus(wait))))
    }
}

impl SlowMode {
    /// Counts a new message.
    ///
    /// # Errors
    /// `TooMany` until the wait is over; the transaction has to be rolled back.
    pub(super) async fn count_post(
        self,
        tx: &mut Tx,
        room: RoomId,
        author: AccountId,
    ) -> Result<()> {
        const COUNT: &str = "INSERT INTO slow_posts (room_id, account_id, posted_at) \
            VALUES ($1, $2, $3) ON CONFLICT (room_id, account_id) DO UPDATE SET posted_at = $3 \
            WHERE slow_posts.posted_at <= $4";
        const LAST: &str = "SELECT posted_at FROM slow_posts \
            WHERE room_id = $1 AND account_id = $2";
        let Some(wait) = self.0 else {
            return Ok(());
        };
        let now = Micros::now();
        let before = Micros(now.0 - i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
        if tx.execute(COUNT, (room, author, now, before)).await? > 0 {
            return Ok(());
        }
        let last: Micros = tx.scalar(LAST, (room, author)).await?;
        let left = last.plus(wait).since(now);
        Err(Error::TooMany(Allowance::used_up(1, left)))
    }
}
