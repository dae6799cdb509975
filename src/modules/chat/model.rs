//! The nouns and rules of chat. Pure: no database, no web.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::FromRow;
use unicode_segmentation::UnicodeSegmentation;

use super::attachment::Attachments;
use crate::base::clock::Micros;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::id;

id!(
    /// A message. Ids grow in the order in which messages were committed, so they are also places
    /// in a room's history.
    MessageId
);

/// Characters of a message, counted as a person counts them.
pub const MAX_BODY_CHARS: usize = 4_000;
/// Bytes of a message: what piled-up combining marks may add to its characters.
const MAX_BODY_BYTES: usize = 112 << 10;
/// Messages of one author closer than this share a header.
pub const CONTINUATION_WINDOW: Duration = Duration::from_secs(300);
/// Messages on a page of history.
pub const PAGE_SIZE: usize = 50;

/// A message as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The room it stands in.
    #[sqlx(rename = "room_id")]
    pub room: RoomId,
    /// Who wrote it.
    #[sqlx(rename = "author_id")]
    pub author: AccountId,
    /// Their name.
    pub author_name: String,
    /// Markdown as written; empty once deleted.
    pub body: String,
    /// Grows with every edit and the deletion.
    pub revision: i64,
    /// Whether it follows a message of the same author closely.
    pub continues: bool,
    /// When it was posted, microseconds UTC.
    pub created_at: Micros,
    /// When it was last edited.
    pub edited_at: Option<Micros>,
    /// When it was deleted.
    pub deleted_at: Option<Micros>,
    /// The author's own key of it, by which their page finds what it was waiting for.
    #[sqlx(rename = "client_key")]
    pub key: String,
    /// The files that hang on it.
    #[sqlx(try_from = "String")]
    #[serde(default)]
    pub files: Attachments,
}

impl Message {
    /// One for the catalogue of topics.
    pub fn example() -> Self {
        Self {
            id: MessageId(3_179_046_911_541_248),
            room: RoomId(12),
            author: AccountId(7),
            author_name: "Ann".into(),
            body: "The frost came **early**.".into(),
            revision: 1,
            continues: false,
            created_at: Micros(1_795_228_200_000_000),
            edited_at: None,
            deleted_at: None,
            key: "kx81hd02".into(),
            files: Attachments::default(),
        }
    }

    /// Whether it was deleted.
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }
}

/// What someone wrote, tidied: lines end in `\n`, nothing but white space at the end is dropped.
///
/// # Errors
/// `Invalid` when there is nothing, unless it `may_be_empty`, or more than [`MAX_BODY_CHARS`]
/// characters.
pub fn body(written: &str, may_be_empty: bool) -> Result<String> {
    let body = written.replace("\r\n", "\n").replace('\0', "");
    let body = body.trim_end().trim_start_matches('\n').to_owned();
    let fits = body.len() <= MAX_BODY_BYTES
        && body.graphemes(true).take(MAX_BODY_CHARS + 1).count() <= MAX_BODY_CHARS;
    Check::default()
        .that(
            may_be_empty || !body.trim().is_empty(),
            "body",
            "error-message-empty",
            0,
        )
        .that(fits, "body", "error-message-long", MAX_BODY_CHARS)
        .done()?;
    Ok(body)
}

/// The key of a post: the browser's own, or for a plain form one made of what was sent and the
/// state of the page it was sent from, so that sending the same form twice posts once.
///
/// # Errors
/// `Invalid` when the browser's key is not 8 to 64 letters, digits, `-` or `_`: it becomes part of
/// selectors.
pub fn client_key(given: &str, room: RoomId, seen: &str, body: &str) -> Result<String> {
    if given.is_empty() {
        let digest = Sha256::digest(format!("{room}\n{seen}\n{body}").as_bytes());
        return Ok(digest
            .iter()
            .take(16)
            .fold("form-".to_owned(), |key, byte| format!("{key}{byte:02x}")));
    }
    let sound = (8..=64).contains(&given.len())
        && given
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if sound {
        Ok(given.to_owned())
    } else {
        Err(Error::field("key", "error-message-shape"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_a_person_counts() {
        let family = "👩‍👩‍👧‍👦"; // one character, 25 bytes
        assert!(body(&family.repeat(MAX_BODY_CHARS), false).is_ok());
        assert!(body(&"é".repeat(MAX_BODY_CHARS), false).is_ok());
        assert!(body(&"e\u{301}".repeat(MAX_BODY_CHARS), false).is_ok());
        assert!(body(&"x".repeat(MAX_BODY_CHARS + 1), false).is_err());
        assert!(body(&format!("a{}", "\u{301}".repeat(MAX_BODY_BYTES)), false).is_err());
    }

    #[test]
    fn keeps_what_was_written_but_for_its_edges() {
        assert_eq!(
            body("\r\n\r\n  code\r\n\tline  \n\n", false).unwrap(),
            "  code\n\tline"
        );
        for nothing in ["", " ", "\n\t\r\n", "\u{3000}"] {
            assert!(body(nothing, false).is_err(), "{nothing:?}");
        }
    }

    #[test]
    fn a_form_sent_twice_has_one_key_and_another_text_another() {
        let key = |seen, text| client_key("", RoomId(1), seen, text).unwrap();
        assert_eq!(key("5", "hi"), key("5", "hi"));
        assert_ne!(key("5", "hi"), key("5", "ho"));
        assert_ne!(key("5", "hi"), key("6", "hi"));
        assert!(client_key("short", RoomId(1), "", "x").is_err());
        assert!(client_key("a']<script>", RoomId(1), "", "x").is_err());
    }
}
