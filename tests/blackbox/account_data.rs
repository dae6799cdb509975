//! A copy of one's data, and deleting one's account.

use serde_json::{Value, json};

use crate::sqlite_only;
use crate::support::{PASSWORD, Person, TestServer, eventually};

/// Has a copy made and fetches it.
pub(super) async fn copy_of(person: &Person) -> Value {
    let fields = [("current_password", PASSWORD)];
    let path = "/act/community.export-data";
    let asked = person.form_from("/account/data", path, &fields).await;
    assert_eq!(asked.location(), "/account/data");
    let copy = eventually("copy", async || {
        let answer = person.get("/account/data/copy").await;
        (answer.status == 200).then_some(answer)
    });
    copy.await.json()
}

pub(super) async fn delete(person: &Person, messages: &str) -> crate::support::Answer {
    let fields = [("current_password", PASSWORD), ("messages", messages)];
    let path = "/act/community.delete-account";
    person.form_from("/account/data", path, &fields).await
}

pub(super) async fn erased(server: &TestServer) {
    let done = "tidepool_jobs_total{kind=\"community.erase-account\",end=\"done\"}";
    server.metric_reaches(done, |done| done >= 1.0).await;
}

#[tokio::test]
async fn copy_has_all_messages_and_only_ones_own() {
    let (server, ann) = TestServer::start_with_owner().await;
    let bob = server.member("bob").await;
    for number in 0..201 {
        bob.post("general", &format!("number {number}")).await;
    }
    ann.post("general", "of somebody else").await;
    let first = &bob.history("general").await[0];
    super::threads::thread_of(&bob, first).await;
    let make = json!({ "space": ann.space, "name": "Designers", "open": "yes" });
    let group = ann.act("community.create-group", make).await.done()["group"].take();
    let join = json!({ "space": ann.space, "group": group, "join": "yes" });
    bob.act("community.join-group", join).await.done();
    let copy = copy_of(&bob).await;
    assert_eq!(copy["account"]["email"], "bob@example.org");
    assert_eq!(copy["groups"][0]["name"], "Designers");
    assert_eq!(copy["messages"].as_array().expect("a list").len(), 201);
    assert_eq!(copy["messages"][200]["body"], "number 200");
    assert_eq!(copy["spaces"][0]["name"], "Glasshouse");
    assert_eq!(copy["sessions"][0]["address"], "127.0.0.1");
    assert!(!copy.to_string().contains("of somebody else"));
    assert_eq!(copy["followed_threads"][0]["name"], first.body);
    assert!(
        bob.page("/account/data")
            .await
            .contains("Your copy is ready")
    );
    ann.get("/account/data/copy").await.expect(404);
}

#[tokio::test]
async fn deleted_account_is_in_no_byte_of_the_database() {
    sqlite_only!("it reads the file of the database");
    let (mut server, ann) = TestServer::start_with_owner().await;
    let told = json!({ "space": ann.space, "tell": "yes" });
    ann.act("community.tell-joins", told).await.done();
    let eve = server.member("Quirinius").await;
    let wrote = eve.post("general", "what Q wrote").await;
    super::threads::thread_of(&ann, &wrote).await;
    let direct = json!({ "people": [eve.id] });
    let direct = ann.act("community.open-direct", direct).await.done();
    let direct = direct["room"].as_str().expect("a room").to_owned();
    ann.post(&direct, "to you, dear").await;
    eve.post(&direct, "secret answer").await;
    let other = eve.other_device(&server).await;
    delete(&eve, "delete").await.location();
    other.get("/account").await.location();
    eve.sign_in("Quirinius", PASSWORD).await.expect(422);
    erased(&server).await;
    let room = ann.page(&format!("/rooms/{direct}")).await;
    assert!(room.contains("to you, dear") && !room.contains("secret answer"));
    assert!(!room.contains("Quirinius"), "{room}");
    let general = ann.page(&format!("/rooms/{}", ann.room("general"))).await;
    assert!(!general.contains("what Q wrote") && !general.contains("Quirinius"));
    server.stop().await;
    server.change_schema("VACUUM").await;
    let mut bytes = Vec::new();
    for file in ["tidepool.sqlite", "tidepool.sqlite-wal"] {
        bytes.extend(std::fs::read(server.data().join(file)).unwrap_or_default());
    }
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    for trace in ["quirinius", "what q wrote", "secret answer"] {
        assert!(!text.contains(trace), "{trace} is in the database");
    }
    assert!(text.contains("to you, dear"), "the file was read");
}

#[tokio::test]
async fn kept_messages_are_those_of_a_deleted_account() {
    let (server, ann) = TestServer::start_with_owner().await;
    let bob = server.member("bobby").await;
    bob.post("general", "I was here").await;
    delete(&bob, "keep").await.location();
    erased(&server).await;
    let room = format!("/rooms/{}", ann.room("general"));
    eventually("page without the name", async || {
        let page = ann.page(&room).await;
        let is_kept = page.contains("I was here") && page.contains("Deleted account");
        (is_kept && !page.contains("bobby")).then_some(())
    })
    .await;
    // The name is free again.
    let mut other = server.visitor();
    other.join(&ann.invite().await, "bobby").await.done();
}

#[tokio::test]
async fn host_and_only_owner_cannot_be_deleted() {
    let (server, ann) = TestServer::start_with_owner().await;
    let refused = delete(&ann, "keep").await.expect(409);
    assert!(refused.body.contains("You run this server"));
    let bob = server.member("bob").await;
    let wrong = [
        ("current_password", "not mine at all"),
        ("messages", "keep"),
    ];
    let path = "/act/community.delete-account";
    bob.form_from("/account/data", path, &wrong)
        .await
        .expect(422);
    bob.page("/account").await;
}
