//! Voice as programs see it: who joins, who is told, who is rung, and who is kept out. The media
//! itself is tested with browsers (`tests/browser/voice_rooms.rs`).

use serde_json::{Value, json};

use crate::support::{Person, Socket, TestServer, eventually};

/// What a browser offers to begin with: one line on which it speaks.
const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n\
    a=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\n\
    a=rtcp:9 IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
    a=fingerprint:sha-256 \
    00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\
    \r\na=setup:actpass\r\na=mid:0\r\na=sendonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
    a=fmtp:111 minptime=10;useinbandfec=1\r\na=ssrc:1001 cname:one\r\n";

fn offer(room: &str) -> Value {
    json!({ "room": room, "offer": OFFER, "sources": [["0", "microphone"]],
        "host": "127.0.0.1" })
}

async fn join(person: &Person, room: &str) -> String {
    let joined = person.act("voice.join", offer(room)).await.done();
    let answer = joined["answer"].as_str().expect("an answer");
    assert!(answer.contains("a=candidate:"), "{answer}");
    joined["participant"].as_str().expect("an id").to_owned()
}

async fn voice_room(owner: &Person, fields: Value) -> String {
    let mut room = json!({ "space": owner.space, "name": "Lounge", "kind": "voice" });
    for (name, value) in fields.as_object().expect("fields") {
        room[name] = value.clone();
    }
    let made = owner.act("community.create-room", room).await.done();
    made["room"].as_str().expect("a room").to_owned()
}

/// Waits until the people of a room, by account, are these.
async fn inside(socket: &mut Socket, expected: &[&Person]) -> Value {
    inside_when(socket, expected, |_| true).await
}

/// The same, and `fits` says yes to the event.
async fn inside_when(
    socket: &mut Socket,
    expected: &[&Person],
    fits: impl Fn(&Value) -> bool,
) -> Value {
    let expected: Vec<&str> = expected.iter().map(|person| person.id.as_str()).collect();
    loop {
        let event = socket.event("voice.people.changed").await["event"].take();
        let people = event["people"].as_array().expect("a list").iter();
        let accounts: Vec<&str> = people.filter_map(|one| one["account"].as_str()).collect();
        if accounts == expected && fits(&event) {
            return event;
        }
    }
}

#[tokio::test]
async fn readers_are_told_who_is_inside_and_what_they_do() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = voice_room(&ann, json!({})).await;
    let mut watch = bob.following(&format!("room/{room}/voice")).await;
    let participant = join(&ann, &room).await;
    inside(&mut watch, &[&ann]).await;
    let doing = json!({ "room": room, "participant": participant, "muted": true });
    ann.act("voice.set-doing", doing.clone()).await.done();
    inside_when(&mut watch, &[&ann], |event| {
        event["people"][0]["muted"] == true
    })
    .await;
    // Pages say so without a socket, and without scripts.
    let page = bob.page(&format!("/rooms/{room}")).await;
    assert!(
        page.contains(&format!("data-participant=\"{participant}\"")),
        "{page}"
    );
    assert!(page.contains("data-muted"), "{page}");
    // Somebody else's place is not theirs to change.
    assert_eq!(bob.act("voice.set-doing", doing).await.code(), "not_found");
    let leave = json!({ "room": room, "participant": participant });
    assert_eq!(
        bob.act("voice.leave", leave.clone()).await.code(),
        "not_found"
    );
    ann.act("voice.leave", leave.clone()).await.done();
    inside(&mut watch, &[]).await;
    assert_eq!(ann.act("voice.leave", leave).await.code(), "not_found");
}

#[tokio::test]
async fn account_is_in_one_place_at_a_time() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let room = voice_room(&ann, json!({})).await;
    let other = voice_room(&ann, json!({ "name": "Other" })).await;
    let mut watch = ann.following(&format!("room/{room}/voice")).await;
    let first = join(&ann, &room).await;
    inside(&mut watch, &[&ann]).await;
    join(&ann, &other).await;
    inside(&mut watch, &[]).await;
    // The page that was moved does not come back by itself.
    let mut again = offer(&room);
    again["before"] = first.into();
    let code = eventually("the first place ends", async || {
        let code = ann.act("voice.join", again.clone()).await.code();
        (code == "conflict").then_some(code)
    });
    code.await;
}

