//! Groups of a space that are mentioned together.

use serde_json::json;

use super::roles::role;
use crate::support::TestServer;

#[tokio::test]
async fn group_is_made_joined_and_logged() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    let space = &ann.space;
    let make = json!({ "space": space, "name": "Designers", "open": "yes" });
    let refused = bob.act("community.create-group", make.clone()).await;
    assert_eq!(refused.code(), "forbidden");
    let group = ann.act("community.create-group", make.clone()).await.done()["group"].take();
    let group = group.as_str().expect("an id").to_owned();
    // One name, one meaning: no second group, no role, nor a word for everyone.
    ann.act("community.create-group", make).await.expect(422);
    role(&ann, "Gardeners", &[]).await;
    for name in ["gardeners", "here", "ROOM", " "] {
        let make = json!({ "space": space, "name": name });
        ann.act("community.create-group", make).await.expect(422);
    }
    let second = json!({ "space": space, "name": "designers" });
    ann.act("community.create-role", second).await.expect(422);
    let join = json!({ "space": space, "group": group, "join": "yes" });
    bob.act("community.join-group", join.clone()).await.done();
    let list = bob.page(&format!("/spaces/{space}/groups")).await;
    assert!(
        list.contains("@Designers") && list.contains("You are in it"),
        "{list}"
    );
    let page = format!("/spaces/{space}/groups/{group}");
    let own = format!("<div class=\"what\"><a href=\"/people/{}\"", bob.id);
    assert!(ann.page(&page).await.contains(&own));
    // Closed: one leaves, and does not come back by oneself.
    let close = json!({ "space": space, "group": group, "name": "Makers" });
    ann.act("community.change-group", close).await.done();
    let leave = json!({ "space": space, "group": group, "join": "no" });
    bob.act("community.join-group", leave).await.done();
    bob.act("community.join-group", join).await.expect(404);
    // Who manages roles adds by user name, and takes out.
    let add = [("space", &**space), ("group", &group), ("person", "@BOB")];
    let added = ann.form("/act/community.set-group-member", &add).await;
    assert_eq!(added.location(), page);
    assert!(bob.page(&page).await.contains(&own));
    let nobody = json!({ "space": space, "group": group, "person": "nobody" });
    ann.act("community.set-group-member", nobody)
        .await
        .expect(422);
    let out = json!({ "space": space, "group": group, "account": bob.id, "add": "no" });
    let refused = bob.act("community.set-group-member", out.clone()).await;
    assert_eq!(refused.code(), "forbidden");
    ann.act("community.set-group-member", out).await.done();
    assert!(!ann.page(&page).await.contains(&own));
    let delete = json!({ "space": space, "group": group });
    ann.act("community.delete-group", delete).await.done();
    ann.get(&page).await.expect(404);
    let log = ann.page(&format!("/spaces/{space}/audit")).await;
    for line in [
        "Made the group",
        "Changed the group",
        "Deleted the group",
        "Put into a group",
        "Took out of a group",
    ] {
        assert!(log.contains(line), "{line}: {log}");
    }
}

#[tokio::test]
async fn group_of_another_space_is_not_found() {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let eve = server.stranger("eve").await;
    let make = json!({ "space": ann.space, "name": "Designers", "open": "yes" });
    let group = ann.act("community.create-group", make).await.done()["group"].take();
    let fields = json!({ "space": ann.space, "group": group, "join": "yes" });
    eve.act("community.join-group", fields).await.expect(404);
    let elsewhere = json!({ "space": eve.space, "group": group, "join": "yes" });
    eve.act("community.join-group", elsewhere).await.expect(404);
    // Who leaves the space leaves its groups.
    let bob = server.member("bob").await;
    let join = json!({ "space": ann.space, "group": group, "join": "yes" });
    bob.act("community.join-group", join).await.done();
    let leave = json!({ "space": ann.space, "account": bob.id });
    bob.act("community.remove-member", leave).await.done();
    let list = ann.page(&format!("/spaces/{}/groups", ann.space)).await;
    assert!(list.contains("0 members"), "{list}");
}
