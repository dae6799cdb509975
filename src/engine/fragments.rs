//! Fragments: rendered pieces of HTML, kept by template version, language, id,
//! revision and variant.
//!
//! Nothing of the request may enter one: no host, no account, no token. What depends on the viewer
//! is switched on by attributes and style sheets.

use std::sync::Arc;
use std::time::Instant;

use moka::sync::Cache;

use crate::base::locale::Lang;
use crate::base::settings::Settings;

/// What a fragment is kept under. A change of anything it shows must change its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The template, with a version that grows when the template changes what it needs.
    pub template: &'static str,
    /// Its language.
    pub lang: Lang,
    /// The thing it shows.
    pub id: i64,
    /// How often that thing has changed.
    pub revision: i64,
    /// A hash of what else it is rendered with; 0 for nothing.
    pub variant: u64,
}

const OVERHEAD: usize = 160; // bytes a cache entry costs besides its text: key, counters, pointers

/// The cache of rendered fragments, bounded by bytes. Cheap to clone.
#[derive(Clone)]
pub struct Fragments(Cache<Key, Arc<str>>);

impl Fragments {
    /// As large and as patient as the settings say.
    pub fn new(settings: &Settings) -> Self {
        let weigh =
            |_: &Key, text: &Arc<str>| u32::try_from(text.len() + OVERHEAD).unwrap_or(u32::MAX);
        Self(
            Cache::builder()
                .max_capacity(settings.cache_mib << 20)
                .weigher(weigh)
                .time_to_idle(settings.cache_ttl())
                .build(),
        )
    }

    /// The fragment if it is there: ask before reading the row.
    pub fn get(&self, key: &Key) -> Option<Arc<str>> {
        self.0.get(key)
    }

    /// The fragment, rendered if it is not there; several who ask at once share one rendering.
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
