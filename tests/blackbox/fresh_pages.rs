//! Pages and parts that are cached are never stale: after random changes each page is compared with
//! one that is rendered anew, in every content coding.

use reqwest::header::{ACCEPT_ENCODING, ACCEPT_LANGUAGE};
use serde_json::json;

use crate::one_instance_only;
use crate::support::{Person, TestServer, eventually};

const CHANGES: usize = 30;
const TRIES: usize = 20;
const CODINGS: [&str; 3] = ["br", "gzip", "identity"];

/// A small generator of numbers that repeats itself with its seed (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

async fn page(person: &Person, path: &str, coding: &str, language: &str) -> String {
    let request = person
        .request("GET", path)
        .header(ACCEPT_ENCODING, coding)
        .header(ACCEPT_LANGUAGE, language)
        .header("sec-purpose", "prefetch");
    person.send(request).await.expect(200).body
}

async fn change(
    random: &mut Random,
    ann: &Person,
    bob: &Person,
    rooms: &mut Vec<String>,
    n: usize,
) {
    let room = rooms[random.below(rooms.len())].clone();
    let act = match random.below(8) {
        0 => (
            "community.create-room",
            json!({ "space": ann.space, "name": format!("room{n}") }),
        ),
        1 => {
            let fields = json!({ "space": ann.space, "name": format!("hidden{n}"),
                "private": "yes", "members": [bob.id] });
            ("community.create-room", fields)
        }
        2 => (
            "community.change-room",
            json!({ "room": room, "name": format!("name{n}") }),
        ),
        3 => {
            let fields = json!({ "room": room, "name": format!("closed{n}"), "private": "yes" });
            ("community.change-room", fields)
        }
        4 => {
            let archive = if random.below(2) == 0 { "yes" } else { "no" };
            (
                "community.archive-room",
                json!({ "room": room, "archive": archive }),
            )
        }
        5 => (
            "community.rename-space",
            json!({ "space": ann.space, "name": format!("s{n}") }),
        ),
        _ => {
            let key = format!("key-{n:08}");
            (
                "chat.post",
                json!({ "room": room, "body": format!("words {n}"), "key": key }),
            )
        }
    };
    let answer = ann.act(act.0, act.1).await;
    if let Some(room) = answer.json()["result"]["room"]
        .as_str()
        .or(answer.json()["room"].as_str())
    {
        rooms.push(room.to_owned());
    }
}

/// Whether a cached page is what would be rendered now. A visit's own read mark may be stored a
/// moment after the page, so the two are compared again; a stale page stays so for minutes.
async fn is_fresh(person: &Person, path: &str, coding: &str, n: usize) -> bool {
    for attempt in 0..TRIES {
        let request = person.request("GET", path).header(ACCEPT_ENCODING, coding);
        let kept = person.send(request).await;
        // Another language list is another key of the page cache.
        let anew = person
            .request("GET", path)
            .header(ACCEPT_ENCODING, coding)
            .header(ACCEPT_LANGUAGE, format!("en, x-{n}-{attempt}"));
        let anew = person.send(anew).await;
        if (kept.status, &kept.body) == (anew.status, &anew.body) {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn cached_pages_equal_pages_rendered_anew() {
    one_instance_only!("each instance has a cache of its own");
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut rooms = vec![ann.room("general")];
    let mut random = Random(0x5eed_5eed_5eed_5eed);
    let path = format!("/rooms/{}", rooms[0]);
    let space = format!("/spaces/{}/people", ann.space);
    for n in 0..CHANGES {
        change(&mut random, &ann, &bob, &mut rooms, n).await;
        for coding in CODINGS {
            for person in [&ann, &bob] {
                for path in [&path, &space] {
                    assert!(
                        is_fresh(person, path, coding, n).await,
                        "{path}, {coding}, change {n}"
                    );
                }
            }
        }
    }
}

/// A page that was kept 15 seconds and more did not show a new room, and 304 confirmed it.
#[tokio::test]
async fn new_room_shows_on_kept_page_in_every_coding() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let path = format!("/rooms/{}", ann.room("general"));
    for coding in CODINGS {
        let get = |person: &Person| person.request("GET", &path).header(ACCEPT_ENCODING, coding);
        for person in [&ann, &bob] {
            for _ in 0..3 {
                person.send(get(person)).await.expect(200);
            }
        }
        let before = bob.send(get(&bob)).await;
        let name = format!("new-{coding}");
        ann.create_room(&name).await;
        for person in [&ann, &bob] {
            let page = person.send(get(person)).await.expect(200).body;
            assert!(page.contains(&name), "{name} is missing");
        }
        let etag = before.header("etag").to_owned();
        let again = get(&bob).header("if-none-match", etag);
        bob.send(again).await.expect(200);
    }
}

#[tokio::test]
async fn prefetch_leaves_room_unread() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    ann.create_room("garden").await;
    let (garden, general) = (ann.room("garden"), ann.room("general"));
    bob.page(&format!("/rooms/{garden}")).await;
    ann.post("garden", "roses").await;
    let mark = format!("id=\"unread-{garden}\"><i");
    for _ in 0..2 {
        page(&bob, &format!("/rooms/{garden}"), "identity", "en").await;
        assert!(
            bob.page(&format!("/rooms/{general}")).await.contains(&mark),
            "it counts as read"
        );
    }
    bob.page(&format!("/rooms/{garden}")).await;
    // A busy server answers a page before it has stored that it was read.
    eventually("page that shows the visit", || async {
        let page = bob.page(&format!("/rooms/{general}")).await;
        (!page.contains(&mark)).then_some(())
    })
    .await;
}