#[tokio::test]
async fn lost_right_ends_the_call() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cy, dan) = (
        server.member("bob").await,
        server.member("cy").await,
        server.member("dan").await,
    );
    let room = voice_room(&ann, json!({})).await;
    let mut watch = ann.following(&format!("room/{room}/voice")).await;
    for person in [&bob, &cy, &dan] {
        join(person, &room).await;
    }
    inside(&mut watch, &[&bob, &cy, &dan]).await;
    let fields = json!({ "space": ann.space, "account": bob.id });
    ann.act("community.remove-member", fields).await.done();
    inside(&mut watch, &[&cy, &dan]).await;
    cy.form("/sign-out", &[]).await;
    inside(&mut watch, &[&dan]).await;
    assert_eq!(
        bob.act("voice.join", offer(&room)).await.code(),
        "not_found"
    );
    // Who makes the room private takes out who does not read it any more.
    let fields = json!({ "room": room, "name": "Lounge", "kind": "voice", "private": "yes" });
    ann.act("community.change-room", fields).await.done();
    inside(&mut watch, &[]).await;
}

#[tokio::test]
async fn moderator_mutes_and_takes_out_who_stands_below() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = voice_room(&ann, json!({})).await;
    let mut watch = ann.following(&format!("room/{room}/voice")).await;
    let of_bob = join(&bob, &room).await;
    inside(&mut watch, &[&bob]).await;
    let whom = |participant: &str| json!({ "room": room, "participant": participant });
    let silence = |participant: &str| {
        let mut fields = whom(participant);
        fields["silenced"] = "yes".into();
        fields
    };
    assert_eq!(
        bob.act("voice.silence", silence(&of_bob)).await.code(),
        "forbidden"
    );
    ann.act("voice.silence", silence(&of_bob)).await.done();
    inside_when(&mut watch, &[&bob], |event| {
        event["people"][0]["silenced"] == true
    })
    .await;
    // Coming back does not end it.
    bob.act("voice.leave", whom(&of_bob)).await.done();
    let again = join(&bob, &room).await;
    let event = inside_when(&mut watch, &[&bob], |event| {
        event["people"][0]["id"] == again.as_str()
    })
    .await;
    assert_eq!(event["people"][0]["silenced"], true);
    // Nobody is taken out by who stands as high.
    let of_ann = join(&ann, &room).await;
    inside(&mut watch, &[&bob, &ann]).await;
    assert_eq!(
        bob.act("voice.disconnect", whom(&of_ann)).await.code(),
        "forbidden"
    );
    ann.act("voice.disconnect", whom(&again)).await.done();
    inside(&mut watch, &[&ann]).await;
    let mut back = offer(&room);
    back["before"] = again.into();
    assert_eq!(bob.act("voice.join", back).await.code(), "forbidden");
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    for act in ["Muted in voice", "Took out of voice"] {
        assert!(log.contains(act), "{act}: {log}");
    }
}

#[tokio::test]
async fn room_that_may_not_be_joined_refuses() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let secret = voice_room(&ann, json!({ "private": "yes" })).await;
    assert_eq!(
        bob.act("voice.join", offer(&secret)).await.code(),
        "not_found"
    );
    let page = bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    assert!(!page.contains(&secret), "{page}");
    let room = voice_room(&ann, json!({ "name": "Open" })).await;
    for wrong in [
        json!("v=0"),
        json!(""),
        json!("m=audio 9 x\r\n".repeat(9_000)),
    ] {
        let mut fields = offer(&room);
        fields["offer"] = wrong;
        assert_eq!(ann.act("voice.join", fields).await.code(), "invalid");
    }
    let mut fields = offer(&room);
    fields["sources"] = json!([["a line whose name is too long", "microphone"]]);
    assert_eq!(ann.act("voice.join", fields).await.code(), "invalid");
    let forum = json!({ "space": ann.space, "name": "Posts", "kind": "forum" });
    let forum = ann.act("community.create-room", forum).await.done();
    let forum = forum["room"].as_str().expect("a room");
    assert_eq!(ann.act("voice.join", offer(forum)).await.code(), "conflict");
}

/// What the log of a conversation tells that nobody wrote.
async fn lines_of(person: &Person, room: &str) -> Vec<Value> {
    let history = person.act("chat.history", json!({ "room": room })).await;
    let messages = history.done()["messages"].clone();
    let messages = messages.as_array().expect("a list").iter();
    let told = messages.map(|message| message["told"]["line"].clone());
    told.filter(|line| !line.is_null()).collect()
}

