//! Unread marks: which rooms hold unread messages for whom, in the sidebar of every open tab.
//!
//! A post marks its room as dirty. Dirty rooms are announced to the connected accounts that may
//! read them, in one frame per account and second however many messages there were. An account
//! that was notified of a room is not notified again until it has read the room. How far an account
//! has read is in `read_marks.rs`, the marks of a page as it is loaded in `sidebar.rs`.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use tokio::sync::{Notify, Semaphore};

use super::Chat;
use super::mention_counts::{MentionCounts, mentions_changed};
use super::mention_store;
use super::model::MessageId;
use super::store::{self, UnreadRoom};
use super::thread_store;
use super::topics::{
    MentionCount, MessagePosted, NewestPost, ReadRoom, RoomRead, RoomsPosted, RoomsRead,
    UnreadChanged,
};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::permissions::{READ, is_granted};
use crate::community::{Members, UNREAD_FEED, mention_mark};
use crate::engine::bus::{Envelope, Event, Origin, Subscriber};
use crate::engine::live::Content;
use crate::engine::partial::Partial;
use crate::engine::viewer::Viewer;

/// How long posts are batched before accounts are notified.
const BATCH_INTERVAL: Duration = Duration::from_millis(250);
/// Longer than posts of another instance take to be heard of.
const READ_TTL: Duration = Duration::from_secs(5);
/// Rooms in one event for other instances.
const MAX_POSTS_TOLD: usize = 500;
/// Accounts whose marks are read from the database at the same time.
const MAX_PRESENTING: usize = 4;
/// At least this long lies between two frames of unread marks to one account.
const ACCOUNT_INTERVAL: Duration = Duration::from_secs(1);

/// The unread state of all rooms, and which accounts were notified of it. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<UnreadState>);

struct UnreadState {
    rooms: Mutex<Rooms>,
    /// Wakes [`flush`].
    posted: Notify,
    /// For [`present`].
    presenting: Semaphore,
}

impl Default for UnreadState {
    fn default() -> Self {
        Self {
            rooms: Mutex::default(),
            posted: Notify::new(),
            presenting: Semaphore::new(MAX_PRESENTING),
        }
    }
}

#[derive(Default)]
pub(super) struct Rooms {
    /// Rooms with posts since the last batch.
    dirty: HashMap<RoomId, UnreadUpdate>,
    /// Rooms that a connected account was notified of and has not read since.
    notified: HashMap<AccountId, HashSet<RoomId>>,
    /// Rooms that an account will be notified of when its [`ACCOUNT_INTERVAL`] is over.
    pending: HashMap<AccountId, HashSet<RoomId>>,
    /// Those of the pending rooms that are threads: pages count them apart.
    threads: HashSet<RoomId>,
    /// Mentions that are counted anew, and counts that accounts will be notified of.
    pub(super) mentions: MentionCounts,
    /// How far accounts have read, in a window that shows the room, within the last
    /// [`READ_TTL`]: posts of other instances are heard of later than their messages.
    read: HashMap<(AccountId, RoomId), (MessageId, Instant)>,
    /// When an account was last notified; only within the last [`ACCOUNT_INTERVAL`].
    last_frame: HashMap<AccountId, Instant>,
}

/// The posts in a room since the last batch.
struct UnreadUpdate {
    authors: HashSet<AccountId>,
    newest: MessageId,
    /// Whether posts were made on this instance: others are to be told.
    is_local: bool,
}

impl UnreadUpdate {
    /// One's own posts are not unread; posts of others in the same batch are.
    fn is_own(&self, account: AccountId) -> bool {
        self.authors.len() == 1 && self.authors.contains(&account)
    }
}

impl Rooms {
    /// The posts in a room, of which `message` is one.
    fn update(&mut self, room: RoomId, message: MessageId) -> &mut UnreadUpdate {
        let update = self.dirty.entry(room).or_insert_with(|| UnreadUpdate {
            authors: HashSet::new(),
            newest: message,
            is_local: false,
        });
        update.newest = update.newest.max(message);
        update
    }

    /// The posts of this instance, for the others.
    fn local_posts(&self) -> Vec<NewestPost> {
        let local = self.dirty.iter().filter(|(_, update)| update.is_local);
        let post = |(room, update): (&RoomId, &UnreadUpdate)| NewestPost {
            room: *room,
            message: update.newest,
            // Two are as good as more: nobody has posted alone.
            authors: update.authors.iter().take(2).copied().collect(),
        };
        local.map(post).collect()
    }

