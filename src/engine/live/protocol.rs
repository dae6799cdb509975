//! Every message of a socket, in two enums; `docs/live.md` lists them.
//!
//! Control messages are JSON on both sockets. Only a feed's frames differ: JSON `event`s on
//! `/live/data`, HTML that begins with the comment `<!--feed cursor-->` on `/live`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::engine::problem::Problem;

/// A message of a client: one text message of at most 64 KiB.
#[derive(Debug)]
pub enum FromClient {
    /// Follow a feed, from a cursor (what a page or an earlier frame named) or from now on.
    /// Following it already moves the cursor. Answered with `subscribed`, `refresh` or `refused`.
    Subscribe {
        /// Such as `room/12`.
        feed: String,
        /// The last frame seen.
        cursor: Option<String>,
    },
    /// Stop following a feed. Not answered.
    Unsubscribe {
        /// Such as `room/12`.
        feed: String,
    },
    /// Run an action. Answered with `reply` or `error` of the same id.
    Act {
        /// Chosen by the client, at most 128 bytes.
        id: String,
        /// Name of the action, such as `chat.post`.
        action: String,
        /// The JSON text of the fields of its form, which the action decodes; `null` without.
        fields: Box<RawValue>,
    },
    /// Checks the connection. Answered with `pong`.
    Ping,
}

/// The fields of all messages. An enum with a tag would gather all of them as values first, which
/// takes up to a hundred times the bytes of their text.
#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "type")]
    kind: String,
    feed: Option<String>,
    cursor: Option<String>,
    id: Option<String>,
    action: Option<String>,
    #[serde(default)]
    fields: Box<RawValue>,
}

impl FromClient {
    /// Parses the text of a message; `None` when it is none of these.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Fields {
            kind,
            feed,
            cursor,
            id,
            action,
            fields,
        } = serde_json::from_str(text).ok()?;
        Some(match &*kind {
            "subscribe" => Self::Subscribe {
                feed: feed?,
                cursor,
            },
            "unsubscribe" => Self::Unsubscribe { feed: feed? },
            "act" => Self::Act {
                id: id?,
                action: action?,
                fields,
            },
            "ping" => Self::Ping,
            _ => return None,
        })
    }
}

/// A message of the server, besides frames for pages.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ToClient<'a> {
    /// First message of every socket.
    Hello {
        /// Changes with every start of the server. A cursor of another instance is answered with
        /// `refresh`.
        instance: &'a str,
        /// Version of the pages' assets; one other than the page's own means that reloading gives a
        /// newer page.
        version: &'a str,
        /// The account the socket speaks for.
        account: String,
    },
    /// The feed is followed from this cursor on.
    Subscribed {
        /// Such as `room/12`.
        feed: &'a str,
        /// The cursor that the next frame follows.
        cursor: String,
    },
    /// A frame for programs: something happened on a feed that is followed.
    Event {
        /// Such as `room/12`.
        feed: &'a str,
        /// The position after it.
        cursor: &'a str,
        /// Such as `chat.message.posted`.
        topic: &'a str,
        /// The fields that the topic declares.
        event: &'a RawValue,
    },
    /// Frames were missed and cannot be had any more, so the feed is no longer followed: read the
    /// page (or ask an action) again and subscribe from the cursor it names.
    Refresh {
        /// Such as `room/12`.
        feed: &'a str,
        /// Milliseconds: read at a random moment within them. Grows with the number of sockets
        /// that are told so at the same time; 0 when they are few.
        within: u32,
    },
    /// The feed cannot be followed.
    Refused {
        /// Such as `room/12`.
        feed: &'a str,
        /// `not_found` (no such feed, or not yours to know of) or `too_many` (64 already).
        code: &'a str,
    },
    /// The right to the feed is gone, and so is the subscription.
    Revoked {
        /// Such as `room/12`.
        feed: &'a str,
    },
    /// An action was done.
    Reply {
        /// As in the client's `act`.
        id: &'a str,
        /// What the action answers.
        result: Value,
    },
    /// An action was refused, or a message could not be understood (then without id).
    Error {
        /// As in the client's `act`.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        /// The error, worded in the account's language.
        error: Problem,
    },
    /// Answer to `ping`.
    Pong,
}

impl ToClient<'_> {
    /// The message as it goes over the wire.
    pub(super) fn text(&self) -> String {
        // Strings, numbers and string-keyed maps always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }
}
