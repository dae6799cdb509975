//! What instances tell one another, as JSON. On a feed's subject it is one event; on the subject of
//! all it is a [`Numbered`] message. Fields and kinds that a version does not know are ignored:
//! during an upgrade two versions run side by side.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Accounts;
use crate::engine::bus::{Envelope, Reach, ReceivedEvent};
use crate::engine::versions::Thing;

/// What waits to be sent.
pub(super) enum Outgoing {
    /// To the followers of its feeds, or to all.
    Event(Arc<Envelope>),
    /// What an event for followers only has changed, to all.
    Changed(Vec<Thing>),
    /// Rights changed, to all.
    Recheck(Recheck),
    /// This instance is there, to all.
    Alive,
}

impl Outgoing {
    /// Whether it takes a number: others have to hear of it, or to know that they did not.
    pub(super) fn is_numbered(&self) -> bool {
        match self {
            Self::Event(envelope) => envelope.reach != Reach::Followers,
            Self::Changed(_) | Self::Recheck(_) => true,
            Self::Alive => false,
        }
    }
}

/// Rights changed: sockets are to be checked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Recheck {
    /// The position of the change: see [`RIGHTS_FEED`](crate::engine::live::RIGHTS_FEED).
    pub(super) position: u64,
    /// `None`: everybody's.
    pub(super) accounts: Accounts,
}

/// A message for all instances.
#[derive(Serialize, Deserialize)]
pub(super) struct Numbered {
    /// The instance that sends it.
    pub(super) from: String,
    /// Grows by `count` with each message.
    pub(super) number: u64,
    /// How many messages are in this one: none in [`Body::Alive`].
    pub(super) count: u64,
    /// A [`Body`], read after the number: another version may not know it.
    pub(super) body: Box<RawValue>,
}

/// The content of a [`Numbered`] message.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Body {
    Event(ReceivedEvent),
    /// Kinds and numbers of what has changed.
    Changed(Vec<(String, i64)>),
    Recheck(Recheck),
    /// The sender is there, and its newest number is this.
    Alive,
}