    /// Drops what belongs to accounts that are no longer connected.
    fn retain_connected(&mut self, connected: &HashSet<AccountId>) {
        self.notified
            .retain(|account, _| connected.contains(account));
        self.pending
            .retain(|account, rooms| connected.contains(account) && !rooms.is_empty());
        self.mentions.retain_connected(connected);
        self.last_frame
            .retain(|_, last| last.elapsed() < ACCOUNT_INTERVAL);
        self.read.retain(|_, (_, at)| at.elapsed() < READ_TTL);
        if self.pending.is_empty() {
            self.threads.clear();
        }
    }

    /// Makes a dirty room pending for those of `readers` who have unread messages in it and were
    /// not notified of it yet.
    fn schedule(&mut self, room: RoomId, readers: Vec<AccountId>, is_thread: bool) {
        let Some(update) = self.dirty.remove(&room) else {
            return;
        };
        if is_thread {
            self.threads.insert(room);
        }
        for account in readers {
            let read = self.read.get(&(account, room));
            let is_read = read.is_some_and(|(read, _)| *read >= update.newest);
            if !is_read
                && !update.is_own(account)
                && self.notified.entry(account).or_default().insert(room)
            {
                self.pending.entry(account).or_default().insert(room);
            }
        }
    }

    /// Takes the pending rooms and counts of accounts whose interval is over.
    fn take_due(&mut self) -> Vec<UnreadChanged> {
        let due: HashSet<AccountId> = self
            .pending
            .keys()
            .chain(self.mentions.accounts())
            .filter(|account| !self.last_frame.contains_key(account))
            .copied()
            .collect();
        due.into_iter()
            .map(|account| {
                self.last_frame.insert(account, Instant::now());
                let rooms = self.pending.remove(&account).unwrap_or_default();
                let (threads, rooms) = rooms.into_iter().partition(|r| self.threads.contains(r));
                UnreadChanged {
                    account,
                    rooms,
                    threads,
                    mentions: self.mentions.take(account),
                }
            })
            .collect()
    }
}

pub(super) fn subscriber() -> Subscriber<Chat> {
    Subscriber::new("chat.unread")
        .on(message_posted)
        .on(rooms_posted)
        .on(mentions_changed)
        .on(room_read)
        .on(rooms_read)
}

/// Of other instances, only the posts in followed rooms come here: [`rooms_posted`] has all.
async fn message_posted(chat: &Chat, event: &MessagePosted, envelope: &Envelope) -> Result<()> {
    let MessagePosted { room, message } = event;
    // Nobody has to read what nobody wrote.
    if !envelope.is_remote && message.told.is_nothing() {
        let mut rooms = chat.unread.rooms();
        let update = rooms.update(*room, message.id);
        update.authors.insert(message.author);
        update.is_local = true;
        chat.unread.0.posted.notify_one();
    }
    Ok(())
}

async fn rooms_posted(chat: &Chat, event: &RoomsPosted, envelope: &Envelope) -> Result<()> {
    if envelope.is_remote {
        let mut rooms = chat.unread.rooms();
        for post in &event.rooms {
            let update = rooms.update(post.room, post.message);
            update.authors.extend(&post.authors);
        }
        chat.unread.0.posted.notify_one();
    }
    Ok(())
}

/// Publishes while it holds the lock, so that "read" and "unread" reach a tab in the order in
/// which they were decided.
async fn room_read(chat: &Chat, read: &RoomRead, _: &Envelope) -> Result<()> {
    let one = ReadRoom {
        room: read.room,
        message: read.message,
    };
    clear_marks(chat, read, read.account, &[one]);
    Ok(())
}

async fn rooms_read(chat: &Chat, read: &RoomsRead, _: &Envelope) -> Result<()> {
    clear_marks(chat, read, read.account, &read.rooms);
    Ok(())
}

/// Drops the marks of rooms that an account has read, in all its tabs at once, in one frame.
fn clear_marks<E: Event>(chat: &Chat, event: &E, account: AccountId, read: &[ReadRoom]) {
    let mut rooms = chat.unread.rooms();
    for ReadRoom { room, message } in read {
        let Rooms {
            notified, pending, ..
        } = &mut *rooms;
        for by_account in [notified, pending] {
            if let Some(unread) = by_account.get_mut(&account) {
                unread.remove(room);
            }
        }
        let now = (*message, Instant::now());
        rooms.read.insert((account, *room), now);
        rooms.mentions.clear(account, *room);
    }
    let ids: Vec<_> = read.iter().map(|one| one.room).collect();
    let none = |room: &RoomId| MentionCount {
        room: *room,
        count: 0,
    };
    let counts: Vec<_> = ids.iter().map(none).collect();
    let html = move |lang| marks_html(&ids, "", lang) + &counts_html(&counts, lang);
    let content = Content::of(event).html(html);
    chat.engine
        .live
        .publish(&UNREAD_FEED.name(account), content);
}

