//! Rooms on the web, for people without an account: the pages that show them, read-only, and their
//! files. Nothing on them tells of an account: whoever wrote is `Member 1`, `Member 2` and so on
//! within a page.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::attachment::Attachment;
use super::attachment_store::KIND;
use super::links::{linked, open_outside_in_tabs};
use super::model::{Message, MessageId, PAGE_SIZE};
use super::polls::Poll;
use super::{Chat, markdown, store};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::locale::Lang;
use crate::community::{MemberNames, Room, WebSpace};
use crate::engine::files::{FileId, ServeOptions};
use crate::engine::module::{Audience, Module};
use crate::engine::web::{Head, Html, icon_address};

/// Letters of the description that search engines show.
const MAX_DESCRIPTION_CHARS: usize = 160;
/// Of content that may stop being readable at any moment.
const REVALIDATE: &str = "private, no-cache";

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::Anyone, "/web/{space}", get(space))
        .page(Audience::Anyone, "/web/{space}/{room}", get(room))
        .page(
            Audience::Anyone,
            "/web/{space}/{room}/files/{file}/{name}",
            get(file),
        )
}

/// What search engines read in the head of a page.
struct Meta {
    description: String,
    /// The absolute address of the page.
    canonical: String,
    robots: &'static str,
}

#[derive(Template)]
#[template(path = "chat/web_space.html")]
struct WebSpacePage {
    head: Head,
    meta: Meta,
    space: WebSpace,
    rooms: Vec<Room>,
}

#[derive(Template)]
#[template(path = "chat/web_room.html")]
struct WebRoomPage {
    head: Head,
    meta: Meta,
    space: WebSpace,
    room: RoomId,
    name: String,
    about: String,
    messages: Vec<WebMessage>,
    older: Option<MessageId>,
    /// Whether it shows the newest messages.
    is_newest: bool,
}

/// A message as strangers see it.
struct WebMessage {
    id: MessageId,
    /// Of the author, within the page; from 1.
    number: usize,
    /// Whether it follows another one of the same author on the page.
    continues: bool,
    at: Micros,
    is_edited: bool,
    body: String,
    poll: Poll,
    files: Vec<WebFile>,
}

struct WebFile {
    file: Attachment,
    /// The address of its content, for strangers.
    href: String,
}

impl WebFile {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

#[derive(Deserialize)]
struct WebQuery {
    before: Option<MessageId>,
    at: Option<MessageId>,
}

/// Strangers come over the name that the server is known by.
fn address(chat: &Chat, headers: &HeaderMap, path: &str) -> String {
    let scheme = match chat.engine.settings.https {
        true => "https",
        false => "http",
    };
    let host = headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    format!("{scheme}://{}{path}", host.unwrap_or("localhost"))
}

fn robots(is_indexed: bool) -> &'static str {
    match is_indexed {
        true => "index, follow",
        false => "noindex, nofollow",
    }
}

fn answer(page: &impl Template, robots: &'static str) -> Result<Response> {
    let mut response = Html::of(page)?.into_response();
    let name = HeaderName::from_static("x-robots-tag");
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(robots));
    Ok(response)
}

/// `GET /web/{space}`: the rooms that strangers read.
async fn space(
    State(chat): State<Chat>,
    lang: Lang,
    headers: HeaderMap,
    Path(space): Path<SpaceId>,
) -> Result<Response> {
    let space = chat.community.web_space(space).await?;
    let rooms = chat.community.web_rooms(space.id).await?;
    let meta = Meta {
        description: lang.with("web-space-about", &[("space", space.name.as_str().into())]),
        canonical: address(&chat, &headers, &format!("/web/{}", space.id)),
        robots: robots(space.is_indexed),
    };
    let robots = meta.robots;
    let page = WebSpacePage {
        head: chat.engine.pages.head(lang, None, space.name.clone()),
        meta,
        space,
        rooms,
    };
    answer(&page, robots)
}

