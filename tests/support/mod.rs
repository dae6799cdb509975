//! What the tests share: a real server on a free port, people who act on it, and sockets. Every
//! wait is for an event and bounded by [`PATIENCE`].
//!
//! ```ignore
//! let server = TestServer::start().await;
//! let ann = server.owner("ann").await;
//! let bob = server.member("bob").await;
//! let mut socket = bob.following("room/general").await;
//! ann.post("general", "hi").await;
//! socket.event("chat.message.posted").await;
//! ```
#![allow(
    dead_code,
    unused_imports,
    reason = "each test program uses the part it needs"
)]

mod accounts;
mod answer;
mod chat;
mod files;
mod folder;
mod person;
mod polling;
mod raw_connection;
mod rooms;
pub mod s3;
mod server;
mod socket;
pub mod text;
mod tus;

pub use accounts::{PASSWORD, email};
pub use answer::Answer;
pub use chat::{Message, new_key};
pub use files::{Fetched, noise};
pub use folder::Folder;
pub use person::{Person, client};
pub use polling::{eventually, until_refused};
pub use raw_connection::{HEALTH_REQUEST, RawConnection};
pub use rooms::NewRoom;
pub use server::{TestServer, free_port};
pub use socket::{Socket, dial};
pub use tus::{DOCUMENT, Upload, answer_of};

use std::time::Duration;

/// The interval between two looks at what can only be polled.
pub const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How long a test waits for what must happen before it fails. Generous, because a passing test
/// never waits so long, and a loaded machine must not fail a test.
pub const PATIENCE: Duration = Duration::from_secs(60);
