//! The layers every request passes, outermost last in the list of `assemble`.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tower::util::option_layer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;

use super::front::{Front, REQUEST_ID};
use super::{Health, act, assets, errors, limits, parts, unread};
use crate::base::error::Error;
use crate::base::locale::Lang;
use crate::base::secrets;
use crate::base::settings::Settings;
use crate::engine::viewer::Address;
use crate::engine::{Engine, Started, files};

const LARGEST_FORM: usize = 384 << 10; // bytes of a form: the largest message, every byte of it escaped
const SLOWEST: Duration = Duration::from_secs(20); // how long a request may be in work

/// Name of one request, in its answer, its log lines and its error page.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Puts everything together: the modules' routes inside, then who is asking (`guard`), then what all answers share.
pub fn assemble(engine: &Engine, started: Started, health: Health, guard: impl FnOnce(Router) -> Router) -> Front {
    let (pages, requests) = (started.routes.clone(), started.requests.clone());
    let answered = started
        .routes
        .fallback(|| async { Error::NotFound })
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, SLOWEST))
        // Files take as long as they take; these have bounds of their own.
        .merge(
            act::routes(started.actions, engine.files.clone(), pages)
                .merge(files::routes(engine.files.clone()))
                .layer(from_fn(unread::hear_out)),
        )
        .layer(CatchPanicLayer::custom(|_| Error::Internal(anyhow::anyhow!("a handler panicked")).into_response()))
        .layer(CsrfLayer::new())
        .layer(option_layer(started.requests.map(|requests| from_fn_with_state(requests, limits::limit))))
        .layer(from_fn_with_state(engine.pages.clone(), errors::render));
    let settings = engine.settings.clone();
    let router = guard(answered)
        // Health and assets are answered however much else there is to do.
        .layer(from_fn_with_state(Arc::new(Semaphore::new(settings.max_requests)), limits::shed))
        .merge(health.routes())
        // Once more outside: the guard's own errors are worded and logged, too.
        .layer(from_fn_with_state(engine.pages.clone(), errors::render))
        .layer(from_fn(negotiate))
        .merge(assets::routes())
        .layer(from_fn(parts::finish))
        // Pages are small and made for one reader: the fastest level costs a third and sends a tenth more.
        .layer(
            CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(
                SizeAbove::new(1_400)
                    .and(NotForContentType::IMAGES)
                    .and(NotForContentType::const_new("video/"))
                    .and(NotForContentType::const_new("audio/"))
                    .and(NotForContentType::const_new("application/octet-stream")),
            ),
        )
        .layer(from_fn_with_state(settings.https, harden))
        .layer(from_fn(measure))
        .layer(from_fn_with_state(settings, identify));
    Front::new(router, requests, &engine.settings)
}

/// Names the request and finds out where it comes from.
async fn identify(State(settings): State<Arc<Settings>>, mut request: Request, next: Next) -> Response {
    let id = secrets::request_id();
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    // The last entry is the one our own proxy wrote; everything before it is hearsay.
    let forwarded = request
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok());
    let address = if settings.behind_proxy { forwarded.or(peer) } else { peer };
    request.extensions_mut().insert(Address(address.unwrap_or(IpAddr::from([0, 0, 0, 0]))));
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Counts and times requests by route. Neither paths nor query strings are logged: an invitation's path lets in whoever reads it.
async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let took = started.elapsed();
    let status = response.status().as_u16();
    tracing::debug!(%method, route, status, micros = took.as_micros() as u64, "answered");
    metrics::counter!("tidepool_requests_total", "status" => status.to_string()).increment(1);
    metrics::histogram!("tidepool_request_seconds", "route" => route).record(took.as_secs_f64());
    response
}

/// The language until an account's own choice is known.
async fn negotiate(mut request: Request, next: Next) -> Response {
    let accepts = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let lang = Lang::negotiate(None, accepts);
    request.extensions_mut().insert(lang);
    next.run(request).await
}

/// Headers that narrow what a browser lets a page do. No inline script or style, nothing from elsewhere, no framing.
async fn harden(State(https): State<bool>, request: Request, next: Next) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; font-src 'self'; \
        connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=(), payment=()"),
    ] {
        // A file says for itself what a browser may do with it, which is less.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    response
}
