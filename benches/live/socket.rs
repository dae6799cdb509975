//! A WebSocket client's side of RFC 6455, as little as counting frames needs.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::http::{find, request};

const WAIT_TIMEOUT: Duration = Duration::from_secs(25); // for a handshake
// The sample of RFC 6455: with a fixed key the right answer is known beforehand.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// The answer to the key that every client here sends.
pub const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A text frame.
pub const TEXT: u8 = 1;
/// A closing frame.
pub const CLOSE: u8 = 8;
/// A ping.
pub const PING: u8 = 9;

/// Opens a socket. What came behind the handshake already.
pub async fn open(address: SocketAddr, path: &str, cookie: &str) -> Result<(TcpStream, Vec<u8>)> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("cannot connect to {address}"))?;
    handshake(stream, path, cookie, &[]).await
}

/// Opens one whose frames may come compressed.
pub async fn open_compressed(
    address: SocketAddr,
    path: &str,
    cookie: &str,
) -> Result<(TcpStream, Vec<u8>)> {
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("cannot connect to {address}"))?;
    handshake(
        stream,
        path,
        cookie,
        &[(
            "sec-websocket-extensions",
            "permessage-deflate; client_max_window_bits",
        )],
    )
    .await
}

/// Opens one that the system gives as small a buffer as it can, so that not reading is soon
/// noticed.
pub async fn open_narrow(
    address: SocketAddr,
    path: &str,
    cookie: &str,
) -> Result<(TcpStream, Vec<u8>)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(4096)?;
    // Segments as on a poor line: with those of the loopback, 64 KiB each, the sender's buffer is
    // megabytes.
    socket2::SockRef::from(&socket).set_tcp_mss(536)?;
    handshake(socket.connect(address).await?, path, cookie, &[]).await
}

async fn handshake(
    stream: TcpStream,
    path: &str,
    cookie: &str,
    also: &[(&str, &str)],
) -> Result<(TcpStream, Vec<u8>)> {
    timeout(WAIT_TIMEOUT, exchange(stream, path, cookie, also))
        .await
        .context("no handshake in time")?
}

async fn exchange(
    mut stream: TcpStream,
    path: &str,
    cookie: &str,
    also: &[(&str, &str)],
) -> Result<(TcpStream, Vec<u8>)> {
    stream.set_nodelay(true)?;
    let headers = [
        ("cookie", cookie),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", KEY),
    ];
    stream
        .write_all(&request("GET", path, &[&headers[..], also].concat(), ""))
        .await?;
    let mut came = Vec::with_capacity(1024);
    let head = loop {
        ensure!(
            stream.read_buf(&mut came).await? > 0,
            "closed during the handshake"
        );
        if let Some(end) = find(&came, b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = std::str::from_utf8(&came[..head])?;
    ensure!(
        text.starts_with("HTTP/1.1 101 ") && text.contains(ACCEPT),
        "no upgrade: {text}"
    );
    ensure!(
        also.is_empty() || text.contains("permessage-deflate"),
        "compression was not agreed: {text}"
    );
    Ok((stream, came.split_off(head)))
}

/// A frame from the server.
pub struct Frame<'a> {
    /// Its kind.
    pub opcode: u8,
    /// Whether its contents are compressed.
    pub compressed: bool,
    /// Its contents.
    pub payload: &'a [u8],
}

/// The first frame in `bytes` and how long it is with its header; nothing while it is not whole.
pub fn first_frame(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>> {
    let [first, second, ..] = *bytes else {
        return Ok(None);
    };
    ensure!(
        first & 0xb0 == 0x80,
        "a frame in parts or with unknown extensions: {first:#x}"
    );
    ensure!(second & 0x80 == 0, "a masked frame from the server");
    let (head, length) = match second {
        126 => match bytes.get(2..4) {
            Some(length) => (4, usize::from(u16::from_be_bytes(length.try_into()?))),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10) {
            Some(length) => (10, usize::try_from(u64::from_be_bytes(length.try_into()?))?),
            None => return Ok(None),
        },
        short => (2, usize::from(short)),
    };
    let frame = |payload| Frame {
        opcode: first & 0x0f,
        compressed: first & 0x40 != 0,
        payload,
    };
    Ok(bytes
        .get(head..head + length)
        .map(|payload| (frame(payload), head + length)))
}

/// A text frame as a server sends it.
pub fn text_frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | TEXT];
    match payload.len() {
        short @ 0..126 => frame.push(short as u8),
        long @ 126..0x1_0000 => {
            frame.push(126);
            frame.extend_from_slice(&(long as u16).to_be_bytes());
        }
        longer => {
            frame.push(127);
            frame.extend_from_slice(&(longer as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

/// A text frame as a client sends it, masked with zeros, which leaves it as it is.
pub fn client_frame(payload: &str) -> Vec<u8> {
    let mut frame = text_frame(payload.as_bytes());
    let head = frame.len() - payload.len();
    frame[1] |= 0x80;
    frame.splice(head..head, [0; 4]);
    frame
}

/// A compressed payload as it was.
pub fn inflate(payload: &[u8]) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    // The tail left off, and an end.
    let whole = std::io::Read::chain(payload, &[0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff][..]);
    std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(whole), &mut plain)
        .context("a compressed frame is damaged")?;
    Ok(plain)
}

/// The answer to a ping, masked with zeros, which leaves it as it is.
pub fn pong(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x8a, 0x80 | payload.len().min(125) as u8, 0, 0, 0, 0];
    frame.extend_from_slice(&payload[..payload.len().min(125)]);
    frame
}

/// Whether a message of the server's is a frame of a feed, as JSON.
pub fn is_event(text: &[u8]) -> bool {
    text.starts_with(b"{\"type\":\"event\"")
}

/// Where the id of the message stands that a frame or an answer tells of, as JSON or as HTML.
pub fn message_id(text: &[u8]) -> Result<std::ops::Range<usize>> {
    let mark: &[u8] = if text.starts_with(b"<!--") {
        b"id=\"m-"
    } else {
        b"\"id\":\""
    };
    let from = find(text, mark).context("no message in it")? + mark.len();
    let digits = text[from..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    ensure!(digits > 0, "no message in it");
    Ok(from..from + digits)
}

/// That id itself.
pub fn message_number(text: &[u8]) -> Result<u64> {
    Ok(std::str::from_utf8(&text[message_id(text)?])?.parse()?)
}
