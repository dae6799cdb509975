//! Who reads a room: the page, the pane beside it, and leaving a private room.

use serde_json::json;

use crate::support::{Person, TestServer, eventually, text};

fn names(person: &Person, page: &str, others: &[&Person]) -> Vec<String> {
    let people = std::iter::once(person).chain(others.iter().copied());
    // The links of the list; those of the pane beside it open cards.
    let link = |one: &Person| format!("href=\"/people/{}\" dir=", one.id);
    let listed = people.filter(|one| page.contains(&link(one)));
    listed.map(|one| one.name.clone()).collect()
}

#[tokio::test]
async fn readers_follow_members_roles_and_overrides() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = ann.create_room("whisper").private().with(&[&bob]).await;
    let path = format!("/rooms/{room}/readers");
    let listed = async || names(&ann, &ann.page(&path).await, &[&bob, &cem]);
    assert_eq!(listed().await, ["ann", "bob"]);
    cem.get(&path).await.expect(404);
    let reads = async |subject: &str, rule: &str| {
        let fields = json!({ "room": room, "subject": subject, "community.read": rule });
        ann.act("community.set-room-permissions", fields)
            .await
            .done();
    };
    // An account that the room allows, then a role.
    reads(&format!("account-{}", cem.id), "allow").await;
    eventually("cem reads it", async || {
        (listed().await == ["ann", "bob", "cem"]).then_some(())
    })
    .await;
    reads(&format!("account-{}", cem.id), "space").await;
    let made = ann
        .act(
            "community.create-role",
            json!({ "space": ann.space, "name": "Crew" }),
        )
        .await
        .done();
    let role = made["role"].as_str().expect("an id").to_owned();
    reads(&format!("role-{role}"), "allow").await;
    eventually("only its members", async || {
        (listed().await == ["ann", "bob"]).then_some(())
    })
    .await;
    let give =
        |give: &str| json!({ "space": ann.space, "account": cem.id, "role": role, "give": give });
    ann.act("community.give-role", give("yes")).await.done();
    eventually("cem reads it by a role", async || {
        (listed().await == ["ann", "bob", "cem"]).then_some(())
    })
    .await;
    let found = ann.page(&format!("{path}?q=ce")).await;
    assert_eq!(names(&ann, &found, &[&bob, &cem]), ["cem"]);
    ann.act("community.give-role", give("no")).await.done();
    eventually("no longer", async || {
        (listed().await == ["ann", "bob"]).then_some(())
    })
    .await;
    // A public room is read by all but those it denies it to.
    let general = ann.room("general");
    let all = ann.page(&format!("/rooms/{general}/readers")).await;
    assert_eq!(names(&ann, &all, &[&bob, &cem]), ["ann", "bob", "cem"]);
    let deny = json!({ "room": general, "subject": format!("account-{}", bob.id),
        "community.read": "deny" });
    ann.act("community.set-room-permissions", deny).await.done();
    eventually("bob does not", async || {
        let page = ann.page(&format!("/rooms/{general}/readers")).await;
        (names(&ann, &page, &[&bob, &cem]) == ["ann", "cem"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn pane_of_private_room_lists_its_readers_live() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = ann.create_room("whisper").private().with(&[&bob]).await;
    let in_pane =
        |page: &str, person: &Person| page.contains(&format!("id=\"person-{room}-{}\"", person.id));
    let page = bob.page(&format!("/rooms/{room}")).await;
    assert!(in_pane(&page, &ann) && in_pane(&page, &bob) && !in_pane(&page, &cem));
    assert!(!page.contains(&format!("id=\"people-{}\"", bob.space)));
    // A room that all read has the space's.
    let general = bob.page(&format!("/rooms/{}", bob.room("general"))).await;
    assert!(general.contains(&format!("id=\"people-{}\"", bob.space)));
    let feed = format!("room/{room}/presence");
    let mut socket = cem.socket().await;
    assert_eq!(socket.subscribe(&feed, None).await["type"], "refused");
    let mut socket = bob.following(&feed).await;
    // Who comes is shown in it, and who does not read it is not told of.
    bob.page(&format!("/rooms/{room}")).await;
    let _cems = cem.socket().await;
    let _anns = ann.socket().await;
    let event = socket
        .expect("ann comes", |one| one.to_string().contains(&ann.id))
        .await;
    assert!(!event.to_string().contains(&cem.id), "{event}");
    eventually("ann is here", async || {
        let pane = bob.page(&format!("/rooms/{room}/people?pane")).await;
        let own = text::tag_with_id(&pane, &format!("person-{room}-{}", ann.id)).to_owned();
        own.contains("data-state=\"here\"").then_some(())
    })
    .await;
    // A change of members has it refetched.
    let fields =
        json!({ "room": room, "name": "whisper", "private": "yes", "members": [bob.id, cem.id] });
    ann.act("community.change-room", fields).await.done();
    socket.event("community.room.changed").await;
    eventually("cem is listed", async || {
        let pane = bob.page(&format!("/rooms/{room}/people?pane")).await;
        in_pane(&pane, &cem).then_some(())
    })
    .await;
}

#[tokio::test]
async fn private_room_is_left_and_goes_with_its_last_reader() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let room = ann.create_room("whisper").private().with(&[&bob]).await;
    let fields = json!({ "room": room });
    let outside = cem.act("community.leave-room", fields.clone()).await;
    assert_eq!(outside.code(), "not_found");
    let public = json!({ "room": bob.room("general") });
    let refused = bob.act("community.leave-room", public).await;
    assert_eq!(refused.code(), "conflict");
    // It asks first, as a page without scripts does, too.
    let form = [
        ("room", room.as_str()),
        ("ask", "leave-room"),
        ("about", "whisper"),
    ];
    let asked = bob.form("/act/community.leave-room", &form).await;
    assert!(asked.body.contains("Leave"), "{}", asked.body);
    let mut socket = bob.following(&format!("room/{room}")).await;
    let mut account = bob.following(&format!("account/{}", bob.id)).await;
    bob.act("community.leave-room", fields.clone()).await.done();
    socket.wait_for("revoked").await;
    account.event("community.room.changed").await;
    eventually("bob does not read it", async || {
        (bob.get(&format!("/rooms/{room}")).await.status == 404).then_some(())
    })
    .await;
    let page = ann.page(&format!("/rooms/{room}/readers")).await;
    assert!(page.contains("leave-room-last"), "{page}");
    ann.act("community.leave-room", fields).await.done();
    eventually("it is deleted", async || {
        let deleted =
            format!("SELECT COUNT(*) FROM rooms WHERE id = {room} AND deleted_at IS NOT NULL");
        (server.database().number(&deleted).await == Some(1)).then_some(())
    })
    .await;
    ann.get(&format!("/rooms/{room}")).await.expect(404);
    // Who has a role that reads it keeps the room.
    let room = ann.create_room("crew").private().await;
    let moderator = server
        .database()
        .number("SELECT id FROM roles WHERE preset = 'moderator'")
        .await
        .expect("a role");
    for (action, fields) in [
        (
            "community.give-role",
            json!({ "space": ann.space, "account": cem.id, "role": moderator.to_string(), "give": "yes" }),
        ),
        (
            "community.set-room-permissions",
            json!({ "room": room, "subject": format!("role-{moderator}"), "community.read": "allow" }),
        ),
        ("community.leave-room", json!({ "room": room })),
    ] {
        ann.act(action, fields).await.done();
    }
    eventually("cem reads it alone", async || {
        let page = cem.get(&format!("/rooms/{room}/readers")).await;
        (page.status == 200 && names(&cem, &page.body, &[&ann]) == ["cem"]).then_some(())
    })
    .await;
}