impl Unread {
    /// Has [`flush`] look for what is to be told.
    pub(super) fn wake(&self) {
        self.0.posted.notify_one();
    }

    pub(super) fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the mark of an unread room begins with, and that of a thread.
const ROOM_MARK: &str = "<i class=\"sr\">";
const THREAD_MARK: &str = "<i data-thread class=\"sr\">";

/// Sets the marks of these rooms, or removes them where `begins` is empty.
fn marks_html(rooms: &[RoomId], begins: &str, lang: Lang) -> String {
    let mark = match begins {
        "" => String::new(),
        begins => format!("{begins}, {}</i>", lang.t("unread")),
    };
    let partial = |room| Partial::inner(format!("#unread-{room}"), &mark).to_string();
    rooms.iter().map(partial).collect()
}

/// Sets the numbers of unread mentions of these rooms; zero removes one.
fn counts_html(counts: &[MentionCount], lang: Lang) -> String {
    let counts = counts.iter().map(|one| {
        let mark = match one.count {
            0 => String::new(),
            count => mention_mark(lang, count),
        };
        Partial::inner(format!("#mentions-{}", one.room), &mark).to_string()
    });
    counts.collect()
}

/// Brings the marks of a client up to date that comes back from another instance.
pub(super) async fn present(chat: Chat, account: AccountId) {
    // Thousands come back at once after a restart; pages and posts need readers, too.
    let Ok(_permit) = chat.unread.0.presenting.acquire().await else {
        return;
    };
    let (unread, threads, mentions, read) = match chat.marks(account).await {
        Ok(marks) => marks,
        Err(error) => {
            tracing::warn!(%error, "unread marks were not sent");
            return;
        }
    };
    if unread.is_empty() && threads.is_empty() && read.is_empty() {
        return;
    }
    // Also of the rooms that nobody mentions the account in: a count may be from before.
    let none = read.iter().map(|room| MentionCount {
        room: *room,
        count: 0,
    });
    let counts: Vec<_> = mentions.iter().cloned().chain(none).collect();
    let event = UnreadChanged {
        account,
        rooms: unread.clone(),
        threads: threads.clone(),
        mentions,
    };
    let content = Content::of(&event).html(move |lang| {
        let unread = marks_html(&unread, ROOM_MARK, lang);
        let marks = unread + &marks_html(&threads, THREAD_MARK, lang);
        marks + &marks_html(&read, "", lang) + &counts_html(&counts, lang)
    });
    let live = &chat.engine.live;
    live.publish(&UNREAD_FEED.name(account), content);
}

/// `GET /unread`: the rooms with unread messages, each with its space, for the title and the marks
/// of spaces whose rooms a page does not list. At most a thousand.
pub(super) async fn unread_rooms(
    State(chat): State<Chat>,
    viewer: Viewer,
) -> Result<Json<Vec<UnreadRoom>>> {
    let deps = chat.engine.versions.dependencies();
    let levels = chat.community.notice_levels(&deps, viewer.account).await?;
    let mut unread = chat.unread_of(viewer.account).await?;
    unread.retain(|one| !levels.of(one.room, one.space).is_muted());
    Ok(Json(unread))
}

impl Chat {
    /// The rooms with unread messages that an account may read, at most a thousand.
    async fn unread_of(&self, account: AccountId) -> Result<Vec<UnreadRoom>> {
        let access = &self.community.access;
        let mut readable = Vec::new();
        let mut rooms = store::unread_with_spaces(&self.engine.db, account).await?;
        let ids: Vec<RoomId> = rooms.iter().map(|unread| unread.room).collect();
        let mentions = mention_store::unread_of(&self.engine.db, account, &ids).await?;
        for unread in &mut rooms {
            unread.mentions = mentions.get(&unread.room).copied().unwrap_or(0);
        }
        for unread in rooms {
            if is_granted(access.permit_in_room(account, &READ, unread.room).await)? {
                readable.push(unread);
            }
        }
        Ok(readable)
    }

    /// The rooms with unread messages, such threads, the number of mentions in each, and rooms that
    /// are read.
    async fn marks(
        &self,
        account: AccountId,
    ) -> Result<(Vec<RoomId>, Vec<RoomId>, Vec<MentionCount>, Vec<RoomId>)> {
        let unread = self.unread_of(account).await?;
        let counts = unread.iter().map(|unread| MentionCount {
            room: unread.room,
            count: unread.mentions,
        });
        let counts = counts.collect();
        let (threads, rooms): (Vec<_>, Vec<_>) = unread.into_iter().partition(|one| one.thread);
        let ids = |rooms: Vec<UnreadRoom>| rooms.into_iter().map(|one| one.room).collect();
        let read = store::read_rooms(&self.engine.db, account).await?;
        Ok((ids(rooms), ids(threads), counts, read))
    }

