//! What comes in, and what is refused at once: connections, heads, requests, actions and writes,
//! each by its limit.

use serde_json::json;
use sqlx::{Connection, SqliteConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::support::{
    Answer, PATIENCE, POLL_INTERVAL, Person, TestServer, dial, text, until_refused,
};

const LIVE: &str = "GET /health/live HTTP/1.1\r\nhost: here\r\n\r\n";

/// A connection without a client that would do things by itself.
struct Line(TcpStream);

impl Line {
    async fn to(server: &TestServer) -> Self {
        Self(
            TcpStream::connect(server.address())
                .await
                .expect("a connection"),
        )
    }

    /// Sends; what is closed swallows it.
    async fn say(&mut self, text: &str) {
        let _ = self.0.write_all(text.as_bytes()).await;
    }

    /// All that comes until the server closes.
    async fn until_closed(&mut self) -> String {
        let mut heard = Vec::new();
        let end = timeout(PATIENCE, self.0.read_to_end(&mut heard))
            .await
            .expect("the server closes it in time");
        assert!(
            end.is_ok() || !heard.is_empty(),
            "closed without an answer: {end:?}"
        );
        String::from_utf8(heard).expect("text")
    }

    /// Asks whether the server lives, on a connection that is kept. False when it was refused.
    async fn is_served(&mut self) -> bool {
        self.say(LIVE).await;
        let mut heard = Vec::new();
        while !heard.ends_with(b"ok\n") {
            match timeout(PATIENCE, self.0.read_buf(&mut heard))
                .await
                .expect("an answer in time")
            {
                Ok(0) | Err(_) => return false,
                Ok(_) => {}
            }
        }
        true
    }

    /// A connection that is served, once there is a place.
    async fn served(server: &TestServer) -> Self {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            let mut line = Self::to(server).await;
            if line.is_served().await {
                return line;
            }
            assert!(std::time::Instant::now() < until, "no place is given back");
            sleep(POLL_INTERVAL).await;
        }
    }
}

#[tokio::test]
async fn unfinished_head_closes_connection() {
    let server = TestServer::with(&[("TIDEPOOL_HEAD_SECONDS", "1")]).await;
    let (mut silent, mut half, mut idle) = (
        Line::to(&server).await,
        Line::to(&server).await,
        Line::served(&server).await,
    );
    half.say("GET /health/live HTTP/1.1\r\nhost: he").await;
    let (mut reading, mut writing) = TcpStream::connect(server.address())
        .await
        .expect("a connection")
        .into_split();
    let drip = tokio::spawn(async move {
        let mut sent = writing.write_all(b"GET / HTTP/1.1\r\nx: ").await;
        while sent.is_ok() {
            sleep(POLL_INTERVAL).await;
            sent = writing.write_all(b"x").await;
        }
    });
    for line in [&mut silent, &mut half, &mut idle] {
        assert_eq!(line.until_closed().await, "");
    }
    let mut heard = Vec::new();
    let end = timeout(PATIENCE, reading.read_to_end(&mut heard)).await;
    assert!(
        end.is_ok() && heard.is_empty(),
        "a byte now and then buys no time"
    );
    drip.abort();
    assert!(Line::to(&server).await.is_served().await);
}

#[tokio::test]
async fn head_over_limit_is_refused() {
    let server = TestServer::start().await;
    for headers in [
        format!("x: {}\r\n", "x".repeat(48 << 10)),
        "x: y\r\n".repeat(200),
    ] {
        let mut line = Line::to(&server).await;
        line.say(&format!(
            "GET /health/live HTTP/1.1\r\nhost: here\r\n{headers}\r\n"
        ))
        .await;
        let mut answer = [0; 12];
        let read = timeout(PATIENCE, line.0.read_exact(&mut answer)).await;
        read.expect("an answer in time").expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
    let mut line = Line::to(&server).await;
    line.say(&format!(
        "GET /health/live HTTP/1.1\r\nhost: here\r\nx: {}\r\nconnection: close\r\n\r\n",
        "x".repeat(16 << 10)
    ))
    .await;
    assert!(line.until_closed().await.starts_with("HTTP/1.1 200"));
}

/// Fills the server up to a bound, looks at what the next one is told, and that a place is given
/// back.
async fn bound(setting: &str, bound: usize, status: &str, why: &str) {
    let server = TestServer::with(&[(setting, &bound.to_string())]).await;
    let mut lines = Vec::new();
    for _ in 0..bound {
        let mut line = Line::to(&server).await;
        assert!(line.is_served().await, "there is a place");
        lines.push(line);
    }
    for says_nothing in [true, false] {
        let mut refused = Line::to(&server).await;
        if !says_nothing {
            refused.say(LIVE).await;
        }
        let answer = refused.until_closed().await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} "))
                && answer.contains("retry-after: 5\r\n"),
            "{answer}"
        );
        assert!(answer.ends_with(".\n"), "it says why: {answer}");
    }
    for line in &mut lines {
        assert!(line.is_served().await, "the others are served");
    }
    lines.truncate(bound - 2);
    lines.push(Line::served(&server).await);
    drop(lines);
    drop(Line::served(&server).await);
    server
        .metric_reaches(
            &format!("tidepool_refused_total{{why=\"{why}\"}}"),
            |count| count >= 2.0,
        )
        .await;
}

