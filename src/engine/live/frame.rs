//! A frame: one message of a feed, rendered on first need and then shared.

use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde_json::value::RawValue;

use super::cursor::Cursor;
use super::log::Entry;
use super::protocol::ToClient;
use crate::base::locale::Lang;
use crate::engine::bus::{self, Event};
use crate::engine::websocket::{Deflater, Window, frames};

type Html = Arc<dyn Fn(Lang) -> String + Send + Sync>;

/// What a frame says, before it is encoded. The same event gives both forms. Cheap to clone.
#[derive(Clone)]
pub struct Content {
    topic: &'static str,
    event: Arc<RawValue>,
    html: Option<Html>,
    about: Option<About>,
}

/// The one thing a frame tells of.
#[derive(Clone)]
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
        Self::new(E::topic().name, event)
    }

    /// For programs: the topic and its event.
    pub(super) fn new(topic: &'static str, event: impl Serialize) -> Self {
        Self {
            topic,
            event: bus::json(&event).into(),
            html: None,
            about: None,
        }
    }

    /// For pages: `<hx-partial>` elements with target and swap, the same for every viewer of one
    /// language. Without it pages hear nothing of the event.
    pub fn html(mut self, render: impl Fn(Lang) -> String + Send + Sync + 'static) -> Self {
        self.html = Some(Arc::new(render));
        self
    }

    /// The thing `id` comes. When it changes, what older frames say of it changes with it (see
    /// [`Content::updates`]).
    pub fn inserts(
        mut self,
        id: i64,
        arrives: impl Fn(Lang) -> String + Send + Sync + 'static,
    ) -> Self {
        let arrives: Html = Arc::new(arrives);
        self.html = Some(arrives.clone());
        self.about = Some(About {
            id,
            came: true,
            arrives,
        });
        self
    }

    /// The thing `id` changes, in place. Frames of it that the feed still holds tell its new state
    /// from now on: what was edited away or deleted cannot be had by asking for old frames.
    /// `arrives` puts it where it is not shown yet.
    pub fn updates(
        self,
        id: i64,
        change: impl Fn(Lang) -> String + Send + Sync + 'static,
        arrives: impl Fn(Lang) -> String + Send + Sync + 'static,
    ) -> Self {
        let about = Some(About {
            id,
            came: false,
            arrives: Arc::new(arrives),
        });
        Self {
            about,
            ..self.html(change)
        }
    }

    /// Whether it changes what older frames may tell of.
    pub(super) fn is_change(&self) -> bool {
        self.about.as_ref().is_some_and(|about| !about.came)
    }

    /// What an older frame says from now on, if it tells of the same thing.
    pub(super) fn supersede(&self, older: &Self) -> Option<Self> {
        let (now, was) = (self.about.as_ref()?, older.about.as_ref()?);
        (now.id == was.id).then(|| Self {
            topic: older.topic,
            event: self.event.clone(),
            html: if was.came {
                Some(now.arrives.clone())
            } else {
                self.html.clone()
            },
            about: Some(About {
                id: was.id,
                came: was.came,
                arrives: now.arrives.clone(),
            }),
        })
    }

    /// Bytes it may come to, roughly: its texts as event, as JSON and as HTML, plain and deflated.
    pub(super) fn weight(&self) -> usize {
        512 + 5 * self.event.get().len()
    }

    /// For pages: fetch again the regions of the page that show this feed.
    pub fn refetch(self) -> Self {
        self.html(|_| "<!--reread-->".to_owned())
    }
}

/// The language a socket speaks: frames as HTML for pages, or as JSON for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Html(Lang),
    Json,
}

/// How frames are put for a socket. Sockets of one encoding are written the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) format: Format,
    /// What its client can inflate, where compression was agreed on.
    pub(super) window: Option<Window>,
}

const WORTH_DEFLATING: usize = 256; // bytes from which it saves more than it costs

/// A frame in a feed's log. Each form is made when the first socket needs it, and then shared by
/// all.
pub(super) struct Frame {
    pub(super) content: Content,
    seq: u64,
    weight: usize,
    head: String,
    /// As HTML in each language, then as JSON.
    forms: Box<[Form]>,
}

#[derive(Default)]
struct Form {
    plain: OnceLock<Plain>,
    /// Empty where deflating does not make it smaller.
    deflated: OnceLock<Vec<u8>>,
}

/// A WebSocket frame, and where its payload begins.
struct Plain {
    bytes: Vec<u8>,
    payload: usize,
}

impl Frame {
    pub(super) fn new(feed: &str, cursor: &Cursor, content: Content) -> Self {
        let forms = (0..=Lang::count()).map(|_| Form::default()).collect();
        let weight = content.weight();
        Self {
            seq: cursor.seq,
            weight,
            head: format!("{feed} {cursor}"),
            content,
            forms,
        }
    }

    /// The frame on the wire, header and all; `None` when pages hear nothing of it.
    pub(super) fn encoded(&self, encoding: Encoding, deflater: &mut Deflater) -> Option<&[u8]> {
        let form = match encoding.format {
            Format::Html(lang) => &self.forms[lang.index()],
            Format::Json => &self.forms[Lang::count()],
        };
        let plain = match (form.plain.get(), encoding.format) {
            (Some(plain), _) => plain,
            (None, Format::Json) => form.plain.get_or_init(|| Plain::of(&self.json())),
            (None, Format::Html(lang)) => {
                let render = self.content.html.as_ref()?;
                form.plain
                    .get_or_init(|| Plain::of(&self.html(render, lang)))
            }
        };
        let payload = &plain.bytes[plain.payload..];
        if payload.len() >= WORTH_DEFLATING
            && encoding
                .window
                .is_some_and(|window| window.takes(payload.len()))
        {
            let deflated = form.deflated.get_or_init(|| {
                metrics::counter!("tidepool_frames_deflated_total").increment(1);
                let deflated = deflater.deflate(payload);
                let mut bytes = Vec::new();
                if deflated.len() < payload.len() {
                    frames::compressed_text(&deflated, &mut bytes);
                }
                bytes
            });
            if !deflated.is_empty() {
                return Some(deflated);
            }
        }
        Some(&plain.bytes)
    }

    fn html(&self, render: &Html, lang: Lang) -> String {
        metrics::counter!("tidepool_frames_rendered_total", "as" => "html").increment(1);
        format!("<!--{}-->{}", self.head, render(lang))
    }

    fn json(&self) -> String {
        metrics::counter!("tidepool_frames_rendered_total", "as" => "json").increment(1);
        let (feed, cursor) = self.head.split_once(' ').unwrap_or_default();
        ToClient::Event {
            feed,
            cursor,
            topic: self.content.topic,
            event: &self.content.event,
        }
        .text()
    }
}

impl Entry for Frame {
    fn number(&self) -> u64 {
        self.seq
    }

    fn weight(&self) -> usize {
        self.weight
    }
}

impl Plain {
    fn of(payload: &str) -> Self {
        let mut bytes = Vec::new();
        frames::text(payload.as_bytes(), &mut bytes);
        Self {
            payload: bytes.len() - payload.len(),
            bytes,
        }
    }
}
