//! The history of a room in pages: as JSON for programs, as fragments for the log.

use std::collections::HashMap;
use std::collections::hash_map::Entry::Vacant;
use std::sync::Arc;

use askama::Template;
use serde::Deserialize;
use serde_json::json;

use super::dividers::{Entry, entries};
use super::message_html::{Names, key, render_all};
use super::model::{Message, MessageId, PAGE_SIZE};
use super::store::{self, Stub};
use super::topics::RoomHistory;
use super::views::{EntriesView, LogView};
use super::{Chat, ROOM_FEED};
use crate::base::db::Db;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::{Room, permissions};
use crate::engine::actions::Outcome;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Part, PartKey};

/// Which page of the history to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageQuery {
    /// The newest messages.
    Newest,
    /// The messages before a position, which need not be a message of this room.
    Before(MessageId),
    /// The messages after a position.
    After(MessageId),
    /// Half a page on each side of a position.
    Around(MessageId),
}

/// A page of a room's history, as its template needs it.
pub(super) struct Log {
    pub(super) room: RoomId,
    /// Compressed runs of messages that pages share; they precede `entries`.
    pub(super) pieces: Vec<Arc<Part>>,
    pub(super) entries: Vec<Entry>,
    /// The position before which there are older messages, if any.
    pub(super) older: Option<MessageId>,
    /// The position after which there are newer messages. `None`: the log reaches the present, so
    /// frames may append to it.
    pub(super) newer: Option<MessageId>,
    /// The feed's name and its cursor, taken before anything was read: frames after the cursor hold
    /// everything that the page misses.
    pub(super) feed: String,
}

const MAX_RESPONSE_BYTES: usize = 256 << 10; // bytes of text in one response to a program

/// Binary logarithm of the mean number of messages in a piece. A piece ends after a message whose
/// hashed id has this many leading zeros, so that a new message changes only the first and the last
/// piece of a page, and all others stay cached.
const PIECE_SIZE_BITS: u32 = 3;

impl Entry {
    fn ends_piece(&self) -> bool {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 / φ: Fibonacci hashing
        self.id.0.cast_unsigned().wrapping_mul(GOLDEN) >> (64 - PIECE_SIZE_BITS) == 0
    }
}

impl Chat {
    /// The newest page as it looks to everybody without unread messages: rendered once until
    /// something in it changes.
    pub(super) async fn shared_log(
        &self,
        page: &Dependencies,
        room: &Room,
        reader: AccountId,
        lang: Lang,
    ) -> Result<Arc<Part>> {
        let key = PartKey {
            kind: "chat.log",
            id: room.id.0,
            lang,
        };
        let make = async |deps: &Dependencies| {
            deps.add(RoomHistory(room.id.0));
            deps.add(room.governing()); // its people's names, where it has no space
            room.space.iter().for_each(|space| deps.add(*space)); // its names
            self.log_part(room.id, reader, lang, None).await
        };
        self.engine.part_cache.part(key, page, make).await
    }

    /// The newest page, composed of cached pieces: a post makes only two of them render again.
    pub(super) async fn log_part(
        &self,
        room: RoomId,
        reader: AccountId,
        lang: Lang,
        read_to: Option<MessageId>,
    ) -> Result<Arc<Part>> {
        let mut log = self
            .log(room, PageQuery::Newest, lang, reader, read_to)
            .await?;
        let entries = std::mem::take(&mut log.entries);
        for entries in entries.split_inclusive(Entry::ends_piece) {
            let html = EntriesView { entries, lang }
                .render()
                .map_err(anyhow::Error::new)?;
            log.pieces.push(self.engine.part_cache.piece(html));
        }
        let view = LogView { log: &log, lang };
        let rendered = view.as_region().render().map_err(anyhow::Error::new)?;
        Part::composed(&rendered, &log.pieces)
    }

    /// Reads a page of a room. `read_to` is the reader's read mark, for the 'New' divider.
    pub(super) async fn log(
        &self,
        room: RoomId,
        page_query: PageQuery,
        lang: Lang,
        reader: AccountId,
        read_to: Option<MessageId>,
    ) -> Result<Log> {
        let feed = ROOM_FEED.position(room, &self.engine.live).await?;
        let (stubs, older, newer) = self.stubs(room, page_query).await?;
        let html = self.fragments(room, &stubs, lang).await?;
        let entries = entries(&stubs, html, read_to, reader);
        Ok(Log {
            room,
            pieces: Vec::new(),
            entries,
            older,
            newer,
            feed,
        })
    }

