//! Search: the page of results, what the dialog that goes anywhere shows of them, the last searches
//! of each account, and making the index anew. What can be found, the modules declare
//! (`engine/search.rs`).

mod actions;
mod filters;
mod pages;
mod recent;
mod views;

use std::sync::Arc;

use axum::routing::get;
use tokio::sync::Semaphore;

use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::keyed_lock::KeyedLock;
use crate::community::Community;
use crate::community::permissions::{HeldBy, Permission, ScopeKind};
use crate::engine::Engine;
use crate::engine::actions::Class;
use crate::engine::module::{Audience, Module};
use crate::engine::search::Found;
use crate::engine::search::snippet::score;
use filters::Request;

/// To make the search index anew.
pub static REBUILD: Permission = Permission {
    name: "search.rebuild",
    scope: ScopeKind::Server,
    held_by: HeldBy::Host,
    adds_content: false,
    about: "Make the search index anew",
};

/// Results on a page.
const PAGE_SIZE: usize = 25;
/// The newest results, of which the best are chosen.
const MAX_RANKED: usize = 300;

/// Searches that the server makes at once; of one account there is one. Others wait: a short word
/// that begins many takes long, and reading pages must not wait for those who look for it.
const MAX_AT_ONCE: usize = 2;

/// The search module. Cheap to clone.
#[derive(Clone)]
pub struct SearchPages {
    engine: Engine,
    community: Community,
    /// One search of an account at a time.
    turns: Arc<KeyedLock<AccountId>>,
    permits: Arc<Semaphore>,
}

/// A page of results.
struct Results {
    found: Vec<Found>,
    /// The next page is of what is before this.
    next: Option<i64>,
}

impl SearchPages {
    /// Creates the module's state.
    pub fn new(community: &Community) -> Self {
        Self {
            engine: community.engine().clone(),
            community: community.clone(),
            turns: Arc::default(),
            permits: Arc::new(Semaphore::new(MAX_AT_ONCE)),
        }
    }

    /// What an account finds, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    async fn find(&self, account: AccountId, request: &Request, limit: usize) -> Result<Results> {
        let search = &self.engine.search;
        let Some(selection) = &request.selection else {
            let found = Vec::new();
            return Ok(Results { found, next: None });
        };
        let _turn = self.turns.lock(account).await;
        let permit = self.permits.acquire().await;
        let _permit = permit.map_err(|_| Error::Unavailable)?;
        if request.is_best {
            let ids = search.find(selection, MAX_RANKED).await?;
            let found = search.load(account, &ids).await?;
            let terms = selection.terms.clone();
            let ranked = tokio::task::spawn_blocking(move || {
                let mut ranked: Vec<_> = found
                    .into_iter()
                    .map(|one| (score(&one.text, &terms), one))
                    .collect();
                ranked.sort_by(|(one, _), (other, _)| other.total_cmp(one));
                let ranked = ranked.into_iter().map(|(_, found)| found);
                ranked.take(limit).collect()
            });
            let found = ranked.await.map_err(anyhow::Error::new)?;
            return Ok(Results { found, next: None });
        }
        let ids = search.find(selection, limit).await?;
        let next = ids.last().copied().filter(|_| ids.len() == limit);
        let found = search.load(account, &ids).await?;
        Ok(Results { found, next })
    }
}

/// What the module declares to the engine.
pub fn module() -> Module<SearchPages> {
    Module::new("search")
        .permission(&REBUILD)
        .personal_data("searches", recent::export, recent::erase)
        .stylesheet("css/search.css")
        .script("js/search.js")
        .page(Audience::SignedIn, "/search", get(pages::search))
        .page(Audience::SignedIn, "/search/results", get(pages::results))
        .page(Audience::SignedIn, "/search/brief", get(pages::brief))
        .action(
            "search.find",
            "Finds messages and other things by their words",
            Class::Read,
            actions::find,
        )
        .action(
            "search.clear-recent",
            "Forgets one's last searches",
            Class::Write,
            actions::clear_recent,
        )
        .action(
            "search.rebuild",
            "Makes the search index anew",
            Class::Create,
            actions::rebuild,
        )
}
