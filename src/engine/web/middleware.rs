//! The layers that every request passes.
//!
//! A layer of axum costs two or three allocations and clones all that is inside of it, for each
//! request. So ours are three, of plain code: [`request_context`] around everything, the sessions',
//! and [`admission::admit`].

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;

use super::admission::Admission;
use super::cache_control::complete_cache_control;
use super::client_address::find_client_address;
use super::content_coding::Coding;
use super::embedded_assets::EmbeddedAssets;
use super::errors::ErrorRenderer;
use super::finish::finish;
use super::head::Pages;
use super::hosts::Hosts;
use super::own_changes;
use super::page_cache::{PageCache, REQUEST_ID};
use super::request_context::RequestContext;
use super::{Health, action_route, admission, assets, csp, drain, health};
use crate::base::error::Error;
use crate::base::locale::Lang;
use crate::base::secrets;
use crate::base::security_log::SecurityEvent;
use crate::base::settings::Settings;
use crate::engine::cluster::ClusterStatus;
use crate::engine::forms::MAX_FORM_BYTES;
use crate::engine::viewer::Address;
use crate::engine::{Engine, Started, files};

/// Assembles the server: the modules' routes, around them the sessions (`guard`), around these what
/// all requests share, and in front of everything the page cache.
pub fn assemble(
    engine: &Engine,
    started: Started,
    health: Health,
    cluster: ClusterStatus,
    guard: impl FnOnce(Router) -> Router,
) -> PageCache {
    let (pages, requests) = (started.routes.clone(), started.requests.clone());
    let admission = Admission::new(started.requests, engine.settings.max_requests);
    let router = started
        .routes
        .fallback(|| async { Error::NotFound })
        .layer((
            DefaultBodyLimit::max(MAX_FORM_BYTES),
            TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                action_route::REQUEST_TIMEOUT,
            ),
        ))
        // Outside of the limits above: files are larger and take longer, and have limits of their
        // own.
        .merge(action_route::routes(
            started.actions,
            started.transfers.clone(),
            pages,
            engine.pages.clone(),
        ))
        .merge(files::routes(started.transfers))
        .layer((
            from_fn_with_state(admission, admission::admit),
            CsrfLayer::new(),
            CatchPanicLayer::custom(|_| {
                Error::Internal(anyhow::anyhow!("a handler panicked")).into_response()
            }),
        ));
    let shared = Shared {
        settings: engine.settings.clone(),
        hosts: engine.hosts.clone(),
        pages: engine.pages.clone(),
        embedded_assets: engine.embedded_assets.clone(),
        cluster,
    };
    // For what is not a page in parts. It is small and compressed for one reader: the fastest level
    // costs a third of the default and sends a tenth more.
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(
            SizeAbove::new(1_400)
                .and(NotForContentType::IMAGES)
                .and(NotForContentType::const_new("video/"))
                .and(NotForContentType::const_new("audio/"))
                .and(NotForContentType::const_new("application/octet-stream")),
        );
    let router = guard(router)
        .merge(health.routes())
        .merge(assets::routes())
        .merge(engine.embedded_assets.routes())
        .layer((
            compression,
            from_fn_with_state(Arc::new(shared), request_context),
        ));
    PageCache::new(router, requests, engine.hosts.clone(), &engine.settings)
}

/// State of [`request_context`].
struct Shared {
    settings: Arc<Settings>,
    hosts: Hosts,
    pages: Pages,
    embedded_assets: EmbeddedAssets,
    cluster: ClusterStatus,
}

/// Around every request: gives it an id and a [`RequestContext`], finishes the response, adds the security headers, and measures it.
async fn request_context(
    State(shared): State<Arc<Shared>>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let (method, route) = (
        request.method().clone(),
        request.extensions().get::<MatchedPath>().cloned(),
    );
    let id = secrets::request_id();
    let coding = Coding::from_headers(request.headers());
    let lang = Lang::negotiate(
        None,
        request
            .headers()
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok()),
    );
    let address = find_client_address(&request, shared.settings.behind_proxy);
    let address = Address(address.unwrap_or(IpAddr::from([0, 0, 0, 0])));
    request
        .extensions_mut()
        .insert(RequestContext::new(address, lang));
    let renderer = ErrorRenderer::new(&shared.pages, &id, &request, lang);

    let path = request.uri().path();
    let is_for_everybody = is_always_answered(path) || shared.embedded_assets.contains(path);
    if !is_for_everybody {
        shared.hosts.refresh().await;
    }
    let response = if is_for_everybody {
        next.run(request).await
    } else if !shared.hosts.allows(request.headers(), request.uri()) {
        SecurityEvent::RequestRefused.record(None, address.0, "host");
        Error::WrongHost.into_response()
    } else {
        let https = shared.settings.https;
        own_changes::wait(&shared.cluster, request.headers(), https).await;
        let answer = drain::drain_body(request, async |request| next.run(request).await).await;
        own_changes::name(&shared.cluster, &method, https, answer)
    };

    let mut response = finish(response, coding, renderer);
    complete_cache_control(response.headers_mut());
    csp::insert_security_headers(response.headers_mut(), shared.settings.https);
    measure(&method, route, response.status(), started.elapsed());
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Health checks and assets are never refused for lack of a permit.
fn is_always_answered(path: &str) -> bool {
    path.strip_prefix(assets::FOLDER)
        .is_some_and(|file| file.starts_with('/'))
        || health::ROUTES.contains(&path)
}

/// Counts and times requests by route. Paths and query strings are never logged: an invitation's
/// path is its secret.
fn measure(method: &Method, route: Option<MatchedPath>, status: StatusCode, took: Duration) {
    let route = route.map_or_else(|| "other".to_owned(), |route| route.as_str().to_owned());
    let (code, micros) = (status.as_u16(), took.as_micros() as u64);
    tracing::debug!(%method, route, status = code, micros, "answered");
    metrics::counter!("tidepool_requests_total", "status" => status.as_str().to_owned())
        .increment(1);
    metrics::histogram!("tidepool_request_seconds", "route" => route).record(took.as_secs_f64());
}
