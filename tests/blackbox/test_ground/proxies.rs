//! The proxies that fail on request.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use crate::support::{MessageLoss, NatsFilter, TcpProxy, WAIT_TIMEOUT};

/// What a NATS server may send: a message with headers, one whose content looks like another, an
/// empty one, and lines that are no messages.
const SENT: &str = "INFO {\"server_id\":\"x\"}\r\nPING\r\nMSG a.b 1 3\r\none\r\n\
    HMSG a.b 1 12 15\r\nNATS/1.0\r\n\r\ntwo\r\n+OK\r\nMSG a.b 1 reply 14\r\nMSG a.b 1 1\r\nx\r\n\
    PONG\r\nMSG a.b 2 0\r\n\r\n";

#[test]
fn filter_drops_counted_messages_wherever_reads_end() {
    let expected = SENT
        .replace("HMSG a.b 1 12 15\r\nNATS/1.0\r\n\r\ntwo\r\n", "")
        .replace("MSG a.b 2 0\r\n\r\n", "");
    for step in 1..SENT.len() {
        let loss = Arc::new(MessageLoss::default());
        loss.set_period(2);
        let mut filter = NatsFilter::new(loss.clone());
        let parts = SENT.as_bytes().chunks(step);
        let passed: Vec<u8> = parts.flat_map(|bytes| filter.pass(bytes)).collect();
        assert_eq!(String::from_utf8_lossy(&passed), expected, "{step}");
        assert_eq!(loss.seen(), 4);
    }
}

/// A server that sends back what it is sent. Its port.
fn echo_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut copy = stream.try_clone().expect("a stream can be shared");
                let _ = std::io::copy(&mut stream, &mut copy);
            });
        }
    });
    port
}

fn connect(proxy: &TcpProxy) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port())).expect("it listens");
    let timeout = stream.set_read_timeout(Some(WAIT_TIMEOUT));
    timeout.expect("a timeout can be set");
    stream
}

/// Sends this and reads it back, unless the connection ends.
fn is_echoed(stream: &mut TcpStream, text: &[u8]) -> bool {
    let mut back = vec![0; text.len()];
    stream.write_all(text).is_ok() && stream.read_exact(&mut back).is_ok() && back == text
}

#[test]
fn cut_link_closes_connections_until_restored() {
    let proxy = TcpProxy::start(echo_server());
    let mut stream = connect(&proxy);
    assert!(is_echoed(&mut stream, b"one"));
    proxy.cut();
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "it is closed");
    assert!(!is_echoed(&mut connect(&proxy), b"two"));
    proxy.restore();
    assert!(is_echoed(&mut connect(&proxy), b"three"));
}

#[test]
fn stalled_link_delivers_after_it_is_restored() {
    let proxy = TcpProxy::start(echo_server());
    let mut stream = connect(&proxy);
    assert!(is_echoed(&mut stream, b"one"));
    proxy.stall();
    stream.write_all(b"two").expect("the kernel takes it");
    stream.set_nonblocking(true).expect("it can be polled");
    let error = stream.read(&mut [0]).expect_err("nothing comes");
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    stream.set_nonblocking(false).expect("it can be awaited");
    proxy.restore();
    let mut back = [0; 3];
    stream.read_exact(&mut back).expect("it comes");
    assert_eq!(&back, b"two");
}

#[test]
fn lossy_link_drops_every_second_message() {
    let proxy = TcpProxy::start_for_nats(echo_server());
    proxy.loss().set_period(2);
    let mut stream = connect(&proxy);
    let message = |text: &str| format!("MSG a 1 {}\r\n{text}\r\n", text.len());
    let sent = ["one", "two", "three", "four"].map(message).concat() + "PING\r\n";
    stream.write_all(sent.as_bytes()).expect("it goes");
    let expected = ["one", "three"].map(message).concat() + "PING\r\n";
    let mut back = vec![0; expected.len()];
    stream.read_exact(&mut back).expect("it comes");
    assert_eq!(String::from_utf8_lossy(&back), expected);
    assert_eq!(proxy.loss().seen(), 4);
}