#[tokio::test]
async fn call_rings_the_other_until_they_answer_or_decline() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = ann.direct(&[&bob]).await;
    let mut page = bob.html_socket().await;
    page.follow(&format!("account/{}/unread", bob.id)).await;
    let caller = join(&ann, &room).await;
    let ring = page.frame("voice-ring").await;
    assert!(ring.contains(&format!("id=\"ring-{caller}\"")), "{ring}");
    let answered = join(&bob, &room).await;
    page.frame(&format!("#ring-{caller}")).await;
    for (person, participant) in [(&bob, &answered), (&ann, &caller)] {
        let leave = json!({ "room": room, "participant": participant });
        person.act("voice.leave", leave).await.done();
    }
    let caller = join(&ann, &room).await;
    page.frame(&format!("id=\"ring-{caller}\"")).await;
    bob.act("voice.decline", json!({ "room": room }))
        .await
        .done();
    page.frame(&format!("#ring-{caller}")).await;
    let told = eventually("the conversation tells of the call", async || {
        lines_of(&bob, &room).await.first().cloned()
    });
    let told = told.await;
    assert_eq!(told["words"], "line-call-ended");
    assert!(
        told["text"]
            .as_str()
            .is_some_and(|time| time.ends_with(" s"))
    );
    let page = bob.page(&format!("/rooms/{room}")).await;
    assert!(page.contains("<bdi>ann</bdi> called: <bdi>"), "{page}");
    // Neither of them was missed.
    let inbox = bob.fragment("/inbox/list").await.body;
    assert!(!inbox.contains("missed a call"), "{inbox}");
}

#[tokio::test]
async fn missed_call_is_in_the_inbox_and_nobody_rings_who_keeps_them_away() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cy) = (server.member("bob").await, server.member("cy").await);
    let room = ann.direct(&[&bob]).await;
    let caller = join(&ann, &room).await;
    let leave = json!({ "room": room, "participant": caller });
    ann.act("voice.leave", leave).await.done();
    eventually("the call is in the inbox", async || {
        let inbox = bob.fragment("/inbox/list").await.body;
        inbox.contains("missed a call").then_some(())
    })
    .await;
    eventually("the conversation tells of it", async || {
        let lines = lines_of(&bob, &room).await;
        (lines.len() == 1 && lines[0]["words"] == "line-call-missed").then_some(())
    })
    .await;
    let with_cy = ann.direct(&[&cy]).await;
    let ignore = json!({ "account": ann.id, "kind": "ignore" });
    cy.act("community.block", ignore).await.done();
    let caller = join(&ann, &with_cy).await;
    let leave = json!({ "room": with_cy, "participant": caller });
    ann.act("voice.leave", leave).await.done();
    // Of two calls at the same time this one is the later.
    let caller = join(&ann, &room).await;
    let leave = json!({ "room": room, "participant": caller });
    ann.act("voice.leave", leave).await.done();
    eventually("the second call is in the inbox", async || {
        let inbox = bob.fragment("/inbox/list").await.body;
        (inbox.matches("missed a call").count() == 2).then_some(())
    })
    .await;
    let inbox = cy.fragment("/inbox/list").await.body;
    assert!(!inbox.contains("missed a call"), "{inbox}");
}

#[tokio::test]
async fn stage_listener_is_let_speak_by_who_leads() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = voice_room(&ann, json!({})).await;
    let rules = json!({ "room": room, "bitrate": "64", "is_stage": "yes", "max_people": "" });
    assert_eq!(
        bob.act("voice.set-rules", rules.clone()).await.code(),
        "forbidden"
    );
    ann.act("voice.set-rules", rules).await.done();
    let mut watch = ann.following(&format!("room/{room}/voice")).await;
    join(&ann, &room).await;
    let of_bob = join(&bob, &room).await;
    let event = inside(&mut watch, &[&ann, &bob]).await;
    assert_eq!(event["people"][0]["stage"], Value::Null, "{event}");
    assert_eq!(event["people"][1]["stage"], "listener", "{event}");
    let hand = json!({ "room": room, "participant": of_bob, "hand": true });
    bob.act("voice.set-doing", hand).await.done();
    inside_when(&mut watch, &[&ann, &bob], |event| {
        event["people"][1]["hand"] == true
    })
    .await;
    let let_speak = json!({ "room": room, "participant": of_bob, "speaks": "yes" });
    assert_eq!(
        bob.act("voice.set-speaker", let_speak.clone()).await.code(),
        "forbidden"
    );
    ann.act("voice.set-speaker", let_speak).await.done();
    let event = inside_when(&mut watch, &[&ann, &bob], |event| {
        event["people"][1]["stage"] == "speaker"
    })
    .await;
    assert_eq!(event["people"][1]["hand"], false, "{event}");
    // Where it is no stage any more, everybody is as before.
    let rules = json!({ "room": room, "bitrate": "40" });
    ann.act("voice.set-rules", rules).await.done();
    inside_when(&mut watch, &[&ann, &bob], |event| {
        event["people"][1]["stage"] == Value::Null
    })
    .await;
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    for act in ["Let speak on a stage", "Changed the voice of"] {
        assert!(log.contains(act), "{act}: {log}");
    }
}

