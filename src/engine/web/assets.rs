//! Assets: embedded, compressed once, under addresses that change with their contents.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use memory_serve::CacheControl;
use tower::ServiceExt;

/// Version of all assets together, part of their addresses.
pub const VERSION: &str = env!("TIDEPOOL_ASSETS");

/// Where they are.
pub(super) const FOLDER: &str = concat!("/assets/", env!("TIDEPOOL_ASSETS"));

/// Unpacked and compressed once more (gzip) with the first request for one of them: a start does
/// not wait for it.
static FILES: LazyLock<Router> = LazyLock::new(|| {
    memory_serve::load!()
        .index_file(None)
        .cache_control(if cfg!(debug_assertions) {
            CacheControl::NoCache
        } else {
            CacheControl::Long
        })
        .into_router()
});

/// Address of a file below `assets`.
pub fn asset_address(path: &str) -> String {
    format!("{FOLDER}/{path}")
}

/// `/assets/<version>/…`, to be kept for ever by browsers.
pub(super) fn routes() -> Router {
    let files = any(async |request: Request| FILES.clone().oneshot(request).await);
    Router::new().nest_service(FOLDER, files)
}
