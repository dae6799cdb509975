//! What the page of a room is made of: its view, and the pane of a thread beside it.

use std::sync::Arc;

use askama::Template;

use super::closed_room::{closed, remedy};
use super::forum_pages::{ForumParts, PostsQuery};
use super::history::PageQuery;
use super::links::linked;
use super::model::MessageId;
use super::pages::region;
use super::topics::{AccountReads, OwnHeld, RoomHistory};
use super::views::{RoomPage, RoomView, ThreadPane, ThreadTop};
use super::{Chat, TYPING_FEED, forum_store, store, thread_store};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::permissions::{MANAGE_ROOMS, READ, is_granted};
use crate::community::{Layout, Room, Shell};
use crate::engine::forms::Form;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Part};

/// Who asks for the page of a room.
pub(super) struct RoomRequest<'a> {
    pub(super) chat: &'a Chat,
    pub(super) layout: &'a Layout,
    pub(super) viewer: &'a Viewer,
    /// What the page depends on.
    pub(super) deps: &'a Dependencies,
    /// The message that they are about to answer.
    pub(super) reply: Option<MessageId>,
    /// Which posts of a forum room they ask for.
    pub(super) posts: PostsQuery,
}

/// Where a view stands.
#[derive(Clone, Copy)]
struct Place<'a> {
    head: &'a Head,
    shell: &'a Shell,
    form: &'a Form,
    in_pane: bool,
}

/// A rendered view.
struct Rendered {
    html: String,
    /// Its log, which the HTML places.
    region: Arc<Part>,
    /// Its newest message if the viewer had not read up to it.
    unread: Option<MessageId>,
}

