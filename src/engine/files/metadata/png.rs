//! PNG: a list of chunks with checksums (PNG specification, section 5.3).

use super::orientation_only;
use super::patch::{Malformed, Patch, Result};

/// Clears text, time and Exif chunks, and whatever follows the picture.
pub(super) fn clear(patch: &mut Patch) -> Result<()> {
    /// The largest metadata that is looked at; larger chunks are cleared unseen.
    const MAX_EXIF_BYTES: usize = 1 << 20;
    let mut at = 8;
    loop {
        let length = u64::from(u32::from_be_bytes(patch.bytes(at)?));
        let name: [u8; 4] = patch.bytes(at + 4)?;
        let end = at + 8 + length + 4;
        if end > patch.size() {
            return Err(Malformed::Damaged);
        }
        match &name {
            b"IEND" => return patch.zero(end, patch.size()),
            b"eXIf" if length >= 26 => {
                let exif = patch.part(at + 8, length, MAX_EXIF_BYTES)?;
                patch.write(at + 8, &orientation_only(&exif))?;
                patch.zero(at + 34, length - 26)?;
                write_checksum(patch, at, length)?;
            }
            b"tEXt" | b"zTXt" | b"iTXt" | b"eXIf" | b"tIME" => {
                // A private chunk, which decoders skip: an empty text chunk is invalid.
                patch.write(at + 4, b"spAc")?;
                patch.zero(at + 8, length)?;
                write_checksum(patch, at, length)?;
            }
            _ => {}
        }
        at = end;
    }
}

/// Writes the checksum of the chunk at `at`, of its name and content.
fn write_checksum(patch: &mut Patch, at: u64, length: u64) -> Result<()> {
    const PIECE_BYTES: usize = 64 << 10;
    let (mut checksum, mut from, end) = (flate2::Crc::new(), at + 4, at + 8 + length);
    while from < end {
        let piece = patch.part(from, end - from, PIECE_BYTES)?;
        checksum.update(&piece);
        from += piece.len() as u64;
    }
    patch.write(end, &checksum.sum().to_be_bytes())
}
