//! Previews of links to the web: what a card shows, who takes it off, and what is never fetched.

use std::io::Cursor;

use serde_json::{Value, json};

use crate::support::page_server::PageServer;
use crate::support::{Message, Person, Socket, TestServer, eventually, noise};

const ON: [(&str, &str); 2] = [
    ("TIDEPOOL_LINK_PREVIEWS", "true"),
    ("TIDEPOOL_LINK_PREVIEWS_FROM_LOOPBACK", "true"),
];
const HTML: &str = "text/html; charset=utf-8";

struct Setting {
    server: TestServer,
    web: PageServer,
    ann: Person,
    bob: Person,
}

async fn start() -> Setting {
    let server = TestServer::with(&ON).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let web = PageServer::start().await;
    Setting {
        server,
        web,
        ann,
        bob,
    }
}

fn png(side: u32) -> Vec<u8> {
    let pixels = noise((side * side * 3) as usize, 5);
    let picture = image::RgbImage::from_raw(side, side, pixels).expect("its pixels");
    let mut png = Cursor::new(Vec::new());
    let written = picture.write_to(&mut png, image::ImageFormat::Png);
    written.expect("it can be written");
    png.into_inner()
}

fn page(title: &str) -> String {
    format!("<!doctype html><title>{title}</title><meta property=og:image content=/p.png>")
}

/// The previews of a message as soon as there are so many.
async fn previews(socket: &mut Socket, message: &Message, count: usize) -> Vec<Value> {
    loop {
        let event = socket.event("chat.message.previewed").await;
        let told = &event["event"]["message"];
        let all = told["previews"].as_array().cloned().unwrap_or_default();
        let shown = all.iter().filter(|one| one["dismissed"] != true);
        if told["id"] == message.id.as_str() && shown.count() == count {
            return all;
        }
    }
}

/// The message as a person sees it in the room's page, up to what stands below its cards.
async fn shown(person: &Person, message: &Message) -> String {
    let page = person.page(&format!("/rooms/{}", message.room)).await;
    let start = format!("id=\"m-{}\"", message.id);
    let (_, rest) = page.split_once(&start).expect("the message");
    let end = rest.find("class=\"acts\"").expect("its controls");
    rest[..end].to_owned()
}

async fn count(server: &TestServer, sql: &str) -> i64 {
    server.database().number(sql).await.expect("a number")
}

#[tokio::test]
async fn card_appears_live_and_its_page_is_fetched_once() {
    let Setting {
        server,
        web,
        ann,
        bob,
    } = start().await;
    web.add("/p.png", "image/png", png(500));
    let url = web.add(
        "/tides",
        HTML,
        "<title>no</title><meta property='og:title' content='潮だまりの一日 🌊'>\
         <meta property=og:site_name content='مد وجزر'><meta property=og:image content=p.png>\
         <meta name=description content='น้ำขึ้นน้ำลง &lt;script&gt;alert(1)&lt;/script&gt;'>",
    );
    let (feed, mut socket) = ("room/general", ann.following("room/general").await);
    let mut html = bob.html_socket().await;
    html.follow(&bob.feed(feed)).await;
    let said = ann.post("general", &format!("见 {url}#now")).await;
    let frame = html.frame("潮だまりの一日 🌊").await;
    for part in [
        "مد وجزر",
        "น้ำขึ้นน้ำลง",
        "rel=\"nofollow noopener noreferrer ugc\"",
    ] {
        assert!(frame.contains(part), "{part}: {frame}");
    }
    assert!(!frame.contains("<script>"), "{frame}");
    let all = previews(&mut socket, &said, 1).await;
    assert_eq!(all[0]["url"], url.as_str());
    assert_eq!(all[0]["picture"]["width"], 480, "{all:?}");
    // Nothing in the page leads a browser to the other server, except links.
    let card = shown(&bob, &said).await;
    assert!(!card.contains(&format!("src=\"{}", web.url(""))), "{card}");
    let file = all[0]["picture"]["file"].as_str().expect("a file");
    let path = format!("/files/{file}/preview");
    assert!(card.contains(&format!("src=\"{path}\"")), "{card}");
    let picture = bob.get(&path).await.expect(200);
    assert!(picture.header("content-type").starts_with("image/"));
    let refused = server.visitor().get(&path).await;
    assert_ne!(refused.status, 200);

    // Two more at the same time, whose links have one order and the other.
    let fresh = web.add("/fresh", HTML, page("fresh"));
    let bodies = [format!("{url} {fresh}"), format!("{fresh} {url}")];
    let (first, second) = tokio::join!(
        ann.post("general", &bodies[0]),
        bob.post("general", &bodies[1])
    );
    for message in [&first, &second] {
        let cards = eventually("two cards", async || {
            let cards = shown(&bob, message).await;
            (cards.matches("class=\"link-preview\"").count() == 2).then_some(cards)
        })
        .await;
        assert_eq!(cards.matches("/preview\"").count(), 2, "{cards}");
    }
    assert_eq!((web.asked("/tides"), web.asked("/fresh")), (1, 1));
    server.assert_undamaged();
}

