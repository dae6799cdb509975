//! Nobody learns from a file where it was made, whether or not it is a picture that is re-encoded.

use super::start_server;
use crate::support::{DOCUMENT, Upload};

const PLACE: &[u8] = b"+54.1234+010.5678/";

fn media_box(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8)
        .expect("short")
        .to_be_bytes();
    [&length[..], name, content].concat()
}

fn video(movie: &[u8]) -> Vec<u8> {
    let first = media_box(b"ftyp", b"isom\0\0\0\0isom");
    [
        first,
        media_box(b"mdat", b"frames"),
        media_box(b"moov", movie),
    ]
    .concat()
}

/// A JPEG of more than 32 MiB, with a position in its metadata.
fn huge_jpeg() -> Vec<u8> {
    let exif = [b"Exif\0\0", PLACE].concat();
    let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
    let head = [b"\xff\xd8\xff\xe1", &length[..], &exif, b"\xff\xda\0\x02"].concat();
    [head, vec![0; 33 << 20], b"\xff\xd9".to_vec()].concat()
}

/// A TIFF whose GPS directory holds the position.
fn tiff() -> Vec<u8> {
    let mut bytes = b"MM\0\x2a\0\0\0\x08\0\x01".to_vec();
    bytes.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0");
    bytes.extend(b"\0\x01\0\x1d\0\x02\0\0\0\x12\0\0\0\x2c\0\0\0\0");
    [bytes, PLACE.to_vec()].concat()
}

#[tokio::test]
async fn positions_are_removed_from_every_file() {
    let (_server, ann, _) = start_server().await;
    let place = media_box(b"udta", &media_box(b"\xa9xyz", PLACE));
    for (name, content) in [
        ("a.mp4", video(&place)),
        ("a.jpg", huge_jpeg()),
        ("a.tif", tiff()),
    ] {
        assert!(content.windows(PLACE.len()).any(|some| some == PLACE));
        let file = ann.add_file(name, &content).await;
        assert_eq!(ann.wait_for_picture(&file).await["picture"], "none");
        let stored = ann.content(&file).await;
        assert_eq!(stored.len(), content.len(), "{name}");
        assert!(
            !stored.windows(PLACE.len()).any(|some| some == PLACE),
            "{name}"
        );
    }
}

#[tokio::test]
async fn file_with_positions_that_cannot_be_removed_is_refused() {
    let (server, ann, _) = start_server().await;
    let track = media_box(b"stsd", b"\0\0\0\0\0\0\0\x01\0\0\0\x10gpmd");
    let levels = [b"stbl", b"minf", b"mdia", b"trak"];
    let track = levels
        .iter()
        .fold(track, |inner, name| media_box(name, &inner));
    let content = video(&track);
    let begun = ann
        .try_create_upload(DOCUMENT, &ann.space, "ride.mp4", content.len() as u64)
        .await
        .expect(201);
    let upload = Upload {
        path: begun.header("location").to_owned(),
        person: ann.clone(),
    };
    let refused = upload.patch(0, &content).await.expect(422);
    assert!(refused.body.contains("may say where"), "{}", refused.body);
    assert!(server.contents().is_empty() && server.spooled() == 0);
}
