//! A full disk: what protects people goes on, the rest is refused and says why.

use std::io::Write;

use serde_json::json;

use crate::sqlite_only;
use crate::support::{Folder, PASSWORD, TestServer, text};

#[tokio::test]
async fn full_disk_refuses_posts_and_lets_people_be_protected() {
    sqlite_only!("fills the disk of the database file");
    let Some(disk) = Folder::disk(48) else {
        eprintln!("SKIPPED: a disk cannot be mounted here. Run as root.");
        return;
    };
    let server = TestServer::start_in(disk).await;
    let ann = server.owner("ann").await;
    let (bob, cem) = (server.member("bob").await, server.member("cem").await);
    let lost = bob.other_device(&server).await;
    let message = ann.post("general", "regretted").await;
    let mut socket = cem.following("room/general").await;

    let ballast = server.data().join("ballast");
    let mut file = std::fs::File::create(&ballast).expect("a file");
    for size in [1 << 20, 4096] {
        while file.write_all(&vec![1; size]).is_ok() {}
    }
    let refused = ann.try_post("general", "one more", "key-full-1").await;
    assert_eq!((refused.status, refused.code()), (507, "full".into()));
    server.visitor().get("/health/ready").await.expect(200);

    let page = bob.page("/account").await;
    let listed = text::attributes(&page, "value");
    let sessions = listed.iter().filter(|value| value.len() == 43);
    for session in sessions {
        let ended = json!({ "session": session });
        bob.act("community.end-session", ended).await.done();
    }
    assert_eq!(
        lost.get("/account").await.status,
        303,
        "ended from elsewhere"
    );
    let removed = json!({ "space": ann.space, "account": cem.id });
    ann.act("community.remove-member", removed).await.done();
    socket.wait_for("revoked").await;
    let deleted = json!({ "message": message.id });
    ann.act("chat.delete", deleted).await.done();
    let cookies = ann.cookies();
    assert_eq!(ann.form("/sign-out", &[]).await.location(), "/sign-in");
    let reused = ann.request("GET", "/account").header("cookie", cookies);
    assert_eq!(ann.send(reused).await.status, 303, "signed out");
    ann.sign_in("ann", PASSWORD).await.done();
    assert!(!server.data().join("reserve").exists(), "it is in use");

    drop(file);
    std::fs::remove_file(ballast).expect("it goes");
    ann.post("general", "room again").await;
}
