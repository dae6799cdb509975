//! The TCP port of voice, for networks that let no UDP through: datagrams with their length before
//! each (RFC 4571), as ICE over TCP has them (RFC 6544).

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use bytes::{BufMut, Bytes, BytesMut};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use crate::engine::viewer::Address;

/// Of a datagram; browsers send less than 1,500.
const MAX_FRAME_BYTES: usize = 2_048;
/// Open connections. Further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 1_000;
/// Open connections of one address, or one /64 of IPv6. Further ones are closed at once.
const MAX_CONNECTIONS_PER_ADDRESS: usize = 100;
/// Datagrams that wait to be sent on one connection. Further ones are lost, as on UDP.
const MAX_WAITING: usize = 256;
/// Datagrams of all connections that wait to be handled.
const MAX_RECEIVED: usize = 1_024;
/// How long a connection may say nothing: browsers ask every few seconds whether it still stands.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the first datagram may take.
const FIRST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a peer may take nothing.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// A listener that takes IPv6 and IPv4 where the system has both.
///
/// # Errors
/// When the port is taken.
pub(super) fn bind(port: u16) -> io::Result<TcpListener> {
    let bound = |domain, address: SocketAddr| -> io::Result<Socket> {
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        if domain == Domain::IPV6 {
            socket.set_only_v6(false)?;
        }
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(128)?;
        Ok(socket)
    };
    let both = bound(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, port).into());
    let socket = both.or_else(|_| bound(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, port).into()))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// The port in use.
pub(super) struct TcpSide {
    news: mpsc::Receiver<News>,
    connections: HashMap<SocketAddr, Connection>,
}

struct Connection {
    outgoing: mpsc::Sender<Bytes>,
    is_known: bool,
}

enum News {
    Opened(SocketAddr, mpsc::Sender<Bytes>),
    Frame(SocketAddr, Bytes),
    Closed(SocketAddr),
}

impl TcpSide {
    pub(super) fn new(listener: TcpListener) -> Result<Self> {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (sender, news) = mpsc::channel(MAX_RECEIVED);
        tokio::spawn(accept_all(listener, sender));
        Ok(Self {
            news,
            connections: HashMap::new(),
        })
    }

    /// The next datagram and where it came from.
    pub(super) async fn next(&mut self) -> (SocketAddr, Bytes) {
        loop {
            match self.news.recv().await {
                Some(News::Opened(source, outgoing)) => {
                    let connection = Connection {
                        outgoing,
                        is_known: false,
                    };
                    self.connections.insert(source, connection);
                }
                Some(News::Frame(source, bytes)) => return (source, bytes),
                Some(News::Closed(source)) => drop(self.connections.remove(&source)),
                None => std::future::pending().await,
            }
        }
    }

    /// A connection whose first datagram is for nobody is closed.
    pub(super) fn judge(&mut self, source: SocketAddr, is_known: bool) {
        if let Some(connection) = self.connections.get_mut(&source) {
            connection.is_known |= is_known;
            if !connection.is_known {
                self.connections.remove(&source);
            }
        }
    }

    /// Sends a datagram on the connection to a peer, if there is one and it keeps up.
    pub(super) fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        let Some(connection) = self.connections.get(&to) else {
            return;
        };
        let Ok(length) = u16::try_from(bytes.len()) else {
            return;
        };
        let mut frame = BytesMut::with_capacity(2 + bytes.len());
        frame.put_u16(length);
        frame.put_slice(bytes);
        drop(connection.outgoing.try_send(frame.freeze()));
    }
}

async fn accept_all(listener: tokio::net::TcpListener, news: mpsc::Sender<News>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let open = OpenConnections::default();
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let (stream, source) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection of voice was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let source = SocketAddr::new(source.ip().to_canonical(), source.port());
        let Some(counted) = open.add(Address(source.ip()).network()) else {
            continue;
        };
        let news = news.clone();
        tokio::spawn(async move {
            serve(stream, source, &news).await;
            drop(news.send(News::Closed(source)).await);
            drop((counted, place));
        });
    }
}

/// How many connections each network has open. Cheap to clone.
#[derive(Clone, Default)]
struct OpenConnections(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl OpenConnections {
    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts one more until that is dropped; nothing when there are too many.
    fn add(&self, network: IpAddr) -> Option<Counted> {
        let mut counts = self.counts();
        let count = counts.entry(network).or_default();
        if *count >= MAX_CONNECTIONS_PER_ADDRESS {
            return None;
        }
        *count += 1;
        Some(Counted(self.clone(), network))
    }
}

/// One connection that is counted.
struct Counted(OpenConnections, IpAddr);

impl Drop for Counted {
    fn drop(&mut self) {
        let mut counts = self.0.counts();
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

/// Reads and writes until either side ends, or the server lets go of the connection.
async fn serve(stream: TcpStream, source: SocketAddr, news: &mpsc::Sender<News>) {
    drop(stream.set_nodelay(true));
    let (mut reader, writer) = stream.into_split();
    let Ok(Some(first)) = timeout(FIRST_TIMEOUT, read_frame(&mut reader)).await else {
        return;
    };
    let (outgoing, waiting) = mpsc::channel(MAX_WAITING);
    if news.send(News::Opened(source, outgoing)).await.is_err()
        || news.send(News::Frame(source, first)).await.is_err()
    {
        return;
    }
    let reading = async {
        while let Ok(Some(frame)) = timeout(IDLE_TIMEOUT, read_frame(&mut reader)).await {
            if news.send(News::Frame(source, frame)).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = reading => {}
        () = write_all(writer, waiting) => {}
    }
}

async fn write_all(mut writer: OwnedWriteHalf, mut waiting: mpsc::Receiver<Bytes>) {
    let mut batch = BytesMut::new();
    while let Some(frame) = waiting.recv().await {
        batch.put(frame);
        while let Ok(frame) = waiting.try_recv() {
            batch.put(frame);
        }
        match timeout(WRITE_TIMEOUT, writer.write_all(&batch)).await {
            Ok(Ok(())) => batch.clear(),
            _ => return,
        }
    }
}

/// The next datagram; nothing at the end, and for one that is too long.
async fn read_frame(reader: &mut OwnedReadHalf) -> Option<Bytes> {
    let length = usize::from(reader.read_u16().await.ok()?);
    if length > MAX_FRAME_BYTES {
        return None;
    }
    let mut frame = vec![0; length];
    reader.read_exact(&mut frame).await.ok()?;
    Some(frame.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_one_network_are_bounded_and_counted_down() {
        let open = OpenConnections::default();
        let network = Ipv4Addr::new(192, 0, 2, 1).into();
        let mut all: Vec<Counted> = (0..MAX_CONNECTIONS_PER_ADDRESS)
            .map(|_| open.add(network).expect("has a place"))
            .collect();
        assert!(open.add(network).is_none());
        assert!(open.add(Ipv4Addr::new(192, 0, 2, 2).into()).is_some());
        all.pop();
        assert!(open.add(network).is_some());
        drop(all);
        assert!(open.counts().is_empty());
    }
}
