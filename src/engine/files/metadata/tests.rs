//! Tests of removing metadata, with small files built by hand.

use std::os::unix::fs::FileExt;

use super::*;

const SECRET: &[u8] = b"54.1234 N 10.5678 E";

/// Clears content; what became of it, and whether the secret is still there.
fn cleared(content: &[u8]) -> (Cleared, Vec<u8>) {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("tidepool-metadata-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, content).unwrap();
    let options = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(&path);
    let (file, size) = (options.unwrap(), content.len() as u64);
    let head = &content[..content.len().min(64)];
    let result = clear(&file, size, head).unwrap();
    if result != Cleared::Impossible {
        let again = clear(&file, size, head).unwrap();
        assert_eq!(again, Cleared::Unchanged, "clearing again changes nothing");
    }
    let mut after = vec![0; content.len()];
    file.read_exact_at(&mut after, 0).unwrap();
    std::fs::remove_file(path).unwrap();
    (result, after)
}

fn has_secret(bytes: &[u8]) -> bool {
    bytes.windows(SECRET.len()).any(|some| some == SECRET)
}

fn media_box(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32 + 8).to_be_bytes();
    [&length[..], name, content].concat()
}

/// A TIFF with an orientation of 6 and a GPS directory with a value.
fn tiff() -> Vec<u8> {
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    bytes.extend(b"\x02\0"); // the first directory, at 8, with two entries
    bytes.extend(b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0");
    bytes.extend(b"\x25\x88\x04\0\x01\0\0\0\x26\0\0\0"); // GPS, at 38
    bytes.extend([0; 4]);
    bytes.extend(b"\x01\0"); // at 38, with one entry: text at 56
    bytes.extend(b"\x1d\0\x02\0\x13\0\0\0\x38\0\0\0");
    bytes.extend([0; 4]);
    bytes.extend(SECRET);
    bytes
}

fn jpeg() -> Vec<u8> {
    let mut plain = Vec::new();
    let picture = image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8, y as u8, 9]));
    let encoder = image::codecs::jpeg::JpegEncoder::new(&mut plain);
    picture.write_with_encoder(encoder).unwrap();
    let exif = [b"Exif\0\0", &tiff()[..]].concat();
    let segment = |marker: u8, content: &[u8]| {
        let length = (content.len() as u16 + 2).to_be_bytes();
        [&[0xff, marker], &length[..], content].concat()
    };
    let xmp = [&b"http://ns.adobe.com/xap/1.0/\0"[..], SECRET].concat();
    let parts = [
        plain[..2].to_vec(),
        segment(0xe1, &exif),
        segment(0xe1, &xmp),
        segment(0xfe, SECRET),
        plain[2..].to_vec(),
        SECRET.to_vec(), // after the end
    ];
    parts.concat()
}

#[test]
fn jpeg_keeps_pixels_and_orientation_only() {
    let (result, after) = cleared(&jpeg());
    assert!(result == Cleared::Changed && !has_secret(&after));
    let mut decoder = image::codecs::jpeg::JpegDecoder::new(std::io::Cursor::new(&after)).unwrap();
    let orientation = image::ImageDecoder::orientation(&mut decoder).unwrap();
    assert_eq!(orientation, Orientation::Rotate90);
    image::load_from_memory(&after).unwrap();
}

#[test]
fn png_and_webp_stay_readable() {
    let picture = image::RgbaImage::from_pixel(20, 10, image::Rgba([1, 2, 3, 4]));
    let mut png = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut png);
    picture.write_with_encoder(encoder).unwrap();
    let text = [&b"Comment\0"[..], SECRET].concat();
    let length = (text.len() as u32).to_be_bytes();
    let mut crc = flate2::Crc::new();
    crc.update(b"tEXt");
    crc.update(&text);
    let chunk = [&length[..], b"tEXt", &text, &crc.sum().to_be_bytes()].concat();
    png.splice(33..33, chunk); // after the header
    let mut webp = Vec::new();
    let encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut webp);
    picture.write_with_encoder(encoder).unwrap();
    let exif = tiff();
    webp.extend(b"EXIF");
    webp.extend((exif.len() as u32).to_le_bytes());
    webp.extend(&exif);
    webp.extend(vec![0; exif.len() % 2]);
    let size = webp.len() as u32 - 8;
    webp[4..8].copy_from_slice(&size.to_le_bytes());
    for content in [png, webp] {
        let (result, after) = cleared(&content);
        assert!(result == Cleared::Changed && !has_secret(&after));
        image::load_from_memory(&after).unwrap();
    }
}

