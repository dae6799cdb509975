//! Live pages: feeds of numbered frames, and the sockets that follow them.
//!
//! A feed is a bounded log. A socket holds a cursor into each feed it follows, so there is no queue
//! for each socket: following, catching up after an absence and falling behind are all the same
//! question, "what comes after this cursor?". A cursor the log no longer reaches is answered with
//! one `refresh`.
//!
//! A frame is rendered when the first socket needs it, once for each language and once as JSON,
//! compressed once, and shared by all. Sockets live on threads of their own, one for each shard.
//! Publishing rings a shard once; the shard puts what came together, and writes the same bytes to
//! every socket that waits at the same place.
//!
//! `log` is the data structure, `feed`, `frame` and `hub` are what the rest of the server sees,
//! `shard` and `connection` move bytes, `session` talks with the client in the words of `protocol`.

mod batches;
mod connection;
mod cursor;
mod feed;
mod feeds;
mod frame;
mod hub;
#[cfg(test)]
#[allow(
    clippy::duplicate_mod,
    reason = "the log once more, on other primitives"
)]
mod interleavings;
mod keepalive;
mod limits;
mod log;
#[cfg(test)]
mod log_tests;
mod outbox;
mod protocol;
mod refetch;
mod registry;
mod routes;
mod session;
mod shard;
mod shard_context;
mod shard_handle;
mod socket;
mod socket_guard;
mod subscriptions;

/// What the log is built of; its tests put a scheduler's in the place.
mod sync {
    pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
}

pub use cursor::Cursor;
pub use feed::FeedSpec;
pub use frame::Content;
pub use hub::Hub;
pub use limits::Limits;
pub use protocol::{FromClient, ToClient};
pub use routes::routes;
pub use socket::{SocketClosed, SocketOpened};
