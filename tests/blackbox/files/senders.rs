//! Who sends a file holds a place that others need: places of an account, the right to go on, and
//! forms that are no files.

use futures_util::future::select_all;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{start_server, start_server_with};
use crate::one_instance_only;
use crate::support::{Person, answer_of, eventually};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn account_holds_a_quarter_of_the_upload_places() {
    let (_server, ann, bob) = start_server_with(&[("TIDEPOOL_MAX_UPLOADS", "8")]).await;
    let mut silent = Vec::new();
    for number in 0..2 {
        let upload = bob.create_upload(&format!("{number}.bin"), 2).await;
        silent.push(upload.send_partial(2, b"x").await);
    }
    let third = bob.create_upload("third.bin", 2).await;
    // At a wrong offset it is in conflict until the others have taken their places.
    let refused = eventually("too many", || async {
        let answer = third.patch(1, b"y").await;
        (answer.status == 429).then_some(answer)
    })
    .await;
    assert_eq!(refused.header("retry-after"), "2");
    let of_ann = ann.create_upload("hers.bin", 2).await;
    of_ann.patch(0, b"xy").await.expect(204);
    drop(silent);
    eventually("a place", || async {
        (third.patch(0, b"xy").await.status == 204).then_some(())
    })
    .await;
}

#[tokio::test]
async fn four_accounts_cannot_hold_all_upload_permits() {
    one_instance_only!("each instance counts for itself");
    let (server, ann, bob) = start_server_with(&[("TIDEPOOL_MAX_UPLOADS", "8")]).await;
    let mut senders = vec![bob];
    for name in ["cem", "dan", "eve"] {
        senders.push(server.member(name).await);
    }
    let mut silent = Vec::new();
    for person in &senders {
        for number in 0..2 {
            let upload = person.create_upload(&format!("{number}.bin"), 2).await;
            silent.push((upload.send_partial(2, b"x").await, upload));
        }
        // At a wrong offset it is in conflict until the others have taken their permits.
        let third = person.create_upload("third.bin", 2).await;
        eventually("two permits", || async {
            (third.patch(1, b"y").await.status == 429).then_some(())
        })
        .await;
    }
    let of_ann = ann.create_upload("hers.bin", 2).await;
    of_ann.patch(0, b"xy").await.expect(204);
    let answers = silent
        .into_iter()
        .map(|(stream, upload)| Box::pin(async move { (answer_of(stream).await, upload) }));
    let ((answer, interrupted), ..) = select_all(answers).await;
    assert!(
        answer.contains(" 503 ") && answer.contains("retry-after: "),
        "{answer}"
    );
    // What came before stays.
    assert_eq!(interrupted.offset().await, 1);
    interrupted.patch(1, b"y").await.expect(204);
}

#[tokio::test]
async fn silent_upload_ends_with_the_right_to_it() {
    let (_server, ann, bob) = start_server().await;
    let upload = bob.create_upload("a.bin", MIB).await;
    let removed = upload.send_partial(MIB, b"x").await;
    let form = bob.send_partial_form("/act/cabinet.file", MIB, b"x").await;
    let fields = json!({ "space": ann.space, "account": bob.id });
    ann.act("community.remove-member", fields).await.expect(200);
    let answer = answer_of(removed).await;
    assert!(answer.contains(" 404 "), "{answer}");
    let answer = answer_of(form).await;
    assert!(answer.contains(" 404 "), "{answer}");
}

#[tokio::test]
async fn silent_upload_ends_with_the_session() {
    let (_server, _ann, bob) = start_server().await;
    let upload = bob.create_upload("a.bin", MIB).await;
    let sending = upload.send_partial(MIB, b"x").await;
    bob.form("/sign-out", &[]).await;
    let answer = answer_of(sending).await;
    assert!(answer.contains(" 401 "), "{answer}");
}

/// Sends the beginning of a form, and then 32 MiB of `piece`. The answer.
async fn send_endless(person: &Person, start: &str, piece: &str) -> String {
    let pieces = piece.repeat(MIB / piece.len());
    let headers = format!(
        "content-type: multipart/form-data; boundary=edge\r\n\
         accept: application/json\r\ncontent-length: {}\r\n",
        start.len() + 32 * pieces.len()
    );
    let mut stream = person
        .send_head("POST", "/act/cabinet.file", &headers)
        .await;
    stream.write_all(start.as_bytes()).await.expect("it begins");
    for _ in 0..32 {
        if stream.write_all(pieces.as_bytes()).await.is_err() {
            break;
        }
    }
    answer_of(stream).await
}

#[tokio::test]
async fn endless_form_takes_no_memory() {
    let (server, ann, _) = start_server().await;
    let before = server.peak_memory();
    let field = "--edge\r\ncontent-disposition: form-data; name=\"space\"\r\n\r\n1\r\n";
    for (start, piece) in [
        // A header that never ends, headers without end, an endless text, many fields.
        ("--edge\r\ncontent-disposition: ".to_owned(), "x"),
        ("--edge\r\n".to_owned(), "x-header: value\r\n"),
        (field.replace("1\r\n", ""), "x"),
        (String::new(), field),
        ("no boundary ".to_owned(), "x"),
    ] {
        let answer = send_endless(&ann, &start, piece).await;
        assert!(
            answer.contains(" 413 ") || answer.contains(" 422 "),
            "{start:?} {piece:?}: {answer:?}"
        );
    }
    let grown = server.peak_memory() - before;
    assert!(grown < 24 * MIB as u64, "{} MiB", grown >> 20);
}
