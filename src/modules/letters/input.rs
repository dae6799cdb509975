//! What several actions are sent: a letter, and ids that may be empty.

use serde::{Deserialize, Deserializer};

use super::model::LetterId;

#[derive(Deserialize)]
pub(super) struct LetterInput {
    pub(super) letter: LetterId,
}

/// An id, or an empty field.
pub(super) fn optional_id<'de, D: Deserializer<'de>>(
    from: D,
) -> std::result::Result<Option<i64>, D::Error> {
    let text = String::deserialize(from)?;
    match text.is_empty() {
        true => Ok(None),
        false => text.parse().map(Some).map_err(serde::de::Error::custom),
    }
}
