//! The types and rules of chat. Pure: no database, no web.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::FromRow;
use unicode_segmentation::UnicodeSegmentation;

use super::attachment::Attachments;
use super::link_card::LinkPreviews;
use super::markdown;
use super::mention_targets::Mentions;
use super::polls::Poll;
use super::reactions::Reactions;
use super::reply::Reply;
use super::told::Told;
use crate::base::clock::Micros;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::base::text::is_blank;
use crate::id;

id!(
    /// A message. Ids grow in the order in which messages were committed, so they also are
    /// positions in a room's history.
    MessageId
);

/// Graphemes of a message.
pub const MAX_BODY_CHARS: usize = 4_000;
/// Bytes of a message: a grapheme may have any number of combining marks.
pub const MAX_BODY_BYTES: usize = 16 << 10;
/// Consecutive messages of one author within this time share a header.
pub const CONTINUATION_WINDOW: Duration = Duration::from_secs(300);
/// Messages on a page of history.
pub const PAGE_SIZE: usize = 50;

/// A message in its current revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Message {
    /// Also its position in the room's history.
    pub id: MessageId,
    /// The room it was posted in.
    #[sqlx(rename = "room_id")]
    pub room: RoomId,
    /// Who wrote it.
    #[sqlx(rename = "author_id")]
    pub author: AccountId,
    /// The author's name, from the accounts table.
    pub author_name: String,
    /// Markdown as written; empty once deleted.
    pub body: String,
    /// Grows with every edit and the deletion.
    pub revision: i64,
    /// Whether it follows a message of the same author within [`CONTINUATION_WINDOW`].
    pub continues: bool,
    /// When it was posted, microseconds UTC.
    pub created_at: Micros,
    /// When it was last edited.
    pub edited_at: Option<Micros>,
    /// When it was deleted.
    pub deleted_at: Option<Micros>,
    /// The idempotency key of the post. The author's page finds its pending copy by it.
    #[sqlx(rename = "client_key")]
    pub key: String,
    /// The body as HTML if it has highlighted code, which is made once; not part of events.
    #[serde(skip)]
    pub html: Option<String>,
    /// Attachments, in order; none once deleted.
    #[sqlx(try_from = "String")]
    #[serde(default)]
    pub files: Attachments,
    /// What it tells, if nobody wrote it.
    #[sqlx(try_from = "String")]
    #[serde(default, skip_serializing_if = "Told::is_nothing")]
    pub told: Told,
    /// Whom its text mentions; nobody once deleted.
    #[sqlx(try_from = "String")]
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
    /// The message it answers, if it does.
    #[sqlx(flatten)]
    #[serde(default, skip_serializing_if = "Reply::is_none")]
    pub reply: Reply,
    /// Where it was forwarded from, if it was.
    #[sqlx(flatten)]
    #[serde(default, skip_serializing_if = "Forwarded::is_none")]
    pub forwarded: Forwarded,
    /// Reactions to it; none once deleted.
    #[sqlx(try_from = "String")]
    #[serde(default, skip_serializing_if = "Reactions::is_empty")]
    pub reactions: Reactions,
    /// What its readers choose between; nothing once deleted.
    #[sqlx(try_from = "String")]
    #[serde(default, skip_serializing_if = "Poll::is_none")]
    pub poll: Poll,
    /// What its links lead to; nothing once deleted.
    #[sqlx(try_from = "String")]
    #[serde(default, skip_serializing_if = "LinkPreviews::is_empty")]
    pub previews: LinkPreviews,
    /// When it was pinned to its room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned_at: Option<Micros>,
}

/// Where a message was forwarded from, if it was. Its text and files are copies: they stay when the
/// other message changes or goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Forwarded {
    /// The message that was forwarded. Whoever may read that finds it.
    #[sqlx(rename = "forwarded_from")]
    pub from: Option<MessageId>,
    /// Who wrote it.
    #[sqlx(rename = "forwarded_author")]
    pub author: Option<AccountId>,
}

impl Forwarded {
    /// Whether the message is its author's own.
    pub fn is_none(&self) -> bool {
        self.from.is_none()
    }
}

