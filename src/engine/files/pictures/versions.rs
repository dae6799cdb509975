//! The smaller versions of a picture.

use image::DynamicImage;

/// The longer side of each smaller version, in pixels.
const SMALL_SIDE: u32 = 480;
pub(super) const LARGE_SIDE: u32 = 1600;
/// The longer side of a picture, times the shorter, from which on its small version is a piece of
/// it, and its large version is limited in pixels instead of its sides: the whole would be a line.
const MAX_RATIO: u32 = 3;
/// The width and height, in pixels, within which a message shows a picture.
const DISPLAY_BOX: (u32, u32) = (480, 360);

/// Whether a picture of this size, in pixels, is so long that its small version is a piece of it.
pub(in crate::engine::files) fn is_cropped(width: u32, height: u32) -> bool {
    let (long, short) = (width.max(height), width.min(height));
    let (box_width, box_height) = DISPLAY_BOX;
    long > short.saturating_mul(MAX_RATIO) && (width > box_width || height > box_height)
}

/// The picture as a message shows it: all of it, or its beginning where the whole would be a line.
pub(super) fn small_version(picture: &DynamicImage) -> DynamicImage {
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
pub(super) fn large_version(picture: &DynamicImage) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    if !is_cropped(width, height) {
        return shrink(picture, LARGE_SIDE);
    }
    let scale = f64::from(LARGE_SIDE) / (f64::from(width) * f64::from(height)).sqrt();
    shrink(picture, (f64::from(width.max(height)) * scale) as u32)
}

/// The picture with sides of at most `side` pixels; never enlarged.
pub(super) fn shrink(picture: &DynamicImage, side: u32) -> DynamicImage {
    if picture.width().max(picture.height()) > side {
        picture.thumbnail(side, side)
    } else {
        picture.clone()
    }
}
