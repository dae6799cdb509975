//! Invitations: links that let people in, until they do not.

use serde_json::{Value, json};

use crate::support::{PASSWORD, TestServer, email, text};

fn newcomer(name: &str) -> Value {
    json!({ "name": name, "email": email(name), "password": PASSWORD })
}

#[tokio::test]
async fn invite_shows_inviter_and_admits() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let link = ann.invite().await;
    let visitor = server.visitor();
    let page = visitor.page(&link).await;
    assert!(
        page.contains("Glasshouse") && page.contains("Ann"),
        "{page}"
    );
    let fields = [
        ("name", "Bob"),
        ("email", "bob@example.org"),
        ("password", PASSWORD),
    ];
    let room = visitor.form(&link, &fields).await.location().to_owned();
    assert!(visitor.page(&room).await.contains("Glasshouse"));
    assert_eq!(
        visitor.get("/").await.location(),
        format!("/rooms/{}", ann.room("general"))
    );
    assert!(
        ann.page(&format!("/spaces/{}/people", ann.space))
            .await
            .contains("Bob")
    );
}

#[tokio::test]
async fn join_without_invite_is_refused() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    let visitor = server.visitor();
    visitor.get("/join/AAAAAAAAAAAAAAAA").await.expect(404);
    visitor
        .submit("/join/AAAAAAAAAAAAAAAA", &newcomer("eve"))
        .await
        .expect(409);
    assert!(visitor.get("/").await.location().starts_with("/sign-in"));
    visitor.sign_in("eve", PASSWORD).await.expect(422);
}

#[tokio::test]
async fn invite_admits_up_to_its_uses() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let link = ann.invite_with(json!({ "uses": "2" })).await;
    for name in ["bob", "cem"] {
        server.visitor().join(&link, name).await.done();
    }
    server.visitor().get(&link).await.expect(404);
    assert_eq!(
        server.visitor().join(&link, "dan").await.expect(409).code(),
        "conflict"
    );
}

#[tokio::test]
async fn invite_last_use_is_atomic() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let link = ann.invite_with(json!({ "uses": "1" })).await;
    let tries: Vec<_> = (0..10)
        .map(|number| {
            let (visitor, link) = (server.visitor(), link.clone());
            tokio::spawn(async move {
                visitor
                    .submit(&link, &newcomer(&format!("guest {number}")))
                    .await
                    .status
            })
        })
        .collect();
    let mut joined = 0;
    for attempt in tries {
        match attempt.await.expect("the try ends") {
            200 => joined += 1,
            status => assert_eq!(status, 409),
        }
    }
    assert_eq!(joined, 1);
    let people = ann.page(&format!("/spaces/{}/people", ann.space)).await;
    assert_eq!(
        text::attributes(&people, "id")
            .iter()
            .filter(|id| id.starts_with("person-"))
            .count(),
        2
    );
    for number in 0..10 {
        let name = format!("guest {number}");
        let known = people.contains(&name);
        let visitor = server.visitor();
        let taken = visitor
            .submit(&ann.invite().await, &newcomer(&name))
            .await
            .status
            == 422;
        assert_eq!(taken, known, "an account that did not join was not kept");
    }
}

#[tokio::test]
async fn refused_join_consumes_no_use() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let link = ann.invite_with(json!({ "uses": "1" })).await;
    let visitor = server.visitor();
    let taken = visitor.submit(&link, &newcomer("ann")).await.expect(422);
    assert!(
        taken.problem("name").is_some() && taken.problem("email").is_some(),
        "{}",
        taken.body
    );
    visitor
        .submit(
            &link,
            &json!({ "name": "bob", "email": "b@c", "password": "short" }),
        )
        .await
        .expect(422);
    server.visitor().join(&link, "bob").await.done();
}

