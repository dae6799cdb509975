//! Requests in work at once, and slow senders that must not hold a slot.

use serde_json::json;

use tokio::io::AsyncWriteExt;

use crate::one_instance_only;
use crate::support::{RawConnection, TestServer, Upload, answer_of, eventually, text};

const ATTACHMENT: &str = "chat.attachment";

#[tokio::test]
async fn request_over_concurrency_limit_is_refused() {
    one_instance_only!("each instance counts for itself");
    let server = TestServer::with(&[("TIDEPOOL_MAX_REQUESTS", "8")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let page = ann.page("/account").await;
    // As long as a page is answered there is a place: an upload that never ends takes it, or is
    // refused itself.
    let mut stalled = Vec::new();
    let answer = loop {
        let room = bob.room("general");
        let upload = bob.try_create_upload(ATTACHMENT, &room, "a.bin", 2).await;
        if upload.status == 201 {
            let path = upload.header("location").to_owned();
            let person = bob.clone();
            let upload = Upload { person, path };
            stalled.push(upload.send_partial(2, b"x").await);
        }
        let answer = ann.get("/account").await;
        if answer.status != 200 {
            break answer;
        }
        assert!(stalled.len() < 100, "nothing is too much");
    };
    assert!(
        answer.status == 503
            && answer.body.contains("<html")
            && answer.header("retry-after") == "1",
        "{}",
        answer.body
    );
    let data = ann
        .act("chat.history", json!({ "room": ann.room("general") }))
        .await
        .expect(503);
    assert_eq!(
        (data.code().as_str(), &data.json()["error"]["retry_after"]),
        ("unavailable", &json!(1))
    );
    assert!(
        !ann.fragment("/sidebar")
            .await
            .expect(503)
            .body
            .contains("<html")
    );
    ann.get("/health/ready").await.expect(200);
    let asset = text::attributes(&page, "src")
        .into_iter()
        .find(|path| path.starts_with("/assets/"))
        .expect("an asset");
    ann.get(&asset).await.expect(200);
    assert!(server.metric("tidepool_refused_total{why=\"busy\"}").await >= 3.0);
    let mut finished = 0;
    for mut connection in stalled {
        connection.write_all(b"x").await.expect("it is read");
        finished += usize::from(answer_of(connection).await.contains(" 204 "));
    }
    assert_eq!(finished, 8, "what was in work is finished");
    ann.page("/account").await;
}

#[tokio::test]
async fn refused_sender_holds_no_request_slot() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_REQUESTS", "8")]).await;
    let ann = server.owner("ann").await;
    let mut sending = Vec::new();
    for path in ["/health/live", "/nowhere"].into_iter().cycle().take(32) {
        let mut connection = RawConnection::to(&server).await;
        connection
            .send(&format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: \
                multipart/form-data; boundary=x\r\ncontent-length: 100\r\n\r\n"
            ))
            .await;
        sending.push(connection);
        ann.get("/account").await.expect(200);
    }
}

/// A form whose last byte does not come.
async fn send_slow_form(server: &TestServer, from: &str) -> RawConnection {
    let mut connection = RawConnection::from_address(server, from).await;
    connection
        .send(
            "POST /sign-in HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
             content-type: application/x-www-form-urlencoded\r\n\
             connection: close\r\ncontent-length: 10\r\n\r\nlogin=ann",
        )
        .await;
    connection
}

#[tokio::test]
async fn slow_forms_hold_places_of_their_network_only() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_REQUESTS", "8")]).await;
    let ann = server.owner("ann").await;
    let mut slow = Vec::new();
    for number in 0..100 {
        let from = ["127.0.0.2", "127.0.0.3"][number % 2];
        slow.push(send_slow_form(&server, from).await);
    }
    // 32 of each network are read, the others are refused.
    eventually("36 are refused", || async {
        let refused = server
            .metric("tidepool_refused_total{why=\"bodies_of_client\"}")
            .await;
        (refused == 36.0).then_some(())
    })
    .await;
    for _ in 0..8 {
        ann.page("/account").await;
        ann.post("general", "still here").await;
    }
    let mut answers = Vec::new();
    for connection in &mut slow {
        connection.send("x").await;
        answers.push(connection.read_until_closed().await);
    }
    let count = |status: &str| {
        let has_status = |answer: &&String| answer.starts_with(&format!("HTTP/1.1 {status} "));
        answers.iter().filter(has_status).count()
    };
    assert_eq!((count("422"), count("429")), (64, 36));
}

#[tokio::test]
async fn strangers_leave_half_of_the_places_to_members() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_REQUESTS", "8")]).await;
    let ann = server.owner("ann").await;
    // Each try hashes a password, and all but two wait for their turn meanwhile.
    let tries = futures_util::future::join_all((0..40).map(|number| {
        let server = &server;
        async move {
            let from = format!("127.0.0.{}", 2 + number);
            let mut connection = RawConnection::from_address(server, &from).await;
            let form = format!("login=nobody{number:02}&password=correct+horse+battery");
            connection
                .send(&format!(
                    "POST /sign-in HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
                     content-type: application/x-www-form-urlencoded\r\n\
                     connection: close\r\ncontent-length: {}\r\n\r\n{form}",
                    form.len()
                ))
                .await;
            connection.read_until_closed().await
        }
    }));
    let pages = async {
        for _ in 0..20 {
            ann.page("/account").await;
        }
    };
    let (tries, ()) = tokio::join!(tries, pages);
    assert!(tries.iter().any(|answer| answer.contains(" 503 ")));
}
