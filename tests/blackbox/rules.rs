//! Rules that act by themselves: words, links, floods and newcomers, masked, held or refused.

use serde_json::{Value, json};

use crate::support::{Answer, Person, TestServer, new_key, text};

/// Adds a rule of a space; `fields` are those of its form.
pub(super) async fn add_rule(by: &Person, kind: &str, action: &str, fields: Value) -> String {
    let answer = try_rule(by, kind, action, fields).await.done();
    answer["rule"].as_str().expect("a rule").to_owned()
}

async fn try_rule(by: &Person, kind: &str, action: &str, fields: Value) -> Answer {
    let mut all = json!({ "space": by.space, "kind": kind, "action": action,
        "name": format!("{kind} {action}"), "enabled": "yes" });
    for (name, value) in fields.as_object().expect("fields") {
        all[name] = value.clone();
    }
    by.act("moderation.save-rule", all).await
}

async fn post(by: &Person, body: &str) -> Answer {
    by.try_post("general", body, &new_key()).await
}

/// What became of a post: its text, `held`, or the code and words of a refusal.
async fn outcome(by: &Person, body: &str) -> String {
    told(&post(by, body).await)
}

fn told(answer: &Answer) -> String {
    if answer.status != 200 {
        let words = answer.problem("body").unwrap_or_default();
        return format!("{} {words}", answer.code());
    }
    let done = answer.json();
    match done["held"]["id"].as_str() {
        Some(_) => "held".to_owned(),
        None => done["message"]["body"].as_str().expect("a text").to_owned(),
    }
}

#[tokio::test]
async fn words_are_masked_held_or_refused() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    for (action, word) in [("mask", "shoes"), ("hold", "casino"), ("refuse", "дурак")] {
        let patterns = if action == "hold" {
            r"\b\d{4}-\d{4}\b"
        } else {
            ""
        };
        let words = json!({ "words": format!("{word}\nnothing"), "patterns": patterns });
        add_rule(&ann, "words", action, words).await;
    }
    let masked = outcome(&bob, "buy **SHÖES** now").await;
    assert_eq!(masked, "buy **•••••** now");
    let log = bob
        .page(&format!("/rooms/{}/log", bob.room("general")))
        .await;
    assert!(log.contains("•••••") && !log.contains("SHÖES"), "{log}");
    assert_eq!(outcome(&bob, "a Casino").await, "held");
    assert_eq!(outcome(&bob, "call 1234-5678").await, "held");
    let refused = outcome(&bob, "ты дурак").await;
    assert!(
        refused.starts_with("invalid This message has words"),
        "{refused}"
    );
    assert_eq!(
        outcome(&bob, "shoestring casinos").await,
        "shoestring casinos"
    );
    // Two rules at once: the more severe acts.
    assert_eq!(outcome(&bob, "shoes in the casino").await, "held");
    assert!(outcome(&bob, "shoes, дурак").await.starts_with("invalid"));
    // Who is above the rules writes on, and so does everybody in a direct conversation.
    assert_eq!(outcome(&ann, "shoes, casino").await, "shoes, casino");
    let direct = bob.direct(&[&ann]).await;
    let answer = bob.try_post(&direct, "shoes", &new_key()).await;
    assert_eq!(answer.done()["message"]["body"], "shoes");
    // Edits, too; they cannot wait.
    let message = bob.post("general", "hello").await;
    assert_eq!(bob.edit(&message, "my shoes").await.body, "my •••••");
    for word in ["casino", "дурак"] {
        let edit = json!({ "message": message.id, "body": word });
        bob.act("chat.edit", edit).await.expect(422);
    }
    // And over sockets.
    let mut socket = bob.socket().await;
    let fields = json!({ "room": bob.room("general"), "body": "casino", "key": new_key() });
    let answer = socket.act("chat.post", fields).await;
    assert!(answer["result"]["held"]["id"].is_string(), "{answer}");
    let fields = json!({ "room": bob.room("general"), "body": "дурак", "key": new_key() });
    let answer = socket.act("chat.post", fields).await;
    assert_eq!(answer["error"]["code"], "invalid", "{answer}");
    server.assert_undamaged();
}

