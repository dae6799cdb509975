//! WebP: a list of RIFF chunks.

use super::{Parts, Repacked};

/// WebP (RFC 9649, section 2).
pub(super) fn copy(parts: &mut Parts) -> Option<Repacked> {
    let head = parts.take(12)?;
    let length = u32::from_le_bytes(head[4..8].try_into().ok()?) as usize;
    let mut chunks = Parts(parts.0.get(..length.checked_sub(4)?)?);
    let (mut bytes, mut frames) = (head.to_vec(), 0_u32);
    while !chunks.0.is_empty() {
        let (name, content) = webp_chunk(&mut chunks)?;
        match name {
            b"VP8X" => {
                let mut flags = content.to_vec();
                *flags.first_mut()? &= !0x0c; // no Exif, no XMP
                write_webp_chunk(&mut bytes, name, &flags);
            }
            b"ANMF" => {
                let (place, mut inner) =
                    content.split_at_checked(16).map(|(a, b)| (a, Parts(b)))?;
                let mut frame = place.to_vec();
                while !inner.0.is_empty() {
                    let (name, content) = webp_chunk(&mut inner)?;
                    if matches!(name, b"ALPH" | b"VP8 " | b"VP8L") {
                        write_webp_chunk(&mut frame, name, content);
                    }
                }
                write_webp_chunk(&mut bytes, name, &frame);
                frames += 1;
            }
            b"VP8 " | b"VP8L" | b"ALPH" | b"ANIM" | b"ICCP" => {
                write_webp_chunk(&mut bytes, name, content);
            }
            _ => {}
        }
    }
    let length = u32::try_from(bytes.len() - 8).ok()?;
    bytes[4..8].copy_from_slice(&length.to_le_bytes());
    Some(Repacked {
        bytes,
        is_animated: frames > 1,
    })
}

fn webp_chunk<'a>(parts: &mut Parts<'a>) -> Option<(&'a [u8; 4], &'a [u8])> {
    let name = parts.take(4)?.try_into().ok()?;
    let length = u32::from_le_bytes(parts.take(4)?.try_into().ok()?) as usize;
    let content = parts.take(length)?;
    // Chunks have an even length; the padding of the last one may be left out.
    let padding = (length % 2).min(parts.0.len());
    parts.take(padding)?;
    Some((name, content))
}

pub(super) fn write_webp_chunk(to: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    to.extend(name);
    to.extend(
        u32::try_from(content.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    to.extend(content);
    to.extend(&[0][..content.len() % 2]);
}
