//! Contents in a bucket: as well as in a folder, and nothing is lost when its server fails.

use std::time::{Duration, Instant};

use super::pictures::png;
use super::start_server_with;
use crate::support::s3::{Bucket, Fault};
use crate::support::{Folder, eventually, noise};

const MIB: usize = 1 << 20;

/// Three tries of the two seconds that the tests set; the default alone would be twenty.
fn assert_gives_up_early(fault: Fault, started: Instant) {
    let took = started.elapsed();
    assert!(took < Duration::from_secs(18), "{fault:?}: {took:?}");
}

#[tokio::test]
async fn bucket_stores_and_serves_like_folder() {
    let bucket = Bucket::start();
    let (mut server, ann, bob) = start_server_with(&bucket.settings()).await;
    let content = noise(19 * MIB, 30);
    let file = ann.add_file("large.bin", &content).await;
    let same = bob.add_file("same.bin", &content).await;
    let digest = blake3::hash(&content).to_hex().to_string();
    let objects = bucket.objects();
    assert_eq!(
        objects.into_iter().collect::<Vec<_>>(),
        [(format!("{}/{digest}", &digest[..2]), content.len())]
    );
    assert_eq!(bucket.completed(), 1, "in parts, and once");
    assert!(
        server.contents().is_empty() && server.spooled() == 0,
        "nothing is left on the disk"
    );
    assert!(bob.content(&file).await == content);
    let part = bob
        .fetch_with(
            &format!("/files/{file}/large.bin"),
            &[("range", "bytes=9000000-9000099")],
        )
        .await;
    assert_eq!(
        (part.status, part.header("content-range")),
        (
            206,
            format!("bytes 9000000-9000099/{}", content.len()).as_str()
        )
    );
    assert!(part.body == content[9_000_000..9_000_100]);

    let shown = ann.add_file("shown.png", &png(90, 60)).await;
    assert_eq!(ann.wait_for_picture(&shown).await["picture"], "made");
    assert_eq!(
        bob.fetch(&format!("/files/{shown}/shown.png?size=small"))
            .await
            .status,
        200
    );

    for file in [&shown, &same, &file] {
        ann.act("cabinet.throw-away", serde_json::json!({ "file": file }))
            .await
            .done();
    }
    eventually("an empty bucket", || async {
        bucket.objects().is_empty().then_some(())
    })
    .await;
    server.restart().await;
    let again = ann.add_file("again.bin", &content[..MIB]).await;
    assert!(bob.content(&again).await == content[..MIB]);
}

#[tokio::test]
async fn bucket_tls_certificate_is_verified() {
    let folder = Folder::new();
    let bucket = Bucket::behind_tls(&folder);
    let content = noise(10_000, 31);
    let (_server, ann, _) = start_server_with(&bucket.settings()).await;
    let file = ann.add_file("kept.bin", &content).await;
    assert_eq!(bucket.objects().len(), 1);
    assert!(ann.content(&file).await == content);

    let settings: Vec<_> = bucket
        .settings()
        .into_iter()
        .filter(|(name, _)| *name != "SSL_CERT_FILE")
        .collect();
    let (_server, ann, _) = start_server_with(&settings).await;
    let upload = ann.create_upload("refused.bin", content.len()).await;
    upload.patch(0, &content).await.expect(503);
    assert_eq!(bucket.objects().len(), 1);
}

