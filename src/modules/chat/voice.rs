//! Voice messages: what a page says of a recording that it uploaded. Pure.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::base::error::{Check, Error, Result};
use crate::base::locale::Lang;

/// Milliseconds of a recording.
pub const MAX_VOICE_MS: i64 = 600_000;
const VOICE_MINUTES: usize = (MAX_VOICE_MS / 60_000) as usize;
/// Samples of a waveform.
pub const MAX_WAVEFORM_SAMPLES: usize = 64;

/// Units of the drawing for each bar of a waveform, and its height.
const BAR_WIDTH: usize = 4;
const BAR_HEIGHT: usize = 28;

/// What makes a file of sound a voice message. The page that recorded it says this: the server
/// checks its bounds, and that the file is sound, but not whether it is true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// How long it is, in milliseconds. A recording of a browser does not say that itself.
    pub duration: i64,
    /// How loud it is over time: up to 64 bytes, in hexadecimal.
    pub waveform: String,
}

impl Voice {
    /// Reads `<milliseconds> <waveform>`, as a post sends it; nothing is a file without the mark.
    ///
    /// # Errors
    /// `Invalid` for what has another form, and for a recording that is too long.
    pub(super) fn parse(text: &str) -> Result<Option<Self>> {
        if text.is_empty() {
            return Ok(None);
        }
        let malformed = || Error::field("files", "error-voice-shape");
        let (duration, waveform) = text.split_once(' ').ok_or_else(malformed)?;
        let is_number = !duration.is_empty() && duration.bytes().all(|one| one.is_ascii_digit());
        let samples = 2..=2 * MAX_WAVEFORM_SAMPLES;
        let is_waveform = samples.contains(&waveform.len())
            && waveform.len() % 2 == 0
            && waveform.bytes().all(|one| one.is_ascii_hexdigit());
        if !is_number || !is_waveform {
            return Err(malformed());
        }
        // A number of more digits than fit is too long as well.
        let duration = duration.parse().unwrap_or(i64::MAX);
        if duration == 0 {
            return Err(malformed());
        }
        let is_short = duration <= MAX_VOICE_MS;
        Check::default()
            .that(is_short, "files", "error-voice-long", VOICE_MINUTES)
            .done()?;
        Ok(Some(Self {
            duration,
            waveform: waveform.to_ascii_lowercase(),
        }))
    }

    fn samples(&self) -> impl Iterator<Item = u8> {
        let pairs = self.waveform.as_bytes().chunks(2);
        pairs.map(|pair| {
            let text = std::str::from_utf8(pair).unwrap_or_default();
            u8::from_str_radix(text, 16).unwrap_or_default()
        })
    }

    /// The width and height of the drawing of the waveform.
    pub(super) fn drawing_size(&self) -> (usize, usize) {
        (self.waveform.len() / 2 * BAR_WIDTH, BAR_HEIGHT)
    }

    /// The waveform as the path of an SVG drawing: a line for each sample, around the middle.
    /// `assets/js/chat/waveform.js` draws the same.
    pub(super) fn path(&self) -> String {
        let mut path = String::new();
        for (index, sample) in self.samples().enumerate() {
            let height = 2 + usize::from(sample) * (BAR_HEIGHT - 4) / 255;
            let (x, y) = (index * BAR_WIDTH + BAR_WIDTH / 2, (BAR_HEIGHT - height) / 2);
            let _ = write!(path, "M{x} {y}v{height}");
        }
        path
    }

    /// How long it is, as `0:14`.
    pub(super) fn time(&self) -> String {
        // The last part of a second counts: nothing is 0:00 long.
        let seconds = (self.duration + 500) / 1000;
        let seconds = seconds.max(1);
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }

    /// What stands for it where it cannot be played.
    pub(super) fn words(&self, lang: Lang) -> String {
        lang.with("voice-words", &[("time", self.time().as_str().into())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_of_voice_is_bounded() {
        let voice = Voice::parse("14200 00ff7F").unwrap().unwrap();
        assert_eq!(
            (voice.duration, voice.waveform.as_str(), voice.time()),
            (14_200, "00ff7f", "0:14".to_owned())
        );
        assert_eq!(voice.path(), "M2 13v2M6 1v26M10 7v13");
        assert_eq!(voice.drawing_size(), (12, 28));
        assert_eq!(Voice::parse("").unwrap(), None);
        let long = |samples: usize| format!("1 {}", "aa".repeat(samples));
        assert!(Voice::parse(&long(64)).is_ok());
        assert!(Voice::parse("600000 aa").is_ok());
        for refused in [
            "NaN aa",
            "-1 aa",
            "+1 aa",
            "1.5 aa",
            "0 aa",
            "1e3 aa",
            " aa",
            "aa",
            "1",
            "1 ",
            "1 a",
            "1 gg",
            "1 éé",
            "1 aa aa",
            "600001 aa",
            "99999999999999999999999 aa",
            &long(65),
        ] {
            assert!(Voice::parse(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn shortest_recording_has_a_length() {
        let time = |duration| {
            let waveform = "00".to_owned();
            Voice { duration, waveform }.time()
        };
        assert_eq!(
            (time(1), time(59_600), time(600_000)),
            ("0:01".into(), "1:00".into(), "10:00".into())
        );
    }
}
