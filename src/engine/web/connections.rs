//! Connections: accepted, limited, and closed when they are slow to send a request. In place of
//! `axum::serve`, which accepts any number and has no timeouts.
//!
//! HTTP/1.1 only: proxies and browsers speak it. The stream below an upgraded connection is exactly
//! `TokioIo<ClientStream>`, so a handler that upgrades can downcast to the socket itself.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::client_stream::{ClientStream, Lagging};
use super::page_cache::PageCache;
use crate::base::settings::Settings;
use crate::base::telemetry::refused;
use crate::engine::viewer::Address;

/// Of a request line and its headers. hyper allows a hundred headers.
const MAX_HEAD_BYTES: usize = 8 << 10;
/// That hyper reads ahead, and gathers of an answer before it waits for the client.
const MAX_BUFFER_BYTES: usize = 64 << 10;
/// Least time for the next request behind a proxy. Proxies keep idle connections for up to 120 s;
/// if the server closed one first, a request on its way would be lost.
const PROXY_IDLE_TIMEOUT: Duration = Duration::from_secs(130);
/// For a refused client to receive its answer.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);
/// Refused clients that are waited for at once; others are closed right after the answer.
const MAX_LINGERING: usize = 64;
/// After a failure to accept, such as too many open files: others have to close first.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// A refusal that no middleware sees, with the headers that [`super::csp`] gives to other answers,
/// as far as they mean something for a plain text.
macro_rules! refusal {
    ($status:literal, $text:literal) => {
        concat!(
            "HTTP/1.1 ",
            $status,
            "\r\nretry-after: 5\r\ncache-control: no-store\r\nconnection: close\r\n",
            "x-content-type-options: nosniff\r\nreferrer-policy: same-origin\r\n",
            "content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n",
            "content-type: text/plain; charset=utf-8\r\n\r\n",
            $text,
            "\n"
        )
    };
}

const SERVER_FULL: &str = refusal!(
    "503 Service Unavailable",
    "The server is full. Try again in a moment."
);
const ADDRESS_FULL: &str = refusal!(
    "429 Too Many Requests",
    "Too many connections from your address. Close some first."
);

/// A slot among the open connections, freed when its last clone is dropped. Requests that ask for
/// an upgrade carry it as an extension: the handler holds it as long as the upgraded connection.
#[derive(Clone)]
pub struct ConnectionPermit {
    _slot: Arc<Slot>,
}

struct Slot {
    open: Arc<OpenConnections>,
    network: Option<IpAddr>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.open.counts();
        counts.all -= 1;
        metrics::gauge!("tidepool_connections").set(counts.all as f64);
        if let Some(network) = self.network
            && let Some(theirs) = counts.by_network.get_mut(&network)
        {
            *theirs -= 1;
            if *theirs == 0 {
                counts.by_network.remove(&network);
            }
        }
    }
}

/// The open connections, counted.
struct OpenConnections {
    max: usize,
    /// Of one network; 0 when networks are not counted.
    max_of_network: usize,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    by_network: HashMap<IpAddr, usize>,
}

impl OpenConnections {
    fn new(settings: &Settings) -> Arc<Self> {
        metrics::gauge!("tidepool_connections").set(0.0);
        // A proxy's connections all come from one address; behind it, requests and sockets are
        // limited instead.
        let max_of_network = if settings.behind_proxy {
            0
        } else {
            settings.max_connections_per_address
        };
        Arc::new(Self {
            max: settings.max_connections,
            max_of_network,
            counts: Mutex::default(),
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A slot for a connection from this address.
    ///
    /// # Errors
    /// The limit that is reached, as `tidepool_refused_total` names it, and the answer.
    fn reserve(
        self: &Arc<Self>,
        peer: IpAddr,
    ) -> Result<ConnectionPermit, (&'static str, &'static str)> {
        let mut counts = self.counts();
        if counts.all >= self.max {
            return Err(("connections", SERVER_FULL));
        }
        let network = (self.max_of_network > 0).then(|| Address(peer).network());
        if let Some(network) = network {
            let theirs = counts.by_network.entry(network).or_default();
            if *theirs >= self.max_of_network {
                return Err(("connections_of_address", ADDRESS_FULL));
            }
            *theirs += 1;
        }
        counts.all += 1;
        metrics::gauge!("tidepool_connections").set(counts.all as f64);
        Ok(ConnectionPermit {
            _slot: Arc::new(Slot {
                open: self.clone(),
                network,
            }),
        })
    }
}

/// Serves until `stopping` changes. Then it closes idle connections at once and returns when the
/// others have ended. Upgraded connections are closed by their handlers.
pub async fn serve(
    listener: TcpListener,
    page_cache: PageCache,
    settings: &Settings,
    mut stopping: watch::Receiver<bool>,
) {
    let idle = Duration::from_secs(settings.head_seconds);
    let mut http = http1::Builder::new();
    // hyper has one timer for the head of a request and for the wait for the next one.
    http.timer(TokioTimer::new())
        .header_read_timeout(if settings.behind_proxy {
            idle.max(PROXY_IDLE_TIMEOUT)
        } else {
            idle
        })
        .max_buf_size(MAX_BUFFER_BYTES)
        .max_header_size(MAX_HEAD_BYTES);
    let lagging = Lagging::new(settings.behind_proxy);
    let open = OpenConnections::new(settings);
    let lingering = Arc::new(Semaphore::new(MAX_LINGERING));
    // Each connection holds a receiver, which notifies it of the end; `closed` waits until all
    // receivers are dropped.
    let (end, ended) = watch::channel(());
    loop {
        let (stream, peer) = tokio::select! {
            _ = stopping.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // The peer was gone before its connection was accepted.
                Err(error) if is_peer_gone(&error) => continue,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_RETRY_INTERVAL).await;
                    continue;
                }
            },
        };
        match open.reserve(peer.ip()) {
            Ok(permit) => {
                // No Nagle's algorithm: a frame must not wait for the acknowledgement of the one
                // before. If this fails, frames are only late.
                drop(stream.set_nodelay(true));
                let page_cache = page_cache.clone();
                // hyper holds this closure, and so the slot, as long as the connection.
                let answer = move |mut request: Request<Incoming>| {
                    let upgrades = request.headers().contains_key(header::UPGRADE);
                    if upgrades {
                        request.extensions_mut().insert(permit.clone());
                    }
                    let page_cache = page_cache.clone();
                    async move { page_cache.answer(request, peer).await }
                };
                let stream = TokioIo::new(ClientStream::new(stream, peer.ip(), &lagging));
                let connection = http.serve_connection(stream, service_fn(answer));
                tokio::spawn(serve_connection(connection.with_upgrades(), ended.clone()));
            }
            Err((why, answer)) => {
                refused(why);
                refuse(stream, answer, &lingering);
            }
        }
    }
    drop((listener, ended));
    end.send_replace(());
    end.closed().await;
}

