//! A cursor: a position in a feed.

use std::fmt;
use std::sync::Arc;

/// The instance that numbered the frames and the last frame seen, written `instance.number`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) instance: Arc<str>,
    pub(super) seq: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.instance, self.seq)
    }
}
