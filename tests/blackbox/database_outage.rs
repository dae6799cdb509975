//! PostgreSQL stops and comes back: requests are refused meanwhile, and nothing is lost.

use serde_json::json;

use crate::only_in_modes;
use crate::support::{Answer, Person, Postgres, TestServer, eventually};

async fn post(ann: &Person, key: &str) -> Answer {
    let fields = json!({ "room": ann.room("general"), "body": key, "key": key });
    ann.act("chat.post", fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn database_outage_refuses_requests_and_loses_nothing() {
    only_in_modes!("stops PostgreSQL", [Postgres]);
    let mut postgres = Postgres::durable();
    let database = postgres.create_database();
    let server = TestServer::with(&[("TIDEPOOL_DATABASE", &database.url())]).await;
    let ann = server.owner("ann").await;
    let mut keys: Vec<String> = (0..20)
        .map(|number| format!("before-{number:04}"))
        .collect();
    for key in &keys {
        post(&ann, key).await.expect(200);
    }
    postgres.stop();
    let key = "during-outage".to_owned();
    for _ in 0..3 {
        let refused = post(&ann, &key).await.expect(503);
        let wait = refused.header("retry-after");
        assert!(wait.parse::<u64>().is_ok(), "{wait}");
    }
    let visitor = server.visitor();
    let ready = visitor.get("/health/ready").await.expect(503);
    assert!(ready.body.contains("database"), "{}", ready.body);
    postgres.start_again();
    keys.push(key);
    eventually("posts are accepted again", async || {
        let answer = post(&ann, &keys[20]).await;
        (answer.status == 200).then_some(())
    })
    .await;
    // Each connection comes back by itself.
    eventually("the server is ready", async || {
        (visitor.get("/health/ready").await.status == 200).then_some(())
    })
    .await;
    let room = format!("/rooms/{}", ann.room("general"));
    let page = eventually("pages are answered again", async || {
        let answer = ann.get(&room).await;
        (answer.status == 200).then_some(answer.body)
    })
    .await;
    for key in &keys {
        assert!(page.contains(key.as_str()), "{key} is lost");
    }
}
