//! Who may upload, and go on with an upload.

use serde_json::json;

use super::start_server;
use crate::support::DOCUMENT;

#[tokio::test]
async fn upload_is_authorised_for_its_owner() {
    let (server, ann, bob) = start_server().await;
    let stranger = server.stranger("sue").await;
    ann.try_create_upload("cabinet.nothing", &ann.space, "a", 3)
        .await
        .expect(404);
    ann.try_create_upload(DOCUMENT, "12345", "a", 3)
        .await
        .expect(404);
    stranger
        .try_create_upload(DOCUMENT, &ann.space, "a", 3)
        .await
        .expect(404);
    server
        .visitor()
        .try_create_upload(DOCUMENT, &ann.space, "a", 3)
        .await
        .expect(401);
    let upload = ann.create_upload("a", 3).await;
    for other in [&bob, &stranger] {
        let theirs = upload.as_person(other);
        theirs.head().await.expect(404);
        theirs.patch(0, b"abc").await.expect(404);
        theirs.delete().await.expect(404);
    }
    upload.as_person(&server.visitor()).head().await.expect(401);
    assert_eq!(upload.offset().await, 0);
    // Who may no longer put it there cannot go on.
    let bobs = bob.create_upload("b", 6).await;
    bobs.patch(0, b"abc").await.expect(204);
    ann.act(
        "community.remove-member",
        json!({ "space": ann.space, "account": bob.id }),
    )
    .await
    .done();
    bobs.patch(3, b"def").await.expect(404);
    // Nor can a file that is not one's own, or is in use already, be put anywhere.
    let file = ann.upload("mine", b"abc").await;
    let put = json!({ "space": ann.space, "files": [file] });
    stranger.act("cabinet.file", put.clone()).await.expect(404);
    let eve = server.member("eve").await;
    assert!(
        eve.act("cabinet.file", put.clone())
            .await
            .expect(422)
            .problem("files")
            .is_some()
    );
    ann.act("cabinet.file", put.clone()).await.done();
    ann.act("cabinet.file", put).await.expect(422);
}
