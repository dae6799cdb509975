//! A walk over every route, feed and action as somebody who may not: never data. The tables must
//! name all there is; whoever adds a route, an action or a feed finds this test red until it is
//! listed here.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Answer, Message, Person, TestServer};

const MARK: &str = "moonwort-marker";

/// What someone may get of a route.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Gets {
    /// The page.
    It,
    /// The way to somewhere else.
    Redirect,
    /// Nothing, with this status.
    No(u16),
}
use Gets::{It, No, Redirect};

/// Route, then what a stranger to the space, a member outside the room, and a member of the room
/// get of it. Visitors are sent to the door, unless `door` says what else they get.
struct Row(&'static str, &'static str, [Gets; 3], Option<Gets>);

const fn row(method: &'static str, path: &'static str, gets: [Gets; 3]) -> Row {
    Row(method, path, gets, None)
}

const fn open(method: &'static str, path: &'static str, gets: Gets) -> Row {
    Row(method, path, [gets; 3], Some(gets))
}

const ROUTES: &[Row] = &[
    open("GET", "/", Redirect),
    open("GET", "/setup", No(404)),
    open("POST", "/setup", No(422)),
    Row("GET", "/sign-in", [Redirect; 3], Some(It)),
    open("POST", "/sign-in", No(422)),
    row("POST", "/sign-out", [No(0); 3]),
    open("GET", "/join/{code}", No(404)),
    Row("POST", "/join/{code}", [No(409); 3], Some(No(409))),
    open("GET", "/accounts/{account}/mine.css", It),
    row("GET", "/spaces/{space}", [No(404), It, It]),
    row("GET", "/spaces/{space}/settings", [No(404), It, It]),
    row("GET", "/spaces/{space}/people", [No(404), It, It]),
    row(
        "GET",
        "/spaces/{space}/rooms/new",
        [No(404), No(403), No(403)],
    ),
    row("GET", "/rooms/{room}/settings", [No(404), No(404), No(403)]),
    row("GET", "/direct", [It; 3]),
    row("GET", "/account", [It; 3]),
    row("GET", "/sidebar", [No(404), It, It]),
    row("GET", "/dead-letters", [No(403); 3]),
    row("GET", "/jobs", [No(403); 3]),
    row("GET", "/accounts/{account}/picture", [It; 3]),
    row("GET", "/spaces/{space}/picture", [No(404), It, It]),
    row("GET", "/rooms/{room}/files", [No(404), No(404), It]),
    row("GET", "/rooms/{room}", [No(404), No(404), It]),
    row("GET", "/rooms/{room}/log", [No(404), No(404), It]),
    row("GET", "/messages/{message}", [No(404), No(404), Redirect]),
    row(
        "GET",
        "/messages/{message}/source",
        [No(404), No(404), No(403)],
    ),
    row(
        "GET",
        "/messages/{message}/edit",
        [No(404), No(404), No(403)],
    ),
    row(
        "GET",
        "/messages/{message}/delete",
        [No(404), No(404), No(403)],
    ),
];

/// The engine's own routes: tested with the actions, with health, and with the sockets.
const ENGINE: &[&str] = &[
    "/act/{action}",
    "/uploads",
    "/uploads/{upload}",
    "/files/{file}/{name}",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/live",
    "/live/data",
];

