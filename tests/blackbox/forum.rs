//! Forum rooms: posts with titles and tags, each with a thread, listed by their newest activity.

use serde_json::{Value, json};

use crate::support::{Message, Person, TestServer, eventually, new_key};

async fn forum_of(person: &Person, name: &str) -> String {
    let fields = json!({ "space": person.space, "name": name, "kind": "forum" });
    let made = person.act("community.create-room", fields).await.done();
    let id = made["room"].as_str().expect("a room").to_owned();
    person.remember_room(name, &id);
    id
}

/// A new forum room, and the ids of its tags.
pub(crate) async fn forum_with_tags(
    person: &Person,
    name: &str,
    tags: &str,
) -> (Vec<String>, String) {
    let forum = forum_of(person, name).await;
    let fields = json!({ "room": forum, "tags": tags });
    person.act("chat.set-tags", fields).await.done();
    let page = person.page(&format!("/rooms/{forum}")).await;
    let ids = page.split("name=\"tags\" value=\"").skip(1);
    let ids = ids.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
    (ids.collect(), forum)
}

fn post_fields(forum: &str, title: &str, body: &str, tags: &[&String]) -> Value {
    json!({ "room": forum, "title": title, "body": body, "tags": tags, "key": new_key() })
}

/// Posts in a forum; the thread of the post.
pub(crate) async fn new_post(
    person: &Person,
    forum: &str,
    title: &str,
    body: &str,
    tags: &[&String],
) -> String {
    let fields = post_fields(forum, title, body, tags);
    let done = person.act("chat.new-post", fields).await.done();
    done["thread"].as_str().expect("a thread").to_owned()
}

async fn reply(person: &Person, thread: &str, body: &str) -> Message {
    let fields = json!({ "room": thread, "body": body, "key": new_key() });
    Message::of(&person.act("chat.post", fields).await.done()["message"])
}

/// The posts that a page lists, in order.
fn listed(page: &str) -> Vec<String> {
    let rows = page.split("class=\"post\" id=\"post-").skip(1);
    let ids = rows.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
    ids.collect()
}

#[tokio::test]
async fn posts_are_listed_by_activity_and_filtered_by_tag() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (tags, forum) = forum_with_tags(&ann, "agora", "help\n🌊 海\nhelp").await;
    let path = format!("/rooms/{forum}");
    let [help, sea] = &tags[..] else {
        panic!("two tags: {tags:?}");
    };
    let empty = bob.page(&path).await;
    assert!(empty.contains("No posts yet") && empty.contains("chat.new-post"));
    let first = new_post(&bob, &forum, "霜の対策は？", "**毛布**を", &[help, sea]).await;
    let second = new_post(&ann, &forum, "كيف نزرع الطماطم؟", "مرحبا", &[]).await;
    let page = ann.page(&path).await;
    assert_eq!(listed(&page), [second.as_str(), first.as_str()]);
    for part in ["霜の対策は？", "毛布を", "bob", "🌊 海", "0 replies"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("**"), "the text is plain: {page}");
    reply(&ann, &first, "ลองดู").await;
    eventually("the one with the reply is first", async || {
        let page = bob.page(&path).await;
        let is_first = listed(&page) == [first.as_str(), second.as_str()];
        (is_first && page.contains("1 reply")).then_some(())
    })
    .await;
    let with_tag = bob.page(&format!("{path}?tag={sea}")).await;
    assert_eq!(listed(&with_tag), [first.as_str()]);
    // The thread shows title, tags and the text above its log.
    let thread = bob.page(&format!("/rooms/{first}")).await;
    for part in ["霜の対策は？", "<strong>毛布</strong>", "🌊 海", "ลองดู"] {
        assert!(thread.contains(part), "{part}: {thread}");
    }
    // A tag that is named again stays, one that is not goes from its posts.
    let fields = json!({ "room": forum, "tags": "new\n🌊 海" });
    ann.act("chat.set-tags", fields).await.done();
    assert_eq!(
        listed(&bob.page(&format!("{path}?tag={sea}")).await),
        [first.as_str()]
    );
    assert_eq!(
        listed(&bob.page(&format!("{path}?tag={help}")).await).len(),
        0
    );
    server.assert_undamaged();
}

