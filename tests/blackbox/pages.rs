//! Every page there is: well formed, in the reader's language, and safe against what people type.

use serde_json::json;

use crate::support::{Message, Person, TestServer, email, text};

/// Addresses of every page that its owner can open, with a message of theirs.
async fn pages_of(ann: &Person, message: &Message) -> Vec<String> {
    let aside = ann.post("general", "88").await;
    let thread = super::threads::thread_of(ann, &aside).await;
    let (_, forum) = super::forum::forum_with_tags(ann, "75", "74").await;
    let post = super::forum::new_post(ann, &forum, "77", "76", &[]).await;
    let poll = json!({ "body": "70", "answers": ["71", "72"], "hours": "24" });
    let poll = super::polls::make(ann, poll).await.id;
    let (space, room, message) = (&ann.space, &message.room, &message.id);
    let [letter, draft, sheet] = super::letters_by_hand::pages(ann).await;
    vec![
        format!("/spaces/{space}/letters"),
        format!("/spaces/{space}/letters/sent"),
        format!("/spaces/{space}/letters/drafts"),
        format!("/spaces/{space}/letters/plaza"),
        format!("/spaces/{space}/letters/museum"),
        format!("/spaces/{space}/letters/new"),
        format!("/spaces/{space}/letters/settings"),
        format!("/spaces/{space}/letters/places"),
        format!("/spaces/{space}/letters/couriers"),
        format!("/spaces/{space}/letters/couriers?q=a"),
        format!("/spaces/{space}/letters/round"),
        format!("/spaces/{space}/letters/board"),
        format!("/spaces/{space}/letters/drift"),
        format!("/spaces/{space}/letters/points"),
        format!("/spaces/{space}/letters/contests"),
        format!("/spaces/{space}/letters/hidden"),
        format!("/letters/{letter}"),
        format!("/letters/{draft}/desk"),
        format!("/letters/sheets/{sheet}"),
        format!("/spaces/{space}"),
        format!("/spaces/{space}/settings"),
        format!("/spaces/{space}/people"),
        format!("/rooms/{room}/people"),
        format!("/rooms/{room}/readers"),
        format!("/spaces/{space}/web"),
        "/spaces/open".to_owned(),
        format!("/spaces/{space}/rooms/new"),
        format!("/rooms/{room}"),
        format!("/rooms/{room}?at={message}"),
        format!("/rooms/{room}/settings"),
        format!("/messages/{message}/edit"),
        format!("/messages/{message}/delete"),
        format!("/rooms/{room}/permissions"),
        format!("/rooms/{room}/voice/rules"),
        format!("/spaces/{space}/members"),
        format!("/spaces/{space}/members/{}", ann.id),
        format!("/spaces/{space}/roles"),
        format!("/spaces/{space}/groups"),
        "/mentions".to_owned(),
        "/threads".to_owned(),
        format!("/rooms/{room}/threads"),
        format!("/messages/{message}/thread"),
        format!("/rooms/{thread}"),
        format!("/rooms/{thread}/name"),
        format!("/rooms/{forum}"),
        format!("/rooms/{forum}/tags"),
        format!("/rooms/{post}"),
        format!("/rooms/{post}/name"),
        format!("/rooms/{room}?thread={thread}"),
        "/inbox".to_owned(),
        "/account/notices".to_owned(),
        "/account/voice".to_owned(),
        format!("/rooms/{room}/notices"),
        format!("/spaces/{space}/notices"),
        "/bookmarks".to_owned(),
        format!("/rooms/{room}/pins"),
        format!("/rooms/{room}/menu"),
        format!("/rooms/{room}?reply={message}"),
        format!("/messages/{message}/menu"),
        format!("/messages/{message}/react"),
        format!("/messages/{message}/reactions"),
        format!("/messages/{message}/forward"),
        format!("/messages/{poll}/votes"),
        format!("/rooms/{room}/poll"),
        format!("/rooms/{room}/schedule"),
        "/scheduled".to_owned(),
        "/reminders".to_owned(),
        format!("/rooms/{room}/terminals"),
        "/account/terminals".to_owned(),
        "/terminals".to_owned(),
        "/reminders/new".to_owned(),
        format!("/messages/{message}/history"),
        format!("/spaces/{space}/roles/new"),
        format!("/spaces/{space}/roles/everyone"),
        format!("/spaces/{space}/rooms"),
        format!("/spaces/{space}/bans"),
        format!("/spaces/{space}/rules"),
        format!("/spaces/{space}/rules/1"),
        format!("/spaces/{space}/rules/new?kind=words"),
        format!("/spaces/{space}/held"),
        format!("/spaces/{space}/audit"),
        format!("/spaces/{space}/invitations"),
        format!("/spaces/{space}/start"),
        format!("/spaces/{space}/joining"),
        format!("/spaces/{space}/applications"),
        format!("/spaces/{space}/rules-text"),
        format!("/spaces/{space}/welcome"),
        "/spaces".to_owned(),
        "/registration".to_owned(),
        format!("/people/{}", ann.id),
        "/account/profile".to_owned(),
        "/account/privacy".to_owned(),
        "/account/security".to_owned(),
        "/account/data".to_owned(),
        "/direct".to_owned(),
        "/search".to_owned(),
        "/search?q=the".to_owned(),
        "/account".to_owned(),
        "/dead-letters".to_owned(),
        "/jobs".to_owned(),
        format!("/spaces/{space}/queue"),
        format!("/spaces/{space}/queue?show=resolved"),
        format!("/rooms/{room}/select?at={message}"),
        "/queue".to_owned(),
        "/reports".to_owned(),
        "/server/bans".to_owned(),
        "/audit".to_owned(),
        "/nowhere".to_owned(),
    ]
}

