//! Roles: what they permit, who may change and give them, and the log of it.

use serde_json::{Value, json};

use crate::support::{Answer, Person, TestServer};

/// Makes a role that grants these permissions; returns its id.
pub(super) async fn role(by: &Person, name: &str, permissions: &[&str]) -> String {
    let fields = json!({ "space": by.space, "name": name, "permissions": permissions });
    let made = by.act("community.create-role", fields).await.done();
    made["role"].as_str().expect("an id").to_owned()
}

/// The code of a refusal; empty for success.
fn code(answer: &Answer) -> String {
    match answer.status {
        200 => String::new(),
        _ => answer.code(),
    }
}

/// Gives a role, or takes it back; returns the code of a refusal.
async fn give(by: &Person, to: &Person, role: &str, give: &str) -> String {
    let fields = json!({ "space": by.space, "account": to.id, "role": role, "give": give });
    code(&by.act("community.give-role", fields).await)
}

async fn owner_of(by: &Person, account: &Person, owner: &str) -> String {
    let fields = json!({ "space": by.space, "account": account.id, "owner": owner });
    code(&by.act("community.set-owner", fields).await)
}

async fn remove(by: &Person, account: &Person) -> String {
    let fields = json!({ "space": by.space, "account": account.id });
    code(&by.act("community.remove-member", fields).await)
}

#[tokio::test]
async fn role_grants_and_takes_back_at_once() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let invite = json!({ "space": bob.space });
    assert_eq!(
        bob.act("community.invite", invite.clone()).await.code(),
        "forbidden"
    );
    let gardeners = role(&ann, "Gardeners", &["community.invite"]).await;
    let mut socket = bob.following(&format!("account/{}", bob.id)).await;
    assert_eq!(give(&ann, &bob, &gardeners, "yes").await, "");
    socket.event("community.member.changed").await;
    bob.act("community.invite", invite.clone()).await.done();
    // The role itself may lose it again, for all who have it.
    let fields = json!({ "space": ann.space, "role": gardeners, "name": "Gardeners" });
    ann.act("community.change-role", fields).await.done();
    assert_eq!(
        bob.act("community.invite", invite.clone()).await.code(),
        "forbidden"
    );
    // What every member may do is set in one place.
    let everyone = json!({ "space": ann.space,
        "permissions": ["community.read", "chat.attach", "community.invite"] });
    ann.act("community.set-everyone", everyone).await.done();
    bob.act("community.invite", invite).await.done();
    let post = json!({ "room": bob.room("general"), "body": "hi", "key": "roles-0001" });
    assert_eq!(bob.act("chat.post", post.clone()).await.code(), "forbidden");
    ann.act("chat.post", post).await.done();
}

#[tokio::test]
async fn nobody_acts_above_their_own_role() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let rights = [
        "community.manage-roles",
        "community.kick",
        "community.invite",
    ];
    // The one that is made later stands below.
    let high = role(&ann, "High", &rights).await;
    let low = role(&ann, "Low", &rights).await;
    assert_eq!(give(&ann, &bob, &low, "yes").await, "");
    assert_eq!(give(&ann, &cem, &high, "yes").await, "");
    for refused in [
        give(&bob, &bob, &high, "yes").await,
        give(&bob, &cem, &low, "yes").await,
        give(&bob, &bob, &low, "no").await,
        remove(&bob, &cem).await,
        remove(&bob, &ann).await,
        owner_of(&bob, &bob, "yes").await,
    ] {
        assert_eq!(refused, "forbidden");
    }
    for (action, fields) in [
        (
            "community.change-role",
            json!({ "role": high, "name": "Mine" }),
        ),
        (
            "community.change-role",
            json!({ "role": low, "name": "Mine" }),
        ),
        ("community.delete-role", json!({ "role": low })),
        ("community.move-role", json!({ "role": low, "to": "up" })),
        (
            "community.create-role",
            json!({ "name": "Bans", "permissions": ["community.ban"] }),
        ),
        (
            "community.set-everyone",
            json!({ "permissions": ["community.ban"] }),
        ),
    ] {
        let mut fields = fields;
        fields["space"] = Value::from(bob.space.clone());
        assert_eq!(
            bob.act(action, fields).await.expect(403).code(),
            "forbidden",
            "{action}"
        );
    }
    // Below their own role they may.
    let own = role(&bob, "Seeds", &["community.invite"]).await;
    let dee = server.member("dee").await;
    assert_eq!(give(&bob, &dee, &own, "yes").await, "");
    assert_eq!(remove(&bob, &dee).await, "");
    assert_eq!(remove(&cem, &bob).await, "");
    assert_eq!(remove(&cem, &ann).await, "forbidden");
}

