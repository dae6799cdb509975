//! Connections: taken in, counted, and given up when they dawdle. In place of `axum::serve`, which
//! takes in any number and waits for ever.
//!
//! HTTP/1.1 only: a proxy speaks it, and so does every browser that comes directly. The stream
//! below an upgraded connection is exactly `TokioIo<TcpStream>`, so whoever upgrades can have the
//! socket itself by downcasting.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::page_cache::PageCache;
use crate::base::settings::Settings;
use crate::base::telemetry::refused;
use crate::engine::viewer::Address;

// Bytes of a request line and its headers, of which there may be a hundred.
const MAX_HEAD_BYTES: usize = 32 << 10;
// Proxies keep idle connections for up to 120 s; who closes first loses requests.
const PROXY_IDLE_TIMEOUT: Duration = Duration::from_secs(130);
// How long a refused client has to take its answer.
const LINGER_TIMEOUT: Duration = Duration::from_secs(1);
// Refused clients that get this time; the others get the answer and no time.
const MAX_LINGERING: usize = 64;
// After a failure to accept, such as no more files: others have to close first.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_secs(1);

const SERVER_FULL: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncache-control: no-store\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\n\r\nThe server is full. Try again in a moment.\n";
const ADDRESS_FULL: &str = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 5\r\ncache-control: no-store\r\nconnection: close\r\n\
    content-type: text/plain; charset=utf-8\r\n\r\nToo many connections from your address. Close some first.\n";

/// A place among the open connections, given back when its last clone is dropped. The requests of a
/// connection that may be upgraded carry it as an extension: whoever upgrades keeps it as long as
/// the connection.
#[derive(Clone)]
pub struct ConnectionPermit {
    _place: Arc<Place>,
}

struct Place {
    open: Arc<Open>,
    network: Option<IpAddr>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.open.counts();
        counts.all -= 1;
        metrics::gauge!("tidepool_connections").set(counts.all as f64);
        if let Some(network) = self.network
            && let Some(theirs) = counts.of.get_mut(&network)
        {
            *theirs -= 1;
            if *theirs == 0 {
                counts.of.remove(&network);
            }
        }
    }
}

/// The open connections, counted.
struct Open {
    most: usize,
    /// Not counted by address when 0.
    most_of_one: usize,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    of: HashMap<IpAddr, usize>,
}

impl Open {
    fn new(settings: &Settings) -> Arc<Self> {
        metrics::gauge!("tidepool_connections").set(0.0);
        // A proxy's connections all come from one address; behind it, requests and sockets are
        // limited instead.
        let most_of_one = if settings.behind_proxy {
            0
        } else {
            settings.max_connections_per_address
        };
        Arc::new(Self {
            most: settings.max_connections,
            most_of_one,
            counts: Mutex::default(),
        })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection from this address, or why there is none and what to answer.
    fn enter(
        self: &Arc<Self>,
        peer: IpAddr,
    ) -> Result<ConnectionPermit, (&'static str, &'static str)> {
        let mut counts = self.counts();
        if counts.all >= self.most {
            return Err(("connections", SERVER_FULL));
        }
        let network = (self.most_of_one > 0).then(|| Address(peer).network());
        if let Some(network) = network {
            let theirs = counts.of.entry(network).or_default();
            if *theirs >= self.most_of_one {
                return Err(("connections_of_address", ADDRESS_FULL));
            }
            *theirs += 1;
        }
        counts.all += 1;
        metrics::gauge!("tidepool_connections").set(counts.all as f64);
        Ok(ConnectionPermit {
            _place: Arc::new(Place {
                open: self.clone(),
                network,
            }),
        })
    }
}

/// Serves until `stopping` changes; then idle connections end at once, and it returns when the
/// others have, too. Upgraded connections are their keepers' to end.
pub async fn serve(
    listener: TcpListener,
    front: PageCache,
    settings: &Settings,
    mut stopping: watch::Receiver<bool>,
) {
    let idle = Duration::from_secs(settings.head_seconds);
    let mut http = http1::Builder::new();
    // The same time for a head and for the next request on a connection kept alive: hyper has one
    // timer for both.
    http.timer(TokioTimer::new())
        .header_read_timeout(if settings.behind_proxy {
            idle.max(PROXY_IDLE_TIMEOUT)
        } else {
            idle
        })
        .max_header_size(MAX_HEAD_BYTES);
    let open = Open::new(settings);
    let lingering = Arc::new(Semaphore::new(MAX_LINGERING));
    // Every connection has a receiver: it hears of the end, and is waited for until it has dropped
    // it.
    let (end, ended) = watch::channel(());
    loop {
        let (stream, peer) = tokio::select! {
            _ = stopping.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // Gone before it was taken in.
                Err(error) if matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) => continue,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_RETRY_INTERVAL).await;
                    continue;
                }
            },
        };
        match open.enter(peer.ip()) {
            Ok(permit) => {
                // A frame must not wait for the acknowledgement of the one before it. Only a delay
                // if it fails.
                drop(stream.set_nodelay(true));
                let front = front.clone();
                // The connection's place is held as long as hyper has this.
                let answer = move |mut request: Request<Incoming>| {
                    let upgrades = request.headers().contains_key(header::UPGRADE);
                    let extensions = request.extensions_mut();
                    extensions.insert(ConnectInfo(peer));
                    if upgrades {
                        extensions.insert(permit.clone());
                    }
                    let front = front.clone();
                    async move { front.answer(request).await }
                };
                let connection = http.serve_connection(TokioIo::new(stream), service_fn(answer));
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

/// Sees a connection through. How it ends is no news: clients come and go as they like.
async fn serve_connection<S>(
    connection: http1::UpgradeableConnection<TokioIo<TcpStream>, S>,
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

/// Says why not, and closes. What the client sends meanwhile is thrown away unread: closing with it
/// unread would take the answer away from under its eyes.
fn refuse(mut stream: TcpStream, answer: &'static str, lingering: &Arc<Semaphore>) {
    // An empty send buffer takes all of it. Who cannot be told is closed all the same.
    drop(stream.try_write(answer.as_bytes()));
    let Ok(place) = lingering.clone().try_acquire_owned() else {
        return;
    };
    tokio::spawn(async move {
        let _place = place;
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
    async fn an_upgraded_connection_is_a_tcp_stream_and_keeps_its_place() {
        let taken = any(async |mut request: Request<Body>| {
            let permit = request
                .extensions()
                .get::<ConnectionPermit>()
                .expect("a place")
                .clone();
            tokio::spawn(async move {
                let upgraded = hyper::upgrade::on(&mut request)
                    .await
                    .expect("it is upgraded");
                let parts = upgraded
                    .downcast::<TokioIo<TcpStream>>()
                    .expect("exactly this");
                assert!(parts.read_buf.is_empty());
                let mut stream = parts.io.into_inner();
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
        let front = PageCache::new(Router::new().route("/", taken), None, &settings);
        tokio::spawn(async move { serve(listener, front, &settings, stopping).await });

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
