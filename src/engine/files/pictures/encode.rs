//! Encoding pixels, for versions of a picture.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ImageEncoder, ImageResult, RgbImage};

use super::Decoded;
use super::versions::{LARGE_SIDE, shrink};

const JPEG_QUALITY: u8 = 88;
/// The longer side of a placeholder, in pixels.
const BLUR_SIDE: u32 = 14;

/// An encoded picture and its media type.
#[derive(Clone)]
pub(in crate::engine::files) struct Encoded {
    pub(in crate::engine::files) bytes: Vec<u8>,
    pub(in crate::engine::files) media: &'static str,
}

/// Encodes as JPEG where loss is acceptable and no pixel is transparent, else as PNG or lossless
/// WebP, whichever is smaller.
pub(super) fn encode(picture: &Decoded, lossy: bool) -> ImageResult<Encoded> {
    let (pixels, profile) = (&picture.pixels, picture.profile.as_deref());
    let mut bytes = Vec::new();
    if lossy && !has_transparency(pixels) {
        let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
        if pixels.color().has_alpha() {
            write(&pixels.to_rgb8().into(), profile, encoder)?;
        } else {
            write(pixels, profile, encoder)?;
        }
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

pub(super) fn has_transparency(picture: &DynamicImage) -> bool {
    picture
        .as_rgba8()
        .is_some_and(|pixels| pixels.pixels().any(|pixel| pixel[3] != u8::MAX))
}

/// Blends transparent pixels with white.
pub(super) fn flatten_on_white(picture: DynamicImage) -> DynamicImage {
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

pub(super) fn blur_url(picture: &DynamicImage) -> ImageResult<String> {
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
