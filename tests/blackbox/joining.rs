//! The ways into a space: open, by approval, by password; and who is kept out of each.

use serde_json::{Value, json};

use crate::support::{Answer, PASSWORD, Person, TestServer, email};

async fn set_mode(by: &Person, mode: &str, password: &str) -> Answer {
    let fields = json!({ "space": by.space, "mode": mode, "password": password });
    by.act("community.set-joining", fields).await
}

async fn join(person: &Person, space: &str, password: &str) -> String {
    let fields = json!({ "space": space, "password": password });
    code(&person.act("community.join-space", fields).await)
}

fn code(answer: &Answer) -> String {
    match answer.status {
        200 => String::new(),
        _ => answer.code(),
    }
}

async fn apply(person: &Person, space: &str, words: &str) -> Answer {
    let fields = json!({ "space": space, "words": words });
    person.act("community.apply", fields).await
}

/// The number of the application that the page of a space lists first.
async fn first_request(by: &Person) -> String {
    let page = by.page(&format!("/spaces/{}/applications", by.space)).await;
    let (_, rest) = page
        .split_once("id=\"application-")
        .expect("an application");
    rest.split_once('"').expect("its number").0.to_owned()
}

async fn answer(by: &Person, request: &str, accept: &str, words: &str) -> Answer {
    let fields = json!({ "space": by.space, "request": request, "accept": accept,
        "answer": words });
    by.act("community.answer-application", fields).await
}

async fn is_member(person: &Person, space: &str) -> bool {
    person.get(&format!("/spaces/{space}/members")).await.status == 200
}

async fn open_registration(host: &Person) {
    let fields = json!({ "open": "yes" });
    host.act("community.set-registration", fields).await.done();
}

/// Makes an account by oneself.
async fn register(visitor: &Person, name: &str) -> Answer {
    let fields = json!({ "name": name, "email": email(name), "password": PASSWORD });
    visitor.submit("/register", &fields).await
}

#[tokio::test]
async fn space_by_invitation_is_hidden_from_strangers() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let eve = server.stranger("eve").await;
    assert_eq!(join(&eve, &ann.space, "").await, "not_found");
    apply(&eve, &ann.space, "hi").await.expect(404);
    eve.get(&format!("/spaces/{}/join", ann.space))
        .await
        .expect(404);
    assert!(!eve.page("/spaces/open").await.contains("Glasshouse"));
    assert!(!is_member(&eve, &ann.space).await);
}

#[tokio::test]
async fn open_space_is_listed_and_joined() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let eve = server.stranger("eve").await;
    set_mode(&ann, "open", "").await.done();
    assert!(eve.page("/spaces/open").await.contains("Glasshouse"));
    let path = format!("/spaces/{}/join", ann.space);
    assert!(eve.page(&path).await.contains("Join Glasshouse"));
    let tries = [join(&eve, &ann.space, ""), join(&eve, &ann.space, "")];
    for code in futures_util::future::join_all(tries).await {
        assert_eq!(code, "", "both of two clicks lead in");
    }
    assert!(is_member(&eve, &ann.space).await);
    let listed = format!("href=\"{path}\"");
    assert!(!eve.page("/spaces/open").await.contains(&listed));
    // A member is led in.
    assert!(eve.get(&path).await.location().starts_with("/rooms/"));
    let audit = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(audit.contains("Changed how people join"), "{audit}");
    assert!(audit.contains("By invite only → Open"), "{audit}");
}

#[tokio::test]
async fn deleted_space_is_not_listed_nor_joined() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let eve = server.stranger("eve").await;
    set_mode(&ann, "approval", "").await.done();
    apply(&eve, &ann.space, "please").await.done();
    set_mode(&ann, "open", "").await.done();
    let guests = ann.invite_with(json!({ "kind": "guest" })).await;
    let fields = json!({ "space": ann.space });
    ann.act("community.delete-space", fields).await.done();
    assert!(!eve.page("/spaces/open").await.contains("Glasshouse"));
    assert_eq!(join(&eve, &ann.space, "").await, "not_found");
    let visitor = server.visitor();
    let named = json!({ "name": "Passer-by" });
    visitor.submit(&guests, &named).await.expect(409);
}

