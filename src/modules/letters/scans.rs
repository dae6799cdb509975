//! Scans by the code of a sticker, also such as a phone kept while it had no connection: each has a
//! key of the phone's, and counts once however often it is sent.

use serde::Deserialize;

use super::carry::{Deed, REASONS};
use super::text::MAX_LETTER_KEY_BYTES;
use super::{Letters, codes, stickers};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Keys of scans are kept so long, in microseconds: 30 days.
const SCAN_TIME: i64 = 30 * 86_400_000_000;

/// Whether a scan with this key was done already.
pub(super) async fn is_recorded(tx: &mut Tx, by: AccountId, key: &str) -> Result<bool> {
    const READ: &str = "SELECT EXISTS (SELECT 1 FROM letter_scans \
        WHERE account_id = $1 AND client_key = $2)";
    tx.scalar(READ, (by, key)).await
}

/// Records a scan, in the transaction that does what it says.
pub(super) async fn record(tx: &mut Tx, by: AccountId, key: &str) -> Result<()> {
    const ADD: &str = "INSERT INTO letter_scans (account_id, client_key, at) \
        VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.execute(ADD, (by, key, Micros::now())).await?;
    Ok(())
}

/// Deletes keys of long ago.
pub(super) async fn forget(tx: &mut Tx, now: Micros) -> Result<()> {
    const DELETE: &str = "DELETE FROM letter_scans WHERE at < $1";
    tx.execute(DELETE, (now.0 - SCAN_TIME,)).await?;
    Ok(())
}

#[derive(Deserialize)]
pub(super) struct ScanInput {
    /// That of the sticker.
    code: String,
    /// `take`, `deliver`, or one of [`REASONS`] why that did not work.
    deed: String,
    /// Idempotency key chosen by the client, at most 64 bytes.
    #[serde(default)]
    key: String,
}

/// `letters.scan`: what a courier did with the letter of a sticker.
pub(super) async fn scan(letters: Letters, viewer: Viewer, input: ScanInput) -> Result<Outcome> {
    let code = codes::parse(&input.code).ok_or(Error::field("code", "error-letter-code"))?;
    if input.key.len() > MAX_LETTER_KEY_BYTES {
        return Err(Error::field("key", "error-message-shape"));
    }
    let deed = match input.deed.as_str() {
        "take" => Deed::Take,
        "deliver" => Deed::Deliver,
        reason => {
            let known = REASONS.into_iter().find(|one| *one == reason);
            Deed::Fail(known.ok_or(Error::field("deed", "error-letter-reason"))?)
        }
    };
    let sticker = stickers::find(&letters.engine.db, &code).await?;
    let letter = sticker.and_then(|sticker| sticker.letter_id);
    let letter = letter.ok_or(Error::NotFound)?;
    letters.carry_once(&viewer, letter, deed, input.key).await
}
