//! `/live` for pages, `/live/data` for programs.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::upgrade::OnUpgrade;

use super::frame::{Encoding, Format};
use super::hub::Hub;
use super::rights::Rights;
use super::session::{self, MAX_FEEDS};
use super::socket_guard::{Server, SocketGuard, Upgrade};
use crate::base::error::{Error, Result};
use crate::engine::actions::Actions;
use crate::engine::bus::Bus;
use crate::engine::viewer::Viewer;
use crate::engine::web::{ConnectionPermit, into_std_stream, is_same_origin};
use crate::engine::websocket;

/// The two sockets.
pub(in crate::engine) fn routes(
    hub: Hub,
    bus: Bus,
    actions: Actions,
    rights: Arc<Rights>,
    version: &'static str,
) -> Router {
    let server = Arc::new(Server {
        hub,
        bus,
        actions,
        rights,
        version,
    });
    let page = async |server, viewer: Viewer, request| {
        open(Format::Html(viewer.lang), server, viewer, request)
    };
    let data = async |server, viewer, request| open(Format::Json, server, viewer, request);
    Router::new()
        .route("/live", get(page))
        .route("/live/data", get(data))
        .with_state(server)
}

fn open(
    format: Format,
    State(server): State<Arc<Server>>,
    viewer: Viewer,
    mut request: Request,
) -> Result<Response> {
    if !is_same_origin(request.headers()) {
        return Err(Error::Forbidden("error-other-site"));
    }
    let (answer, agreed) =
        match websocket::accept(request.method(), request.version(), request.headers()) {
            Ok(accepted) => accepted,
            Err(refused) => return Ok(refused.response().map(|()| Body::empty())),
        };
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Ok(StatusCode::UPGRADE_REQUIRED.into_response());
    };
    let wanted = wanted(request.uri().query().unwrap_or_default());
    let guard = SocketGuard::new(server.clone(), server.hub.open_socket(viewer)?);
    let permit = request.extensions_mut().remove::<ConnectionPermit>();
    let encoding = Encoding {
        format,
        window: agreed.deflate,
    };
    tokio::spawn(async move {
        // A peer may be gone before the handshake is answered; then there is nothing to serve.
        if let Ok(upgraded) = upgrade.await
            && let Some((stream, early)) = into_std_stream(upgraded)
        {
            let upgrade = Upgrade {
                stream,
                early,
                encoding,
                wanted,
                permit,
            };
            session::start(guard, upgrade);
        }
    });
    Ok(answer.map(|()| Body::empty()))
}

/// `feed=room/12@cursor&feed=…`: what a socket follows from the start. Parsed by hand because names
/// and cursors need no escapes. Feeds past the limit of a socket are ignored.
fn wanted(query: &str) -> Vec<(String, Option<String>)> {
    query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("feed="))
        .take(MAX_FEEDS)
        .map(|value| match value.split_once('@') {
            Some((feed, cursor)) => (feed.to_owned(), Some(cursor.to_owned())),
            None => (value.to_owned(), None),
        })
        .collect()
}
