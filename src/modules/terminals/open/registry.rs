//! All terminals that this instance has.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::OpenTerminal;
use crate::modules::terminals::model::TerminalId;

/// The terminals that this instance has. Cheap to clone.
#[derive(Clone, Default)]
pub(in crate::modules::terminals) struct OpenTerminals(
    Arc<Mutex<HashMap<TerminalId, Arc<OpenTerminal>>>>,
);

impl OpenTerminals {
    fn all(&self) -> MutexGuard<'_, HashMap<TerminalId, Arc<OpenTerminal>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of them.
    pub(in crate::modules::terminals) fn get(&self, id: TerminalId) -> Option<Arc<OpenTerminal>> {
        self.all().get(&id).cloned()
    }

    /// Adds one, unless it is here already; the flag says whether it is new.
    pub(in crate::modules::terminals) fn add(
        &self,
        terminal: Arc<OpenTerminal>,
    ) -> (Arc<OpenTerminal>, bool) {
        let mut all = self.all();
        match all.get(&terminal.id) {
            Some(known) => (known.clone(), false),
            None => {
                all.insert(terminal.id, terminal.clone());
                (terminal, true)
            }
        }
    }

    /// Takes one out.
    pub(in crate::modules::terminals) fn remove(&self, id: TerminalId) {
        self.all().remove(&id);
    }

    /// All of them.
    pub(in crate::modules::terminals) fn list(&self) -> Vec<Arc<OpenTerminal>> {
        self.all().values().cloned().collect()
    }
}