#[tokio::test]
async fn links_are_found_by_their_domains() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let domains = json!({ "policy": "all-but", "domains": "example.org" });
    let rule = add_rule(&ann, "links", "refuse", domains).await;
    for allowed in [
        "https://docs.example.org/x",
        "no link: a.b",
        "`https://evil.example`",
    ] {
        assert_eq!(outcome(&bob, allowed).await, allowed);
    }
    for refused in [
        "see https://evil.example/",
        "www.evil.example",
        "[x](https&#58;//evil.example)",
        "https://example.org.evil.example",
        "https://example.org@evil.example",
    ] {
        let told = outcome(&bob, refused).await;
        assert!(
            told.starts_with("invalid This message has a link"),
            "{refused}: {told}"
        );
    }
    let change = json!({ "space": ann.space, "rule": rule, "kind": "links", "name": "Links",
        "enabled": "yes", "action": "mask", "policy": "only", "domains": "evil.example" });
    ann.act("moderation.save-rule", change).await.done();
    let masked = outcome(&bob, "see https://evil.example and https://good.example").await;
    assert!(
        masked.starts_with("see •") && masked.ends_with(" https://good.example"),
        "{masked}"
    );
    // What cannot be masked is refused.
    let hidden = outcome(&bob, "[x](https&#58;//evil.example)").await;
    assert!(hidden.starts_with("invalid"), "{hidden}");
}

#[tokio::test]
async fn floods_are_counted_over_all_instances() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let limits = json!({ "messages": "5", "seconds": "3600", "repeats": "2", "mentions": "2",
        "links": "1" });
    add_rule(&ann, "floods", "refuse", limits).await;
    assert!(outcome(&bob, "@ann @bob @cem").await.starts_with("invalid"));
    assert!(
        outcome(&bob, "https://a.example https://b.example")
            .await
            .starts_with("invalid")
    );
    assert_eq!(outcome(&bob, "Again").await, "Again");
    assert_eq!(outcome(&bob, "again").await, "again");
    let third = outcome(&bob, "AGAIN ").await;
    assert!(third.starts_with("invalid You have sent"), "{third}");
    // The same post sent again is no other one.
    let key = new_key();
    for _ in 0..3 {
        let answer = bob.try_post("general", "once", &key).await.done();
        assert_eq!(answer["message"]["body"], "once");
    }
    assert_eq!(outcome(&bob, "fifth").await, "fifth");
    let sixth = post(&bob, "sixth").await.expect(429);
    assert_eq!(sixth.code(), "too_many");
    assert_eq!(
        outcome(&ann, "the owner talks on").await,
        "the owner talks on"
    );
    // What is posted under a key stays posted.
    assert_eq!(bob.try_post("general", "once", &key).await.status, 200);
}

#[tokio::test]
async fn new_space_is_protected_from_floods() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    ann.switch_floods("yes").await;
    for number in 0..10 {
        post(&bob, &format!("message {number}")).await.done();
    }
    post(&bob, "one more").await.expect(429);
    let page = ann.page(&format!("/spaces/{}/rules", ann.space)).await;
    assert!(
        page.contains("Floods") && page.contains("Newcomers"),
        "{page}"
    );
}

#[tokio::test]
async fn newcomers_wait_until_they_are_old() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let files = json!({ "hours": "24", "what": "links-and-files" });
    add_rule(&ann, "newcomers", "refuse", files).await;
    assert_eq!(outcome(&bob, "hello").await, "hello");
    assert!(
        outcome(&bob, "https://a.example")
            .await
            .starts_with("invalid New members")
    );
    let file = bob.attach("general", "a.txt", b"text").await;
    bob.post_files("general", "", &[&file], &[])
        .await
        .expect(422);
    server.stop().await;
    let day = 25_i64 * 3_600_000_000;
    let age = |table: &str, column: &str| format!("UPDATE {table} SET {column} = {column} - {day}");
    server.change_rows(&age("members", "joined_at")).await;
    server.start_again().await;
    // A member for a day, with a new account.
    assert!(
        outcome(&bob, "https://a.example")
            .await
            .starts_with("invalid")
    );
    server.stop().await;
    server.change_rows(&age("accounts", "created_at")).await;
    server.start_again().await;
    assert_eq!(
        outcome(&bob, "https://a.example").await,
        "https://a.example"
    );
}