#[tokio::test]
async fn posts_are_bounded_and_only_in_forums() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let names: Vec<_> = (0..6).map(|n| format!("tag {n}")).collect();
    let (tags, forum) = forum_with_tags(&ann, "agora", &names.join("\n")).await;
    let six: Vec<_> = tags.iter().collect();
    let refused = bob
        .act("chat.new-post", post_fields(&forum, "t", "x", &six))
        .await;
    assert!(refused.problem("tags").is_some());
    for title in [" \u{200b}".to_owned(), "ก".repeat(101)] {
        let refused = bob
            .act("chat.new-post", post_fields(&forum, &title, "x", &[]))
            .await;
        assert!(refused.problem("title").is_some(), "{title}");
    }
    new_post(&bob, &forum, &"👩‍👩‍👧‍👦".repeat(100), "x", &six[..5]).await;
    // Messages without titles are for other rooms, and the other way round.
    let fields = json!({ "room": forum, "body": "hello", "key": new_key() });
    assert_eq!(bob.act("chat.post", fields).await.code(), "conflict");
    let general = bob.room("general");
    let refused = bob
        .act("chat.new-post", post_fields(&general, "t", "x", &[]))
        .await;
    assert_eq!(refused.code(), "conflict");
    for names in ["x".repeat(21), (0..21).map(|n| format!("{n}\n")).collect()] {
        let fields = json!({ "room": forum, "tags": names });
        assert!(
            ann.act("chat.set-tags", fields)
                .await
                .problem("tags")
                .is_some()
        );
    }
    let fields = json!({ "room": forum, "tags": "mine" });
    assert_eq!(bob.act("chat.set-tags", fields).await.code(), "forbidden");
    // A forum stays one.
    for (room, kind) in [(&forum, "text"), (&general, "forum")] {
        let change = json!({ "room": room, "name": "changed", "kind": kind, "members": [] });
        let refused = ann.act("community.change-room", change).await;
        assert!(refused.problem("kind").is_some(), "{kind}");
    }
}

#[tokio::test]
async fn new_posts_and_replies_are_live_in_lists() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (tags, forum) = forum_with_tags(&ann, "agora", "help").await;
    let mut page = bob.html_socket().await;
    page.follow(&format!("room/{forum}")).await;
    let fields = post_fields(&forum, "Frost", "tonight", &[&tags[0]]);
    let (one, same) = tokio::join!(
        ann.act("chat.new-post", fields.clone()),
        ann.act("chat.new-post", fields)
    );
    let (one, same) = (one.done(), same.done());
    assert_eq!(one["thread"], same["thread"], "one key posts once");
    let thread = one["thread"].as_str().expect("a thread");
    let frame = page.frame(&format!("id=\"post-{thread}\"")).await;
    for part in [
        format!("#posts-{forum}:is([data-tag=''],[data-tag='{}'])", tags[0]),
        "afterbegin".to_owned(),
        "Frost".to_owned(),
    ] {
        assert!(frame.contains(&part), "{part}: {frame}");
    }
    for n in 0..10 {
        reply(&bob, thread, &format!("reply {n}")).await;
    }
    page.frame("10 replies").await;
    // Another name changes the row; who did not post may not give it.
    let rename = json!({ "thread": thread, "name": "Ice 氷", "tags": [] });
    assert_eq!(
        bob.act("chat.rename-thread", rename.clone()).await.code(),
        "forbidden"
    );
    ann.act("chat.rename-thread", rename).await.done();
    let frame = page.frame("Ice 氷</a>").await;
    assert!(!frame.contains("?tag="), "{frame}");
    // Without its text, its title is gone, too; without replies the post is.
    ann.delete(&Message::of(&one["message"])).await;
    eventually("the title is gone", async || {
        let page = bob.page(&format!("/rooms/{forum}")).await;
        (!page.contains("Ice") && listed(&page).len() == 1).then_some(())
    })
    .await;
    let other = ann
        .act("chat.new-post", post_fields(&forum, "Mistake", "x", &[]))
        .await
        .done();
    page.frame("Mistake").await;
    ann.delete(&Message::of(&other["message"])).await;
    let gone = format!("#post-{}", other["thread"].as_str().expect("a thread"));
    page.frame(&format!("{gone}\" hx-swap=\"delete\"></hx-partial>"))
        .await;
    assert_eq!(
        listed(&bob.page(&format!("/rooms/{forum}")).await),
        [thread]
    );
    server.assert_undamaged();
}

