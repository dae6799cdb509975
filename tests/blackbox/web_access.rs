//! Rooms that people without an account read on the web.

use serde_json::json;

use crate::support::{Person, TestServer, eventually, text};

async fn set_web(ann: &Person, on: &str, indexed: &str, rooms: &[&str]) {
    let fields = json!({ "space": ann.space, "on": on, "indexed": indexed, "rooms": rooms });
    ann.act("community.set-web", fields).await.done();
}

/// Waits until a stranger gets this status.
async fn gets(visitor: &Person, path: &str, status: u16) {
    eventually(&format!("{path}: {status}"), async || {
        (visitor.get(path).await.status == status).then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_chosen_rooms_are_on_the_web() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (garden, tools) = (
        ann.create_room("garden").about("Roses and beans").await,
        ann.create_room("tools").await,
    );
    let whisper = ann.create_room("whisper").private().await;
    ann.post("garden", "**roses** for all").await;
    let visitor = server.visitor();
    let (space, base) = (ann.space.clone(), format!("/web/{}", ann.space));
    let path = format!("{base}/{garden}");
    gets(&visitor, &base, 404).await;
    gets(&visitor, &path, 404).await;
    let mine = json!({ "space": space, "on": "yes", "rooms": [garden] });
    assert_eq!(bob.act("community.set-web", mine).await.code(), "forbidden");
    let private = json!({ "space": space, "on": "yes", "rooms": [whisper] });
    assert_eq!(
        ann.act("community.set-web", private).await.code(),
        "conflict"
    );
    // A member sees in the room's header that it is readable for all, at once.
    let mut socket = bob.following(&format!("space/{}", bob.space)).await;
    set_web(&ann, "yes", "", &[&garden]).await;
    socket.event("community.web.changed").await;
    eventually("the mark is shown", async || {
        let page = bob.get(&format!("/rooms/{garden}")).await;
        page.body.contains("on-web").then_some(())
    })
    .await;
    let other = bob.page(&format!("/rooms/{tools}")).await;
    assert!(!other.contains("on-web"));
    gets(&visitor, &path, 200).await;
    let page = visitor.get(&path).await;
    assert!(
        page.body.contains("<strong>roses</strong>"),
        "{}",
        page.body
    );
    assert!(page.body.contains("content=\"Roses and beans\""));
    assert!(page.body.contains("<title>garden · Glasshouse"));
    assert!(
        page.body.contains(&format!("{path}\">")),
        "a canonical link"
    );
    assert_eq!(page.header("x-robots-tag"), "noindex, nofollow");
    assert!(!page.body.contains("app.js"), "no scripts for strangers");
    let list = visitor.page(&base).await;
    assert!(list.contains("garden") && !list.contains("tools") && !list.contains("whisper"));
    gets(&visitor, &format!("{base}/{tools}"), 404).await;
    gets(&visitor, &format!("{base}/{whisper}"), 404).await;
    set_web(&ann, "yes", "yes", &[&garden]).await;
    eventually("it is indexed", async || {
        let page = visitor.get(&path).await;
        (page.header("x-robots-tag") == "index, follow").then_some(())
    })
    .await;
    let log = ann.page(&format!("/spaces/{space}/audit")).await;
    assert!(log.contains("Changed what the whole web can read"));
    // What becomes private, is restricted, deleted or switched off is gone.
    let deny = json!({ "room": garden, "subject": "everyone", "community.read": "deny" });
    ann.act("community.set-room-permissions", deny).await.done();
    gets(&visitor, &path, 404).await;
    let allow = json!({ "room": garden, "subject": "everyone", "community.read": "space" });
    ann.act("community.set-room-permissions", allow)
        .await
        .done();
    gets(&visitor, &path, 200).await;
    let change = |private: &str| json!({ "room": garden, "name": "garden", "private": private });
    ann.act("community.change-room", change("yes")).await.done();
    gets(&visitor, &path, 404).await;
    ann.act("community.change-room", change("")).await.done();
    gets(&visitor, &path, 404).await;
    set_web(&ann, "yes", "", &[&garden]).await;
    gets(&visitor, &path, 200).await;
    ann.act("community.delete-room", json!({ "room": garden }))
        .await
        .done();
    gets(&visitor, &path, 404).await;
    ann.act("community.restore-room", json!({ "room": garden }))
        .await
        .done();
    gets(&visitor, &path, 200).await;
    ann.act("community.delete-space", json!({ "space": space }))
        .await
        .done();
    gets(&visitor, &path, 404).await;
    gets(&visitor, &base, 404).await;
}

#[tokio::test]
async fn web_pages_tell_of_no_account() {
    let server = TestServer::start().await;
    let ann = server.owner("annabel").await;
    let bob = server.member("bobrick").await;
    let general = ann.room("general");
    ann.act(
        "community.tell-joins",
        json!({ "space": ann.space, "tell": "yes" }),
    )
    .await
    .done();
    server.member("cemile").await;
    let first = ann
        .post("general", "good morning @Bobrick and #general")
        .await;
    bob.post(
        "general",
        "hello @annabel, [mail](https://example.org/@bobrick)",
    )
    .await;
    let gone = ann.post("general", "a secret").await;
    let files = ann
        .share("general", "a file", &[("note.txt", b"low water".to_vec())])
        .await;
    set_web(&ann, "yes", "yes", &[&general]).await;
    let visitor = server.visitor();
    let path = format!("/web/{}/{general}", ann.space);
    gets(&visitor, &path, 200).await;
    ann.delete(&gone).await;
    let file = format!("{path}/files/{}/note.txt", files[0]);
    let permalink = format!("{path}?at={}", first.id);
    for path in [
        path.clone(),
        permalink.clone(),
        format!("/web/{}", ann.space),
    ] {
        for accept in ["text/html", "application/json"] {
            let request = visitor.request("GET", &path).header("Accept", accept);
            let page = visitor.send(request).await.body;
            let low = page.to_lowercase();
            for secret in [
                "annabel",
                "bobrick",
                "cemile",
                "a secret",
                ann.id.as_str(),
                bob.id.as_str(),
                "hue-",
                "/accounts/",
                "/people/",
            ] {
                assert!(!low.contains(secret), "{path} names {secret}: {page}");
            }
        }
    }
    let page = visitor.page(&path).await;
    assert!(
        page.contains("Member 1") && page.contains("Member 2"),
        "{page}"
    );
    assert_eq!(text::duplicate_ids(&page), Vec::<String>::new());
    assert!(page.contains(&file), "{page}");
    let answer = visitor.get(&file).await.expect(200);
    assert_eq!(answer.body, "low water");
    visitor
        .get(&format!("/files/{}/note.txt", files[0]))
        .await
        .expect(303);
    // The same answer is not sent twice; the address of an instance stands in it.
    let visitor = visitor.at_instance(&server, 0);
    let etag = visitor.get(&path).await.header("etag").to_owned();
    let again = visitor.request("GET", &path).header("If-None-Match", &etag);
    assert_eq!(visitor.send(again).await.status, 304);
    assert_eq!(visitor.get(&path).await.header("set-cookie"), "");
    // Files of other rooms are not reached through this one.
    let tools = ann.create_room("tools").await;
    let other = ann
        .share(&tools, "another", &[("plan.txt", b"high water".to_vec())])
        .await;
    visitor
        .get(&format!("{path}/files/{}/plan.txt", other[0]))
        .await
        .expect(404);
    set_web(&ann, "", "", &[&general]).await;
    gets(&visitor, &file, 404).await;
    gets(&visitor, &path, 404).await;
}

#[tokio::test]
async fn web_history_is_paged_with_permanent_links() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let general = ann.room("general");
    let mut messages = Vec::new();
    for number in 0..60 {
        messages.push(ann.post("general", &format!("number {number:02}")).await);
    }
    set_web(&ann, "yes", "yes", &[&general]).await;
    let visitor = server.visitor();
    let path = format!("/web/{}/{general}", ann.space);
    gets(&visitor, &path, 200).await;
    let newest = visitor.page(&path).await;
    assert!(newest.contains("number 59") && !newest.contains("number 09"));
    let older = format!("{path}?before={}", messages[10].id);
    assert!(
        newest.contains(&format!("?before={}", messages[10].id)),
        "{newest}"
    );
    let page = visitor.page(&older).await;
    assert!(page.contains("number 09") && !page.contains("number 10"));
    let page = visitor.page(&format!("{path}?at={}", messages[5].id)).await;
    assert!(page.contains(&format!("id=\"m-{}\"", messages[5].id)));
    assert!(
        page.contains("noindex"),
        "what stands elsewhere, too, is not listed"
    );
    for odd in [
        "?before=x",
        "?before=-1",
        "?at=9223372036854775807",
        "?at=0",
    ] {
        let status = visitor.get(&format!("{path}{odd}")).await.status;
        assert!([200, 400].contains(&status), "{odd}: {status}");
    }
}
