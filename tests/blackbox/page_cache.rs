//! Pages that stand until something they were made from changes, and what the parts of a page
//! travel as.

use serde_json::json;

use crate::one_instance_only;
use crate::support::{Person, TestServer, client, eventually, text};

const MADE: &str = "tidepool_request_seconds_count{route=\"/rooms/{room}\"}";
const LOGS: &str = "tidepool_parts_made_total{part=\"chat.log\"}";

async fn start_server() -> (TestServer, Person, Person) {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    (server, ann, bob)
}

fn path(person: &Person, room: &str) -> String {
    format!("/rooms/{}", person.room(room))
}

/// The entity tag of a room's page once looking at it changes nothing any more.
async fn stable_etag(person: &Person, path: &str) -> String {
    eventually("unchanged page", || async {
        let first = person.get(path).await.expect(200);
        let second = person.get(path).await.expect(200);
        let tag = second.header("etag").to_owned();
        (first.header("etag") == tag).then_some(tag)
    })
    .await
}

async fn revalidate(person: &Person, path: &str, tag: &str) -> u16 {
    person
        .send(person.request("GET", path).header("If-None-Match", tag))
        .await
        .status
}

#[tokio::test]
async fn unchanged_page_is_served_from_cache() {
    one_instance_only!("each instance has a cache of its own");
    let (server, ann, bob) = start_server().await;
    bob.post("general", "hi").await;
    let path = path(&ann, "general");
    // Who comes and goes changes pages, too, so it may take a few tries until nothing happens.
    let mut tries = 0..100;
    while tries.next().is_some() {
        let tag = stable_etag(&ann, &path).await;
        let made = server.metric(MADE).await;
        let page = ann.page(&path).await;
        let mut same = true;
        for _ in 0..5 {
            same &= ann.page(&path).await == page && revalidate(&ann, &path, &tag).await == 304;
        }
        if same && server.metric(MADE).await.total_cmp(&made).is_eq() {
            return;
        }
    }
    panic!("the page is made again and again");
}

#[tokio::test]
async fn acknowledged_change_shows_on_next_page() {
    one_instance_only!("not yet: a page of another instance may be older by a moment");
    let (_server, ann, bob) = start_server().await;
    let path = path(&ann, "general");
    for number in 0..50 {
        let body = format!("number {number} of them");
        let (author, reader) = if number % 2 == 0 {
            (&ann, &bob)
        } else {
            (&bob, &ann)
        };
        let message = author.post("general", &body).await;
        assert!(
            author.page(&path).await.contains(&body),
            "the author of {number} does not find it"
        );
        assert!(
            reader.page(&path).await.contains(&body),
            "the reader of {number} does not find it"
        );
        let edited = author.edit(&message, &format!("{body}, edited")).await;
        assert!(reader.page(&path).await.contains(&edited.body));
        author.delete(&edited).await;
        assert!(!reader.page(&path).await.contains(&body));
    }
}

#[tokio::test]
async fn every_shown_change_invalidates_page() {
    one_instance_only!("each instance has a cache of its own");
    let (server, ann, bob) = start_server().await;
    ann.create_room("garden").await;
    bob.remember_room("garden", &ann.room("garden"));
    bob.page(&path(&ann, "garden")).await; // seen, so that something new there is news
    let path = path(&ann, "general");
    let mut page = bob.page(&path).await;
    let mut changed = async |what: &str, shows: &str| {
        eventually("a page that is answered 304", || async {
            let tag = stable_etag(&bob, &path).await;
            (revalidate(&bob, &path, &tag).await == 304).then_some(())
        })
        .await;
        let now = bob.page(&path).await;
        assert!(
            now != page && now.contains(shows),
            "{what} is not on the page"
        );
        page = now;
    };
    let space = json!(ann.space);
    let unread = format!("id=\"unread-{}\"><i", ann.room("garden"));
    ann.post("garden", "roses").await;
    changed("something new in another room", &unread).await;
    ann.act(
        "community.rename-space",
        json!({ "space": space, "name": "Lagoon" }),
    )
    .await
    .done();
    changed("the space's name", "Lagoon").await;
    let update = json!({ "room": ann.room("garden"), "name": "orchard", "about": "" });
    ann.act("community.change-room", update).await.done();
    changed("a room's name", "orchard").await;
    server.member("cem").await;
    changed("who is there", "data-name=\"cem\"").await;
    let direct = ann.direct(&[&bob]).await;
    changed("a direct conversation", &format!("/rooms/{direct}")).await;
    let _here = ann.socket().await;
    let line = format!("data-account=\"{}\" data-state=\"here\"", ann.id);
    // Presence is published in batches, so the page changes a little later.
    eventually("page that shows who is here", || async {
        bob.page(&path).await.contains(&line).then_some(())
    })
    .await;
}

