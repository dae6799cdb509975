//! The files of `assets`: embedded, compressed once, under addresses that change with their
//! contents.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
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

/// The symbols that pages show as icons.
const ICONS: &str = include_str!("../../../assets/icons.svg");

/// Address of an icon: a symbol of `icons.svg`, by its id.
///
/// # Panics
/// In debug builds, when there is no such symbol: the page would show nothing in its place.
pub fn icon_address(id: &str) -> String {
    debug_assert!(has_icon(id), "icons.svg has no symbol {id:?}");
    format!("{FOLDER}/icons.svg#{id}")
}

fn has_icon(id: &str) -> bool {
    ICONS.contains(&format!("<symbol id=\"{id}\""))
}

/// `/assets/<version>/…`, which browsers keep for ever in release builds.
pub(super) fn routes() -> Router {
    let files = any(async |request: Request| {
        let answer = FILES.clone().oneshot(request).await;
        answer.map(with_charset)
    });
    Router::new().nest_service(FOLDER, files)
}

/// Texts of ours are UTF-8, and say so: by itself, a browser takes the charset of the page.
fn with_charset(mut response: Response) -> Response {
    if let Some(kind) = response.headers_mut().get_mut(header::CONTENT_TYPE)
        && let Ok(text) = kind.to_str()
        && text.starts_with("text/")
        && !text.contains("charset")
        && let Ok(complete) = HeaderValue::try_from(format!("{text}; charset=utf-8"))
    {
        *kind = complete;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icon_has_address() {
        assert_eq!(
            icon_address("hash"),
            format!("/assets/{VERSION}/icons.svg#hash")
        );
    }

    #[test]
    #[should_panic(expected = "icons.svg has no symbol \"no-such-icon\"")]
    fn unknown_icon_panics() {
        icon_address("no-such-icon");
    }
}
