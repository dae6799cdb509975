//! Bounds of the hub.

use crate::base::settings::Settings;

/// Bounds of the hub.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Frames a feed keeps.
    pub feed_frames: usize,
    /// Open sockets in all.
    pub sockets: usize,
    /// Open sockets of one account.
    pub sockets_per_account: usize,
}

impl From<&Settings> for Limits {
    fn from(settings: &Settings) -> Self {
        Self {
            feed_frames: settings.feed_frames,
            sockets: settings.max_sockets,
            sockets_per_account: settings.max_sockets_per_account,
        }
    }
}
