//! What makes the pages an app that can be installed: its manifest, the service worker, and the
//! page that it shows without a connection.

use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;

use super::Notices;
use crate::base::error::Result;
use crate::base::locale::Lang;
use crate::engine::module::{Audience, Module};
use crate::engine::web::{Head, Html, VERSION, asset_address};

const SERVICE_WORKER: &str = include_str!("../../../assets/js/service_worker.js");
/// What the page without a connection consists of, below `assets`.
const OFFLINE_FILES: [&str; 5] = [
    "css/app.css",
    "css/tokens.css",
    "css/base.css",
    "css/layout.css",
    "favicon.svg",
];

pub(super) fn declare(module: Module<Notices>) -> Module<Notices> {
    module
        .page(Audience::Anyone, "/manifest.webmanifest", get(manifest))
        .page(Audience::Anyone, "/sw.js", get(service_worker))
        .page(Audience::Anyone, "/offline", get(offline))
}

/// `GET /manifest.webmanifest`
async fn manifest(lang: Lang) -> Response {
    let icon = |name: &str, size: u32, purpose: &str| {
        json!({
            "src": asset_address(&format!("icons/{name}-{size}.png")),
            "sizes": format!("{size}x{size}"),
            "type": "image/png",
            "purpose": purpose,
        })
    };
    let manifest = json!({
        "id": "/",
        "name": lang.t("app-name"),
        "short_name": lang.t("app-name"),
        "description": lang.t("app-about"),
        "lang": lang.tag(),
        "dir": lang.dir(),
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#fbfaf7",
        "theme_color": "#fbfaf7",
        "icons": [
            icon("app", 192, "any"),
            icon("app", 512, "any"),
            icon("app-maskable", 512, "maskable"),
        ],
    });
    let headers = [
        (header::CONTENT_TYPE, "application/manifest+json"),
        (header::CACHE_CONTROL, "private, max-age=3600"),
        (header::VARY, "accept-language"),
    ];
    (headers, manifest.to_string()).into_response()
}

/// `GET /sw.js`: at the root, because it serves all pages.
async fn service_worker() -> Response {
    let files: Vec<String> = OFFLINE_FILES.into_iter().map(asset_address).collect();
    let settings = json!({
        "version": VERSION,
        "files": files,
        "icon": asset_address("icons/app-192.png"),
    });
    let script = format!("const SETTINGS = {settings};\n{SERVICE_WORKER}");
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-cache"),
    ];
    (headers, script).into_response()
}

#[derive(Template)]
#[template(path = "notices/offline.html")]
struct OfflinePage {
    head: Head,
}

/// `GET /offline`: says the same to everybody.
async fn offline(State(notices): State<Notices>, lang: Lang) -> Result<Html> {
    let pages = &notices.engine.pages;
    let head = pages.head(lang, None, lang.t("offline-title"));
    Html::of(&OfflinePage { head })
}
