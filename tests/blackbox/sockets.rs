//! What a socket promises: resuming, limits, refusals, and why it closes.

use std::time::Instant;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{Message, PATIENCE, Person, Socket, TestServer, dial, until_refused};

async fn refusal(server: &TestServer, path: &str, headers: &[(&str, &str)]) -> u16 {
    let base = server.base().parse().expect("an address");
    dial(&base, path, headers).await.expect_err("it is refused")
}

#[tokio::test]
async fn socket_without_session_is_refused() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    for path in ["/live", "/live/data"] {
        assert_eq!(refusal(&server, path, &[]).await, 401, "{path}");
        assert_eq!(
            refusal(
                &server,
                path,
                &[("cookie", "tidepool=AAAAAAAAAAAAAAAAAAAAAA")]
            )
            .await,
            401,
            "{path}"
        );
    }
}

#[tokio::test]
async fn socket_of_other_origin_is_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let cookies = ann.cookies();
    for origin in [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://evil.example:80@127.0.0.1",
    ] {
        assert_eq!(
            refusal(
                &server,
                "/live",
                &[("cookie", &cookies), ("origin", origin)]
            )
            .await,
            403,
            "{origin}"
        );
    }
    let base = server.base();
    assert!(
        dial(
            &base.parse().expect("an address"),
            "/live",
            &[("cookie", &cookies), ("origin", &base)]
        )
        .await
        .is_ok()
    );
}

/// Counts the events a socket gets, up to and with the one that says `last`.
async fn bodies_until(socket: &mut Socket, last: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    while bodies.last().is_none_or(|body| body != last) {
        let event = socket.said("event").await;
        bodies.push(Message::of(&event["event"]["message"]).body);
    }
    bodies
}

async fn last_cursor(socket: &mut Socket, posted: &Message) -> String {
    let event = socket
        .expect("the post", |said| {
            said["event"]["message"]["id"] == posted.id.as_str()
        })
        .await;
    event["cursor"].as_str().expect("a cursor").to_owned()
}

#[tokio::test]
async fn resume_sends_exactly_missed_frames() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut socket = bob.following("room/general").await;
    let seen = ann.post("general", "seen").await;
    let cursor = last_cursor(&mut socket, &seen).await;
    socket.close().await;
    let missed = ann.post("general", "missed").await;
    ann.edit(&seen, "seen, edited").await;
    ann.delete(&missed).await;
    let mut back = bob
        .socket_at(&format!(
            "/live/data?feed={}@{cursor}",
            bob.feed("room/general")
        ))
        .await;
    let mut topics = Vec::new();
    for _ in 0..3 {
        topics.push(
            back.said("event").await["topic"]
                .as_str()
                .expect("a topic")
                .to_owned(),
        );
    }
    assert_eq!(
        topics,
        [
            "chat.message.posted",
            "chat.message.edited",
            "chat.message.deleted"
        ]
    );
    ann.post("general", "the end").await;
    assert_eq!(
        bodies_until(&mut back, "the end").await,
        ["the end"],
        "nothing twice"
    );
    // The same over a subscription on an open socket: the cursor moves back, and all comes again.
    assert_eq!(
        back.ask(&bob.feed("room/general"), Some(&cursor)).await["type"],
        "subscribed"
    );
    assert_eq!(
        bodies_until(&mut back, "the end").await,
        ["", "seen, edited", "", "the end"],
        "what was deleted stays so"
    );
}

#[tokio::test]
async fn unknown_cursor_gets_refresh() {
    let mut server = TestServer::with(&[("TIDEPOOL_FEED_FRAMES", "16")]).await;
    let ann = server.owner("ann").await;
    let feed = ann.feed("room/general");
    let mut socket = ann.socket().await;
    let oldest = socket.follow(&feed).await;
    let mut within = String::new();
    for number in 0..17 {
        let message = ann.post("general", &format!("{number}")).await;
        let cursor = last_cursor(&mut socket, &message).await;
        if number == 0 {
            within = cursor;
        }
    }
    assert_eq!(
        socket.ask(&feed, Some(&within)).await["type"],
        "subscribed",
        "sixteen frames are kept"
    );
    assert_eq!(bodies_until(&mut socket, "16").await.len(), 16);
    let (instance, _) = within.split_once('.').expect("a cursor has two parts");
    for cursor in [
        &oldest,
        &format!("{instance}.99999999999999999"),
        &format!("{instance}.x"),
        "nonsense",
        "",
        ".",
    ] {
        assert_eq!(
            socket.ask(&feed, Some(cursor)).await["type"],
            "refresh",
            "{cursor:?}"
        );
    }
    // Not followed any more: another socket's frame proves that this one gets none.
    let mut witness = ann.following("room/general").await;
    ann.post("general", "unheard").await;
    witness.said("event").await;
    assert!(socket.so_far().await.is_empty());
    server.restart().await;
    let mut socket = ann.socket().await;
    assert_ne!(socket.instance, instance);
    assert_eq!(socket.ask(&feed, Some(&within)).await["type"], "refresh");
    socket.follow(&feed).await;
    ann.post("general", "heard").await;
    bodies_until(&mut socket, "heard").await;
}

