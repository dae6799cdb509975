//! How much memory a picture takes while its versions are made, computed from its head. Nothing is
//! decoded before this is known, and before the server's budget has room for it.

use image::metadata::Orientation;
use image::{ColorType, ImageDecoder, ImageFormat};

/// The largest width and height, in pixels.
pub(super) const MAX_SIDE: u32 = 16_384;
/// Tables, rows and smaller versions, in bytes: large is at most 1,600 pixels wide and high.
const FIXED_BYTES: u64 = 24 << 20;

/// The bytes that this takes at most: the content, the decoder's own memory and pixels, and
/// each copy of them that exists at the same time.
pub(super) fn needed(content: &[u8], format: ImageFormat, decoder: &mut impl ImageDecoder) -> u64 {
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let color = decoder.color_type();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let decoded = pixels * u64::from(color.bytes_per_pixel());
    let final_size = pixels * if color.has_alpha() { 4 } else { 3 };
    let is_final = matches!(color, ColorType::Rgb8 | ColorType::Rgba8);
    let converted = decoded + if is_final { 0 } else { final_size };
    let rotated = match orientation {
        Orientation::NoTransforms => 0,
        _ => final_size * 2,
    };
    // Encoding as PNG or WebP may not compress at all; JPEG does.
    let encoded = final_size
        + if format == ImageFormat::Jpeg {
            pixels
        } else {
            final_size
        };
    // Blending with white, or dropping an opaque alpha channel, makes a copy.
    let opaque = final_size + if color.has_alpha() { pixels * 3 } else { 0 };
    let peak = (decoded + decoder_bytes(content, format, pixels))
        .max(converted)
        .max(rotated)
        .max(encoded)
        .max(opaque);
    // The content twice more: its copy without metadata, and decoders copy the metadata that it may
    // consist of.
    (peak + content.len() as u64 * 3).saturating_add(FIXED_BYTES)
}

/// What the decoder of a format allocates besides the pixels that it returns.
fn decoder_bytes(content: &[u8], format: ImageFormat, pixels: u64) -> u64 {
    match format {
        ImageFormat::Jpeg if is_baseline(content) => 0,
        // All coefficients, of two bytes, of up to four components.
        ImageFormat::Jpeg => pixels * 8,
        ImageFormat::WebP => pixels * 6,
        // The canvas, and the frame.
        ImageFormat::Gif => pixels * 13,
        _ => pixels,
    }
}

/// Whether a JPEG is decoded row by row: its first frame header is SOF0 or SOF1 (ITU T.81, table
/// B.1), and there is no other.
fn is_baseline(content: &[u8]) -> bool {
    let markers = content.windows(2).filter(|pair| pair[0] == 0xff);
    let mut frames = markers
        .map(|pair| pair[1])
        .filter(|marker| matches!(marker, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf));
    // Markers within entropy-coded data are escaped; in metadata, another one only costs budget.
    frames.all(|marker| matches!(marker, 0xc0 | 0xc1))
}
