//! `chat.thread`, `chat.follow-thread` and `chat.rename-thread`: threads and who hears of them.

use serde::Deserialize;
use serde_json::json;
use unicode_segmentation::UnicodeSegmentation;

use super::super::forum::{MAX_POST_TAGS, MAX_POST_TITLE_CHARS, TagId};
use super::super::model::{Message, MessageId};
use super::super::thread_line::UNTITLED;
use super::super::thread_store::Thread;
use super::super::topics::{ThreadFollowed, ThreadRenamed};
use super::super::{
    Chat, POST, ROOM_FEED, THREAD, forum_store, markdown, model, store, thread_store,
};
use super::permitted_message;
use super::post::post;
use super::post_input::{MAX_LISTED, PostInput};
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::list::List;
use crate::base::text::{check_short_text, is_blank, limit_marks, normalize_line};
use crate::community::blocks::check_open;
use crate::community::permissions::{MANAGE_ROOMS, Permission, READ};
use crate::community::{Room, Scope, insert_thread, rename_thread};
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

/// Graphemes of a thread's title.
pub(in super::super) const MAX_TITLE_CHARS: usize = 80;

/// Bytes of a message that its thread is named by.
const MAX_TITLE_SOURCE: usize = 2 << 10;

#[derive(Deserialize)]
pub(in super::super) struct ThreadInput {
    message: MessageId,
    /// The first reply, or another one.
    body: Option<String>,
    /// Idempotency key of the reply, as that of `chat.post`.
    #[serde(default)]
    key: String,
}

/// Begins the thread of a message, or finds the one that it has; posts a reply, if one is given.
pub(in super::super) async fn begin(
    chat: Chat,
    viewer: Viewer,
    input: ThreadInput,
) -> Result<Outcome> {
    let (message, room) = permitted_message(&chat, &viewer, input.message, &READ).await?;
    if let Some(body) = &input.body {
        model::body(body, false)?; // before there is a thread
    }
    let thread = match thread_store::of_message(&chat.engine.db, message.id).await? {
        Some(thread) => thread.room,
        None => chat.begin_thread(&viewer, &message, &room).await?,
    };
    let Some(body) = input.body else {
        let outcome = json!({ "thread": thread });
        return Ok(Outcome::new(outcome, format!("/rooms/{thread}")));
    };
    post(chat, viewer, PostInput::of_text(thread, body, input.key)).await
}

impl Chat {
    /// Two who begin the thread of a message at once get the same one: they hold the room's row.
    async fn begin_thread(
        &self,
        viewer: &Viewer,
        message: &Message,
        room: &Room,
    ) -> Result<RoomId> {
        if room.parent.is_some() {
            return Err(Error::Conflict("error-thread-in-thread"));
        }
        if !message.told.is_nothing() {
            return Err(Error::Conflict("error-thread-of-line"));
        }
        let (by, origin, parent) = (viewer.account, message.id, room.id);
        let (author, is_direct) = (message.author, room.space.is_none());
        let name = title_of(message);
        let write = async move |tx: &mut Tx| {
            if is_direct {
                check_open(tx, parent).await?;
            }
            if let Some(thread) = thread_store::of_message_in(tx, origin).await? {
                return Ok(thread);
            }
            if store::message_in(tx, origin).await?.is_deleted() {
                return Err(Error::Conflict("error-message-deleted"));
            }
            let room = insert_thread(tx, parent, &name).await?;
            let thread = Thread {
                room,
                parent,
                origin,
                begun_by: by,
                is_post: false,
                replies: 0,
                last: MessageId(0),
            };
            thread_store::insert(tx, &thread).await?;
            thread_store::follow(tx, by, room).await?;
            thread_store::follow(tx, author, room).await?;
            Ok(room)
        };
        let access = &self.community.access;
        access
            .permitted_write(by, &THREAD, Scope::Room(parent), write)
            .await
    }

    /// A thread, for who reads it.
    ///
    /// # Errors
    /// `NotFound` for others, and for a room that is no thread.
    pub(in super::super) async fn read_thread(
        &self,
        viewer: &Viewer,
        room: RoomId,
    ) -> Result<Thread> {
        let access = &self.community.access;
        access.permit_in_room(viewer.account, &READ, room).await?;
        let found = thread_store::find(&self.engine.db, room).await?;
        found.ok_or(Error::NotFound)
    }

    /// Checks that the viewer may give a thread another name: who began it, and who manages rooms.
    ///
    /// # Errors
    /// `Forbidden` for others.
    pub(in super::super) async fn may_rename(
        &self,
        viewer: &Viewer,
        thread: &Thread,
    ) -> Result<()> {
        let permission = renamers(thread, viewer.account);
        let access = &self.community.access;
        access
            .permit(viewer.account, permission, Scope::Room(thread.room))
            .await
    }
}

