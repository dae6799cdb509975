//! The journey of a new host: two spaces, roles and a private room; ten people who come in by link,
//! by approval and as guests; a spammer and a raid, while old members talk on; and what the audit
//! log tells of it all.

use futures_util::StreamExt;
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::driver::acquire_browsers;
use super::roles::give;
use super::session::Browser;
use crate::support::{Answer, PASSWORD, Person, TestServer, email, eventually, new_key};

/// Where the spammer is.
const SPAMMER: &str = "203.0.113.9";
/// Who came by a link and was let in.
const BY_LINK: [&str; 6] = ["Bob", "Cem", "Dee", "Eli", "Fay", "Gil"];
/// Who asked to be let in.
const BY_APPROVAL: [&str; 2] = ["Hoa", "Ida"];

#[tokio::test]
async fn new_host_fills_two_spaces_and_holds_them_against_spam_and_a_raid() {
    let _browsers = acquire_browsers(2).await;
    // Addresses are those that a proxy names, so that not everybody has the same.
    let mut server = TestServer::with(&[("TIDEPOOL_BEHIND_PROXY", "true")]).await;
    let page = Browser::open(&server.base()).await;
    let (glasshouse, link) = set_up(&page, &server).await;
    let mut ann = server.visitor();
    ann.sign_in("Ann", PASSWORD).await.done();
    ann.space = glasshouse.clone();

    // Two spaces.
    page.go("/spaces").await;
    page.fill("[name=name]", "Workshop").await;
    page.click("form[action='/act/community.create-space'] .btn")
        .await;
    page.wait_text("main h1", "Workshop").await;
    let workshop = page.path().await.replace("/spaces/", "");

    // Ten people: by link, by approval, as guests.
    let mut people = Vec::new();
    for name in BY_LINK {
        people.push(joined(&server, &link, name).await);
    }
    by_approval(&server, &page, &ann, &workshop).await;
    let guests = ann.invite_with(json!({ "kind": "guest" })).await;
    for name in ["Jo", "Kim"] {
        let guest = json!({ "name": name });
        server.visitor().submit(&guests, &guest).await.done();
    }
    let [bob, cem, dee, ..] = &people[..] else {
        unreachable!("six came")
    };

    // A role, and a private room that its people read.
    role_with_room(&page, &glasshouse).await;
    let general = general_of(bob).await;
    let bob_page = Browser::signed_in(bob, &server.base()).await;
    bob_page.open_room(&general).await;
    page.go(&format!("/spaces/{glasshouse}/members/{}", bob.id))
        .await;
    give(&page, "Gardeners").await;
    // Without a reload.
    bob_page.wait_text(".side a.room", "Shed").await;
    assert!(
        !cem.page(&format!("/rooms/{general}"))
            .await
            .contains("Shed")
    );

    spammer_is_put_out(&server, &page, (&glasshouse, &general), &link).await;
    raid_is_stopped(&mut server, (&page, &bob_page), &ann, (&general, &link)).await;

    // An account that goes takes along what it chose.
    say(dee, &general, "secret of my jam").await;
    page.go(&format!("/rooms/{general}")).await;
    page.wait_message("secret of my jam").await;
    let fields = [("current_password", PASSWORD), ("messages", "delete")];
    let path = "/act/community.delete-account";
    dee.form_from("/account/data", path, &fields)
        .await
        .location();
    page.wait_until("!document.querySelector('.log').textContent.includes('secret of my jam')")
        .await;
    eventually("nothing names who has gone", async || {
        let members = ann.page(&format!("/spaces/{glasshouse}/members")).await;
        let found = ann.act("search.find", json!({ "q": "jam" })).await.done();
        let is_gone = !members.contains(">Dee<") && found["found"] == json!([]);
        is_gone.then_some(())
    })
    .await;

    audit_log_tells(&page, &glasshouse).await;
    page.close_after_network_errors().await;
    bob_page.close_after_network_errors().await;
}

