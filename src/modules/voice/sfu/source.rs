//! What a participant may send.

use serde::{Deserialize, Serialize};

/// One kind of media of a participant: they send each at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Their voice.
    Microphone,
    /// Their picture.
    Camera,
    /// A shared screen, window or tab.
    Screen,
    /// What that plays.
    ScreenSound,
}

impl Source {
    /// All of them, in the order of [`index`](Self::index).
    pub const ALL: [Self; 4] = [
        Self::Microphone,
        Self::Camera,
        Self::Screen,
        Self::ScreenSound,
    ];

    /// Its place in tables.
    pub fn index(self) -> usize {
        self as usize
    }

    /// Whether it is heard, not seen.
    pub fn is_sound(self) -> bool {
        matches!(self, Self::Microphone | Self::ScreenSound)
    }

    /// Ticks of its RTP time in a second.
    pub fn clock_rate(self) -> u32 {
        if self.is_sound() { 48_000 } else { 90_000 }
    }
}
