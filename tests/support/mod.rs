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

mod accounts;
pub mod animation;
mod answer;
mod attachment;
mod cabinet;
mod cluster;
mod command;
mod database;
mod database_lock;
mod dial;
mod endpoints;
mod fetch;
mod file_form;
mod folder;
mod haproxy;
mod instance;
mod mailbox;
mod message;
mod mode;
mod nats;
pub mod page_server;
mod person;
mod postgres;
mod prepared_database;
pub mod push_service;
mod raw_connection;
mod reaper;
mod rooms;
pub mod s3;
mod server;
mod socket;
mod tcp_proxy;
mod terminal;
pub mod text;
mod tus;
mod wait;

pub use accounts::{PASSWORD, client, email};
pub use answer::Answer;
pub use cabinet::DOCUMENT;
pub use cluster::Cluster;
pub use database::Database;
pub use dial::{Stream, dial, refused_status};
pub use fetch::{Fetched, answer_of, noise};
pub use folder::Folder;
pub use haproxy::Haproxy;
pub use instance::Instance;
pub use mailbox::{Mailbox, SmtpServer, link_in};
pub use message::{Message, new_key};
pub use mode::{Mode, is_skipped};
pub use nats::Nats;
pub use person::Person;
pub use postgres::{DATABASE_PASSWORD, Postgres, PostgresDatabase};
pub use raw_connection::{HEALTH_REQUEST, RawConnection};
pub use rooms::NewRoom;
pub use server::TestServer;
pub use socket::Socket;
pub use tcp_proxy::{MessageLoss, NatsFilter, TcpProxy};
pub use terminal::{Sharer, Watcher};
pub use tus::Upload;
pub use wait::{POLL_INTERVAL, WAIT_TIMEOUT, eventually, until_status};
