//! Live pages: feeds of numbered frames, and the sockets that follow them.
//!
//! A feed is a bounded log. A socket holds a cursor into each feed it follows, so there is no queue for each socket:
//! following, catching up after an absence and falling behind are all the same question, "what comes after this
//! cursor?". A cursor the log no longer reaches is answered with one `refresh`.
//!
//! A frame is rendered when the first socket needs it, once for each language and once as JSON, and shared by all.

mod feed;
mod frame;
mod hub;
mod protocol;
mod routes;
mod session;
mod socket;

pub use feed::{Cursor, FeedSpec};
pub use frame::Content;
pub use hub::{Hub, Limits};
pub use protocol::{FromClient, Problem, ToClient};
pub use routes::routes;
pub use socket::{SocketClosed, SocketOpened};
