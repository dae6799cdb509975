//! The description of a job to be added.

use std::time::Duration;

use serde::Serialize;

/// A job for [`Jobs::add`](super::Jobs::add): kind, payload and options.
pub struct NewJob {
    pub(super) kind: &'static str,
    pub(super) payload: serde_json::Result<String>,
    pub(super) key: Option<String>,
    pub(super) priority: i64,
    pub(super) delay: Option<Duration>,
}

impl NewJob {
    /// A job of a declared kind. The payload is stored as JSON; an error in encoding it is returned
    /// when the job is added.
    pub fn new(kind: &'static str, payload: &impl Serialize) -> Self {
        Self {
            kind,
            payload: serde_json::to_string(payload),
            key: None,
            priority: 0,
            delay: None,
        }
    }

    /// Makes the job unique: while one of the same kind and key waits or runs, no other is added.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Jobs of higher priority begin first, within one kind. Zero by default.
    pub fn priority(mut self, priority: i64) -> Self {
        self.priority = priority;
        self
    }

    /// Delays the job: it begins no earlier than this long after it was added.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = Some(delay).filter(|delay| !delay.is_zero());
        self
    }
}
