//! A WebSocket of a module's own, beside the sockets of feeds: whole messages in both directions.
//! Pings, closing and time limits are handled here.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::SEC_WEBSOCKET_EXTENSIONS;
use axum::response::{IntoResponse, Response};
use hyper::upgrade::OnUpgrade;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use super::connections::ConnectionPermit;
use super::upgrade::{into_std_stream, is_same_origin};
use crate::base::error::{Error, Result};
use crate::engine::websocket::{self, Fault, Inflater, Message, Reader, frames};

const PING_INTERVAL: Duration = Duration::from_secs(8);
/// Without a byte of the peer for so long, it is gone.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// For the peer to take a message.
const WRITE_TIMEOUT: Duration = Duration::from_secs(15);
const READ_BYTES: usize = 16 << 10;

thread_local! {
    /// Never used, since compression is not agreed; a reader asks for one.
    static INFLATER: RefCell<Inflater> = RefCell::new(Inflater::new());
}

/// A message of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerMessage {
    /// UTF-8.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

/// A connection that becomes a socket once its response is sent.
pub struct PendingSocket {
    upgrade: OnUpgrade,
    permit: Option<ConnectionPermit>,
    max_bytes: usize,
}

/// Answers a request for a WebSocket. `max_bytes`: of a message that it may send.
///
/// # Errors
/// `Forbidden` when the page of another site asks. A response without a socket when it is no
/// handshake.
pub fn accept_socket(
    mut request: Request,
    max_bytes: usize,
) -> Result<(Response, Option<PendingSocket>)> {
    if !is_same_origin(request.headers()) {
        return Err(Error::Forbidden("error-other-site"));
    }
    // Compression is not agreed: it would delay the echo of a key, and take memory per socket.
    request.headers_mut().remove(SEC_WEBSOCKET_EXTENSIONS);
    let accepted = websocket::accept(request.method(), request.version(), request.headers());
    let response = match accepted {
        Ok((response, _)) => response,
        Err(refused) => return Ok((refused.response().map(|()| Body::empty()), None)),
    };
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return Ok((StatusCode::UPGRADE_REQUIRED.into_response(), None));
    };
    let socket = PendingSocket {
        upgrade,
        permit: request.extensions_mut().remove(),
        max_bytes,
    };
    Ok((response.map(|()| Body::empty()), Some(socket)))
}

impl PendingSocket {
    /// Waits until the response is sent. `None` when the peer is gone.
    pub async fn open(self) -> Option<(SocketReader, SocketWriter)> {
        let upgraded = self.upgrade.await.ok()?;
        let (stream, early) = into_std_stream(upgraded)?;
        let stream = TcpStream::from_std(stream).ok()?;
        // A key that is echoed waits for nothing.
        drop(stream.set_nodelay(true));
        let (read, write) = stream.into_split();
        let writer = SocketWriter(Arc::new(Mutex::new(Outgoing {
            stream: write,
            unsent: Vec::new(),
        })));
        let reader = SocketReader {
            stream: read,
            input: early,
            taken: 0,
            reader: Reader::new(self.max_bytes, false),
            writer: writer.clone(),
            _permit: self.permit,
        };
        Some((reader, writer))
    }
}

/// The receiving side of a socket.
pub struct SocketReader {
    stream: OwnedReadHalf,
    /// What arrived, of which `taken` bytes are read.
    input: Vec<u8>,
    taken: usize,
    reader: Reader,
    writer: SocketWriter,
    _permit: Option<ConnectionPermit>,
}

impl SocketReader {
    /// The next message. `None` when the socket has ended, for whatever reason. Messages that have
    /// arrived are lost when this is dropped while it waits for nothing but itself: it may be
    /// dropped at any time.
    pub async fn next(&mut self) -> Option<PeerMessage> {
        loop {
            let mut rest = &mut self.input[self.taken..];
            let before = rest.len();
            let message = INFLATER.with_borrow_mut(|one| self.reader.next(&mut rest, one));
            self.taken += before - rest.len();
            match message {
                Ok(Some(Message::Text(text))) => return Some(PeerMessage::Text(text)),
                Ok(Some(Message::Binary(bytes))) => return Some(PeerMessage::Binary(bytes)),
                Ok(Some(Message::Ping(payload))) => {
                    self.writer
                        .write(|out| frames::pong(&payload, out))
                        .await
                        .ok()?;
                }
                Ok(Some(Message::Pong)) => {}
                Ok(Some(Message::Close(reason))) => {
                    let code = reason.map_or(1000, |(code, _)| code);
                    self.writer.close(code, "").await;
                    return None;
                }
                Ok(None) => self.read().await?,
                Err(fault) => {
                    self.writer.close(Fault::code(fault), "").await;
                    return None;
                }
            }
        }
    }

    /// Reads more bytes, and pings a peer that sends none.
    async fn read(&mut self) -> Option<()> {
        self.input.resize(READ_BYTES, 0);
        self.taken = self.input.len();
        let since = Instant::now();
        loop {
            match timeout(PING_INTERVAL, self.stream.read(&mut self.input)).await {
                Ok(Ok(0) | Err(_)) => return None,
                Ok(Ok(len)) => {
                    self.input.truncate(len);
                    self.taken = 0;
                    return Some(());
                }
                Err(_) if since.elapsed() > READ_TIMEOUT => return None,
                Err(_) => self
                    .writer
                    .write(|out| out.extend(frames::PING))
                    .await
                    .ok()?,
            }
        }
    }
}

/// The sending side of a socket. Cheap to clone.
#[derive(Clone)]
pub struct SocketWriter(Arc<Mutex<Outgoing>>);

struct Outgoing {
    stream: OwnedWriteHalf,
    /// Of frames that have begun.
    unsent: Vec<u8>,
}

impl SocketWriter {
    /// Sends a binary message, and waits until the peer takes it.
    ///
    /// # Errors
    /// When the peer is gone, or has taken nothing for 15 seconds.
    pub async fn binary(&self, bytes: &[u8]) -> io::Result<()> {
        self.write(|out| frames::binary(bytes, out)).await
    }

    /// The same for text.
    ///
    /// # Errors
    /// As [`binary`](Self::binary).
    pub async fn text(&self, text: &str) -> io::Result<()> {
        self.write(|out| frames::text(text.as_bytes(), out)).await
    }

    /// Says why the socket ends, and ends it.
    pub async fn close(&self, code: u16, reason: &str) {
        let closed = self.write(|out| frames::close(code, reason, out)).await;
        if closed.is_ok() {
            drop(self.0.lock().await.stream.shutdown().await);
        }
    }

    /// Writes a frame, behind what an earlier call that was dropped has left: a frame is never cut.
    async fn write(&self, encode: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        let mut outgoing = self.0.lock().await;
        let Outgoing { stream, unsent } = &mut *outgoing;
        encode(unsent);
        let sending = async {
            while !unsent.is_empty() {
                let taken = stream.write(unsent).await?;
                unsent.drain(..taken);
            }
            Ok(())
        };
        match timeout(WRITE_TIMEOUT, sending).await {
            Ok(sent) => sent,
            Err(_) => {
                drop(stream.shutdown().await);
                Err(io::ErrorKind::TimedOut.into())
            }
        }
    }
}
