//! Limits are told before anything is sent where they can be, and a full disk loses nothing. Forms
//! with files.

use serde_json::json;

use super::{start_server, start_server_with};
use crate::one_instance_only;
use crate::support::{Answer, DOCUMENT, Folder, TestServer, eventually, noise, text};

fn words(answer: &Answer) -> String {
    answer.json()["error"]["message"]
        .as_str()
        .expect("words")
        .to_owned()
}

const MIB: usize = 1 << 20;

#[tokio::test]
async fn upload_over_quota_is_refused_early() {
    let limits = [
        ("TIDEPOOL_MAX_FILE_MIB", "1"),
        ("TIDEPOOL_MAX_FILES_MIB_PER_ACCOUNT", "2"),
        ("TIDEPOOL_MAX_FILES_MIB_PER_SPACE", "3"),
        ("TIDEPOOL_MAX_UPLOADS", "1"),
    ];
    let (server, ann, bob) = start_server_with(&limits).await;
    let create = |person: &crate::support::Person, size: usize| {
        let person = person.clone();
        async move {
            person
                .try_create_upload(DOCUMENT, &person.space, "a.bin", size as u64)
                .await
        }
    };
    let refused = create(&ann, MIB + 1).await.expect(413);
    assert_eq!(
        (refused.code().as_str(), words(&refused).as_str()),
        (
            "too_large",
            "This file is too large. A file can have 1 MB at most."
        )
    );
    create(&ann, MIB).await.expect(201);
    create(&ann, MIB).await.expect(201);
    let refused = create(&ann, 1).await.expect(507);
    assert_eq!(refused.code(), "full");
    assert!(
        words(&refused).contains("more room than you have"),
        "{}",
        refused.body
    );
    create(&bob, usize::try_from(u32::MAX).expect("64 bits") << 20)
        .await
        .expect(413);

    // One sends at a time. The other is told to try again.
    let (server_two, ann, bob) = start_server_with(&limits).await;
    let upload = ann.create_upload("slow.bin", MIB).await;
    let hanging = upload.send_partial(MIB, &noise(600_000, 1)).await;
    upload.wait_for_bytes_on_disk(&server_two, 512 << 10).await;
    let other = bob.create_upload("other.bin", 3).await;
    let busy = other.patch(0, b"abc").await.expect(503);
    assert!(!busy.header("retry-after").is_empty() && !words(&busy).is_empty());
    upload.offset().await; // whoever asks takes the turn from the one who hangs
    drop(hanging);
    eventually("a free place", || async {
        (other.patch(0, b"abc").await.status == 204).then_some(())
    })
    .await;
    drop(server);
}

#[tokio::test]
async fn announced_uploads_do_not_fill_a_space() {
    let (server, ann, bob) = start_server_with(&[
        ("TIDEPOOL_MAX_FILES_MIB_PER_ACCOUNT", "2"),
        ("TIDEPOOL_MAX_FILES_MIB_PER_SPACE", "3"),
    ])
    .await;
    ann.create_upload("announced.bin", 2 * MIB).await;
    let begun = [
        bob.create_upload("a.bin", MIB).await,
        bob.create_upload("b.bin", MIB).await,
    ];
    let content = noise(MIB, 17);
    begun[0].patch(0, &content).await.expect(204);
    begun[1].patch(0, &content[..10]).await.expect(204);
    let cem = server.member("cem").await;
    let other = cem.add_file("c.bin", &noise(2 * MIB, 18)).await;
    // The space is full: nothing more is begun, sent or stored.
    let refused = cem
        .try_create_upload(DOCUMENT, &cem.space, "d.bin", 1)
        .await;
    let words_of = |answer: Answer| words(&answer.expect(507));
    assert!(words_of(refused).contains("this space"));
    let refused = begun[1].patch(10, &content[10..]).await;
    assert!(words_of(refused).contains("this space"));
    assert_eq!(begun[1].offset().await, 10);
    cem.act("cabinet.throw-away", json!({ "file": other }))
        .await
        .done();
    let stored = begun[1].patch(10, &content[10..]).await.expect(204);
    let file = stored.header("tidepool-file").to_owned();
    assert_eq!(bob.content(&file).await, content);
}

