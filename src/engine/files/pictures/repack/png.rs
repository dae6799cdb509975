//! PNG: a list of chunks.

use super::{Parts, Repacked};

/// PNG and APNG (PNG specification, third edition, section 11).
pub(super) fn copy(parts: &mut Parts) -> Option<Repacked> {
    let mut bytes = parts.take(8)?.to_vec();
    let (mut frames, mut has_pixels) = (1, false);
    loop {
        let length = u32::from_be_bytes(parts.0.get(..4)?.try_into().ok()?);
        let chunk = parts.take((length as usize).checked_add(12)?)?;
        let name: &[u8; 4] = chunk[4..8].try_into().ok()?;
        match name {
            // Where it comes after the pixels it is invalid, and ignored.
            b"acTL" if length == 8 && !has_pixels => {
                frames = u32::from_be_bytes(chunk[8..12].try_into().ok()?);
            }
            b"IDAT" => has_pixels = true,
            _ => {}
        }
        let is_needed = matches!(
            name,
            b"IHDR"
                | b"PLTE"
                | b"IDAT"
                | b"IEND"
                | b"tRNS"
                | b"gAMA"
                | b"cHRM"
                | b"sRGB"
                | b"iCCP"
                | b"cICP"
                | b"sBIT"
                | b"bKGD"
                | b"pHYs"
                | b"acTL"
                | b"fcTL"
                | b"fdAT"
        );
        if is_needed {
            bytes.extend(chunk);
        }
        if name == b"IEND" {
            let is_animated = frames > 1;
            return has_pixels.then_some(Repacked { bytes, is_animated });
        }
    }
}