#[tokio::test]
async fn connections_are_limited_by_setting() {
    bound("TIDEPOOL_MAX_CONNECTIONS", 8, "503", "connections").await;
}

#[tokio::test]
async fn connections_per_address_are_limited() {
    bound(
        "TIDEPOOL_MAX_CONNECTIONS_PER_ADDRESS",
        3,
        "429",
        "connections_of_address",
    )
    .await;
}

#[tokio::test]
async fn proxy_address_has_no_connection_limit() {
    let server = TestServer::with(&[
        ("TIDEPOOL_MAX_CONNECTIONS_PER_ADDRESS", "1"),
        ("TIDEPOOL_BEHIND_PROXY", "true"),
    ])
    .await;
    let mut lines = [
        Line::to(&server).await,
        Line::to(&server).await,
        Line::to(&server).await,
    ];
    for line in &mut lines {
        assert!(line.is_served().await);
    }
}

#[tokio::test]
async fn socket_holds_its_connection_slot() {
    const PLACES: usize = 6;
    let settings = [
        ("TIDEPOOL_MAX_CONNECTIONS_PER_ADDRESS", "6"),
        // Long enough for `last` not to be closed as idle before it is used again.
        ("TIDEPOOL_HEAD_SECONDS", "4"),
    ];
    let server = TestServer::with(&settings).await;
    let ann = server.owner("ann").await;
    let mut sockets = Vec::new();
    while sockets.len() < PLACES - 1 {
        // The client's idle connection ends by the head timeout and frees its slot.
        sockets.push(ann.socket().await);
    }
    let mut last = Line::served(&server).await;
    // One place is left for all that is no socket.
    let refused = Line::to(&server).await.until_closed().await;
    assert!(refused.starts_with("HTTP/1.1 429"), "{refused}");
    assert!(last.is_served().await);
    for mut socket in sockets.drain(1..) {
        socket.follow(&ann.feed("room/general")).await;
        socket.close().await;
    }
    let mut lines = Vec::new();
    while lines.len() < PLACES - 2 {
        lines.push(Line::served(&server).await);
    }
    assert_eq!(
        sockets[0].so_far().await,
        Vec::<serde_json::Value>::new(),
        "the one that stayed lives"
    );
}

#[tokio::test]
async fn action_answers_carry_rate_limit_headers() {
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "5")]).await;
    let ann = server.owner("ann").await;
    let invite = async || {
        ann.act("community.invite", json!({ "space": ann.space }))
            .await
    };
    for left in (1..5).rev() {
        let answer = invite().await.expect(200);
        assert_eq!(
            (
                answer.header("x-ratelimit-limit"),
                answer.header("x-ratelimit-remaining")
            ),
            ("5", left.to_string().as_str())
        );
        let reset: u64 = answer.header("x-ratelimit-reset").parse().expect("seconds");
        assert!(
            (1..=60).contains(&reset) && reset > (4 - left) * 12,
            "{reset}"
        );
        assert_eq!(answer.header("retry-after"), "");
    }
    let form = ann
        .form("/act/community.invite", &[("space", &ann.space)])
        .await
        .expect(303);
    assert_eq!(form.header("x-ratelimit-remaining"), "0");
    let refused = invite().await.expect(429);
    assert_eq!(refused.code(), "too_many");
    assert_eq!(
        (
            refused.header("x-ratelimit-limit"),
            refused.header("x-ratelimit-remaining")
        ),
        ("5", "0")
    );
    let wait: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=12).contains(&wait), "{wait}");
    assert_eq!(refused.json()["error"]["retry_after"], wait);
    assert!(
        refused
            .header("x-ratelimit-reset")
            .parse::<u64>()
            .is_ok_and(|reset| reset > wait && reset <= 60)
    );
    let page = ann
        .form("/act/community.invite", &[("space", &ann.space)])
        .await
        .expect(429);
    assert!(
        page.body.contains("<html")
            && !page.header("retry-after").is_empty()
            && page.header("x-ratelimit-remaining") == "0"
    );
    assert!(
        server
            .metric("tidepool_refused_total{why=\"actions\"}")
            .await
            >= 2.0
    );
}

