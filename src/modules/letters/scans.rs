//! Scans by the code of a sticker, also such as a phone kept while it had no connection: each has a
//! key of the phone's, and counts once however often it is sent.

use serde::Deserialize;

use super::bag_actions::BagDeed;
use super::carry::{Deed, REASONS};
use super::text::MAX_LETTER_KEY_BYTES;
use super::{Letters, bags, codes, stickers};
use crate::base::error::{Error, Result};
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(super) struct ScanInput {
    /// That of the sticker.
    code: String,
    /// `take`, `deliver`, or one of [`REASONS`] why that did not work; of a bag `take` or `open`.
    deed: String,
    /// Idempotency key chosen by the client, at most 64 bytes.
    #[serde(default)]
    key: String,
}

/// What a courier did with the bag of a sticker. Done twice it is done once, so it needs no key.
async fn scan_bag(letters: Letters, viewer: Viewer, code: &str, deed: &str) -> Result<Outcome> {
    let deed = match deed {
        "take" => BagDeed::Take,
        "open" => BagDeed::Open,
        _ => return Err(Error::field("deed", "error-bag-deed")),
    };
    let bag = bags::with_code(&letters.engine.db, code).await?;
    let bag = bag.ok_or(Error::Conflict("error-bag-opened"))?;
    letters.carry_bag(&viewer, &bag, deed).await
}

/// `letters.scan`: what a courier did with the letter of a sticker.
pub(super) async fn scan(letters: Letters, viewer: Viewer, input: ScanInput) -> Result<Outcome> {
    let code = codes::parse(&input.code).ok_or(Error::field("code", "error-letter-code"))?;
    if input.key.len() > MAX_LETTER_KEY_BYTES {
        return Err(Error::field("key", "error-message-shape"));
    }
    let sticker = stickers::find(&letters.engine.db, &code).await?;
    if sticker.as_ref().is_some_and(|sticker| sticker.is_bag) {
        return scan_bag(letters, viewer, &code, &input.deed).await;
    }
    let deed = match input.deed.as_str() {
        "take" => Deed::Take,
        "deliver" => Deed::Deliver,
        reason => {
            let known = REASONS.into_iter().find(|one| *one == reason);
            Deed::Fail(known.ok_or(Error::field("deed", "error-letter-reason"))?)
        }
    };
    let letter = sticker.and_then(|sticker| sticker.letter_id);
    let letter = letter.ok_or(Error::NotFound)?;
    letters.carry_once(&viewer, letter, deed, input.key).await
}
