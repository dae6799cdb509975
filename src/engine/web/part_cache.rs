//! The part cache: parts that many pages share are made once, and again when something they depend
//! on has changed.

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

/// Below the 300 s for which a feed without followers knows the cursors that parts name.
const PART_TTL: Duration = Duration::from_secs(240);

/// Names a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartKey {
    /// `module.noun`, such as `chat.log`.
    pub kind: &'static str,
    /// Of what it shows, such as a room.
    pub id: i64,
    /// The language it is in.
    pub lang: Lang,
}

/// The cached parts. Cheap to clone.
#[derive(Clone)]
pub struct PartCache(Arc<Inner>);

struct Inner {
    parts: Cache<PartKey, Made>,
    /// By the digest of their HTML: equal pieces are compressed once, whatever they are part of.
    pieces: Cache<[u8; 16], Arc<Part>>,
    /// Logical clock: grows with every request for a part and with every start of making one, so
    /// that these are ordered.
    clock: AtomicU64,
    /// Single flight: held while a part is made.
    making: KeyedLock<PartKey>,
}

#[derive(Clone)]
struct Made {
    part: Arc<Part>,
    snapshot: Snapshot,
    /// By the logical clock.
    begun: u64,
}

impl PartCache {
    /// Takes half of the setting `cache_mib` for parts and a quarter for pieces.
    pub fn new(settings: &Settings) -> Self {
        let weigh =
            |_: &PartKey, made: &Made| u32::try_from(made.part.weight()).unwrap_or(u32::MAX);
        let parts = Cache::builder()
            .weigher(weigh)
            .max_capacity((settings.cache_mib << 20) / 2)
            .time_to_live(PART_TTL)
            .build();
        let weigh =
            |_: &[u8; 16], part: &Arc<Part>| u32::try_from(part.weight()).unwrap_or(u32::MAX);
        let pieces = Cache::builder()
            .weigher(weigh)
            .max_capacity((settings.cache_mib << 20) / 4)
            .time_to_idle(PART_TTL)
            .build();
        Self(Arc::new(Inner {
            parts,
            pieces,
            clock: AtomicU64::new(0),
            making: KeyedLock::default(),
        }))
    }

    /// A piece of a composed part: the cached one with the same HTML, else a new one.
    pub fn piece(&self, html: String) -> Arc<Part> {
        let mut digest = [0; 16];
        digest.copy_from_slice(&blake3::hash(html.as_bytes()).as_bytes()[..16]);
        self.0.pieces.get_with(digest, || Part::new(html))
    }

    /// The part if it is cached and fresh, else made by `make`, which has to add its dependencies
    /// before it reads them. They are added to those of the page. Requests for a part that is being
    /// made wait for it.
    ///
    /// # Errors
    /// Those of `make`; nothing is cached then.
    pub async fn part(
        &self,
        key: PartKey,
        page: &Dependencies,
        make: impl AsyncFnOnce(&Dependencies) -> Result<Arc<Part>>,
    ) -> Result<Arc<Part>> {
        let requested = self.0.clock.fetch_add(1, Ordering::AcqRel);
        let made = match self
            .0
            .parts
            .get(&key)
            .filter(|made| made.snapshot.is_fresh())
        {
            Some(made) => made,
            None => self.make(key, requested, page, make).await?,
        };
        page.extend(&made.snapshot);
        Ok(made.part)
    }

    async fn make(
        &self,
        key: PartKey,
        requested: u64,
        page: &Dependencies,
        make: impl AsyncFnOnce(&Dependencies) -> Result<Arc<Part>>,
    ) -> Result<Made> {
        let _lock = self.0.making.lock(key).await;
        // What was begun after the request is new enough for it, although it may have changed
        // again. Otherwise a room with constant posts would be made once for each waiter.
        if let Some(made) = self
            .0
            .parts
            .get(&key)
            .filter(|made| made.begun > requested || made.snapshot.is_fresh())
        {
            return Ok(made);
        }
        let begun = self.0.clock.fetch_add(1, Ordering::AcqRel);
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
    async fn part_that_changes_is_made_once_for_all_waiters() {
        let cache = PartCache::new(&Settings::of(
            Profile::Development,
            std::path::Path::new("."),
        ));
        let (versions, made) = (Versions::default(), AtomicUsize::new(0));
        let key = PartKey {
            kind: "test",
            id: 1,
            lang: Lang::negotiate(None, None),
        };
        let ask = async || {
            let page = versions.dependencies();
            let make = async |deps: &Dependencies| {
                deps.add(RoomId(1));
                made.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                versions.bump(Thing::of(RoomId(1)));
                Ok(Part::new("log".to_owned()))
            };
            assert_eq!(cache.part(key, &page, make).await.unwrap().html(), "log");
        };
        futures_util::future::join_all((0..50).map(|_| ask())).await;
        assert_eq!(
            made.load(Ordering::Relaxed),
            2,
            "one for the first request, and one for all that came while it was made"
        );
        ask().await;
        assert_eq!(
            made.load(Ordering::Relaxed),
            3,
            "a request after a change gets what is made after it"
        );
    }
}