#[tokio::test]
async fn action_classes_have_separate_rate_limits() {
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "5")]).await;
    let ann = server.owner("ann").await;
    let mut socket = ann.socket().await;
    let invite = json!({ "space": ann.space });
    for number in 0..5 {
        if number % 2 == 0 {
            ann.act("community.invite", invite.clone()).await.done();
        } else {
            assert_eq!(
                socket.act("community.invite", invite.clone()).await["type"],
                "reply"
            );
        }
    }
    let refused = socket
        .act(
            "community.create-room",
            json!({ "space": ann.space, "name": "more" }),
        )
        .await;
    assert_eq!(refused["error"]["code"], "too_many");
    assert!(
        refused["error"]["retry_after"]
            .as_u64()
            .is_some_and(|seconds| (1..=12).contains(&seconds)),
        "{refused}"
    );
    ann.create_room("more").attempt().await.expect(429);
    // What is said, changed, signalled and read has allowances of its own.
    let message = ann.post("general", "hi").await;
    ann.edit(&message, "ho").await;
    assert_eq!(
        socket
            .act("chat.type", json!({ "room": ann.room("general") }))
            .await["type"],
        "reply"
    );
    assert_eq!(ann.history("general").await.len(), 1);
}

/// Fails unless a page says that the allowance of 30 is used up.
fn is_refused_page(answer: &Answer) {
    assert!(answer.body.contains("<html"), "{}", answer.body);
    assert!(
        answer
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds >= 1)
    );
    assert_eq!(
        (
            answer.header("x-ratelimit-limit"),
            answer.header("x-ratelimit-remaining")
        ),
        ("30", "0")
    );
}

/// Opens sockets, one after the other, until one is refused with 429: how many were opened.
async fn until_socket_refused(server: &TestServer, person: &Person) -> usize {
    let base = server.base().parse().expect("an address");
    for opened in 0..100 {
        match dial(&base, "/live/data", &[("cookie", &person.cookies())]).await {
            Ok(mut stream) => stream.close(None).await.expect("it closes"),
            Err(status) => {
                assert_eq!(status, 429);
                return opened;
            }
        }
        server
            .metric_reaches("tidepool_sockets", |open| open == 0.0)
            .await;
    }
    panic!("no socket is refused");
}