/// Action, its fields in the private room, and the codes that a stranger, a member outside and a
/// member inside get; an empty code is success.
const ACTIONS: &[(&str, &str, [&str; 3])] = &[
    (
        "chat.post",
        r#"{"room":"ROOM","body":"hi","key":"walk-KEY"}"#,
        ["not_found", "not_found", ""],
    ),
    (
        "chat.edit",
        r#"{"message":"MESSAGE","body":"hi"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "chat.delete",
        r#"{"message":"MESSAGE"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "chat.type",
        r#"{"room":"ROOM"}"#,
        ["not_found", "not_found", ""],
    ),
    (
        "chat.read",
        r#"{"room":"ROOM","message":"MESSAGE"}"#,
        ["not_found", "not_found", ""],
    ),
    (
        "chat.history",
        r#"{"room":"ROOM"}"#,
        ["not_found", "not_found", ""],
    ),
    ("presence.active", "{}", ["", "", ""]),
    (
        "community.create-space",
        r#"{"name":"Mine"}"#,
        ["forbidden"; 3],
    ),
    (
        "community.rename-space",
        r#"{"space":"SPACE","name":"Mine"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.remove-member",
        r#"{"space":"SPACE","account":"OWNER"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.invite",
        r#"{"space":"SPACE"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.revoke-invite",
        r#"{"space":"SPACE","invite":"1"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.create-room",
        r#"{"space":"SPACE","name":"mine"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.change-room",
        r#"{"room":"ROOM","name":"mine"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "community.archive-room",
        r#"{"room":"ROOM","archive":"yes"}"#,
        ["not_found", "not_found", "forbidden"],
    ),
    (
        "community.open-direct",
        r#"{"people":["BOB","CEM"]}"#,
        ["not_found", "", ""],
    ),
    (
        "community.end-session",
        r#"{"session":"SESSION"}"#,
        ["not_found"; 3],
    ),
    ("community.set-language", r#"{"language":""}"#, ["", "", ""]),
    (
        "admin.replay-letter",
        r#"{"event":"1","subscriber":"chat.presenter"}"#,
        ["forbidden"; 3],
    ),
    (
        "admin.discard-letter",
        r#"{"event":"1","subscriber":"chat.presenter"}"#,
        ["forbidden"; 3],
    ),
    (
        "community.set-portrait",
        r#"{"account":"OWNER"}"#,
        ["not_found"; 3],
    ),
    (
        "community.set-emblem",
        r#"{"space":"SPACE"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.add-emoji",
        r#"{"space":"SPACE","name":"tide"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    (
        "community.remove-emoji",
        r#"{"space":"SPACE","name":"tide"}"#,
        ["not_found", "forbidden", "forbidden"],
    ),
    ("admin.retry-job", r#"{"job":"1"}"#, ["forbidden"; 3]),
    ("admin.cancel-job", r#"{"job":"1"}"#, ["forbidden"; 3]),
    (
        "admin.pause-jobs",
        r#"{"kind":"files.picture","pause":true}"#,
        ["forbidden"; 3],
    ),
];

/// Feed, and whether a stranger, a member outside and a member inside may follow it.
const FEEDS: &[(&str, [bool; 3])] = &[
    ("room/{room}", [false, false, true]),
    ("room/{room}/typing", [false, false, true]),
    ("space/{space}", [false, true, true]),
    ("space/{space}/presence", [false, true, true]),
    ("account/{account}", [false, false, false]),
    ("server/jobs", [false, false, false]),
];

/// A server with a private room in which something is written, and three people who are told apart.
struct Scene {
    server: TestServer,
    ann: Person,
    people: [Person; 3],
    room: String,
    message: Message,
}

impl Scene {
    async fn set() -> Self {
        let server = TestServer::start().await;
        let ann = server.owner("ann").await;
        let people = [
            server.stranger("eve").await,
            server.member("bob").await,
            server.member("cem").await,
        ];
        let room = ann
            .create_room("whisper")
            .about(MARK)
            .private()
            .with(&[&people[2]])
            .await;
        let message = ann.post(&room, MARK).await;
        Self {
            server,
            ann,
            people,
            room,
            message,
        }
    }

    fn fill(&self, template: &str) -> String {
        [
            ("room", &self.room),
            ("space", &self.ann.space),
            ("account", &self.ann.id),
            ("message", &self.message.id),
        ]
        .iter()
        .fold(
            template.replace("{code}", "AAAAAAAAAAAAAAAA"),
            |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
                    .replace(&name.to_uppercase(), value)
            },
        )
        .replace("OWNER", &self.ann.id)
        .replace("BOB", &self.people[1].id)
        .replace("CEM", &self.people[2].id)
    }
}

fn check(who: &str, row: &Row, gets: Gets, answer: &Answer, inside: bool) {
    let what = format!(
        "{who}: {} {}: {} {}",
        row.0,
        row.1,
        answer.status,
        answer.header("location")
    );
    assert!(inside || !answer.body.contains(MARK), "{what} holds data");
    match gets {
        It => assert_eq!(answer.status, 200, "{what}"),
        Redirect => assert!(
            answer.status == 303 && !answer.header("location").starts_with("/sign-in"),
            "{what}"
        ),
        No(status) => assert_eq!(answer.status, status, "{what}"),
    }
}

#[tokio::test]
async fn routes_refuse_the_unauthorised() {
    let scene = Scene::set().await;
    let visitor = scene.server.visitor();
    for row in ROUTES {
        let Row(method, template, gets, door) = row;
        let path = scene.fill(template)
            + if *template == "/sidebar" {
                "?space=SPACE"
            } else {
                ""
            };
        let path = scene.fill(&path);
        for accept in ["text/html", "application/json", "htmx"] {
            let ask = async |person: &Person| {
                let request = person.request(method, &path);
                let request = if accept == "htmx" {
                    request.header("HX-Request", "true")
                } else {
                    request.header("Accept", accept)
                };
                person.send(request).await
            };
            let answer = ask(&visitor).await;
            match door {
                Some(Redirect) => assert_eq!(answer.status, 303, "{path}"),
                Some(gets) => check("a visitor", row, *gets, &answer, false),
                None if accept == "text/html" && *method == "GET" => {
                    assert!(answer.location().starts_with("/sign-in?next="), "{path}")
                }
                None => check("a visitor", row, No(401), &answer, false),
            }
            if *template == "/sign-out" {
                continue;
            }
            for ((person, gets), inside) in scene.people.iter().zip(gets).zip([false, false, true])
            {
                check(&person.name, row, *gets, &ask(person).await, inside);
            }
        }
    }
}

#[tokio::test]
async fn actions_refuse_the_unauthorised() {
    let scene = Scene::set().await;
    let visitor = scene.server.visitor();
    let page = scene
        .ann
        .elsewhere(&scene.server)
        .await
        .page("/account")
        .await;
    let session = crate::support::text::attributes(&page, "value")
        .into_iter()
        .find(|value| value.len() == 43)
        .expect("a session");
    for (action, template, codes) in ACTIONS {
        let fields = |number: usize| -> Value {
            let text = scene
                .fill(&template.replace("SESSION", &session))
                .replace("KEY", &format!("{action}-{number}").replace('.', "-"));
            serde_json::from_str(&text).expect("JSON")
        };
        assert_eq!(
            visitor.act(action, fields(0)).await.expect(401).code(),
            "sign_in_first",
            "{action}"
        );
        assert_eq!(
            visitor.form(&format!("/act/{action}"), &[]).await.status,
            401,
            "{action}"
        );
        for (number, (person, code)) in scene.people.iter().zip(codes).enumerate() {
            let what = format!("{} does {action}", person.name);
            let over_http = person.act(action, fields(number)).await;
            let over_socket = person.socket().await.act(action, fields(number)).await;
            if code.is_empty() {
                assert_eq!(over_http.status, 200, "{what}: {}", over_http.body);
                assert_eq!(over_socket["type"], "reply", "{what}: {over_socket}");
            } else {
                assert_eq!(over_http.code(), *code, "{what}");
                assert_eq!(over_socket["error"]["code"], *code, "{what}");
            }
            assert!(
                number == 2
                    || !over_http.body.contains(MARK) && !over_socket.to_string().contains(MARK),
                "{what} and gets data"
            );
        }
    }
    assert_eq!(visitor.act("chat.unheard-of", json!({})).await.status, 401);
    assert_eq!(
        scene.ann.act("chat.unheard-of", json!({})).await.status,
        404
    );
    let kept = scene.ann.history(&scene.room).await;
    assert_eq!(kept[0], scene.message, "nobody changed it");
    assert!(
        kept[1..]
            .iter()
            .all(|message| message.author == scene.people[2].id),
        "{kept:#?}"
    );
}

#[tokio::test]
async fn feeds_refuse_the_unauthorised() {
    let scene = Scene::set().await;
    for (template, allowed) in FEEDS {
        let feed = scene.fill(template);
        for (person, allowed) in scene.people.iter().zip(allowed) {
            let mut socket = person.socket().await;
            let answer = socket.ask(&feed, None).await;
            assert_eq!(
                answer["type"] == "subscribed",
                *allowed,
                "{}: {feed}: {answer}",
                person.name
            );
            let mut greeted = person.socket_at(&format!("/live?feed={feed}")).await;
            let answer = greeted
                .expect("an answer", |said| said["feed"] == feed.as_str())
                .await;
            assert_eq!(
                answer["type"] == "subscribed",
                *allowed,
                "{}: {feed}: {answer}",
                person.name
            );
            assert!(*allowed || answer["code"] == "not_found", "{answer}");
        }
    }
}

/// Every file below a folder of the source.
fn sources(folder: &Path, found: &mut String) {
    for path in std::fs::read_dir(folder)
        .expect("the source is there")
        .flatten()
        .map(|entry| entry.path())
    {
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let text = std::fs::read_to_string(&path).expect("it is text");
            found.push_str(text.split("#[cfg(test)]").next().unwrap_or_default());
        }
    }
}

/// The first string after each of these beginnings, where nothing but words stand between.
fn declared(source: &str, beginning: &str) -> BTreeSet<String> {
    let strings = source.split(beginning).skip(1).filter_map(|rest| {
        let (between, rest) = rest.split_once('"')?;
        between
            .chars()
            .all(|c| c.is_alphanumeric() || c.is_whitespace() || ":,".contains(c))
            .then(|| rest.split('"').next())?
    });
    strings.map(str::to_owned).collect()
}

#[test]
fn authorization_tables_are_complete() {
    let mut source = String::new();
    for floor in ["community", "modules"] {
        let place = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("src")
            .join(floor);
        sources(&place, &mut source);
        source.push_str(
            &std::fs::read_to_string(place.with_extension("rs")).expect("the floor has a page"),
        );
    }
    // The feed of the jobs is the engine's, followed by who may see the admin module's page.
    let jobs = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine/jobs.rs");
    source.push_str(&std::fs::read_to_string(jobs).expect("jobs are there"));
    let listed = |names: &mut dyn Iterator<Item = &'static str>| {
        names.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!(
        declared(&source, ".page("),
        listed(&mut ROUTES.iter().map(|row| row.1)),
        "routes"
    );
    let mut actions = declared(&source, ".action(");
    actions.extend(declared(&source, ".action_with_files("));
    assert_eq!(
        actions,
        listed(&mut ACTIONS.iter().map(|row| row.0)),
        "actions"
    );
    assert_eq!(
        declared(&source, "Feed::new("),
        listed(&mut FEEDS.iter().map(|row| row.0)),
        "feeds"
    );
    let mut engine = String::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/engine"),
        &mut engine,
    );
    assert_eq!(
        declared(&engine, ".route("),
        listed(&mut ENGINE.iter().copied()),
        "the engine's own, each tested elsewhere"
    );
}
