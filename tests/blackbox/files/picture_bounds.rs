//! Pictures that take much memory, space or time: bounded before they are decoded, charged for what
//! they become, and in turns between accounts.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{GrayImage, RgbImage};
use serde_json::json;

use super::pictures::png;
use super::{start_server, start_server_with};
use crate::support::{DOCUMENT, TestServer, Upload, eventually, noise};

const MIB: u64 = 1 << 20;
const SIDE: u32 = 16_384;

/// A chunk of a PNG, with its checksum.
fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).expect("short").to_be_bytes();
    let named = [&name[..], data].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&named);
    [&length[..], &named, &crc.sum().to_be_bytes()].concat()
}

/// A PNG of one bit per pixel, all black: `side * side / 8` bytes, which compress to almost none.
fn black_png(side: u32) -> Vec<u8> {
    use std::io::Write;
    let side_bytes = side.to_be_bytes();
    let header = [&side_bytes[..], &side_bytes, &[1, 0, 0, 0, 0]].concat();
    let mut pixels = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let row = vec![0; side.div_ceil(8) as usize + 1];
    for _ in 0..side {
        pixels.write_all(&row).expect("memory");
    }
    let pixels = pixels.finish().expect("memory");
    let parts = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"IDAT", &pixels),
        chunk(b"IEND", &[]),
    ];
    parts.concat()
}

/// A JPEG whose frame header claims to be `SIDE` wide and high, with the marker of its kind.
fn huge_jpeg(marker: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    RgbImage::new(64, 64)
        .write_with_encoder(JpegEncoder::new(&mut bytes))
        .expect("it can be written");
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]);
    let frame = frame.expect("a frame header");
    bytes[frame + 1] = marker;
    let side = u16::try_from(SIDE).expect("16 bits").to_be_bytes();
    bytes[frame + 5..frame + 9].copy_from_slice(&[side, side].concat());
    bytes
}

/// A GIF with a small screen and a frame that claims to be as large as a GIF can be.
fn gif_with_huge_frame() -> Vec<u8> {
    let mut bytes = b"GIF89a\x0a\0\x0a\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    bytes.extend(b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x44\x01\0\x3b");
    bytes
}

/// The most memory that the server has had at once, in bytes.
fn peak_memory(server: &TestServer) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid()));
    let status = status.expect("the process runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") * 1024
}

#[tokio::test]
async fn huge_pictures_are_refused_undecoded() {
    let budget = [("TIDEPOOL_PICTURE_MEMORY_MIB", "112")];
    let (server, ann, _) = start_server_with(&budget).await;
    let before = peak_memory(&server);
    let bomb = black_png(SIDE);
    assert!(bomb.len() < 400_000, "{}", bomb.len());
    for (name, content) in [
        ("bits.png", bomb),
        ("rows.jpg", huge_jpeg(0xc0)),
        ("progressive.jpg", huge_jpeg(0xc2)),
        ("frame.gif", gif_with_huge_frame()),
    ] {
        let file = ann.add_file(name, &content).await;
        let settled = ann.wait_for_picture(&file).await;
        assert_eq!(settled["picture"], "failed", "{name}");
    }
    let refused = peak_memory(&server) - before;
    assert!(
        refused < 48 * MIB,
        "{} MiB for what is refused",
        refused / MIB
    );
    // As many pixels as fit the budget, twice at once: one waits for the other.
    let files = [
        ann.add_file("a.png", &black_png(3_400)).await,
        ann.add_file("b.png", &black_png(3_401)).await,
    ];
    for file in files {
        assert_eq!(ann.wait_for_picture(&file).await["picture"], "made");
    }
    let made = peak_memory(&server) - before;
    assert!(made < 160 * MIB, "{} MiB for what is made", made / MIB);
}

#[tokio::test]
async fn remade_pictures_never_exceed_the_quota() {
    let quota = [("TIDEPOOL_MAX_FILES_MIB_PER_ACCOUNT", "1")];
    let (server, ann, _) = start_server_with(&quota).await;
    for seed in 0..4 {
        let bits = noise(700 * 700, seed).into_iter();
        let bits = bits
            .map(|byte| if byte & 1 == 0 { 0 } else { 255 })
            .collect();
        let picture = GrayImage::from_raw(700, 700, bits).expect("its size");
        let mut content = Vec::new();
        let encoder = PngEncoder::new(&mut content);
        picture
            .write_with_encoder(encoder)
            .expect("it can be written");
        let upload = ann
            .try_create_upload(DOCUMENT, &ann.space, "noise.png", content.len() as u64)
            .await;
        if upload.status == 507 {
            break; // the quota is used up
        }
        let path = upload.expect(201).header("location").to_owned();
        let person = ann.clone();
        Upload { person, path }.delete().await.expect(204);
        let file = ann.add_file("noise.png", &content).await;
        ann.wait_for_picture(&file).await;
    }
    let stored = || {
        let names = server.contents();
        let path = |name: &String| server.data().join("files").join(&name[..2]).join(name);
        let sizes = names
            .iter()
            .filter_map(|name| std::fs::metadata(path(name)).ok());
        sizes.map(|data| data.len()).sum::<u64>()
    };
    eventually("no more than the quota on the disk", || async {
        (stored() <= MIB).then_some(())
    })
    .await;
    let made = ann.cabinet().await;
    assert!(
        made.iter().any(|file| file["picture"] == "made"),
        "{made:?}"
    );
}

#[tokio::test]
async fn pictures_of_accounts_take_turns() {
    let (_server, ann, bob) = start_server().await;
    let pause = |pause: bool| json!({ "kind": "files.picture", "pause": pause });
    ann.act("admin.pause-jobs", pause(true)).await.done();
    for width in 0..12 {
        ann.add_file("many.png", &png(1500 + width, 900)).await;
    }
    let one = bob.add_file("one.png", &png(40, 30)).await;
    ann.act("admin.pause-jobs", pause(false)).await.done();
    assert_eq!(bob.wait_for_picture(&one).await["picture"], "made");
    let files = bob.cabinet().await;
    let waiting = files.iter().filter(|file| file["picture"] == "waiting");
    let waiting = waiting.count();
    assert!(waiting >= 6, "{waiting} of twelve wait still");
}
