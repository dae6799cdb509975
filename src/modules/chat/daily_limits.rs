//! How much an account may write in a day: messages, and bytes of text. Counted in one row per
//! account, in the transaction that writes the text, so that neither a restart nor a race gives
//! anything back.

use std::time::Duration;

use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Allowance, Error, Result};
use crate::base::ids::AccountId;
use crate::base::settings::Settings;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The limits of one account and day (UTC); 0 means none.
#[derive(Clone, Copy)]
pub(super) struct DailyLimits {
    messages: i64,
    bytes: i64,
}

impl DailyLimits {
    pub(super) fn new(settings: &Settings) -> Self {
        let kib = settings.max_message_kib_per_day;
        Self {
            messages: i64::try_from(settings.max_messages_per_day).unwrap_or(i64::MAX),
            bytes: i64::try_from(kib.saturating_mul(1024)).unwrap_or(i64::MAX),
        }
    }

    /// Counts a new message.
    ///
    /// # Errors
    /// `TooMany` until midnight when a limit is exceeded; the transaction has to be rolled back.
    pub(super) async fn count_post(self, tx: &mut Tx, author: AccountId, body: &str) -> Result<()> {
        self.count(tx, author, 1, body).await
    }

    /// Counts the new text of a message.
    ///
    /// # Errors
    /// As [`count_post`](Self::count_post).
    pub(super) async fn count_edit(self, tx: &mut Tx, author: AccountId, body: &str) -> Result<()> {
        self.count(tx, author, 0, body).await
    }

    async fn count(self, tx: &mut Tx, author: AccountId, messages: i64, body: &str) -> Result<()> {
        const COUNT: &str = "INSERT INTO message_usage (account_id, day, messages, bytes) \
            VALUES ($1, $2, $3, $4) ON CONFLICT (account_id) DO UPDATE SET day = $2, \
            messages = $3 + CASE WHEN message_usage.day = $2 THEN message_usage.messages ELSE 0 END, \
            bytes = $4 + CASE WHEN message_usage.day = $2 THEN message_usage.bytes ELSE 0 END \
            RETURNING messages, bytes";
        if self.messages == 0 && self.bytes == 0 {
            return Ok(());
        }
        let (day, until_next) = day_of(Micros::now());
        let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
        let (messages, bytes): (i64, i64) = tx.one(COUNT, (author, day, messages, bytes)).await?;
        for (used, limit) in [(messages, self.messages), (bytes, self.bytes)] {
            if limit > 0 && used > limit {
                let limit = u32::try_from(limit).unwrap_or(u32::MAX);
                return Err(Error::TooMany(Allowance::used_up(limit, until_next)));
            }
        }
        Ok(())
    }
}

/// The number of the day since 1970, and the time until the next begins.
fn day_of(now: Micros) -> (i64, Duration) {
    let day_micros = DAY.as_micros() as i64;
    let passed = now.0.rem_euclid(day_micros);
    let until_next = Duration::from_micros((day_micros - passed).unsigned_abs());
    (now.0.div_euclid(day_micros), until_next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_ends_at_midnight() {
        let seconds = |n: i64| Micros(n * 1_000_000);
        assert_eq!(day_of(seconds(0)), (0, DAY));
        assert_eq!(day_of(seconds(86_399)), (0, Duration::from_secs(1)));
        assert_eq!(day_of(seconds(86_400)), (1, DAY));
    }
}
