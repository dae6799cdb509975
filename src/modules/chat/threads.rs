//! Threads: a thread is a room inside another one, which grew from one of its messages. Its log,
//! composer and read marks are those of a room. Here its message and its room are told of it: the
//! line at the message (`thread_line.rs`) has the number of replies and the time of the last.
//!
//! A reply marks its thread as dirty, and dirty threads are announced at most once a second: the
//! followers of the room get one frame for a thread however many replies it has meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::forum::row_frame;
use super::links::escape;
use super::message_html::{body_html, fragment};
use super::model::MessageId;
use super::thread_line::ThreadLine;
use super::thread_store::Thread;
use super::topics::{
    MessageDeleted, MessageEdited, MessagePinned, MessagePosted, MessagePreviewed, MessageReacted,
    MessageVoted, ThreadChanged, ThreadRenamed,
};
use super::{Chat, ROOM_FEED, forum_store, store, thread_store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::base::locale::Lang;
use crate::community::Room;
use crate::engine::bus::{Envelope, Origin, Subscriber};
use crate::engine::live::Content;
use crate::engine::partial::Partial;

/// At least this long lies between two announcements of one thread.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(1);

/// The threads that are to be announced, each with whether the message itself has changed. Cheap to
/// clone.
#[derive(Clone, Default)]
pub(super) struct DirtyThreads(Arc<Dirty>);

/// What has changed of a thread.
#[derive(Clone, Copy, Default)]
struct Changed {
    /// The message itself, or the name.
    root: bool,
    /// There is a reply; or the thread is new.
    replied: bool,
}

#[derive(Default)]
struct Dirty {
    threads: Mutex<HashMap<RoomId, Changed>>,
    added: Notify,
}

impl DirtyThreads {
    fn threads(&self) -> MutexGuard<'_, HashMap<RoomId, Changed>> {
        let threads = self.0.threads.lock();
        threads.unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, thread: RoomId, changed: Changed) {
        let mut threads = self.threads();
        let all = threads.entry(thread).or_default();
        all.root |= changed.root;
        all.replied |= changed.replied;
        drop(threads);
        self.0.added.notify_one();
    }
}

pub(super) fn subscriber() -> Subscriber<Chat> {
    Subscriber::new("chat.threads")
        .on(message_posted)
        .on(message_edited)
        .on(message_deleted)
        .on(message_reacted)
        .on(message_voted)
        .on(message_pinned)
        .on(message_previewed)
        .on(thread_changed)
        .on(thread_renamed)
}

// The instance where something happened announces it.

async fn message_posted(chat: &Chat, event: &MessagePosted, envelope: &Envelope) -> Result<()> {
    if envelope.is_remote {
        return Ok(());
    }
    let replied = Changed {
        replied: true,
        ..Changed::default()
    };
    if chat.is_thread(event.room).await? {
        chat.threads.add(event.room, replied);
    } else if chat.community.rooms.is_forum(event.room).await? {
        let thread = thread_store::of_message(&chat.engine.db, event.message.id).await?;
        if let Some(thread) = thread {
            chat.threads.add(thread.room, replied);
        }
    }
    Ok(())
}

async fn message_edited(chat: &Chat, event: &MessageEdited, envelope: &Envelope) -> Result<()> {
    if !envelope.is_remote {
        chat.announce_root(event.message.id).await?;
    }
    Ok(())
}

async fn message_deleted(chat: &Chat, event: &MessageDeleted, envelope: &Envelope) -> Result<()> {
    if envelope.is_remote {
        return Ok(());
    }
    if chat.is_thread(event.room).await? {
        chat.threads.add(event.room, Changed::default());
    }
    chat.announce_root(event.message.id).await
}

async fn message_reacted(chat: &Chat, event: &MessageReacted, envelope: &Envelope) -> Result<()> {
    if !envelope.is_remote {
        chat.announce_root(event.message.id).await?;
    }
    Ok(())
}

async fn message_voted(chat: &Chat, event: &MessageVoted, envelope: &Envelope) -> Result<()> {
    if !envelope.is_remote {
        chat.announce_root(event.message.id).await?;
    }
    Ok(())
}

async fn message_pinned(chat: &Chat, event: &MessagePinned, envelope: &Envelope) -> Result<()> {
    if !envelope.is_remote {
        chat.announce_root(event.message.id).await?;
    }
    Ok(())
}

async fn message_previewed(
    chat: &Chat,
    event: &MessagePreviewed,
    envelope: &Envelope,
) -> Result<()> {
    if !envelope.is_remote {
        chat.announce_root(event.message.id).await?;
    }
    Ok(())
}

/// Announces dirty threads.
pub(super) async fn announce(chat: Chat) {
    loop {
        chat.threads.0.added.notified().await;
        let dirty = std::mem::take(&mut *chat.threads.threads());
        for (thread, changed) in dirty {
            if let Err(error) = chat.announce_thread(thread, changed).await {
                tracing::warn!(%error, %thread, "a thread was not announced");
            }
        }
        tokio::time::sleep(ANNOUNCE_INTERVAL).await;
    }
}