#[tokio::test]
async fn deleted_file_frees_quota() {
    let (_server, ann, _) = start_server_with(&[("TIDEPOOL_MAX_FILES_MIB_PER_ACCOUNT", "1")]).await;
    // A picture changes its size when it is made anew; a form is counted as all that was sent until
    // its file's size is known.
    let picture = ann
        .add_file(
            "picture.png",
            &[super::pictures::png(300, 200), vec![0; 100_000]].concat(),
        )
        .await;
    ann.wait_for_picture(&picture).await;
    let page = format!("/spaces/{}/cabinet", ann.space);
    ann.form_with_files(
        "/act/cabinet.file",
        &page,
        &[("space", &ann.space)],
        &[("a.bin", &noise(400_000, 15))],
    )
    .await
    .expect(303);
    ann.try_create_upload(DOCUMENT, &ann.space, "large.bin", MIB as u64)
        .await
        .expect(507);
    for file in ann.cabinet().await {
        ann.act("cabinet.throw-away", json!({ "file": file["id"] }))
            .await
            .done();
    }
    ann.create_upload("large.bin", MIB)
        .await
        .delete()
        .await
        .expect(204);
    ann.try_create_upload(DOCUMENT, &ann.space, "large.bin", MIB as u64 + 1)
        .await
        .expect(507);
}

#[tokio::test]
async fn open_uploads_per_account_are_limited() {
    let (_server, ann, bob) = start_server().await;
    let first = ann.create_upload("0.bin", 3).await;
    futures_util::future::join_all((1..100).map(|number| {
        let ann = &ann;
        async move { ann.create_upload(&format!("{number}.bin"), 3).await }
    }))
    .await;
    let refused = ann
        .try_create_upload(DOCUMENT, &ann.space, "a.bin", 3)
        .await
        .expect(409);
    assert!(
        words(&refused).starts_with("Too many of your files"),
        "{}",
        refused.body
    );
    bob.create_upload("b.bin", 3).await;
    first.patch(0, b"abc").await.expect(204);
    ann.create_upload("a.bin", 3).await;
}

#[tokio::test]
async fn full_disk_pauses_upload_with_message() {
    one_instance_only!("fills the disk of one instance");
    let Some(disk) = Folder::disk(28) else {
        eprintln!(
            "SKIPPED: a disk cannot be mounted here, so what happens on a full one was not tested. \
                Run as root."
        );
        return;
    };
    let server = TestServer::example_in(disk, "cabinet", &[]).await;
    let ann = server.owner("ann").await;
    let content = noise(6 * MIB, 11);
    let kept = ann.add_file("kept.bin", &content[..MIB]).await;
    let upload = ann.create_upload("large.bin", content.len()).await;
    upload.patch(0, &content[..2 * MIB]).await.expect(204);
    let ballast = server.data().join("ballast");
    let mut fills = std::fs::File::create(&ballast).expect("a file");
    // To the last block.
    while std::io::Write::write_all(&mut fills, &[1; 4096]).is_ok() {}
    let refused = upload.patch(2 * MIB, &content[2 * MIB..]).await.expect(507);
    assert_eq!(refused.code(), "full");
    assert!(words(&refused).contains("disk is full"), "{}", refused.body);
    let begun = ann
        .try_create_upload(DOCUMENT, &ann.space, "another.bin", 100_000)
        .await
        .expect(507);
    assert!(words(&begun).contains("disk is full"), "{}", begun.body);
    let at = upload.offset().await;
    assert!(
        (2 * MIB..6 * MIB).contains(&at),
        "what came before stays: {at}"
    );
    assert_eq!(ann.content(&kept).await, content[..MIB], "reading goes on");
    drop(fills);
    std::fs::remove_file(ballast).expect("it goes");
    let file = upload
        .patch(at, &content[at..])
        .await
        .expect(204)
        .header("tidepool-file")
        .to_owned();
    assert_eq!(ann.content(&file).await, content);
}

