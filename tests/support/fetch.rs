//! Answers whose body is bytes, and requests sent by hand.

use reqwest::header::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Person, WAIT_TIMEOUT};

/// An answer whose body is bytes.
#[derive(Debug)]
pub struct Fetched {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Fetched {
    /// A header's value, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("headers are text"))
    }
}

impl Person {
    /// Fetches something with these headers.
    pub async fn fetch_with(&self, path: &str, headers: &[(&'static str, &str)]) -> Fetched {
        let request = headers
            .iter()
            .fold(self.request("GET", path), |request, (name, value)| {
                request.header(*name, *value)
            });
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Fetched {
            status,
            headers,
            body: response.bytes().await.expect("the body arrives").to_vec(),
        }
    }

    /// Fetches something.
    pub async fn fetch(&self, path: &str) -> Fetched {
        self.fetch_with(path, &[]).await
    }

    /// A connection on which the head of a request was sent, with these further headers.
    pub async fn send_head(&self, method: &str, path: &str, headers: &str) -> TcpStream {
        let url = self
            .request(method, path)
            .build()
            .expect("a request")
            .url()
            .clone();
        let host = format!(
            "{}:{}",
            url.host_str().expect("a host"),
            url.port().expect("a port")
        );
        let mut stream = TcpStream::connect(&host).await.expect("the server listens");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncookie: {}\r\n{headers}\r\n",
            self.cookies()
        );
        stream
            .write_all(head.as_bytes())
            .await
            .expect("the head is sent");
        stream
    }
}

/// What a raw connection is answered, as far as it says.
pub async fn answer_of(mut stream: TcpStream) -> String {
    let mut buffer = vec![0; 4096];
    let read = tokio::time::timeout(WAIT_TIMEOUT, stream.read(&mut buffer))
        .await
        .expect("an answer in time")
        .unwrap_or(0);
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

/// Bytes that repeat nowhere, so that a piece in the wrong place is seen.
pub fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    bytes
}