async fn thread_changed(chat: &Chat, event: &ThreadChanged, envelope: &Envelope) -> Result<()> {
    let line = ThreadLine {
        message: event.message,
        thread: event.thread,
        replies: event.replies,
        last: event.last,
    };
    let post = forum_store::post(&chat.engine.db, event.thread).await?;
    let is_replied = event.is_replied;
    let content = Content::of(event).html(move |lang| match &post {
        Some(post) => row_frame(post, is_replied, lang),
        None => line.frame(lang),
    });
    let live = &chat.engine.live;
    live.publish_at(&ROOM_FEED.name(event.room), envelope, content);
    if event.is_root_changed {
        let root = chat.root(event.message).await?;
        let name = thread_store::name(&chat.engine.db, event.thread).await?;
        let title = title_frame(event.thread, &name);
        let content = Content::of(event).html(move |lang| root.frame(lang) + &title);
        live.publish_at(&ROOM_FEED.name(event.thread), envelope, content);
    }
    Ok(())
}

async fn thread_renamed(chat: &Chat, event: &ThreadRenamed, envelope: &Envelope) -> Result<()> {
    if !envelope.is_remote {
        // The list of a forum shows the name, too.
        let changed = Changed {
            root: true,
            ..Changed::default()
        };
        chat.threads.add(event.thread, changed);
    }
    let title = title_frame(event.thread, &event.name);
    let content = Content::of(event).html(move |_| title.clone());
    let feed = ROOM_FEED.name(event.thread);
    chat.engine.live.publish_at(&feed, envelope, content);
    Ok(())
}

fn title_frame(thread: RoomId, name: &str) -> String {
    Partial::inner(format!("#title-{thread}"), &escape(name)).to_string()
}

/// The message that a thread grew from, as the thread shows it.
pub(super) struct Root {
    message: MessageId,
    by_lang: Box<dyn Fn(Lang) -> Arc<str> + Send + Sync>,
}

impl Root {
    /// As HTML, under ids of its own: the message itself may be on the same page. It has no line of
    /// its thread, and style sheets hide its actions.
    pub(super) fn html(&self, lang: Lang) -> String {
        let (id, own) = (self.message, (self.by_lang)(lang));
        let ids = [("m", "root"), ("q", "root-q")]; // the message, and what it quotes
        ids.into_iter()
            .fold(own.to_string(), |html, (prefix, other)| {
                html.replacen(
                    &format!("id=\"{prefix}-{id}\""),
                    &format!("id=\"{other}-{id}\""),
                    1,
                )
            })
    }

    fn frame(&self, lang: Lang) -> String {
        Partial::morph(format!("#root-{}", self.message), &self.html(lang)).to_string()
    }
}

impl Chat {
    /// Whether a room is a thread. One that is gone is none.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn is_thread(&self, room: RoomId) -> Result<bool> {
        match self.community.rooms.parent_of(room).await {
            Ok(parent) => Ok(parent.is_some()),
            Err(Error::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn announce_root(&self, message: MessageId) -> Result<()> {
        let thread = thread_store::of_message(&self.engine.db, message).await?;
        if let Some(thread) = thread {
            let changed = Changed {
                root: true,
                ..Changed::default()
            };
            self.threads.add(thread.room, changed);
        }
        Ok(())
    }

    async fn announce_thread(&self, thread: RoomId, changed: Changed) -> Result<()> {
        let found = thread_store::find(&self.engine.db, thread).await?;
        let Some(Thread {
            parent,
            origin,
            replies,
            last,
            ..
        }) = found
        else {
            return Ok(());
        };
        let bus = self.engine.bus.clone();
        let write = self.engine.db.write_queued(async move |tx: &mut Tx| {
            let event = ThreadChanged {
                room: parent,
                message: origin,
                thread,
                replies,
                last,
                is_replied: changed.replied,
                is_root_changed: changed.root,
            };
            let mut feeds = vec![ROOM_FEED.name(parent)];
            if changed.root {
                feeds.push(ROOM_FEED.name(thread));
            }
            bus.publish_to_followers(tx, &feeds, Origin::default(), event)
                .await
        });
        write.await
    }

    /// The message that a thread grew from; nothing once it is erased.
    pub(super) async fn root_of(&self, room: &Room) -> Result<Option<(Thread, Option<Root>)>> {
        if room.parent.is_none() {
            return Ok(None);
        }
        let Some(thread) = thread_store::find(&self.engine.db, room.id).await? else {
            return Ok(None);
        };
        let root = match self.root(thread.origin).await {
            Ok(root) => Some(root),
            Err(Error::NotFound) => None,
            Err(error) => return Err(error),
        };
        Ok(Some((thread, root)))
    }

    async fn root(&self, id: MessageId) -> Result<Root> {
        let message = store::message(&self.engine.db, id).await?;
        let mut body = body_html(self, &message).await?;
        body.without_thread();
        let fragments = self.engine.fragments.clone();
        Ok(Root {
            message: id,
            by_lang: Box::new(move |lang| fragment(&fragments, &message, &body, lang)),
        })
    }
}