#[tokio::test]
async fn banned_account_and_network_join_in_no_way() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let eve = server.stranger("eve").await;
    let fields = json!({ "space": ann.space, "account": bob.id, "address": "yes" });
    ann.act("community.ban", fields).await.done();
    let guests = ann.invite_with(json!({ "kind": "guest" })).await;
    let visitor = server.visitor();
    let named = json!({ "name": "Passer-by" });
    visitor.submit(&guests, &named).await.expect(403);
    for mode in ["open", "password"] {
        set_mode(&ann, mode, "open sesame").await.done();
        for person in [&bob, &eve] {
            let joined = join(person, &ann.space, "open sesame").await;
            assert_eq!(joined, "forbidden", "{mode} {}", person.name);
        }
    }
    set_mode(&ann, "approval", "").await.done();
    for person in [&bob, &eve] {
        apply(person, &ann.space, "please").await.expect(403);
    }
    assert!(!is_member(&eve, &ann.space).await);
}

#[tokio::test]
async fn application_of_somebody_banned_meanwhile_is_not_accepted() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let eve = server.stranger("eve").await;
    set_mode(&ann, "approval", "").await.done();
    apply(&eve, &ann.space, "please").await.done();
    let request = first_request(&ann).await;
    let fields = json!({ "space": ann.space, "account": eve.id });
    ann.act("community.ban", fields).await.done();
    answer(&ann, &request, "yes", "").await.expect(409);
    assert!(!is_member(&eve, &ann.space).await);
    // Nothing was lost: it can still be declined.
    answer(&ann, &request, "no", "").await.done();
}

#[tokio::test]
async fn applicant_is_let_in_when_accepted() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (cem, eve) = (server.member("cem").await, server.stranger("eve").await);
    set_mode(&ann, "approval", "").await.done();
    let feed = format!("space/{}/applications", ann.space);
    let mut list = ann.following(&feed).await;
    let mut own = eve.following(&format!("account/{}", eve.id)).await;
    let long = "x".repeat(301);
    apply(&eve, &ann.space, &long).await.expect(422);
    apply(&eve, &ann.space, "I grow ferns").await.done();
    list.event("community.join.requested").await;
    let home = ann.page(&format!("/spaces/{}", ann.space)).await;
    assert!(home.contains("1 person asks to join"), "{home}");
    let path = format!("/spaces/{}/applications", ann.space);
    let page = ann.page(&path).await;
    assert!(page.contains("I grow ferns"), "{page}");
    cem.get(&path).await.expect(403);
    let waiting = eve.page(&format!("/spaces/{}/join", ann.space)).await;
    assert!(waiting.contains("You have asked to join"), "{waiting}");

    let request = first_request(&ann).await;
    answer(&cem, &request, "yes", "").await.expect(403);
    let tries = [
        answer(&ann, &request, "yes", ""),
        answer(&ann, &request, "yes", ""),
    ];
    let mut codes: Vec<_> = futures_util::future::join_all(tries).await;
    codes.sort_by_key(|answer| answer.status);
    let statuses: Vec<_> = codes.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 409], "accepted once");
    own.event("community.member.joined").await;
    assert!(is_member(&eve, &ann.space).await);
    let region = eve
        .get(&format!("/spaces/{}/join?state", ann.space))
        .await
        .expect(200);
    assert!(region.body.contains("data-admitted"), "{}", region.body);
    let audit = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(audit.contains("Accepted the application of"), "{audit}");
    let home = ann.page(&format!("/spaces/{}", ann.space)).await;
    assert!(!home.contains("asks to join"), "{home}");
}

