//! What every request passes on its way in and out.
//!
//! A layer of axum costs two or three allocations and clones all that is inside of it, for each
//! request. So what is ours is plain code in few of them: [`request_context`] around everything,
//! the guard's, which finds out who asks, and [`limits::admit`].

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;

use super::embedded_assets::EmbeddedAssets;
use super::errors::Asked;
use super::page_cache::{PageCache, REQUEST_ID};
use super::page_parts::{self, Coding};
use super::pages::Pages;
use super::{Health, action_route, assets, csp, drain, health, limits};
use crate::base::error::Error;
use crate::base::locale::Lang;
use crate::base::secrets;
use crate::base::settings::Settings;
use crate::base::telemetry::refused;
use crate::engine::viewer::Address;
use crate::engine::{Engine, Started, files};

/// Puts everything together: the modules' routes inside, then who is asking (`guard`), then what
/// all answers share.
pub fn assemble(
    engine: &Engine,
    started: Started,
    health: Health,
    guard: impl FnOnce(Router) -> Router,
) -> PageCache {
    let (pages, requests) = (started.routes.clone(), started.requests.clone());
    let answered = started
        .routes
        .fallback(|| async { Error::NotFound })
        .layer((
            DefaultBodyLimit::max(action_route::MAX_FORM_BYTES),
            TimeoutLayer::with_status_code(
                StatusCode::SERVICE_UNAVAILABLE,
                action_route::REQUEST_TIMEOUT,
            ),
        ))
        // Files take as long as they take; these have bounds of their own.
        .merge(action_route::routes(
            started.actions,
            started.transfers.clone(),
            pages,
        ))
        .merge(files::routes(started.transfers))
        .layer((
            from_fn_with_state(started.requests, limits::admit),
            CsrfLayer::new(),
            CatchPanicLayer::custom(|_| {
                Error::Internal(anyhow::anyhow!("a handler panicked")).into_response()
            }),
        ));
    let shared = Shared {
        settings: engine.settings.clone(),
        pages: engine.pages.clone(),
        embedded_assets: engine.embedded_assets.clone(),
        places: Semaphore::new(engine.settings.max_requests),
    };
    // Pages are small and made for one reader: the fastest level costs a third and sends a tenth
    // more.
    let compression = CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(
            SizeAbove::new(1_400)
                .and(NotForContentType::IMAGES)
                .and(NotForContentType::const_new("video/"))
                .and(NotForContentType::const_new("audio/"))
                .and(NotForContentType::const_new("application/octet-stream")),
        );
    let router = guard(answered)
        .merge(health.routes())
        .merge(assets::routes())
        .merge(engine.embedded_assets.routes())
        .layer((
            compression,
            from_fn_with_state(Arc::new(shared), request_context),
        ));
    PageCache::new(router, requests, &engine.settings)
}

/// What [`request_context`] needs for each request.
struct Shared {
    settings: Arc<Settings>,
    pages: Pages,
    embedded_assets: EmbeddedAssets,
    /// One for each request that may be in work at once.
    places: Semaphore,
}

/// Around every request: names it, finds out where it comes from and in which language to answer,
/// refuses it when there is too much to do, words what failed, makes the bodies of pages in parts,
/// narrows what a browser lets the answer do, and counts it.
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
    let coding = Coding::of(request.headers());
    let lang = Lang::negotiate(
        None,
        request
            .headers()
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok()),
    );
    let address = address(&request, shared.settings.behind_proxy);
    request
        .extensions_mut()
        .insert(Address(address.unwrap_or(IpAddr::from([0, 0, 0, 0]))));
    request.extensions_mut().insert(lang);
    let asked = Asked::of(&request, lang);

    let path = request.uri().path();
    let response = if is_always_answered(path) || shared.embedded_assets.contains(path) {
        next.run(request).await
    } else {
        drain::drain_body(request, async |request| match shared.places.try_acquire() {
            Ok(_place) => next.run(request).await,
            // Waiting for a turn would only make all of them late.
            Err(_) => {
                refused("busy");
                Error::Unavailable.into_response()
            }
        })
        .await
    };

    let response = asked.worded(&shared.pages, &id, response);
    let mut response = page_parts::finish(coding, response);
    csp::harden(response.headers_mut(), shared.settings.https);
    measure(&method, route, response.status(), started.elapsed());
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Where a request comes from.
fn address(request: &Request, behind_proxy: bool) -> Option<IpAddr> {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    if !behind_proxy {
        return peer;
    }
    // The last entry is the one our own proxy wrote; everything before it is hearsay.
    let forwarded = request
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .next_back();
    forwarded
        .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok())
        .or(peer)
}

/// Health and assets are answered however much else there is to do.
fn is_always_answered(path: &str) -> bool {
    path.strip_prefix(assets::FOLDER)
        .is_some_and(|file| file.starts_with('/'))
        || health::ROUTES.contains(&path)
}

/// Counts and times requests by route. Neither paths nor query strings are told: an invitation's
/// path lets in whoever reads it.
fn measure(method: &Method, route: Option<MatchedPath>, status: StatusCode, took: Duration) {
    let route = route.map_or_else(|| "other".to_owned(), |route| route.as_str().to_owned());
    tracing::debug!(%method, route, status = status.as_u16(), micros = took.as_micros() as u64, "answered");
    metrics::counter!("tidepool_requests_total", "status" => status.as_str().to_owned())
        .increment(1);
    metrics::histogram!("tidepool_request_seconds", "route" => route).record(took.as_secs_f64());
}
