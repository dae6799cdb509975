//! Kept pages: a page that was made is sent again, or a 304 instead, as long as nothing it was made from has changed.
//!
//! Nothing is read, rendered or compressed then. Rights count among the sources, so a kept page is authorised by the
//! same comparison. Parts that many pages share are kept likewise.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::parts::{Page, Part};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::base::settings::Settings;
use crate::engine::changes::{Changes, Sources, Standing};

/// How long something is kept at most. Less than feeds keep the cursors that pages name.
const AT_MOST: Duration = Duration::from_secs(240);

/// Which part of many pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartKey {
    /// The kind of part, by the module that makes it: `chat.log`.
    pub kind: &'static str,
    /// What it shows.
    pub id: i64,
    /// Its language.
    pub lang: Lang,
}

/// Which page, for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PageKey {
    /// The page as a part of many.
    pub part: PartKey,
    /// Whose page it is.
    pub account: AccountId,
    /// Whether it is the whole page or what htmx swaps in.
    pub whole: bool,
}

/// Everything that is kept. Cheap to clone.
#[derive(Clone)]
pub struct Kept {
    changes: Changes,
    pages: Cache<PageKey, (Arc<Page>, Standing)>,
    parts: Cache<PartKey, (Arc<Part>, Standing)>,
}

impl Kept {
    /// As much as the settings say.
    pub fn new(settings: &Settings, changes: Changes) -> Self {
        let heavy = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let bytes = settings.cache_mib << 20;
        let pages = Cache::builder().weigher(move |_: &PageKey, (page, _): &(Arc<Page>, Standing)| heavy(page.weight()));
        let parts = Cache::builder().weigher(move |_: &PartKey, (part, _): &(Arc<Part>, Standing)| heavy(part.weight()));
        Self {
            changes,
            pages: pages.max_capacity(bytes / 2).time_to_live(AT_MOST).build(),
            parts: parts.max_capacity(bytes / 2).time_to_live(AT_MOST).build(),
        }
    }

    /// The page if it is kept and stands, else made by `make`, which names its sources before it reads them.
    ///
    /// # Errors
    /// Those of `make`; what failed is not kept.
    pub async fn page(&self, key: PageKey, make: impl AsyncFnOnce(&Sources) -> Result<Arc<Page>>) -> Result<Arc<Page>> {
        if let Some(page) = standing(&self.pages, &key) {
            return Ok(page.0);
        }
        let sources = self.changes.sources();
        let page = make(&sources).await?;
        metrics::counter!("tidepool_pages_made_total", "page" => key.part.kind).increment(1);
        self.pages.insert(key, (page.clone(), sources.standing()));
        Ok(page)
    }

    /// The same of a part, whose sources are the page's, too.
    ///
    /// # Errors
    /// Those of `make`; what failed is not kept.
    pub async fn part(&self, key: PartKey, page: &Sources, make: impl AsyncFnOnce(&Sources) -> Result<Arc<Part>>) -> Result<Arc<Part>> {
        let (part, standing) = match standing(&self.parts, &key) {
            Some(kept) => kept,
            None => {
                let sources = page.part();
                let part = make(&sources).await?;
                metrics::counter!("tidepool_parts_made_total", "part" => key.kind).increment(1);
                let kept = (part, sources.standing());
                self.parts.insert(key, kept.clone());
                kept
            }
        };
        page.extend(&standing);
        Ok(part)
    }

    /// Sources of a page that is not kept.
    pub fn unkept(&self) -> Sources {
        self.changes.sources()
    }
}

fn standing<K: Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>(
    cache: &Cache<K, (V, Standing)>,
    key: &K,
) -> Option<(V, Standing)> {
    cache.get(key).filter(|(_, standing)| standing.still())
}
