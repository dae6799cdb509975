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

    /// Forgets what is not repeated any more.
    pub(super) fn forget_silent(&self, now: Instant) {
        self.all()
            .retain(|_, known| now.duration_since(known.heard) < SILENT_TTL);
    }
}