#[tokio::test]
async fn restart_closes_sockets_with_1012() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (mut data, mut page) = (ann.following("room/general").await, ann.html_socket().await);
    server.stop().await;
    assert_eq!(data.close_code().await, Some(1012));
    assert_eq!(page.close_code().await, Some(1012));
    server.again().await;
    ann.following("room/general").await;
}

#[tokio::test]
async fn feeds_per_socket_are_limited() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut feeds = vec![
        format!("space/{}", ann.space),
        format!("account/{}", ann.id),
    ];
    for number in 0..32 {
        let room = ann.create_room(&format!("room {number}")).await;
        feeds.push(format!("room/{room}"));
        feeds.push(format!("room/{room}/typing"));
    }
    let mut socket = ann.socket().await;
    for feed in &feeds[..64] {
        socket.follow(feed).await;
    }
    let refused = socket.ask(&feeds[64], None).await;
    assert_eq!(
        (&refused["type"], &refused["code"]),
        (&json!("refused"), &json!("too_many"))
    );
    socket.follow(&feeds[0]).await;
    socket
        .say(json!({ "type": "unsubscribe", "feed": feeds[0] }))
        .await;
    socket.follow(&feeds[64]).await;
}

#[tokio::test]
async fn undeclared_feeds_are_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let room = ann.room("general");
    let mut socket = ann.socket().await;
    let long = format!("room/{}", "1".repeat(1_000));
    for feed in [
        "",
        "room",
        "room/",
        "room/0",
        "room/x",
        "everything",
        "room/1/secrets",
        &format!("room/+{room}"),
        &format!("room/0{room}"),
        &long,
    ] {
        socket
            .say(json!({ "type": "subscribe", "feed": feed }))
            .await;
        assert_eq!(socket.said("refused").await["code"], "not_found", "{feed}");
    }
}

#[tokio::test]
async fn sockets_per_account_are_limited() {
    let server = TestServer::with(&[
        ("TIDEPOOL_MAX_SOCKETS_PER_ACCOUNT", "3"),
        ("TIDEPOOL_MAX_SOCKETS", "5"),
    ])
    .await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let cem = server.member("cem").await;
    server
        .metric_reaches("tidepool_sockets", |open| open == 0.0)
        .await;
    let mut open = Vec::new();
    for person in [&ann, &ann, &ann, &bob, &bob] {
        open.push(person.socket().await);
    }
    let cookies = |person: &Person| person.cookies();
    assert_eq!(
        refusal(&server, "/live", &[("cookie", &cookies(&cem))]).await,
        503
    );
    open.pop().expect("one is open").close().await;
    server
        .metric_reaches("tidepool_sockets", |open| open == 4.0)
        .await;
    assert_eq!(
        refusal(&server, "/live", &[("cookie", &cookies(&ann))]).await,
        429
    );
    cem.socket().await;
}

#[tokio::test]
async fn malformed_messages_get_error() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    for path in ["/live", "/live/data"] {
        let mut socket = ann.socket_at(path).await;
        for nonsense in [
            "",
            "{",
            "null",
            "[]",
            "42",
            "{\"type\":\"dance\"}",
            "{\"type\":\"subscribe\"}",
            "{\"type\":\"act\",\"id\":1}",
            "語\u{0}",
        ] {
            socket.say_text(nonsense).await;
            let answer = socket.said("error").await;
            assert_eq!(answer["error"]["code"], "invalid", "{nonsense}");
            assert!(answer.get("id").is_none(), "{answer}");
        }
        assert_eq!(
            socket.act("chat.dance", json!({})).await["error"]["code"],
            "not_found"
        );
        assert_eq!(
            socket.act("chat.post", json!({ "room": 12 })).await["error"]["code"],
            "invalid"
        );
        assert_eq!(
            socket.act("chat.post", json!("hello")).await["error"]["code"],
            "invalid"
        );
        socket
            .say(json!({ "type": "act", "id": "x".repeat(200), "action": "chat.post" }))
            .await;
        assert_eq!(socket.said("error").await["error"]["code"], "invalid");
        assert!(socket.so_far().await.is_empty(), "it goes on");
    }
}

#[tokio::test]
async fn large_and_cjk_messages_are_accepted() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut socket = ann.following("room/general").await;
    let body = "語".repeat(4_000);
    socket
        .act(
            "chat.post",
            json!({ "room": ann.room("general"), "body": body, "key": "key-0001" }),
        )
        .await;
    let again = ann.post("general", &body).await;
    socket
        .expect("the other", |said| {
            said["event"]["message"]["id"] == again.id.as_str()
        })
        .await;
    let padding = " ".repeat((64 << 10) - 20);
    socket
        .say_text(&format!("{{\"type\":\"ping\"}}{padding}"))
        .await;
    socket.said("pong").await;
}

