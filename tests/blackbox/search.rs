//! Searching messages: what is found, in which script, by whom, and how soon.

use serde_json::{Value, json};

use crate::support::{Person, TestServer, eventually, text};

/// The texts that somebody finds, the newest first.
async fn found(person: &Person, query: &str) -> Vec<String> {
    let answer = person
        .act("search.find", json!({ "q": query }))
        .await
        .done();
    let found = answer["found"].as_array().cloned().unwrap_or_default();
    let texts = found
        .iter()
        .map(|one| one["text"].as_str().unwrap_or_default().to_owned());
    texts.collect()
}

/// Waits until exactly this is found.
async fn finds(person: &Person, query: &str, expected: &[&str]) {
    let reached = eventually(query, || async {
        (found(person, query).await == expected).then_some(())
    });
    reached.await;
}

#[tokio::test]
async fn words_in_any_script_are_found() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let room = ann.create_room("garden").await;
    let texts = [
        "The frost came **early** to Straßburg",
        "我们明天去东京都看樱花",
        "サーバーを再起動しました",
        "오늘 서울시에 눈이 왔다",
        "วันนี้อากาศหนาวมาก",
        "مُحَمَّد يكتب رسالة",
        "आज बगीचे में पाला पड़ा",
        "Crème brûlée at Zoë's 🎉👍🏽",
        "see https://example.org/frost-report for foo_bar",
    ];
    for text in texts {
        ann.post(&room, text).await;
    }
    let plain = texts.map(|text| text.replace("**", ""));
    finds(&ann, "frost", &[&plain[8], &plain[0]]).await;
    for (query, expected) in [
        ("EARLY frost ", vec![0]),
        ("strassburg", vec![0]),
        ("\"frost came\"", vec![0]),
        ("\"came frost\"", vec![]),
        ("fro", vec![8, 0]),
        ("fro ", vec![]),
        ("fro* came ", vec![0]),
        ("frost -early ", vec![8]),
        ("东京", vec![1]),
        ("京都", vec![1]),
        ("花", vec![1]),
        ("樱", vec![1]),
        ("东樱", vec![]),
        ("再起動", vec![2]),
        ("サーバ", vec![2]),
        ("서울", vec![3]),
        ("눈", vec![3]),
        ("อากาศ", vec![4]),
        ("หนาว", vec![4]),
        ("محمد", vec![5]),
        ("رِسَالَة", vec![5]),
        ("बगीचे", vec![6]),
        ("creme", vec![7]),
        ("🎉", vec![7]),
        ("👍", vec![7]),
        ("foo_bar", vec![8]),
        ("example.org", vec![8]),
        ("nothing", vec![]),
        ("\"", vec![]),
        ("'; DROP TABLE messages; --", vec![]),
        ("(frost OR early) AND* NEAR", vec![]),
    ] {
        let expected: Vec<_> = expected
            .into_iter()
            .map(|at: usize| plain[at].clone())
            .collect();
        assert_eq!(found(&ann, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn edits_and_deletions_are_followed() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let room = ann.create_room("garden").await;
    let message = ann.post(&room, "a wombat").await;
    finds(&ann, "wombat ", &["a wombat"]).await;
    let message = ann.edit(&message, "a quokka").await;
    finds(&ann, "quokka ", &["a quokka"]).await;
    assert!(found(&ann, "wombat ").await.is_empty());
    ann.delete(&message).await;
    finds(&ann, "quokka ", &[]).await;
}

#[tokio::test]
async fn nobody_finds_what_they_may_not_read() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let (bob, cem) = (server.member("Bob").await, server.member("Cem").await);
    let stranger = server.stranger("Sid").await;
    let open = ann.create_room("open").await;
    let secret = ann.create_room("secret").private().with(&[&bob]).await;
    let direct = ann.direct(&[&cem]).await;
    ann.post(&open, "zebra in the open").await;
    ann.post(&secret, "zebra in secret").await;
    ann.post(&direct, "zebra between us").await;
    let (open, secret, direct) = ("zebra in the open", "zebra in secret", "zebra between us");
    finds(&ann, "zebra ", &[direct, secret, open]).await;
    finds(&bob, "zebra ", &[secret, open]).await;
    finds(&cem, "zebra ", &[direct, open]).await;
    assert!(found(&stranger, "zebra ").await.is_empty());
    assert_eq!(found(&cem, "zebra in:secret").await, Vec::<String>::new());

    // Who leaves finds it no more, at once.
    let leave = json!({ "space": ann.space, "account": bob.id });
    ann.act("community.remove-member", leave).await.done();
    assert!(found(&bob, "zebra ").await.is_empty());
}

#[tokio::test]
async fn filters_select_by_author_room_date_and_content() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann Lund").await;
    let bob = server.member("Bob").await;
    let garden = ann.create_room("garden").await;
    let kitchen = ann.create_room("kitchen").await;
    ann.post(&garden, "peas").await;
    bob.post(&garden, "peas and https://example.org").await;
    bob.post(&kitchen, "peas in soup").await;
    let all = ["peas in soup", "peas and https://example.org", "peas"];
    finds(&ann, "peas ", &all).await;
    for (query, expected) in [
        ("peas from:bob", vec![0, 1]),
        ("peas from:me", vec![2]),
        ("peas from:\"ann lund\"", vec![2]),
        ("from:@bob in:#garden", vec![1]),
        ("peas in:kit", vec![0]),
        ("peas has:link", vec![1]),
        ("peas has:file", vec![]),
        ("peas before:2024-06", vec![]),
        ("peas after:2024-06 from:bob in:garden", vec![1]),
        ("peas from:nobody", vec![]),
        ("has:link", vec![1]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|at: usize| all[at]).collect();
        assert_eq!(found(&ann, query).await, expected, "{query}");
    }
    let wrong = json!({ "q": "peas from:nobody before:yesterday" });
    let notes = ann.act("search.find", wrong).await.done()["notes"].clone();
    assert_eq!(notes.as_array().map(Vec::len), Some(2), "{notes}");
}

