//! The log: a page_query of a room's history as fragments, with what lies beyond it on both sides.

use std::sync::Arc;

use askama::Template;

use super::model::{Message, MessageId, PAGE_SIZE};
use super::store::{self, Stub};
use super::views::MessageView;
use super::{Chat, markdown};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::{EmojiSet, Face};
use crate::engine::fragments::{Fragments, Key};

/// Which page_query to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageQuery {
    /// The newest messages.
    Newest,
    /// Those before a message.
    Before(MessageId),
    /// Those after a message.
    After(MessageId),
    /// Those around a message.
    Around(MessageId),
}

/// A page_query of a room's history, ready for its template.
pub(super) struct Log {
    pub(super) room: RoomId,
    pub(super) entries: Vec<Entry>,
    /// Where older messages begin, if there are any.
    pub(super) older: Option<MessageId>,
    /// Where newer messages begin, if there are any. Without, the log is live.
    pub(super) newer: Option<MessageId>,
    /// The feed's name and its cursor, taken before anything was read.
    pub(super) feed: String,
}

/// One message and what stands before it.
pub(super) struct Entry {
    /// The day that begins with it (UTC; the browser draws its own days).
    pub(super) day: Option<String>,
    /// Whether the line 'new' stands before it.
    pub(super) new: bool,
    /// The message.
    pub(super) html: Arc<str>,
}

const MAX_ANSWER_BYTES: usize = 512 << 10; // bytes of text in one answer to a program
const TEMPLATE: &str = "chat.message.3";

impl Chat {
    /// Reads a page_query of a room. `read_to` is where the reader has come to, for the line 'new'.
    pub(super) async fn log(
        &self,
        room: RoomId,
        page_query: PageQuery,
        lang: Lang,
        reader: AccountId,
        read_to: Option<MessageId>,
    ) -> Result<Log> {
        let name = format!("room/{room}");
        let feed = format!("{name}@{}", self.engine.live.cursor(&name));
        let (stubs, older, newer) = self.stubs(room, page_query).await?;
        let html = self.fragments(room, &stubs, lang).await?;
        let first_new = read_to.and_then(|read| {
            stubs
                .iter()
                .position(|stub| stub.id > read && stub.author != reader)
        });
        let mut last_day = String::new();
        let entries = stubs
            .iter()
            .zip(html)
            .enumerate()
            .map(|(place, (stub, html))| {
                let today = crate::base::ids::time_of(stub.id.0).date();
                let day = (today != last_day).then(|| today.clone());
                last_day = today;
                Entry {
                    day,
                    new: first_new == Some(place),
                    html,
                }
            })
            .collect();
        Ok(Log {
            room,
            entries,
            older,
            newer,
            feed,
        })
    }

    /// A page_query of a room as data, oldest first, and whether there is more in the direction it
    /// was asked for. Long messages make it shorter: it holds at most [`MAX_ANSWER_BYTES`] bytes of
    /// text past its first message.
    pub(super) async fn messages(
        &self,
        room: RoomId,
        page_query: PageQuery,
    ) -> Result<(Vec<Message>, bool)> {
        let (stubs, older, newer) = self.stubs(room, page_query).await?;
        let (Some(first), Some(last)) = (stubs.first(), stubs.last()) else {
            return Ok((Vec::new(), false));
        };
        let mut messages = store::range(&self.engine.db, room, first.id, last.id).await?;
        let forward = matches!(page_query, PageQuery::After(_));
        let mut room_left = MAX_ANSWER_BYTES;
        let mut fits = |message: &Message| {
            let fits = message.body.len() <= room_left;
            room_left = room_left.saturating_sub(message.body.len().max(1));
            fits
        };
        let kept = if forward {
            messages.iter().take_while(|m| fits(m)).count()
        } else {
            messages.iter().rev().take_while(|m| fits(m)).count()
        };
        let cut = kept.max(1) < messages.len();
        if forward {
            messages.truncate(kept.max(1));
        } else {
            messages.drain(..messages.len() - kept.max(1));
        }
        let more = if forward {
            newer.is_some()
        } else {
            older.is_some()
        };
        Ok((messages, more || cut))
    }

