//! Copies of pictures that keep every pixel as it was encoded, and nothing else: only the parts of
//! a format that decoding needs are copied. Metadata, comments and appended content are not.

mod gif;
mod jpeg;
mod png;
mod webp;

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
        ImageFormat::Gif => gif::copy(&mut parts),
        ImageFormat::Png => png::copy(&mut parts),
        ImageFormat::WebP => webp::copy(&mut parts),
        ImageFormat::Jpeg => jpeg::copy(content),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::webp::write_webp_chunk;
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

    proptest! {
        #[test]
        fn arbitrary_content_is_copied_or_refused(
            kind in 0..4_usize,
            rest in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let (format, head) = [
                (ImageFormat::Gif, &b"GIF89a\x01\0\x01\0\0\0\0\x21"[..]),
                (ImageFormat::Png, b"\x89PNG\r\n\x1a\n\0\0\0"),
                (ImageFormat::WebP, b"RIFF\x40\0\0\0WEBPANMF\x20\0\0\0"),
                (ImageFormat::Jpeg, b"\xff\xd8\xff\xe0\0\x10JFIF\0"),
            ][kind];
            let content = [head, &rest].concat();
            if let Some(copy) = repack(&content, format) {
                prop_assert!(copy.bytes.len() <= content.len() + 16);
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
