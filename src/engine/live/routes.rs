//! `/live` for pages, `/live/data` for programs.

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::get;

use super::hub::Hub;
use super::session::{MOST_FEEDS, Server, Speech, serve};
use crate::base::error::{Error, Result};
use crate::engine::actions::Actions;
use crate::engine::bus::Bus;
use crate::engine::viewer::Viewer;
use crate::engine::web::ConnectionPermit;

const LARGEST: usize = 64 << 10; // bytes of one message from a client
const BUFFER: usize = 4 << 10; // bytes of a socket's read and write buffer; the library's own default is 128 KiB
const UNSENT: usize = 8 << 20; // bytes that may wait inside the library before a write fails: more than the largest message

/// The two sockets.
pub fn routes(hub: Hub, bus: Bus, actions: Actions, version: &'static str) -> Router {
    let server = Arc::new(Server { hub, bus, actions, version });
    Router::new()
        .route(
            "/live",
            get(|state, viewer, headers, query, permit, upgrade| open(Speech::Html, state, viewer, headers, query, permit, upgrade)),
        )
        .route(
            "/live/data",
            get(|state, viewer, headers, query, permit, upgrade| open(Speech::Json, state, viewer, headers, query, permit, upgrade)),
        )
        .with_state(server)
}

async fn open(
    speech: Speech,
    State(server): State<Arc<Server>>,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    permit: Option<Extension<ConnectionPermit>>,
    upgrade: WebSocketUpgrade,
) -> Result<Response> {
    if !is_same_origin(&headers) {
        return Err(Error::Forbidden("error-other-site"));
    }
    let wanted = wanted(query.as_deref().unwrap_or_default());
    let socket = server.hub.open(viewer)?;
    let hub = server.hub.clone();
    let failed = socket.clone();
    Ok(upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(UNSENT)
        .max_message_size(LARGEST)
        .max_frame_size(LARGEST)
        .on_failed_upgrade(move |_| hub.closed(&failed))
        .on_upgrade(async move |ws| {
            serve(ws, server, socket, speech, wanted).await;
            // The connection counts as long as its socket is open.
            drop(permit);
        }))
}

/// Browsers send cookies along with sockets that other sites open, but always with the `Origin` too. Programs send none.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let (Ok(origin), Some(Ok(host))) = (origin.to_str(), headers.get(header::HOST).map(|host| host.to_str())) else { return false };
    origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}

/// `feed=room/12@cursor&feed=…`: what a socket follows from its first moment on. Read by hand because names and
/// cursors need no escapes. Feeds past what a socket may follow are passed over.
fn wanted(query: &str) -> Vec<(String, Option<String>)> {
    query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("feed="))
        .take(MOST_FEEDS)
        .map(|value| match value.split_once('@') {
            Some((feed, cursor)) => (feed.to_owned(), Some(cursor.to_owned())),
            None => (value.to_owned(), None),
        })
        .collect()
}
