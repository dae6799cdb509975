//! Draining of refused bodies: answers to clients that are still sending their request.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::bodies::is_streamed;

/// For the rest of a refused body.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(3);

/// Answers a request, then reads and drops what is left of a large body that was refused. Browsers
/// read the answer only after they have sent everything, and closing a socket with unread bytes
/// resets it, which loses the answer. After [`DRAIN_TIMEOUT`] the connection is closed: the rest of
/// the body would be read as the next request.
///
/// `answer` is dropped before the body is drained: a slow client must not hold its permits.
pub(super) async fn drain_body(
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    if !is_streamed(&request) {
        return answer(request).await;
    }
    let (head, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body.into_data_stream()));
    let shared = stream::unfold(body.clone(), |body| async move {
        let piece = body.lock().await.next().await?;
        Some((piece, body))
    });
    let mut response = answer(Request::from_parts(head, Body::from_stream(shared))).await;
    let mut body = body.lock().await;
    let limit = if response.status().is_success() {
        Duration::ZERO
    } else {
        DRAIN_TIMEOUT
    };
    if !drain(&mut *body, limit).await {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Reads and drops what is left of a body that was refused as too large.
pub(super) async fn drain_refused(body: &mut BodyDataStream) {
    drain(body, DRAIN_TIMEOUT).await;
}

/// False when the body did not end in time.
async fn drain<E>(
    body: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    limit: Duration,
) -> bool {
    let ended = timeout(limit, async {
        while let Some(piece) = body.next().await {
            if piece.is_err() {
                return;
            }
        }
    });
    ended.await.is_ok()
}