/// `GET /web/{space}/{room}?before=…&at=…`: a page of a room, the newest one without a position.
async fn room(
    State(chat): State<Chat>,
    lang: Lang,
    headers: HeaderMap,
    Path((space, room)): Path<(SpaceId, RoomId)>,
    Query(query): Query<WebQuery>,
) -> Result<Response> {
    let (space, room) = chat.community.web_room(space, room).await?;
    let (rows, older) = chat.web_history(room.id, &query).await?;
    let messages = chat.web_messages(space.id, rows).await?;
    let path = format!("/web/{}/{}", space.id, room.id);
    let query_text = match (query.before, query.at) {
        (Some(before), _) => format!("?before={before}"),
        (None, Some(at)) => format!("?at={at}"),
        (None, None) => String::new(),
    };
    let about = match room.about.is_empty() {
        true => lang.with(
            "web-room-about",
            &[
                ("room", room.name.as_str().into()),
                ("space", space.name.as_str().into()),
            ],
        ),
        false => room.about.clone(),
    };
    let meta = Meta {
        description: about.chars().take(MAX_DESCRIPTION_CHARS).collect(),
        canonical: address(&chat, &headers, &format!("{path}{query_text}")),
        // What a permanent link shows stands on another page, too.
        robots: robots(space.is_indexed && query.at.is_none()),
    };
    let title = format!("{} · {}", room.name, space.name);
    let robots = meta.robots;
    let page = WebRoomPage {
        head: chat.engine.pages.head(lang, None, title),
        meta,
        room: room.id,
        name: room.name.clone(),
        about: linked(&room.about, &chat.engine.hosts),
        messages,
        older,
        is_newest: query_text.is_empty(),
        space,
    };
    answer(&page, robots)
}

/// `GET /web/{space}/{room}/files/{file}/{name}`: a file of a message that strangers read.
async fn file(
    State(chat): State<Chat>,
    Path((space, room, file, _)): Path<(SpaceId, RoomId, FileId, String)>,
    Query(options): Query<ServeOptions>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let (_, room) = chat.community.web_room(space, room).await?;
    let files = &chat.engine.files;
    let file = files.file(file).await?;
    if !file.is_claimed || file.kind != KIND || file.target != room.id.0 {
        return Err(Error::NotFound);
    }
    let answer = files.answer(&file, &options, &method, &headers, REVALIDATE);
    answer.await
}

impl Chat {
    /// A page of a room's messages without those that are deleted or that nobody wrote, oldest first,
    /// and the position before which there are older ones.
    async fn web_history(
        &self,
        room: RoomId,
        query: &WebQuery,
    ) -> Result<(Vec<Message>, Option<MessageId>)> {
        let db = &self.engine.db;
        let end = match (query.before, query.at) {
            (Some(before), _) => before,
            (None, Some(at)) => {
                let after = store::from(db, room, at, PAGE_SIZE / 2).await?;
                MessageId(after.last().map_or(at, |stub| stub.id).0.saturating_add(1))
            }
            (None, None) => MessageId(i64::MAX),
        };
        let mut stubs = store::before(db, room, end, PAGE_SIZE + 1).await?;
        let has_older = stubs.len() > PAGE_SIZE;
        stubs.truncate(PAGE_SIZE);
        let (Some(newest), Some(oldest)) = (stubs.first(), stubs.last()) else {
            return Ok((Vec::new(), None));
        };
        let mut rows = store::range(db, room, oldest.id, newest.id).await?;
        rows.retain(|row| row.deleted_at.is_none() && row.told.is_nothing());
        Ok((rows, has_older.then_some(oldest.id)))
    }

    async fn web_messages(&self, space: SpaceId, rows: Vec<Message>) -> Result<Vec<WebMessage>> {
        let names = match rows.iter().any(|row| row.body.contains('@')) {
            true => self.community.member_names(space).await?,
            false => MemberNames::default(),
        };
        let hosts = self.engine.hosts.clone();
        let render = move || {
            let mut numbers: HashMap<AccountId, usize> = HashMap::new();
            let (mut messages, mut last) = (Vec::new(), None);
            for row in rows {
                let count = numbers.len() + 1;
                let number = *numbers.entry(row.author).or_insert(count);
                let continues = last == Some(row.author) && row.continues;
                last = Some(row.author);
                // Emoji of the space and links to rooms are for members: names stay as text.
                let html = match row.html {
                    Some(stored) => stored,
                    None => markdown::to_html(&row.body),
                };
                let body = names.mask(&open_outside_in_tabs(&html, &hosts));
                let path = format!("/web/{space}/{}", row.room);
                let files = row.files.0.into_iter().map(|file| WebFile {
                    href: format!("{path}{}", file.href()),
                    file,
                });
                messages.push(WebMessage {
                    id: row.id,
                    number,
                    continues,
                    at: row.created_at,
                    is_edited: row.edited_at.is_some(),
                    body,
                    poll: row.poll,
                    files: files.collect(),
                });
            }
            messages
        };
        // A page of long messages takes more than a millisecond.
        let rendered = tokio::task::spawn_blocking(render).await;
        rendered.map_err(|error| Error::Internal(anyhow::Error::new(error)))
    }
}
