//! Uploads whose connection hangs or breaks.

use super::house;
use crate::support::{answer_of, eventually, noise};

#[tokio::test]
async fn resumed_upload_replaces_hung_connection() {
    let (server, ann, _) = house().await;
    let content = noise(3 << 20, 3);
    let upload = ann.begin("hangs.bin", content.len()).await;
    let hanging = upload
        .start_and_stall(content.len(), &content[..1_500_000])
        .await;
    let least = upload.on_disk(&server, 512 << 10).await as usize;
    // And soon: it does not wait for the other to time out.
    upload.patch(7, b"elsewhere").await.expect(409);
    let said = answer_of(hanging).await;
    assert!(
        said.starts_with("HTTP/1.1 204"),
        "the one that hung is told how far it came: {said}"
    );
    let at = upload.offset().await;
    assert!(
        at >= least && at <= 1_500_000,
        "what came stays: {at} of {least}"
    );
    let last = upload.patch(at, &content[at..]).await.expect(204);
    assert_eq!(ann.content(last.header("tidepool-file")).await, content);
    // As well when the question is only how far it is.
    let upload = ann.begin("hangs.bin", content.len()).await;
    let _hanging = upload
        .start_and_stall(content.len(), &content[..1_500_000])
        .await;
    upload.on_disk(&server, 512 << 10).await;
    assert!(upload.offset().await >= 512 << 10);
}

#[tokio::test]
async fn broken_upload_keeps_received_bytes() {
    let (server, ann, _) = house().await;
    let content = noise(3 << 20, 70);
    let upload = ann.begin("breaks.bin", content.len()).await;
    drop(
        upload
            .start_and_stall(content.len(), &content[..1_500_000])
            .await,
    );
    assert_eq!(
        upload.on_disk(&server, 1_500_000).await,
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
    let (server, ann, _) = house().await;
    for number in 0..8 {
        let content = noise(700_000, 80 + number);
        let upload = ann.begin("gone.bin", content.len()).await;
        drop(upload.start_and_stall(content.len(), &content).await);
        // Nobody asks meanwhile: asking would do it, too.
        eventually("the end of the upload", || async {
            (server.spooled() == 0).then_some(())
        })
        .await;
        let head = upload.head().await.expect(200);
        assert_eq!(ann.content(head.header("tidepool-file")).await, content);
    }
}