/// A page in a language, whatever its status.
async fn read(person: &Person, path: &str, language: &str) -> String {
    person
        .send(
            person
                .request("GET", path)
                .header("Accept", "text/html")
                .header("Accept-Language", language),
        )
        .await
        .body
}

#[tokio::test]
async fn pages_have_unique_ids_language_and_title() {
    let server = TestServer::start().await;
    let setup = server.visitor().page("/setup").await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let message = ann.post("general", "hello").await;
    bob.post("general", "**hi** `there`").await;
    ann.direct(&[&bob]).await;
    ann.delete(&ann.post("general", "gone").await).await;
    let visitor = server.visitor();
    let mut pages = vec![("/setup".to_owned(), setup)];
    for path in [
        "/sign-in",
        &ann.invite().await,
        "/join/AAAAAAAAAAAAAAAA",
        "/nowhere",
    ] {
        pages.push((path.to_owned(), read(&visitor, path, "en").await));
    }
    for path in pages_of(&ann, &message).await {
        let whole = read(&ann, &path, "en").await;
        let piece = ann.fragment(&path).await.body;
        assert_eq!(text::duplicate_ids(&piece), Vec::<String>::new(), "{path}");
        pages.push((path, whole));
    }
    for (path, page) in pages {
        assert_eq!(text::duplicate_ids(&page), Vec::<String>::new(), "{path}");
        assert!(page.contains("<html lang=\"en\""), "{path}: {page}");
        assert!(
            page.split("<title>").nth(1).is_some_and(|rest| rest
                .split("</title>")
                .next()
                .is_some_and(|title| !title.trim().is_empty())),
            "{path}"
        );
        assert_eq!(
            text::count(&page, "<h1"),
            1,
            "{path} has one heading: {page}"
        );
        assert!(!page.contains("⟨missing⟩"), "{path} lacks words: {page}");
        for unsafe_part in [" style=\"", " onclick=", "<script>", "javascript:"] {
            assert!(!page.contains(unsafe_part), "{path} holds {unsafe_part}");
        }
        let ids = text::attributes(&page, "id");
        for label in text::attributes(&page, "for") {
            assert!(
                label.split(' ').all(|one| ids.iter().any(|id| id == one)),
                "{path}: a label for {label}"
            );
        }
    }
}

#[tokio::test]
async fn page_words_come_from_catalogue() {
    let server = TestServer::start().await;
    let mut pages = vec![(
        "/setup".to_owned(),
        read(&server.visitor(), "/setup", "qps-ploc").await,
    )];
    // Names of digits: every letter on a page is then ours. `general` is the name of a room.
    let ann = server.owner("42").await;
    let bob = server.member("43").await;
    ann.act(
        "community.rename-space",
        json!({ "space": ann.space, "name": "77" }),
    )
    .await
    .done();
    let message = ann.post("general", "1234").await;
    bob.post("general", "5678").await;
    ann.edit(&message, "12345").await;
    ann.delete(&ann.post("general", "9").await).await;
    ann.direct(&[&bob]).await;
    let link = ann
        .invite_with(json!({ "uses": "3", "expires": "7" }))
        .await;
    for path in ["/sign-in", &link, "/join/AAAAAAAAAAAAAAAA", "/nowhere"] {
        pages.push((
            path.to_owned(),
            read(&server.visitor(), path, "qps-ploc").await,
        ));
    }
    for path in pages_of(&ann, &message).await {
        pages.push((path.clone(), read(&ann, &path, "qps-ploc").await));
    }
    let mine = [
        "general",
        "Moderator",
        "English",
        &email("42"),
        &email("43"),
        &link,
    ];
    // Neither a single letter (a key's name) nor a moment as machines write it, which the browser
    // words.
    let bare = |words: &str| {
        words.chars().count() == 1
            || words.len() == 20 && words.ends_with('Z') && words.starts_with("20")
    };
    let worded = |words: &str| {
        words.contains('⟦') || mine.iter().any(|one| words.contains(one)) || bare(words)
    };
    let ours = |words: &str| words.chars().any(char::is_alphabetic) && !worded(words);
    let mut escaped = Vec::new();
    // What programs call things is said to be so.
    let translated = |page: &str| {
        let mut parts = page.split("translate=\"no\">");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |page, part| {
            page + ">"
                + part
                    .split_once('<')
                    .map_or("", |(_, rest)| rest)
                    .trim_start_matches(|c| c != '>')
                    .trim_start_matches('>')
        })
    };
    for (path, page) in pages {
        let page = translated(&page);
        assert!(page.contains('⟦'), "{path} is not in the pseudo-locale");
        escaped.extend(
            text::words(&page)
                .into_iter()
                .filter(|words| ours(words))
                .map(|words| format!("{path}: {words}")),
        );
        for name in ["title", "aria-label", "placeholder", "alt"] {
            escaped.extend(
                text::attributes(&page, name)
                    .into_iter()
                    .filter(|words| ours(words))
                    .map(|words| format!("{path}: {name}={words}")),
            );
        }
    }
    assert!(
        escaped.is_empty(),
        "words that cannot be translated:\n{}",
        escaped.join("\n")
    );
}

