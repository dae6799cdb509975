//! Kept parts: what many pages share is made once, and again when something it was made from has changed.

use std::sync::Arc;
use std::time::Duration;

use moka::sync::Cache;

use super::parts::Part;
use crate::base::error::Result;
use crate::base::locale::Lang;
use crate::base::settings::Settings;
use crate::engine::changes::{Sources, Standing};

/// How long a part is kept at most. Less than feeds keep the cursors that parts name.
const AT_MOST: Duration = Duration::from_secs(240);

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
pub struct Kept(Cache<PartKey, (Arc<Part>, Standing)>);

impl Kept {
    /// As many as the settings have room for.
    pub fn new(settings: &Settings) -> Self {
        let weigh = |_: &PartKey, (part, _): &(Arc<Part>, Standing)| u32::try_from(part.weight()).unwrap_or(u32::MAX);
        Self(Cache::builder().weigher(weigh).max_capacity((settings.cache_mib << 20) / 2).time_to_live(AT_MOST).build())
    }

    /// The part if it is kept and stands, else made by `make`, which names its sources before it reads them. They are the
    /// page's sources, too.
    ///
    /// # Errors
    /// Those of `make`; what failed is not kept.
    pub async fn part(&self, key: PartKey, page: &Sources, make: impl AsyncFnOnce(&Sources) -> Result<Arc<Part>>) -> Result<Arc<Part>> {
        let (part, standing) = match self.0.get(&key).filter(|(_, standing)| standing.still()) {
            Some(kept) => kept,
            None => {
                let sources = page.part();
                let part = make(&sources).await?;
                metrics::counter!("tidepool_parts_made_total", "part" => key.kind).increment(1);
                let kept = (part, sources.standing());
                self.0.insert(key, kept.clone());
                kept
            }
        };
        page.extend(&standing);
        Ok(part)
    }
}
