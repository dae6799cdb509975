//! JPEG: a list of segments, then compressed data (ITU T.81, annex B).

use super::orientation_only;
use super::patch::{Malformed, Patch, Result};

/// Clears every application segment and comment but those that decoding needs, and whatever
/// follows the picture: cameras append further pictures and videos with metadata of their own.
pub(super) fn clear(patch: &mut Patch) -> Result<()> {
    let mut at = 2;
    loop {
        let [first, marker] = patch.bytes(at)?;
        match (first, marker) {
            (0xff, 0xff) => at += 1, // padding
            (0xff, 0xd9) => return patch.zero(at + 2, patch.size()),
            (0xff, 0xda) => at = end_of_scan(patch, at)?,
            (0xff, 0x01 | 0xd0..=0xd8) => at += 2, // without a length
            (0xff, marker) => {
                let length = u64::from(u16::from_be_bytes(patch.bytes(at + 2)?));
                let payload = length.checked_sub(2).ok_or(Malformed::Damaged)?;
                if matches!(marker, 0xe0..=0xef | 0xfe) {
                    clear_segment(patch, marker, at + 4, payload)?;
                }
                at += 2 + length;
            }
            _ => return Err(Malformed::Damaged),
        }
    }
}

fn clear_segment(patch: &mut Patch, marker: u8, at: u64, length: u64) -> Result<()> {
    let content = patch.part(at, length, usize::from(u16::MAX))?;
    let is_needed = match marker {
        0xe0 => content.starts_with(b"JFIF\0"),
        0xe2 => content.starts_with(b"ICC_PROFILE\0"),
        0xee => content.starts_with(b"Adobe"),
        _ => false,
    };
    if is_needed {
        return Ok(());
    }
    match content.strip_prefix(b"Exif\0\0") {
        Some(exif) if exif.len() >= 26 => {
            patch.write(at + 6, &orientation_only(exif))?;
            patch.zero(at + 32, length - 32)
        }
        _ => patch.zero(at, length),
    }
}

/// Where the next marker after a scan is: a byte of 0xff that neither a zero nor a restart marker
/// follows.
fn end_of_scan(patch: &mut Patch, scan: u64) -> Result<u64> {
    const PIECE_BYTES: usize = 256 << 10;
    let mut at = scan + 2;
    loop {
        let piece = patch.part(at, PIECE_BYTES as u64, PIECE_BYTES)?;
        let marker = piece
            .windows(2)
            .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7 | 0xff));
        match marker {
            Some(index) => return Ok(at + index as u64),
            None if piece.len() < 2 => return Err(Malformed::Damaged),
            // The last byte again: it may be the first of a marker.
            None => at += piece.len() as u64 - 1,
        }
    }
}