#[tokio::test]
async fn only_who_may_is_heard_over_others() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = voice_room(&ann, json!({})).await;
    let mut watch = ann.following(&format!("room/{room}/voice")).await;
    let (of_ann, of_bob) = (join(&ann, &room).await, join(&bob, &room).await);
    for (person, participant) in [(&bob, &of_bob), (&ann, &of_ann)] {
        let doing = json!({ "room": room, "participant": participant, "muted": true,
            "priority": true });
        person.act("voice.set-doing", doing).await.done();
    }
    let event = inside_when(&mut watch, &[&ann, &bob], |event| {
        event["people"][0]["priority"] == true && event["people"][1]["muted"] == true
    })
    .await;
    assert_eq!(event["people"][1]["priority"], false, "{event}");
    let bar = format!("/rooms/{room}/voice/bar");
    for (person, may) in [(&ann, true), (&bob, false)] {
        let button = "data-do=\"overrule\"";
        assert_eq!(person.fragment(&bar).await.body.contains(button), may);
    }
}

#[tokio::test]
async fn full_room_refuses_all_but_who_leads() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cy) = (server.member("bob").await, server.member("cy").await);
    let room = voice_room(&ann, json!({})).await;
    let page = ann.page(&format!("/rooms/{room}/voice/rules")).await;
    assert!(page.contains("name=\"max_people\""), "{page}");
    for wrong in [
        ("max_people", "1001"),
        ("bitrate", "41"),
        ("idle_minutes", "x"),
    ] {
        let mut rules = json!({ "room": room, "bitrate": "40" });
        rules[wrong.0] = wrong.1.into();
        assert_eq!(ann.act("voice.set-rules", rules).await.code(), "invalid");
    }
    let rules = json!({ "room": room, "bitrate": "40", "max_people": "1" });
    ann.act("voice.set-rules", rules).await.done();
    let mut watch = ann.following(&format!("room/{room}/voice")).await;
    join(&bob, &room).await;
    assert_eq!(cy.act("voice.join", offer(&room)).await.code(), "full");
    join(&ann, &room).await;
    inside(&mut watch, &[&bob, &ann]).await;
}

#[tokio::test]
async fn moved_person_is_told_where_and_is_out_of_the_first_room() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let room = voice_room(&ann, json!({})).await;
    let other = voice_room(&ann, json!({ "name": "Other" })).await;
    let secret = voice_room(&ann, json!({ "name": "Secret", "private": "yes" })).await;
    let mut watch = ann.following(&format!("room/{room}/voice")).await;
    let mut page = bob.html_socket().await;
    page.follow(&format!("account/{}/unread", bob.id)).await;
    let of_bob = join(&bob, &room).await;
    inside(&mut watch, &[&bob]).await;
    let choice = ann
        .page(&format!("/rooms/{room}/voice/people/{of_bob}/move"))
        .await;
    assert!(
        choice.contains("Other") && choice.contains("bob"),
        "{choice}"
    );
    let to = |target: &str| json!({ "room": room, "participant": of_bob, "to": target });
    let general = ann.room("general");
    for (person, target, code) in [
        (&bob, &other, "forbidden"),
        (&ann, &general, "invalid"),
        (&ann, &room, "invalid"),
        (&ann, &secret, "conflict"),
    ] {
        assert_eq!(person.act("voice.move", to(target)).await.code(), code);
    }
    ann.act("voice.move", to(&other)).await.done();
    let frame = page.frame("data-voice-moved").await;
    assert!(frame.contains(&format!("data-room=\"{other}\"")), "{frame}");
    // A page that does not go by itself is out all the same.
    inside(&mut watch, &[]).await;
}