#[tokio::test]
async fn last_owner_cannot_be_lost() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    assert_eq!(owner_of(&ann, &ann, "no").await, "conflict");
    assert_eq!(remove(&ann, &ann).await, "conflict");
    for round in 0..6 {
        assert_eq!(owner_of(&ann, &bob, "yes").await, "", "{round}");
        // Both act against each other at once: one is left, whoever was first.
        let (by_ann, by_bob) = tokio::join!(owner_of(&ann, &bob, "no"), owner_of(&bob, &ann, "no"));
        let refused = [&by_ann, &by_bob]
            .iter()
            .filter(|code| !code.is_empty())
            .count();
        assert_eq!(refused, 1, "{by_ann:?} {by_bob:?}");
        if by_bob.is_empty() {
            assert_eq!(owner_of(&bob, &ann, "yes").await, "");
            assert_eq!(owner_of(&ann, &bob, "no").await, "");
        }
    }
    // Each steps down at the same time: one has to stay.
    assert_eq!(owner_of(&ann, &bob, "yes").await, "");
    let (ann_left, bob_left) = tokio::join!(remove(&ann, &ann), remove(&bob, &bob));
    assert_eq!(
        [ann_left.is_empty(), bob_left.is_empty()]
            .iter()
            .filter(|left| **left)
            .count(),
        1
    );
}

#[tokio::test]
async fn chosen_role_grants_nothing_that_members_lack() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let fields = |permissions: &[&str]| {
        json!({ "space": ann.space, "name": "Owls", "permissions": permissions,
            "self_chosen": "yes", "color": "violet" })
    };
    let refused = ann.act("community.create-role", fields(&["community.ban"]));
    assert_eq!(refused.await.expect(422).code(), "invalid");
    let owls = ann
        .act("community.create-role", fields(&["chat.post"]))
        .await
        .done();
    let other = role(&ann, "Given", &[]).await;
    let choose = |role: &Value, take: &str| {
        let fields = json!({ "space": bob.space, "role": role, "take": take });
        bob.act("community.choose-role", fields)
    };
    choose(&owls["role"], "yes").await.done();
    let page = bob.page(&format!("/spaces/{}/roles", bob.space)).await;
    assert!(page.contains("Drop it"), "{page}");
    assert_eq!(choose(&json!(other), "yes").await.code(), "not_found");
    choose(&owls["role"], "no").await.done();
    let page = bob.page(&format!("/spaces/{}/roles", bob.space)).await;
    assert!(page.contains("Take it on") && !page.contains("Drop it"));
}

#[tokio::test]
async fn role_forms_work_without_scripts_and_keep_what_was_typed() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (space, roles) = (&ann.space, format!("/spaces/{}/roles", ann.space));
    assert!(ann.page(&roles).await.contains("Moderator"));
    let form = [
        ("space", space.as_str()),
        ("name", "  "),
        ("permissions", "chat.attach"),
    ];
    let from = format!("{roles}/new");
    let refused = ann
        .form_from(&from, "/act/community.create-role", &form)
        .await;
    let page = refused.expect(422).body;
    assert!(
        page.contains("A name is missing") || page.contains("class=\"error\""),
        "{page}"
    );
    assert!(page.contains("value=\"chat.attach\" checked"), "{page}");
    let members = ann.page(&format!("/spaces/{space}/members?q=bo")).await;
    let link = |person: &Person| format!("/spaces/{space}/members/{}\"", person.id);
    assert!(members.contains(&link(&bob)) && !members.contains(&link(&ann)));
}

#[tokio::test]
async fn audit_log_tells_who_changed_what_and_is_append_only() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let seeds = role(&ann, "Seeds", &["community.invite"]).await;
    assert_eq!(give(&ann, &bob, &seeds, "yes").await, "");
    let fields = json!({ "space": ann.space, "role": seeds, "name": "Saplings",
        "permissions": ["community.kick"] });
    ann.act("community.change-role", fields).await.done();
    assert_eq!(remove(&bob, &cem).await, "");
    let path = format!("/spaces/{}/audit", ann.space);
    let log = ann.page(&path).await;
    for told in [
        "Made the role",
        "Saplings",
        "Invite people and take invitations back",
        "Gave a role to",
        "Removed",
    ] {
        assert!(log.contains(told), "{told} in {log}");
    }
    let kicks = ann.page(&format!("{path}?act=member&q=CEM")).await;
    assert!(
        kicks.contains("Removed") && !kicks.contains("Made the role"),
        "{kicks}"
    );
    // Only for who may read it.
    bob.get(&path).await.expect(403);
    let stranger = server.stranger("eve").await;
    stranger.get(&path).await.expect(404);
    for change in ["UPDATE audit_log SET at = 0", "DELETE FROM audit_log"] {
        assert!(server.database().refuses(change).await, "{change}");
    }
}

#[tokio::test]
async fn audit_search_reads_a_bounded_part_and_goes_on() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    role(&ann, "Needle", &[]).await;
    server.stop().await;
    // All of them newer than the role.
    let space = &ann.space;
    server
        .change_rows(&format!(
            "INSERT INTO audit_log (id, space_id, act, subject, before, after, at) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5100) \
             SELECT 9000000000000000000 + i, {space}, 'room.moved', 'hay', '', '', 0 FROM n"
        ))
        .await;
    server.start_again().await;
    let path = format!("/spaces/{space}/audit?q=needle");
    let page = ann.page(&path).await;
    assert!(!page.contains("Made the role"), "5,000 newer entries");
    let (_, rest) = page.split_once("before=").expect("a next page");
    let before: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let page = ann.page(&format!("{path}&before={before}")).await;
    assert!(
        page.contains("Made the role") && !page.contains("before="),
        "{page}"
    );
}