/// The first page of a new server, and the link to invite with; the space and the link's path.
async fn set_up(page: &Browser, server: &TestServer) -> (String, String) {
    page.go(&format!("/setup?token={}", server.setup_token().await))
        .await;
    for (field, text) in [
        ("community", "Glasshouse"),
        ("name", "Ann"),
        ("email", "ann@example.org"),
        ("password", PASSWORD),
    ] {
        page.fill(&format!("[name={field}]"), text).await;
    }
    page.click("main .btn").await;
    page.wait_text("main h1", "Glasshouse is ready").await;
    let path = page.path().await;
    let space = path.split('/').nth(2).expect("a space").to_owned();
    page.click("form[action='/act/community.invite'] .btn")
        .await;
    page.wait_visible("input[readonly]").await;
    let link = page
        .js("new URL(document.querySelector('input[readonly]').value).pathname")
        .await;
    (space, link.as_str().expect("a link").to_owned())
}

/// Somebody new who opened a link.
async fn joined(server: &TestServer, link: &str, name: &str) -> Person {
    let mut person = server.visitor();
    person.join(link, name).await.done();
    person
}

/// The room that a member's first page leads to.
async fn general_of(member: &Person) -> String {
    let home = member.get("/").await;
    home.location().replace("/rooms/", "")
}

/// Two people of the other space ask to be let into the first, and the host lets them in.
async fn by_approval(server: &TestServer, page: &Browser, ann: &Person, workshop: &str) {
    let mode = json!({ "space": ann.space, "mode": "approval" });
    ann.act("community.set-joining", mode).await.done();
    let fields = json!({ "space": workshop });
    let invited = ann.act("community.invite", fields).await.done();
    let link = invited["link"].as_str().expect("a link");
    for name in BY_APPROVAL {
        let asks = joined(server, link, name).await;
        let fields = json!({ "space": ann.space, "words": format!("{name} grows ferns") });
        asks.act("community.apply", fields).await.done();
    }
    page.go(&format!("/spaces/{}/applications", ann.space))
        .await;
    for name in BY_APPROVAL {
        page.wait_text("main .rows", &format!("{name} grows ferns"))
            .await;
    }
    for left in (0..BY_APPROVAL.len()).rev() {
        page.click("button[name=accept][value=yes]").await;
        page.wait_until(&format!(
            "document.querySelectorAll('button[name=accept][value=yes]').length === {left}"
        ))
        .await;
    }
}

/// Makes a role, and a private room for it.
async fn role_with_room(page: &Browser, space: &str) {
    page.go(&format!("/spaces/{space}/roles/new")).await;
    page.fill("[name=name]", "Gardeners").await;
    page.click("form[action='/act/community.create-role'] .btn")
        .await;
    page.wait_text("main h1", "Gardeners").await;
    page.go(&format!("/spaces/{space}/rooms/new")).await;
    page.fill("[name=name]", "Shed").await;
    page.click("#f-private").await;
    let role = "[...document.querySelectorAll('.choices label')]\
        .find((label) => label.textContent.includes('Gardeners'))";
    page.js(&format!("({role}.click(), true)")).await;
    page.click("form[action='/act/community.create-room'] .btn")
        .await;
    page.wait_text("main h1", "Shed").await;
}

/// Writes a message, if that is allowed.
async fn try_say(person: &Person, room: &str, text: &str) -> Answer {
    let fields = json!({ "room": room, "body": text, "key": new_key() });
    person.act("chat.post", fields).await
}

async fn say(person: &Person, room: &str, text: &str) {
    try_say(person, room, text).await.done();
}

/// A request from an address behind the proxy.
fn from(request: RequestBuilder, address: &str, fields: &Value) -> RequestBuilder {
    let request = request.header("X-Forwarded-For", address);
    request.header("accept", "application/json").form(fields)
}

async fn spam(spammer: &Person, room: &str, number: u32) -> Answer {
    let fields = json!({ "room": room, "body": format!("cheap shoes {number}"),
        "key": new_key() });
    let request = spammer.request("POST", "/act/chat.post");
    spammer.send(from(request, SPAMMER, &fields)).await
}

