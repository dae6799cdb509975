//! Copies of pictures that keep every pixel as it was encoded, and nothing else: only the parts of
//! a format that decoding needs are copied. Metadata, comments and appended content are not.

use image::ImageFormat;

/// A copy of a picture without metadata.
pub(super) struct Repacked {
    pub(super) bytes: Vec<u8>,
    /// Whether it has more than one frame.
    pub(super) is_animated: bool,
}

/// Copies a picture. Nothing for a format, or a damaged structure, that is not understood.
pub(super) fn repack(content: &[u8], format: ImageFormat) -> Option<Repacked> {
    let mut parts = Parts(content);
    match format {
        ImageFormat::Gif => gif(&mut parts),
        ImageFormat::Png => png(&mut parts),
        ImageFormat::WebP => webp(&mut parts),
        ImageFormat::Jpeg => jpeg(content),
        _ => None,
    }
}

/// What of the content has not been read.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(part)
    }
}

/// GIF (GIF89a specification): keeps frames, their control blocks, and the number of repeats.
fn gif(parts: &mut Parts) -> Option<Repacked> {
    let head = parts.take(13)?;
    if !head.starts_with(b"GIF8") {
        return None;
    }
    let (mut bytes, mut frames) = (head.to_vec(), 0_u32);
    bytes.extend(parts.take(color_table_bytes(head[10]))?);
    // A file that breaks off ends with its last whole frame, as browsers show it.
    while gif_block(parts, head, &mut bytes, &mut frames).is_some() {}
    bytes.push(0x3b);
    (frames > 0).then_some(Repacked {
        bytes,
        is_animated: frames > 1,
    })
}

/// Copies one block. Nothing at the end, or where the structure is damaged.
fn gif_block(parts: &mut Parts, head: &[u8], to: &mut Vec<u8>, frames: &mut u32) -> Option<()> {
    match parts.take(1)?[0] {
        0x21 => {
            let label = parts.take(1)?[0];
            let blocks = sub_blocks(parts)?;
            let is_needed = match label {
                0xf9 => blocks.len() == 6,
                // The application extension that says how often to repeat (length 3, id 1).
                0xff => blocks.len() == 17 && blocks[12..14] == [3, 1],
                _ => false,
            };
            if is_needed {
                to.extend([0x21, label]);
                to.extend(blocks);
            }
        }
        0x2c => {
            let place = parts.take(9)?;
            let table = parts.take(color_table_bytes(place[8]))?;
            let code_size = parts.take(1)?;
            let pixels = sub_blocks(parts)?;
            // A frame that exceeds the screen would make browsers reserve more than was checked.
            let ends_within = |at: usize| {
                let number =
                    |from: &[u8], at| u32::from(u16::from_le_bytes([from[at], from[at + 1]]));
                number(place, at) + number(place, at + 4) <= number(head, at + 6)
            };
            if ends_within(0) && ends_within(2) {
                to.push(0x2c);
                [place, table, code_size, pixels]
                    .iter()
                    .for_each(|part| to.extend(*part));
                *frames += 1;
            }
        }
        _ => return None,
    }
    Some(())
}

/// The size of the color table that the flags of a screen or a frame announce.
fn color_table_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// Sub-blocks with their lengths, up to and with the empty one.
fn sub_blocks<'a>(parts: &mut Parts<'a>) -> Option<&'a [u8]> {
    let mut length = 0;
    loop {
        let block = usize::from(*parts.0.get(length)?);
        length += 1 + block;
        if block == 0 {
            return parts.take(length);
        }
    }
}

