//! How many actions, requests, writes and socket openings an account or address may do in a time.

use serde_json::json;

use crate::one_instance_only;
use crate::support::{Person, TestServer, dial, eventually, text, until_status};

#[tokio::test]
async fn action_answers_carry_rate_limit_headers() {
    one_instance_only!("each instance counts for itself");
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
    one_instance_only!("each instance counts for itself");
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

/// Asks until it is too much; how often it was not. An allowance refills while it is used up, so a
/// slow machine gets more answers than the limit.
async fn requests_until_refused(person: &Person, path: &str) -> usize {
    for count in 0..1_000 {
        let answer = person.get(path).await;
        if answer.status == 429 {
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
            return count;
        }
        answer.expect(200);
    }
    panic!("nothing is too much");
}

#[tokio::test]
async fn requests_are_limited_by_account_or_address() {
    let server = TestServer::with(&[("TIDEPOOL_REQUESTS_PER_MINUTE", "30")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let visitor = server.visitor();
    requests_until_refused(&visitor, "/sign-in").await;
    let data = until_status(429, || {
        let request = visitor.request("GET", "/sign-in");
        visitor.send(request.header("Accept", "application/json"))
    })
    .await;
    assert_eq!(data.code(), "too_many");
    // From the same address, but signed in: their own allowance.
    let page = ann.page("/account").await;
    assert!(requests_until_refused(&ann, "/account").await >= 20);
    let base = server.base().parse().expect("an address");
    eventually("refused socket", || async {
        let opened = dial(&base, "/live/data", &[("cookie", &ann.cookies())]).await;
        (opened.err() == Some(429)).then_some(())
    })
    .await;
    until_status(429, || {
        ann.act("chat.type", json!({ "room": ann.room("general") }))
    })
    .await;
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
async fn forged_sessions_are_counted_before_lookup() {
    one_instance_only!("each instance counts for itself");
    let server = TestServer::with(&[("TIDEPOOL_REQUESTS_PER_MINUTE", "30")]).await;
    let ann = server.owner("ann").await;
    let visitor = server.visitor();
    let mut number = 0;
    let mut forged = || {
        number += 1;
        // 128 bits in Base64, which no session has.
        let request = visitor.request("GET", "/account");
        visitor.send(request.header("cookie", format!("tidepool={number:0>21}A")))
    };
    until_status(429, &mut forged).await;
    // The allowance of requests would refuse them after the look-up.
    until_status(429, &mut forged).await;
    let why = "tidepool_refused_total{why=\"session_lookups\"}";
    assert!(server.metric(why).await >= 1.0);
    ann.page("/account").await;
}

#[tokio::test]
async fn socket_openings_are_rate_limited() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_SOCKETS_PER_ACCOUNT", "2")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let base = server.base().parse().expect("an address");
    // Eight in a minute, and one more for each 7.5 seconds that the test takes.
    let mut opened = 0;
    let refused = loop {
        match dial(&base, "/live/data", &[("cookie", &ann.cookies())]).await {
            Ok(socket) => drop(socket),
            Err(status) => break status,
        }
        opened += 1;
        assert!(opened < 50, "nothing is too much");
        server
            .metric_reaches("tidepool_sockets", |open| open == 0.0)
            .await;
    };
    assert_eq!(refused, 429);
    assert!(opened >= 8, "{opened} sockets were opened");
    bob.socket().await;
}

#[tokio::test]
async fn writes_are_limited_across_sockets() {
    let server = TestServer::with(&[("TIDEPOOL_WRITES_PER_10_SECONDS", "5")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut sockets = [bob.socket().await, bob.socket().await];
    // One more is allowed every two seconds, so a slow machine may need a few posts more.
    let mut refused = None;
    for number in 0..50 {
        let fields = json!({ "room": bob.room("general"), "body": format!("x {number}"),
            "key": format!("key-{number:04}") });
        let answer = sockets[number % 2].act("chat.post", fields).await;
        if answer["type"] == "error" {
            assert_eq!(answer["error"]["code"], "too_many");
            refused = Some(number);
            break;
        }
    }
    assert!(refused.is_some_and(|number| number >= 5), "{refused:?}");
    let answer = until_status(429, || bob.try_post("general", "x", "key-over-http")).await;
    assert!(
        answer
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|seconds| seconds >= 1)
    );
    ann.post("general", "others may").await;
}
