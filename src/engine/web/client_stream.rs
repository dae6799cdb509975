//! The stream of a connection: its answers have to be taken. A client that does not read keeps what
//! it was sent in memory, so few may lag at once, and none for long.

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use crate::base::places::{Place, Places};
use crate::base::telemetry::refused;
use crate::engine::viewer::Address;

/// For a client to take the next bytes of an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
/// On average while it lags: a client that trickles keeps its answer for hours.
const MIN_BYTES_PER_SECOND: u64 = 2 << 10;
/// Connections of one network that lag behind their answers. Not counted behind a proxy.
const MAX_LAGGING_PER_ADDRESS: usize = 128;
/// Connections in all that lag behind their answers, each with half a megabyte at most.
const MAX_LAGGING: usize = 768;

/// The connections that lag behind their answers. Cheap to clone.
#[derive(Clone)]
pub(super) struct Lagging {
    by_network: Option<Places<IpAddr>>,
    all: Arc<Semaphore>,
}

impl Lagging {
    pub(super) fn new(behind_proxy: bool) -> Self {
        Self {
            by_network: (!behind_proxy).then(Places::default),
            all: Arc::new(Semaphore::new(MAX_LAGGING)),
        }
    }

    fn take(&self, network: IpAddr) -> Option<LagPermit> {
        let place = match &self.by_network {
            Some(places) => Some(places.take(network, MAX_LAGGING_PER_ADDRESS)?),
            None => None,
        };
        let permit = self.all.clone().try_acquire_owned().ok()?;
        Some((place, permit))
    }
}

type LagPermit = (Option<Place<IpAddr>>, OwnedSemaphorePermit);

/// While the client has not taken what was sent.
struct Lag {
    since: Instant,
    written: u64,
    /// Ends when the client takes nothing.
    timeout: Pin<Box<Sleep>>,
    _permit: LagPermit,
}

/// A TCP stream whose writes fail when the client does not read.
pub(in crate::engine) struct ClientStream {
    stream: TcpStream,
    lagging: Lagging,
    network: IpAddr,
    lag: Option<Lag>,
}

impl ClientStream {
    pub(super) fn new(stream: TcpStream, peer: IpAddr, lagging: &Lagging) -> Self {
        Self {
            stream,
            lagging: lagging.clone(),
            network: Address(peer).network(),
            lag: None,
        }
    }

    /// The stream itself, for an upgraded connection, which has limits of its own.
    pub(in crate::engine) fn into_inner(self) -> TcpStream {
        self.stream
    }

    /// Follows the result of a write.
    fn follow(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Ready(Ok(bytes)) => {
                if let Some(lag) = &mut self.lag {
                    lag.written += bytes as u64;
                    lag.timeout.as_mut().reset(Instant::now() + WRITE_TIMEOUT);
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Pending => {
                ready!(self.poll_lag(context))?;
                Poll::Pending
            }
            failed => failed,
        }
    }

    /// Ready with an error when the client lags too far, ready with nothing else.
    fn poll_lag(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let refuse = |why| {
            refused(why);
            Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
        };
        if self.lag.is_none() {
            let Some(permit) = self.lagging.take(self.network) else {
                return refuse("lagging");
            };
            self.lag = Some(Lag {
                since: Instant::now(),
                written: 0,
                timeout: Box::pin(sleep(WRITE_TIMEOUT)),
                _permit: permit,
            });
        }
        let Some(lag) = &mut self.lag else {
            return Poll::Ready(Ok(()));
        };
        let counted = lag.since.elapsed().saturating_sub(WRITE_TIMEOUT).as_secs();
        let is_too_slow = lag.written < counted * MIN_BYTES_PER_SECOND;
        if is_too_slow || lag.timeout.as_mut().poll(context).is_ready() {
            return refuse("not_reading");
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.follow(context, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.follow(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Called when all of an answer is written: the client lags no longer.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.lag = None;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