impl Message {
    /// The example shown by `tidepool topics`.
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
            html: None,
            files: Attachments::default(),
            told: Told::default(),
            mentions: Mentions::default(),
            reply: Reply::default(),
            forwarded: Forwarded::default(),
            reactions: Reactions::default(),
            poll: Poll::default(),
            previews: LinkPreviews::default(),
            pinned_at: None,
        }
    }

    /// The text in one line without markup, up to so many characters, or what stands for a voice
    /// message alone. Empty for other files alone.
    pub(super) fn excerpt(&self, max_chars: usize, lang: Lang) -> String {
        let text = markdown::to_plain(&self.body, max_chars);
        match self.files.voice() {
            Some(voice) if text.is_empty() => voice.words(lang),
            _ => text,
        }
    }

    /// What a message stores that forwards this one. Of one that was forwarded before, the first
    /// one is named.
    pub(super) fn forwarded_on(&self) -> Forwarded {
        match self.forwarded.is_none() {
            false => self.forwarded,
            true => Forwarded {
                from: Some(self.id),
                author: Some(self.author),
            },
        }
    }

    /// Whether it was deleted.
    pub fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }
}

/// Normalizes a body: lines end in `\n`; NUL, trailing white space and leading empty lines are
/// removed, indentation is not. One of which nothing can be seen becomes empty.
///
/// # Errors
/// `Invalid` when it is empty, unless it `may_be_empty`, or longer than [`MAX_BODY_CHARS`]
/// graphemes or [`MAX_BODY_BYTES`].
pub fn body(written: &str, may_be_empty: bool) -> Result<String> {
    let body = written.replace("\r\n", "\n").replace('\0', "");
    let mut body = body.trim_end().trim_start_matches('\n').to_owned();
    if is_blank(&body) {
        body.clear();
    }
    let is_small = body.len() <= MAX_BODY_BYTES;
    let is_short =
        !is_small || body.graphemes(true).take(MAX_BODY_CHARS + 1).count() <= MAX_BODY_CHARS;
    Check::default()
        .that(
            may_be_empty || !body.is_empty(),
            "body",
            "error-message-empty",
            0,
        )
        .that(
            is_small,
            "body",
            "error-message-large",
            MAX_BODY_BYTES >> 10,
        )
        .that(is_short, "body", "error-message-long", MAX_BODY_CHARS)
        .done()?;
    Ok(body)
}

/// The idempotency key of a post: the one the client sent, or for a form without scripts a hash of
/// its fields and of the newest message its page showed, so that sending a form twice posts once.
///
/// # Errors
/// `Invalid` when the client's key is not 8 to 64 letters, digits, `-` or `_`: it becomes part of
/// CSS selectors.
pub fn client_key(given: &str, room: RoomId, seen: &str, body: &str) -> Result<String> {
    if given.is_empty() {
        let digest = Sha256::digest(format!("{room}\n{seen}\n{body}").as_bytes());
        return Ok(digest
            .iter()
            .take(16)
            .fold("form-".to_owned(), |key, byte| format!("{key}{byte:02x}")));
    }
    let is_valid = (8..=64).contains(&given.len())
        && given
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if is_valid {
        Ok(given.to_owned())
    } else {
        Err(Error::field("key", "error-message-shape"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_length_counts_graphemes() {
        assert!(body(&"語".repeat(MAX_BODY_CHARS), false).is_ok());
        assert!(body(&"e\u{301}".repeat(MAX_BODY_CHARS), false).is_ok());
        assert!(body(&"x".repeat(MAX_BODY_CHARS + 1), false).is_err());
        assert!(body(&format!("a{}", "\u{301}".repeat(MAX_BODY_BYTES)), false).is_err());
    }

    #[test]
    fn body_is_trimmed_but_not_reformatted() {
        assert_eq!(
            body("\r\n\r\n  code\r\n\tline  \n\n", false).unwrap(),
            "  code\n\tline"
        );
        for nothing in [
            "",
            " ",
            "\n\t\r\n",
            "\u{3000}",
            "\u{2800} \u{3164}",
            "\u{e0041}\u{301}",
        ] {
            assert!(body(nothing, false).is_err(), "{nothing:?}");
            assert_eq!(body(nothing, true).unwrap(), "");
        }
    }

    #[test]
    fn form_key_depends_on_text_and_page() {
        let key = |seen, text| client_key("", RoomId(1), seen, text).unwrap();
        assert_eq!(key("5", "hi"), key("5", "hi"));
        assert_ne!(key("5", "hi"), key("5", "ho"));
        assert_ne!(key("5", "hi"), key("6", "hi"));
        assert!(client_key("short", RoomId(1), "", "x").is_err());
        assert!(client_key("a']<script>", RoomId(1), "", "x").is_err());
    }
}
