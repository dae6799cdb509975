//! Removing from an uploaded file where it was taken, and by whom: Exif, XMP, IPTC and the
//! metadata of videos.
//!
//! Pictures are copied without it as well; this is for what is not: videos, formats that are not
//! decoded here, pictures that are too large or damaged. Bytes are overwritten in place, so that no offset
//! in the file has to be changed. A damaged file is cleared as far as it can be read.

mod gif;
mod isobmff;
mod jpeg;
mod patch;
mod png;
#[cfg(test)]
mod tests;
mod tiff;
mod webp;

use std::fs::File;
use std::io;

use image::metadata::Orientation;

use patch::{Malformed, Patch};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cleared {
    /// There was nothing to remove.
    Unchanged,
    /// Metadata was overwritten: the digest is another one.
    Changed,
    /// It has metadata that cannot be removed.
    Impossible,
}

/// Overwrites the metadata in a file of `size` bytes, which starts with `head`. Doing it again
/// changes nothing. Blocks: call it on a blocking thread.
///
/// # Errors
/// When the file cannot be read or written.
pub(super) fn clear(file: &File, size: u64, head: &[u8]) -> io::Result<Cleared> {
    let mut patch = Patch::new(file, size);
    let cleared = match head {
        [b'G', b'I', b'F', b'8', ..] => gif::clear(&mut patch),
        [0xff, 0xd8, 0xff, ..] => jpeg::clear(&mut patch),
        [0x89, b'P', b'N', b'G', ..] => png::clear(&mut patch),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => {
            tiff::clear(&mut patch, 0, size)
        }
        _ if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") => {
            webp::clear(&mut patch)
        }
        _ if isobmff::is_one(head) => isobmff::clear(&mut patch),
        _ => Ok(()),
    };
    match cleared {
        Ok(()) | Err(Malformed::Damaged) if patch.is_changed() => Ok(Cleared::Changed),
        Ok(()) | Err(Malformed::Damaged) => Ok(Cleared::Unchanged),
        Err(Malformed::Unsupported) => Ok(Cleared::Impossible),
        Err(Malformed::Io(error)) => Err(error),
    }
}

/// Exif data that says nothing but how to turn the picture (TIFF 6.0, section 2).
fn orientation_only(exif: &[u8]) -> [u8; 26] {
    let orientation = Orientation::from_exif_chunk(exif).unwrap_or(Orientation::NoTransforms);
    let mut bytes = *b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    bytes[19] = orientation.to_exif();
    bytes
}