const PROBES: &[&str] = &[
    "<script>x()</script>",
    "<img src=x onerror=x()>",
    "\"><svg onload=x()>",
    "'><b onclick='x()'>",
    "</title></textarea><script>x()</script>",
    "<!--", // opens a comment where it is not escaped
    "{{ 7 }}${7}",
];

/// Fails where something typed has become markup.
fn harmless(what: &str, html: &str) {
    for part in [
        "<script>",
        "<img src=x",
        "<svg onload",
        "<b onclick",
        " onerror=x",
        " onload=x",
        " onclick='x",
    ] {
        let mut rest = html;
        while let Some(at) = rest.find(part) {
            // Inside quotes or text the angle bracket before it would have been escaped.
            let opened = part.starts_with('<') || rest[..at].rfind('<') > rest[..at].rfind('>');
            let quoted = rest[..at]
                .rsplit('<')
                .next()
                .is_some_and(|tag| tag.matches('"').count() % 2 == 1);
            assert!(
                !opened || quoted && !part.starts_with('<'),
                "{what}: {}",
                &rest[at.saturating_sub(80).min(at)..(at + 40).min(rest.len())]
            );
            rest = &rest[at + part.len()..];
        }
    }
}

#[tokio::test]
async fn user_input_is_escaped_everywhere() {
    for probe in PROBES {
        let server = TestServer::start().await;
        let ann = server.owner(probe).await;
        let bob = server.member(&format!("b{probe}")).await;
        let mut socket = bob.html_socket().await;
        ann.act(
            "community.rename-space",
            json!({ "space": ann.space, "name": probe }),
        )
        .await
        .done();
        let room = ann.create_room(probe).about(probe).await;
        for feed in [
            format!("room/{room}"),
            format!("room/{room}/typing"),
            format!("space/{}/presence", bob.space),
            format!("account/{}", bob.id),
        ] {
            socket.follow(&feed).await;
        }
        let message = ann.post(&room, probe).await;
        ann.post(
            &room,
            &format!("```{probe}\n{probe}\n```\n[{probe}](<{probe}>) `{probe}`"),
        )
        .await;
        ann.act("chat.type", json!({ "room": room })).await.done();
        ann.edit(&message, &format!("{probe} {probe}")).await;
        ann.direct(&[&bob]).await;
        let cem = server.member(&format!("c{probe}")).await;
        let phone = cem.html_socket().await;
        socket
            .expect("the newcomer", |received| {
                received["html"]
                    .as_str()
                    .is_some_and(|html| html.contains(&format!("person-{}-{}", bob.space, cem.id)))
            })
            .await;
        ann.delete(&message).await;
        let mut frames = 0;
        loop {
            let frame = socket.wait_for("frame").await["html"]
                .as_str()
                .expect("HTML")
                .to_owned();
            harmless("a frame", &frame);
            frames += 1;
            if frame.contains("data-deleted") {
                break;
            }
        }
        assert!(frames >= 1);
        phone.close().await;
        for path in pages_of(&ann, &ann.post(&room, probe).await).await {
            harmless(&path, &read(&ann, &path, "en").await);
            harmless(&path, &ann.fragment(&path).await.body);
        }
        harmless(
            "the sidebar",
            &bob.fragment(&format!("/sidebar?space={}&here={probe}", bob.space))
                .await
                .body,
        );
        harmless(
            "an invitation",
            &server.visitor().page(&ann.invite().await).await,
        );
        // Refused forms show again what was typed.
        let visitor = server.visitor();
        harmless(
            "sign-in",
            &visitor
                .form(
                    "/sign-in",
                    &[("login", probe), ("password", probe), ("next", probe)],
                )
                .await
                .body,
        );
        let joined = visitor
            .form(
                &ann.invite().await,
                &[("name", probe), ("email", probe), ("password", "x")],
            )
            .await
            .expect(422);
        harmless("join", &joined.body);
        let first = ann.at_instance(&server, 0);
        let form = first.request("POST", "/act/community.create-room").header(
            "Referer",
            format!("{}/spaces/{}/rooms/new", server.base(), ann.space),
        );
        harmless(
            "room",
            &ann.send(form.form(
                &json!({ "space": ann.space, "name": "", "about": probe, "private": probe,
                "members": probe }),
            ))
            .await
            .body,
        );
        harmless(
            "nowhere",
            &ann.get(&format!(
                "/nowhere/{}?{probe}",
                probe.replace(['/', '#', '?'], "")
            ))
            .await
            .body,
        );
    }
}