#[test]
fn tiff_loses_its_gps_directory() {
    let (result, after) = cleared(&tiff());
    assert!(result == Cleared::Changed && !has_secret(&after));
    assert_eq!(after[..38], tiff()[..38], "the rest is as it was");
    let big = [&b"II\x2b\0"[..], SECRET].concat();
    assert_eq!(cleared(&big).0, Cleared::Impossible);
    // A directory that is its own next one.
    let mut endless = b"II\x2a\0\x08\0\0\0\0\0\x08\0\0\0".to_vec();
    endless.extend([0; 20]);
    assert_eq!(cleared(&endless).0, Cleared::Unchanged);
}

#[test]
fn video_loses_user_data_at_every_level() {
    let user = media_box(b"udta", &media_box(b"\xa9xyz", SECRET));
    let track = media_box(b"trak", &user);
    let keys = media_box(b"meta", SECRET);
    let movie = media_box(b"moov", &[user, track, keys].concat());
    let xmp = media_box(b"uuid", SECRET);
    for brand in [b"isom", b"qt  "] {
        let first = media_box(b"ftyp", &[&brand[..], b"\0\0\0\0"].concat());
        let data = media_box(b"mdat", b"pixels");
        let (result, after) = cleared(&[first, data, movie.clone(), xmp.clone()].concat());
        assert!(result == Cleared::Changed && !has_secret(&after));
        assert!(after.windows(6).any(|some| some == b"pixels"));
    }
    let positions = media_box(b"stsd", b"\0\0\0\0\0\0\0\x01\0\0\0\x10gpmd");
    let nested = [b"stbl", b"minf", b"mdia", b"trak", b"moov"];
    let nested = nested
        .iter()
        .fold(positions, |inner, name| media_box(name, &inner));
    let first = media_box(b"ftyp", b"isom\0\0\0\0");
    assert_eq!(cleared(&[first, nested].concat()).0, Cleared::Impossible);
}

#[test]
fn heif_loses_exif_and_xmp_items() {
    for brand in [b"heic", b"avif"] {
        let first = media_box(b"ftyp", &[&brand[..], b"\0\0\0\0"].concat());
        let entry = |id: u8, kind: &[u8; 4]| {
            media_box(
                b"infe",
                &[&[2, 0, 0, 0, 0, id, 0, 0], &kind[..], b"\0"].concat(),
            )
        };
        let infos = [entry(1, b"hvc1"), entry(2, b"Exif"), entry(3, b"mime")].concat();
        let infos = media_box(b"iinf", &[&[0, 0, 0, 0, 0, 3], &infos[..]].concat());
        let data = [b"pixels", SECRET, SECRET].concat();
        let locations = |from: u32| {
            let item = |id: u8, at: u32, length: u32| {
                let parts = [
                    &[0, id, 0, 0, 0, 1][..],
                    &at.to_be_bytes(),
                    &length.to_be_bytes(),
                ];
                parts.concat()
            };
            let length = SECRET.len() as u32;
            let items = [
                item(1, from, 6),
                item(2, from + 6, length),
                item(3, from + 6 + length, length),
            ];
            media_box(
                b"iloc",
                &[&[0, 0, 0, 0, 0x44, 0, 0, 3], &items.concat()[..]].concat(),
            )
        };
        let meta =
            |from: u32| media_box(b"meta", &[&[0; 4], &infos[..], &locations(from)].concat());
        let from = (first.len() + meta(0).len() + 8) as u32;
        let (result, after) = cleared(&[first, meta(from), media_box(b"mdat", &data)].concat());
        assert!(result == Cleared::Changed && !has_secret(&after));
        assert!(after.windows(6).any(|some| some == b"pixels"));
    }
}

#[test]
fn damaged_files_end_in_bounded_time() {
    let samples = [jpeg(), tiff(), media_box(b"ftyp", b"heic\0\0\0\0")];
    for sample in samples {
        for index in 0..sample.len().min(400) {
            for value in [0, 0xff] {
                let mut damaged = sample.clone();
                damaged[index] = value;
                let path =
                    std::env::temp_dir().join(format!("tidepool-damaged-{}", std::process::id()));
                std::fs::write(&path, &damaged).unwrap();
                let file = std::fs::OpenOptions::new()
                    .read(true)
                    .write(true)
                    .open(&path);
                let _ = clear(&file.unwrap(), damaged.len() as u64, &damaged).unwrap();
            }
        }
    }
}
