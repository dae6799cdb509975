//! Re-encoding pictures from their pixels, which removes everything else in the file: metadata such
//! as the place where it was taken, and other content appended to it.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{
    AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits,
    RgbImage,
};

use super::picture_memory::{self, MAX_ANIMATION_PIXELS, MAX_SIDE};

/// The largest file, in bytes, that is processed as a picture. Larger ones are downloads only.
pub(super) const MAX_PICTURE_BYTES: u64 = 32 << 20;
/// Frames of an animation; later ones are left out.
const MAX_FRAMES: usize = 600;
/// What decoders allocate to read the head of a picture, besides the content.
const HEAD_BYTES: u64 = 4 << 20;
const JPEG_QUALITY: u8 = 88;
/// The longer side of each smaller version, in pixels.
const SMALL_SIDE: u32 = 480;
const LARGE_SIDE: u32 = 1600;
const BLUR_SIDE: u32 = 14;
/// A picture that becomes larger than this many times its file is stored in its large version only.
const MAX_GROWTH: usize = 4;
/// Growth up to this size, in bytes, is accepted.
const SMALL_BYTES: usize = 256 << 10;

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

/// The bytes of memory that [`reencode`] takes at most, found without decoding.
///
/// # Errors
/// When the content is not a picture of this media type, or its width or height exceeds
/// [`MAX_SIDE`](picture_memory::MAX_SIDE).
pub(super) fn memory_needed(content: &[u8], media: &str) -> ImageResult<u64> {
    let format = format_of(media);
    // The decoder reads the head only, which is never larger than the content.
    let mut decoder = decoder(content, format, content.len() as u64 + HEAD_BYTES)?;
    Ok(picture_memory::needed(content, format, &mut decoder))
}

/// Re-encodes a picture within `max_memory` bytes, which are at least [`memory_needed`]; with
/// `opaque`, renders its smaller versions on white. Blocks for seconds: call it on a blocking
/// thread.
///
/// # Errors
/// When the content is not a picture of this media type, or exceeds a limit.
pub(super) fn reencode(
    content: &[u8],
    media: &str,
    opaque: bool,
    max_memory: u64,
) -> ImageResult<Made> {
    let format = format_of(media);
    let picture = decode(content, format, max_memory)?;
    let full = match reencode_animation(content, format, max_memory)? {
        Some(bytes) => Encoded {
            bytes,
            media: "image/gif",
        },
        None => encode_full(&picture, content, format)?,
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

fn format_of(media: &str) -> ImageFormat {
    ImageFormat::from_mime_type(media).unwrap_or(ImageFormat::Png)
}

fn decoder(
    content: &[u8],
    format: ImageFormat,
    max_memory: u64,
) -> ImageResult<impl ImageDecoder + '_> {
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits(max_memory));
    reader.into_decoder()
}

/// Decodes a picture upright, with 8 bits per channel.
fn decode(content: &[u8], format: ImageFormat, max_memory: u64) -> ImageResult<DynamicImage> {
    let mut decoder = decoder(content, format, max_memory)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = to_8_bit(DynamicImage::from_decoder(decoder)?);
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Encodes the picture in its full size. One that was much smaller as a lossy WebP with
/// transparency, which cannot be encoded here, is reduced instead of growing without a bound.
fn encode_full(
    picture: &DynamicImage,
    content: &[u8],
    format: ImageFormat,
) -> ImageResult<Encoded> {
    let is_lossy = format == ImageFormat::Jpeg
        // The chunk of lossy WebP data; "VP8L" is that of lossless data.
        || format == ImageFormat::WebP && content.windows(4).any(|four| four == b"VP8 ");
    let full = encode(picture, is_lossy)?;
    if format != ImageFormat::WebP || full.media == "image/jpeg" {
        return Ok(full);
    }
    let webp = encode_lossless_webp(picture)?;
    let full = if webp.bytes.len() < full.bytes.len() {
        webp
    } else {
        full
    };
    if full.bytes.len() <= (content.len() * MAX_GROWTH).max(SMALL_BYTES) {
        return Ok(full);
    }
    encode(&shrink(picture, LARGE_SIDE), true)
}

fn encode_lossless_webp(picture: &DynamicImage) -> ImageResult<Encoded> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(WebPEncoder::new_lossless(&mut bytes))?;
    Ok(Encoded {
        bytes,
        media: "image/webp",
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

fn limits(max_memory: u64) -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(max_memory);
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
fn reencode_animation(
    content: &[u8],
    format: ImageFormat,
    max_memory: u64,
) -> ImageResult<Option<Vec<u8>>> {
    if format != ImageFormat::Gif {
        return Ok(None);
    }
    let mut decoder = GifDecoder::new(Cursor::new(content))?;
    decoder.set_limits(limits(max_memory))?;
    let (width, height) = decoder.dimensions();
    let pixels = (u64::from(width) * u64::from(height)).max(1);
    let max_frames = usize::try_from(MAX_ANIMATION_PIXELS / pixels)
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
mod tests;