#[tokio::test]
async fn lost_right_drops_cached_page() {
    one_instance_only!("each instance has a cache of its own");
    let (_server, ann, bob) = start_server().await;
    let path = path(&ann, "general");
    let tag = stable_etag(&bob, &path).await;
    let elsewhere = format!(
        "/rooms/{}",
        ann.create_room("closed").private().with(&[&bob]).await
    );
    let closed = stable_etag(&bob, &elsewhere).await;
    ann.act(
        "community.remove-member",
        json!({ "space": ann.space, "account": bob.id }),
    )
    .await
    .done();
    assert_eq!(revalidate(&bob, &path, &tag).await, 404);
    assert_eq!(revalidate(&bob, &elsewhere, &closed).await, 404);
    assert_eq!(bob.get(&path).await.status, 404);
    let tag = stable_etag(&ann, &path).await;
    let other = ann.cookies();
    ann.submit("/sign-out", &json!({})).await;
    let request = ann
        .request("GET", &path)
        .header("Cookie", other)
        .header("If-None-Match", tag);
    assert!(!matches!(ann.send(request).await.status, 200 | 304));
}

#[tokio::test]
async fn pages_are_per_account_logs_shared() {
    one_instance_only!("each instance has a cache of its own");
    let (server, ann, bob) = start_server().await;
    ann.post("general", "for all").await;
    let path = path(&ann, "general");
    stable_etag(&ann, &path).await;
    stable_etag(&bob, &path).await;
    bob.post("general", "and another").await;
    ann.page(&path).await; // reads it, which is hers alone
    let logs = server.metric(LOGS).await;
    let (anns, bobs) = (ann.page(&path).await, bob.page(&path).await);
    assert!(
        anns.contains(&format!("data-me=\"{}\"", ann.id))
            && bobs.contains(&format!("data-me=\"{}\"", bob.id))
    );
    assert_eq!(text::messages(&anns), text::messages(&bobs));
    assert!(
        server.metric(LOGS).await - logs <= 1.0,
        "the log is made once for both"
    );
}

#[tokio::test]
async fn page_is_equal_in_every_coding() {
    one_instance_only!("each instance has a cache of its own");
    let (server, ann, bob) = start_server().await;
    for number in 0..60 {
        bob.post(
            "general",
            &format!("line {number} with *some* text, `code` and a ✿"),
        )
        .await;
    }
    let path = path(&ann, "general");
    stable_etag(&ann, &path).await;
    let url = format!("{}{path}", server.base());
    for client in [
        client().no_gzip().build(),
        client().no_brotli().build(),
        client().no_brotli().no_gzip().build(),
    ] {
        let client = client.expect("a client");
        // Presence may change the page between two answers: then they are no comparison.
        eventually("page that stays the same for three answers", || async {
            let before = ann.page(&path).await;
            let request = client.get(&url).header("Cookie", ann.cookies());
            let answer = request.send().await.expect("an answer");
            let decoded = answer.text().await.expect("a text");
            (ann.page(&path).await == before).then(|| assert!(decoded == before))
        })
        .await;
    }
}
