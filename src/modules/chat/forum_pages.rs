//! The page of a forum room: its posts, and the form of a new one. The form of a room's tags.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::closed_room::{closed, remedy};
use super::forum::{MAX_POST_TAGS, PostRow, TagId};
use super::forum_store::{self, Post};
use super::model::MessageId;
use super::{Chat, ROOM_FEED};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::permissions::{MANAGE_ROOMS, READ, is_granted};
use crate::community::{Layout, Room, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Part, Wants, app_page, icon_address};

/// Posts on a page.
const MAX_ON_PAGE: usize = 30;

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::SignedIn, "/rooms/{room}/posts", get(list))
        .page(Audience::SignedIn, "/rooms/{room}/tags", get(tags))
}

/// Which posts are listed.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct PostsQuery {
    /// Those with this tag.
    pub(super) tag: Option<TagId>,
    /// Those whose newest activity was before this message.
    pub(super) before: Option<MessageId>,
}

/// A page of posts.
#[derive(Template)]
#[template(path = "chat/posts.html")]
struct PostsView {
    room: RoomId,
    feed: String,
    query: PostsQuery,
    posts: Vec<Post>,
    /// Where the next page begins.
    next: Option<MessageId>,
    may_post: bool,
    lang: Lang,
}

impl PostsView {
    fn icon(&self) -> String {
        icon_address("list")
    }

    fn row(&self, post: &Post) -> String {
        PostRow::new(post, self.lang).html()
    }

    /// The query of a page of this list.
    fn address(&self, before: impl Into<Option<MessageId>>) -> String {
        let tag = self.query.tag.map(|tag| format!("tag={tag}"));
        let before = before.into().map(|before| format!("before={before}"));
        let parts: Vec<_> = tag.into_iter().chain(before).collect();
        match parts.is_empty() {
            true => String::new(),
            false => format!("?{}", parts.join("&")),
        }
    }

    /// The tag of the address.
    fn tag(&self) -> String {
        self.query
            .tag
            .map(|tag| tag.to_string())
            .unwrap_or_default()
    }
}

/// A forum room: header, the form of a new post, and the list of posts.
#[derive(Template)]
#[template(path = "chat/forum.html")]
pub(super) struct ForumView<'a> {
    pub(super) head: &'a Head,
    pub(super) shell: &'a Shell,
    form: &'a Form,
    room: RoomId,
    title: String,
    about: String,
    private: bool,
    restricted: bool,
    tags: Vec<(TagId, String)>,
    chosen: Option<TagId>,
    closed: Option<(&'static str, &'static str)>,
    remedy: Option<(String, &'static str)>,
    may_manage: bool,
    slow_seconds: i64,
    newest: MessageId,
    held: Vec<String>,
    region: Arc<Part>,
}

impl ForumView<'_> {
    fn tags_hint(&self) -> String {
        let count = [("count", (MAX_POST_TAGS as i64).into())];
        self.head.lang.with("post-tags-hint", &count)
    }

    fn is_ticked(&self, create: &Form, tag: &TagId) -> bool {
        create.ticked(
            "tags",
            &tag.to_string(),
            &(self.chosen.as_ref() == Some(tag)),
        )
    }
}

/// What a forum's page is made of that others have, too.
pub(super) struct ForumParts<'a> {
    pub(super) head: &'a Head,
    pub(super) shell: &'a Shell,
    pub(super) form: &'a Form,
    pub(super) about: String,
    pub(super) restricted: bool,
    pub(super) newest: Option<MessageId>,
}

impl Chat {
    /// A page of the posts of a room, for who reads it.
    async fn posts_html(&self, viewer: &Viewer, room: &Room, query: PostsQuery) -> Result<String> {
        // Before what is read: a frame may be applied twice, but none may be missed.
        let feed = ROOM_FEED.position(room.id, &self.engine.live).await?;
        let before = query.before.unwrap_or(MessageId(i64::MAX));
        let (db, limit) = (&self.engine.db, MAX_ON_PAGE as i64 + 1);
        let mut posts = forum_store::posts(db, room.id, (query.tag, before), limit).await?;
        let has_more = posts.len() > MAX_ON_PAGE;
        posts.truncate(MAX_ON_PAGE);
        let view = PostsView {
            room: room.id,
            feed,
            query,
            next: posts.last().filter(|_| has_more).map(|post| post.last),
            posts,
            may_post: closed(self, viewer.account, room).await?.is_none(),
            lang: viewer.lang,
        };
        Ok(view.render().map_err(anyhow::Error::new)?)
    }

    /// The view of a forum room, and its list, which the view places.
    pub(super) async fn forum_view(
        &self,
        viewer: &Viewer,
        room: &Room,
        query: PostsQuery,
        parts: ForumParts<'_>,
    ) -> Result<(String, Arc<Part>)> {
        let account: AccountId = viewer.account;
        let region = Part::for_one(self.posts_html(viewer, room, query).await?);
        let access = &self.community.access;
        let closed = closed(self, account, room).await?;
        let may_manage = access.permit_in_room(account, &MANAGE_ROOMS, room.id).await;
        let view = ForumView {
            head: parts.head,
            shell: parts.shell,
            form: parts.form,
            room: room.id,
            title: room.name.clone(),
            about: parts.about,
            private: room.rules.private,
            restricted: parts.restricted,
            tags: forum_store::tags(&self.engine.db, room.id).await?,
            chosen: query.tag,
            remedy: closed.and_then(|(_, why)| remedy(why, room.space)),
            closed,
            may_manage: is_granted(may_manage)?,
            slow_seconds: room.slow_seconds,
            newest: parts.newest.unwrap_or(MessageId(0)),
            held: self.held_views(account, room.id, viewer.lang).await?,
            region: region.clone(),
        };
        Ok((view.render().map_err(anyhow::Error::new)?, region))
    }

    /// A forum room, for who reads it.
    ///
    /// # Errors
    /// `NotFound` for others, and for rooms of other kinds.
    async fn forum(&self, viewer: &Viewer, room: RoomId) -> Result<Arc<Room>> {
        let access = &self.community.access;
        let room = access.permit_in_room(viewer.account, &READ, room).await?;
        Some(room)
            .filter(|room| room.is_forum())
            .ok_or(Error::NotFound)
    }
}

/// `GET /rooms/{room}/posts?tag=&before=`: the list alone, for a page that missed frames.
async fn list(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
    Query(query): Query<PostsQuery>,
) -> Result<Html> {
    let room = chat.forum(&viewer, room).await?;
    Ok(Html(chat.posts_html(&viewer, &room, query).await?))
}

/// The form of a room's tags.
#[derive(Template)]
#[template(path = "chat/tags.html", blocks = ["app"])]
struct TagsPage {
    head: Head,
    shell: Shell,
    form: Form,
    room: RoomId,
    tags: String,
}

/// `GET /rooms/{room}/tags`.
async fn tags(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    form: Form,
) -> Result<PageAnswer> {
    let room = chat.forum(&viewer, room).await?;
    let access = &chat.community.access;
    access
        .permit_in_room(viewer.account, &MANAGE_ROOMS, room.id)
        .await?;
    let tags = forum_store::tags(&chat.engine.db, room.id).await?;
    let names: Vec<_> = tags.into_iter().map(|(_, name)| name).collect();
    let here = format!("/rooms/{}", room.id);
    let page = TagsPage {
        head: chat.community.head(&viewer, viewer.lang.t("tags-title")),
        shell: layout.shell(&viewer, room.space, &here).await?,
        form,
        room: room.id,
        tags: names.join("\n"),
    };
    app_page!(wants, page)
}