#[tokio::test]
async fn requests_are_limited_by_account_or_address() {
    let server = TestServer::with(&[("TIDEPOOL_REQUESTS_PER_MINUTE", "30")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let visitor = server.visitor();
    // What came before from this address counts, too, so that fewer than 30 may be left.
    let (_, page) = until_refused(|| visitor.get("/sign-in")).await;
    is_refused_page(&page);
    let data = || {
        let request = visitor.request("GET", "/sign-in");
        visitor.send(request.header("Accept", "application/json"))
    };
    let (_, data) = until_refused(data).await;
    assert_eq!(data.code(), "too_many");
    // From the same address, but signed in: their own allowance.
    let page = ann.page("/account").await;
    let (served, refused) = until_refused(|| ann.get("/account")).await;
    assert!(served >= 20, "{served}");
    is_refused_page(&refused);
    until_socket_refused(&server, &ann).await;
    until_refused(|| ann.act("chat.type", json!({ "room": ann.room("general") }))).await;
    bob.page("/account").await;
    // Neither assets nor health are counted.
    let asset = text::attributes(&page, "src")
        .into_iter()
        .find(|path| path.starts_with("/assets/"))
        .expect("an asset");
    for _ in 0..40 {
        ann.get(&asset).await.expect(200);
        visitor.get("/health/ready").await.expect(200);
    }
}

#[tokio::test]
async fn socket_openings_are_rate_limited() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_SOCKETS_PER_ACCOUNT", "2")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    // Four openings a minute for each socket that the account may have. One after the other, so
    // that the limit of open sockets does not refuse.
    let opened = until_socket_refused(&server, &ann).await;
    assert!(opened >= 8, "{opened}");
    bob.socket().await;
}

#[tokio::test]
async fn request_over_concurrency_limit_is_refused() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_REQUESTS", "8")]).await;
    let ann = server.owner("ann").await;
    let page = ann.page("/account").await;
    // As long as a page is answered there is a place: another request that never ends takes it, or
    // is refused itself.
    let mut stalled = Vec::new();
    let answer = loop {
        let mut line = Line::to(&server).await;
        line.say("POST /sign-in HTTP/1.1\r\nhost: here\r\naccept: application/json\r\nconnection: close\r\ncontent-length: 1\r\n\r\n")
            .await;
        stalled.push(line);
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
    for line in &mut stalled {
        line.say("x").await;
        finished += usize::from(line.until_closed().await.starts_with("HTTP/1.1 422"));
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
        let mut line = Line::to(&server).await;
        line.say(&format!(
            "POST {path} HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 100\r\n\r\n"
        ))
        .await;
        sending.push(line);
        ann.get("/account").await.expect(200);
    }
}

#[tokio::test]
async fn full_write_queue_refuses_writes_only() {
    const POSTS: usize = 40;
    const WAITING: usize = 16 + 1; // and one in work
    let settings = [
        ("TIDEPOOL_MAX_WAITING_WRITES", "16"),
        ("TIDEPOOL_WRITE_BATCH", "1"),
        ("TIDEPOOL_WRITES_PER_10_SECONDS", "100000"),
    ];
    let server = TestServer::with(&settings).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    ann.post("general", "before").await;
    let mut socket = bob.following("room/general").await;
    // Another program holds the file's one lock: the writer has to wait for it.
    let file = server.data().join("tidepool.sqlite");
    let mut other = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .expect("it opens");
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .expect("the lock is free");
    let mut posts = JoinSet::new();
    for number in 0..POSTS {
        let ann = ann.clone();
        posts.spawn(async move {
            ann.try_post("general", "x", &format!("held-{number:04}"))
                .await
        });
    }
    for _ in WAITING..POSTS {
        let refused = posts
            .join_next()
            .await
            .expect("a post")
            .expect("it is answered")
            .expect(503);
        assert_eq!(
            (refused.code().as_str(), refused.header("retry-after")),
            ("unavailable", "1")
        );
        assert_eq!(refused.json()["error"]["retry_after"], 1);
    }
    // Reading goes on, also where it would leave a mark, and so does what writes nothing.
    assert_eq!(bob.history("general").await.len(), 1);
    assert!(
        bob.page(&format!("/rooms/{}", bob.room("general")))
            .await
            .contains("before")
    );
    assert_eq!(
        socket
            .act("chat.type", json!({ "room": bob.room("general") }))
            .await["type"],
        "reply"
    );
    let refused = socket
        .act(
            "chat.post",
            json!({ "room": bob.room("general"), "body": "x", "key": "held-by-socket" }),
        )
        .await;
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["retry_after"]),
        (&json!("unavailable"), &json!(1))
    );
    let form = ann
        .form(
            "/act/chat.post",
            &[
                ("room", &ann.room("general")),
                ("body", "x"),
                ("key", "held-by-form"),
            ],
        )
        .await
        .expect(503);
    assert!(form.body.contains("<html") && form.header("retry-after") == "1");
    assert!(
        server
            .metric("tidepool_refused_total{why=\"writes\"}")
            .await
            >= (POSTS - WAITING) as f64
    );
    sqlx::query("ROLLBACK")
        .execute(&mut other)
        .await
        .expect("the lock is given back");
    while let Some(kept) = posts.join_next().await {
        kept.expect("it is answered").expect(200);
    }
    assert_eq!(bob.history("general").await.len(), 1 + WAITING);
    ann.post("general", "after").await;
    socket
        .expect("the newest", |said| {
            said["event"]["message"]["body"] == "after"
        })
        .await;
}

#[tokio::test]
async fn stop_closes_idle_connections() {
    let mut server = TestServer::start().await;
    let (mut silent, mut idle) = (Line::to(&server).await, Line::served(&server).await);
    server.stop().await;
    for line in [&mut silent, &mut idle] {
        assert_eq!(line.until_closed().await, "");
    }
    assert!(
        !server.log().contains("did not end in time"),
        "{}",
        server.log()
    );
}
