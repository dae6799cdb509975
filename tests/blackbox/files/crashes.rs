//! What is left when the server ends at the wrong moment, and what is tidied up.

use serde_json::json;

use super::start_server;
use crate::support::{Person, TestServer, eventually, noise};

#[tokio::test]
async fn upload_resumes_after_server_kill() {
    let (mut server, ann, _) = start_server().await;
    let content = noise(4 << 20, 4);
    let upload = ann.create_upload("survivor.bin", content.len()).await;
    let mut at = 0;
    for round in 1..=3 {
        let hanging = match round {
            1 => Some(
                upload
                    .send_partial(content.len(), &content[..1_700_000])
                    .await,
            ),
            _ => {
                let upload = upload.clone();
                let piece = upload.piece(at, &content[at..at + 700_000]);
                upload.person.send(piece).await.expect(204);
                None
            }
        };
        let least = upload
            .wait_for_bytes_on_disk(&server, at as u64 + (512 << 10))
            .await as usize;
        server.kill().await;
        drop(hanging);
        server.start_again().await;
        at = upload.offset().await;
        assert!(at >= least, "round {round}: {at} of {least}");
    }
    let file = upload
        .patch(at, &content[at..])
        .await
        .expect(204)
        .header("tidepool-file")
        .to_owned();
    server.kill().await;
    server.start_again().await;
    assert_eq!(
        upload.head().await.expect(200).header("tidepool-file"),
        file,
        "the last answer may have been lost: it is told again"
    );
    assert_eq!(ann.content(&file).await, content);
}

#[tokio::test]
async fn upload_completes_after_crash_before_answer() {
    let (mut server, ann, _) = start_server().await;
    let content = noise(900_000, 5);
    let upload = ann.create_upload("late.bin", content.len()).await;
    upload.patch(0, &content[..800_000]).await.expect(204);
    server.kill().await;
    // What the kernel has of a process that was killed just then.
    let spooled = server.data().join("uploads").join(upload.name());
    let mut whole = std::fs::OpenOptions::new()
        .append(true)
        .open(spooled)
        .expect("it is in the spool");
    std::io::Write::write_all(&mut whole, &content[800_000..]).expect("it is written");
    server.start_again().await;
    let head = upload.head().await.expect(200);
    assert_eq!(head.header("upload-offset"), "900000");
    assert_eq!(ann.content(head.header("tidepool-file")).await, content);
    assert_eq!(server.spooled(), 0);
}

async fn wait_for_contents(server: &TestServer, left: usize) {
    eventually("deletion of contents", || async {
        (server.contents().len() == left).then_some(())
    })
    .await;
}

async fn remove_file(person: &Person, file: &str) {
    person
        .act("cabinet.throw-away", json!({ "file": file }))
        .await
        .done();
}

#[tokio::test]
async fn content_is_deleted_with_last_reference() {
    let (server, ann, bob) = start_server().await;
    let content = noise(200_000, 6);
    let files = futures_util::future::join_all((0..4).map(|number| {
        let (person, content) = (if number % 2 == 0 { &ann } else { &bob }, &content);
        async move { person.add_file(&format!("{number}.bin"), content).await }
    }))
    .await;
    let other = ann.add_file("other.bin", &noise(1000, 7)).await;
    assert_eq!(server.contents().len(), 2);
    for file in &files[..3] {
        remove_file(&bob, file).await;
        bob.fetch(&format!("/files/{file}/it")).await;
    }
    // The jobs that would delete it run in order: when this content is gone, theirs are done.
    remove_file(&ann, &other).await;
    wait_for_contents(&server, 1).await;
    assert_eq!(bob.content(&files[3]).await, content);
    assert_eq!(
        ann.fetch(&format!("/files/{}/it", files[0])).await.status,
        404
    );
    remove_file(&ann, &files[3]).await;
    wait_for_contents(&server, 0).await;
    ann.act("cabinet.throw-away", json!({ "file": files[3] }))
        .await
        .expect(404);
    // What is uploaded again after that is stored again.
    let again = ann.add_file("again.bin", &content).await;
    assert_eq!(ann.content(&again).await, content);
}

#[tokio::test]
async fn concurrent_releases_delete_content() {
    let (server, ann, _) = start_server().await;
    let mut files = Vec::new();
    for number in 0..40 {
        for copy in 0..2 {
            files.push(
                ann.add_file(&format!("{number}-{copy}.bin"), &noise(500, number))
                    .await,
            );
        }
    }
    // Each content's two files one right after the other, while the job for the first may be asking
    // whether it is used.
    futures_util::future::join_all(files.iter().map(|file| remove_file(&ann, file))).await;
    wait_for_contents(&server, 0).await;
}

#[tokio::test]
async fn abandoned_uploads_and_files_are_swept() {
    let (mut server, ann, _) =
        super::start_server_with(&[("TIDEPOOL_MAX_FILES_MIB_PER_ACCOUNT", "1")]).await;
    let kept = ann.add_file("kept.bin", &noise(1000, 8)).await;
    let unkept = ann.upload("unkept.bin", &noise(2000, 9)).await;
    let half = ann.create_upload("half.bin", 1_000_000).await;
    half.patch(0, &noise(1000, 10)).await.expect(204);
    ann.try_create_upload(crate::support::DOCUMENT, &ann.space, "more", 1_000_000)
        .await
        .expect(507);
    // What a crash left between a file and its row, long ago and just now.
    let content = |name: &str| server.data().join("files").join(&name[..2]).join(name);
    let [old, new] = ["ab".repeat(32), "cd".repeat(32)].map(|name| content(&name));
    let spooled = server.data().join("uploads").join("left-by-a-crash");
    for path in [&old, &new, &spooled] {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        std::fs::write(path, "left").expect("it is written");
    }
    for path in [&old, &spooled] {
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(72 * 3600);
        std::fs::File::options()
            .write(true)
            .open(path)
            .and_then(|file| file.set_modified(long_ago))
            .expect("it is old");
    }
    server.stop().await;
    server
        .change_rows("UPDATE uploads SET expires_at = 1 WHERE file_id IS NULL")
        .await;
    server.change_rows("UPDATE files SET created_at = 1").await;
    server
        .change_rows("UPDATE job_schedules SET next_at = 0")
        .await;
    server.start_again().await;
    half.head().await.expect(404);
    wait_for_contents(&server, 2).await;
    assert!(new.exists(), "what is new may be on its way to its row");
    eventually("deletion of half an upload", || async {
        (server.spooled() == 0).then_some(())
    })
    .await;
    assert_eq!(ann.fetch(&format!("/files/{unkept}/it")).await.status, 404);
    assert_eq!(ann.content(&kept).await.len(), 1000);
    ann.create_upload("more", 1_000_000).await; // there is room again
}
