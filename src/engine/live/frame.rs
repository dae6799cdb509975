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

/// The content of a frame, before it is encoded as HTML or JSON. Cheap to clone.
#[derive(Clone)]
pub struct Content {
    topic: &'static str,
    event: Arc<RawValue>,
    html: Option<Html>,
    about: Option<About>,
    /// Objects that change with it.
    also: Arc<[Content]>,
}

/// The object, such as a message, that a frame is about.
#[derive(Clone)]
struct About {
    id: i64,
    /// Whether this frame inserted the object.
    inserted: bool,
    /// Inserts the object in its present state into a page that does not show it yet.
    insert: Html,
}

impl Content {
    /// An event that is published on a feed alone, because nobody on the bus needs it.
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
            also: Arc::default(),
        }
    }

    /// For pages: `<hx-partial>` elements with target and swap, the same for every viewer of one
    /// language. Without it pages get no frame of the event.
    pub fn html(mut self, render: impl Fn(Lang) -> String + Send + Sync + 'static) -> Self {
        self.html = Some(Arc::new(render));
        self
    }

    /// Inserts the object `id`. When it is updated, older frames about it are superseded (see
    /// [`Content::updates`]).
    pub fn inserts(
        mut self,
        id: i64,
        insert: impl Fn(Lang) -> String + Send + Sync + 'static,
    ) -> Self {
        let insert: Html = Arc::new(insert);
        self.html = Some(insert.clone());
        self.about = Some(About {
            id,
            inserted: true,
            insert,
        });
        self
    }

    /// Updates the object `id` in place. Frames about it that the ring still holds are superseded
    /// by its new state: what was edited away or deleted cannot be read from old cursors. `insert`
    /// puts it where it is not shown yet.
    pub fn updates(
        self,
        id: i64,
        change: impl Fn(Lang) -> String + Send + Sync + 'static,
        insert: impl Fn(Lang) -> String + Send + Sync + 'static,
    ) -> Self {
        let about = Some(About {
            id,
            inserted: false,
            insert: Arc::new(insert),
        });
        Self {
            about,
            ..self.html(change)
        }
    }

    /// Objects that change with it, such as quotes of a text that was edited away. They supersede
    /// older frames about them, and are not sent by themselves: `change` has to show them.
    pub fn also(mut self, others: Vec<Self>) -> Self {
        self.also = others.into();
        self
    }

    /// Whether it may supersede older frames.
    pub(super) fn is_change(&self) -> bool {
        self.about.as_ref().is_some_and(|about| !about.inserted)
    }

    /// The new content of an older frame, if it is about the same object, or about one that changes
    /// with it.
    pub(super) fn supersede(&self, older: &Self) -> Option<Self> {
        let others = || {
            self.also
                .iter()
                .find_map(|other| other.supersede_same(older))
        };
        self.supersede_same(older).or_else(others)
    }

    fn supersede_same(&self, older: &Self) -> Option<Self> {
        let (now, was) = (self.about.as_ref()?, older.about.as_ref()?);
        (now.id == was.id).then(|| Self {
            topic: older.topic,
            event: self.event.clone(),
            html: if was.inserted {
                Some(now.insert.clone())
            } else {
                self.html.clone()
            },
            about: Some(About {
                id: was.id,
                inserted: was.inserted,
                insert: now.insert.clone(),
            }),
            also: Arc::default(),
        })
    }

    /// Rough number of bytes once encoded: the event, then JSON and HTML, each plain and deflated.
    pub(super) fn weight(&self) -> usize {
        512 + 5 * self.event.get().len()
    }

    /// For pages: fetch again the regions of the page that show this feed.
    pub fn refetch(self) -> Self {
        self.html(|_| "<!--reread-->".to_owned())
    }
}

/// The format of a socket's frames: HTML for pages, in their language, or JSON for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Html(Lang),
    Json,
}

/// How frames are encoded for a socket. Sockets of one encoding are written the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Encoding {
    pub(super) format: Format,
    /// The window of its client, where compression was negotiated.
    pub(super) window: Option<Window>,
}

const MIN_DEFLATED_BYTES: usize = 256; // for shorter frames it costs more than it saves

/// A frame in a feed's log. Each form is made when the first socket needs it, and then shared by
/// all.
pub(super) struct Frame {
    pub(super) content: Content,
    seq: u64,
    weight: usize,
    head: String,
    /// HTML in each language, then JSON.
    forms: Box<[Form]>,
}

#[derive(Default)]
struct Form {
    plain: OnceLock<Plain>,
    /// Empty when deflating does not make it smaller.
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
            seq: cursor.number,
            weight,
            head: format!("{feed} {cursor}"),
            content,
            forms,
        }
    }

    /// The frame on the wire with its header; `None` for pages when it has no HTML.
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
        if payload.len() >= MIN_DEFLATED_BYTES
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