    /// Sets marks and counts in an account's sidebars. A tab that shows the room itself gets them,
    /// too, and removes them by marking the room as read.
    fn publish_marks(&self, event: UnreadChanged) {
        let feed = UNREAD_FEED.name(event.account);
        let content = Content::of(&event).html(move |lang| {
            let rooms = marks_html(&event.rooms, ROOM_MARK, lang);
            let threads = marks_html(&event.threads, THREAD_MARK, lang);
            rooms + &threads + &counts_html(&event.mentions, lang)
        });
        self.engine.live.publish(&feed, content);
    }

    /// Tells other instances of the posts since the last batch.
    fn tell_other_instances(&self, mut posts: Vec<NewestPost>) {
        static BATCH: AtomicU64 = AtomicU64::new(1);
        while !posts.is_empty() {
            let rest = posts.split_off(posts.len().min(MAX_POSTS_TOLD));
            let batch = BATCH.fetch_add(1, Ordering::Relaxed);
            let rooms = std::mem::replace(&mut posts, rest);
            let event = RoomsPosted { batch, rooms };
            self.engine.bus.publish(Origin::default(), event);
        }
    }

    /// Those who hear of new messages in a room: its readers, of a thread those who follow it.
    /// Whether it is one.
    ///
    /// # Errors
    /// `NotFound` when there is no such room.
    pub(super) async fn audience(&self, room: RoomId) -> Result<(Members, bool)> {
        let readers = self.community.access.readers_of(room).await?;
        if self.community.rooms.parent_of(room).await?.is_none() {
            return Ok((readers, false));
        }
        let mut followers = thread_store::followers(&self.engine.db, room).await?;
        followers.retain(|account| readers.contains(account));
        Ok((Arc::new(followers), true))
    }

    /// The connected accounts that hear of new messages in each of these rooms, and whether it is a
    /// thread.
    async fn connected_readers(
        &self,
        rooms: Vec<RoomId>,
        connected: &HashSet<AccountId>,
    ) -> Vec<(RoomId, Vec<AccountId>, bool)> {
        let mut by_room = Vec::new();
        for room in rooms {
            let (readers, is_thread) = match self.audience(room).await {
                Ok((readers, is_thread)) => {
                    let connected = connected.iter().filter(|account| readers.contains(account));
                    (connected.copied().collect(), is_thread)
                }
                // The next page that is loaded has the mark.
                Err(error) => {
                    tracing::warn!(%error, %room, "unread marks were not sent");
                    (Vec::new(), false)
                }
            };
            by_room.push((room, readers, is_thread));
        }
        by_room
    }
}

/// Notifies accounts of dirty rooms, each account at most once per [`ACCOUNT_INTERVAL`].
pub(super) async fn flush(chat: Chat) {
    loop {
        let has_pending = {
            let rooms = chat.unread.rooms();
            !rooms.pending.is_empty() || rooms.mentions.is_pending()
        };
        if !has_pending {
            chat.unread.0.posted.notified().await;
        }
        tokio::time::sleep(BATCH_INTERVAL).await;
        let connected: HashSet<AccountId> = chat.engine.live.connected().into_iter().collect();
        let dirty: Vec<RoomId> = chat.unread.rooms().dirty.keys().copied().collect();
        let readers = chat.connected_readers(dirty, &connected).await;
        let changed = chat.unread.rooms().mentions.take_changed();
        let counted_at = Instant::now();
        let counts = chat.count_mentions(changed, &connected).await;
        // Posts and reads during these queries have updated `dirty`, which is evaluated only now.
        let mut rooms = chat.unread.rooms();
        let posts = rooms.local_posts();
        rooms.retain_connected(&connected);
        for (room, readers, is_thread) in readers {
            rooms.schedule(room, readers, is_thread);
        }
        for (account, count) in counts {
            // Read meanwhile: what was counted may be read.
            let read = rooms.read.get(&(account, count.room));
            match read.is_some_and(|(_, at)| *at >= counted_at) {
                true => rooms.mentions.recount(count.room, account),
                false => rooms.mentions.set(account, count),
            }
        }
        // Still under the lock: see `room_read`.
        for event in rooms.take_due() {
            chat.publish_marks(event);
        }
        drop(rooms);
        chat.tell_other_instances(posts);
    }
}