#[tokio::test]
async fn pages_of_results_follow_one_another() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let room = ann.create_room("garden").await;
    for number in 0..30 {
        ann.post(&room, &format!("leaf {number}")).await;
    }
    let first = eventually("page", || async {
        let page = ann.act("search.find", json!({ "q": "leaf " })).await.done();
        let newest = page["found"][0]["text"] == "leaf 29";
        (newest && page["next"].is_string()).then_some(page)
    });
    let first = first.await;
    assert_eq!(first["found"].as_array().map(Vec::len), Some(25));
    let rest = json!({ "q": "leaf ", "before": first["next"] });
    let rest = ann.act("search.find", rest).await.done();
    assert_eq!(rest["found"].as_array().map(Vec::len), Some(5));
    assert_eq!(rest["next"], Value::Null);
}

#[tokio::test]
async fn page_of_results_marks_and_escapes_and_remembers() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let room = ann.create_room("garden").await;
    let message = ann.post(&room, "a `<b>` frost & more").await;
    finds(&ann, "frost ", &["a <b> frost & more"]).await;
    let page = ann.page("/search?q=frost").await;
    assert!(page.contains("<mark>frost</mark> &#38; more"), "{page}");
    assert!(page.contains("&#60;b&#62;"), "{page}");
    assert!(page.contains(&format!("href=\"/messages/{}\"", message.id)));
    let list = ann
        .fragment("/search/results?q=frost")
        .await
        .expect(200)
        .body;
    assert!(list.contains("<mark>frost</mark>") && !list.contains("<html"));
    let brief = ann.fragment("/search/brief?q=frost").await.expect(200).body;
    assert_eq!(
        text::attributes(&brief, "data-href")[0],
        format!("/messages/{}", message.id)
    );

    assert!(
        ann.page("/search")
            .await
            .contains("href=\"/search?q=frost\"")
    );
    ann.act("search.clear-recent", json!({})).await.done();
    assert!(
        !ann.page("/search")
            .await
            .contains("href=\"/search?q=frost\"")
    );
}

#[tokio::test]
async fn index_is_made_anew_while_people_talk() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let room = ann.create_room("garden").await;
    let mut expected = Vec::new();
    for number in 0..5 {
        let body = format!("seed {number}");
        ann.post(&room, &body).await;
        expected.insert(0, body);
    }
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    finds(&ann, "seed ", &expected).await;
    bob.act("search.rebuild", json!({})).await.expect(403);
    ann.act("search.rebuild", json!({})).await.done();
    ann.post(&room, "seed 5").await;
    finds(&ann, "seed ", &[&["seed 5"], &expected[..]].concat()).await;
}
