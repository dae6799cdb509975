//! Re-encoding pictures from their pixels, which removes everything else in the file: metadata such
//! as the place where it was taken, and other content appended to it.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{
    AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits,
    RgbImage,
};

/// The largest file, in bytes, that is processed as a picture. Larger ones are downloads only.
pub(super) const MAX_PICTURE_BYTES: u64 = 32 << 20;
/// The largest width and height, in pixels.
const MAX_SIDE: u32 = 16_384;
/// Memory for decoding one picture: 48 megapixels of four bytes.
const MAX_DECODE_BYTES: u64 = 192 << 20;
/// Frames of an animation. All frames together may have as many pixels as one picture may.
const MAX_FRAMES: usize = 600;
const JPEG_QUALITY: u8 = 88;
/// The longer side of each smaller version, in pixels.
const SMALL_SIDE: u32 = 480;
const LARGE_SIDE: u32 = 1600;
const BLUR_SIDE: u32 = 14;

/// A re-encoded picture and its smaller versions.
pub(super) struct Made {
    /// The picture in its full size.
    pub(super) full: Encoded,
    pub(super) large: Encoded,
    pub(super) small: Encoded,
    /// A placeholder of a few pixels, as a `data:` URL.
    pub(super) blur: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// An encoded picture and its media type.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) media: &'static str,
}

/// Re-encodes a picture; with `opaque`, renders its smaller versions on white. Blocks for seconds:
/// call it on a blocking thread.
///
/// # Errors
/// When the content is not a picture of this media type, or exceeds a limit.
pub(super) fn reencode(content: &[u8], media: &str, opaque: bool) -> ImageResult<Made> {
    let format = ImageFormat::from_mime_type(media).unwrap_or(ImageFormat::Png);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder
        .orientation()
        .unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let picture = to_8_bit(picture);
    let full = match reencode_animation(content, format)? {
        Some(bytes) => Encoded {
            bytes,
            media: "image/gif",
        },
        None => encode(&picture, format == ImageFormat::Jpeg)?,
    };
    let picture = if opaque {
        flatten_on_white(picture)
    } else {
        picture
    };
    let large = encode(&shrink(&picture, LARGE_SIDE), true)?;
    let small = encode(&shrink(&picture, SMALL_SIDE), true)?;
    Ok(Made {
        full,
        large,
        small,
        blur: blur_url(&picture)?,
        width: picture.width(),
        height: picture.height(),
    })
}

/// The picture with sides of at most `side` pixels; never enlarged.
fn shrink(picture: &DynamicImage, side: u32) -> DynamicImage {
    if picture.width().max(picture.height()) > side {
        picture.thumbnail(side, side)
    } else {
        picture.clone()
    }
}

fn blur_url(picture: &DynamicImage) -> ImageResult<String> {
    let blur = shrink(picture, BLUR_SIDE).to_rgba8();
    let mut bytes = Vec::new();
    WebPEncoder::new_lossless(&mut bytes).encode(
        &blur,
        blur.width(),
        blur.height(),
        image::ExtendedColorType::Rgba8,
    )?;
    Ok(format!("data:image/webp;base64,{}", STANDARD.encode(bytes)))
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODE_BYTES);
    limits
}

/// Reduces to 8 bits per channel, which is what browsers show.
fn to_8_bit(picture: DynamicImage) -> DynamicImage {
    if picture.color().has_alpha() {
        picture.into_rgba8().into()
    } else {
        picture.into_rgb8().into()
    }
}

/// Blends transparent pixels with white.
fn flatten_on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return picture;
    }
    let pixels = picture.into_rgba8();
    let mut flat = RgbImage::new(pixels.width(), pixels.height());
    for (to, from) in flat.pixels_mut().zip(pixels.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u16::from);
        to.0 = [red, green, blue].map(|colour| {
            let blended = colour * alpha / 255 + (255 - alpha);
            u8::try_from(blended).unwrap_or(u8::MAX)
        });
    }
    flat.into()
}

