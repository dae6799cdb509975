//! The description of a job to be added.

use std::time::Duration;

use serde::Serialize;

use crate::base::ids::AccountId;

/// A job for [`Jobs::add`](super::Jobs::add): kind, payload and options.
pub struct NewJob {
    pub(super) kind: &'static str,
    pub(super) payload: serde_json::Result<String>,
    pub(super) key: Option<String>,
    pub(super) priority: i64,
    pub(super) delay: Option<Duration>,
    pub(super) account: Option<AccountId>,
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
            account: None,
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

    /// Charges the job to an account: accounts take turns, so that one with many jobs does not
    /// make the others wait. Within one kind and priority.
    pub fn account(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// Delays the job: it begins no earlier than this long after it was added.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = Some(delay).filter(|delay| !delay.is_zero());
        self
    }
}
