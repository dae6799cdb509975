//! How members are named inside of the media server.

/// Of a member, as long as they are one; later it may be another's.
pub type Key = usize;
