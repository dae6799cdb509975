//! Assets: embedded, compressed once, under addresses that change with their contents.

use axum::Router;
use memory_serve::CacheControl;

/// Version of all assets together, part of their addresses.
pub const VERSION: &str = env!("TIDEPOOL_ASSETS");

/// `/assets/<version>/…`, to be kept for ever by browsers.
pub(super) fn routes() -> Router {
    let files = memory_serve::load!()
        .index_file(None)
        .cache_control(if cfg!(debug_assertions) { CacheControl::NoCache } else { CacheControl::Long })
        .into_router();
    Router::new().nest(concat!("/assets/", env!("TIDEPOOL_ASSETS")), files)
}