#[tokio::test]
async fn declined_applicant_reads_why_and_waits() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let eve = server.stranger("eve").await;
    set_mode(&ann, "approval", "").await.done();
    apply(&eve, &ann.space, "hello").await.done();
    apply(&eve, &ann.space, "hello again").await.done();
    let request = first_request(&ann).await;
    let mut own = eve.following(&format!("account/{}", eve.id)).await;
    answer(&ann, &request, "no", "We are full").await.done();
    own.event("community.join.answered").await;
    let page = eve.page(&format!("/spaces/{}/join", ann.space)).await;
    assert!(page.contains("We are full"), "{page}");
    apply(&eve, &ann.space, "please").await.expect(409);
    // Taken back while it waits.
    let dan = server.stranger("dan").await;
    apply(&dan, &ann.space, "hello").await.done();
    let fields = json!({ "space": ann.space });
    dan.act("community.withdraw-application", fields.clone())
        .await
        .done();
    dan.act("community.withdraw-application", fields)
        .await
        .expect(404);
    let page = ann
        .page(&format!("/spaces/{}/applications", ann.space))
        .await;
    assert!(page.contains("Nobody asks to join"), "{page}");
}

#[tokio::test]
async fn space_password_lets_in_and_its_tries_are_limited() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (dan, eve) = (server.stranger("dan").await, server.stranger("eve").await);
    set_mode(&ann, "password", "").await.expect(422);
    set_mode(&ann, "password", "short").await.expect(422);
    set_mode(&ann, "password", "open sesame").await.done();
    // The password stays when the form leaves it empty.
    set_mode(&ann, "password", "").await.done();
    let page = dan.page(&format!("/spaces/{}/join", ann.space)).await;
    assert!(!page.contains("Glasshouse"), "{page}");
    assert_eq!(join(&dan, &ann.space, "open sesame").await, "");
    let mut codes = Vec::new();
    for number in 0..14 {
        codes.push(join(&eve, &ann.space, &format!("guess {number}")).await);
    }
    assert_eq!(codes[0], "invalid");
    assert!(codes.iter().any(|code| code == "too_many"), "{codes:?}");
    assert_eq!(join(&eve, &ann.space, "open sesame").await, "too_many");
    assert!(!is_member(&eve, &ann.space).await);
}

#[tokio::test]
async fn stranger_registers_only_where_host_allows_it() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let visitor = server.visitor();
    visitor.get("/register").await.expect(404);
    register(&visitor, "fay").await.expect(403);
    assert!(!visitor.page("/sign-in").await.contains("/register"));
    let fields = json!({ "open": "yes" });
    bob.act("community.set-registration", fields)
        .await
        .expect(403);
    bob.get("/registration").await.expect(403);
    open_registration(&ann).await;
    set_mode(&ann, "open", "").await.done();
    assert!(visitor.page("/sign-in").await.contains("/register"));
    register(&visitor, "bob").await.expect(422);
    register(&visitor, "fay").await.done();
    assert!(visitor.page("/spaces/open").await.contains("Glasshouse"));
    assert_eq!(join(&visitor, &ann.space, "").await, "");
    assert!(
        ann.page("/registration")
            .await
            .contains("1 account was made")
    );
}

#[tokio::test]
async fn registration_is_limited_by_network() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    open_registration(&ann).await;
    let mut last = 0;
    for number in 0..25 {
        let visitor = server.visitor();
        let name = format!("fay {number}");
        last = register(&visitor, &name).await.status;
        if last == 429 {
            break;
        }
        assert_eq!(last, 200, "{name}");
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn registration_is_limited_by_day() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    open_registration(&ann).await;
    for name in ["fay", "gus"] {
        register(&server.visitor(), name).await.done();
    }
    server.stop().await;
    // As if 200 had come: the limit of a network is reached long before.
    for number in 0..198 {
        server
            .change_rows(&format!(
                "INSERT INTO accounts (id, name, user_name, name_key, email, email_key, password, \
                 created_at, registered) SELECT {number} + 1, 'x', 'x', 'x {number}', '', \
                 'x {number}', '', created_at, TRUE FROM accounts WHERE name = 'fay'"
            ))
            .await;
    }
    server.start_again().await;
    register(&server.visitor(), "hal").await.expect(409);
}

