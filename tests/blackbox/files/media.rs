//! Files whose content stays as it was encoded: animations, what the sender keeps, and what only
//! browsers can decode.

use image::codecs::gif::GifDecoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, RgbImage};
use reqwest::header::ACCEPT;

use super::start_server;
use crate::support::animation::{self, SECRET};
use crate::support::{DOCUMENT, Person, Upload};

fn holds_secret(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|some| some == SECRET)
}

/// A JPEG with a comment.
fn jpeg() -> Vec<u8> {
    let mut plain = Vec::new();
    RgbImage::new(90, 60)
        .write_with_encoder(JpegEncoder::new(&mut plain))
        .expect("it can be written");
    let length = u16::try_from(SECRET.len() + 2)
        .expect("short")
        .to_be_bytes();
    [&plain[..2], &[0xff, 0xfe], &length, SECRET, &plain[2..]].concat()
}

#[tokio::test]
async fn animations_keep_frames_and_lose_metadata() {
    let (_server, ann, bob) = start_server().await;
    for (name, media, content) in [
        ("a.gif", "image/gif", animation::gif(60, 40)),
        ("a.png", "image/png", animation::apng(60, 40)),
        ("a.webp", "image/webp", animation::webp(60, 40)),
    ] {
        assert!(holds_secret(&content), "{name}");
        let file = ann.add_file(name, &content).await;
        let settled = ann.wait_for_picture(&file).await;
        assert_eq!(
            (&settled["picture"], &settled["media"]),
            (&"made".into(), &media.into())
        );
        let shown = bob.fetch(&format!("/files/{file}/{name}")).await;
        assert_eq!((shown.status, shown.header("content-type")), (200, media));
        assert!(!holds_secret(&shown.body), "{name}");
        let reader = std::io::Cursor::new(&shown.body);
        let frames = match media {
            "image/gif" => GifDecoder::new(reader)
                .expect("a GIF")
                .into_frames()
                .count(),
            "image/webp" => WebPDecoder::new(reader)
                .expect("a WebP")
                .into_frames()
                .count(),
            _ => shown.body.windows(4).filter(|four| four == b"fcTL").count(),
        };
        assert_eq!(frames, 3, "{name}");
        // The smaller versions stand still.
        let small = bob.fetch(&format!("/files/{file}/{name}?size=small")).await;
        let reader = std::io::Cursor::new(&small.body);
        let is_animated = match small.header("content-type") {
            "image/webp" => WebPDecoder::new(reader).expect("a WebP").has_animation(),
            media => media == "image/gif",
        };
        assert!(!is_animated && !small.body.windows(4).any(|four| four == b"fcTL"));
    }
}

#[tokio::test]
async fn gif_that_is_download_only_loses_its_comments() {
    let (_server, ann, _) = start_server().await;
    let mut content = animation::gif(60, 40);
    content[6..8].copy_from_slice(&[0xff, 0xff]); // wider than pictures may be
    let file = ann.add_file("wide.gif", &content).await;
    assert_eq!(ann.wait_for_picture(&file).await["picture"], "failed");
    let stored = ann.content(&file).await;
    assert_eq!(stored.len(), content.len());
    assert!(!holds_secret(&stored) && stored.ends_with(b";"));
}

/// Uploads a file that stays as it is, and files it.
async fn add_intact(person: &Person, name: &str, content: &[u8]) -> String {
    use base64::Engine as _;
    let pair = |key: &str, value: &str| {
        format!(
            "{key} {}",
            base64::engine::general_purpose::STANDARD.encode(value)
        )
    };
    let metadata = [
        pair("filename", name),
        pair("kind", DOCUMENT),
        pair("place", &person.space),
        pair("intact", "yes"),
    ];
    let request = person
        .request("POST", "/uploads")
        .header(ACCEPT, "application/json")
        .header("tus-resumable", "1.0.0")
        .header("upload-length", content.len())
        .header("upload-metadata", metadata.join(","));
    let begun = person.send(request).await.expect(201);
    let upload = Upload {
        path: begun.header("location").to_owned(),
        person: person.clone(),
    };
    let sent = upload.patch(0, content).await.expect(204);
    let file = sent.header("tidepool-file").to_owned();
    let fields = serde_json::json!({ "space": person.space, "files": [file] });
    person.act("cabinet.file", fields).await.done();
    file
}

#[tokio::test]
async fn file_that_its_sender_keeps_stays_as_it_is() {
    let (_server, ann, bob) = start_server().await;
    let content = jpeg();
    let plain = ann.add_file("a.jpg", &content).await;
    let kept = add_intact(&ann, "a.jpg", &content).await;
    let gif = animation::gif(60, 40);
    let moving = add_intact(&ann, "a.gif", &gif).await;
    for (file, original) in [
        (&plain, None),
        (&kept, Some(&content)),
        (&moving, Some(&gif)),
    ] {
        assert_eq!(ann.wait_for_picture(file).await["picture"], "made");
        let full = bob.fetch(&format!("/files/{file}/a")).await;
        assert_eq!(full.status, 200);
        assert_eq!(holds_secret(&full.body), original.is_some());
        assert!(original.is_none_or(|original| full.body == *original));
        for size in ["small", "large"] {
            let preview = bob.fetch(&format!("/files/{file}/a?size={size}")).await;
            assert!(
                preview.status == 200 && !holds_secret(&preview.body),
                "{size}"
            );
        }
    }
    // The same with a form.
    for (fields, is_kept) in [
        (vec![("space", ann.space.as_str())], false),
        (vec![("space", ann.space.as_str()), ("intact", "yes")], true),
    ] {
        let page = format!("/spaces/{}/cabinet", ann.space);
        let path = "/act/cabinet.file";
        let name = format!("{is_kept}.jpg");
        ann.form_with_files(path, &page, &fields, &[(&name, &content)])
            .await
            .expect(303);
        let listed = ann.cabinet().await;
        let file = listed.iter().find(|file| file["name"] == name);
        let file = file.expect("it is filed")["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        ann.wait_for_picture(&file).await;
        assert_eq!(holds_secret(&ann.content(&file).await), is_kept);
    }
}

#[tokio::test]
async fn media_that_browsers_decode_has_their_types() {
    const MOVIE: &[u8] = include_bytes!("../../media/clip.mov");
    const AVIF: &[u8] = include_bytes!("../../media/blue.avif");
    const HEIC: &[u8] = include_bytes!("../../media/blue.heic");
    let (_server, ann, bob) = start_server().await;
    for (name, content, media) in [
        ("a.mov", MOVIE, "video/mp4"),
        ("a.avif", AVIF, "image/avif"),
        ("a.heic", HEIC, "image/heic"),
    ] {
        let file = ann.add_file(name, content).await;
        let path = format!("/files/{file}/{name}");
        let whole = bob.fetch(&path).await;
        assert_eq!((whole.status, whole.header("content-type")), (200, media));
        assert!(whole.header("content-disposition").starts_with("inline"));
        assert_eq!(whole.header("x-content-type-options"), "nosniff");
        let part = bob.fetch_with(&path, &[("range", "bytes=4-7")]).await;
        assert_eq!((part.status, part.body.as_slice()), (206, &b"ftyp"[..]));
    }
}
