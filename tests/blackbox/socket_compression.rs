//! Compressed frames: compressed once for all sockets.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Person, TestServer};

/// A socket that agreed on compression, byte by byte: the client of the other tests does not know
/// it.
struct DeflateSocket(TcpStream);

impl DeflateSocket {
    async fn following(server: &TestServer, person: &Person, feed: &str) -> Self {
        let mut stream = TcpStream::connect(server.address())
            .await
            .expect("a connection");
        let request = format!(
            "GET /live/data?feed={} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: Upgrade\r\n\
                Upgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n",
            person.feed(feed),
            server.address(),
            person.cookies()
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it is sent");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.expect("an answer"));
        }
        let head = String::from_utf8(head).expect("a text").to_lowercase();
        assert!(
            head.contains(
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
            ),
            "{head}"
        );
        let mut socket = Self(stream);
        while !socket.next().await.1.contains("\"subscribed\"") {}
        socket
    }

    /// The next frame: whether it was deflated, and its text.
    async fn next(&mut self) -> (bool, String) {
        let [first, length] = [
            self.0.read_u8().await.expect("a frame"),
            self.0.read_u8().await.expect("its length"),
        ];
        let length = match length {
            126 => self.0.read_u16().await.expect("its length").into(),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).await.expect("its payload");
        let deflated = first == 0xc1;
        if deflated {
            payload.extend([0, 0, 0xff, 0xff]);
            let mut text = Vec::with_capacity(64 << 10);
            flate2::Decompress::new(false)
                .decompress_vec(&payload, &mut text, flate2::FlushDecompress::Sync)
                .expect("it inflates");
            payload = text;
        }
        (deflated, String::from_utf8(payload).expect("a text"))
    }
}

#[tokio::test]
async fn frames_are_deflated_once() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut plain = ann.following("room/general").await;
    let mut sockets = Vec::new();
    for _ in 0..8 {
        sockets.push(DeflateSocket::following(&server, &ann, "room/general").await);
    }
    let body = "the tide comes in, the tide goes out; "
        .repeat(20)
        .trim()
        .to_owned();
    ann.post("general", &body).await;
    let event = plain.event("chat.message.posted").await;
    for socket in &mut sockets {
        let (deflated, text) = socket.next().await;
        assert!(
            deflated && serde_json::from_str::<Value>(&text).expect("JSON") == event,
            "{text}"
        );
    }
    assert_eq!(server.metric("tidepool_frames_deflated_total").await, 1.0);
}