#[tokio::test]
async fn nothing_is_fetched_by_default() {
    let server = TestServer::with(&ON[1..]).await;
    let ann = server.owner("ann").await;
    let web = PageServer::start().await;
    let url = web.add("/", HTML, page("no"));
    let said = ann.post("general", &url).await;
    ann.edit(&said, &format!("{url} again")).await;
    let jobs = "SELECT COUNT(*) FROM jobs WHERE kind = 'chat.preview-links'";
    assert_eq!(count(&server, jobs).await, 0);
    assert_eq!(
        count(&server, "SELECT COUNT(*) FROM message_links").await,
        0
    );
    assert_eq!(web.asked_in_all(), 0);
}

#[tokio::test]
async fn private_addresses_are_not_connected_to() {
    let server = TestServer::with(&ON[..1]).await;
    let ann = server.owner("ann").await;
    let web = PageServer::start().await;
    let url = web.add("/", HTML, page("no"));
    let local = url.replace("127.0.0.1", "localhost");
    ann.post("general", &format!("{url} {local}")).await;
    eventually("they are looked at", async || {
        let links = "SELECT COUNT(*) FROM message_links";
        (count(&server, links).await == 2).then_some(())
    })
    .await;
    assert_eq!(web.asked_in_all(), 0);
}

#[tokio::test]
async fn preview_is_taken_off_by_author_and_moderator_and_stays_off() {
    let Setting {
        server,
        web,
        ann,
        bob,
    } = start().await;
    let cem = server.member("cem").await;
    web.add("/p.png", "image/png", png(60));
    let one = web.add("/one", HTML, page("first page"));
    let two = web.add("/two", HTML, page("second page"));
    let mut socket = ann.following("room/general").await;
    let said = bob.post("general", &format!("{one} {two}")).await;
    previews(&mut socket, &said, 2).await;
    let dismiss = async |by: &Person, url: Option<&str>| {
        let fields = json!({ "message": said.id, "url": url });
        by.act("chat.dismiss-preview", fields).await
    };
    assert_eq!(dismiss(&cem, None).await.code(), "forbidden");
    let menu = async |by: &Person| by.page(&format!("/messages/{}/menu", said.id)).await;
    let control = "/act/chat.dismiss-preview";
    assert!(!menu(&cem).await.contains(control));
    // The × is a button of a form, which works without scripts.
    let fields = [("message", said.id.as_str()), ("url", one.as_str())];
    bob.form(control, &fields).await.location();
    previews(&mut socket, &said, 1).await;
    let edited = bob.edit(&said, &format!("{one} {two} edited")).await;
    let page = shown(&cem, &edited).await;
    assert!(
        !page.contains("first page") && page.contains("second page"),
        "{page}"
    );
    assert!(menu(&ann).await.contains(control));
    dismiss(&ann, None).await.done();
    previews(&mut socket, &said, 0).await;
    assert!(!menu(&ann).await.contains(control));
    let edited = bob.edit(&said, &format!("{two} {one}")).await;
    // The job has run when it has no row any more.
    eventually("the edit is looked at", async || {
        let jobs = "SELECT COUNT(*) FROM jobs WHERE kind = 'chat.preview-links'";
        (count(&server, jobs).await == 0).then_some(())
    })
    .await;
    assert!(!shown(&cem, &edited).await.contains("link-preview"));
    assert_eq!(count(&server, "SELECT COUNT(*) FROM files").await, 0);
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(log.contains("Took link previews off a message of"), "{log}");
    server.assert_undamaged();
}

