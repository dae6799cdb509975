//! Live pages: feeds of numbered frames, and the sockets that follow them.
//!
//! A feed is a bounded log. A socket holds a cursor into each feed it follows, so there is no queue
//! for each socket: following, catching up after an absence and falling behind are all the same
//! question, "what comes after this cursor?". A cursor the log no longer reaches is answered with
//! one `refresh`.
//!
//! A frame is rendered when the first socket needs it, once for each language and once as JSON,
//! compressed once, and shared by all. Sockets are served by threads of their own, the shards.
//! Publishing wakes a shard once; the shard concatenates what came, and writes the same bytes to
//! every socket at the same position of the feed.
//!
//! From the bottom up, each file importing only those before it:
//! - `log` is the ring buffer, `frame` its entry, `sequence` the order of frames, `feed` a named
//!   log; `feeds` has all of them.
//! - `batches`, `outbox`, `incoming`, `keepalive` and `subscriptions` are the parts of a
//!   `connection`, which moves bytes; `shard_context` is what the connections of a thread share,
//!   `shard` its loop and `shard_handle` how other threads reach it.
//! - `registry` has the open sockets, and `hub` is what the rest of the server calls.
//! - `session` talks with a client in the messages of `protocol`; `routes` accepts it.

mod batches;
mod connection;
mod cursor;
mod feed;
mod feeds;
mod frame;
mod hub;
mod incoming;
#[cfg(test)]
#[allow(
    clippy::duplicate_mod,
    reason = "the log is compiled again, with other primitives"
)]
mod interleavings;
mod keepalive;
mod limits;
mod log;
#[cfg(test)]
mod log_tests;
mod outbox;
mod protocol;
mod rechecks;
mod refetch;
mod registry;
mod resume;
mod rights;
mod routes;
mod sequence;
mod session;
mod shard;
mod shard_context;
mod shard_handle;
mod socket;
mod socket_guard;
mod subscriptions;

/// The primitives of the log. Its tests replace them by those of a scheduler.
mod sync {
    pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
}

pub use cursor::Cursor;
pub use feed::{FeedKind, FeedSpec};
pub use frame::Content;
pub use hub::Hub;
pub use limits::Limits;
pub use protocol::{FromClient, ToClient};
pub(super) use rechecks::RIGHTS_FEED;
pub(super) use rights::{FeedRule, RejoinHandler, Rights};
pub(super) use routes::routes;
pub use socket::{SocketClosed, SocketOpened};
