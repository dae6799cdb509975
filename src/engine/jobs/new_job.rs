//! A job as it is added.

use std::time::Duration;

use serde::Serialize;

/// A job to be done.
pub struct NewJob {
    pub(super) kind: &'static str,
    pub(super) payload: serde_json::Result<String>,
    pub(super) key: Option<String>,
    pub(super) priority: i64,
    pub(super) after: Option<Duration>,
}

impl NewJob {
    /// A job of a declared kind, with what its handler gets.
    pub fn new(kind: &'static str, payload: &impl Serialize) -> Self {
        Self {
            kind,
            payload: serde_json::to_string(payload),
            key: None,
            priority: 0,
            after: None,
        }
    }

    /// While a job of this kind and key waits or runs, no other is added.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Higher goes first; zero if not said. Within one kind.
    pub fn priority(mut self, priority: i64) -> Self {
        self.priority = priority;
        self
    }

    /// Not before so much time has passed.
    pub fn after(mut self, wait: Duration) -> Self {
        self.after = Some(wait).filter(|wait| !wait.is_zero());
        self
    }
}
