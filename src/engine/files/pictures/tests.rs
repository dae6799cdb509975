//! Tests of the versions of a picture.

use image::codecs::gif::{GifDecoder, GifEncoder};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{AnimationDecoder, ImageEncoder};

use super::*;

/// The checksum of a PNG chunk.
fn chunk_crc(chunk: &[u8]) -> [u8; 4] {
    let mut crc = flate2::Crc::new();
    crc.update(chunk);
    crc.sum().to_be_bytes()
}

/// Makes the versions with as much memory as is needed.
fn remake(content: &[u8], media: &str, opaque: bool) -> ImageResult<Made> {
    make_versions(content, media, opaque, memory_needed(content, media)?)
}

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture =
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 128]));
    picture
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 90))
        .unwrap();
    bytes
}

/// A JPEG with an EXIF block: an orientation to be applied, and a position.
fn jpeg_with_exif() -> Vec<u8> {
    let plain = jpeg(60, 40);
    let mut exif =
        b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    exif.extend_from_slice(b"GPS 54.1234 N 10.5678 E");
    let length = (exif.len() + 2) as u16;
    [
        &plain[..2],
        &[0xff, 0xe1],
        &length.to_be_bytes(),
        &exif,
        &plain[2..],
    ]
    .concat()
}

#[test]
fn jpeg_loses_metadata_and_is_rotated() {
    let content = [jpeg_with_exif(), b"<script>alert(1)</script>".to_vec()].concat();
    let made = remake(&content, "image/jpeg", false).unwrap();
    assert_eq!(
        (made.width, made.height),
        (40, 60),
        "its orientation is applied"
    );
    for bytes in [&made.full.bytes, &made.large.bytes, &made.small.bytes] {
        for secret in [&b"GPS"[..], b"Exif", b"script"] {
            assert!(!bytes.windows(secret.len()).any(|some| some == secret));
        }
    }
    let blur = made.blur.expect("it is opaque");
    assert!(
        blur.len() < 1500 && blur.starts_with("data:image/webp;base64,"),
        "{blur}"
    );
}

#[test]
fn pictures_are_shrunk_and_never_enlarged() {
    let made = remake(&jpeg(3000, 1500), "image/jpeg", false).unwrap();
    let size = |of: &Encoded| {
        image::load_from_memory(&of.bytes)
            .map(|picture| (picture.width(), picture.height()))
            .unwrap()
    };
    assert_eq!(
        [size(&made.full), size(&made.large), size(&made.small)],
        [(3000, 1500), (1600, 800), (480, 240)]
    );
    let made = remake(&jpeg(30, 20), "image/jpeg", false).unwrap();
    assert_eq!(
        [size(&made.full), size(&made.large), size(&made.small)],
        [(30, 20); 3]
    );
}

#[test]
fn decompression_bombs_and_invalid_pictures_are_refused() {
    // A PNG whose header claims 60,000 pixels in width and height.
    let mut bomb = Vec::new();
    image::RgbImage::new(1, 1)
        .write_with_encoder(PngEncoder::new(&mut bomb))
        .unwrap();
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    assert!(remake(&bomb, "image/png", false).is_err());
    for invalid in [
        &b""[..],
        b"GIF89a<script>alert(1)</script>",
        &jpeg(60, 40)[..30],
    ] {
        assert!(
            remake(invalid, "image/gif", false).is_err()
                && remake(invalid, "image/jpeg", false).is_err()
        );
    }
}

#[test]
fn animation_and_transparency_are_preserved() {
    let mut gif = Vec::new();
    {
        let mut encoder = GifEncoder::new(&mut gif);
        for shade in [0, 100, 200] {
            encoder
                .encode_frame(image::Frame::new(image::RgbaImage::from_pixel(
                    20,
                    10,
                    image::Rgba([shade, 0, 0, 255]),
                )))
                .unwrap();
        }
    }
    let made = remake(&gif, "image/gif", false).unwrap();
    let frames = GifDecoder::new(Cursor::new(&made.full.bytes))
        .unwrap()
        .into_frames()
        .count();
    assert_eq!((made.full.media, frames), ("image/gif", 3));
    assert!(made.animated && made.small.media != "image/gif");
    let mut png = Vec::new();
    image::RgbaImage::from_pixel(20, 10, image::Rgba([9, 9, 9, 90]))
        .write_with_encoder(PngEncoder::new(&mut png))
        .unwrap();
    let made = remake(&png, "image/png", false).unwrap();
    assert_eq!(made.full.media, "image/png");
    assert_ne!(made.small.media, "image/jpeg");
    assert!(made.blur.is_none() && !made.animated);
}

