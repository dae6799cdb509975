//! What a held message is. Pure.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::attachment::Attachments;
use super::model::MessageId;
use super::polls::Poll;
use crate::base::clock::Micros;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::{id, text_enum};

id!(
    /// A held message.
    HeldId
);

/// How long a held message waits, and how long its key answers after a decision.
pub(super) const HELD_TTL: Duration = Duration::from_secs(7 * 86_400);
/// What became of a held message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeldState {
    Waiting,
    Released,
    Discarded,
}

text_enum!(HeldState {
    Waiting = "waiting",
    Released = "released",
    Discarded = "discarded",
});

/// A message that waits for a moderator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct HeldMessage {
    /// Unique among held messages.
    pub id: HeldId,
    /// The space of the room.
    #[sqlx(rename = "space_id")]
    pub space: SpaceId,
    /// The room it was written in.
    #[sqlx(rename = "room_id")]
    pub room: RoomId,
    /// Who wrote it.
    #[sqlx(rename = "author_id")]
    pub author: AccountId,
    /// The author's name.
    pub author_name: String,
    /// The idempotency key of the post.
    #[sqlx(rename = "client_key")]
    pub key: String,
    /// Markdown as written.
    pub body: String,
    /// Of a post in a forum room; empty for others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The ids of its tags, with commas between.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// What its readers would choose between.
    #[sqlx(try_from = "String")]
    #[serde(default, skip_serializing_if = "Poll::is_none")]
    pub poll: Poll,
    /// Attachments, in order.
    #[sqlx(try_from = "String")]
    #[serde(default)]
    pub files: Attachments,
    /// When it was written, microseconds UTC.
    pub created_at: Micros,
}

impl HeldMessage {
    /// The example shown by `tidepool topics`.
    pub fn example() -> Self {
        Self {
            id: HeldId(3_179_046_911_541_248),
            space: SpaceId(3),
            room: RoomId(12),
            author: AccountId(7),
            author_name: "Ann".into(),
            key: "kx81hd02".into(),
            body: "See https://example.org".into(),
            title: String::new(),
            tags: String::new(),
            reply_to: None,
            poll: Poll::default(),
            files: Attachments::default(),
            created_at: Micros(1_795_228_200_000_000),
        }
    }

    /// When it goes if nobody decides.
    pub fn expires_at(&self) -> Micros {
        self.created_at.plus(HELD_TTL)
    }
}
