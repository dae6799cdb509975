//! Pictures, made anew from their pixels: whatever else was in the file (where it was taken,
//! another file behind it) is gone.

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

/// The largest file that is taken for a picture, in bytes. Larger ones can be saved only.
pub(super) const MAX_PICTURE_BYTES: u64 = 32 << 20;
const SIDE: u32 = 16_384; // pixels
const MEMORY: u64 = 192 << 20; // bytes that decoding may take: 48 megapixels
const FRAMES: usize = 600; // of a moving picture; and as many pixels in all as memory for one
const QUALITY: u8 = 88;
const SMALL: u32 = 480; // pixels of the longer side
const LARGE: u32 = 1600;
const BLUR: u32 = 14;

/// A picture and its smaller forms.
pub(super) struct Made {
    /// The picture itself.
    pub(super) whole: Encoded,
    pub(super) large: Encoded,
    pub(super) small: Encoded,
    /// A few pixels, as a data address.
    pub(super) blur: String,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// A picture as bytes.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) media: &'static str,
}

/// Makes a picture anew; with `opaque`, its smaller forms on white. Computes: call it where
/// blocking is fine.
///
/// # Errors
/// When it is none, or larger than the limits.
pub(super) fn make(content: &[u8], media: &str, opaque: bool) -> ImageResult<Made> {
    let format = ImageFormat::from_mime_type(media).unwrap_or(ImageFormat::Png);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder
        .orientation()
        .unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let picture = plain(picture);
    let whole = match moving(content, format)? {
        Some(bytes) => Encoded {
            bytes,
            media: "image/gif",
        },
        None => encoded(&picture, format == ImageFormat::Jpeg)?,
    };
    let picture = if opaque { on_white(picture) } else { picture };
    let smaller = |side: u32| {
        if picture.width().max(picture.height()) > side {
            picture.thumbnail(side, side)
        } else {
            picture.clone()
        }
    };
    let (large, small) = (
        encoded(&smaller(LARGE), true)?,
        encoded(&smaller(SMALL), true)?,
    );
    let blur = smaller(BLUR).to_rgba8();
    let mut tiny = Vec::new();
    WebPEncoder::new_lossless(&mut tiny).encode(
        &blur,
        blur.width(),
        blur.height(),
        image::ExtendedColorType::Rgba8,
    )?;
    let blur = format!("data:image/webp;base64,{}", STANDARD.encode(tiny));
    Ok(Made {
        whole,
        large,
        small,
        blur,
        width: picture.width(),
        height: picture.height(),
    })
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(MEMORY);
    limits
}

/// Eight bits a channel, which is what browsers show.
fn plain(picture: DynamicImage) -> DynamicImage {
    if picture.color().has_alpha() {
        picture.into_rgba8().into()
    } else {
        picture.into_rgb8().into()
    }
}

/// What is transparent becomes white.
fn on_white(picture: DynamicImage) -> DynamicImage {
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

/// As JPEG where nothing shines through and small is better than exact, else as PNG.
fn encoded(picture: &DynamicImage, small: bool) -> ImageResult<Encoded> {
    let mut bytes = Vec::new();
    let opaque = picture
        .as_rgba8()
        .is_none_or(|pixels| pixels.pixels().all(|pixel| pixel[3] == u8::MAX));
    if small && opaque {
        picture
            .to_rgb8()
            .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, QUALITY))?;
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

/// A GIF that moves, frame by frame. One frame alone is a picture like others.
fn moving(content: &[u8], format: ImageFormat) -> ImageResult<Option<Vec<u8>>> {
    if format != ImageFormat::Gif {
        return Ok(None);
    }
    let mut decoder = GifDecoder::new(Cursor::new(content))?;
    decoder.set_limits(limits())?;
    let (width, height) = decoder.dimensions();
    let most = usize::try_from(MEMORY / (u64::from(width) * u64::from(height) * 4).max(1))
        .unwrap_or(1)
        .clamp(1, FRAMES);
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
    // One after the other: what is in memory is one frame, however many there are.
    for frame in [Ok(first), Ok(second)].into_iter().chain(frames).take(most) {
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

    /// A JPEG with an EXIF block that says "turn it" and where it was taken.
    fn telling_jpeg() -> Vec<u8> {
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
    fn what_else_was_in_a_picture_is_gone_and_it_stands_upright() {
        let told = [telling_jpeg(), b"<script>alert(1)</script>".to_vec()].concat();
        let made = make(&told, "image/jpeg", false).unwrap();
        assert_eq!(
            (made.width, made.height),
            (40, 60),
            "turned as its orientation said"
        );
        for bytes in [&made.whole.bytes, &made.large.bytes, &made.small.bytes] {
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
    fn smaller_forms_are_smaller_and_nothing_is_made_larger() {
        let made = make(&jpeg(3000, 1500), "image/jpeg", false).unwrap();
        let size = |of: &Encoded| {
            image::load_from_memory(&of.bytes)
                .map(|picture| (picture.width(), picture.height()))
                .unwrap()
        };
        assert_eq!(
            [size(&made.whole), size(&made.large), size(&made.small)],
            [(3000, 1500), (1600, 800), (480, 240)]
        );
        let made = make(&jpeg(30, 20), "image/jpeg", false).unwrap();
        assert_eq!(
            [size(&made.whole), size(&made.large), size(&made.small)],
            [(30, 20); 3]
        );
    }

    #[test]
    fn bombs_and_nonsense_are_refused() {
        // A PNG that says it is 60,000 pixels wide and high.
        let mut bomb = Vec::new();
        image::RgbImage::new(1, 1)
            .write_with_encoder(PngEncoder::new(&mut bomb))
            .unwrap();
        bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
        assert!(make(&bomb, "image/png", false).is_err());
        for nonsense in [
            &b""[..],
            b"GIF89a<script>alert(1)</script>",
            &jpeg(60, 40)[..30],
        ] {
            assert!(
                make(nonsense, "image/gif", false).is_err()
                    && make(nonsense, "image/jpeg", false).is_err()
            );
        }
    }

    #[test]
    fn what_moves_goes_on_moving_and_what_shines_through_does() {
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
        let made = make(&gif, "image/gif", false).unwrap();
        let frames = GifDecoder::new(Cursor::new(&made.whole.bytes))
            .unwrap()
            .into_frames()
            .count();
        assert_eq!((made.whole.media, frames), ("image/gif", 3));
        let mut png = Vec::new();
        image::RgbaImage::from_pixel(20, 10, image::Rgba([9, 9, 9, 90]))
            .write_with_encoder(PngEncoder::new(&mut png))
            .unwrap();
        let made = make(&png, "image/png", false).unwrap();
        assert_eq!(
            (made.whole.media, made.small.media),
            ("image/png", "image/png")
        );
    }

    #[test]
    fn opaque_pictures_are_made_on_white() {
        let clear = image::RgbaImage::from_pixel(40, 30, image::Rgba([200, 0, 0, 0]));
        let mut png = Vec::new();
        clear.write_with_encoder(PngEncoder::new(&mut png)).unwrap();
        for (opaque, media) in [(true, "image/jpeg"), (false, "image/png")] {
            let made = make(&png, "image/png", opaque).unwrap();
            assert_eq!((made.small.media, made.whole.media), (media, "image/png"));
            let small = image::load_from_memory(&made.small.bytes)
                .unwrap()
                .into_rgba8();
            let expected = if opaque { 255 } else { 0 };
            assert_eq!(small.get_pixel(5, 5).0[3], expected);
            assert!(!opaque || small.get_pixel(5, 5).0 == [255; 4]);
        }
    }
}
