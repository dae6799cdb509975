//! A cursor: a position in a feed.

use std::fmt;
use std::sync::Arc;

/// The last frame seen. Of a stored feed, its position, which every instance knows: `4711`. Of
/// other feeds, the number that an instance gave it, with the instance's name: `Zk3xQ9aB.4711`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) instance: Option<Arc<str>>,
    pub(super) number: u64,
}

impl Cursor {
    /// Reads what [`Display`](fmt::Display) writes; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<(Option<&str>, u64)> {
        let (instance, number) = match text.rsplit_once('.') {
            Some((instance, number)) => (Some(instance), number),
            None => (None, text),
        };
        // One spelling for each number: `parse` takes a sign.
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        Some((instance, number.parse().ok().filter(|_| is_number)?))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(instance) = &self.instance {
            write!(f, "{instance}.")?;
        }
        write!(f, "{}", self.number)
    }
}
