//! The page cache: in front of the router, it answers with pages that are still fresh.
//!
//! A page with dependencies (a [`CacheTag`]) is cached as it was sent. Its key is everything in the
//! request that it may depend on: the address, the cookie, the headers that it varies by, and the
//! network that it came from, which may be banned. While
//! none of its dependencies has changed it is sent again, or a 304 instead; nothing is read,
//! rendered or compressed. The viewer's rights and the session are among the dependencies, so
//! freshness is also the authorisation. Every other request goes on to the router.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header,
};
use bytes::Bytes;
use hyper::body::Incoming;
use metrics::Counter;
use moka::sync::Cache;
use tower::Service;

use super::client_address::find_client_address;
use super::content_coding::Coding;
use super::finish::{CacheTag, take_cache_tag};
use super::hosts::Hosts;
use super::request_limit::RequestLimiter;
use super::wants::{Wants, is_navigation};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::base::settings::Settings;
use crate::engine::viewer::Address;

/// Below the 300 s for which a feed without followers knows the cursors that pages name.
const PAGE_TTL: Duration = Duration::from_secs(240);
/// Larger bodies are not kept.
const MAX_CACHED_BODY_BYTES: usize = 1 << 20;
/// Estimate of the bytes of an answer besides its key and body: headers, counters, pointers.
const OVERHEAD_BYTES: usize = 2048;
/// Headers of a 304. The browser keeps its own values of all others (RFC 9110, section 15.4.5).
const NOT_MODIFIED_HEADERS: [HeaderName; 3] = [header::CACHE_CONTROL, header::ETAG, header::VARY];
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The cache and the router behind it. Cheap to clone.
#[derive(Clone)]
pub struct PageCache(Arc<Inner>);

struct Inner {
    router: Router,
    requests: Option<Arc<RequestLimiter>>,
    hosts: Hosts,
    behind_proxy: bool,
    answers: Cache<Box<[u8]>, Arc<Answer>>,
    /// Hits answered with 200, as requests are counted.
    sent: Counter,
    /// Hits answered with 304.
    not_modified: Counter,
}

struct Answer {
    cache_tag: CacheTag,
    headers: HeaderMap,
    /// [`NOT_MODIFIED_HEADERS`] of them.
    not_modified_headers: HeaderMap,
    etag: HeaderValue,
    body: Bytes,
}

