//! Answers to those who are still sending.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use tokio::sync::Mutex;
use tokio::time::timeout;

const LINGER: Duration = Duration::from_secs(3); // how long is listened to what is sent in vain

/// Throws away, for a while, what still comes of a large body that was refused: browsers look for
/// an answer only when they have sent all, and closing with something unread takes the answer away
/// from under their eyes. Then the connection ends, and says so, for what is left of the body would
/// stand before the next request.
///
/// What `answer` holds is free as soon as it has answered, before the rest is thrown away.
pub(super) async fn drain_body(
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let is_form = |kind: &HeaderValue| kind.as_bytes().starts_with(b"multipart/form-data");
    let is_large = request.method() == Method::PATCH
        || request.headers().contains_key("x-http-method-override")
        || request
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(is_form);
    if !is_large {
        return answer(request).await;
    }
    let (head, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body.into_data_stream()));
    let handed = stream::unfold(body.clone(), |body| async move {
        let piece = body.lock().await.next().await?;
        Some((piece, body))
    });
    let mut response = answer(Request::from_parts(head, Body::from_stream(handed))).await;
    let mut body = body.lock().await;
    let patience = if response.status().is_success() {
        Duration::ZERO
    } else {
        LINGER
    };
    let ended = timeout(patience, async {
        while let Some(piece) = body.next().await {
            if piece.is_err() {
                return;
            }
        }
    });
    if ended.await.is_err() {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
