//! Bodies that are refused before they have arrived: the sender gets the answer, and holds nothing.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::support::{RawConnection, TestServer};

const MIB: usize = 1 << 20;
/// Well below the time that any body may take.
const SOON: Duration = Duration::from_secs(8);

/// The answer to a client that reads only after it has sent everything, as browsers do.
async fn answer_after_sending(server: &TestServer, head: &str, body: &str) -> String {
    let mut connection = RawConnection::to(server).await;
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\n{head}\r\n\r\n"
    );
    connection.send(&head).await;
    let sent = connection.0.write_all(body.as_bytes()).await;
    sent.expect("the server reads it to its end");
    timeout(SOON, connection.read_until_closed())
        .await
        .expect("an answer soon")
}

#[tokio::test]
async fn sender_of_oversized_form_gets_its_answer() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    let text = "x".repeat(8 * MIB);
    let announced = format!("content-length: {}", text.len());
    let chunked = format!("{:x}\r\n{text}\r\n0\r\n\r\n", text.len());
    for (head, body) in [
        (announced.as_str(), &text),
        ("transfer-encoding: chunked", &chunked),
    ] {
        let answer = answer_after_sending(&server, head, body).await;
        assert!(answer.starts_with("HTTP/1.1 413 "), "{head}: {answer}");
        assert!(answer.contains("\"too_large\""), "{head}: {answer}");
    }
}

#[tokio::test]
async fn form_with_files_for_action_without_files_is_refused_at_once() {
    let (server, ann) = TestServer::start_with_owner().await;
    let mut connection = RawConnection::to(&server).await;
    connection
        .send(&format!(
            "POST /act/chat.history HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
             connection: close\r\ncontent-type: multipart/form-data; boundary=x\r\ncookie: {}\r\n\
             content-length: 1000\r\n\r\n--x",
            ann.cookies()
        ))
        .await;
    let answer = timeout(SOON, connection.read_until_closed())
        .await
        .expect("an answer soon");
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
}