#[tokio::test]
async fn posts_are_listed_by_pages() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (_, forum) = forum_with_tags(&ann, "agora", "").await;
    let mut threads = Vec::new();
    for n in 0..33 {
        threads.push(new_post(&ann, &forum, &format!("post {n}"), "x", &[]).await);
    }
    threads.reverse();
    let first = ann.page(&format!("/rooms/{forum}")).await;
    assert_eq!(listed(&first), threads[..30]);
    let (_, next) = first.split_once("before=").expect("a next page");
    let next = next.split('"').next().unwrap_or_default();
    let second = ann.page(&format!("/rooms/{forum}?before={next}")).await;
    assert_eq!(listed(&second), threads[30..]);
    let alone = ann
        .get(&format!("/rooms/{forum}/posts?before={next}"))
        .await;
    assert_eq!(listed(&alone.expect(200).body), threads[30..]);
}

#[tokio::test]
async fn forum_is_unread_with_new_posts_and_a_post_with_replies() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (_, forum) = forum_with_tags(&ann, "agora", "").await;
    let unread = async |person: &Person| {
        let all = person.get("/unread").await.json();
        let rooms = all.as_array().cloned().unwrap_or_default();
        let ids = rooms
            .iter()
            .map(|one| one["room"].as_str().unwrap_or_default().to_owned());
        ids.collect::<Vec<_>>()
    };
    let thread = new_post(&bob, &forum, "Frost", "tonight", &[]).await;
    assert_eq!(unread(&ann).await, [forum.as_str()]);
    assert!(!unread(&bob).await.contains(&forum));
    // Looking at the list reads it, on every device.
    let mut other = ann.following(&format!("account/{}/unread", ann.id)).await;
    ann.page(&format!("/rooms/{forum}")).await;
    other.event("chat.room.read").await;
    assert_eq!(unread(&ann).await.len(), 0);
    // A reply marks the post for who follows it, and not the room.
    reply(&ann, &thread, "yes").await;
    assert_eq!(unread(&bob).await, [thread.as_str()]);
}

#[tokio::test]
async fn held_post_shows_no_thread_until_it_is_released() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let cem = server.member("cem").await;
    let (tags, forum) = forum_with_tags(&ann, "agora", "help").await;
    let rule = json!({ "space": ann.space, "kind": "words", "name": "Casinos", "words": "casino",
        "action": "hold", "enabled": "yes" });
    ann.act("moderation.save-rule", rule).await.done();
    let path = format!("/rooms/{forum}");
    // The title is judged, too.
    let fields = post_fields(&forum, "My casino", "see above", &[&tags[0]]);
    let done = bob.act("chat.new-post", fields.clone()).await.done();
    let held = done["held"]["id"].as_str().expect("it waits").to_owned();
    let own = bob.page(&path).await;
    assert!(
        own.contains(&format!("id=\"h-{held}\"")) && own.contains("My casino"),
        "{own}"
    );
    let others = cem.page(&path).await;
    assert!(
        !others.contains("casino") && listed(&others).is_empty(),
        "{others}"
    );
    let waiting = ann.page(&format!("/spaces/{}/held", ann.space)).await;
    assert!(waiting.contains("My casino"), "{waiting}");
    ann.act("chat.release-held", json!({ "held": held }))
        .await
        .done();
    let shown = cem.page(&path).await;
    assert_eq!(listed(&shown).len(), 1);
    assert!(
        shown.contains("My casino") && shown.contains("see above"),
        "{shown}"
    );
    let with_tag = cem.page(&format!("{path}?tag={}", tags[0])).await;
    assert_eq!(listed(&with_tag).len(), 1);
    server.assert_undamaged();
}