#[tokio::test]
async fn invitation_gives_its_role_while_it_may() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, moderator) = (server.member("bob").await, server.member("mo").await);
    let role = async |name: &str, permissions: Value| {
        let fields = json!({ "space": ann.space, "name": name, "permissions": permissions });
        let made = ann.act("community.create-role", fields).await.done();
        made["role"].as_str().expect("a role").to_owned()
    };
    let roles = ann.page(&format!("/spaces/{}/roles", ann.space)).await;
    let (_, rest) = roles.split_once("id=\"role-").expect("a role");
    let moderators = rest.split_once('"').expect("its number").0.to_owned();
    let fields = json!({ "space": ann.space, "account": moderator.id, "role": moderators,
        "give": "yes" });
    ann.act("community.give-role", fields).await.done();
    let helpers = role("Helpers", json!(["chat.moderate"])).await;
    let builders = role("Builders", json!(["community.manage-rooms"])).await;

    let invite = async |by: &Person, role: &str| {
        let fields = json!({ "space": ann.space, "role": role });
        by.act("community.invite", fields).await
    };
    let (ours, theirs) = (&moderator, &bob);
    invite(theirs, &helpers).await.expect(403);
    invite(ours, &moderators).await.expect(403);
    // Below in the order, but it grants what moderators do not hold.
    invite(ours, &builders).await.expect(403);
    let link = invite(ours, &helpers).await.done()["link"].clone();
    let link = link.as_str().expect("a link");
    let list = ours
        .page(&format!("/spaces/{}/invitations", ann.space))
        .await;
    assert!(list.contains("<bdi>Helpers</bdi>"), "{list}");

    let mut cem = server.visitor();
    cem.join(link, "cem").await.done();
    let page = ann
        .page(&format!("/spaces/{}/members?role={helpers}", ann.space))
        .await;
    assert!(page.contains(&format!("/members/{}\"", cem.id)), "{page}");
    // Whoever made the link does not stand above the role any more.
    let fields = json!({ "space": ann.space, "account": moderator.id, "role": moderators,
        "give": "no" });
    ann.act("community.give-role", fields).await.done();
    let mut dan = server.visitor();
    dan.join(link, "dan").await.done();
    let page = ann
        .page(&format!("/spaces/{}/members?role={helpers}", ann.space))
        .await;
    assert!(!page.contains(&format!("/members/{}\"", dan.id)), "{page}");
    let fields = json!({ "space": ann.space, "role": helpers });
    ann.act("community.delete-role", fields).await.done();
    server.visitor().join(link, "fay").await.done();
}

#[tokio::test]
async fn invitation_page_has_link_and_qr_code() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let start = ann.page(&format!("/spaces/{}/start", ann.space)).await;
    assert!(start.contains("Glasshouse is ready"), "{start}");
    let fields = [("space", ann.space.as_str()), ("expires", "7")];
    let made = ann.form("/act/community.invite", &fields).await;
    let page = ann.page(made.location()).await;
    assert!(
        page.contains("<svg") && page.contains("class=\"qr\"") && page.contains("/join/"),
        "{page}"
    );
    let path = made.location().to_owned();
    let invite = path.rsplit('/').next().expect("a number");
    let fields = json!({ "space": ann.space, "invite": invite });
    ann.act("community.revoke-invite", fields).await.done();
    assert_eq!(
        ann.get(&path).await.location(),
        format!("/spaces/{}/invitations", ann.space)
    );
    let audit = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(
        audit.contains("Made an invite") && audit.contains("Took back an invite"),
        "{audit}"
    );
}

#[tokio::test]
async fn pages_of_joining_work_without_scripts() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let eve = server.stranger("eve").await;
    let settings = format!("/spaces/{}/joining", ann.space);
    assert!(ann.page(&settings).await.contains("How people join"));
    let fields = [
        ("space", ann.space.as_str()),
        ("mode", "approval"),
        ("password", ""),
    ];
    ann.form("/act/community.set-joining", &fields).await;
    assert!(ann.page(&settings).await.contains("/join\""));
    let fields = [("space", ann.space.as_str()), ("words", "hello")];
    let sent = eve.form("/act/community.apply", &fields).await;
    assert!(eve.page(sent.location()).await.contains("You have asked"));
}
