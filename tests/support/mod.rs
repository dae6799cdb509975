//! What every black-box test stands on: a real server on a free port, people who act on it, and
//! sockets that wait for what happens instead of for time.
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

mod answer;
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

pub use answer::Answer;
pub use folder::Folder;
pub use person::{Message, PASSWORD, Person, client, email, new_key};
pub use polling::{eventually, until_refused};
pub use raw_connection::{HEALTH_REQUEST, RawConnection};
pub use rooms::NewRoom;
pub use server::{TestServer, free_port};
pub use socket::{Socket, dial};
pub use tus::{DOCUMENT, Fetched, Upload, answer_of, noise};

use std::time::Duration;

/// The interval between two looks at what can only be polled.
pub const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How long a test waits for what must happen before it fails. Generous, because a passing test
/// never waits so long, and a loaded machine must not fail a test.
pub const PATIENCE: Duration = Duration::from_secs(60);