#[tokio::test]
async fn failing_bucket_loses_no_byte() {
    let all = [
        Fault::Fails,
        Fault::Stalls,
        Fault::Shortens,
        Fault::BucketMissing,
    ]
    .map(|fault| async move {
        let bucket = Bucket::start();
        let (server, ann, _) = start_server_with(&bucket.settings_with_short_timeout()).await;
        let content = noise(9 * MIB, fault as u64 + 40);
        let upload = ann.create_upload("large.bin", content.len()).await;
        upload.patch(0, &content[..8 * MIB]).await.expect(204);
        bucket.set_fault(fault);
        let started = Instant::now();
        let refused = upload.patch(8 * MIB, &content[8 * MIB..]).await.expect(503);
        assert_gives_up_early(fault, started);
        assert!(
            !refused.json()["error"]["message"]
                .as_str()
                .expect("words")
                .is_empty()
        );
        assert!(!refused.header("retry-after").is_empty());
        let at = upload.offset().await;
        assert_eq!(
            at,
            content.len() - 1,
            "{fault:?}: all is there but the byte that asks for another try"
        );
        bucket.set_fault(Fault::Nothing);
        assert!(
            bucket.objects().is_empty(),
            "{fault:?}: what is not whole does not stay"
        );
        let last = upload.patch(at, &content[at..]).await.expect(204);
        assert!(
            ann.content(last.header("tidepool-file")).await == content,
            "{fault:?}"
        );
        assert_eq!(server.spooled(), 0);
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test]
async fn lost_bucket_answer_keeps_file() {
    let bucket = Bucket::start();
    let (_server, ann, _) = start_server_with(&bucket.settings()).await;
    let content = noise(9 * MIB, 45);
    bucket.set_fault(Fault::FailsAfterCompleting);
    let file = ann.add_file("large.bin", &content).await;
    bucket.set_fault(Fault::Nothing);
    assert!(ann.content(&file).await == content);
    assert_eq!(bucket.objects().len(), 1);
}

#[tokio::test]
async fn truncated_bucket_read_fails_visibly() {
    let bucket = Bucket::start();
    let (_server, ann, _) = start_server_with(&bucket.settings_with_short_timeout()).await;
    let content = noise(3 * MIB, 50);
    let file = ann.add_file("large.bin", &content).await;
    let path = format!("/files/{file}/large.bin");
    for fault in [Fault::Truncates, Fault::Shortens] {
        bucket.set_fault(fault);
        let response = ann.request("GET", &path).send().await.expect("an answer");
        let status = response.status().as_u16();
        match response.bytes().await {
            Ok(body) if status == 200 => {
                assert!(
                    body.len() == content.len() && body == content[..],
                    "{fault:?}: whole it is, or it breaks off"
                )
            }
            Ok(_) => assert!([502, 503].contains(&status), "{fault:?}: {status}"),
            Err(_) => {}
        }
    }
    for fault in [Fault::Fails, Fault::Stalls] {
        bucket.set_fault(fault);
        let started = Instant::now();
        assert_eq!(ann.fetch(&path).await.status, 503, "{fault:?}");
        assert_gives_up_early(fault, started);
    }
    assert_eq!(
        ann.request("HEAD", &path)
            .send()
            .await
            .expect("an answer")
            .status()
            .as_u16(),
        200
    );
    bucket.set_fault(Fault::Nothing);
    assert!(ann.content(&file).await == content);
}

#[tokio::test]
async fn picture_job_retries_until_bucket_answers() {
    let bucket = Bucket::start();
    let (_server, ann, _) = start_server_with(&bucket.settings()).await;
    ann.act(
        "admin.pause-jobs",
        serde_json::json!({ "kind": "files.picture", "pause": true }),
    )
    .await
    .done();
    let file = ann.add_file("shown.png", &png(90, 60)).await;
    bucket.set_fault(Fault::Fails);
    ann.act(
        "admin.pause-jobs",
        serde_json::json!({ "kind": "files.picture", "pause": false }),
    )
    .await
    .done();
    eventually("a try in vain", || async {
        (bucket.refused() > 2).then_some(())
    })
    .await;
    assert_eq!(
        ann.cabinet().await[0]["picture"],
        "waiting",
        "it is not the picture's fault"
    );
    bucket.set_fault(Fault::Nothing);
    assert_eq!(ann.wait_for_picture(&file).await["picture"], "made");
}

#[tokio::test]
async fn unreferenced_bucket_objects_are_swept() {
    let bucket = Bucket::start();
    let (mut server, ann, _) = start_server_with(&bucket.settings()).await;
    let file = ann.add_file("kept.bin", b"kept").await;
    bucket.put(
        &format!("ab/{}", "ab".repeat(32)),
        b"left by a crash long ago",
    );
    bucket.put("notes.txt", b"somebody else's");
    server.stop().await;
    server
        .change_rows("UPDATE job_schedules SET next_at = 0")
        .await;
    server.start_again().await;
    eventually("a swept bucket", || async {
        (bucket.objects().len() == 2).then_some(())
    })
    .await;
    assert!(bucket.objects().contains_key("notes.txt"));
    assert_eq!(ann.content(&file).await, b"kept");
}
