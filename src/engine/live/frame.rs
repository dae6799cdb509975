//! A frame: one message of a feed, rendered on first need and then shared.

use std::sync::OnceLock;

use axum::extract::ws::Utf8Bytes;
use serde_json::{Value, json};

use crate::base::locale::Lang;
use crate::engine::bus::Event;

type Html = Box<dyn Fn(Lang) -> String + Send + Sync>;

/// What a frame says, before it is encoded. The same event gives both forms.
pub struct Content {
    topic: &'static str,
    event: Value,
    html: Option<Html>,
}

impl Content {
    /// An event that is told on a feed alone, because nobody on the bus needs it.
    pub fn of<E: Event>(event: &E) -> Self {
        Self::new(E::topic().name, json!(event))
    }

    /// For programs: the topic and its event.
    pub fn new(topic: &'static str, event: Value) -> Self {
        Self { topic, event, html: None }
    }

    /// For pages: `<hx-partial>` elements with target and swap, the same for every viewer of one language.
    /// Without it pages hear nothing of the event.
    pub fn html(mut self, render: impl Fn(Lang) -> String + Send + Sync + 'static) -> Self {
        self.html = Some(Box::new(render));
        self
    }

    /// For pages: fetch again the regions of the page that show this feed.
    pub fn reread(self) -> Self {
        self.html(|_| "<!--reread-->".to_owned())
    }
}

/// A frame in a feed's log.
pub(super) struct Frame {
    pub(super) seq: u64,
    head: String,
    content: Content,
    html: Box<[OnceLock<Utf8Bytes>]>,
    json: OnceLock<Utf8Bytes>,
}

impl Frame {
    pub(super) fn new(feed: &str, cursor: String, seq: u64, content: Content) -> Self {
        let html = (0..Lang::count()).map(|_| OnceLock::new()).collect();
        Self { seq, head: format!("{feed} {cursor}"), content, html, json: OnceLock::new() }
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
