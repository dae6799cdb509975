//! The to-do list, tested as people use it.

use serde_json::{Value, json};
use tidepool_testkit::{Person, TestServer};

async fn start() -> TestServer {
    TestServer::start(env!("CARGO_BIN_EXE_todo")).await
}

fn list_of(person: &Person) -> String {
    format!("/spaces/{}/todo", person.space)
}

async fn add(person: &Person, title: &str) -> Value {
    let fields = json!({ "space": person.space, "title": title });
    person.act("todo.add", fields).await.done()["item"].clone()
}

#[tokio::test]
async fn added_item_reaches_pages_and_sockets() {
    let server = start().await;
    let ann = server.host("ann").await;
    let bob = server.member("bob").await;
    let feed = format!("todo/{}", bob.space);
    let (mut program, mut page) = (bob.follow(&feed).await, bob.follow_html(&feed).await);
    let fields = [("space", ann.space.as_str()), ("title", " Milk & <b> ")];
    let answer = ann
        .form(&list_of(&ann), "todo.add", &fields)
        .await
        .expect(303);
    assert_eq!(answer.header("location"), list_of(&ann));

    let event = program.event("todo.item.added").await;
    assert_eq!(event["item"]["title"], "Milk & <b>");
    let frame = page.frame("Milk &#38; &#60;b&#62;").await;
    assert!(frame.contains("beforeend"), "{frame}");
    let shown = bob.page(&list_of(&bob)).await;
    assert!(shown.contains("Milk &#38; &#60;b&#62;"), "{shown}");
}

#[tokio::test]
async fn item_sent_twice_is_added_once() {
    let server = start().await;
    let ann = server.host("ann").await;
    let fields = json!({ "space": ann.space, "title": "Milk", "key": "k1" });
    let first = ann.act("todo.add", fields.clone()).await.done();
    assert_eq!(ann.act("todo.add", fields).await.done(), first);
    let page = ann.page(&list_of(&ann)).await;
    assert_eq!(page.matches("<li id=\"todo-item-").count(), 1);
}

#[tokio::test]
async fn marked_and_cleared_items_change_pages() {
    let server = start().await;
    let ann = server.host("ann").await;
    let bob = server.member("bob").await;
    let milk = add(&ann, "Milk").await;
    let mut feed = bob.follow_html(&format!("todo/{}", bob.space)).await;
    let id = milk["id"].as_str().unwrap();
    let fields = [("item", id), ("done", "true")];
    let page = list_of(&bob);
    bob.form(&page, "todo.set-done", &fields).await.expect(303);
    let row = format!("<li id=\"todo-item-{id}\" data-done>");
    feed.frame(&row).await;
    assert!(ann.page(&page).await.contains(&row));

    let fields = json!({ "space": ann.space });
    let cleared = ann.act("todo.clear", fields).await.done();
    assert_eq!(cleared["removed"], 1);
    let removal = format!("hx-target=\"#todo-item-{id}\" hx-swap=\"delete\"");
    feed.frame(&removal).await;
    assert!(!ann.page(&page).await.contains(id));
}

#[tokio::test]
async fn move_sent_twice_moves_once() {
    let server = start().await;
    let ann = server.host("ann").await;
    let mut feed = ann.follow(&format!("todo/{}", ann.space)).await;
    add(&ann, "one").await;
    add(&ann, "two").await;
    let three = add(&ann, "three").await;
    let position = three["position"].to_string();
    let id = three["id"].as_str().unwrap();
    let fields = [("item", id), ("position", &position), ("direction", "up")];
    for _ in 0..2 {
        let page = list_of(&ann);
        ann.form(&page, "todo.reorder", &fields).await.expect(303);
    }
    let event = feed.event("todo.list.reordered").await;
    let items = event["items"].as_array().unwrap().iter();
    let titles: Vec<_> = items.map(|item| item["title"].clone()).collect();
    assert_eq!(titles, ["one", "three", "two"]);
    let page = ann.page(&list_of(&ann)).await;
    let at = |title: &str| page.find(&format!(">{title}</span>")).unwrap();
    assert!(at("one") < at("three") && at("three") < at("two"));
}

