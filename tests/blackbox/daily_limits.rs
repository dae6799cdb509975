//! What an account may write in a day.

use crate::support::{TestServer, new_key};

#[tokio::test]
async fn messages_of_a_day_are_limited_across_restarts() {
    let mut server = TestServer::with(&[("TIDEPOOL_MAX_MESSAGES_PER_DAY", "3")]).await;
    let ann = server.owner("ann").await;
    ann.create_room("garden").await;
    let key = new_key();
    ann.try_post("garden", "one", &key).await.done();
    ann.post("garden", "two").await;
    ann.try_post("garden", "one", &key).await.done(); // a retry counts once
    ann.post("garden", "three").await;
    let refused = ann.try_post("garden", "four", &new_key()).await.expect(429);
    assert_eq!(refused.code(), "too_many");
    let seconds: u64 = refused.header("retry-after").parse().expect("seconds");
    assert!((1..=86_400).contains(&seconds), "{seconds}");
    assert_eq!(ann.history("garden").await.len(), 3);
    let bob = server.member("bob").await;
    bob.post("garden", "of another").await;
    server.kill().await;
    server.start_again().await;
    ann.try_post("garden", "four", &new_key()).await.expect(429);
    // A form is answered with a page.
    let room = ann.room("garden");
    let fields = [("room", room.as_str()), ("body", "four")];
    let page = ann.form("/act/chat.post", &fields).await.expect(429);
    assert!(page.body.contains("Try again in"), "{}", page.body);
}

#[tokio::test]
async fn text_of_a_day_is_limited_with_edits() {
    let server = TestServer::with(&[("TIDEPOOL_MAX_MESSAGE_KIB_PER_DAY", "1")]).await;
    let ann = server.owner("ann").await;
    ann.create_room("garden").await;
    let message = ann.post("garden", &"a".repeat(600)).await;
    let edit = serde_json::json!({ "message": message.id, "body": "b".repeat(600) });
    ann.act("chat.edit", edit).await.expect(429);
    assert_eq!(ann.history("garden").await[0].body, "a".repeat(600));
    ann.post("garden", &"c".repeat(400)).await;
    let long = "d".repeat(100);
    ann.try_post("garden", &long, &new_key()).await.expect(429);
}
