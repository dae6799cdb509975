//! `/inbox`: what the viewer was told of, newest first.

use std::collections::HashMap;

use askama::Template;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::Redirect;
use axum::routing::get;
use serde::{Deserialize, Serialize};

use super::store::{self, Entry};
use super::{INBOX_FEED, Notices};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{self, AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::{Face, Layout, Shell};
use crate::engine::module::{Audience, Module};
use crate::engine::notices::NoticeId;
use crate::engine::search::Found;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, IsPrefetch, PageAnswer, Wants, app_page, icon_address};

/// Notices on a page.
const MAX_NOTICES_ON_PAGE: usize = 30;
/// Notices that one request for what may draw attention gets.
const MAX_NEWEST: usize = 5;
/// Bytes of a text.
const MAX_TEXT_SHOWN: usize = 300;

pub(super) fn declare(module: Module<Notices>) -> Module<Notices> {
    module
        .page(Audience::SignedIn, "/inbox", get(inbox))
        .page(Audience::SignedIn, "/inbox/list", get(list))
        .page(Audience::SignedIn, "/inbox/newest", get(newest))
        .page(Audience::SignedIn, "/inbox/{notice}", get(open))
}

/// A notice as it is shown.
pub(super) struct Item {
    pub(super) id: NoticeId,
    pub(super) room: Option<RoomId>,
    pub(super) face: Option<Face>,
    /// What happened, in the viewer's language.
    pub(super) line: String,
    /// Where; empty for nowhere in particular.
    pub(super) place: String,
    pub(super) is_direct: bool,
    pub(super) text: String,
    pub(super) at: Micros,
    pub(super) is_unread: bool,
}

impl Item {
    /// The path that marks it as read and leads to what it is about.
    pub(super) fn path(&self) -> String {
        format!("/inbox/{}", self.id)
    }
}

/// Notices of one place that follow each other.
struct Group {
    place: String,
    is_direct: bool,
    items: Vec<Item>,
}

#[derive(Template)]
#[template(path = "notices/list.html")]
struct InboxList {
    lang: Lang,
    feeds: String,
    before: Option<NoticeId>,
    groups: Vec<Group>,
    has_unread: bool,
    /// What the next page begins before.
    next: Option<NoticeId>,
}

impl InboxList {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }

    /// Where the list is fetched again from.
    fn refresh(&self) -> String {
        match self.before {
            Some(before) => format!("/inbox/list?before={before}"),
            None => "/inbox/list".to_owned(),
        }
    }
}

#[derive(Template)]
#[template(path = "notices/inbox.html", blocks = ["app"])]
struct InboxPage {
    head: Head,
    shell: Shell,
    list: InboxList,
}

#[derive(Deserialize)]
struct InboxQuery {
    before: Option<NoticeId>,
}

/// `GET /inbox?before=`.
async fn inbox(
    State(notices): State<Notices>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<InboxQuery>,
) -> Result<PageAnswer> {
    let list = notices.inbox_list(&viewer, query.before).await?;
    let shell = layout.shell(&viewer, None, "/inbox").await?;
    let head = notices
        .community
        .head(&viewer, viewer.lang.t("inbox-title"));
    app_page!(wants, InboxPage { head, shell, list })
}

/// `GET /inbox/list?before=`: the list alone.
async fn list(
    State(notices): State<Notices>,
    viewer: Viewer,
    Query(query): Query<InboxQuery>,
) -> Result<Html> {
    Html::of(&notices.inbox_list(&viewer, query.before).await?)
}

/// `GET /inbox/{notice}`: marks one of the viewer's notices as read, and leads to what it is about.
async fn open(
    State(notices): State<Notices>,
    viewer: Viewer,
    prefetch: IsPrefetch,
    Path(notice): Path<NoticeId>,
) -> Result<Redirect> {
    let href = store::href(&notices.engine.db, viewer.account, notice).await?;
    if !prefetch.0 {
        // Neither a full disk nor a long queue may keep somebody from what they want to read.
        if let Err(error) = notices.mark_read(viewer.account, notice).await {
            tracing::warn!(%error, "a notice was not marked as read");
        }
    }
    Ok(Redirect::to(&href))
}

#[derive(Deserialize)]
struct NewestQuery {
    after: Option<NoticeId>,
}

/// A notice that may draw attention, for scripts.
#[derive(Serialize)]
struct Newest {
    id: NoticeId,
    room: Option<RoomId>,
    title: String,
    body: String,
    href: String,
}

