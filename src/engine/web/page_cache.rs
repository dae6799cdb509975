//! The front: answers that still stand are given again before anything else is asked.
//!
//! A page that says what it was made from is kept as it left, for the very request it answered: the
//! same address, the same cookie, the same headers that an answer may vary by. While none of its
//! deps has changed it is sent again, or a 304 instead; nothing is read, rendered or compressed.
//! Who may see it counts among the deps, and the end of a session does, too, so the comparison is
//! the authorisation. Whatever else is asked goes on to the router.

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header,
};
use bytes::Bytes;
use hyper::body::Incoming;
use metrics::Counter;
use moka::sync::Cache;
use tower::Service;

use super::limits::Requests;
use super::page_parts::{CacheTag, Coding};
use super::wants::{Wants, is_navigation};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::base::settings::Settings;

/// How long an answer is kept at most. Less than feeds keep the cursors that pages name.
const CACHE_TTL: Duration = Duration::from_secs(240);
const MAX_BODY_BYTES: usize = 1 << 20; // bytes of a body that is kept
// Bytes an answer takes besides its key and body: headers, counters, pointers.
const OVERHEAD: usize = 2048;
/// What a 304 says; for the rest, what the browser has kept goes on to hold (RFC 9110, section
/// 15.4.5).
const OF_UNCHANGED: [HeaderName; 3] = [header::CACHE_CONTROL, header::ETAG, header::VARY];
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The router with the answers that stand before it. Cheap to clone.
#[derive(Clone)]
pub struct PageCache(Arc<Inner>);

struct Inner {
    router: Router,
    requests: Option<Arc<Requests>>,
    answers: Cache<Box<[u8]>, Arc<Answer>>,
    whole: Counter,
    unchanged: Counter,
}

struct Answer {
    cache_tag: CacheTag,
    headers: HeaderMap,
    /// Those of a 304.
    unchanged: HeaderMap,
    tag: HeaderValue,
    body: Bytes,
}

thread_local! {
    /// Keys are put together here, so that a hit takes no memory.
    static KEY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl PageCache {
    /// Puts answers before a router. `requests` is how often one may ask, which the router counts
    /// for what it answers.
    pub fn new(router: Router, requests: Option<Arc<Requests>>, settings: &Settings) -> Self {
        #[allow(clippy::borrowed_box, reason = "the cache's own type")]
        let weigh = |key: &Box<[u8]>, answer: &Arc<Answer>| {
            u32::try_from(key.len() + answer.body.len() + OVERHEAD).unwrap_or(u32::MAX)
        };
        let answers = Cache::builder()
            .weigher(weigh)
            .max_capacity((settings.cache_mib << 20) / 2)
            .time_to_live(CACHE_TTL)
            .build();
        let counter = |status| metrics::counter!("tidepool_requests_total", "status" => status);
        // Makes the routes ready once; otherwise each request would.
        let router = router.with_state(());
        Self(Arc::new(Inner {
            router,
            requests,
            answers,
            whole: counter("200"),
            unchanged: counter("304"),
        }))
    }

    /// Answers a request.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Infallible> {
        let asked = *request.method() == Method::GET;
        let may_be_known = asked || *request.method() == Method::HEAD;
        let known = if may_be_known {
            request.headers().get(header::IF_NONE_MATCH)
        } else {
            None
        };
        let key = if asked
            && request.headers().contains_key(header::COOKIE)
            && !request.headers().contains_key(header::UPGRADE)
        {
            let kept = KEY.with_borrow_mut(|key| {
                write_key(&request, key);
                self.0
                    .answers
                    .get(&key[..])
                    .ok_or_else(|| Box::<[u8]>::from(&key[..]))
            });
            match kept {
                Ok(answer)
                    if answer.cache_tag.snapshot.is_fresh()
                        && self.admits(answer.cache_tag.account) =>
                {
                    let is_known = known.is_some_and(|known| names(known, &answer.tag));
                    let counter = if is_known {
                        &self.0.unchanged
                    } else {
                        &self.0.whole
                    };
                    counter.increment(1);
                    return Ok(answer.given(is_known));
                }
                Ok(_) => Some(KEY.with_borrow(|key| key[..].into())),
                Err(key) => Some(key),
            }
        } else {
            None
        };
        let known = known.cloned();
        let mut response = self.0.router.clone().call(request).await?;
        if let (Some(cache_tag), Some(key)) = (response.extensions_mut().remove::<CacheTag>(), key)
        {
            response = self.keep(key, cache_tag, response).await;
        }
        if let (Some(known), StatusCode::OK, Some(tag)) = (
            known,
            response.status(),
            response.headers().get(header::ETAG),
        ) && names(&known, tag)
        {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = Body::empty();
            for header in [
                header::CONTENT_LENGTH,
                header::CONTENT_TYPE,
                header::CONTENT_ENCODING,
            ] {
                response.headers_mut().remove(header);
            }
        }
        Ok(response)
    }

    fn admits(&self, account: AccountId) -> bool {
        self.0
            .requests
            .as_ref()
            .is_none_or(|requests| requests.admits(account))
    }

    async fn keep(
        &self,
        key: Box<[u8]>,
        cache_tag: CacheTag,
        response: Response<Body>,
    ) -> Response<Body> {
        let (parts, body) = response.into_parts();
        // It is in memory already, in one piece.
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            return Response::new(Body::empty());
        };
        let fit = parts.status == StatusCode::OK
            && body.len() <= MAX_BODY_BYTES
            && !parts.headers.contains_key(header::SET_COOKIE);
        if let (true, Some(tag)) = (fit, parts.headers.get(header::ETAG).cloned()) {
            let mut headers = parts.headers.clone();
            headers.remove(REQUEST_ID);
            headers.remove(header::CONTENT_LENGTH);
            let unchanged = OF_UNCHANGED
                .iter()
                .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())))
                .collect();
            self.0.answers.insert(
                key,
                Arc::new(Answer {
                    cache_tag,
                    headers,
                    unchanged,
                    tag,
                    body: body.clone(),
                }),
            );
        }
        Response::from_parts(parts, Body::from(body))
    }
}

