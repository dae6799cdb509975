//! Read receipts: who has read the newest message of a direct conversation. Shown to its author,
//! and only between people who both chose to share what they have read.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::links::escape;
use super::model::MessageId;
use super::topics::{AccountReads, ReadRoom, RoomRead, RoomsRead};
use super::{Chat, store};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::permissions::READ;
use crate::community::{Account, Room, UNREAD_FEED};
use crate::engine::bus::{Envelope, Event, Subscriber};
use crate::engine::live::Content;
use crate::engine::module::{Audience, Module};
use crate::engine::partial::Partial;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, icon_address};

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    let subscriber = Subscriber::new("chat.receipts")
        .on(room_read)
        .on(rooms_read);
    module
        .page(Audience::SignedIn, "/rooms/{room}/receipts", get(receipts))
        .subscriber(subscriber)
}

/// Somebody else in a conversation.
struct Reader {
    account: AccountId,
    name: String,
    /// The last message that they have read.
    read: MessageId,
    /// Whether that is the newest one.
    is_shown: bool,
}

impl Reader {
    fn html(&self) -> String {
        let (account, read) = (self.account, self.read);
        let hidden = if self.is_shown { "" } else { " hidden" };
        let name = escape(&self.name);
        format!(
            "<span data-reader=\"{account}\" data-read=\"{read}\"{hidden}><bdi>{name}</bdi></span>"
        )
    }
}

/// The line of a conversation. Scripts show in it who has read the viewer's newest message.
#[derive(Template)]
#[template(path = "chat/receipts.html")]
struct ReceiptsView {
    room: RoomId,
    /// Whether there are several others.
    is_group: bool,
    readers: Vec<Reader>,
    lang: Lang,
}

impl ReceiptsView {
    fn icon(&self) -> String {
        icon_address("check")
    }

    fn is_shown(&self) -> bool {
        self.readers.iter().any(|reader| reader.is_shown)
    }
}

/// `GET /rooms/{room}/receipts`: the line alone, empty where nothing is shared.
async fn receipts(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
) -> Result<Html> {
    let access = &chat.community.access;
    let room = access.permit_in_room(viewer.account, &READ, room).await?;
    let deps = chat.engine.versions.dependencies();
    let line = chat.receipts(&deps, &viewer, &room).await?;
    Ok(Html(line.unwrap_or_default()))
}

impl Chat {
    /// The line of a conversation as HTML; `None` where the viewer shares nothing, and in rooms of
    /// a space. Adds what it depends on to `page`.
    pub(super) async fn receipts(
        &self,
        page: &Dependencies,
        viewer: &Viewer,
        room: &Room,
    ) -> Result<Option<String>> {
        let account = viewer.account;
        let own = self.community.accounts.get(account).await?;
        if !own.shows_reads() || room.space.is_some() || room.parent.is_some() {
            return Ok(None);
        }
        // Who blocked somebody shows them nothing any more.
        if self.community.is_closed(room.id).await? {
            return Ok(None);
        }
        let db = &self.engine.db;
        let newest = store::newest_with_author(db, room.id).await?;
        let own_newest = newest.filter(|(_, author)| *author == account);
        let read = store::read_marks_in(db, room.id).await?;
        let read: HashMap<AccountId, MessageId> = read.into_iter().collect();
        let members = self.community.access.readers_of(room.id).await?;
        let mut readers = Vec::new();
        for other in members.iter().filter(|other| **other != account) {
            page.add(*other);
            page.add(AccountReads(other.0));
            let Some(other) = self.sharer(*other).await? else {
                continue;
            };
            let read = read.get(&other.id).copied().unwrap_or(MessageId(0));
            readers.push(Reader {
                account: other.id,
                name: other.name.clone(),
                read,
                is_shown: own_newest.is_some_and(|(newest, _)| read >= newest),
            });
        }
        let view = ReceiptsView {
            room: room.id,
            is_group: members.len() > 2,
            readers,
            lang: viewer.lang,
        };
        Ok(Some(view.render().map_err(anyhow::Error::new)?))
    }

    /// An account, if it shares what it has read.
    async fn sharer(&self, account: AccountId) -> Result<Option<Arc<Account>>> {
        match self.community.accounts.get(account).await {
            Ok(account) => Ok(Some(account).filter(|account| account.shows_reads())),
            // It was just deleted.
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Tells the others of one's conversations how far one has read them.
    async fn tell_read<E: Event>(
        &self,
        event: &E,
        account: AccountId,
        rooms: &[ReadRoom],
    ) -> Result<()> {
        let Some(own) = self.sharer(account).await? else {
            return Ok(());
        };
        let deps = self.engine.versions.dependencies();
        let direct = self.community.rooms.direct_of(&deps, account).await?;
        let is_direct = |read: &&ReadRoom| direct.iter().any(|direct| direct.id == read.room);
        for ReadRoom { room, message } in rooms.iter().filter(is_direct) {
            let reader = Reader {
                account,
                name: own.name.clone(),
                read: *message,
                is_shown: false, // a script decides
            };
            if self.community.is_closed(*room).await? {
                continue;
            }
            let html = receipt_frame(*room, &reader);
            for other in self.community.access.readers_of(*room).await?.iter() {
                let feed = UNREAD_FEED.name(*other);
                let is_open = *other != account && self.engine.live.is_followed(&feed);
                if !is_open || self.sharer(*other).await?.is_none() {
                    continue;
                }
                let html = html.clone();
                let content = Content::of(event).html(move |_| html.clone());
                self.engine.live.publish(&feed, content);
            }
        }
        Ok(())
    }
}

/// Sets how far somebody has read, in pages that show the conversation.
fn receipt_frame(room: RoomId, reader: &Reader) -> String {
    let (account, html) = (reader.account, reader.html());
    let present = format!("#receipts-{room} [data-reader='{account}']");
    let absent = format!("#receipts-{room}:not(:has([data-reader='{account}']))");
    format!(
        "{}{}",
        Partial::replace(present, &html),
        Partial::append(absent, &html)
    )
}

async fn room_read(chat: &Chat, event: &RoomRead, _: &Envelope) -> Result<()> {
    let RoomRead {
        account,
        room,
        message,
    } = *event;
    chat.tell_read(event, account, &[ReadRoom { room, message }])
        .await
}

async fn rooms_read(chat: &Chat, event: &RoomsRead, _: &Envelope) -> Result<()> {
    chat.tell_read(event, event.account, &event.rooms).await
}
