//! A keep-alive HTTP/1.1 client that costs little: prepared requests, one buffer, bodies given as
//! they came.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const WAIT_TIMEOUT: Duration = Duration::from_secs(30); // for one answer

/// A request as it is sent.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if method == "POST" {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// A request that does an action, in JSON.
pub fn action(name: &str, cookie: &str, fields: &Value) -> Vec<u8> {
    let headers = [
        ("cookie", cookie),
        ("content-type", "application/json"),
        ("accept", "application/json"),
    ];
    request(
        "POST",
        &format!("/act/{name}"),
        &headers,
        &fields.to_string(),
    )
}

/// One connection.
pub struct Http {
    stream: TcpStream,
    came: Vec<u8>,
    body: Vec<u8>,
}

/// An answer, in the connection's buffers.
pub struct Answer<'a> {
    /// The status.
    pub status: u16,
    head: &'a str,
    /// The body as it came, compressed or not.
    pub body: &'a [u8],
}

impl Answer<'_> {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(self.head, name)
    }

    /// All headers of this name, which is lower case.
    pub fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        lines
            .filter(move |(of, _)| of.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The body of an answer with status 200, as JSON.
    pub fn done(&self) -> Result<Value> {
        ensure!(
            self.status == 200,
            "answered {}: {}",
            self.status,
            String::from_utf8_lossy(self.body)
        );
        serde_json::from_slice(self.body).context("no JSON")
    }
}

impl Http {
    /// Connects.
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            came: Vec::with_capacity(64 << 10),
            body: Vec::new(),
        })
    }

    /// Sends a request and waits for the whole answer.
    pub async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        let (status, head, body) = timeout(WAIT_TIMEOUT, self.exchange(request))
            .await
            .context("no answer in time")??;
        let body = match body {
            Some(length) => &self.came[head..head + length],
            None => &self.body[..],
        };
        Ok(Answer {
            status,
            head: std::str::from_utf8(&self.came[..head])?,
            body,
        })
    }

    /// Status, length of the head, and of the body behind it unless it came in chunks.
    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, usize, Option<usize>)> {
        self.stream.write_all(request).await?;
        self.came.clear();
        self.body.clear();
        let head = loop {
            self.more().await?;
            if let Some(end) = find(&self.came, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = std::str::from_utf8(&self.came[..head])?;
        let status: u16 = text.get(9..12).context("no status")?.parse()?;
        let chunked =
            find_header(text, "transfer-encoding").is_some_and(|value| value == "chunked");
        if chunked {
            while !(self.came.ends_with(b"0\r\n\r\n")
                && dechunk(&self.came[head..], &mut self.body)?)
            {
                self.more().await?;
            }
            return Ok((status, head, None));
        }
        let length = match find_header(text, "content-length") {
            Some(length) if status != 304 => length.parse()?,
            None if status != 304 && status != 204 => bail!("an answer without length: {text}"),
            _ => 0,
        };
        while self.came.len() < head + length {
            self.more().await?;
        }
        ensure!(
            self.came.len() == head + length,
            "{} bytes too many",
            self.came.len() - head - length
        );
        Ok((status, head, Some(length)))
    }

    async fn more(&mut self) -> Result<()> {
        ensure!(
            self.stream.read_buf(&mut self.came).await? > 0,
            "the connection was closed"
        );
        Ok(())
    }
}

fn find_header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (given, value) = line.split_once(':')?;
        given.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// Where `part` begins in `whole`.
pub fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    whole.windows(part.len()).position(|window| window == part)
}

/// Puts chunks together. Whether the last one is there.
fn dechunk(mut rest: &[u8], body: &mut Vec<u8>) -> Result<bool> {
    body.clear();
    loop {
        let Some(end) = find(rest, b"\r\n") else {
            return Ok(false);
        };
        let size = std::str::from_utf8(&rest[..end])?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default(), 16)
            .context("no chunk size")?;
        let Some(chunk) = rest.get(end + 2..end + 2 + size) else {
            return Ok(false);
        };
        let Some(next) = rest.get(end + 4 + size..) else {
            return Ok(false);
        };
        if size == 0 {
            return Ok(next.is_empty());
        }
        body.extend_from_slice(chunk);
        rest = next;
    }
}