#[tokio::test]
async fn revoked_invite_admits_nobody() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let link = ann.invite_with(json!({ "uses": "5" })).await;
    let path = format!("/spaces/{}/invitations", ann.space);
    let settings = ann.page(&path).await;
    assert!(
        settings.contains(&link),
        "the link can be copied: {settings}"
    );
    let tag = settings
        .split("name=\"invite\"")
        .nth(1)
        .expect("it can be taken back");
    let invite = text::attributes(&tag[..tag.find('>').expect("a tag")], "value").remove(0);
    let revoke = json!({ "space": ann.space, "invite": invite });
    assert_eq!(
        bob.act("community.revoke-invite", revoke.clone())
            .await
            .expect(403)
            .code(),
        "forbidden"
    );
    ann.act("community.revoke-invite", revoke.clone())
        .await
        .done();
    ann.act("community.revoke-invite", revoke).await.expect(404);
    server.visitor().get(&link).await.expect(404);
    server
        .visitor()
        .submit(&link, &newcomer("eve"))
        .await
        .expect(409);
}

#[tokio::test]
async fn invite_limits_are_validated() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    for (limits, field) in [
        (json!({ "uses": "0" }), "uses"),
        (json!({ "uses": "many" }), "uses"),
        (json!({ "uses": "10001" }), "uses"),
        (json!({ "expires": "0" }), "expires"),
        (json!({ "expires": "-1" }), "expires"),
        (json!({ "expires": "366" }), "expires"),
    ] {
        let mut fields = limits.clone();
        fields["space"] = json!(ann.space);
        let refused = ann.act("community.invite", fields).await.expect(422);
        assert!(
            refused.problem(field).is_some(),
            "{limits}: {}",
            refused.body
        );
    }
    let link = ann
        .invite_with(json!({ "uses": "3", "expires": "7" }))
        .await;
    server.visitor().join(&link, "bob").await.done();
}

/// The clock cannot be turned from outside, so the link is aged where it is kept.
#[tokio::test]
async fn expired_invite_admits_nobody() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let link = ann.invite_with(json!({ "expires": "1" })).await;
    server.visitor().page(&link).await;
    server.stop().await;
    server
        .change_rows("UPDATE invites SET expires_at = created_at WHERE expires_at IS NOT NULL")
        .await;
    server.start_again().await;
    server.visitor().get(&link).await.expect(404);
    server
        .visitor()
        .submit(&link, &newcomer("bob"))
        .await
        .expect(409);
}

#[tokio::test]
async fn members_cannot_invite() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let link = ann.invite().await;
    assert_eq!(
        bob.act("community.invite", json!({ "space": bob.space }))
            .await
            .expect(403)
            .code(),
        "forbidden"
    );
    let path = format!("/spaces/{}/invitations", bob.space);
    let page = bob.get(&path).await.expect(403).body;
    assert!(!page.contains("/join/") && !page.contains(&link));
}

#[tokio::test]
async fn existing_account_joins_by_invite() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let eve = server.stranger("eve").await;
    let link = ann.invite_with(json!({ "uses": "1" })).await;
    assert_eq!(
        bob.submit(&link, &json!({})).await.done()["space"],
        ann.space.as_str()
    );
    eve.get(&format!("/rooms/{}", ann.room("general")))
        .await
        .expect(404);
    eve.submit(&link, &json!({})).await.done();
    eve.page(&format!("/rooms/{}", ann.room("general"))).await;
    server.visitor().get(&link).await.expect(404);
}

#[tokio::test]
async fn invitation_of_own_space_leads_in() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let made = ann
        .act("community.invite", json!({ "space": ann.space }))
        .await
        .done();
    let link = made["link"].as_str().expect("a link");
    let answer = ann.get(link).await;
    let general = format!("/rooms/{}", ann.room("general"));
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, general.as_str())
    );
    // Somebody else with an account has one button to press.
    let eve = server.stranger("eve").await;
    let page = eve.page(link).await;
    assert!(!page.contains("name=\"password\""), "{page}");
    eve.get("/join/AAAAAAAAAAAAAAAA").await.expect(404);
}
