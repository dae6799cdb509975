//! The web: connections, the page cache, the layers that every request passes, and how pages,
//! fragments and errors are answered.
//!
//! A request passes `connections`, `page_cache`, `middleware` (`request_context`, the sessions,
//! `limits`) and its handler. The response comes back through `finish`, which makes the bodies of
//! pages in parts and of errors.

mod action_route;
mod admission;
mod assets;
mod bodies;
mod cache_control;
mod client_address;
mod client_stream;
mod confirmation;
mod connections;
mod content_coding;
mod csp;
mod drain;
mod embedded_assets;
mod errors;
mod finish;
mod head;
mod health;
mod hosts;
mod html;
mod message_socket;
mod middleware;
mod own_changes;
mod page;
mod page_answer;
mod page_cache;
mod part;
mod part_cache;
mod request_context;
mod request_limit;
mod upgrade;
mod wants;

pub use super::problem::{problem, words_of};
pub use action_route::answer;
pub use assets::{VERSION, asset_address, icon_address};
pub use connections::{ConnectionPermit, serve};
pub use embedded_assets::{EmbeddedAsset, EmbeddedAssets};
pub use finish::{problem_response, show_error_in};
pub use head::{Head, Pages};
pub use health::Health;
pub use hosts::{Hosts, names_own_machine, requested_host};
pub use html::Html;
pub(crate) use html::app_page;
pub use message_socket::{PeerMessage, PendingSocket, SocketReader, SocketWriter, accept_socket};
pub use middleware::assemble;
pub use page_answer::PageAnswer;
pub use page_cache::PageCache;
pub use part::Part;
pub use part_cache::{PartCache, PartKey};
pub use request_context::RequestContext;
pub use request_limit::RequestLimiter;
pub(in crate::engine) use upgrade::{into_std_stream, is_same_origin};
pub use wants::{IsPrefetch, Wants};
