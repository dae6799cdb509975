//! WebP: a list of RIFF chunks (RFC 9649, section 2.3).

use super::orientation_only;
use super::patch::{Patch, Result};

/// Clears the Exif and XMP chunks, and whatever follows the list.
pub(super) fn clear(patch: &mut Patch) -> Result<()> {
    const MAX_EXIF_BYTES: usize = 1 << 20;
    let end = 8 + u64::from(u32::from_le_bytes(patch.bytes(4)?));
    let mut at = 12;
    while at < end {
        let name: [u8; 4] = patch.bytes(at)?;
        let length = u64::from(u32::from_le_bytes(patch.bytes(at + 4)?));
        match &name {
            b"EXIF" if length >= 26 => {
                let content = patch.part(at + 8, length, MAX_EXIF_BYTES)?;
                let exif = content.strip_prefix(b"Exif\0\0").unwrap_or(&content);
                patch.write(at + 8, &orientation_only(exif))?;
                patch.zero(at + 34, length - 26)?;
            }
            b"EXIF" | b"XMP " => patch.zero(at + 8, length)?,
            _ => {}
        }
        at += 8 + length + length % 2;
    }
    patch.zero(end, patch.size())
}