/// PNG and APNG (PNG specification, third edition, section 11).
fn png(parts: &mut Parts) -> Option<Repacked> {
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

/// WebP (RFC 9649, section 2).
fn webp(parts: &mut Parts) -> Option<Repacked> {
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

fn write_webp_chunk(to: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    to.extend(name);
    to.extend(
        u32::try_from(content.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    to.extend(content);
    to.extend(&[0][..content.len() % 2]);
}

/// JPEG (ITU T.81, annex B): tables, frames and scans, and the segments that say how colors are
/// stored.
fn jpeg(content: &[u8]) -> Option<Repacked> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"54.1234 N";

    fn holds_secret(bytes: &[u8]) -> bool {
        bytes.windows(SECRET.len()).any(|some| some == SECRET)
    }

    /// A GIF of frames of one pixel, with a comment and an application's data between them.
    fn gif_of(frames: usize) -> Vec<u8> {
        const FRAME: &[u8] =
            b"\x21\xf9\x04\0\x0a\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0";
        let comment = [&b"\x21\xfe\x09"[..], SECRET, b"\0"].concat();
        let xmp = [&b"\x21\xff\x0bXMP DataXMP\x09"[..], SECRET, b"\0"].concat();
        let mut bytes = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
        bytes.extend(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0");
        for _ in 0..frames {
            bytes.extend([&comment, &xmp, FRAME].concat());
        }
        bytes.push(0x3b);
        bytes
    }

    #[test]
    fn gif_keeps_frames_and_repeats_only() {
        let content = [gif_of(3), SECRET.to_vec()].concat();
        let copy = repack(&content, ImageFormat::Gif).unwrap();
        assert!(copy.is_animated && !holds_secret(&copy.bytes));
        assert!(copy.bytes.windows(11).any(|some| some == b"NETSCAPE2.0"));
        assert_eq!(copy.bytes.iter().filter(|byte| **byte == 0x2c).count(), 3);
        assert!(!repack(&gif_of(1), ImageFormat::Gif).unwrap().is_animated);
        assert!(repack(&gif_of(0), ImageFormat::Gif).is_none());
        // Broken off within the third frame.
        let broken = &content[..content.len() - SECRET.len() - 4];
        let copy = repack(broken, ImageFormat::Gif).unwrap();
        assert_eq!(copy.bytes.iter().filter(|byte| **byte == 0x2c).count(), 2);
        assert!(image::load_from_memory(&copy.bytes).is_ok());
    }

    #[test]
    fn damaged_pictures_are_not_copied() {
        let formats = [
            ImageFormat::Gif,
            ImageFormat::Png,
            ImageFormat::WebP,
            ImageFormat::Jpeg,
        ];
        for format in formats {
            for content in [
                &b""[..],
                b"GIF89a",
                b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT",
                b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff",
                b"RIFF\x0c\0\0\0WEBPVP8X\xff\xff\xff\x7f",
                b"\xff\xd8\xff\xe0\0\0",
                b"\xff\xd8\xff\xda\0\x02abc",
            ] {
                assert!(repack(content, format).is_none(), "{format:?} {content:?}");
            }
        }
    }

    #[test]
    fn webp_loses_exif_within_and_beside_frames() {
        let mut frame = vec![0; 16];
        write_webp_chunk(&mut frame, b"VP8L", b"pixels!");
        write_webp_chunk(&mut frame, b"EXIF", SECRET);
        let mut content = b"RIFF\0\0\0\0WEBP".to_vec();
        write_webp_chunk(&mut content, b"VP8X", &[0x1e, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        write_webp_chunk(&mut content, b"ANIM", &[0; 6]);
        write_webp_chunk(&mut content, b"ANMF", &frame);
        write_webp_chunk(&mut content, b"ANMF", &frame);
        write_webp_chunk(&mut content, b"XMP ", SECRET);
        let length = (content.len() as u32 - 8).to_le_bytes();
        content[4..8].copy_from_slice(&length);
        content.extend(SECRET);
        let copy = repack(&content, ImageFormat::WebP).unwrap();
        assert!(copy.is_animated && !holds_secret(&copy.bytes));
        assert_eq!(copy.bytes[20], 0x12, "the flags of metadata are cleared");
        assert_eq!(copy.bytes.len() % 2, 0);
        let length = u32::from_le_bytes(copy.bytes[4..8].try_into().unwrap());
        assert_eq!(length as usize + 8, copy.bytes.len());
    }
}
