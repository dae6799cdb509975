//! Bans of the whole server: suspended accounts, and networks that are refused.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{PASSWORD, Person, TestServer, email, eventually};

async fn code(by: &Person, action: &str, fields: Value) -> String {
    let answer = by.act(action, fields).await;
    match answer.status {
        200 => String::new(),
        _ => answer.code(),
    }
}

/// The ids of the bans on the host's page, newest first.
async fn bans(host: &Person) -> Vec<String> {
    let page = host.page("/server/bans").await;
    let ids = page.split("name=\"ban\" value=\"").skip(1);
    let ids = ids.map(|rest| rest.split('"').next().unwrap_or_default());
    ids.map(str::to_owned).collect()
}

#[tokio::test]
async fn suspended_account_is_out_until_it_is_lifted() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut sockets = Vec::new();
    for number in 0..server.instances() {
        let bob = bob.at_instance(&server, number);
        sockets.push(bob.following("room/general").await);
        bob.page(&format!("/rooms/{}", bob.room("general"))).await; // cached
    }
    let suspend = json!({ "name": "bob", "reason": "sold <shoes>", "days": "30" });
    assert_eq!(
        code(&bob, "community.suspend", suspend.clone()).await,
        "forbidden"
    );
    let began = Instant::now();
    assert_eq!(code(&ann, "community.suspend", suspend).await, "");
    for mut socket in sockets {
        socket.close_code().await;
    }
    println!(
        "every socket was closed {:?} after it was asked for",
        began.elapsed()
    );
    for number in 0..server.instances() {
        let bob = bob.at_instance(&server, number);
        let path = format!("/rooms/{}", bob.room("general"));
        assert!(bob.get(&path).await.location().starts_with("/sign-in"));
        assert_eq!(code(&bob, "chat.history", json!({})).await, "sign_in_first");
    }
    // Why is told to who knows the password only.
    let visitor = server.visitor();
    let wrong = visitor.sign_in("bob", "not the password").await.expect(422);
    assert!(!wrong.body.contains("shoes"), "{}", wrong.body);
    let refused = visitor.sign_in("bob", PASSWORD).await.expect(403);
    assert!(refused.body.contains("sold <shoes>"), "{}", refused.body);
    let fields = [("login", "bob"), ("password", PASSWORD)];
    let page = visitor.form("/sign-in", &fields).await;
    assert!(page.body.contains("sold &#60;shoes&#62;"), "{}", page.body);
    visitor.get("/").await.location();
    let log = ann.page("/audit").await;
    assert!(log.contains("Suspended: <bdi>bob</bdi>"), "{log}");
    let ban = bans(&ann).await[0].clone();
    assert_eq!(
        code(&ann, "community.lift-server-ban", json!({ "ban": ban })).await,
        ""
    );
    visitor.sign_in("bob", PASSWORD).await.done();
    visitor.page("/account").await;
    assert!(
        ann.page("/audit")
            .await
            .contains("Lifted the suspension of: <bdi>bob</bdi>")
    );
}

#[tokio::test]
async fn host_is_not_suspended_nor_shut_out() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let suspend = json!({ "account": ann.id, "reason": "oops" });
    assert_eq!(code(&ann, "community.suspend", suspend).await, "conflict");
    for (network, expected) in [
        ("127.0.0.1", "conflict"),
        ("127.0.0.0/16", "conflict"),
        ("10.0.0.0/8", "invalid"),
        ("everybody", "invalid"),
    ] {
        let ban = json!({ "network": network, "reason": "oops" });
        assert_eq!(
            code(&ann, "community.ban-network", ban).await,
            expected,
            "{network}"
        );
    }
    let nobody = json!({ "name": "nobody", "reason": "oops" });
    assert_eq!(code(&ann, "community.suspend", nobody).await, "invalid");
    assert!(bans(&ann).await.is_empty());
}

#[tokio::test]
async fn banned_network_is_refused_everywhere_until_it_is_lifted() {
    let server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    let ann = server.owner("ann").await;
    let (bob, link) = (server.member("bob").await, ann.invite().await);
    let status = async |person: &Person, method: &str, path: &str, from: &str| {
        let request = person.request(method, path).header("X-Forwarded-For", from);
        let request = request.header("Accept", "application/json");
        person.send(request).await.status
    };
    let room = format!("/rooms/{}", bob.room("general"));
    for from in ["192.0.2.7", "198.51.100.9"] {
        assert_eq!(status(&bob, "GET", &room, from).await, 200);
    }
    let ban = json!({ "network": "192.0.2.0/24", "reason": "attacks" });
    assert_eq!(code(&ann, "community.ban-network", ban).await, "");
    let visitor = server.visitor();
    for number in 0..server.instances() {
        let (bob, visitor) = (
            bob.at_instance(&server, number),
            visitor.at_instance(&server, number),
        );
        // Other instances hear of it.
        eventually("refusal", || async {
            let status = status(&visitor, "GET", "/sign-in", "192.0.2.7").await;
            (status == 403).then_some(())
        })
        .await;
        // Pages that were cached before, sign-in, joining and sockets.
        assert_eq!(status(&bob, "GET", &room, "192.0.2.7").await, 403);
        assert_eq!(status(&bob, "GET", "/live/data", "192.0.2.7").await, 403);
        assert_eq!(
            status(&visitor, "POST", "/sign-in", "192.0.2.200").await,
            403
        );
        assert_eq!(status(&visitor, "POST", &link, "192.0.2.200").await, 403);
        assert_eq!(
            status(&visitor, "GET", "/sign-in/oidc", "192.0.2.200").await,
            403
        );
        let passkey = "/sign-in/passkey/challenge";
        assert_eq!(status(&visitor, "POST", passkey, "192.0.2.200").await, 403);
        assert_eq!(status(&bob, "GET", &room, "198.51.100.9").await, 200);
        // What the other network may see is not kept for the banned one.
        assert_eq!(status(&bob, "GET", &room, "192.0.2.7").await, 403);
    }
    let ban = bans(&ann).await[0].clone();
    assert_eq!(
        code(&ann, "community.lift-server-ban", json!({ "ban": ban })).await,
        ""
    );
    // Another instance learns of it a moment later.
    eventually("page for who is not banned any more", async || {
        (status(&bob, "GET", &room, "192.0.2.7").await == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn suspension_can_ban_the_address_too() {
    let server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    let ann = server.owner("ann").await;
    let mut eve = server.visitor();
    let join = json!({ "name": "eve", "email": email("eve"), "password": PASSWORD });
    let request = eve.request("POST", &ann.invite().await);
    let request = request.header("X-Forwarded-For", "192.0.2.7").form(&join);
    let joined = eve.send(request.header("Accept", "application/json")).await;
    eve.id = joined.done()["account"].as_str().expect("an id").to_owned();
    let suspend = json!({ "account": eve.id, "reason": "attacks", "address": "yes" });
    assert_eq!(code(&ann, "community.suspend", suspend).await, "");
    let visitor = server.visitor();
    eventually("refusal", || async {
        let request = visitor.request("GET", "/sign-in");
        let request = request.header("X-Forwarded-For", "192.0.2.7");
        (visitor.send(request).await.status == 403).then_some(())
    })
    .await;
    visitor.page("/sign-in").await;
    assert_eq!(bans(&ann).await.len(), 2);
}