    /// A page of a room as data, oldest first, and whether there is more in the queried direction.
    /// Long messages make it shorter: it holds at most [`MAX_RESPONSE_BYTES`] bytes of
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
        let mut bytes_left = MAX_RESPONSE_BYTES;
        let mut fits = |message: &Message| {
            let fits = message.body.len() <= bytes_left;
            bytes_left = bytes_left.saturating_sub(message.body.len().max(1));
            fits
        };
        let count = if forward {
            messages.iter().take_while(|m| fits(m)).count()
        } else {
            messages.iter().rev().take_while(|m| fits(m)).count()
        };
        let count = count.max(1);
        let is_cut = count < messages.len();
        if forward {
            messages.truncate(count);
        } else {
            messages.drain(..messages.len() - count);
        }
        let more = if forward {
            newer.is_some()
        } else {
            older.is_some()
        };
        Ok((messages, more || is_cut))
    }

    /// The stubs of a page, and the positions from which older and newer messages continue. Queries
    /// one row more than the page holds, to know whether there is more.
    async fn stubs(
        &self,
        room: RoomId,
        page_query: PageQuery,
    ) -> Result<(Vec<Stub>, Option<MessageId>, Option<MessageId>)> {
        let db = &self.engine.db;
        let up = |position, limit| stubs_before(db, room, position, limit);
        let down = |position, limit| stubs_from(db, room, position, limit);
        Ok(match page_query {
            PageQuery::Newest => {
                let (stubs, older) = up(MessageId(i64::MAX), PAGE_SIZE).await?;
                (stubs, older, None)
            }
            PageQuery::Before(position) => {
                let (stubs, older) = up(position, PAGE_SIZE).await?;
                let newer = stubs.last().map(|stub| stub.id);
                (stubs, older, newer)
            }
            PageQuery::After(position) => {
                let (stubs, newer) =
                    down(MessageId(position.0.saturating_add(1)), PAGE_SIZE).await?;
                let older = stubs.first().map(|stub| stub.id);
                (stubs, older, newer)
            }
            PageQuery::Around(position) => {
                let (mut stubs, older) = up(position, PAGE_SIZE / 2).await?;
                let (rest, newer) = down(position, PAGE_SIZE / 2 + 1).await?;
                stubs.extend(rest);
                (stubs, older, newer)
            }
        })
    }

    /// The names that the authors of these messages have now.
    async fn author_names(&self, stubs: &[Stub]) -> Result<HashMap<AccountId, String>> {
        let mut names = HashMap::new();
        for stub in stubs {
            if let Vacant(vacant) = names.entry(stub.author) {
                let account = self.community.accounts.get(stub.author).await?;
                vacant.insert(account.name.clone());
            }
        }
        Ok(names)
    }

    /// The fragments of these messages. Rows are read only for those that are not cached.
    async fn fragments(&self, room: RoomId, stubs: &[Stub], lang: Lang) -> Result<Vec<Arc<str>>> {
        let fragments = &self.engine.fragments;
        let names = Names::in_room(&self.community, room).await?;
        let mentions = stubs.iter().map(|stub| &stub.mentions);
        let names = names.with_people(&self.community, mentions).await?;
        let ids = stubs.iter().map(|stub| stub.id);
        let names = names.with_threads(&self.engine.db, ids).await?;
        let authors = self.author_names(stubs).await?;
        let cached = |stub: &Stub| {
            let author = authors.get(&stub.author)?;
            let version = (stub.id, stub.revision);
            fragments.get(&key(lang, version, &names, author, &stub.mentions))
        };
        let mut html: Vec<Option<Arc<str>>> = stubs.iter().map(cached).collect();
        let missing: Vec<_> = stubs
            .iter()
            .zip(&html)
            .filter(|(_, html)| html.is_none())
            .map(|(stub, _)| stub.id)
            .collect();
        if let (Some(first), Some(last)) = (missing.first(), missing.last()) {
            let rows = store::range(&self.engine.db, room, *first, *last).await?;
            let shared = (fragments.clone(), self.engine.hosts.clone());
            let rendered = render_all(shared, rows, names, lang).await?;
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

/// Up to `limit` stubs before a position, oldest first, and the position from which older messages
/// continue, if there are any.
async fn stubs_before(
    db: &Db,
    room: RoomId,
    position: MessageId,
    limit: usize,
) -> Result<(Vec<Stub>, Option<MessageId>)> {
    let mut stubs = store::before(db, room, position, limit + 1).await?;
    let has_more = stubs.len() > limit;
    stubs.truncate(limit);
    stubs.reverse();
    let oldest = stubs.first().map(|stub| stub.id);
    Ok((stubs, oldest.filter(|_| has_more)))
}

/// Up to `limit` stubs at or after a position, oldest first, and the position from which newer
/// messages continue, if there are any.
async fn stubs_from(
    db: &Db,
    room: RoomId,
    position: MessageId,
    limit: usize,
) -> Result<(Vec<Stub>, Option<MessageId>)> {
    let mut stubs = store::from(db, room, position, limit + 1).await?;
    let has_more = stubs.len() > limit;
    stubs.truncate(limit);
    let newest = stubs.last().map(|stub| stub.id);
    Ok((stubs, newest.filter(|_| has_more)))
}

#[derive(Deserialize)]
pub(super) struct HistoryInput {
    room: RoomId,
    /// Messages before this one.
    before: Option<MessageId>,
    /// Messages after this one.
    after: Option<MessageId>,
}

/// `chat.history`: a page of a room's messages as JSON.
pub(super) async fn history(chat: Chat, viewer: Viewer, input: HistoryInput) -> Result<Outcome> {
    let room = chat
        .community
        .access
        .permit_in_room(viewer.account, &permissions::READ, input.room)
        .await?;
    // Taken before reading: frames after this cursor hold everything that the page misses.
    let cursor = chat
        .engine
        .live
        .cursor(&ROOM_FEED.name(room.id))
        .await?
        .to_string();
    let query = match (input.before, input.after) {
        (None, None) => PageQuery::Newest,
        (Some(position), None) => PageQuery::Before(position),
        (None, Some(position)) => PageQuery::After(position),
        (Some(_), Some(_)) => return Err(Error::field("after", "error-message-shape")),
    };
    let (messages, more) = chat.messages(room.id, query).await?;
    Ok(Outcome::new(
        json!({ "messages": messages, "more": more, "cursor": cursor }),
        format!("/rooms/{}", room.id),
    ))
}
