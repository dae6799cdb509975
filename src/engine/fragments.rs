//! The cache of fragments: rendered pieces of HTML, by template, language, id, revision and
//! variant.
//!
//! A fragment is shared by all viewers, so nothing of a request may enter it: no host, no account,
//! no token. Attributes and style sheets switch on what depends on the viewer.

use std::sync::Arc;
use std::time::Instant;

use moka::sync::Cache;

use crate::base::locale::Lang;
use crate::base::settings::Settings;

/// The cache key of a fragment. A change of anything that the fragment shows must change the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The template, with a version that grows when the template changes what it needs.
    pub template: &'static str,
    /// The language of the rendered words.
    pub lang: Lang,
    /// The id of the object that the fragment shows.
    pub id: i64,
    /// The revision of that object.
    pub revision: i64,
    /// A hash of all other input to the template; 0 for none.
    pub variant: u64,
}

/// Bytes of a cache entry besides its text: key, counters, pointers.
const OVERHEAD_BYTES: usize = 160;

/// The cache of rendered fragments, bounded by bytes. Cheap to clone.
#[derive(Clone)]
pub struct Fragments(Cache<Key, Arc<str>>);

impl Fragments {
    /// An empty cache. The settings say how large it may grow, and when unused entries expire.
    pub fn new(settings: &Settings) -> Self {
        let weigh = |_: &Key, text: &Arc<str>| {
            u32::try_from(text.len() + OVERHEAD_BYTES).unwrap_or(u32::MAX)
        };
        Self(
            Cache::builder()
                .max_capacity(settings.cache_mib << 20)
                .weigher(weigh)
                .time_to_idle(settings.cache_ttl())
                .build(),
        )
    }

    /// The fragment if it is cached. To be tried before reading the object from the database.
    pub fn get(&self, key: &Key) -> Option<Arc<str>> {
        self.0.get(key)
    }

    /// The fragment, rendered if it is not cached. Concurrent calls share one rendering.
    pub fn render(&self, key: Key, render: impl FnOnce() -> String) -> Arc<str> {
        self.0.get_with(key, || {
            metrics::counter!("tidepool_fragments_rendered_total", "template" => key.template)
                .increment(1);
            let started = Instant::now();
            let text = render();
            metrics::histogram!("tidepool_render_seconds", "template" => key.template)
                .record(started.elapsed().as_secs_f64());
            text.into()
        })
    }
}
