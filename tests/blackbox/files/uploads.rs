//! The tus protocol: what a client may rely on, and what it is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::start_server;
use crate::support::{DOCUMENT, noise};

#[tokio::test]
async fn upload_offset_follows_pieces() {
    let (_server, ann, _) = start_server().await;
    let content = noise(300_000, 1);
    let begun = ann
        .try_create_upload(DOCUMENT, &ann.space, "notes.bin", 300_000)
        .await
        .expect(201);
    assert!(begun.header("location").starts_with("/uploads/"));
    assert_eq!(begun.header("tus-resumable"), "1.0.0");
    assert!(
        begun.header("upload-expires").ends_with(" GMT"),
        "{:?}",
        begun.headers
    );

    let upload = ann.create_upload("notes.bin", content.len()).await;
    let head = upload.head().await.expect(200);
    assert_eq!(
        [head.header("upload-offset"), head.header("upload-length")],
        ["0", "300000"]
    );
    assert_eq!(head.header("cache-control"), "no-store");
    let first = upload.patch(0, &content[..100_000]).await.expect(204);
    assert_eq!(first.header("upload-offset"), "100000");
    assert!(
        first.header("upload-expires").ends_with(" GMT")
            && first.header("tidepool-file").is_empty()
    );
    assert_eq!(upload.offset().await, 100_000);
    upload
        .patch(100_000, &content[100_000..200_000])
        .await
        .expect(204);
    let last = upload.patch(200_000, &content[200_000..]).await.expect(204);
    let file = last.header("tidepool-file").to_owned();
    let head = upload.head().await.expect(200);
    assert_eq!(
        [head.header("upload-offset"), head.header("tidepool-file")],
        ["300000", file.as_str()],
        "asked later it says the same"
    );
    assert_eq!(
        upload
            .patch(300_000, &[])
            .await
            .expect(204)
            .header("tidepool-file"),
        file
    );
    assert_eq!(ann.content(&file).await, content);
}

#[tokio::test]
async fn invalid_tus_requests_change_nothing() {
    let (_server, ann, _) = start_server().await;
    let upload = ann.create_upload("notes.bin", 10).await;
    upload.patch(0, b"abc").await.expect(204);
    for offset in [0, 2, 4, 10] {
        assert_eq!(
            upload.patch(offset, b"xyz").await.expect(409).code(),
            "conflict"
        );
    }
    for version in ["0.2.2", "2.0.0", ""] {
        let request = ann
            .request("HEAD", &upload.path)
            .header("tus-resumable", version);
        let refused = ann.send(request).await.expect(412);
        assert_eq!(refused.header("tus-version"), "1.0.0");
    }
    ann.send(ann.request("POST", "/uploads").header("upload-length", 3))
        .await
        .expect(412);
    let plain = upload
        .request("PATCH")
        .header("upload-offset", 3)
        .header("content-type", "application/octet-stream")
        .body("def");
    ann.send(plain).await.expect(415);
    let nowhere = upload
        .request("PATCH")
        .header("content-type", "application/offset+octet-stream")
        .body("def");
    ann.send(nowhere).await.expect(400);
    let longer = upload.patch(3, b"defghijklmnop").await.expect(413);
    assert!(
        longer.json()["error"]["message"]
            .as_str()
            .expect("words")
            .contains("announced"),
        "{}",
        longer.body
    );
    assert_eq!(upload.offset().await, 3);
    let last = upload.patch(3, b"defghij").await.expect(204);
    assert_eq!(
        ann.content(last.header("tidepool-file")).await,
        b"abcdefghij"
    );
    // A creation that says too little.
    let tus = |request: reqwest::RequestBuilder| request.header("tus-resumable", "1.0.0");
    ann.send(tus(ann.request("POST", "/uploads")))
        .await
        .expect(400);
    ann.send(tus(ann.request("POST", "/uploads")).header("upload-length", 3))
        .await
        .expect(400);
    ann.send(tus(ann.request("POST", "/uploads")).header("upload-length", "many"))
        .await
        .expect(400);
    ann.try_create_upload(DOCUMENT, "here", "notes.bin", 3)
        .await
        .expect(400);
    ann.try_create_upload(DOCUMENT, &ann.space, "notes.bin", 0)
        .await
        .expect(422);
}

