//! How people choose to be seen, and what they tell of their day.

use serde_json::{Value, json};

use crate::support::{Person, Socket, TestServer, text};

async fn wait_for_state(socket: &mut Socket, person: &Person, state: &str) {
    loop {
        let event = socket.event("presence.people.changed").await;
        let people = event["event"]["people"].as_array().expect("people").clone();
        let mut found = people
            .iter()
            .filter(|one| one["account"] == person.id.as_str());
        if found.next_back().is_some_and(|one| one["state"] == state) {
            return;
        }
    }
}

async fn choose(person: &Person, presence: &str, ends: &str) {
    let fields = json!({ "presence": presence, "ends": ends });
    person.act("community.set-presence", fields).await.done();
}

#[tokio::test]
async fn busy_is_shown_and_invisible_is_as_away() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let feed = format!("space/{}/presence", ann.space);
    let mut watch = ann.following(&feed).await;
    let tab = bob.socket().await;
    wait_for_state(&mut watch, &bob, "here").await;
    choose(&bob, "busy", "1h").await;
    wait_for_state(&mut watch, &bob, "busy").await;
    let page = bob.page("/find").await;
    assert!(
        page.contains("<footer class=\"me\" data-state=\"busy\" data-until="),
        "{page}"
    );
    choose(&bob, "invisible", "").await;
    wait_for_state(&mut watch, &bob, "away").await;
    let people = ann.page(&format!("/spaces/{}/people", ann.space)).await;
    let tag = text::tag_with_id(&people, &format!("person-{}-{}", ann.space, bob.id));
    assert!(tag.contains("data-state=\"away\""), "{tag}");
    // A second device changes nothing of it.
    let phone = bob.other_device(&server).await.socket().await;
    let cem = server.member("cem").await;
    let _tab = cem.socket().await;
    let mut seen: Vec<Value> = Vec::new();
    loop {
        let event = watch.event("presence.people.changed").await["event"].take();
        let is_cem = event.to_string().contains(&cem.id);
        seen.push(event);
        if is_cem {
            break;
        }
    }
    let is_hidden = |event: &Value| {
        let people = event["people"].as_array().expect("people");
        people
            .iter()
            .all(|one| one["account"] != bob.id.as_str() || one["state"] == "away")
    };
    assert!(seen.iter().all(is_hidden), "{seen:?}");
    choose(&bob, "automatic", "").await;
    wait_for_state(&mut watch, &bob, "here").await;
    for (presence, ends) in [("away", ""), ("busy", "forever")] {
        let fields = json!({ "presence": presence, "ends": ends });
        bob.act("community.set-presence", fields).await.expect(422);
    }
    drop((tab, phone));
}

#[tokio::test]
async fn invisible_person_is_not_shown_writing() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let general = ann.room("general");
    let mut watch = ann.following(&format!("room/{general}/typing")).await;
    choose(&bob, "invisible", "").await;
    bob.act("chat.type", json!({ "room": general }))
        .await
        .done();
    cem.act("chat.type", json!({ "room": general }))
        .await
        .done();
    let event = watch.event("chat.typing.started").await;
    assert_eq!(event["event"]["account"], cem.id.as_str());
}

#[tokio::test]
async fn presence_is_chosen_without_scripts_for_a_time() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let fields = [("presence", "busy"), ("ends", "30m"), ("here", "/mentions")];
    let chosen = ann.form("/act/community.set-presence", &fields).await;
    assert_eq!(chosen.location(), "/mentions");
    assert!(ann.page("/find").await.contains("data-state=\"busy\""));
    server.stop().await;
    server
        .change_rows("UPDATE accounts SET presence_until = 1")
        .await;
    server.start_again().await;
    let page = ann.page("/find").await;
    assert!(
        page.contains("<footer class=\"me\" data-state=\"here\">"),
        "{page}"
    );
}

#[tokio::test]
async fn status_and_user_name_stand_in_the_list_of_people() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut pane = ann.html_socket().await;
    pane.follow(&format!("space/{}/presence", ann.space)).await;
    let status = json!({ "emoji": "🌴", "text": "<On> holiday", "ends": "1h" });
    bob.act("community.set-status", status).await.done();
    let frame = pane.frame("holiday").await;
    assert!(frame.contains("🌴 &#60;On&#62; holiday"), "{frame}");
    assert!(
        frame.contains("class=\"status\" dir=\"auto\" data-until="),
        "{frame}"
    );
    let people = ann.page(&format!("/spaces/{}/people", ann.space)).await;
    assert!(people.contains("🌴 &#60;On&#62; holiday"), "{people}");
    // Two people of one display name.
    let profile = json!({ "display_name": "ann" });
    bob.act("community.set-profile", profile).await.done();
    let people = ann.page(&format!("/spaces/{}/people", ann.space)).await;
    assert!(
        people.contains("<bdi class=\"handle\">@bob</bdi>"),
        "{people}"
    );
    assert!(!people.contains("@ann</bdi>"));
    let found = ann.page("/find?q=ann").await;
    assert!(found.contains("@bob"), "{found}");
    bob.act("community.set-status", json!({})).await.done();
    crate::support::eventually("list without the status", async || {
        let people = ann.page(&format!("/spaces/{}/people", ann.space)).await;
        (!people.contains("holiday")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn card_of_a_person_is_fetched_alone() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let card = ann.page(&format!("/people/{}?card", bob.id)).await;
    assert!(
        card.contains("@bob") && !card.contains("id=\"app\""),
        "{card}"
    );
    let eve = server.stranger("eve").await;
    eve.get(&format!("/people/{}?card", bob.id))
        .await
        .expect(404);
}