/// A spammer is slowed, timed out and banned, and comes back in vain.
async fn spammer_is_put_out(
    server: &TestServer,
    page: &Browser,
    (space, room): (&str, &str),
    link: &str,
) {
    page.go(&format!("/rooms/{room}/settings")).await;
    page.fill("#slow-seconds", "3600").await;
    page.click("form[action='/act/community.set-slow-mode'] .btn")
        .await;
    page.wait_until("document.querySelector('#slow-seconds')?.defaultValue === '3600'")
        .await;
    let mallory = server.visitor();
    let account = |name: &str| json!({ "name": name, "email": email(name), "password": PASSWORD });
    let join = from(mallory.request("POST", link), SPAMMER, &account("Mallory"));
    let id = mallory.send(join).await.done()["account"].clone();
    spam(&mallory, room, 1).await.done();
    assert_eq!(spam(&mallory, room, 2).await.code(), "too_many");

    let id = id.as_str().expect("an account");
    page.go(&format!("/spaces/{space}/members/{id}")).await;
    page.fill("#time-out-reason", "sells shoes").await;
    page.click("form[action='/act/community.time-out'] .btn")
        .await;
    page.wait_text("[aria-labelledby=member-history]", "sells shoes")
        .await;
    assert_eq!(spam(&mallory, room, 3).await.code(), "forbidden");

    page.fill("#ban-reason", "sells shoes still").await;
    page.js("document.querySelector('#ban-delete').value = '24'")
        .await;
    page.click("form[action='/act/community.ban'] [name=address]")
        .await;
    page.click("form[action='/act/community.ban'] .btn").await;
    page.click("dialog[open] .danger").await;
    page.wait_text("main .rows", "sells shoes still").await;
    assert_eq!(spam(&mallory, room, 4).await.status, 404);
    let again = server.visitor();
    let join = from(again.request("POST", link), SPAMMER, &account("Nobody"));
    assert_eq!(again.send(join).await.code(), "forbidden");

    page.go(&format!("/rooms/{room}/settings")).await;
    page.fill("#slow-seconds", "0").await;
    page.click("form[action='/act/community.set-slow-mode'] .btn")
        .await;
    page.wait_until("document.querySelector('#slow-seconds')?.defaultValue === '0'")
        .await;
    page.go(&format!("/rooms/{room}")).await;
    page.wait_live().await;
    assert!(!page.log().await.to_string().contains("cheap shoes"));
}

/// Two hundred join at once: most are refused, none of them writes, and old members talk on.
async fn raid_is_stopped(
    server: &mut TestServer,
    (page, bob_page): (&Browser, &Browser),
    ann: &Person,
    (room, link): (&str, &str),
) {
    // All others have been there for an hour.
    server.stop().await;
    let age = "UPDATE members SET joined_at = joined_at - 3600000000";
    server.change_rows(age).await;
    server.start_again().await;
    let limits = json!({ "space": ann.space, "joins": "20", "minutes": "5", "length": "30" });
    ann.act("moderation.set-raid-limits", limits).await.done();
    for one in [page, bob_page] {
        one.open_room(room).await;
    }
    let server = &*server;
    let join = async |number: usize| {
        let (visitor, name) = (server.visitor(), format!("raider{number}"));
        let fields = json!({ "name": name, "email": email(&name), "password": PASSWORD });
        let address = format!("192.0.2.{}", number + 1);
        let request = from(visitor.request("POST", link), &address, &fields);
        (visitor.send(request).await.status, visitor)
    };
    let joins = futures_util::stream::iter(0..200).map(join);
    let talk = async {
        for number in 0..5 {
            let text = format!("we talk on {number}");
            bob_page.send_message(&text).await;
            page.wait_message(&text).await;
        }
    };
    let (joined, ()) = tokio::join!(joins.buffer_unordered(8).collect::<Vec<_>>(), talk);
    let admitted = joined.iter().filter(|(status, _)| *status == 200);
    let admitted: Vec<&Person> = admitted.map(|(_, raider)| raider).collect();
    // The one too many is taken in.
    assert_eq!(admitted.len(), 21);
    let written = try_say(admitted[0], room, "raid").await;
    assert_eq!(written.code(), "forbidden");
    page.go(&format!("/spaces/{}", ann.space)).await;
    page.wait_text("main", "Raid mode is on").await;
    let space = json!({ "space": ann.space });
    let removed = ann.act("community.remove-joined", space).await.done();
    assert_eq!(removed["removed"], 21);
}

/// The audit log has what happened, on its first pages.
async fn audit_log_tells(page: &Browser, space: &str) {
    for (query, words) in [
        ("", "Removed who joined in raid mode"),
        ("", "Raid mode began"),
        ("Mallory", "Banned: Mallory"),
        ("Mallory", "Timed out: Mallory"),
        ("Bob", "Gave a role to: Bob"),
        ("Hoa", "Accepted the application of: Hoa"),
        ("Gardeners", "Made the role"),
    ] {
        page.go(&format!("/spaces/{space}/audit?q={query}")).await;
        page.wait_text("main tbody", words).await;
    }
}
