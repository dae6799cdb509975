//! Clients that do not read what they asked for.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

use crate::support::{TestServer, eventually, noise};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn clients_that_do_not_read_take_little_memory() {
    let server = TestServer::example_with("cabinet", &[]).await;
    let ann = server.owner("ann").await;
    // More than the system's own buffers of a connection hold.
    let content = noise(12 * MIB, 7);
    let upload = ann.create_upload("large.bin", content.len()).await;
    for (number, piece) in content.chunks(4 * MIB).enumerate() {
        upload.patch(number * 4 * MIB, piece).await.expect(204);
    }
    let file = upload.head().await.header("tidepool-file").to_owned();
    let before = server.peak_memory();
    let mut unread = Vec::new();
    for _ in 0..200 {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        let from = "127.0.0.2:0".parse().expect("an address");
        socket.bind(from).expect("an address of this machine");
        let to = server.address().parse().expect("an address");
        let mut stream = socket.connect(to).await.expect("a connection");
        let request = format!(
            "GET /files/{file}/large.bin HTTP/1.1\r\nhost: localhost\r\ncookie: {}\r\n\r\n",
            ann.cookies()
        );
        stream
            .write_all(request.as_bytes())
            .await
            .expect("it is read");
        unread.push(stream);
    }
    // 128 of a network may lag.
    eventually("the others are refused", || async {
        let refused = server
            .metric("tidepool_refused_total{why=\"lagging\"}")
            .await;
        (refused >= 72.0).then_some(())
    })
    .await;
    ann.page("/account").await;
    let grown = (server.peak_memory() - before) as usize;
    assert!(grown < 96 * MIB, "{} MiB", grown / MIB);
}