thread_local! {
    /// Buffer for keys, so that a hit does not allocate one.
    static KEY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl PageCache {
    /// A cache in front of `router`. `requests` is the rate limit that the router counts its own
    /// requests by; hits count, too.
    /// Requests for another host than `hosts` allow are not answered here.
    pub fn new(
        router: Router,
        requests: Option<Arc<RequestLimiter>>,
        hosts: Hosts,
        settings: &Settings,
    ) -> Self {
        #[allow(clippy::borrowed_box, reason = "the cache's own type")]
        let weigh = |key: &Box<[u8]>, answer: &Arc<Answer>| {
            u32::try_from(key.len() + answer.body.len() + OVERHEAD_BYTES).unwrap_or(u32::MAX)
        };
        let answers = Cache::builder()
            .weigher(weigh)
            .max_capacity((settings.cache_mib << 20) / 2)
            .time_to_live(PAGE_TTL)
            .build();
        let counter = |status| metrics::counter!("tidepool_requests_total", "status" => status);
        // Once, instead of for each request.
        let router = router.with_state(());
        Self(Arc::new(Inner {
            router,
            requests,
            hosts,
            behind_proxy: settings.behind_proxy,
            answers,
            sent: counter("200"),
            not_modified: counter("304"),
        }))
    }

    /// Answers a request of the client at `peer`.
    pub(super) async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response<Body>, Infallible> {
        request.extensions_mut().insert(ConnectInfo(peer));
        let is_get = *request.method() == Method::GET;
        let known_etags = if is_get || *request.method() == Method::HEAD {
            request.headers().get(header::IF_NONE_MATCH)
        } else {
            None
        };
        let key = if is_get
            && request.headers().contains_key(header::COOKIE)
            && !request.headers().contains_key(header::UPGRADE)
            && self.0.hosts.allows(request.headers(), request.uri())
        {
            let found = KEY.with_borrow_mut(|key| {
                write_key(&request, self.0.behind_proxy, key);
                self.0
                    .answers
                    .get(&key[..])
                    .ok_or_else(|| Box::<[u8]>::from(&key[..]))
            });
            match found {
                Ok(answer)
                    if answer.cache_tag.snapshot.is_fresh()
                        && self.admits(answer.cache_tag.account) =>
                {
                    let is_known = known_etags.is_some_and(|known| lists(known, &answer.etag));
                    let counter = if is_known {
                        &self.0.not_modified
                    } else {
                        &self.0.sent
                    };
                    counter.increment(1);
                    return Ok(answer.response(is_known));
                }
                Ok(_) => Some(KEY.with_borrow(|key| key[..].into())),
                Err(key) => Some(key),
            }
        } else {
            None
        };
        let known_etags = known_etags.cloned();
        let mut response = self.0.router.clone().call(request).await?;
        if let (Some(cache_tag), Some(key)) = (take_cache_tag(&mut response), key) {
            response = self.keep(key, cache_tag, response).await;
        }
        if let (Some(known), StatusCode::OK, Some(etag)) = (
            known_etags,
            response.status(),
            response.headers().get(header::ETAG),
        ) && lists(&known, etag)
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
        // `finish` made it in memory, in one piece; compression lets it through.
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            return Response::new(Body::empty());
        };
        let is_fit = parts.status == StatusCode::OK
            && body.len() <= MAX_CACHED_BODY_BYTES
            && !parts.headers.contains_key(header::SET_COOKIE);
        if let (true, Some(etag)) = (is_fit, parts.headers.get(header::ETAG).cloned()) {
            let mut headers = parts.headers.clone();
            headers.remove(REQUEST_ID);
            headers.remove(header::CONTENT_LENGTH);
            let not_modified_headers = NOT_MODIFIED_HEADERS
                .iter()
                .filter_map(|name| Some((name.clone(), headers.get(name)?.clone())))
                .collect();
            self.0.answers.insert(
                key,
                Arc::new(Answer {
                    cache_tag,
                    headers,
                    not_modified_headers,
                    etag,
                    body: body.clone(),
                }),
            );
        }
        Response::from_parts(parts, Body::from(body))
    }
}

impl Answer {
    /// As a 304 when the browser's copy `is_known` to be the same.
    fn response(&self, is_known: bool) -> Response<Body> {
        let (body, headers) = if is_known {
            (Body::empty(), &self.not_modified_headers)
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

/// Whether `If-None-Match` lists this entity tag (RFC 9110, section 13.1.2; ours are all weak).
fn lists(list: &HeaderValue, etag: &HeaderValue) -> bool {
    list.to_str().is_ok_and(|list| {
        list.split(',')
            .any(|one| one.trim().as_bytes() == etag.as_bytes())
    })
}

/// Writes everything of a request that a page may depend on.
fn write_key<B>(request: &Request<B>, behind_proxy: bool, key: &mut Vec<u8>) {
    let headers = request.headers();
    key.clear();
    key.extend([
        Coding::from_headers(headers) as u8,
        Wants::from_headers(headers) as u8,
        u8::from(is_navigation(headers)),
    ]);
    match find_client_address(request, behind_proxy).map(|found| Address(found).network()) {
        Some(IpAddr::V4(v4)) => key.extend(v4.octets()),
        Some(IpAddr::V6(v6)) => key.extend(v6.octets()),
        None => {}
    }
    key.push(b'\n');
    let target = request
        .uri()
        .path_and_query()
        .map_or("", |target| target.as_str());
    key.extend(target.as_bytes());
    // A separator: no header has a line feed in it.
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
        write_key(&request, true, &mut key);
        key
    }

    #[test]
    fn key_covers_all_that_a_page_varies_by() {
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
            key(
                "/rooms/1",
                &[("cookie", "a"), ("x-forwarded-for", "192.0.2.1")],
            ),
        ];
        for (index, one) in requests.iter().enumerate() {
            assert!(
                !requests[..index].contains(one),
                "request {index} has the key of another"
            );
        }
        assert_eq!(
            key("/rooms/1", &[("cookie", "a"), ("x-other", "1")]),
            requests[0]
        );
    }
}
