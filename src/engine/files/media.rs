//! What a file is, found from its content. What somebody says it is counts for nothing.

/// How a browser may be given a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A picture that is made anew before anyone sees it.
    Picture(&'static str),
    /// A film, played in place.
    Video(&'static str),
    /// Sound, played in place.
    Audio(&'static str),
    /// Anything else: to be saved, never shown. HTML and SVG among it, for they can hold scripts.
    Other,
}

/// Bytes from the beginning that are looked at.
pub(super) const LOOKED_AT: usize = 8192;

impl Media {
    /// By the beginning of the content.
    pub(super) fn of(beginning: &[u8]) -> Self {
        match infer::get(beginning).map_or("", |kind| kind.mime_type()) {
            "image/jpeg" => Self::Picture("image/jpeg"),
            "image/png" | "image/vnd.mozilla.apng" => Self::Picture("image/png"),
            "image/gif" => Self::Picture("image/gif"),
            "image/webp" => Self::Picture("image/webp"),
            "video/mp4" | "video/x-m4v" => Self::Video("video/mp4"),
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

    /// The same from what was stored.
    pub(super) fn stored(name: &str) -> Self {
        const KNOWN: [Media; 12] = [
            Media::Picture("image/jpeg"),
            Media::Picture("image/png"),
            Media::Picture("image/gif"),
            Media::Picture("image/webp"),
            Media::Video("video/mp4"),
            Media::Video("video/webm"),
            Media::Audio("audio/mpeg"),
            Media::Audio("audio/ogg"),
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

    /// Its media type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Picture(name) | Self::Video(name) | Self::Audio(name) => name,
            Self::Other => "application/octet-stream",
        }
    }
}

/// A file's name as it is kept: the last part of what was given, without what confuses people,
/// systems or headers, and short enough for any of them.
pub(super) fn normalize_name(given: &str) -> String {
    const MAX_NAME_BYTES: usize = 120; // characters, and no more bytes than file systems take
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    // Direction marks could make "exe.gpj" of "jpg.exe".
    // What no eye sees, and what turns the direction of text: a name must not look like another.
    let is_invisible = |c: char| {
        matches!(
            c,
            '\u{200b}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
    };
    // What Windows allows in no name.
    let is_reserved = |c: char| matches!(c, '"' | '<' | '>' | ':' | '|' | '?' | '*');
    let is_odd = |c: char| c.is_control() || is_invisible(c) || is_reserved(c);
    let clean: String = last
        .chars()
        .map(|c| if is_odd(c) { ' ' } else { c })
        .collect();
    let clean = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean = clean.trim_matches(['.', ' ']);
    let (stem, ending) = match clean.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && ending.chars().count() <= 16 => {
            (stem, format!(".{ending}"))
        }
        _ => (clean, String::new()),
    };
    let mut short: String = stem
        .chars()
        .take(MAX_NAME_BYTES - ending.chars().count())
        .collect();
    while short.len() + ending.len() > 240 {
        short.pop();
    }
    let name = format!("{}{ending}", short.trim_end());
    if name.is_empty() {
        "file".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_says_what_it_is_and_what_could_run_is_nothing() {
        assert_eq!(
            Media::of(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
            Media::Picture("image/png")
        );
        assert_eq!(
            Media::of(b"\xff\xd8\xff\xe0\0\x10JFIF"),
            Media::Picture("image/jpeg")
        );
        assert_eq!(
            Media::of(b"GIF89a<script>alert(1)</script>"),
            Media::Picture("image/gif")
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
            assert_eq!(Media::of(other), Media::Other, "{other:?}");
        }
        assert_eq!(Media::stored("text/html"), Media::Other);
        assert_eq!(Media::stored("video/mp4"), Media::Video("video/mp4"));
    }

    #[test]
    fn names_are_tidied_and_never_a_way_out() {
        for (given, kept) in [
            ("holiday.jpg", "holiday.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\temp\\x.txt", "x.txt"),
            ("a\r\nset-cookie: x.png", "a set-cookie x.png"),
            ("..", "file"),
            ("", "file"),
            (".profile", "profile"),
            ("Ferien am Meer – Bucht.png", "Ferien am Meer – Bucht.png"),
            ("\u{202e}gpj.exe", "gpj.exe"),
        ] {
            assert_eq!(normalize_name(given), kept, "{given:?}");
        }
        let long = normalize_name(&format!("{}.jpeg", "ö".repeat(4000)));
        assert!(long.ends_with("ö.jpeg") && long.len() <= 240, "{long}");
        assert!(normalize_name(&"👩‍👩‍👧‍👦".repeat(1000)).len() <= 240);
    }
}
