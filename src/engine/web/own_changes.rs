//! With several instances: nobody is shown a page from before their own change, whichever instance
//! answers. See [`ClusterStatus`].
//!
//! Pages that are cached whole need nothing: the cookie is part of their key.

use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::response::Response;

use crate::engine::cluster::ClusterStatus;

/// Names the newest message of the instance that made the client's last change.
const COOKIE: &str = "tidepool-changed";
/// The same with https: no other host of the domain can set it.
const HTTPS_COOKIE: &str = "__Host-tidepool-changed";
/// Seconds after which every instance has heard of a change, or has read everything afresh.
const MAX_AGE: u32 = 10;
/// Longer values are none of ours.
const MAX_VALUE_BYTES: usize = 64;

/// Waits until this instance knows what the client has changed.
pub(super) async fn wait(cluster: &ClusterStatus, headers: &HeaderMap, https: bool) {
    if let Some(message) = named(headers, https) {
        cluster.wait_for(message).await;
    }
}

fn cookie_name(https: bool) -> &'static str {
    match https {
        true => HTTPS_COOKIE,
        false => COOKIE,
    }
}

fn named(headers: &HeaderMap, https: bool) -> Option<&str> {
    let name = cookie_name(https);
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'));
    let value = pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))?;
    (value.len() <= MAX_VALUE_BYTES).then_some(value)
}

/// Names the change in the answer to a request that may have made one.
pub(super) fn name(
    cluster: &ClusterStatus,
    method: &Method,
    https: bool,
    mut answer: Response,
) -> Response {
    let is_refused = answer.status().is_client_error();
    if method.is_safe() || is_refused {
        return answer;
    }
    if let Some(message) = cluster.newest_message() {
        let (name, secure) = (cookie_name(https), if https { "; Secure" } else { "" });
        let cookie =
            format!("{name}={message}; Path=/; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax{secure}");
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    answer
}