impl RoomRequest<'_> {
    /// The page of a room, with the pane of one of its threads, and its newest message if the
    /// viewer had not read up to it.
    ///
    /// # Errors
    /// `NotFound` for who does not read the room; a thread of another room is left out.
    pub(super) async fn page(
        &self,
        id: RoomId,
        query: PageQuery,
        thread: Option<RoomId>,
        form: &Form,
    ) -> Result<(RoomPage, Option<MessageId>)> {
        let room = self.permitted(id).await?;
        let (head, mut shell) = self.around(&room).await?;
        let place = Place {
            head: &head,
            shell: &shell,
            form,
            in_pane: false,
        };
        let view = match room.is_forum() {
            true => self.forum(&room, place).await?,
            false => self.view(&room, query, place).await?,
        };
        let beside = match thread {
            Some(thread) => self.thread_of(&room, thread).await?,
            None => None,
        };
        let pane = match beside {
            Some(thread) => Some(self.rendered_pane(&thread, &head, &shell).await?),
            None => None,
        };
        shell.parts.push(view.region);
        let pane = pane.map(|(html, region)| {
            shell.parts.push(region);
            html
        });
        let page = RoomPage {
            head,
            shell,
            view: view.html,
            pane,
        };
        Ok((page, view.unread))
    }

    /// The pane of a thread alone.
    ///
    /// # Errors
    /// `NotFound` for who does not read it, and for a room that is no thread.
    pub(super) async fn pane(&self, id: RoomId) -> Result<PageAnswer> {
        let room = self.permitted(id).await?;
        room.parent.ok_or(Error::NotFound)?;
        let (head, shell) = self.around(&room).await?;
        let (html, region) = self.rendered_pane(&room, &head, &shell).await?;
        PageAnswer::of(&Whole { html }, &[region])
    }

    async fn permitted(&self, id: RoomId) -> Result<Arc<Room>> {
        let access = &self.chat.community.access;
        access.depend_on_room(self.deps, id).await?;
        self.deps.add(RoomHistory(id.0));
        self.deps.add(AccountReads(self.viewer.account.0));
        self.deps.add(OwnHeld(self.viewer.account.0));
        access.permit_in_room(self.viewer.account, &READ, id).await
    }

    /// A thread of a room, if that is what it is.
    async fn thread_of(&self, room: &Room, thread: RoomId) -> Result<Option<Arc<Room>>> {
        match self.permitted(thread).await {
            Ok(thread) => Ok(Some(thread).filter(|thread| thread.parent == Some(room.id))),
            Err(error) => is_granted(Err::<(), _>(error)).map(|_| None),
        }
    }

    async fn around(&self, room: &Room) -> Result<(Head, Shell)> {
        let here = format!("/rooms/{}", room.id);
        let shell = self
            .layout
            .shell_from(self.deps, self.viewer, room.space, &here);
        let community = &self.chat.community;
        let title = community.rooms.title(self.viewer.account, room).await?;
        Ok((community.head(self.viewer, title), shell.await?))
    }

    async fn rendered_pane(
        &self,
        thread: &Room,
        head: &Head,
        shell: &Shell,
    ) -> Result<(String, Arc<Part>)> {
        let form = Form::default();
        let place = Place {
            head,
            shell,
            form: &form,
            in_pane: true,
        };
        let view = self.view(thread, PageQuery::Newest, place).await?;
        let pane = ThreadPane {
            thread: thread.id,
            view: view.html,
        };
        let html = pane.render().map_err(anyhow::Error::new)?;
        Ok((html, view.region))
    }

    async fn view(&self, room: &Room, query: PageQuery, place: Place<'_>) -> Result<Rendered> {
        let Self {
            chat, viewer, deps, ..
        } = self;
        let (account, lang) = (viewer.account, viewer.lang);
        let typing = TYPING_FEED.position(room.id, &chat.engine.live).await?;
        let (newest, read_to) = store::newest_and_read(&chat.engine.db, account, room.id).await?;
        let is_read = read_to.is_some_and(|read| Some(read) >= newest);
        let region = match query {
            // Without unread messages the log is the same for everybody.
            PageQuery::Newest if is_read || read_to.is_none() => {
                chat.shared_log(deps, room, account, lang).await?
            }
            PageQuery::Newest => chat.log_part(room.id, account, lang, read_to).await?,
            _ => {
                let log = chat.log(room.id, query, lang, account, read_to);
                Part::for_one(region(&log.await?, lang)?)
            }
        };
        let title = chat.community.rooms.title(account, room).await?;
        let access = &chat.community.access;
        let readers = access.restricted_readers(deps, account, room.id).await?;
        let web = match (room.space, chat.community.is_on_web(room).await?) {
            (Some(space), true) => Some(format!("/web/{space}/{}", room.id)),
            _ => None,
        };
        let may_manage = is_granted(access.permit_in_room(account, &MANAGE_ROOMS, room.id).await)?;
        let closed = closed(chat, account, room).await?;
        let unread = newest.filter(|newest| read_to.is_none_or(|read| read < *newest));
        let view = RoomView {
            head: place.head,
            shell: place.shell,
            form: place.form,
            thread: self.thread_top(room, may_manage).await?,
            in_pane: place.in_pane,
            room: room.id,
            title,
            about: linked(&room.about, &chat.engine.hosts),
            is_newest: query == PageQuery::Newest,
            slow_seconds: room.slow_seconds,
            web,
            restricted: readers.is_some(),
            slow_until: chat.slow_until(account, room).await?,
            icon: match room.space {
                Some(_) => room.icon(),
                None => "chat",
            },
            remedy: closed.and_then(|(_, why)| remedy(why, room.space)),
            closed,
            may_manage,
            typing,
            receipts: chat.receipts(deps, viewer, room).await?,
            answered: chat.answered(room.id, self.reply).await?,
            held: chat.held_views(account, room.id, lang).await?,
            seen: newest.map_or_else(|| "0".to_owned(), |newest| newest.to_string()),
            region: region.clone(),
        };
        Ok(Rendered {
            html: view.render().map_err(anyhow::Error::new)?,
            region,
            unread,
        })
    }

    async fn forum(&self, room: &Room, place: Place<'_>) -> Result<Rendered> {
        let Self {
            chat, viewer, deps, ..
        } = self;
        let (account, db) = (viewer.account, &chat.engine.db);
        let (newest, read_to) = store::newest_and_read(db, account, room.id).await?;
        let access = &chat.community.access;
        let readers = access.restricted_readers(deps, account, room.id).await?;
        let parts = ForumParts {
            head: place.head,
            shell: place.shell,
            form: place.form,
            about: linked(&room.about, &chat.engine.hosts),
            restricted: readers.is_some(),
            newest,
        };
        let (html, region) = chat.forum_view(viewer, room, self.posts, parts).await?;
        Ok(Rendered {
            html,
            region,
            unread: newest.filter(|newest| read_to.is_none_or(|read| read < *newest)),
        })
    }

    async fn thread_top(&self, room: &Room, may_manage: bool) -> Result<Option<ThreadTop>> {
        let (chat, account) = (self.chat, self.viewer.account);
        let Some((thread, root)) = chat.root_of(room).await? else {
            return Ok(None);
        };
        let access = &chat.community.access;
        let parent = access.permit_in_room(account, &READ, thread.parent).await?;
        let is_followed = thread_store::is_followed_by(&chat.engine.db, account, room.id);
        Ok(Some(ThreadTop {
            parent: thread.parent,
            parent_title: chat.community.rooms.title(account, &parent).await?,
            back: match thread.is_post {
                true => format!("/rooms/{}", thread.parent),
                false => format!("/messages/{}", thread.origin),
            },
            tags: match thread.is_post {
                true => forum_store::post(&chat.engine.db, room.id).await?,
                false => None,
            }
            .map_or_else(Vec::new, |post| post.tags),
            root: root.map(|root| root.html(self.viewer.lang)),
            is_followed: is_followed.await?,
            may_rename: may_manage || thread.begun_by == account,
        }))
    }
}

/// What was rendered before.
#[derive(Template)]
#[template(ext = "txt", source = "{{ html }}")]
struct Whole {
    html: String,
}