    /// One more than a page is asked for, to know whether there is more.
    async fn stubs(
        &self,
        room: RoomId,
        page_query: PageQuery,
    ) -> Result<(Vec<Stub>, Option<MessageId>, Option<MessageId>)> {
        let db = &self.engine.db;
        let up = |place, most| async move {
            let mut stubs = store::before(db, room, place, most + 1).await?;
            let more = stubs.len() > most;
            stubs.truncate(most);
            stubs.reverse();
            let older = if more {
                stubs.first().map(|stub| stub.id)
            } else {
                None
            };
            Ok::<_, Error>((stubs, older))
        };
        let down = |place, most| async move {
            let mut stubs = store::from(db, room, place, most + 1).await?;
            let more = stubs.len() > most;
            stubs.truncate(most);
            let newer = if more {
                stubs.last().map(|stub| stub.id)
            } else {
                None
            };
            Ok::<_, Error>((stubs, newer))
        };
        Ok(match page_query {
            PageQuery::Newest => {
                let (stubs, older) = up(MessageId(i64::MAX), PAGE_SIZE).await?;
                (stubs, older, None)
            }
            PageQuery::Before(place) => {
                let (stubs, older) = up(place, PAGE_SIZE).await?;
                let newer = stubs.last().map(|stub| stub.id);
                (stubs, older, newer)
            }
            PageQuery::After(place) => {
                let (stubs, newer) = down(MessageId(place.0.saturating_add(1)), PAGE_SIZE).await?;
                let older = stubs.first().map(|stub| stub.id);
                (stubs, older, newer)
            }
            PageQuery::Around(place) => {
                let (mut stubs, older) = up(place, PAGE_SIZE / 2).await?;
                let (rest, newer) = down(place, PAGE_SIZE / 2 + 1).await?;
                stubs.extend(rest);
                (stubs, older, newer)
            }
        })
    }

    /// The fragments of these messages. Rows are read only for those that are not rendered yet.
    async fn fragments(&self, room: RoomId, stubs: &[Stub], lang: Lang) -> Result<Vec<Arc<str>>> {
        let fragments = &self.engine.fragments;
        let emoji = self.community.emoji_in(room).await?;
        let mut html: Vec<Option<Arc<str>>> = stubs
            .iter()
            .map(|stub| fragments.get(&key(lang, stub.id, stub.revision, &emoji)))
            .collect();
        let missing: Vec<_> = stubs
            .iter()
            .zip(&html)
            .filter(|(_, html)| html.is_none())
            .map(|(stub, _)| stub.id)
            .collect();
        if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
            let rows = store::range(&self.engine.db, room, *first, *last).await?;
            let rendered = render_all(fragments.clone(), rows, emoji, lang).await?;
            for (stub, slot) in stubs.iter().zip(&mut html) {
                if slot.is_none() {
                    *slot = rendered
                        .iter()
                        .find(|(id, _)| *id == stub.id)
                        .map(|(_, html)| html.clone());
                }
            }
        }
        // A row can only be missing when its room was deleted between the two reads.
        html.into_iter()
            .map(|html| html.ok_or(Error::NotFound))
            .collect()
    }
}

fn key(lang: Lang, id: MessageId, revision: i64, emoji: &EmojiSet) -> Key {
    Key {
        template: TEMPLATE,
        lang,
        id: id.0,
        revision,
        variant: emoji.version(),
    }
}

/// A message's body as HTML, with the emoji it was made with: they are part of its cache key.
pub(super) struct Body {
    html: String,
    emoji: Arc<EmojiSet>,
}

impl Body {
    fn render(source: &str, emoji: Arc<EmojiSet>) -> Self {
        let html = markdown::with_emoji(&markdown::to_html(source), &emoji);
        Self { html, emoji }
    }
}

async fn render_all(
    fragments: Fragments,
    rows: Vec<Message>,
    emoji: Arc<EmojiSet>,
    lang: Lang,
) -> Result<Vec<(MessageId, Arc<str>)>> {
    let costly = rows
        .iter()
        .any(|row| markdown::needs_highlighting(&row.body));
    let render = move || {
        let body = |row: &Message| Body::render(&row.body, emoji.clone());
        rows.iter()
            .map(|row| (row.id, fragment(&fragments, row, &body(row), lang)))
            .collect()
    };
    // Highlighting takes milliseconds: not on a thread that others wait for.
    if costly {
        tokio::task::spawn_blocking(render)
            .await
            .map_err(|error| Error::Internal(anyhow::Error::new(error)))
    } else {
        Ok(render())
    }
}

/// A message's body as HTML, away from the async threads when it is costly.
pub(super) async fn body_html(chat: &Chat, message: &Message) -> Result<Body> {
    let emoji = chat.community.emoji_in(message.room).await?;
    if !markdown::needs_highlighting(&message.body) {
        return Ok(Body::render(&message.body, emoji));
    }
    let source = message.body.clone();
    tokio::task::spawn_blocking(move || Body::render(&source, emoji))
        .await
        .map_err(|error| Error::Internal(anyhow::Error::new(error)))
}

/// The message's fragment, made from its body's HTML if it is not there yet.
pub(super) fn fragment(
    fragments: &Fragments,
    message: &Message,
    body: &Body,
    lang: Lang,
) -> Arc<str> {
    let key = key(lang, message.id, message.revision, &body.emoji);
    fragments.render(key, || {
        let view = MessageView {
            message,
            body: &body.html,
            lang,
            face: Face::of(message.author, &message.author_name),
            emoji_only: markdown::is_emoji_only(&message.body),
        };
        // Writing strings into a string does not fail.
        view.render().unwrap_or_default()
    })
}
