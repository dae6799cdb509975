//! Tests of a Tidepool server from outside: start its binary, act as people do, follow feeds.
//!
//! ```ignore
//! let server = TestServer::start(env!("CARGO_BIN_EXE_todo")).await;
//! let ann = server.host("ann").await;
//! let bob = server.member("bob").await;
//! let mut feed = bob.follow(&format!("todo/{}", bob.space)).await;
//! ann.act("todo.add", json!({ "space": ann.space, "title": "Milk" })).await.done();
//! feed.event("todo.item.added").await;
//! ```
//!
//! Every wait is for something that happens and fails after [`WAIT_TIMEOUT`]; nothing sleeps.

mod feed;
mod person;
mod server;

pub use feed::Feed;
pub use person::{Answer, Person};
pub use server::TestServer;

use std::time::Duration;

/// How long a test waits for what must happen before it fails. Long, so that a loaded machine does
/// not matter.
pub const WAIT_TIMEOUT: Duration = Duration::from_secs(30);
