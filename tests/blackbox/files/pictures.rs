//! What a file is counts, not what it says it is; and nobody sees of a picture what is not in its
//! pixels.

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{Frame, Rgb, RgbImage, Rgba, RgbaImage};
use serde_json::json;

use super::start_server;
use crate::support::{Person, eventually};

const SCRIPT: &[u8] = b"<script>alert('hello')</script>";

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 90]));
    picture
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 90))
        .expect("it can be written");
    bytes
}

pub(in crate::blackbox) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, 90]));
    picture
        .write_with_encoder(PngEncoder::new(&mut bytes))
        .expect("it can be written");
    bytes
}

fn gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for shade in [0, 120, 240] {
        encoder
            .encode_frame(Frame::new(RgbaImage::from_pixel(
                20,
                10,
                Rgba([shade, 0, 0, 255]),
            )))
            .expect("it can be written");
    }
    drop(encoder);
    bytes
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|some| some == part)
}

/// A file that is to be saved and never shown.
async fn is_for_saving_only(person: &Person, file: &str, content: &[u8]) {
    let fetched = person.fetch(&format!("/files/{file}/x.png")).await;
    assert_eq!(
        (fetched.status, fetched.header("content-type")),
        (200, "application/octet-stream")
    );
    assert!(
        fetched
            .header("content-disposition")
            .starts_with("attachment"),
        "{:?}",
        fetched.headers
    );
    assert!(fetched.body == content);
    assert_eq!(
        person
            .fetch(&format!("/files/{file}/x.png?size=small"))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn executable_content_is_download_only() {
    let (_server, ann, _) = start_server().await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    let xml = [&b"<?xml version=\"1.0\"?>"[..], &svg].concat();
    let html = [b"<!doctype html>", SCRIPT].concat();
    for (name, content) in [
        ("x.png", &html),
        ("x.svg", &svg),
        ("x.jpeg", &svg),
        ("x.gif", &xml),
        ("x.pdf", &b"%PDF-1.7 %%EOF".to_vec()),
    ] {
        let file = ann.add_file(name, content).await;
        assert_eq!(
            ann.wait_for_picture(&file).await["picture"],
            "none",
            "{name}"
        );
        is_for_saving_only(&ann, &file, content).await;
    }
}

#[tokio::test]
async fn picture_is_reencoded_without_metadata() {
    let (server, ann, bob) = start_server().await;
    let plain = jpeg(900, 600);
    let told = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0GPS \
        54.1234 N 10.5678 E"
        .to_vec();
    let length = u16::try_from(told.len() + 2).expect("short").to_be_bytes();
    let exif = [
        &plain[..2],
        &[0xff, 0xe1],
        &length,
        &told,
        &plain[2..],
        SCRIPT,
    ]
    .concat();
    let gif = [gif(), SCRIPT.to_vec()].concat();
    let png = [png(30, 20), SCRIPT.to_vec()].concat();
    for (name, content, media, (width, height)) in [
        ("where.html", &exif, "image/jpeg", (600, 900)),
        ("moves.gif", &gif, "image/gif", (20, 10)),
        ("x.png", &png, "image/png", (30, 20)),
    ] {
        let file = ann.add_file(name, content).await;
        let settled = ann.wait_for_picture(&file).await;
        assert_eq!(
            [&settled["picture"], &settled["media"]],
            [&json!("made"), &json!(media)],
            "{name}"
        );
        assert_eq!(
            [&settled["width"], &settled["height"]],
            [&json!(width), &json!(height)],
            "upright: {name}"
        );
        for size in ["", "?size=large", "?size=small", "?save"] {
            let shown = bob.fetch(&format!("/files/{file}/{name}{size}")).await;
            assert_eq!(shown.status, 200, "{name}{size}");
            for secret in [SCRIPT, b"Exif", b"GPS"] {
                assert!(!holds(&shown.body, secret), "{name}{size}");
            }
            let picture = image::load_from_memory(&shown.body).expect("it is a picture");
            let longest = if size == "?size=small" { 480 } else { 1600 };
            assert!(picture.width().max(picture.height()) <= longest);
            let is_saved = size == "?save";
            assert_eq!(
                shown
                    .header("content-disposition")
                    .starts_with("attachment"),
                is_saved
            );
            assert_eq!(
                shown.header("content-type").starts_with("image/"),
                !is_saved,
                "{name}{size}"
            );
        }
        assert_eq!(
            settled["size"],
            bob.content(&file).await.len(),
            "it counts as large as it is"
        );
    }
    assert!(
        ann.page(&format!("/spaces/{}/cabinet", ann.space))
            .await
            .contains("?size=small\"")
    );
    // What came lies nowhere any more.
    let whole = |content: &[u8]| blake3::hash(content).to_hex().to_string();
    let originals = [whole(&exif), whole(&gif), whole(&png)];
    eventually("deletion of what came", || async {
        (!server
            .contents()
            .iter()
            .any(|name| originals.contains(name)))
        .then_some(())
    })
    .await;
}

#[tokio::test]
async fn unprocessed_picture_is_not_served() {
    let (_server, ann, bob) = start_server().await;
    ann.act(
        "admin.pause-jobs",
        json!({ "kind": "files.picture", "pause": true }),
    )
    .await
    .done();
    let mut changes = bob.following(&format!("cabinet/{}", ann.space)).await;
    let file = ann.add_file("waits.jpg", &jpeg(90, 60)).await;
    changes.event("cabinet.contents.changed").await;
    assert_eq!(ann.cabinet().await[0]["picture"], "waiting");
    for path in ["waits.jpg", "waits.jpg?save", "waits.jpg?size=small"] {
        for person in [&ann, &bob] {
            assert_eq!(
                person.fetch(&format!("/files/{file}/{path}")).await.status,
                404,
                "{path}"
            );
        }
    }
    ann.act(
        "admin.pause-jobs",
        json!({ "kind": "files.picture", "pause": false }),
    )
    .await
    .done();
    changes.event("cabinet.contents.changed").await;
    assert_eq!(
        ann.cabinet().await[0]["picture"],
        "made",
        "who is told that it is ready finds it so"
    );
    assert_eq!(
        bob.fetch(&format!("/files/{file}/waits.jpg?size=small"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn decompression_bomb_is_download_only() {
    let (_server, ann, _) = start_server().await;
    // It says that it is 60,000 pixels wide and high; its checksum is right.
    let mut bomb = png(1, 1);
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    let sum = crc(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&sum);
    let broken = jpeg(90, 60)[..60].to_vec();
    let fake = [&b"GIF89a"[..], SCRIPT].concat();
    for (name, content) in [
        ("bomb.png", bomb),
        ("broken.jpg", broken),
        ("fake.gif", fake),
    ] {
        let file = ann.add_file(name, &content).await;
        assert_eq!(
            ann.wait_for_picture(&file).await["picture"],
            "failed",
            "{name}"
        );
        is_for_saving_only(&ann, &file, &content).await;
    }
    let well = ann.add_file("well.png", &png(30, 20)).await;
    assert_eq!(
        ann.wait_for_picture(&well).await["picture"],
        "made",
        "the server goes on"
    );
}

/// The checksum of a PNG's chunk.
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}

#[tokio::test]
async fn file_names_are_normalized() {
    let (server, ann, _) = start_server().await;
    let long = format!("{}.txt", "n".repeat(4000));
    for (given, kept) in [
        ("../../x", "x"),
        ("a\r\nset-cookie: b=c\r\n.txt", "a set-cookie b=c.txt"),
        ("/etc/passwd", "passwd"),
        ("", "file"),
    ] {
        let file = ann.add_file(given, b"hello").await;
        let fetched = ann.fetch(&format!("/files/{file}/{}", "it")).await;
        assert!(fetched.header("set-cookie").is_empty());
        let how = fetched.header("content-disposition");
        assert!(
            how.starts_with(&format!("attachment; filename=\"{kept}\"")),
            "{given:?}: {how}"
        );
    }
    let file = ann.add_file(&long, b"hello").await;
    let named = ann
        .cabinet()
        .await
        .into_iter()
        .find(|one| one["id"] == file)
        .expect("it is there")["name"]
        .as_str()
        .expect("a name")
        .to_owned();
    assert!(named.len() <= 240 && named.ends_with("n.txt"), "{named}");
    assert!(!server.data().join("x").exists() && server.contents().len() == 1);
}