#[tokio::test]
async fn oversized_or_binary_message_closes_socket() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut socket = ann.socket().await;
    socket.say_bytes(b"{\"type\":\"ping\"}").await;
    assert_eq!(socket.close_code().await, Some(1003));
    let mut socket = ann.socket().await;
    socket
        .say_text(&format!("{{\"type\":\"ping\"}}{}", " ".repeat(64 << 10)))
        .await;
    assert!(socket.until_closed().await.is_empty(), "it is not answered");
}

#[tokio::test]
async fn flooding_socket_is_refused_then_closed() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut socket = ann.socket().await;
    let mut said = Vec::new();
    let started = Instant::now();
    // Fast until shortly before the end, because the allowance refills meanwhile. Then one after
    // the other: a socket that is closed with unread messages may lose its close frame.
    let is_refusal = |answer: &&Value| answer["type"] == "error";
    'open: for _ in 0..100 {
        let burst = if said.iter().filter(is_refusal).count() < 80 {
            20
        } else {
            1
        };
        for _ in 0..burst {
            socket.say(json!({ "type": "ping" })).await;
        }
        for _ in 0..burst {
            let Some(answer) = socket.next().await else {
                break 'open;
            };
            said.push(answer);
        }
    }
    assert_eq!(socket.closed, Some(1008));
    let pongs = said.iter().filter(|one| one["type"] == "pong").count();
    let refusals: Vec<_> = said.iter().filter(is_refusal).collect();
    let refilled = started.elapsed().as_secs_f64() * 10.0; // 100 in ten seconds
    assert!(
        pongs >= 100 && pongs as f64 <= 101.0 + refilled,
        "{pongs} were answered"
    );
    assert_eq!(refusals.len(), 100);
    assert!(
        refusals.iter().all(|one| one["error"]["code"] == "too_many"
            && one["error"]["retry_after"].as_u64() >= Some(1))
    );
    ann.socket().await;
}

#[tokio::test]
async fn writes_are_limited_across_sockets() {
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "5")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut sockets = [bob.socket().await, bob.socket().await];
    // The allowance refills while a slow machine posts: more than one post beyond it.
    let mut refused = None;
    for number in 0..100 {
        let fields =
            json!({ "room": bob.room("general"), "body": "x", "key": format!("key-{number:04}") });
        let answer = sockets[number % 2].act("chat.post", fields).await;
        if answer["type"] == "error" {
            assert_eq!(answer["error"]["code"], "too_many");
            refused = Some(number);
            break;
        }
    }
    assert!(refused.is_some_and(|number| number >= 5), "{refused:?}");
    let mut keys = (0..).map(|number| format!("key-over-http-{number}"));
    let (_, answer) = until_refused(|| {
        let (bob, key) = (&bob, keys.next().expect("keys never end"));
        async move { bob.try_post("general", "x", &key).await }
    })
    .await;
    assert!(
        answer
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds >= 1)
    );
    ann.post("general", "others may").await;
}

#[tokio::test]
async fn stalled_socket_delays_nobody() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut stalled = bob.stalled_socket().await;
    stalled.follow(&bob.feed("room/general")).await;
    let mut reading = bob.following("room/general").await;
    let text = "x".repeat(4_000);
    for _ in 0..300 {
        ann.post("general", &text).await;
    }
    let last = ann.post("general", "the end").await;
    reading
        .expect("the last", |said| {
            said["event"]["message"]["id"] == last.id.as_str()
        })
        .await;
    // Once it reads, either everything is there or it is told to read again; never a gap.
    let mut received = 0;
    loop {
        let said = stalled.next().await.expect("still open");
        match said["type"].as_str() {
            Some("event") => received += 1,
            Some("refresh") => break,
            other => panic!("{other:?}"),
        }
        if said["event"]["message"]["id"] == last.id.as_str() {
            assert_eq!(received, 301);
            break;
        }
    }
}

/// A socket that agreed on compression, byte by byte: the client of the other tests does not know
/// it.
struct Deflating(TcpStream);

impl Deflating {
    async fn following(server: &TestServer, person: &Person, feed: &str) -> Self {
        let mut stream = TcpStream::connect(server.address())
            .await
            .expect("a connection");
        let request = format!(
            "GET /live/data?feed={} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
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
            let byte = timeout(PATIENCE, stream.read_u8()).await;
            head.push(byte.expect("an answer in time").expect("an answer"));
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
        let read = timeout(PATIENCE, self.read_frame()).await;
        read.expect("a frame in time")
    }

    async fn read_frame(&mut self) -> (bool, String) {
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
        sockets.push(Deflating::following(&server, &ann, "room/general").await);
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