#[tokio::test]
async fn rule_acts_in_its_rooms_and_not_on_exempt_roles() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let role = json!({ "space": ann.space, "name": "Trusted" });
    let role = ann.act("community.create-role", role).await.done();
    let role = role["role"].as_str().expect("a role").to_owned();
    let garden = ann.create_room("garden").await;
    let words = json!({ "words": "shoes", "rooms": [garden], "exempt_roles": [role],
        "time_out": "60" });
    let rule = add_rule(&ann, "words", "refuse", words).await;
    assert_eq!(outcome(&bob, "shoes").await, "shoes");
    let give =
        |give: &str| json!({ "space": ann.space, "account": bob.id, "role": role, "give": give });
    ann.act("community.give-role", give("yes")).await.done();
    bob.try_post("garden", "shoes", &new_key()).await.done();
    ann.act("community.give-role", give("no")).await.done();
    bob.try_post("garden", "shoes", &new_key())
        .await
        .expect(422);
    // The time-out is in force, and in the audit log.
    assert_eq!(post(&bob, "hello").await.code(), "forbidden");
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(
        log.contains("words refuse") && log.contains("Made the rule"),
        "{log}"
    );
    let end = json!({ "space": ann.space, "account": bob.id, "minutes": "0" });
    ann.act("community.time-out", end).await.done();
    // Switched off and deleted it is without force at once.
    let switch = json!({ "space": ann.space, "rule": rule, "on": "no" });
    ann.act("moderation.switch-rule", switch).await.done();
    bob.try_post("garden", "shoes", &new_key()).await.done();
    let delete = json!({ "space": ann.space, "rule": rule });
    ann.act("moderation.delete-rule", delete.clone())
        .await
        .done();
    ann.act("moderation.delete-rule", delete).await.expect(404);
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(
        log.contains("Switched off the rule") && log.contains("Deleted the rule"),
        "{log}"
    );
}

#[tokio::test]
async fn rule_out_of_bounds_is_refused_with_words() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let other = server.stranger("eve").await;
    for (kind, action, fields, field) in [
        ("words", "hold", json!({ "words": "" }), "words"),
        ("words", "hold", json!({ "patterns": "(" }), "patterns"),
        (
            "words",
            "hold",
            json!({ "patterns": "(a{1,100}){1,100}" }),
            "patterns",
        ),
        (
            "words",
            "hold",
            json!({ "words": "x\n".to_owned() + &"y".repeat(61) }),
            "words",
        ),
        (
            "floods",
            "mask",
            json!({ "messages": "1", "seconds": "1" }),
            "action",
        ),
        (
            "newcomers",
            "hold",
            json!({ "hours": "9999", "what": "links" }),
            "hours",
        ),
        (
            "links",
            "hold",
            json!({ "policy": "all", "domains": "-" }),
            "domains",
        ),
        (
            "words",
            "hold",
            json!({ "words": "x", "rooms": ["1"] }),
            "rooms",
        ),
    ] {
        let answer = try_rule(&ann, kind, action, fields).await.expect(422);
        assert!(answer.problem(field).is_some(), "{field}: {}", answer.body);
    }
    for number in 3..50 {
        add_rule(
            &ann,
            "words",
            "hold",
            json!({ "words": format!("w{number}") }),
        )
        .await;
    }
    let full = try_rule(&ann, "words", "hold", json!({ "words": "x" })).await;
    assert_eq!(full.expect(409).code(), "conflict");
    let foreign = json!({ "space": ann.space, "kind": "words", "name": "x", "words": "x",
        "action": "hold" });
    assert_eq!(
        other.act("moderation.save-rule", foreign).await.code(),
        "not_found"
    );
}