#[tokio::test]
async fn plain_form_uploads_two_files() {
    let (server, ann, bob) = start_server().await;
    let page = format!("/spaces/{}/cabinet", ann.space);
    let form = ann.page(&page).await;
    assert!(
        form.contains("enctype=\"multipart/form-data\"")
            && form.contains("name=\"files\" multiple"),
        "{form}"
    );
    let (first, second) = (noise(700_000, 12), noise(10, 13));
    let files = [
        ("first <b>.bin", &first[..]),
        ("zweite Datei.bin", &second[..]),
    ];
    let sent = ann
        .form_with_files("/act/cabinet.file", &page, &[("space", &ann.space)], &files)
        .await;
    assert_eq!(sent.location(), page);
    let listed = bob.cabinet().await;
    let mut names: Vec<_> = listed
        .iter()
        .map(|file| file["name"].as_str().expect("a name"))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["first b.bin", "zweite Datei.bin"]);
    for file in &listed {
        let wanted = if file["name"] == "zweite Datei.bin" {
            &second
        } else {
            &first
        };
        assert_eq!(
            &bob.content(file["id"].as_str().expect("an id")).await,
            wanted
        );
    }
    let links = text::attributes(&bob.page(&page).await, "href");
    let link = links
        .iter()
        .find(|link| link.contains("zweite"))
        .expect("a link to it");
    assert_eq!(bob.fetch(link).await.body, second);
    assert_eq!((server.contents().len(), server.spooled()), (2, 0));
}

#[tokio::test]
async fn refused_file_form_leaves_nothing() {
    let (server, ann, _) = start_server_with(&[
        ("TIDEPOOL_MAX_FILE_MIB", "1"),
        ("TIDEPOOL_MAX_FILES_MIB_PER_ACCOUNT", "8"),
    ])
    .await;
    let stranger = server.stranger("sue").await;
    let page = format!("/spaces/{}/cabinet", ann.space);
    let fields = [("space", ann.space.as_str())];
    let large = noise(3 * MIB, 14);
    let refused = ann
        .form_with_files(
            "/act/cabinet.file",
            &page,
            &fields,
            &[("large.bin", &large)],
        )
        .await
        .expect(413);
    assert!(
        text::words(&refused.body)
            .contains(&"This file is too large. A file can have 1 MB at most.".to_owned()),
        "on the page it came from: {}",
        refused.body
    );
    assert!(refused.body.contains("enctype=\"multipart/form-data\""));
    // None chosen, as browsers send it; one that is empty; a form without the place.
    for files in [&[][..], &[("", &b""[..])], &[("empty.bin", &b""[..])]] {
        ann.form_with_files("/act/cabinet.file", &page, &fields, files)
            .await
            .expect(422);
    }
    ann.form_with_files("/act/cabinet.file", &page, &[], &[("a.bin", b"abc")])
        .await
        .expect(422);
    stranger
        .form_with_files("/act/cabinet.file", &page, &fields, &[("a.bin", b"abc")])
        .await
        .expect(404);
    let visitor = server
        .visitor()
        .form_with_files("/act/cabinet.file", &page, &fields, &[("a.bin", b"abc")])
        .await;
    assert!(
        visitor.status == 303 || visitor.status == 401,
        "to sign-in: {}",
        visitor.status
    );
    // An action that takes no files is not given any.
    ann.form_with_files("/act/cabinet.list", &page, &fields, &[("a.bin", b"abc")])
        .await
        .expect(422);
    assert_eq!((server.contents().len(), server.spooled()), (0, 0));
    assert!(ann.cabinet().await.is_empty());
    // All of the room is free again.
    for number in 0..8 {
        ann.act("cabinet.list", json!({ "space": ann.space }))
            .await
            .done();
        ann.create_upload(&format!("{number}.bin"), MIB).await;
    }
}

#[tokio::test]
async fn interrupted_file_form_leaves_nothing() {
    let (server, ann, _) = start_server_with(&[("TIDEPOOL_MAX_FILES_MIB_PER_ACCOUNT", "4")]).await;
    for sent in [0, 10_000, 2_000_000] {
        let hanging = ann
            .send_partial_form("/act/cabinet.file", 3 * MIB, &noise(sent, 16))
            .await;
        eventually("the beginning of an upload", || async {
            (server.spooled() == 1).then_some(())
        })
        .await;
        drop(hanging);
        eventually("the end of the upload", || async {
            (server.spooled() == 0).then_some(())
        })
        .await;
        // Its room is free, too.
        let whole = eventually("room", || async {
            let begun = ann
                .try_create_upload(DOCUMENT, &ann.space, "large.bin", 4 * MIB as u64)
                .await;
            (begun.status == 201).then(|| begun.header("location").to_owned())
        });
        let whole = crate::support::Upload {
            person: ann.clone(),
            path: whole.await,
        };
        whole.delete().await.expect(204);
    }
    assert!(server.contents().is_empty());
}
