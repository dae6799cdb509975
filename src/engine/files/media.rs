//! Media types, detected from the content: the type that an uploader claims is never trusted.

use super::tracks::is_sound_only;
use crate::base::text::{is_blank, limit_marks};

/// How a file may be served to browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A picture, of which only what decoding needs is served.
    Picture(&'static str),
    /// A picture that is shown as it was uploaded, without its metadata: nothing here can decode it,
    /// but some browsers can.
    Image(&'static str),
    /// A video, played inline.
    Video(&'static str),
    /// Sound, played inline.
    Audio(&'static str),
    /// Anything else: downloaded, never shown. Includes HTML and SVG, which may contain scripts.
    Other,
}

/// Bytes from the start of a file that detection needs, and most pictures to tell their size: their
/// Exif data, of 64 KiB at most, often comes before it.
pub(super) const SNIFF_BYTES: usize = 96 << 10;

impl Media {
    /// Detects the type from the first [`SNIFF_BYTES`] of the content.
    pub(super) fn sniff(head: &[u8]) -> Self {
        match infer::get(head).map_or("", |kind| kind.mime_type()) {
            "image/jpeg" => Self::Picture("image/jpeg"),
            "image/png" | "image/vnd.mozilla.apng" => Self::Picture("image/png"),
            "image/gif" => Self::Picture("image/gif"),
            "image/webp" => Self::Picture("image/webp"),
            "image/avif" => Self::Image("image/avif"),
            "image/heif" => Self::Image("image/heic"),
            // QuickTime is the format that MP4 was made of. Most videos in it are H.264 and AAC, which
            // browsers play as MP4, and refuse to try as QuickTime.
            "video/mp4" | "video/x-m4v" | "video/quicktime" if is_sound_only(head) => {
                Self::Audio("audio/mp4")
            }
            "video/mp4" | "video/x-m4v" | "video/quicktime" => Self::Video("video/mp4"),
            "video/webm" if is_sound_only(head) => Self::Audio("audio/webm"),
            "video/webm" => Self::Video("video/webm"),
            "audio/mpeg" => Self::Audio("audio/mpeg"),
            "audio/ogg" | "application/ogg" => Self::Audio("audio/ogg"),
            "audio/x-wav" => Self::Audio("audio/wav"),
            "audio/x-flac" => Self::Audio("audio/flac"),
            "audio/m4a" => Self::Audio("audio/mp4"),
            "audio/aac" => Self::Audio("audio/aac"),
            _ => Self::Other,
        }
    }

    /// The inverse of [`name`](Self::name), for names read from the database.
    pub(super) fn from_name(name: &str) -> Self {
        const KNOWN: [Media; 15] = [
            Media::Picture("image/jpeg"),
            Media::Picture("image/png"),
            Media::Picture("image/gif"),
            Media::Picture("image/webp"),
            Media::Image("image/avif"),
            Media::Image("image/heic"),
            Media::Video("video/mp4"),
            Media::Video("video/webm"),
            Media::Audio("audio/mpeg"),
            Media::Audio("audio/ogg"),
            Media::Audio("audio/webm"),
            Media::Audio("audio/wav"),
            Media::Audio("audio/flac"),
            Media::Audio("audio/mp4"),
            Media::Audio("audio/aac"),
        ];
        KNOWN
            .into_iter()
            .find(|media| media.name() == name)
            .unwrap_or(Self::Other)
    }

    /// The media type (RFC 6838), such as `image/png`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Picture(name) | Self::Image(name) | Self::Video(name) | Self::Audio(name) => name,
            Self::Other => "application/octet-stream",
        }
    }
}

/// The file name to store: the last component of the given path without characters that mislead
/// people or break file systems and headers, at most 120 characters and 240 bytes long.
pub(super) fn normalize_name(given: &str) -> String {
    const MAX_NAME_CHARS: usize = 120;
    const MAX_NAME_BYTES: usize = 240; // common file systems allow 255
    const MAX_EXTENSION_CHARS: usize = 16;
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    // Invisible characters, and marks that change the text direction and so can display "jpg.exe"
    // as "exe.gpj".
    let is_invisible = |c: char| {
        matches!(
            c,
            '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
    };
    // Windows forbids these in names.
    let is_reserved = |c: char| matches!(c, '"' | '<' | '>' | ':' | '|' | '?' | '*');
    let is_forbidden = |c: char| c.is_control() || is_invisible(c) || is_reserved(c);
    let clean: String = last
        .chars()
        .map(|c| if is_forbidden(c) { ' ' } else { c })
        .collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = limit_marks(&clean);
    let clean = clean.trim_matches(['.', ' ']);
    let (stem, extension) = match clean.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty() && extension.chars().count() <= MAX_EXTENSION_CHARS =>
        {
            (stem, format!(".{extension}"))
        }
        _ => (clean, String::new()),
    };
    let mut short: String = stem
        .chars()
        .take(MAX_NAME_CHARS - extension.chars().count())
        .collect();
    while short.len() + extension.len() > MAX_NAME_BYTES {
        short.pop();
    }
    let name = format!("{}{extension}", short.trim_end());
    if is_blank(&name) {
        "file".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sniffed_type_is_never_scriptable() {
        assert_eq!(
            Media::sniff(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            Media::Picture("image/png")
        );
        assert_eq!(
            Media::sniff(b"\xff\xd8\xff\xe0\0\x10JFIF"),
            Media::Picture("image/jpeg")
        );
        assert_eq!(
            Media::sniff(b"GIF89a<script>alert(1)</script>"),
            Media::Picture("image/gif")
        );
        assert_eq!(
            Media::sniff(b"\0\0\0\x14ftypqt  \0\0\0\0qt  "),
            Media::Video("video/mp4")
        );
        assert_eq!(
            Media::sniff(b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"),
            Media::Image("image/avif")
        );
        assert_eq!(
            Media::sniff(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
            Media::Image("image/heic")
        );
        for other in [
            &b"<!doctype html><script>"[..],
            b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
            b"%PDF-1.7",
            b"PK\x03\x04",
            b"MZ",
            b"hello",
            b"",
        ] {
            assert_eq!(Media::sniff(other), Media::Other, "{other:?}");
        }
        assert_eq!(Media::from_name("text/html"), Media::Other);
        assert_eq!(Media::from_name("video/mp4"), Media::Video("video/mp4"));
    }

    #[test]
    fn file_name_is_normalized_and_has_no_path() {
        for (given, stored) in [
            ("holiday.jpg", "holiday.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\x.txt", "x.txt"),
            ("a\r\nset-cookie: x.png", "a set-cookie x.png"),
            ("..", "file"),
            ("", "file"),
            ("\u{3164}\u{2800}", "file"),
            (".profile", "profile"),
            ("Ferien am Meer – Bucht.png", "Ferien am Meer – Bucht.png"),
            ("\u{202e}gpj.exe", "gpj.exe"),
        ] {
            assert_eq!(normalize_name(given), stored, "{given:?}");
        }
        let long = normalize_name(&format!("{}.jpeg", "ö".repeat(4000)));
        assert!(long.ends_with("ö.jpeg") && long.len() <= 240, "{long}");
        assert!(normalize_name(&"👩‍👩‍👧‍👦".repeat(1000)).len() <= 240);
    }
}
