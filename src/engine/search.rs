//! Search: one index for all modules. A module declares what of its things can be found
//! ([`Module::search`](super::module::Module::search)). Triggers in its migrations write a row of
//! `search_queue` for each change, whoever makes it; the index follows within a fraction of a
//! second, and what a crash interrupts is done after it. Who may find what is decided by facets:
//! see [`Selection::any`].

mod follow;
mod index;
pub mod query;
mod rebuild;
pub mod snippet;
mod source;
pub mod words;

use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use crate::base::db::Db;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::jobs::Jobs;
pub use index::{Document, Facet, Selection};
pub use rebuild::Progress;
pub(in crate::engine) use rebuild::module;
pub(in crate::engine) use source::Source;
pub use source::{Found, SearchSource, StandIn};

/// The search service. Cheap to clone.
#[derive(Clone)]
pub struct Search {
    db: Db,
    jobs: Jobs,
    sources: Arc<OnceLock<Vec<Source>>>,
    wake: Arc<Notify>,
    turn: follow::Turn,
}

impl Search {
    pub(super) fn new(db: &Db, jobs: &Jobs) -> Self {
        Self {
            db: db.clone(),
            jobs: jobs.clone(),
            sources: Arc::default(),
            wake: Arc::default(),
            turn: Arc::default(),
        }
    }

    /// Sets what the modules declared. To be called once, before anything is searched.
    pub(super) fn set_sources(&self, sources: Vec<Source>) {
        let _ = self.sources.set(sources);
    }

    fn sources(&self) -> &[Source] {
        self.sources.get().map_or(&[], Vec::as_slice)
    }

    fn source(&self, name: &str) -> Option<&Source> {
        self.sources().iter().find(|source| source.name == name)
    }

    /// Has the index follow what was committed now, rather than seconds later.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// The facets that a value of the filter `has:` means, of all modules.
    pub fn filter(&self, value: &str) -> Vec<Facet> {
        let all = self.sources().iter().flat_map(|source| &source.filters);
        let named = all.filter(|(name, _)| *name == value);
        named.map(|(_, facet)| *facet).collect()
    }

    /// The ids of what is selected, the newest first, at most `limit`. The caller gets their
    /// contents by [`load`](Self::load), which checks rights again.
    ///
    /// # Errors
    /// The database's.
    pub async fn find(&self, selection: &Selection, limit: usize) -> Result<Vec<i64>> {
        index::find(&self.db, selection, limit).await
    }

    /// What an account finds under these ids, the newest first; what it may not read, or what is
    /// gone, is left out.
    ///
    /// # Errors
    /// Those of the sources.
    pub async fn load(&self, account: AccountId, ids: &[i64]) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for source in self.sources() {
            found.extend((source.found)(account, ids.to_vec()).await?);
        }
        found.sort_by_key(|one| std::cmp::Reverse(one.id));
        Ok(found)
    }
}
