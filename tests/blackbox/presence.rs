//! Who is here.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Person, Socket, TestServer};

/// How long an account without sockets still counts as here.
const GRACE_PERIOD: Duration = Duration::from_secs(3);
/// Changes within it share a frame.
const BATCH_INTERVAL: Duration = Duration::from_millis(250);

/// Waits until a person is said to be in a state; everything said of them until then.
async fn wait_for_state(socket: &mut Socket, person: &Person, state: &str) -> Vec<String> {
    let mut states: Vec<String> = Vec::new();
    while states.last().is_none_or(|last| last != state) {
        let event = socket.event("presence.people.changed").await;
        let people = event["event"]["people"]
            .as_array()
            .expect("a list of people")
            .iter();
        states.extend(
            people
                .filter(|one| one["account"] == person.id.as_str())
                .map(|one| one["state"].as_str().expect("a state").to_owned()),
        );
    }
    states
}

fn count_mentions(received: &[Value], person: &Person) -> usize {
    received
        .iter()
        .filter(|one| one.to_string().contains(&format!("\"{}\"", person.id)))
        .count()
}

#[tokio::test]
async fn presence_counts_sockets_per_account() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut watch = ann
        .following(&format!("space/{}/presence", ann.space))
        .await;
    let tab = bob.socket().await;
    assert_eq!(
        wait_for_state(&mut watch, &bob, "here")
            .await
            .last()
            .map(String::as_str),
        Some("here")
    );
    let (other, phone) = (
        bob.socket().await,
        bob.other_device(&server).await.html_socket().await,
    );
    tab.close().await;
    other.close().await;
    server
        .metric_reaches("tidepool_sockets", |open| open == 2.0)
        .await;
    assert_eq!(
        count_mentions(&watch.drain().await, &bob),
        0,
        "coming twice and half leaving is no news"
    );
    phone.close().await;
    assert_eq!(wait_for_state(&mut watch, &bob, "away").await, ["away"]);
    let people = ann.page(&format!("/spaces/{}/people", ann.space)).await;
    let bobs =
        crate::support::text::tag_with_id(&people, &format!("person-{}-{}", ann.space, bob.id))
            .to_owned();
    assert!(bobs.contains("away"), "{bobs}");
}

#[tokio::test]
async fn reload_changes_no_presence() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut watch = ann
        .following(&format!("space/{}/presence", ann.space))
        .await;
    let mut tab = bob.socket().await;
    wait_for_state(&mut watch, &bob, "here").await;
    // A reload that took half of the grace period on a busy machine proves nothing.
    for _ in 0..20 {
        let closed = Instant::now();
        tab.close().await;
        server
            .metric_reaches("tidepool_sockets", |open| open == 1.0)
            .await;
        tab = bob.socket().await;
        if closed.elapsed() > GRACE_PERIOD / 2 {
            wait_for_state(&mut watch, &bob, "here").await;
            continue;
        }
        // Someone else coming proves that presence was published meanwhile.
        let cem = server.member("cem").await;
        let _tab = cem.socket().await;
        wait_for_state(&mut watch, &cem, "here").await;
        tab.close().await;
        assert_eq!(wait_for_state(&mut watch, &bob, "away").await, ["away"]);
        return;
    }
    panic!("no reload within {:?}", GRACE_PERIOD / 2);
}

#[tokio::test]
async fn inactive_account_is_idle_until_active() {
    let server = TestServer::with(&[("TIDEPOOL_IDLE_AFTER_SECONDS", "2")]).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut watch = ann
        .following(&format!("space/{}/presence", ann.space))
        .await;
    let (_tab, mut phone) = (bob.socket().await, bob.socket().await);
    wait_for_state(&mut watch, &bob, "here").await;
    assert_eq!(wait_for_state(&mut watch, &bob, "idle").await, ["idle"]);
    phone.act("presence.active", serde_json::json!({})).await;
    assert_eq!(wait_for_state(&mut watch, &bob, "here").await, ["here"]);
}

