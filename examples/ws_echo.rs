//! An echo server over the server's own WebSocket codec, which the conformance suite is run
//! against.
//!
//!     cargo run --example ws_echo -- --port 9001

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::routing::any;
use clap::Parser;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::{Parts, downcast};
use tidepool::engine::websocket::{
    Agreed, Deflater, Fault, Inflater, Message, Reader, accept, frames,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const MAX_MESSAGE_BYTES: usize = 32 * 1024 * 1024; // bytes; the suite sends 16 MiB
const READ_BUFFER_BYTES: usize = 64 * 1024; // bytes
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A WebSocket echo server on 127.0.0.1
#[derive(Parser)]
struct Options {
    /// Where to listen; 0 is any free port
    #[arg(long, default_value_t = 9001)]
    port: u16,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", Options::parse().port)).await?;
    println!("listening on ws://{}/", listener.local_addr()?);
    Ok(axum::serve(listener, Router::new().route("/", any(upgrade))).await?)
}

async fn upgrade(mut request: Request) -> Response<Body> {
    match accept(request.method(), request.version(), request.headers()) {
        Ok((answer, agreed)) => {
            tokio::spawn(serve(hyper::upgrade::on(&mut request), agreed));
            answer.map(|()| Body::empty())
        }
        Err(refused) => refused.response().map(|()| Body::from(refused.to_string())),
    }
}

/// Serves one connection, from the upgrade to its end. Its errors are ignored: peers may disconnect
/// at any time.
async fn serve(upgrade: OnUpgrade, agreed: Agreed) {
    let Ok(connection) = upgrade.await else {
        return;
    };
    let Ok(Parts { io, read_buf, .. }) = downcast::<TokioIo<TcpStream>>(connection) else {
        return;
    };
    let mut stream = io.into_inner();
    drop(stream.set_nodelay(true));
    drop(echo(&mut stream, read_buf.to_vec(), agreed).await);
}

/// Echoes messages until the peer closes. `buffer` holds the bytes that came with the request.
async fn echo(stream: &mut TcpStream, mut buffer: Vec<u8>, agreed: Agreed) -> std::io::Result<()> {
    let mut codec = Codec {
        agreed,
        inflater: Inflater::new(),
        deflater: Deflater::new(),
    };
    let mut reader = Reader::new(MAX_MESSAGE_BYTES, agreed.deflate.is_some());
    let mut end = buffer.len();
    buffer.resize(READ_BUFFER_BYTES.max(end), 0);
    loop {
        let (mut input, mut out) = (&mut buffer[..end], Vec::new());
        let is_open = loop {
            match reader.next(&mut input, &mut codec.inflater) {
                Ok(None) => break true,
                Ok(Some(message)) => {
                    if !codec.respond(message, &mut out) {
                        break false;
                    }
                }
                Err(fault) => {
                    close(fault, &mut out);
                    break false;
                }
            }
        };
        stream.write_all(&out).await?;
        if !is_open {
            break;
        }
        end = stream.read(&mut buffer).await?;
        if end == 0 {
            return Ok(());
        }
    }
    // Closing a socket with unread bytes resets it, and the peer might lose the last frame. So shut
    // down the sending side first, and drain the receiving one.
    stream.shutdown().await?;
    let mut drain = async || while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {};
    drop(timeout(DRAIN_TIMEOUT, drain()).await);
    Ok(())
}

struct Codec {
    agreed: Agreed,
    inflater: Inflater,
    deflater: Deflater,
}

impl Codec {
    /// Appends the response to `out`. Returns whether the connection stays open.
    fn respond(&mut self, message: Message, out: &mut Vec<u8>) -> bool {
        let window = self.agreed.deflate;
        let fits = |payload: &[u8]| window.is_some_and(|window| window.takes(payload.len()));
        match &message {
            Message::Text(text) if fits(text.as_bytes()) => {
                frames::compressed_text(&self.deflater.deflate(text.as_bytes()), out)
            }
            Message::Text(text) => frames::text(text.as_bytes(), out),
            Message::Binary(bytes) if fits(bytes) => {
                frames::compressed_binary(&self.deflater.deflate(bytes), out)
            }
            Message::Binary(bytes) => frames::binary(bytes, out),
            Message::Ping(payload) => frames::pong(payload, out),
            Message::Pong => {}
            Message::Close(None) => out.extend(frames::EMPTY_CLOSE),
            Message::Close(Some((code, _))) => frames::close(*code, "", out),
        }
        !matches!(message, Message::Close(_))
    }
}

fn close(fault: Fault, out: &mut Vec<u8>) {
    frames::close(fault.code(), &fault.to_string(), out);
}
