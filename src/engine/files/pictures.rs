//! What is shown of an uploaded picture: smaller versions, encoded from its pixels, and a copy in
//! full size without anything else in the file: metadata such as the place where it was taken, and
//! other content appended to it.

mod repack;

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ImageDecoder, ImageEncoder, ImageFormat, ImageReader, ImageResult, Limits,
    RgbImage,
};

use super::picture_memory::{self, MAX_SIDE};
use repack::repack;

/// The largest file, in bytes, that is processed as a picture. Larger ones are downloads only.
pub(super) const MAX_PICTURE_BYTES: u64 = 32 << 20;
/// What decoders allocate to read the head of a picture, besides the content.
const HEAD_BYTES: u64 = 4 << 20;
const JPEG_QUALITY: u8 = 88;
/// The longer side of each smaller version, in pixels.
const SMALL_SIDE: u32 = 480;
const LARGE_SIDE: u32 = 1600;
const BLUR_SIDE: u32 = 14;
/// The longer side of a picture, times the shorter, from which on its small version is a piece of
/// it, and its large version is limited in pixels instead of its sides: the whole would be a line.
const MAX_RATIO: u32 = 3;
/// The width and height, in pixels, within which a message shows a picture.
pub(super) const DISPLAY_BOX: (u32, u32) = (480, 360);
/// The largest color profile that versions keep, in bytes; those of screens have a few kilobytes.
const MAX_PROFILE_BYTES: usize = 16 << 10;

/// A picture and its smaller versions, all without metadata.
pub(super) struct Made {
    /// The picture in its full size: as it was encoded, where that has no other content.
    pub(super) full: Encoded,
    pub(super) large: Encoded,
    pub(super) small: Encoded,
    /// A placeholder of a few pixels, as a `data:` URL; none for a picture with transparent pixels,
    /// behind which it would be seen.
    pub(super) blur: Option<String>,
    /// Whether `full` moves.
    pub(super) animated: bool,
    pub(super) width: u32,
    pub(super) height: u32,
}

/// An encoded picture and its media type.
#[derive(Clone)]
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) media: &'static str,
}

/// A decoded picture.
struct Decoded {
    pixels: DynamicImage,
    /// Its color profile, which every version needs to be shown in the same colors.
    profile: Option<Vec<u8>>,
    /// Whether the pixels had to be turned to be upright.
    is_turned: bool,
}

/// Whether a picture of this size, in pixels, is so long that its small version is a piece of it.
pub(super) fn is_cropped(width: u32, height: u32) -> bool {
    let (long, short) = (width.max(height), width.min(height));
    let (box_width, box_height) = DISPLAY_BOX;
    long > short.saturating_mul(MAX_RATIO) && (width > box_width || height > box_height)
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
    let copy = repack(content, format);
    let animated = copy.as_ref().is_some_and(|copy| copy.is_animated);
    let mut picture = decode(content, format, animated, max_memory)?;
    let full = match copy {
        Some(copy) if !picture.is_turned => Encoded {
            bytes: copy.bytes,
            media: media_of(format),
        },
        _ => encode(&picture, format == ImageFormat::Jpeg)?,
    };
    if opaque {
        picture.pixels = flatten_on_white(picture.pixels);
    }
    let (width, height) = (picture.pixels.width(), picture.pixels.height());
    let has_transparency = has_transparency(&picture.pixels);
    // The full version is its own preview where it is smaller, and as easily decoded.
    let pixels = u64::from(width) * u64::from(height);
    let can_be_preview = !animated && !opaque && pixels <= u64::from(LARGE_SIDE).pow(2);
    let smaller_of = |preview: Encoded| {
        if can_be_preview && full.bytes.len() <= preview.bytes.len() {
            full.clone()
        } else {
            preview
        }
    };
    let large = smaller_of(encode(&picture.with(large_version(&picture.pixels)), true)?);
    let small = encode(&picture.with(small_version(&picture.pixels)), true)?;
    let small = if is_cropped(width, height) {
        small
    } else {
        smaller_of(small)
    };
    let blur = if has_transparency {
        None
    } else {
        Some(blur_url(&picture.pixels)?)
    };
    Ok(Made {
        full,
        large,
        small,
        blur,
        animated,
        width,
        height,
    })
}

fn media_of(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "image/jpeg",
        ImageFormat::Gif => "image/gif",
        ImageFormat::WebP => "image/webp",
        _ => "image/png",
    }
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