#[tokio::test]
async fn dry_run_is_what_happens() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let texts = [
        "hello",
        "my shoes",
        "shoes again",
        "https://evil.example",
        "shoestring",
    ];
    let mut posted = Vec::new();
    for text in texts {
        posted.push(bob.post("general", text).await);
    }
    ann.post("general", "shoes of the owner").await;
    let hidden = ann.create_room("hidden").private().with(&[&bob]).await;
    bob.post(&hidden, "shoes in private").await;
    let path = format!("/spaces/{}/dry-run", ann.space);
    let try_words = async |by: &Person, words: &str| {
        let fields = [
            ("kind", "words"),
            ("name", "x"),
            ("words", words),
            ("action", "mask"),
        ];
        by.form(&path, &fields).await.expect(200).body
    };
    let page = try_words(&ann, "shoes").await;
    assert!(page.contains("3 of 7 messages"), "{page}");
    assert!(
        page.contains("my •••••") && page.contains(">shoes</textarea>"),
        "{page}"
    );
    let tried = text::attributes(&page, "data-tried");
    assert_eq!(tried.len(), 3);
    assert_eq!(tried[1..], [posted[2].id.clone(), posted[1].id.clone()]);
    // Nothing was done, and the same rule does the same once it is saved.
    assert_eq!(bob.history("general").await[1].body, "my shoes");
    add_rule(&ann, "words", "mask", json!({ "words": "shoes" })).await;
    let mut found = 0;
    for text in texts {
        found += usize::from(outcome(&bob, text).await != text);
    }
    assert_eq!(found, 2);
    // Floods are counted in the order in which they were written.
    let fields = [
        ("kind", "floods"),
        ("name", "x"),
        ("action", "refuse"),
        ("messages", "4"),
        ("seconds", "3600"),
    ];
    let page = ann.form(&path, &fields).await.expect(200).body;
    assert!(page.contains("7 of 12 messages"), "{page}");
    // A refused form comes back with its words.
    let page = try_words(&ann, "").await;
    assert!(page.contains("would find nothing"), "{page}");
    // Rooms that one does not see are left out.
    let cem = server.member("cem").await;
    let roles = ann.page(&format!("/spaces/{}/roles", ann.space)).await;
    let role = roles.split("id=\"role-").nth(1).expect("a role");
    let role = role.split('"').next().expect("an id");
    let give = json!({ "space": ann.space, "account": cem.id, "role": role, "give": "yes" });
    ann.act("community.give-role", give).await.done();
    let page = try_words(&cem, "private").await;
    assert!(page.contains("0 of 11 messages"), "{page}");
    // Threads are of the room that they belong to.
    let fields = json!({ "message": posted[0].id, "body": "a scarf", "key": new_key() });
    bob.act("chat.thread", fields).await.done();
    let page = try_words(&cem, "scarf").await;
    assert!(page.contains("1 of 12 messages"), "{page}");
}

/// What a post costs with rules and without; printed, and bounded generously.
#[tokio::test]
async fn post_costs_little_more_with_rules() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let time = async || {
        let mut times = Vec::new();
        for number in 0..60 {
            let began = std::time::Instant::now();
            post(&bob, &format!("a message of some words, number {number}"))
                .await
                .done();
            times.push(began.elapsed());
        }
        times.sort();
        times[30]
    };
    time().await;
    let without = time().await;
    let words: Vec<String> = (0..500).map(|number| format!("word{number}")).collect();
    add_rule(
        &ann,
        "words",
        "refuse",
        json!({ "words": words.join("\n") }),
    )
    .await;
    let limits = json!({ "messages": "1000", "seconds": "10", "repeats": "100" });
    add_rule(&ann, "floods", "refuse", limits).await;
    let with = time().await;
    println!("a post takes {without:?} without rules and {with:?} with 501 of them");
    assert!(with < without * 10, "{without:?} {with:?}");
}
