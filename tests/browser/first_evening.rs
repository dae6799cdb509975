//! The first evening: from an empty folder to two people who talk.

use super::driver::acquire_browsers;
use super::session::Browser;
use crate::support::{PASSWORD, TestServer};

#[tokio::test]
async fn host_invites_friend_and_they_talk() {
    let _browsers = acquire_browsers(2).await;
    let server = TestServer::start().await;
    let base = server.base();
    let (ann, bob) = tokio::join!(Browser::open(&base), Browser::open(&base));

    ann.go("/").await;
    assert_eq!(ann.path().await, "/setup");
    for (field, text) in [
        ("community", "Glasshouse"),
        ("name", "Ann"),
        ("email", "ann@example.org"),
        ("password", PASSWORD),
    ] {
        ann.fill(&format!("[name={field}]"), text).await;
    }
    ann.click("main .btn").await;
    ann.wait_text("main h1", "Glasshouse is ready").await;
    ann.go("/setup").await;
    assert_eq!(
        ann.count("form[action='/setup']").await,
        0,
        "setup is closed once there is an owner"
    );
    ann.go("/").await;

    ann.click(".pane .invite a").await;
    ann.wait_text("main h1", "Invites").await;
    ann.click("form[action='/act/community.invite'] button")
        .await;
    ann.wait_visible("input[readonly]").await;
    let link = ann
        .js("document.querySelector('input[readonly]').value")
        .await;
    ann.click(".side a.room[href^='/rooms/']").await;
    ann.wait_visible(".compose textarea").await;

    bob.client
        .goto(link.as_str().expect("a link"))
        .await
        .expect("the invitation opens");
    for (field, text) in [
        ("name", "Bob"),
        ("email", "bob@example.org"),
        ("password", PASSWORD),
    ] {
        bob.fill(&format!("[name={field}]"), text).await;
    }
    bob.click("main .btn").await;
    bob.wait_text("main h1", "general").await;
    bob.wait_hidden(".pane .invite").await;

    ann.send_message("Welcome").await;
    bob.wait_text(".log .msg .body", "Welcome").await;
    bob.send_message("Good to be here").await;
    ann.wait_text(".log .msg .body", "Good to be here").await;
    ann.close_expecting(|entry| entry.contains("/setup - ") && entry.contains("404"))
        .await;
    bob.close().await;
}