/// Decodes a picture, or the first frame of an animation, with 8 bits per channel. Pictures are
/// turned upright; animations are as they are encoded, because all their frames are.
fn decode(
    content: &[u8],
    format: ImageFormat,
    is_animated: bool,
    max_memory: u64,
) -> ImageResult<Decoded> {
    let mut decoder = decoder(content, format, max_memory)?;
    let mut orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if is_animated {
        orientation = Orientation::NoTransforms;
    }
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| {
        // Bytes 16 to 19 name the color space (ICC.1, section 7.2): pixels are RGB here.
        profile.len() <= MAX_PROFILE_BYTES && profile.get(16..20) == Some(b"RGB ")
    });
    let mut pixels = to_8_bit(DynamicImage::from_decoder(decoder)?);
    pixels.apply_orientation(orientation);
    Ok(Decoded {
        pixels,
        profile,
        is_turned: orientation != Orientation::NoTransforms,
    })
}

impl Decoded {
    /// Other pixels in the same colors.
    fn with(&self, pixels: DynamicImage) -> Self {
        Self {
            pixels,
            profile: self.profile.clone(),
            is_turned: self.is_turned,
        }
    }
}

/// The picture as a message shows it: all of it, or its beginning where the whole would be a line.
fn small_version(picture: &DynamicImage) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    if !is_cropped(width, height) {
        return shrink(picture, SMALL_SIDE);
    }
    let (shown_width, shown_height) = (width.min(DISPLAY_BOX.0), height.min(DISPLAY_BOX.1));
    // As wide or as high as the picture, and as the box in which it is shown otherwise.
    let piece = if height > width {
        let rows = u64::from(shown_height) * u64::from(width) / u64::from(shown_width);
        picture.crop_imm(0, 0, width, (rows as u32).clamp(1, height))
    } else {
        let columns = u64::from(shown_width) * u64::from(height) / u64::from(shown_height);
        picture.crop_imm(0, 0, (columns as u32).clamp(1, width), height)
    };
    shrink(&piece, SMALL_SIDE)
}

/// The picture for a screen: as many pixels as a square of [`LARGE_SIDE`] at most where it is long,
/// so that it can be read, and sides of that many else.
fn large_version(picture: &DynamicImage) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    if !is_cropped(width, height) {
        return shrink(picture, LARGE_SIDE);
    }
    let scale = f64::from(LARGE_SIDE) / (f64::from(width) * f64::from(height)).sqrt();
    shrink(picture, (f64::from(width.max(height)) * scale) as u32)
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

fn has_transparency(picture: &DynamicImage) -> bool {
    picture
        .as_rgba8()
        .is_some_and(|pixels| pixels.pixels().any(|pixel| pixel[3] != u8::MAX))
}

/// Encodes as JPEG where loss is acceptable and no pixel is transparent, else as PNG or lossless
/// WebP, whichever is smaller.
fn encode(picture: &Decoded, lossy: bool) -> ImageResult<Encoded> {
    let (pixels, profile) = (&picture.pixels, picture.profile.as_deref());
    let mut bytes = Vec::new();
    if lossy && !has_transparency(pixels) {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        write(&pixels.to_rgb8().into(), profile, encoder)?;
        let media = "image/jpeg";
        return Ok(Encoded { bytes, media });
    }
    write(pixels, profile, PngEncoder::new(&mut bytes))?;
    // Only of what fits a screen: both at once take more memory than the budget knows of.
    if pixels.width().max(pixels.height()) <= LARGE_SIDE {
        let mut webp = Vec::new();
        write(pixels, profile, WebPEncoder::new_lossless(&mut webp))?;
        if webp.len() < bytes.len() {
            return Ok(Encoded {
                bytes: webp,
                media: "image/webp",
            });
        }
    }
    let media = "image/png";
    Ok(Encoded { bytes, media })
}

fn write(
    pixels: &DynamicImage,
    profile: Option<&[u8]>,
    mut encoder: impl ImageEncoder,
) -> ImageResult<()> {
    if let Some(profile) = profile {
        // An encoder without profiles writes the same pixels in slightly other colors.
        let _ = encoder.set_icc_profile(profile.to_vec());
    }
    pixels.write_with_encoder(encoder)
}

#[cfg(test)]
mod tests;
