//! Web push, end to end with a push service that decrypts what it gets.

use serde_json::{Value, json};

use crate::support::push_service::{Device, PushService};
use crate::support::{Person, TestServer, eventually, text};

async fn start() -> (TestServer, PushService) {
    let server = TestServer::with(&[("TIDEPOOL_PUSH_TO_LOOPBACK", "true")]).await;
    (server, PushService::start().await)
}

fn fields(device: &Device) -> Value {
    json!({ "endpoint": device.endpoint, "p256dh": device.p256dh, "auth": device.auth })
}

async fn subscribe(person: &Person, device: &Device) {
    let fields = fields(device);
    person.act("notices.subscribe-device", fields).await.done();
}

/// The key that pages give to the browser.
async fn server_key(person: &Person) -> String {
    let page = person.page("/account/notices").await;
    text::attributes(&page, "data-key").remove(0)
}

#[tokio::test]
async fn unread_notice_is_pushed_encrypted_to_each_device() {
    let (server, service) = start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("王小明").await;
    let phone = bob.other_device(&server).await;
    let (mut one, mut other) = (service.device("laptop"), service.device("phone"));
    subscribe(&bob, &one).await;
    subscribe(&phone, &other).await;
    let key = server_key(&bob).await;
    let message = ann.post("general", "@王小明 你好 🌊").await;
    for device in [&mut one, &mut other] {
        let received = service.receive(device, &key).await;
        assert_eq!(received["web_push"], 8030);
        assert!(received["app_badge"].is_number(), "{received}");
        let shown = &received["notification"];
        assert_eq!(shown["title"], "ann mentioned you · #general");
        assert_eq!(shown["body"], "@王小明 你好 🌊");
        let navigate = shown["navigate"].as_str().expect("an address");
        assert!(navigate.starts_with("http"), "{navigate}");
        let (_, id) = navigate.split_once("/inbox/").expect("a notice");
        let opened = bob.get(&format!("/inbox/{id}")).await;
        assert_eq!(opened.location(), format!("/messages/{}", message.id));
    }
    // The key stays, also after a restart.
    assert_eq!(server_key(&phone).await, key);
    server.assert_undamaged();
}

#[tokio::test]
async fn what_is_read_quiet_or_gone_is_not_pushed() {
    let (server, service) = start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let mut device = service.device("laptop");
    subscribe(&bob, &device).await;
    let key = server_key(&bob).await;
    // Read within seconds, deleted, in quiet hours, and while a page is in use.
    let read = ann.post("general", "@bob read").await;
    let fields = json!({ "room": bob.room("general"), "message": read.id });
    bob.act("chat.read", fields).await.done();
    let gone = ann.post("general", "@bob gone").await;
    ann.delete(&gone).await;
    let quiet = |from: &str| json!({ "from": from, "to": from });
    bob.act("notices.set-quiet-hours", quiet("08:00"))
        .await
        .done();
    let mut socket = bob.following(&format!("account/{}/inbox", bob.id)).await;
    ann.post("general", "@bob quiet").await;
    loop {
        let event = socket.event("notices.inbox.changed").await;
        if event["event"]["unread"] == 1 {
            break;
        }
    }
    bob.act("notices.set-quiet-hours", quiet("")).await.done();
    socket.close().await;
    eventually("nobody is there", async || {
        let people = ann.page(&format!("/spaces/{}/people", ann.space)).await;
        let tag = text::tag_with_id(&people, &format!("person-{}-{}", ann.space, bob.id));
        (!tag.contains("data-state=\"here\"")).then_some(())
    })
    .await;
    ann.post("general", "@bob at last").await;
    let received = service.receive(&mut device, &key).await;
    assert_eq!(received["notification"]["body"], "@bob at last");
    assert_eq!(service.asked(&device), 1);
}

