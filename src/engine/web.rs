//! The web: one router, pages and fragments, errors in words, and the layers every request passes.

mod action_route;
mod assets;
mod connections;
mod csp;
mod drain;
mod embedded_assets;
mod errors;
mod health;
mod limits;
mod middleware;
mod page_cache;
mod page_parts;
mod pages;
mod part_cache;
mod wants;

pub use super::problem::{problem, words_of};
pub use action_route::{answer, redisplay};
pub use assets::{VERSION, asset_address};
pub use connections::{ConnectionPermit, serve};
pub use embedded_assets::{EmbeddedAsset, EmbeddedAssets};
pub use errors::{allowance_headers, retry_headers, worded};
pub use health::Health;
pub use limits::Requests;
pub use middleware::assemble;
pub use page_cache::PageCache;
pub use page_parts::{PageAnswer, Part};
pub(crate) use pages::app_page;
pub use pages::{Head, Html, Pages};
pub use part_cache::{PartCache, PartKey};
pub use wants::{IsPrefetch, Wants};
