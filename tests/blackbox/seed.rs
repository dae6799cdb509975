//! `tidepool seed`: a community to try and to measure.

use serde_json::json;

use crate::support::{TestServer, eventually};

#[tokio::test]
async fn seeded_server_is_whole_and_can_be_used() {
    let mut server = TestServer::start().await;
    server.stop().await;
    let seeded = server.run(&["seed", "--messages", "1500", "--people", "60"]);
    let said = String::from_utf8_lossy(&seeded.stdout).into_owned();
    assert!(seeded.status.success(), "{seeded:?}");
    let (_, password) = said.split_once("the password ").expect("a password");
    let (password, _) = password.split_once(',').expect("its end");
    server.assert_undamaged();
    let again = server.run(&["seed", "--messages", "10"]);
    assert!(!again.status.success(), "only an empty server is filled");
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("set up already"), "{said}");
    let db = server.database();
    let count = |table: &str| format!("SELECT COUNT(*) FROM {table}");
    assert_eq!(db.number(&count("messages")).await, Some(1_500));
    for (table, least) in [
        ("accounts", 50),
        ("chat_threads", 4),
        ("chat_reactions", 50),
        ("rooms", 16),
    ] {
        let found = db.number(&count(table)).await;
        assert!(found >= Some(least), "{table}: {found:?}");
    }
    server.start_again().await;
    let ann = server.visitor();
    ann.sign_in("ann@example.org", password).await.done();
    let home = ann.page(ann.get("/").await.location()).await;
    assert!(
        home.contains("العربية") && home.contains("日本語"),
        "{home}"
    );
    let found = async |words: &str| {
        let fields = json!({ "q": words });
        let found = ann.act("search.find", fields).await.done();
        found["found"].as_array().expect("a list").len()
    };
    eventually("messages that are found", async || {
        (found("pier").await > 0 && found("码头").await > 0 && found("ท่าเรือ").await > 0)
            .then_some(())
    })
    .await;
    // Who is in the small space alone finds nothing of the other.
    let few = server.visitor();
    few.sign_in("person60@example.org", password).await.done();
    let home = few.page(few.get("/").await.location()).await;
    assert!(
        home.contains("reading") && !home.contains("العربية"),
        "{home}"
    );
}
