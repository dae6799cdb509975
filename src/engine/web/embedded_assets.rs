//! Style sheets and scripts that modules from outside embed in the binary, each under an address
//! with a digest of its content: a new content has a new address, so browsers keep each for ever.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("max-age=31536000, immutable");

/// Hexadecimal digits of a content's digest in its address.
const DIGEST_LENGTH: usize = 16;

/// A text file that a module embeds with `include_str!`.
#[derive(Clone, Copy)]
pub struct EmbeddedAsset {
    module: &'static str,
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
}

impl EmbeddedAsset {
    /// A style sheet of a module.
    ///
    /// # Panics
    /// When the name would have to be escaped in an address: a mistake of the program.
    pub fn stylesheet(module: &'static str, name: &'static str, content: &'static str) -> Self {
        Self::new(module, name, "text/css; charset=utf-8", content)
    }

    /// A script (an ES module) of a module.
    ///
    /// # Panics
    /// As [`stylesheet`](Self::stylesheet).
    pub fn script(module: &'static str, name: &'static str, content: &'static str) -> Self {
        Self::new(module, name, "text/javascript; charset=utf-8", content)
    }

    fn new(
        module: &'static str,
        name: &'static str,
        content_type: &'static str,
        content: &'static str,
    ) -> Self {
        for part in [module, name] {
            assert!(
                is_plain(part),
                "module {module}: {part} is no part of an address; use a-z, 0-9, '-', '_' and '.'"
            );
        }
        Self {
            module,
            name,
            content_type,
            content,
        }
    }

    fn digest(&self) -> String {
        let mut digest = blake3::hash(self.content.as_bytes()).to_hex().to_string();
        digest.truncate(DIGEST_LENGTH);
        digest
    }

    /// `/modules/<module>/<digest>/<name>`.
    pub fn address(&self) -> String {
        let Self { module, name, .. } = self;
        format!("/modules/{module}/{}/{name}", self.digest())
    }

    fn answer(&self, tag: &HeaderValue, headers: &HeaderMap) -> Response {
        let cached = [
            (header::CACHE_CONTROL, CACHE_CONTROL),
            (header::ETAG, tag.clone()),
        ];
        if headers.get(header::IF_NONE_MATCH) == Some(tag) {
            return (StatusCode::NOT_MODIFIED, cached).into_response();
        }
        let content_type = [(header::CONTENT_TYPE, self.content_type)];
        (cached, content_type, self.content).into_response()
    }
}

fn is_plain(part: &str) -> bool {
    part.starts_with(|c: char| c.is_ascii_alphanumeric())
        && part
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

/// Every embedded asset, by address. Cheap to clone.
#[derive(Clone, Default)]
pub struct EmbeddedAssets(Arc<[(String, EmbeddedAsset)]>);

impl EmbeddedAssets {
    /// These and no others. An asset that is declared twice is served once.
    pub fn new(assets: &[EmbeddedAsset]) -> Self {
        let mut all: Vec<_> = assets.iter().map(|one| (one.address(), *one)).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all.dedup_by(|(one, _), (other, _)| one == other);
        Self(all.into())
    }

    /// Whether one of them has this address.
    pub(super) fn contains(&self, path: &str) -> bool {
        self.0.iter().any(|(address, _)| address == path)
    }

    pub(super) fn routes(&self) -> Router {
        self.0
            .iter()
            .fold(Router::new(), |router, (address, asset)| {
                let asset = *asset;
                // Weak: it is sent in several content codings.
                let tag = HeaderValue::try_from(format!("W/\"{}\"", asset.digest()))
                    .unwrap_or_else(|_| HeaderValue::from_static("W/\"\""));
                let answer = get(async move |headers: HeaderMap| asset.answer(&tag, &headers));
                router.route(address, answer)
            })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn asset_address_changes_with_its_content() {
        let one = EmbeddedAsset::stylesheet("todo", "todo.css", "p {}");
        let other = EmbeddedAsset::stylesheet("todo", "todo.css", "p { color: red }");
        assert!(one.address().starts_with("/modules/todo/"));
        assert!(one.address().ends_with("/todo.css"));
        assert_ne!(one.address(), other.address());
    }

    #[tokio::test]
    async fn script_is_served_until_its_tag_is_known() {
        let script = EmbeddedAsset::script("todo", "todo.js", "export {};");
        // Declared twice, it is mounted once.
        let assets = EmbeddedAssets::new(&[script, script]);
        assert!(assets.contains(&script.address()) && !assets.contains("/modules/todo"));
        let get = async |tag: Option<HeaderValue>| {
            let mut request = Request::get(script.address());
            if let Some(tag) = tag {
                request = request.header(header::IF_NONE_MATCH, tag);
            }
            let request = request.body(Body::empty()).unwrap();
            assets.routes().oneshot(request).await.unwrap()
        };
        let answer = get(None).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let kind = &answer.headers()[header::CONTENT_TYPE];
        assert_eq!(kind, "text/javascript; charset=utf-8");
        let tag = answer.headers()[header::ETAG].clone();
        assert_eq!(get(Some(tag)).await.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    #[should_panic(expected = "no part of an address")]
    fn asset_name_with_a_slash_panics() {
        EmbeddedAsset::script("todo", "../todo.js", "");
    }
}
