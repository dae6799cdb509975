//! PartCache parts: what many pages share is made once, and again when something it was made from
//! has changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

use super::part::Part;
use crate::base::error::Result;
use crate::base::keyed_lock::KeyedLock;
use crate::base::locale::Lang;
use crate::base::settings::Settings;
use crate::engine::versions::{Dependencies, Snapshot};

/// How long a part is kept at most. Less than feeds keep the cursors that parts name.
const CACHE_TTL: Duration = Duration::from_secs(240);

/// Which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartKey {
    /// The kind of part, by the module that makes it: `chat.log`.
    pub kind: &'static str,
    /// What it shows.
    pub id: i64,
    /// Its language.
    pub lang: Lang,
}

/// The parts that are kept. Cheap to clone.
#[derive(Clone)]
pub struct PartCache(Arc<Inner>);

struct Inner {
    parts: Cache<PartKey, Made>,
    /// By the digest of their HTML: what is the same is compressed once, whatever it is part of.
    pieces: Cache<[u8; 16], Arc<Part>>,
    /// Grows with every question and every making, so that one can be said to come after the other.
    time: AtomicU64,
    /// Whose turn it is to make a part that is being made.
    turns: KeyedLock<PartKey>,
}

#[derive(Clone)]
struct Made {
    part: Arc<Part>,
    snapshot: Snapshot,
    /// When it was begun.
    begun: u64,
}

impl PartCache {
    /// As many as the settings have room for.
    pub fn new(settings: &Settings) -> Self {
        let weigh =
            |_: &PartKey, made: &Made| u32::try_from(made.part.weight()).unwrap_or(u32::MAX);
        let parts = Cache::builder()
            .weigher(weigh)
            .max_capacity((settings.cache_mib << 20) / 2)
            .time_to_live(CACHE_TTL)
            .build();
        let weigh =
            |_: &[u8; 16], part: &Arc<Part>| u32::try_from(part.weight()).unwrap_or(u32::MAX);
        let pieces = Cache::builder()
            .weigher(weigh)
            .max_capacity((settings.cache_mib << 20) / 4)
            .time_to_idle(CACHE_TTL)
            .build();
        Self(Arc::new(Inner {
            parts,
            pieces,
            time: AtomicU64::new(0),
            turns: KeyedLock::default(),
        }))
    }

    /// A piece of a composed part: the one made of the same HTML before, if it is still here.
    pub fn piece(&self, html: String) -> Arc<Part> {
        let mut digest = [0; 16];
        digest.copy_from_slice(&blake3::hash(html.as_bytes()).as_bytes()[..16]);
        self.0.pieces.get_with(digest, || Part::new(html))
    }

    /// The part if it is kept and stands, else made by `make`, which names its deps before it reads
    /// them. They are the page's deps, too. Many who ask at once for what is being made get what
    /// the first of them makes.
    ///
    /// # Errors
    /// Those of `make`; what failed is not kept.
    pub async fn part(
        &self,
        key: PartKey,
        page: &Dependencies,
        make: impl AsyncFnOnce(&Dependencies) -> Result<Arc<Part>>,
    ) -> Result<Arc<Part>> {
        let asked = self.0.time.fetch_add(1, Ordering::AcqRel);
        let made = match self
            .0
            .parts
            .get(&key)
            .filter(|made| made.snapshot.is_fresh())
        {
            Some(made) => made,
            None => self.make(key, asked, page, make).await?,
        };
        page.extend(&made.snapshot);
        Ok(made.part)
    }

    async fn make(
        &self,
        key: PartKey,
        asked: u64,
        page: &Dependencies,
        make: impl AsyncFnOnce(&Dependencies) -> Result<Arc<Part>>,
    ) -> Result<Made> {
        let _turn = self.0.turns.wait(key).await;
        // What was begun after one asked is what one asked for, though it may have changed again: a
        // room in which posts never rest would else be made once for each who waits.
        if let Some(made) = self
            .0
            .parts
            .get(&key)
            .filter(|made| made.begun > asked || made.snapshot.is_fresh())
        {
            return Ok(made);
        }
        let begun = self.0.time.fetch_add(1, Ordering::AcqRel);
        let deps = page.part();
        let part = make(&deps).await?;
        metrics::counter!("tidepool_parts_made_total", "part" => key.kind).increment(1);
        let made = Made {
            part,
            snapshot: deps.snapshot(),
            begun,
        };
        self.0.parts.insert(key, made.clone());
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::base::ids::RoomId;
    use crate::base::settings::Profile;
    use crate::engine::versions::{Thing, Versions};

    #[tokio::test]
    async fn many_who_ask_at_once_get_what_the_first_makes_even_while_it_changes() {
        let kept = PartCache::new(&Settings::of(
            Profile::Development,
            std::path::Path::new("."),
        ));
        let (changes, made) = (Versions::default(), AtomicUsize::new(0));
        let key = PartKey {
            kind: "test",
            id: 1,
            lang: Lang::negotiate(None, None),
        };
        let ask = async || {
            let page = changes.dependencies();
            let make = async |deps: &Dependencies| {
                deps.add(RoomId(1));
                made.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                changes.bump(Thing::of(RoomId(1)));
                Ok(Part::new("log".to_owned()))
            };
            assert_eq!(kept.part(key, &page, make).await.unwrap().html(), "log");
        };
        futures_util::future::join_all((0..50).map(|_| ask())).await;
        assert_eq!(
            made.load(Ordering::Relaxed),
            2,
            "the first asker's, which the others came before, and one for all of them"
        );
        ask().await;
        assert_eq!(
            made.load(Ordering::Relaxed),
            3,
            "who asks after a change is not given what was before it"
        );
    }
}