#[tokio::test]
async fn rights_in_a_forum_are_those_of_the_room() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let (_, forum) = forum_with_tags(&ann, "agora", "").await;
    let thread = new_post(&bob, &forum, "Plans", "x", &[]).await;
    let mut cems = cem.following(&format!("room/{thread}")).await;
    let private = json!({ "room": forum, "name": "agora", "kind": "forum", "private": "yes",
        "members": [bob.id] });
    ann.act("community.change-room", private).await.done();
    cems.wait_for("revoked").await;
    eventually("cem reads nothing of it", async || {
        let pages = [
            cem.get(&format!("/rooms/{forum}/posts")).await.status,
            cem.get(&format!("/rooms/{thread}/log")).await.status,
        ];
        (pages == [404, 404]).then_some(())
    })
    .await;
    let refused = cem
        .act("chat.new-post", post_fields(&forum, "t", "x", &[]))
        .await;
    assert_eq!(refused.code(), "not_found");
    let archive = json!({ "room": forum, "archive": "yes" });
    ann.act("community.archive-room", archive).await.done();
    eventually("nobody posts", async || {
        let refused = bob
            .act("chat.new-post", post_fields(&forum, "t", "x", &[]))
            .await;
        (refused.status == 409).then_some(())
    })
    .await;
    let page = bob.page(&format!("/rooms/{forum}")).await;
    assert!(
        page.contains("Plans") && !page.contains("/act/chat.new-post"),
        "{page}"
    );
}

#[tokio::test]
async fn search_finds_posts_by_title_and_their_replies_in_the_forum() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let (_, forum) = forum_with_tags(&ann, "agora", "").await;
    let thread = new_post(&bob, &forum, "การปลูกมะเขือเทศ", "compost", &[]).await;
    reply(&ann, &thread, "compost helps").await;
    for (query, count) in [("มะเขือเทศ", 1), ("compost in:#agora", 2)] {
        let found = eventually("it is found", async || {
            let found = ann.act("search.find", json!({ "q": query })).await.done();
            let hits = found["found"].as_array().cloned();
            hits.filter(|hits| hits.len() == count)
        })
        .await;
        for hit in &found {
            assert_eq!(hit["place"], "agora › การปลูกมะเขือเทศ", "{hit}");
        }
    }
}

#[tokio::test]
async fn post_is_made_and_answered_without_scripts() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let form = ann.page(&format!("/spaces/{}/rooms/new", ann.space)).await;
    assert!(form.contains("value=\"forum\""), "{form}");
    let (tags, forum) = forum_with_tags(&ann, "agora", "help").await;
    let path = format!("/rooms/{forum}");
    let blank = [
        ("room", forum.as_str()),
        ("title", " "),
        ("body", "typed already"),
    ];
    let refused = bob.form_from(&path, "/act/chat.new-post", &blank).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.body.contains("Give the post a title") && refused.body.contains("typed already"),
        "{}",
        refused.body
    );
    let fields = [
        ("room", forum.as_str()),
        ("title", "पाला"),
        ("body", "कल"),
        ("tags", &tags[0]),
    ];
    let to = bob.form("/act/chat.new-post", &fields).await.expect(303);
    let page = bob.page(to.location()).await;
    assert!(page.contains("पाला") && page.contains("help"), "{page}");
    let rename = bob.page(&format!("{}/name", to.location())).await;
    assert!(
        rename.contains("value=\"पाला\"") && rename.contains("checked"),
        "{rename}"
    );
    let settings = ann.page(&format!("{path}/settings")).await;
    assert!(
        settings.contains("name=\"kind\" value=\"forum\""),
        "{settings}"
    );
    // The address of its message leads to the post.
    let history = bob
        .act("chat.history", json!({ "room": forum }))
        .await
        .done();
    let message = history["messages"][0]["id"]
        .as_str()
        .expect("a message")
        .to_owned();
    let to_post = ann.get(&format!("/messages/{message}")).await.expect(303);
    assert_eq!(to_post.location(), to.location());
}

#[tokio::test]
async fn erased_forum_takes_its_posts_along() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let (tags, forum) = forum_with_tags(&ann, "agora", "help").await;
    let thread = new_post(&ann, &forum, "Plans", "x", &[&tags[0]]).await;
    reply(&ann, &thread, "y").await;
    ann.act("community.delete-room", json!({ "room": forum }))
        .await
        .done();
    super::deletion::pass_a_week(&mut server, &["rooms"]).await;
    let left = "SELECT (SELECT COUNT(*) FROM chat_threads) + (SELECT COUNT(*) FROM chat_tags) + \
        (SELECT COUNT(*) FROM chat_post_tags) + \
        (SELECT COUNT(*) FROM rooms WHERE parent_id IS NOT NULL)";
    super::deletion::wait_until_erased(&server, left).await;
    server.assert_undamaged();
}