/// Whether a failure to accept concerns that one connection only.
fn is_peer_gone(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Serves a connection to its end. Errors are not logged: clients may disconnect at any time.
async fn serve_connection<S>(
    connection: http1::UpgradeableConnection<TokioIo<ClientStream>, S>,
    mut ended: watch::Receiver<()>,
) where
    S: HttpService<Incoming, ResBody = Body, Error = Infallible>,
{
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        _ = ended.changed() => connection.as_mut().graceful_shutdown(),
    }
    drop(connection.await);
}

/// Answers and closes. Until then what the client sends is read and dropped: closing a socket with
/// unread bytes resets it, and the client would lose the answer.
fn refuse(mut stream: TcpStream, answer: &'static str, lingering: &Arc<Semaphore>) {
    // The empty send buffer of a new socket takes all of it; if not, the client gets no answer.
    drop(stream.try_write(answer.as_bytes()));
    let Ok(permit) = lingering.clone().try_acquire_owned() else {
        return;
    };
    tokio::spawn(async move {
        let _permit = permit;
        let taken = async {
            stream.shutdown().await?;
            let mut unread = [0; 1024];
            while stream.read(&mut unread).await? > 0 {}
            std::io::Result::Ok(())
        };
        drop(timeout(LINGER_TIMEOUT, taken).await);
    });
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::any;

    use super::*;
    use crate::base::settings::Profile;

    #[tokio::test]
    async fn upgraded_connection_is_tcp_and_keeps_its_slot() {
        let taken = any(async |mut request: Request<Body>| {
            let permit = request
                .extensions()
                .get::<ConnectionPermit>()
                .expect("a slot")
                .clone();
            tokio::spawn(async move {
                let upgraded = hyper::upgrade::on(&mut request)
                    .await
                    .expect("it is upgraded");
                let parts = upgraded
                    .downcast::<TokioIo<ClientStream>>()
                    .expect("exactly this");
                assert!(parts.read_buf.is_empty());
                let mut stream = parts.io.into_inner().into_inner();
                stream.write_all(b"hello").await.expect("it is open");
                // Until the client has seen that the next one is refused.
                drop(stream.read(&mut [0]).await);
                drop(permit);
            });
            (
                StatusCode::SWITCHING_PROTOCOLS,
                [(header::CONNECTION, "upgrade"), (header::UPGRADE, "test")],
            )
        });
        let mut settings = Settings::of(Profile::Development, Path::new("."));
        settings.max_connections = 1;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it has one");
        let (_stop, stopping) = watch::channel(false);
        let page_cache = PageCache::new(
            Router::new().route("/", taken),
            None,
            crate::engine::web::Hosts::new(&settings),
            &settings,
        );
        tokio::spawn(async move { serve(listener, page_cache, &settings, stopping).await });

        let mut client = TcpStream::connect(address).await.expect("a connection");
        client
            .write_all(
                b"GET / HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: test\r\n\r\n",
            )
            .await
            .expect("it is heard");
        let mut heard = Vec::new();
        while !heard.ends_with(b"hello") {
            assert!(
                client.read_buf(&mut heard).await.expect("an answer") > 0,
                "{}",
                String::from_utf8_lossy(&heard)
            );
        }
        let mut second = TcpStream::connect(address).await.expect("a connection");
        let mut answer = String::new();
        second.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    }
}
