//! `Cache-Control` of every route: whatever is for one reader or sets a cookie is private.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{Answer, Person, TestServer, text};

/// Addresses of content that is the same for everybody, and changes with its address.
const PUBLIC: [&str; 2] = ["/assets/", "/modules/"];
/// What a client may want: a page, data, a fragment.
const WANTS: [(&str, &str); 3] = [
    ("accept", "text/html"),
    ("accept", "application/json"),
    ("hx-request", "true"),
];

/// The source of the server without unit tests, which stand at the end of a file.
fn sources(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths: Vec<PathBuf> = entries.map(|entry| entry.expect("one").path()).collect();
    let read = |path: &PathBuf| {
        if path.is_dir() {
            return sources(path);
        }
        let text = std::fs::read_to_string(path).expect("text");
        vec![text.split("#[cfg(test)]").next().expect("one").to_owned()]
    };
    paths.iter().flat_map(read).collect()
}

/// The paths of all routes in the source: the first argument of `.route(…)`, the second of
/// `.page(…)`. None may be anything but a text, or it would be missed here. Two calls are no
/// routes of their own: they mount what others declare.
fn routes() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut paths, mut others) = (Vec::new(), Vec::new());
    for text in sources(&folder) {
        let pages = text.split(".page(").skip(1);
        let pages = pages.filter(|call| call.trim_start().starts_with("Audience::"));
        for call in text.split(".route(").skip(1).chain(pages) {
            let start = call.split(')').next().unwrap_or_default();
            match start.split('"').nth(1) {
                Some(path) => paths.push(path.to_owned()),
                None => others.push(start.to_owned()),
            }
        }
    }
    others.sort();
    assert_eq!(others, ["address, answer", "route.path, handler"]);
    paths.retain(|path| !path.contains("__NAME__")); // the pattern of new modules
    paths.sort();
    paths.dedup();
    assert!(paths.len() >= 34, "{paths:?}");
    paths
}

/// Addresses of things that are there, in place of a route's parameters.
fn fill(route: &str, ann: &Person, message: &str, link: &str) -> String {
    let code = link.rsplit('/').next().expect("a code");
    route
        .replace("{room}", &ann.room("general"))
        .replace("{space}", &ann.space)
        .replace("{account}", &ann.id)
        .replace("{message}", message)
        .replace("{code}", code)
        .replace("{action}", "chat.history")
        .replace(['{', '}'], "")
}

fn check(answer: &Answer, what: &str) {
    let given: Vec<_> = answer.headers.get_all("cache-control").iter().collect();
    assert_eq!(given.len(), 1, "{what}: {} {given:?}", answer.status);
    let given = given[0].to_str().expect("text");
    let is_private = given.contains("private") || given.contains("no-store");
    let is_public = PUBLIC.iter().any(|path| what.contains(path));
    let sets_cookie = answer.headers.contains_key("set-cookie");
    assert!(
        is_private || (is_public && !sets_cookie),
        "{what}: {} {given}, cookie {sets_cookie}",
        answer.status
    );
}

#[tokio::test]
async fn every_route_answers_with_cache_control() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (message, link) = (ann.post("general", "hi").await.id, ann.invite().await);
    let visitor = server.visitor();
    // What ends the session comes last.
    let mut routes = routes();
    routes.sort_by_key(|route| route == "/sign-out");
    routes.insert(0, "/nowhere".to_owned());
    let page = ann.page("/account").await;
    let assets = text::attributes(&page, "src").into_iter();
    routes.splice(
        0..0,
        assets.filter(|path| path.starts_with("/assets/")).take(2),
    );
    for route in &routes {
        let path = fill(route, &ann, &message, &link);
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PATCH", "DELETE"] {
            // Only these two have answers that differ by what the client wants.
            let wants = if ["GET", "POST"].contains(&method) {
                3
            } else {
                1
            };
            for (name, value) in WANTS.into_iter().take(wants) {
                for person in [&visitor, &ann] {
                    let request = person.request(method, &path).header(name, value);
                    let answer = person.send(request).await;
                    check(&answer, &format!("{method} {path} {name}: {value}"));
                }
            }
        }
    }
}

#[tokio::test]
async fn response_that_renews_a_session_is_private() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let style = format!("/accounts/{}/mine.css", ann.id);
    let (message, room) = (ann.post("general", "hi").await.id, ann.room("general"));
    for path in [
        style,
        format!("/messages/{message}/source"),
        format!("/rooms/{room}"),
    ] {
        server.stop().await;
        server.age_sessions().await;
        server.start_again().await;
        let renewed = ann.get(&path).await.expect(200);
        assert!(renewed.headers.contains_key("set-cookie"), "{path}");
        check(&renewed, &path);
    }
}

#[tokio::test]
async fn data_and_source_of_one_reader_are_not_stored() {
    let (_server, ann) = TestServer::start_with_owner().await;
    let message = ann.post("general", "hi").await.id;
    let source = ann.get(&format!("/messages/{message}/source")).await;
    let data = ann
        .act("chat.history", json!({ "room": ann.room("general") }))
        .await;
    for answer in [source.expect(200), data.expect(200)] {
        check(&answer, "data of one reader");
    }
}
