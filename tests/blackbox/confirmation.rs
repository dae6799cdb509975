//! Forms that name a question are answered with it, before anything is done.

use serde_json::json;

use crate::support::TestServer;

#[tokio::test]
async fn form_with_question_is_asked_before_it_is_done() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let bob = server.member("Bob").await;
    let settings = format!("/spaces/{}/settings", ann.space);
    let action = "/act/community.remove-member";
    let fields = [("space", ann.space.as_str()), ("account", bob.id.as_str())];
    let mut asked = fields.to_vec();
    asked.extend([("ask", "remove-member"), ("about", "<i>\"Bob")]);

    let page = ann
        .form_from(&settings, action, &asked)
        .await
        .expect(200)
        .body;
    for part in [
        "Remove \u{2068}&#60;i&#62;&#34;Bob\u{2069} from this space?",
        &format!("href=\"{settings}\""),
        &format!("action=\"{action}\""),
        &format!("name=\"account\" value=\"{}\"", bob.id),
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("name=\"ask\""), "it does not ask twice");
    bob.act(
        "chat.post",
        json!({ "room": ann.room("general"), "body": "here", "key": "here" }),
    )
    .await
    .done();

    // What it is about may be missing, and a question that does not exist is none.
    let no_name = [&fields[..], &[("ask", "remove-member")]].concat();
    ann.form(action, &no_name).await.expect(200);
    let unknown = [&fields[..], &[("ask", "anything")]].concat();
    ann.form(action, &unknown).await.expect(303);
    bob.act(
        "chat.post",
        json!({ "room": ann.room("general"), "body": "gone", "key": "gone" }),
    )
    .await
    .expect(404);
}

#[tokio::test]
async fn programs_are_not_asked() {
    let server = TestServer::start().await;
    let ann = server.owner("Ann").await;
    let garden = ann.create_room("garden").await;
    let fields = json!({ "room": garden, "archive": "yes", "ask": "archive-room" });
    ann.submit("/act/community.archive-room", &fields)
        .await
        .expect(200);
}