impl Answer {
    fn given(&self, is_known: bool) -> Response<Body> {
        let (body, headers) = if is_known {
            (Body::empty(), &self.unchanged)
        } else {
            (Body::from(self.body.clone()), &self.headers)
        };
        let mut response = Response::new(body);
        *response.headers_mut() = headers.clone();
        if let Ok(id) = HeaderValue::try_from(secrets::request_id()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        response
    }
}

/// Whether a list of entity tags names this one (RFC 9110, section 13.1.2; ours are all weak).
fn names(list: &HeaderValue, tag: &HeaderValue) -> bool {
    list.to_str().is_ok_and(|list| {
        list.split(',')
            .any(|one| one.trim().as_bytes() == tag.as_bytes())
    })
}

/// Everything that an answer may depend on.
fn write_key<B>(request: &Request<B>, key: &mut Vec<u8>) {
    let headers = request.headers();
    key.clear();
    key.extend([
        Coding::of(headers) as u8,
        Wants::of(headers) as u8,
        u8::from(is_navigation(headers)),
    ]);
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    key.extend(target.as_bytes());
    // No header holds a line feed.
    for name in [header::COOKIE, header::ACCEPT_LANGUAGE] {
        for value in headers.get_all(name) {
            key.push(b'\n');
            key.extend(value.as_bytes());
        }
        key.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(target: &str, headers: &[(&'static str, &'static str)]) -> Vec<u8> {
        let mut request = Request::get(target).body(()).unwrap();
        for (name, value) in headers {
            request
                .headers_mut()
                .append(*name, HeaderValue::from_static(value));
        }
        let mut key = Vec::new();
        write_key(&request, &mut key);
        key
    }

    #[test]
    fn answers_are_for_the_request_they_answered() {
        let requests = [
            key("/rooms/1", &[("cookie", "a")]),
            key("/rooms/2", &[("cookie", "a")]),
            key("/rooms/1?", &[("cookie", "a")]),
            key("/rooms/1", &[("cookie", "b")]),
            key("/rooms/1", &[("cookie", "a"), ("cookie", "b")]),
            key("/rooms/1", &[("cookie", "a"), ("accept-language", "b")]),
            key("/rooms/1", &[("cookie", "a"), ("accept-encoding", "gzip")]),
            key(
                "/rooms/1",
                &[("cookie", "a"), ("accept-encoding", "gzip, br")],
            ),
            key("/rooms/1", &[("cookie", "a"), ("hx-request", "true")]),
            key(
                "/rooms/1",
                &[
                    ("cookie", "a"),
                    ("hx-request", "true"),
                    ("hx-boosted", "true"),
                ],
            ),
            key(
                "/rooms/1",
                &[("cookie", "a"), ("accept", "application/json")],
            ),
        ];
        for (place, one) in requests.iter().enumerate() {
            assert!(
                !requests[..place].contains(one),
                "{place} has the key of another"
            );
        }
        assert_eq!(
            key("/rooms/1", &[("cookie", "a"), ("x-other", "1")]),
            requests[0]
        );
    }
}
