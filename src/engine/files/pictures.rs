//! What is shown of an uploaded picture: smaller versions, encoded from its pixels, and a copy in
//! full size without anything else in the file: metadata such as the place where it was taken, and
//! other content appended to it.

mod encode;
mod repack;
mod versions;

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits};

use super::picture_memory::{self, MAX_SIDE};
pub(super) use encode::Encoded;
use encode::{blur_url, encode, flatten_on_white, has_transparency};
use repack::repack;
pub(super) use versions::is_cropped;
use versions::{LARGE_SIDE, large_version, small_version};

/// The largest file, in bytes, that is processed as a picture. Larger ones are downloads only.
pub(super) const MAX_PICTURE_BYTES: u64 = 32 << 20;
/// What decoders allocate to read the head of a picture, besides the content.
const HEAD_BYTES: u64 = 4 << 20;
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

/// A decoded picture.
struct Decoded {
    pixels: DynamicImage,
    /// Its color profile, which every version needs to be shown in the same colors.
    profile: Option<Vec<u8>>,
    /// Whether the pixels had to be turned to be upright.
    is_turned: bool,
}

/// The bytes of memory that [`make_versions`] takes at most, found without decoding.
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

/// Width and height of a picture in upright orientation, in pixels, as far as the beginning of its
/// content tells them. They are not checked before the picture is decoded.
pub(super) fn announced_size(head: &[u8], media: &str) -> Option<(u32, u32)> {
    let mut decoder = decoder(head, format_of(media), HEAD_BYTES).ok()?;
    let (width, height) = decoder.dimensions();
    let is_sideways = matches!(
        decoder.orientation(),
        Ok(Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH)
    );
    Some(if is_sideways {
        (height, width)
    } else {
        (width, height)
    })
}

/// Makes the versions of a picture within `max_memory` bytes, which are at least [`memory_needed`]; with
/// `opaque`, renders its smaller versions on white. Blocks for seconds: call it on a blocking
/// thread.
///
/// # Errors
/// When the content is not a picture of this media type, or exceeds a limit.
pub(super) fn make_versions(
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

#[cfg(test)]
mod tests;