#[tokio::test]
async fn tus_options_and_method_override_work() {
    let (_server, ann, _) = start_server().await;
    let can = ann
        .send(ann.request("OPTIONS", "/uploads"))
        .await
        .expect(204);
    assert_eq!(
        [can.header("tus-version"), can.header("tus-resumable")],
        ["1.0.0", "1.0.0"]
    );
    assert_eq!(
        can.header("tus-extension"),
        "creation,termination,checksum,expiration"
    );
    assert_eq!(can.header("tus-checksum-algorithm"), "sha1,sha256");
    assert_eq!(can.header("tus-max-size"), (2048_u64 << 20).to_string());

    let upload = ann.create_upload("notes.bin", 6).await;
    let patch = upload
        .request("POST")
        .header("x-http-method-override", "PATCH")
        .header("upload-offset", 0);
    ann.send(
        patch
            .header("content-type", "application/offset+octet-stream")
            .body("abc"),
    )
    .await
    .expect(204);
    assert_eq!(upload.offset().await, 3);
    ann.send(upload.request("POST")).await.expect(405);
    ann.send(
        upload
            .request("POST")
            .header("x-http-method-override", "DELETE"),
    )
    .await
    .expect(204);
    upload.head().await.expect(404);
}

#[tokio::test]
async fn terminated_upload_frees_quota() {
    let (server, ann, _) =
        super::start_server_with(&[("TIDEPOOL_MAX_FILES_MIB_PER_ACCOUNT", "1")]).await;
    let upload = ann.create_upload("large", 1 << 20).await;
    upload.patch(0, b"abc").await.expect(204);
    ann.try_create_upload(DOCUMENT, &ann.space, "more", 1)
        .await
        .expect(507);
    upload.delete().await.expect(204);
    upload.head().await.expect(404);
    upload.patch(3, b"def").await.expect(404);
    upload.delete().await.expect(404);
    assert_eq!(server.spooled(), 0);
    ann.create_upload("again", 1 << 20).await;
}

#[tokio::test]
async fn piece_with_wrong_checksum_is_dropped() {
    let (_server, ann, _) = start_server().await;
    let content = noise(1_300_000, 2);
    let upload = ann.create_upload("sums.bin", content.len()).await;
    let (first, rest) = content.split_at(700_000);
    let summed = |at: usize, bytes: &[u8], sum: String| {
        upload.piece(at, bytes).header("upload-checksum", sum)
    };
    let sha1 = |bytes: &[u8]| format!("sha1 {}", STANDARD.encode(Sha1::digest(bytes)));
    let sha256 = |bytes: &[u8]| format!("sha256 {}", STANDARD.encode(Sha256::digest(bytes)));
    for sum in [
        "md5 AAAA".to_owned(),
        "sha1".to_owned(),
        "sha1 %%".to_owned(),
    ] {
        ann.send(summed(0, first, sum)).await.expect(400);
    }
    for sum in [sha1(rest), sha256(rest)] {
        let wrong = ann.send(summed(0, first, sum)).await.expect(460);
        assert!(
            !wrong.json()["error"]["message"]
                .as_str()
                .expect("words")
                .is_empty()
        );
        assert_eq!(
            upload.offset().await,
            0,
            "none of it is kept, however much of it was written already"
        );
    }
    ann.send(summed(0, first, sha1(first))).await.expect(204);
    ann.send(summed(first.len(), rest, sha256(first)))
        .await
        .expect(460);
    let last = ann
        .send(summed(first.len(), rest, sha256(rest)))
        .await
        .expect(204);
    assert_eq!(ann.content(last.header("tidepool-file")).await, content);
}
