//! What instances tell one another of the terminals that they have, for pages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::model::{Summary, TerminalId};

/// How long what an instance told is kept, unless it repeats it.
const SILENT_TTL: Duration = Duration::from_secs(30);

struct Known {
    instance: String,
    summary: Summary,
    /// The lower left part of the screen, as HTML.
    thumbnail: String,
    heard: Instant,
}

/// The summaries of all terminals. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Summaries(Arc<Mutex<HashMap<TerminalId, Known>>>);

impl Summaries {
    fn all(&self) -> MutexGuard<'_, HashMap<TerminalId, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether what was told is new.
    pub(super) fn hear(&self, terminal: TerminalId, instance: &str, summary: &Summary) -> bool {
        let mut all = self.all();
        let now = Instant::now();
        if let Some(known) = all.get_mut(&terminal) {
            known.heard = now;
            instance.clone_into(&mut known.instance);
            let is_new = known.summary != *summary;
            known.summary.clone_from(summary);
            return is_new;
        }
        let known = Known {
            instance: instance.to_owned(),
            summary: summary.clone(),
            thumbnail: String::new(),
            heard: now,
        };
        all.insert(terminal, known);
        true
    }

    /// Keeps a thumbnail.
    pub(super) fn hear_screen(&self, terminal: TerminalId, html: &str) {
        if let Some(known) = self.all().get_mut(&terminal) {
            html.clone_into(&mut known.thumbnail);
        }
    }

    /// What was told of a terminal last, with its thumbnail.
    pub(super) fn get(&self, terminal: TerminalId) -> Option<(Summary, String)> {
        let all = self.all();
        let known = all.get(&terminal)?;
        Some((known.summary.clone(), known.thumbnail.clone()))
    }

    /// Forgets a terminal that is over.
    pub(super) fn forget(&self, terminal: TerminalId) {
        self.all().remove(&terminal);
    }

    /// Forgets what is not repeated any more. What this instance has itself is told only when it
    /// changes, and stays.
    pub(super) fn forget_silent(&self, now: Instant, is_own: impl Fn(TerminalId) -> bool) {
        self.all().retain(|terminal, known| {
            now.duration_since(known.heard) < SILENT_TTL || is_own(*terminal)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::terminals::core::Size;

    #[test]
    fn only_silent_terminals_of_others_are_forgotten() {
        let summaries = Summaries::default();
        let (own, other) = (TerminalId(1), TerminalId(2));
        let summary = Summary::of_size(Size::new(80, 24));
        summaries.hear(own, "here", &summary);
        summaries.hear(other, "there", &summary);
        let is_own = |terminal: TerminalId| terminal == own;
        summaries.forget_silent(Instant::now(), is_own);
        assert!(summaries.get(other).is_some());
        summaries.forget_silent(Instant::now() + SILENT_TTL, is_own);
        assert!(summaries.get(own).is_some() && summaries.get(other).is_none());
    }
}