/// `GET /inbox/newest?after=`: the unread notices that may draw attention, newest first, at most
/// five.
async fn newest(
    State(notices): State<Notices>,
    viewer: Viewer,
    Query(query): Query<NewestQuery>,
) -> Result<Json<Vec<Newest>>> {
    let db = &notices.engine.db;
    let after = query.after.unwrap_or(NoticeId(0));
    let entries = store::newest_loud(db, viewer.account, after, MAX_NEWEST).await?;
    let (items, _) = notices.items(viewer.account, viewer.lang, entries).await?;
    let newest = items.into_iter().map(|item| Newest {
        id: item.id,
        room: item.room,
        href: item.path(),
        title: item.line,
        body: item.text,
    });
    Ok(Json(newest.collect()))
}

/// The beginning of a text.
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_TEXT_SHOWN);
    let text = text.get(..end).unwrap_or_default();
    text.to_owned()
}

fn item(lang: Lang, line: &'static str, entry: Entry, found: Option<Found>) -> Item {
    let at = ids::time_of(entry.id.0);
    let (name, place, is_direct, text, face) = match found {
        Some(found) => (
            found.author_name.clone(),
            found.place.clone(),
            found.is_direct,
            found.shown_text(lang),
            Some(Face::of(found.author, &found.author_name)),
        ),
        None => {
            let name = entry.actor_name.unwrap_or_default();
            let face = entry.actor.map(|actor| Face::of(actor, &name));
            (name, String::new(), false, entry.text, face)
        }
    };
    let arguments = [
        ("name", name.as_str().into()),
        ("place", place.as_str().into()),
    ];
    Item {
        id: entry.id,
        room: entry.room,
        line: lang.with(line, &arguments),
        face,
        place,
        is_direct,
        text: cut(&text),
        at,
        is_unread: entry.is_unread,
    }
}

impl Notices {
    /// A page of an inbox. What the viewer may not see any more, or what is gone, leaves it.
    async fn inbox_list(&self, viewer: &Viewer, before: Option<NoticeId>) -> Result<InboxList> {
        let account = viewer.account;
        // Taken before reading: later changes arrive as frames.
        let feeds = INBOX_FEED.position(account, &self.engine.live).await?;
        let from = before.unwrap_or(NoticeId(i64::MAX));
        let limit = MAX_NOTICES_ON_PAGE + 1;
        let mut entries = store::inbox(&self.engine.db, account, from, limit).await?;
        let has_more = entries.len() == limit;
        entries.truncate(MAX_NOTICES_ON_PAGE);
        let next = entries.last().map(|entry| entry.id);
        let (items, gone) = self.items(account, viewer.lang, entries).await?;
        if !gone.is_empty()
            && let Err(error) = self.remove(account, gone).await
        {
            tracing::warn!(%error, "notices of what is gone were not removed");
        }
        let has_unread = items.iter().any(|item| item.is_unread);
        let mut groups: Vec<Group> = Vec::new();
        let mut of_last = None;
        for item in items {
            match groups.last_mut() {
                Some(group) if item.room.is_some() && item.room == of_last => {
                    group.items.push(item);
                }
                _ => {
                    of_last = item.room;
                    groups.push(Group {
                        place: item.place.clone(),
                        is_direct: item.is_direct,
                        items: vec![item],
                    });
                }
            }
        }
        Ok(InboxList {
            lang: viewer.lang,
            feeds,
            before,
            groups,
            has_unread,
            next: next.filter(|_| has_more),
        })
    }

    /// These notices as an account sees them, in their order, and those that it may not see.
    pub(super) async fn items(
        &self,
        account: AccountId,
        lang: Lang,
        entries: Vec<Entry>,
    ) -> Result<(Vec<Item>, Vec<NoticeId>)> {
        let notices = &self.engine.notices;
        let mut by_kind: HashMap<String, Vec<i64>> = HashMap::new();
        for entry in &entries {
            if notices.is_looked_up(&entry.kind) {
                let ids = by_kind.entry(entry.kind.clone()).or_default();
                ids.push(entry.item);
            }
        }
        let mut found: HashMap<i64, Found> = HashMap::new();
        for (kind, ids) in by_kind {
            let loaded = notices.load(&kind, account, ids).await?;
            found.extend(loaded.into_iter().map(|one| (one.id, one)));
        }
        let (mut items, mut gone) = (Vec::new(), Vec::new());
        for entry in entries {
            let one = found.remove(&entry.item);
            match notices.kind(&entry.kind) {
                Some(kind) if one.is_some() || !notices.is_looked_up(&entry.kind) => {
                    items.push(item(lang, kind.line, entry, one));
                }
                _ => gone.push(entry.id),
            }
        }
        Ok((items, gone))
    }

    async fn remove(&self, account: AccountId, gone: Vec<NoticeId>) -> Result<()> {
        let notices = self.engine.notices.clone();
        let write = self.engine.db.write_queued(async move |tx: &mut Tx| {
            for notice in gone {
                store::remove(tx, account, notice).await?;
            }
            notices.publish_changed(tx, &[account]);
            Ok(())
        });
        write.await
    }
}
