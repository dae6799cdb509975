//! JPEG: a list of segments, and scans.

use super::{Parts, Repacked};

/// JPEG (ITU T.81, annex B): tables, frames and scans, and the segments that say how colors are
/// stored.
pub(super) fn copy(content: &[u8]) -> Option<Repacked> {
    /// Marker, length and fields of JFIF, without the thumbnail that may follow.
    const JFIF_BYTES: usize = 18;
    let mut parts = Parts(content);
    let mut bytes = parts.take(2)?.to_vec();
    loop {
        let marker = *parts.0.get(1)?;
        match (parts.0[0], marker) {
            (0xff, 0xff) => drop(parts.take(1)?), // padding
            (0xff, 0xd9) => {
                bytes.extend([0xff, 0xd9]);
                return Some(Repacked {
                    bytes,
                    is_animated: false,
                });
            }
            (0xff, 0xc0..=0xcf | 0xda..=0xdd | 0xe0 | 0xe2 | 0xee) => {
                let segment = segment(&mut parts)?;
                match marker {
                    0xe0 if segment[4..].starts_with(b"JFIF\0") => {
                        bytes.extend([0xff, 0xe0, 0, 16]);
                        bytes.extend(segment.get(4..JFIF_BYTES - 2)?);
                        bytes.extend([0, 0]);
                    }
                    0xe2 if segment[4..].starts_with(b"ICC_PROFILE\0") => bytes.extend(segment),
                    0xee if segment[4..].starts_with(b"Adobe") => bytes.extend(segment),
                    0xe0 | 0xe2 | 0xee => {}
                    _ => bytes.extend(segment),
                }
                if marker == 0xda {
                    bytes.extend(parts.take(scan_bytes(parts.0)?)?);
                }
            }
            (0xff, 0x02..=0xbf | 0xde..=0xfe) => drop(segment(&mut parts)?),
            _ => return None,
        }
    }
}

/// A segment, with its marker and its length.
fn segment<'a>(parts: &mut Parts<'a>) -> Option<&'a [u8]> {
    let length = usize::from(u16::from_be_bytes([*parts.0.get(2)?, *parts.0.get(3)?]));
    parts.take(2 + length.max(2))
}

/// The length of a scan's data: up to a marker that is neither an escaped byte nor a restart.
fn scan_bytes(data: &[u8]) -> Option<usize> {
    data.windows(2)
        .position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7 | 0xff))
}
