//! Uploads over poor connections: parallel, hung, broken and resumed ones.

use serde_json::json;

use super::start_server;
use crate::support::{answer_of, eventually, noise};

#[tokio::test]
async fn parallel_uploads_complete() {
    let (server, ann, _) = start_server().await;
    let all = (0..12).map(|number| {
        let ann = ann.clone();
        async move {
            let content = noise(150_000 + number * 1000, number as u64);
            let upload = ann
                .create_upload(&format!("{number}.bin"), content.len())
                .await;
            let mut at = 0;
            for piece in content.chunks(40_000) {
                upload.patch(at, piece).await.expect(204);
                at += piece.len();
            }
            let file = upload.head().await.header("tidepool-file").to_owned();
            (file, content)
        }
    });
    let files = futures_util::future::join_all(all).await;
    let ids: Vec<_> = files.iter().map(|(id, _)| id).collect();
    ann.act("cabinet.file", json!({ "space": ann.space, "files": ids }))
        .await
        .done();
    for (id, content) in &files {
        assert_eq!(&ann.content(id).await, content);
    }
    assert_eq!((server.contents().len(), server.spooled()), (12, 0));
}

#[tokio::test]
async fn resumed_upload_replaces_hung_connection() {
    let (server, ann, _) = start_server().await;
    let content = noise(3 << 20, 3);
    let upload = ann.create_upload("hangs.bin", content.len()).await;
    let hanging = upload
        .send_partial(content.len(), &content[..1_500_000])
        .await;
    let least = upload.wait_for_bytes_on_disk(&server, 512 << 10).await as usize;
    // And soon: it does not wait for the other to time out.
    upload.patch(7, b"elsewhere").await.expect(409);
    let received = answer_of(hanging).await;
    assert!(
        received.starts_with("HTTP/1.1 204"),
        "the one that hung is told how far it came: {received}"
    );
    let at = upload.offset().await;
    assert!(
        at >= least && at <= 1_500_000,
        "what came stays: {at} of {least}"
    );
    let last = upload.patch(at, &content[at..]).await.expect(204);
    assert_eq!(ann.content(last.header("tidepool-file")).await, content);
    // As well when the question is only how far it is.
    let upload = ann.create_upload("hangs.bin", content.len()).await;
    let _hanging = upload
        .send_partial(content.len(), &content[..1_500_000])
        .await;
    upload.wait_for_bytes_on_disk(&server, 512 << 10).await;
    assert!(upload.offset().await >= 512 << 10);
}

#[tokio::test]
async fn broken_upload_keeps_received_bytes() {
    let (server, ann, _) = start_server().await;
    let content = noise(3 << 20, 70);
    let upload = ann.create_upload("breaks.bin", content.len()).await;
    drop(
        upload
            .send_partial(content.len(), &content[..1_500_000])
            .await,
    );
    assert_eq!(
        upload.wait_for_bytes_on_disk(&server, 1_500_000).await,
        1_500_000,
        "to the last byte"
    );
    let last = upload
        .patch(1_500_000, &content[1_500_000..])
        .await
        .expect(204);
    assert_eq!(ann.content(last.header("tidepool-file")).await, content);
}

#[tokio::test]
async fn upload_completes_without_waiting_client() {
    let (server, ann, _) = start_server().await;
    for number in 0..8 {
        let content = noise(700_000, 80 + number);
        let upload = ann.create_upload("gone.bin", content.len()).await;
        drop(upload.send_partial(content.len(), &content).await);
        // Nobody asks meanwhile: asking would do it, too.
        eventually("the end of the upload", || async {
            (server.spooled() == 0).then_some(())
        })
        .await;
        let head = upload.head().await.expect(200);
        assert_eq!(ann.content(head.header("tidepool-file")).await, content);
    }
}