#[tokio::test]
async fn failed_push_is_retried_and_ended_subscription_forgotten() {
    let (server, service) = start().await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let (mut busy, ended) = (service.device("busy"), service.device("ended"));
    service.answer(&busy, &[503]);
    service.answer(&ended, &[410]);
    subscribe(&bob, &busy).await;
    subscribe(&cem, &ended).await;
    let key = server_key(&bob).await;
    assert!(
        cem.page("/account/notices")
            .await
            .contains("unsubscribe-device")
    );
    ann.post("general", "@bob @cem").await;
    let received = service.receive(&mut busy, &key).await;
    assert_eq!(received["notification"]["body"], "@bob @cem");
    assert_eq!(service.asked(&busy), 2);
    eventually("it is forgotten", async || {
        let page = cem.page("/account/notices").await;
        (!page.contains("unsubscribe-device")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn device_ends_with_its_session_or_on_demand() {
    let (server, service) = start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let phone = bob.other_device(&server).await;
    let (one, other) = (service.device("laptop"), service.device("phone"));
    subscribe(&bob, &one).await;
    subscribe(&phone, &other).await;
    let count = async || {
        let page = bob.page("/account/notices").await;
        text::count(&page, "name=\"device\"")
    };
    assert_eq!(count().await, 2);
    // A session has one device.
    subscribe(&bob, &service.device("laptop-again")).await;
    assert_eq!(count().await, 2);
    phone.form("/sign-out", &[]).await;
    assert_eq!(count().await, 1);
    let page = bob.page("/account/notices").await;
    let (_, rest) = page.split_once("name=\"device\" value=\"").expect("one");
    let id = rest.split('"').next().expect("an id").to_owned();
    let fields = json!({ "device": id });
    ann.act("notices.unsubscribe-device", fields).await.done();
    assert_eq!(count().await, 1, "nobody ends those of others");
    bob.form("/act/notices.unsubscribe-device", &[("device", &id)])
        .await;
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn endpoints_and_keys_are_checked() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let service = PushService::start().await;
    let device = service.device("laptop");
    // Plain http, and an address of the server's own machine.
    let local = ann.act("notices.subscribe-device", fields(&device)).await;
    assert_eq!(local.code(), "invalid");
    for (name, value) in [
        ("endpoint", json!("https://10.0.0.1/x")),
        ("endpoint", json!("https://[::ffff:127.0.0.1]/x")),
        ("endpoint", json!("nonsense")),
        ("p256dh", json!("AAAA")),
        ("auth", json!("AAAA")),
        ("p256dh", json!("B".repeat(87))),
    ] {
        let mut fields = fields(&device);
        fields["endpoint"] = json!("https://push.example.org/device");
        fields[name] = value;
        let answer = ann.act("notices.subscribe-device", fields).await;
        assert_eq!(answer.code(), "invalid", "{name}");
    }
}

#[tokio::test]
async fn app_has_manifest_worker_and_offline_page_for_anybody() {
    let server = TestServer::start().await;
    server.owner("ann").await;
    let visitor = server.visitor();
    let manifest = visitor.get("/manifest.webmanifest").await.expect(200);
    assert_eq!(manifest.header("content-type"), "application/manifest+json");
    let manifest = manifest.json();
    assert_eq!(manifest["start_url"], "/");
    for icon in manifest["icons"].as_array().expect("icons") {
        let path = icon["src"].as_str().expect("a path");
        let icon = visitor.get(path).await.expect(200);
        assert_eq!(icon.header("content-type"), "image/png");
    }
    let worker = visitor.get("/sw.js").await.expect(200);
    assert!(worker.header("content-type").starts_with("text/javascript"));
    assert_eq!(worker.header("cache-control"), "private, no-cache");
    let page = visitor.get("/offline").await.expect(200);
    assert!(page.body.contains("No connection"), "{}", page.body);
    let page = visitor.page("/sign-in").await;
    assert!(page.contains("rel=\"manifest\""), "{page}");
}
