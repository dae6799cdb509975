//! Giving files out: to whom, how much of them, and what a browser may do with them.

use serde_json::json;

use super::start_server;
use crate::support::{noise, until_status};

#[tokio::test]
async fn claimed_file_is_readable_in_scope() {
    let (server, ann, bob) = start_server().await;
    let stranger = server.stranger("sue").await;
    let content = noise(1000, 20);
    let file = ann.upload("plan.bin", &content).await;
    let path = format!("/files/{file}/plan.bin");
    assert_eq!(ann.fetch(&path).await.body, content);
    for other in [&bob, &stranger] {
        assert_eq!(
            other.fetch(&path).await.status,
            404,
            "not kept yet: its owner's alone"
        );
    }
    ann.act(
        "cabinet.file",
        json!({ "space": ann.space, "files": [file] }),
    )
    .await
    .done();
    assert_eq!(bob.fetch(&path).await.body, content);
    assert_eq!(stranger.fetch(&path).await.status, 404);
    let visitor = server.visitor().fetch(&path).await;
    assert!([303, 401].contains(&visitor.status), "{}", visitor.status);
    assert!(!visitor.body.windows(32).any(|some| some == &content[..32]));
    // An id next to one that is there, and ids that are none.
    let number: i64 = file.parse().expect("a number");
    for guess in [
        (number + 1).to_string(),
        (number - 1).to_string(),
        "0".into(),
        "-1".into(),
        "99999999999999999999".into(),
        "x".into(),
    ] {
        assert!(
            [400, 404].contains(&bob.fetch(&format!("/files/{guess}/plan.bin")).await.status),
            "{guess}"
        );
    }
    // The right is asked for every time, of whoever has a copy, too.
    let tag = bob.fetch(&path).await.header("etag").to_owned();
    assert_eq!(
        stranger
            .fetch_with(&path, &[("if-none-match", &tag)])
            .await
            .status,
        404
    );
    ann.act(
        "community.remove-member",
        json!({ "space": ann.space, "account": bob.id }),
    )
    .await
    .done();
    // Who left sees it no more; another instance learns of it a moment later.
    until_status(404, || bob.get(&path)).await;
    assert_eq!(
        bob.fetch_with(&path, &[("if-none-match", &tag)])
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn file_ranges_and_conditions_follow_http() {
    let (_server, ann, bob) = start_server().await;
    let content = noise(600_000, 21);
    let file = ann.add_file("film.bin", &content).await;
    let path = format!("/files/{file}/film.bin");
    let whole = bob.fetch(&path).await;
    assert_eq!((whole.status, whole.body.len()), (200, 600_000));
    assert_eq!(
        [
            whole.header("accept-ranges"),
            whole.header("content-length")
        ],
        ["bytes", "600000"]
    );
    assert_eq!(whole.header("cache-control"), "private, no-cache");
    let tag = whole.header("etag").to_owned();
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=300000-", 300_000, 600_000),
        ("bytes=-10", 599_990, 600_000),
        ("bytes=599999-9999999", 599_999, 600_000),
    ] {
        let part = bob.fetch_with(&path, &[("range", range)]).await;
        assert_eq!(
            (part.status, part.header("content-range").to_owned()),
            (206, format!("bytes {from}-{}/600000", to - 1))
        );
        assert_eq!(part.header("content-length"), (to - from).to_string());
        assert!(part.body == content[from..to], "{range}");
    }
    let outside = bob.fetch_with(&path, &[("range", "bytes=600000-")]).await;
    assert_eq!(
        (outside.status, outside.header("content-range")),
        (416, "bytes */600000")
    );
    assert_eq!(
        bob.fetch_with(&path, &[("range", "lines=1-2")])
            .await
            .status,
        200
    );
    assert_eq!(
        bob.fetch_with(&path, &[("range", "bytes=0-9"), ("if-range", &tag)])
            .await
            .status,
        206
    );
    assert_eq!(
        bob.fetch_with(
            &path,
            &[("range", "bytes=0-9"), ("if-range", "\"another\"")]
        )
        .await
        .status,
        200
    );
    let same = bob
        .fetch_with(&path, &[("if-none-match", &format!("\"x\", {tag}"))])
        .await;
    assert_eq!(
        (same.status, same.body.len(), same.header("etag")),
        (304, 0, tag.as_str())
    );
    assert_eq!(
        bob.fetch_with(&path, &[("if-none-match", "\"x\"")])
            .await
            .status,
        200
    );
    let head = bob.request("HEAD", &path).send().await.expect("an answer");
    assert_eq!(
        (
            head.status().as_u16(),
            head.headers()["content-length"].to_str().expect("text")
        ),
        (200, "600000")
    );
    assert!(head.bytes().await.expect("no body").is_empty());
}

#[tokio::test]
async fn served_files_are_sandboxed() {
    let (_server, ann, _) = start_server().await;
    let file = ann
        .add_file(
            "Notizen über „alles“.html",
            b"<!doctype html><script>alert(1)</script>",
        )
        .await;
    for path in [
        format!("/files/{file}/x.html"),
        format!("/files/{file}/anything?save"),
        format!("/files/{file}/x.png?save=1"),
    ] {
        let fetched = ann.fetch(&path).await;
        assert_eq!(
            (fetched.status, fetched.header("content-type")),
            (200, "application/octet-stream"),
            "{path}"
        );
        assert_eq!(fetched.header("x-content-type-options"), "nosniff");
        let policy = fetched.header("content-security-policy");
        assert!(
            policy.contains("default-src 'none'") && policy.contains("sandbox"),
            "{policy}"
        );
        assert_eq!(
            fetched.header("cross-origin-resource-policy"),
            "same-origin"
        );
        let how = fetched.header("content-disposition");
        assert!(
            how.starts_with(
                "attachment; filename=\"Notizen _ber _alles_.html\"; \
            filename*=UTF-8''Notizen%20%C3%BCber"
            ),
            "{how}"
        );
    }
    // Sound plays in place, unless it is to be saved.
    let mut wave = b"RIFF\x24\0\0\0WAVEfmt \
        \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\0\0\0\0"
        .to_vec();
    wave.extend(noise(100, 22));
    let file = ann.add_file("sound.wav", &wave).await;
    let played = ann.fetch(&format!("/files/{file}/sound.wav")).await;
    assert!(
        played.header("content-type").starts_with("audio/")
            && played.header("content-disposition").starts_with("inline")
    );
    assert_eq!(played.header("x-content-type-options"), "nosniff");
    let saved = ann.fetch(&format!("/files/{file}/sound.wav?save")).await;
    assert!(
        saved
            .header("content-disposition")
            .starts_with("attachment")
    );
    assert_eq!(
        (saved.header("content-type"), &saved.body),
        ("application/octet-stream", &wave)
    );
    assert_eq!(
        ann.fetch(&format!("/files/{file}/sound.wav?size=small"))
            .await
            .status,
        404,
        "there is no picture of it"
    );
}
