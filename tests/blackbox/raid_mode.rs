//! Raid mode: too many joins stop joining, and newcomers only read, while everybody else talks on.

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Person, TestServer, email};

async fn set_limits(by: &Person, joins: &str) {
    let limits = json!({ "space": by.space, "joins": joins, "minutes": "5", "length": "30" });
    by.act("moderation.set-raid-limits", limits).await.done();
}

/// Has all members be there for an hour already.
async fn age_members(server: &mut TestServer) {
    server.stop().await;
    let age = "UPDATE members SET joined_at = joined_at - 3600000000";
    server.change_rows(age).await;
    server.start_again().await;
}

#[tokio::test]
async fn raid_is_stopped_while_members_talk_on() {
    let settings = [("TIDEPOOL_BEHIND_PROXY", "true")];
    let mut server = TestServer::with(&settings).await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    age_members(&mut server).await;
    set_limits(&ann, "20").await;
    let link = ann.invite().await;
    let join = async |number: usize| {
        let (visitor, name) = (server.visitor(), format!("raider{number}"));
        let fields = json!({ "name": name, "email": email(&name), "password": PASSWORD });
        let request = visitor
            .request("POST", &link)
            .header(
                "X-Forwarded-For",
                format!("192.0.{}.{}", number / 250, number % 250),
            )
            .header("accept", "application/json");
        let answer = visitor.send(request.form(&fields)).await;
        (answer.status, visitor)
    };
    let joins = futures_util::stream::iter(0..200)
        .map(join)
        .buffer_unordered(8);
    let talk = async {
        for number in 0..20 {
            bob.post("general", &format!("we talk on {number}")).await;
        }
    };
    let (joined, ()) = tokio::join!(joins.collect::<Vec<_>>(), talk);
    let admitted: Vec<&Person> = joined
        .iter()
        .filter(|(status, _)| *status == 200)
        .map(|(_, visitor)| visitor)
        .collect();
    // The one too many is taken in, whichever instances counted.
    assert_eq!(admitted.len(), 21);
    assert!(joined.iter().all(|(status, _)| [200, 409].contains(status)));
    // Who joined since it began only reads.
    for raider in &admitted {
        let fields = json!({ "room": bob.room("general"), "body": "spam", "key": "raid-0001" });
        assert_eq!(raider.act("chat.post", fields).await.code(), "forbidden");
    }
    bob.post("general", "still here").await;
    // Moderators see it on the pages of the space, members do not.
    let home = format!("/spaces/{}", ann.space);
    assert!(ann.page(&home).await.contains("Raid mode is on"));
    assert!(!bob.page(&home).await.contains("Raid mode is on"));
    let log = ann.page(&format!("/spaces/{}/audit", ann.space)).await;
    assert!(log.contains("Raid mode began"), "{log}");
    // One act removes all of them.
    let space = json!({ "space": ann.space });
    let refused = bob.act("community.remove-joined", space.clone()).await;
    assert_eq!(refused.code(), "forbidden");
    let removed = ann
        .act("community.remove-joined", space.clone())
        .await
        .done();
    assert_eq!(removed["removed"], 21);
    admitted[0].get(&home).await.expect(404);
    bob.page(&home).await;
    // Ended by hand, people join and write.
    switch(&ann, "no").await;
    let cem = server.member("cem").await;
    cem.post("general", "hello").await;
    assert!(!ann.page(&home).await.contains("Raid mode is on"));
    server.assert_undamaged();
}

async fn switch(by: &Person, on: &str) -> Value {
    let fields = json!({ "space": by.space, "on": on });
    by.act("community.set-raid-mode", fields).await.done()
}

#[tokio::test]
async fn raid_mode_by_hand_ends_by_itself_and_gives_rights_back() {
    let mut server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let old = server.member("old").await;
    age_members(&mut server).await;
    let (bob, dee) = (server.member("bob").await, server.member("dee").await);
    // Somebody whom a moderator has timed out for longer stays so.
    let time_out = json!({ "space": ann.space, "account": dee.id, "minutes": "1440" });
    ann.act("community.time-out", time_out).await.done();
    switch(&ann, "yes").await;
    let post = |key: &str| json!({ "room": ann.room("general"), "body": "hi", "key": key });
    assert_eq!(
        bob.act("chat.post", post("raided-01")).await.code(),
        "forbidden"
    );
    old.act("chat.post", post("raided-02")).await.done();
    let link = ann.invite().await;
    let mut eve = server.visitor();
    let refused = eve.join(&link, "eve").await.expect(409);
    assert!(refused.body.contains("takes nobody in"), "{}", refused.body);
    server.stop().await;
    let over = "UPDATE spaces SET raid_until = 1000000; \
        UPDATE members SET timed_out_until = 1000000 WHERE timed_out_until IS NOT NULL \
        AND account_id <> ";
    for statement in format!("{over}{}", dee.id).split("; ") {
        server.change_rows(statement).await;
    }
    server.start_again().await;
    bob.act("chat.post", post("raided-03")).await.done();
    assert_eq!(
        dee.act("chat.post", post("raided-04")).await.code(),
        "forbidden"
    );
    eve.join(&link, "eve").await.done();
    let path = format!("/spaces/{}/audit", ann.space);
    crate::support::eventually("end of raid mode", || async {
        ann.page(&path)
            .await
            .contains("Raid mode ended")
            .then_some(())
    })
    .await;
}