#[tokio::test]
async fn presence_frames_add_new_members() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let mut page = ann.html_socket().await;
    page.follow(&format!("space/{}/presence", ann.space)).await;
    let bob = server.member("bob <b>").await;
    let frame = page
        .frame(&format!("person-{}-{}", ann.space, bob.id))
        .await;
    assert!(frame.contains("bob") && !frame.contains("<b>"), "{frame}");
    bob.act(
        "community.remove-member",
        serde_json::json!({ "space": bob.space, "account": bob.id }),
    )
    .await
    .done();
    let gone = page.frame("hx-swap=\"delete\"").await;
    assert!(gone.contains(&format!("#person-{}-{}", ann.space, bob.id)));
}

#[tokio::test]
async fn simultaneous_arrivals_are_batched() {
    let millis = BATCH_INTERVAL.as_millis().to_string();
    let server = TestServer::with(&[("TIDEPOOL_PRESENCE_BATCH_MILLIS", &millis)]).await;
    let ann = server.owner("ann").await;
    let mut members = Vec::new();
    for number in 0..30 {
        members.push(server.member(&format!("member{number}")).await);
    }
    let mut watch = ann
        .following(&format!("space/{}/presence", ann.space))
        .await;
    let mut frames_until_all_are = async |state: &str, started: Instant| {
        let (mut people, mut frames) = (std::collections::BTreeSet::new(), 0);
        while people.len() < members.len() {
            let event = watch.event("presence.people.changed").await["event"].clone();
            let known = people.len();
            let in_it = event["people"]
                .as_array()
                .expect("people")
                .iter()
                .filter(|one| one["state"] == state);
            people.extend(
                in_it
                    .filter(|one| one["account"] != json!(ann.id))
                    .map(|one| one["account"].to_string()),
            );
            frames += usize::from(people.len() > known);
        }
        // A frame in each interval, and one that had begun before.
        let most = (started.elapsed().as_millis() / BATCH_INTERVAL.as_millis()) as usize + 2;
        assert!(frames <= most, "{frames} frames of {most} for {state}");
    };
    let started = Instant::now();
    let sockets = futures_util::future::join_all(members.iter().map(Person::socket)).await;
    frames_until_all_are("here", started).await;
    let started = Instant::now();
    drop(sockets);
    frames_until_all_are("away", started).await;
}

#[tokio::test]
async fn presence_is_relearned_after_restart() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let _before = bob.socket().await;
    server.restart().await;
    let mut watch = ann
        .following(&format!("space/{}/presence", ann.space))
        .await;
    let _after = bob.socket().await;
    wait_for_state(&mut watch, &bob, "here").await;
}

#[tokio::test]
async fn activity_while_here_publishes_nothing() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut watch = ann
        .following(&format!("space/{}/presence", ann.space))
        .await;
    let mut tab = bob.socket().await;
    wait_for_state(&mut watch, &bob, "here").await;
    for _ in 0..10 {
        tab.act("presence.active", serde_json::json!({})).await;
    }
    let cem = server.member("cem").await;
    let _tab = cem.socket().await;
    let before = watch
        .expect("the next to come", |received| {
            count_mentions(std::slice::from_ref(received), &cem) > 0
                || count_mentions(std::slice::from_ref(received), &bob) > 0
        })
        .await;
    assert_eq!(count_mentions(&[before], &bob), 0);
}

/// The one test that takes as long as what it tests: nobody can hurry a silence.
#[tokio::test]
async fn dead_connection_becomes_away() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut watch = ann
        .following(&format!("space/{}/presence", ann.space))
        .await;
    let silent = bob.socket().await;
    silent.pause_reading(); // so that no ping is answered
    wait_for_state(&mut watch, &bob, "here").await;
    let gone = |received: &Value| {
        received["event"]["people"].as_array().is_some_and(|all| {
            all.iter()
                .any(|one| one["account"] == bob.id.as_str() && one["state"] == "away")
        })
    };
    watch.expect("that bob is away", gone).await;
}
