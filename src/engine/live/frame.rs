//! A frame: one message of a feed, rendered on first need and then shared.

use std::sync::{Arc, OnceLock};

use axum::extract::ws::Utf8Bytes;
use serde_json::{Value, json};

use crate::base::locale::Lang;
use crate::engine::bus::Event;

type Html = Arc<dyn Fn(Lang) -> String + Send + Sync>;

/// What a frame says, before it is encoded. The same event gives both forms.
pub struct Content {
    topic: &'static str,
    event: Arc<Value>,
    html: Option<Html>,
    about: Option<About>,
}

/// The one thing a frame tells of.
struct About {
    id: i64,
    /// Whether the thing came with this frame.
    came: bool,
    /// How the thing, as it is now, comes onto a page that does not show it yet.
    arrives: Html,
}

impl Content {
    /// An event that is told on a feed alone, because nobody on the bus needs it.
    pub fn of<E: Event>(event: &E) -> Self {
        Self::new(E::topic().name, json!(event))
    }

    /// For programs: the topic and its event.
    pub fn new(topic: &'static str, event: Value) -> Self {
        Self { topic, event: Arc::new(event), html: None, about: None }
    }

    /// For pages: `<hx-partial>` elements with target and swap, the same for every viewer of one language.
    /// Without it pages hear nothing of the event.
    pub fn html(mut self, render: impl Fn(Lang) -> String + Send + Sync + 'static) -> Self {
        self.html = Some(Arc::new(render));
        self
    }

    /// The thing `id` comes. When it changes, what older frames say of it changes with it (see [`Content::changes`]).
    pub fn arrives(mut self, id: i64, arrives: impl Fn(Lang) -> String + Send + Sync + 'static) -> Self {
        let arrives: Html = Arc::new(arrives);
        self.html = Some(arrives.clone());
        self.about = Some(About { id, came: true, arrives });
        self
    }

    /// The thing `id` changes, in place. Frames of it that the feed still holds tell its new state from now on: what was
    /// edited away or deleted cannot be had by asking for old frames. `arrives` puts it where it is not shown yet.
    pub fn changes(
        self,
        id: i64,
        change: impl Fn(Lang) -> String + Send + Sync + 'static,
        arrives: impl Fn(Lang) -> String + Send + Sync + 'static,
    ) -> Self {
        let about = Some(About { id, came: false, arrives: Arc::new(arrives) });
        Self { about, ..self.html(change) }
    }

    /// Whether it changes what older frames may tell of.
    pub(super) fn is_change(&self) -> bool {
        self.about.as_ref().is_some_and(|about| !about.came)
    }

    /// What an older frame says from now on, if it tells of the same thing.
    pub(super) fn instead_of(&self, older: &Self) -> Option<Self> {
        let (now, was) = (self.about.as_ref()?, older.about.as_ref()?);
        (now.id == was.id).then(|| Self {
            topic: older.topic,
            event: self.event.clone(),
            html: if was.came { Some(now.arrives.clone()) } else { self.html.clone() },
            about: Some(About { id: was.id, came: was.came, arrives: now.arrives.clone() }),
        })
    }

    /// Bytes it may come to, roughly: its texts as event, as JSON and as HTML.
    pub(super) fn weight(&self) -> usize {
        fn texts(value: &Value) -> usize {
            match value {
                Value::String(text) => text.len(),
                Value::Array(list) => list.iter().map(texts).sum(),
                Value::Object(fields) => fields.values().map(texts).sum(),
                _ => 8,
            }
        }
        512 + 4 * texts(&self.event)
    }

    /// For pages: fetch again the regions of the page that show this feed.
    pub fn reread(self) -> Self {
        self.html(|_| "<!--reread-->".to_owned())
    }
}

/// A frame in a feed's log.
pub(super) struct Frame {
    pub(super) seq: u64,
    pub(super) content: Content,
    pub(super) weight: usize,
    head: String,
    html: Box<[OnceLock<Utf8Bytes>]>,
    json: OnceLock<Utf8Bytes>,
}

impl Frame {
    pub(super) fn new(feed: &str, cursor: String, seq: u64, content: Content) -> Self {
        let html = (0..Lang::count()).map(|_| OnceLock::new()).collect();
        let weight = content.weight();
        Self { seq, weight, head: format!("{feed} {cursor}"), content, html, json: OnceLock::new() }
    }

    /// The frame for pages in this language; `None` when pages hear nothing of it.
    pub(super) fn html(&self, lang: Lang) -> Option<Utf8Bytes> {
        let render = self.content.html.as_ref()?;
        let text = self.html[lang.index()].get_or_init(|| {
            metrics::counter!("tidepool_frames_rendered_total", "as" => "html").increment(1);
            format!("<!--{}-->{}", self.head, render(lang)).into()
        });
        Some(text.clone())
    }

    /// The frame for programs.
    pub(super) fn json(&self) -> Utf8Bytes {
        self.json
            .get_or_init(|| {
                metrics::counter!("tidepool_frames_rendered_total", "as" => "json").increment(1);
                let (feed, cursor) = self.head.split_once(' ').unwrap_or_default();
                let message = json!({
                    "type": "event", "feed": feed, "cursor": cursor, "topic": self.content.topic, "event": self.content.event,
                });
                message.to_string().into()
            })
            .clone()
    }
}
