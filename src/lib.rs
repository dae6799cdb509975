//! Tidepool: a self-hosted home for a community, as live, server-rendered pages from one binary.
//!
//! # The one idea
//! One event, rendered once, shared by every socket. A person acts, by form or socket; the action
//! writes to the store; after the commit an event goes onto the bus; a presenter makes of it one
//! HTML fragment and one JSON object; the hub hands that frame to every socket that follows the
//! feed. A page is an ordinary page: the socket only makes it live.
//!
//! # The layers
//! Four, and imports only point down; `tests/architecture.rs` enforces it.
//!
//! - [`base`]: settings, the database with its one writer, ids, the clock, errors, message
//!   catalogues, telemetry.
//! - [`engine`]: what makes a page live. `bus` (typed topics), `live` (feeds, frames, sockets) on
//!   `websocket` (the protocol's bytes), `fragments` (rendered HTML, cached), `versions` (what
//!   cached things depend on), `actions` and `forms` (what people do, with and without JavaScript),
//!   `web` (routing, pages in parts, errors, limits), `jobs` (work that outlives its cause), `files`
//!   (what people upload), and `module`, the contract by which a feature declares all that it adds.
//! - [`community`]: who is here and what they may do. Accounts, sessions, spaces, rooms, invitations,
//!   the one permission check, and the shell around every page.
//! - [`modules`]: features, which meet only on the bus. `admin`, `chat` and `presence`.
//!
//! [`app`] puts them together; it is the only file that knows every module. [`cli`] is the command
//! line of a server, also of one with modules of its own. Templates are in
//! `templates/<module>`, styles and scripts in `assets`, words in `locales`, the schema in
//! `migrations`.

pub mod app;
pub mod base;
pub mod cli;
pub mod community;
pub mod engine;
pub mod modules;
mod new_module;