#[test]
fn opaque_pictures_are_flattened_on_white() {
    let clear = image::RgbaImage::from_pixel(40, 30, image::Rgba([200, 0, 0, 0]));
    let mut png = Vec::new();
    clear.write_with_encoder(PngEncoder::new(&mut png)).unwrap();
    for opaque in [true, false] {
        let made = remake(&png, "image/png", opaque).unwrap();
        assert_eq!(made.small.media == "image/jpeg", opaque);
        assert_eq!(made.full.media, "image/png");
        let small = image::load_from_memory(&made.small.bytes)
            .unwrap()
            .into_rgba8();
        let expected = if opaque { 255 } else { 0 };
        assert_eq!(small.get_pixel(5, 5).0[3], expected);
        assert!(!opaque || small.get_pixel(5, 5).0 == [255; 4]);
    }
}

#[test]
fn memory_is_known_before_decoding() {
    let huge = {
        // Signature and header: one channel of one bit; then data, which is not looked at.
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x40\0\0\0\x40\0\x01\0\0\0\0".to_vec();
        bytes.extend(chunk_crc(&bytes[12..]));
        bytes.extend(b"\0\0\0\x01IDAT\0");
        bytes.extend(chunk_crc(b"IDAT\0"));
        bytes
    };
    assert!(memory_needed(&huge, "image/png").unwrap() > 1 << 30);
    let photo = memory_needed(&jpeg(4032, 3024), "image/jpeg").unwrap();
    assert!(photo < 96 << 20, "a photo of 12 megapixels: {photo}");
    assert!(make_versions(&huge, "image/png", false, 64 << 20).is_err());
}

#[test]
fn webp_stays_webp_and_grows_in_no_version() {
    let mut webp = Vec::new();
    let picture = image::RgbaImage::from_fn(700, 500, |x, y| {
        image::Rgba([(x / 8) as u8, (y / 8) as u8, 90, 128])
    });
    let encoder = WebPEncoder::new_lossless(&mut webp);
    picture.write_with_encoder(encoder).unwrap();
    let made = remake(&webp, "image/webp", false).unwrap();
    assert_eq!(made.full.media, "image/webp");
    for version in [&made.full, &made.large, &made.small] {
        assert!(version.bytes.len() <= webp.len());
    }
}

#[test]
fn long_picture_has_readable_versions() {
    let size = |of: &Encoded| {
        let picture = image::load_from_memory(&of.bytes).unwrap();
        (picture.width(), picture.height())
    };
    let made = remake(&jpeg(200, 6000), "image/jpeg", false).unwrap();
    assert_eq!(
        (size(&made.small), size(&made.large)),
        ((200, 360), (200, 6000))
    );
    let made = remake(&jpeg(960, 8000), "image/jpeg", false).unwrap();
    assert_eq!(
        size(&made.small),
        (480, 360),
        "its beginning, as wide as it"
    );
    let (width, height) = size(&made.large);
    assert!(
        width > 500 && width * height <= 1600 * 1600,
        "{width} {height}"
    );
    let made = remake(&jpeg(3000, 100), "image/jpeg", false).unwrap();
    assert_eq!(
        (size(&made.small), size(&made.large)),
        ((480, 100), (3000, 100))
    );
    // Long, but small enough to be shown whole.
    assert!(!is_cropped(300, 60) && !is_cropped(1080, 2400) && is_cropped(1080, 3400));
}

#[test]
fn color_profile_is_kept_in_every_version() {
    let profile = [&[0; 16][..], b"RGB XYZ ", &[7; 400]].concat();
    let mut content = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut content, 95);
    encoder.set_icc_profile(profile.clone()).unwrap();
    image::RgbImage::new(600, 400)
        .write_with_encoder(encoder)
        .unwrap();
    let made = remake(&content, "image/jpeg", false).unwrap();
    for version in [&made.full, &made.large, &made.small] {
        let mut decoder = decoder(&version.bytes, ImageFormat::Jpeg, 1 << 24).unwrap();
        assert_eq!(decoder.icc_profile().unwrap(), Some(profile.clone()));
    }
}
