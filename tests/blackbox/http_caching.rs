//! Entity tags, compression, and assets.

use crate::one_instance_only;
use crate::support::{TestServer, client, text};

#[tokio::test]
async fn unchanged_page_answers_304() {
    one_instance_only!("each instance has a cache of its own");
    let (_server, ann) = TestServer::start_with_owner().await;
    ann.post("general", "hi").await;
    let room = format!("/rooms/{}", ann.room("general"));
    ann.page(&room).await;
    let first = ann.get(&room).await;
    let tag = first.header("etag").to_owned();
    assert!(
        tag.starts_with("W/\"") && first.header("cache-control").contains("no-cache"),
        "{tag}"
    );
    let again = async |tag: &str| {
        ann.send(ann.request("GET", &room).header("If-None-Match", tag))
            .await
    };
    let same = again(&tag).await.expect(304);
    assert!(same.body.is_empty() && same.header("etag") == tag);
    assert_eq!(again(&format!("\"other\", {tag}")).await.status, 304);
    let head = ann
        .send(ann.request("HEAD", &room).header("If-None-Match", &tag))
        .await
        .expect(304);
    // What a 304 has to say (RFC 9110, section 15.4.5), whether the answer was kept or made for
    // this.
    for unchanged in [&same, &head] {
        for name in ["cache-control", "etag", "vary"] {
            assert_eq!(unchanged.header(name), first.header(name), "{name}");
        }
        assert_ne!(
            unchanged.header("x-request-id"),
            first.header("x-request-id")
        );
    }
    ann.post("general", "ho").await;
    let changed = again(&tag).await.expect(200);
    assert_ne!(changed.header("etag"), tag);
}

#[tokio::test]
async fn pages_are_byte_identical_per_account() {
    one_instance_only!("each instance has a cache of its own");
    let (_server, ann) = TestServer::start_with_owner().await;
    for path in [
        format!("/rooms/{}", ann.room("general")),
        format!("/spaces/{}/settings", ann.space),
        "/account".to_owned(),
    ] {
        assert_eq!(ann.page(&path).await, ann.page(&path).await, "{path}");
    }
}

#[tokio::test]
async fn pages_are_compressed_when_accepted() {
    let (server, ann) = TestServer::start_with_owner().await;
    let room = format!("{}/rooms/{}", server.base(), ann.room("general"));
    // A client of its own, for ours unpacks.
    let plain = client().no_brotli().no_gzip().build().expect("a client");
    for (accepts, encoding) in [("br, gzip", "br"), ("gzip", "gzip"), ("identity", "")] {
        let request = plain
            .get(&room)
            .header("Cookie", ann.cookies())
            .header("Accept-Encoding", accepts);
        let response = request.send().await.expect("an answer");
        let got = response
            .headers()
            .get("content-encoding")
            .map_or("", |value| value.to_str().expect("text"));
        assert_eq!(got, encoding, "{accepts}");
        assert!(response.headers().get_all("vary").iter().any(|vary| {
            vary.to_str()
                .is_ok_and(|vary| vary.contains("accept-encoding"))
        }));
    }
}

#[tokio::test]
async fn assets_exist_at_linked_addresses() {
    let (_server, ann) = TestServer::start_with_owner().await;
    let page = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    let named = ["href", "src"]
        .map(|name| text::attributes(&page, name))
        .concat();
    let assets: std::collections::BTreeSet<_> = named
        .iter()
        .filter(|path| path.starts_with("/assets/"))
        .map(|path| path.split('#').next().expect("a path"))
        .collect();
    assert!(assets.len() >= 8, "{assets:?}");
    for path in assets {
        let asset = ann.get(path).await.expect(200);
        let kind = match path.rsplit('.').next() {
            Some("js") => "javascript",
            Some("css") => "text/css",
            Some("png") => "image/png",
            _ => "image/svg+xml",
        };
        assert!(
            asset.header("content-type").contains(kind),
            "{path}: {}",
            asset.header("content-type")
        );
        let kept = asset.header("cache-control");
        assert!(
            if cfg!(debug_assertions) {
                kept.contains("no-cache")
            } else {
                kept.contains("immutable")
            },
            "{path}: {kept}"
        );
    }
    ann.get("/assets/0000000000000000/js/app.js")
        .await
        .expect(404);
}
