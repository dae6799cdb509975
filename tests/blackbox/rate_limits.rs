//! Rate limits of actions, requests and the opening of sockets.

use serde_json::json;

use crate::support::{Answer, Person, TestServer, dial, text, until_refused};

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