/// What is needed to give a thread another name.
fn renamers(thread: &Thread, account: AccountId) -> &'static Permission {
    match (thread.begun_by == account, thread.is_post) {
        (true, true) => &POST,
        (true, false) => &THREAD,
        (false, _) => &MANAGE_ROOMS,
    }
}

/// What a thread is called at first: the beginning of the message.
pub(super) fn title_of(message: &Message) -> String {
    let body = &message.body;
    let start = &body[..body.floor_char_boundary(MAX_TITLE_SOURCE)];
    let mut text = normalize_line(&limit_marks(&markdown::to_text(start)));
    if is_blank(&text) {
        let file = message.files.0.first();
        text = file.map_or_else(|| UNTITLED.to_owned(), |file| file.name.clone());
    }
    match text.grapheme_indices(true).nth(MAX_TITLE_CHARS) {
        None => text,
        Some(_) => {
            let kept = text.graphemes(true).take(MAX_TITLE_CHARS - 1);
            kept.chain(["…"]).collect()
        }
    }
}

#[derive(Deserialize)]
pub(in super::super) struct FollowInput {
    thread: RoomId,
    /// `yes`, or `no` to hear of its replies no more.
    follow: String,
}

/// Has the viewer hear of a thread's replies, or no more.
pub(in super::super) async fn follow(
    chat: Chat,
    viewer: Viewer,
    input: FollowInput,
) -> Result<Outcome> {
    let (account, thread) = (viewer.account, input.thread);
    chat.read_thread(&viewer, thread).await?;
    let follows = match input.follow.as_str() {
        "yes" => true,
        "no" => false,
        _ => return Err(Error::field("follow", "error-message-shape")),
    };
    let bus = chat.engine.bus.clone();
    let write = async move |tx: &mut Tx| {
        match follows {
            true => thread_store::follow(tx, account, thread).await?,
            false => thread_store::unfollow(tx, account, thread).await?,
        }
        let event = ThreadFollowed { account, thread };
        bus.publish_after_commit(tx, Origin::new(account, None), event);
        Ok(())
    };
    let access = &chat.community.access;
    access
        .permitted_write(account, &READ, Scope::Room(thread), write)
        .await?;
    let outcome = json!({ "follows": follows });
    Ok(Outcome::new(outcome, format!("/rooms/{thread}")))
}

#[derive(Deserialize)]
pub(in super::super) struct RenameInput {
    thread: RoomId,
    /// At most 80 characters, of a post 100.
    name: String,
    /// Of a post: those of its room that it has from now on.
    #[serde(default)]
    tags: List<TagId, MAX_LISTED>,
}

/// Gives a thread another name.
pub(in super::super) async fn rename(
    chat: Chat,
    viewer: Viewer,
    input: RenameInput,
) -> Result<Outcome> {
    let thread = chat.read_thread(&viewer, input.thread).await?;
    chat.may_rename(&viewer, &thread).await?;
    let name = normalize_line(&input.name);
    let mut check = Check::default();
    check.that(!is_blank(&name), "name", "error-thread-name", 0);
    let max_chars = match thread.is_post {
        true => MAX_POST_TITLE_CHARS,
        false => MAX_TITLE_CHARS,
    };
    check_short_text(&name, "name", max_chars, &mut check);
    let (is_post, post, tags) = (thread.is_post, thread.origin, input.tags.into_vec());
    let is_few = tags.len() <= MAX_POST_TAGS;
    check.that(is_few, "tags", "error-post-tags", MAX_POST_TAGS);
    check.done()?;
    let permission = renamers(&thread, viewer.account);
    let (room, bus) = (thread.room, chat.engine.bus.clone());
    let origin = Origin::new(viewer.account, None);
    let write = async move |tx: &mut Tx| {
        rename_thread(tx, room, &name).await?;
        thread_store::set_named(tx, room).await?;
        if is_post {
            forum_store::set_tags(tx, room, &tags).await?;
            forum_store::search_anew(tx, post).await?;
        }
        let event = ThreadRenamed { thread: room, name };
        let feed = ROOM_FEED.name(room);
        bus.publish_to_followers(tx, &[feed], origin, event).await
    };
    let access = &chat.community.access;
    access
        .permitted_write(viewer.account, permission, Scope::Room(room), write)
        .await?;
    Ok(Outcome::new(
        json!({ "thread": room }),
        format!("/rooms/{room}"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_is_the_beginning_in_any_script() {
        let title = |body: &str| {
            title_of(&Message {
                body: body.into(),
                ..Message::example()
            })
        };
        assert_eq!(title("**早上好**\n\n大家 好"), "早上好 大家 好");
        assert_eq!(title(""), "…");
        let long = title(&"é".repeat(300));
        assert_eq!(long.graphemes(true).count(), MAX_TITLE_CHARS);
        assert!(long.ends_with('…'));
        let flags = title(&"👩‍👩‍👧‍👦".repeat(80));
        assert_eq!(flags.graphemes(true).count(), 80);
    }
}