#[tokio::test]
async fn previews_follow_edits_and_go_with_the_message() {
    let Setting {
        server, web, ann, ..
    } = start().await;
    web.add("/p.png", "image/png", png(60));
    let old = web.add("/old", HTML, page("old page"));
    let new = web.add("/new", HTML, page("new page"));
    let mut socket = ann.following("room/general").await;
    let said = ann.post("general", &old).await;
    previews(&mut socket, &said, 1).await;
    ann.edit(&said, &new).await;
    loop {
        let all = previews(&mut socket, &said, 1).await;
        if all[0]["title"] == "new page" {
            break;
        }
    }
    let page = shown(&ann, &said).await;
    assert!(
        page.contains("new page") && !page.contains("old page"),
        "{page}"
    );
    assert_eq!(count(&server, "SELECT COUNT(*) FROM files").await, 1);
    // A copy of it elsewhere keeps its own.
    let fields = json!({ "message": said.id, "room": said.room, "key": "forwarded-once" });
    let copy = ann.act("chat.forward", fields).await.done();
    let copy = Message::of(&copy["message"]);
    previews(&mut socket, &copy, 1).await;
    ann.delete(&said).await;
    assert!(shown(&ann, &copy).await.contains("new page"));
    ann.delete(&copy).await;
    for table in ["files", "message_links", "link_previews"] {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        assert_eq!(count(&server, &sql).await, 0, "{table}");
    }
    assert_eq!(web.asked("/new"), 1);
    server.assert_undamaged();
}

#[tokio::test]
async fn hostile_pages_leave_plain_text_or_nothing() {
    let Setting {
        server, web, ann, ..
    } = start().await;
    let (japanese, ..) = encoding_rs::SHIFT_JIS.encode("<title>磯の生き物</title>");
    let (chinese, ..) = encoding_rs::GBK.encode("<meta charset=gbk><title>潮池里的生物</title>");
    let cases: Vec<(&str, &str, Vec<u8>, &str)> = vec![
        (
            "/bidi",
            HTML,
            "<title>a\u{202e}b\u{2067}\u{7}</title>".into(),
            ">ab<",
        ),
        (
            "/script",
            HTML,
            "<title><script>alert(1)</script>&quot;></title>".into(),
            "alert(1)",
        ),
        (
            "/long",
            HTML,
            format!("<title>{}</title>", "字".repeat(1 << 20)).into(),
            "字字字…<",
        ),
        (
            "/plain",
            "text/html",
            "<title>ไม่มีรหัส</title>".into(),
            "ไม่มีรหัส",
        ),
        (
            "/japanese",
            "text/html; charset=Shift_JIS",
            japanese.into_owned(),
            "磯の生き物",
        ),
        (
            "/chinese",
            "text/html",
            chinese.into_owned(),
            "潮池里的生物",
        ),
        ("/photo.png", "image/png", png(40), "photo.png"),
    ];
    for (path, media, content, expected) in cases {
        let url = web.add(path, media, content);
        let said = ann.post("general", &url).await;
        let card = eventually(path, async || {
            let card = shown(&ann, &said).await;
            card.contains("link-preview").then_some(card)
        })
        .await;
        assert!(card.contains(expected), "{path}: {card}");
        assert!(
            !card.contains("<script") && !card.contains('\u{202e}'),
            "{path}"
        );
        assert!(card.len() < 6_000, "{path}");
    }
    // A picture whose pixels would fill the memory, one that is none, and what is neither.
    let mut bomb = png(2);
    bomb[16..24].copy_from_slice(&[0, 0, 0x3f, 0xff, 0, 0, 0x3f, 0xff]);
    let nothing = [
        web.add("/bomb", "image/png", bomb),
        web.add("/fake", "image/png", "<html><title>fake"),
        web.add("/pdf", "application/pdf", "%PDF-1.7"),
        web.add("/empty", HTML, "<title> \u{200b}\u{202e}</title>"),
        web.url("/missing"),
    ];
    for url in nothing {
        let said = ann.post("general", &url).await;
        let looked = format!(
            "SELECT COUNT(*) FROM message_links WHERE message_id = {}",
            said.id
        );
        eventually(&url, async || {
            (count(&server, &looked).await == 1).then_some(())
        })
        .await;
        assert!(!shown(&ann, &said).await.contains("link-preview"), "{url}");
        // What failed is not asked for again.
        let again = ann.post("general", &format!("again {url}")).await;
        let looked = looked.replace(&said.id, &again.id);
        eventually(&url, async || {
            (count(&server, &looked).await == 1).then_some(())
        })
        .await;
    }
    assert_eq!((web.asked("/bomb"), web.asked("/missing")), (1, 1));
}
