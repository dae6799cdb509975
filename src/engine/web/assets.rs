//! The files of `assets`: embedded, compressed once, under addresses that change with their
//! contents.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::routing::any;
use memory_serve::CacheControl;
use tower::ServiceExt;

/// Version of all assets together, part of their addresses.
pub const VERSION: &str = env!("TIDEPOOL_ASSETS");

/// The path of all of them.
pub(super) const FOLDER: &str = concat!("/assets/", env!("TIDEPOOL_ASSETS"));

/// Unpacked and compressed again (gzip) by the first request for one of them, so that a start does
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

/// `/assets/<version>/…`, which browsers keep for ever in release builds.
pub(super) fn routes() -> Router {
    let files = any(async |request: Request| FILES.clone().oneshot(request).await);
    Router::new().nest_service(FOLDER, files)
}