/// Encodes as JPEG where loss is acceptable and no pixel is transparent, else as PNG.
fn encode(picture: &DynamicImage, lossy: bool) -> ImageResult<Encoded> {
    let mut bytes = Vec::new();
    let is_opaque = picture
        .as_rgba8()
        .is_none_or(|pixels| pixels.pixels().all(|pixel| pixel[3] == u8::MAX));
    if lossy && is_opaque {
        picture
            .to_rgb8()
            .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))?;
        return Ok(Encoded {
            bytes,
            media: "image/jpeg",
        });
    }
    picture.write_with_encoder(PngEncoder::new(&mut bytes))?;
    Ok(Encoded {
        bytes,
        media: "image/png",
    })
}

/// Re-encodes a GIF of several frames; nothing for one frame or another format.
fn reencode_animation(content: &[u8], format: ImageFormat) -> ImageResult<Option<Vec<u8>>> {
    if format != ImageFormat::Gif {
        return Ok(None);
    }
    let mut decoder = GifDecoder::new(Cursor::new(content))?;
    decoder.set_limits(limits())?;
    let (width, height) = decoder.dimensions();
    let frame_bytes = (u64::from(width) * u64::from(height) * 4).max(1);
    let max_frames = usize::try_from(MAX_DECODE_BYTES / frame_bytes)
        .unwrap_or(1)
        .clamp(1, MAX_FRAMES);
    let mut frames = decoder.into_frames();
    let Some(first) = frames.next().transpose()? else {
        return Ok(None);
    };
    let Some(second) = frames.next().transpose()? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, 10);
    encoder.set_repeat(Repeat::Infinite)?;
    // Decoded lazily: one frame is in memory at a time, however many there are.
    let frames = [Ok(first), Ok(second)].into_iter().chain(frames);
    for frame in frames.take(max_frames) {
        encoder.encode_frame(frame?)?;
    }
    drop(encoder);
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let made = reencode(&content, "image/jpeg", false).unwrap();
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
        assert!(
            made.blur.len() < 1500 && made.blur.starts_with("data:image/webp;base64,"),
            "{}",
            made.blur.len()
        );
    }

    #[test]
    fn pictures_are_shrunk_and_never_enlarged() {
        let made = reencode(&jpeg(3000, 1500), "image/jpeg", false).unwrap();
        let size = |of: &Encoded| {
            image::load_from_memory(&of.bytes)
                .map(|picture| (picture.width(), picture.height()))
                .unwrap()
        };
        assert_eq!(
            [size(&made.full), size(&made.large), size(&made.small)],
            [(3000, 1500), (1600, 800), (480, 240)]
        );
        let made = reencode(&jpeg(30, 20), "image/jpeg", false).unwrap();
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
        assert!(reencode(&bomb, "image/png", false).is_err());
        for invalid in [
            &b""[..],
            b"GIF89a<script>alert(1)</script>",
            &jpeg(60, 40)[..30],
        ] {
            assert!(
                reencode(invalid, "image/gif", false).is_err()
                    && reencode(invalid, "image/jpeg", false).is_err()
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
        let made = reencode(&gif, "image/gif", false).unwrap();
        let frames = GifDecoder::new(Cursor::new(&made.full.bytes))
            .unwrap()
            .into_frames()
            .count();
        assert_eq!((made.full.media, frames), ("image/gif", 3));
        let mut png = Vec::new();
        image::RgbaImage::from_pixel(20, 10, image::Rgba([9, 9, 9, 90]))
            .write_with_encoder(PngEncoder::new(&mut png))
            .unwrap();
        let made = reencode(&png, "image/png", false).unwrap();
        assert_eq!(
            (made.full.media, made.small.media),
            ("image/png", "image/png")
        );
    }

    #[test]
    fn opaque_pictures_are_flattened_on_white() {
        let clear = image::RgbaImage::from_pixel(40, 30, image::Rgba([200, 0, 0, 0]));
        let mut png = Vec::new();
        clear.write_with_encoder(PngEncoder::new(&mut png)).unwrap();
        for (opaque, media) in [(true, "image/jpeg"), (false, "image/png")] {
            let made = reencode(&png, "image/png", opaque).unwrap();
            assert_eq!((made.small.media, made.full.media), (media, "image/png"));
            let small = image::load_from_memory(&made.small.bytes)
                .unwrap()
                .into_rgba8();
            let expected = if opaque { 255 } else { 0 };
            assert_eq!(small.get_pixel(5, 5).0[3], expected);
            assert!(!opaque || small.get_pixel(5, 5).0 == [255; 4]);
        }
    }
}