#[tokio::test]
async fn outsiders_get_no_list() {
    let server = start().await;
    let ann = server.host("ann").await;
    let eve = server.outsider("eve").await;
    let milk = add(&ann, "Milk").await;
    let (page, space, item) = (list_of(&ann), &ann.space, &milk["id"]);
    eve.get(&page).await.expect(404);
    for (action, fields) in [
        ("todo.add", json!({ "space": space, "title": "Bread" })),
        ("todo.set-done", json!({ "item": item, "done": true })),
        (
            "todo.reorder",
            json!({ "item": item, "position": 1, "direction": "up" }),
        ),
        ("todo.clear", json!({ "space": space })),
    ] {
        eve.act(action, fields).await.expect(404);
    }
    assert!(eve.try_follow(&format!("todo/{space}")).await.is_none());
    let visitor = server.visitor();
    visitor.get(&page).await.expect(303);
}

#[tokio::test]
async fn list_of_most_items_is_full() {
    let server = start_with_many_writes().await;
    let ann = server.host("ann").await;
    for number in 0..100 {
        add(&ann, &format!("item {number}")).await;
    }
    let fields = [("space", ann.space.as_str()), ("title", "one more")];
    let answer = ann.form(&list_of(&ann), "todo.add", &fields).await;
    assert!(
        answer.body.contains("This list is full."),
        "{}",
        answer.body
    );
    assert!(answer.body.contains("value=\"one more\""), "what was typed");
}

async fn start_with_many_writes() -> TestServer {
    let settings = [("TIDEPOOL_WRITES_PER_10_SECONDS", "1000")];
    TestServer::start_with(env!("CARGO_BIN_EXE_todo"), &settings).await
}

#[tokio::test]
async fn long_title_is_refused_in_words() {
    let server = start().await;
    let ann = server.host("ann").await;
    let fields = json!({ "space": ann.space, "title": "x".repeat(201) });
    let refused = ann.act("todo.add", fields).await.expect(422).json();
    let message = &refused["error"]["fields"]["title"];
    assert_eq!(message, "An item has 1 to 200 characters.");
}

#[tokio::test]
async fn words_come_from_the_catalogue() {
    let server = start().await;
    let ann = server.host("ann").await;
    let page = ann.page(&list_of(&ann)).await;
    assert!(page.contains("<h1>To-do list</h1>"), "{page}");
    let home = ann.page(&format!("/spaces/{}/people", ann.space)).await;
    assert!(home.contains(&format!("href=\"{}\"", list_of(&ann))));
    let page = ann.page_in("qps-ploc", &list_of(&ann)).await;
    assert!(page.contains("<h1>⟦") && !page.contains("To-do list"));
}

#[tokio::test]
async fn style_sheet_is_linked_and_cached() {
    let server = start().await;
    let ann = server.host("ann").await;
    let page = ann.page(&list_of(&ann)).await;
    let (_, rest) = page.split_once("href=\"/modules/todo/").expect("a link");
    let (rest, _) = rest.split_once('"').unwrap();
    let address = format!("/modules/todo/{rest}");
    let answer = server.visitor().get(&address).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/css; charset=utf-8");
    assert!(answer.header("cache-control").contains("immutable"));
    assert!(answer.body.contains(".todo-list"));
    server
        .visitor()
        .get("/modules/todo/0/todo.css")
        .await
        .expect(404);
}

#[test]
fn commands_list_what_the_module_declares() {
    let printed = |argument: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_todo"));
        let output = command.arg(argument).output().expect("it runs");
        assert!(output.status.success(), "{argument}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(printed("topics").contains("todo.item.added"));
    assert!(printed("permissions").contains("todo.edit"));
    assert!(printed("--help").contains("Usage: todo"));
}
