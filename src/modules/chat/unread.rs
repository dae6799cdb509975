//! Unread marks: which rooms hold something new for whom, in the sidebar of every open tab.
//!
//! A post marks its room as dirty. UnreadState rooms are told to those who are connected and may
//! read them, in one frame for each account and second however many messages came; who was told and
//! has not read since knows.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::model::MessageId;
use super::topics::{MessagePosted, RoomRead, UnreadChanged};
use super::{Chat, store};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::community::permissions::{self, is_granted};
use crate::community::{ACCOUNT_FEED, Scope};
use crate::engine::bus::{Envelope, Event, Subscriber};
use crate::engine::live::Content;
use crate::engine::module::{NavEntry, NavSection};
use crate::engine::partial::Partial;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;

// How long posts are gathered before anyone is told.
/// How long posts are gathered before anyone is told.
const GATHER_INTERVAL: Duration = Duration::from_millis(250);
/// Between two frames of unread marks to one account.
const ACCOUNT_INTERVAL: Duration = Duration::from_secs(1);

/// What is new in which rooms, and who knows of it. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<UnreadState>);

#[derive(Default)]
struct UnreadState {
    rooms: Mutex<Rooms>,
    bell: Notify,
}

#[derive(Default)]
struct Rooms {
    /// Those that were dirty since anyone was told.
    dirty: HashMap<RoomId, UnreadUpdate>,
    /// Who, of those who are connected, has been told of which rooms and has not read them since:
    /// they know.
    told: HashMap<AccountId, HashSet<RoomId>>,
    /// What they are about to be told: news that came within a second of the last.
    waiting: HashMap<AccountId, HashSet<RoomId>>,
    /// When they were told last.
    last: HashMap<AccountId, Instant>,
}

/// What happened in a room since anyone was told.
struct UnreadUpdate {
    authors: HashSet<AccountId>,
    newest: MessageId,
    /// Who has read all of it already, in a window that shows it.
    readers: HashSet<AccountId>,
}

impl UnreadUpdate {
    /// What one wrote oneself is not new; what others wrote in the same moment is.
    fn is_unread_for(&self, account: AccountId) -> bool {
        let own = self.authors.len() == 1 && self.authors.contains(&account);
        !own && !self.readers.contains(&account)
    }
}

pub(super) fn subscriber() -> Subscriber<Chat> {
    Subscriber::new("chat.unread")
        .on(message_posted)
        .on(room_read)
}

async fn message_posted(chat: &Chat, event: &MessagePosted, _: &Envelope) -> Result<()> {
    let MessagePosted { room, message } = event;
    let mut rooms = chat.unread.rooms();
    let update = rooms.dirty.entry(*room).or_insert_with(|| UnreadUpdate {
        authors: HashSet::new(),
        newest: message.id,
        readers: HashSet::new(),
    });
    update.authors.insert(message.author);
    update.newest = message.id;
    update.readers.clear();
    chat.unread.0.bell.notify_one();
    Ok(())
}

/// Published under the lock, so that "read" and "new" reach a tab in the order in which they are
/// true.
async fn room_read(chat: &Chat, read: &RoomRead, _: &Envelope) -> Result<()> {
    let mut rooms = chat.unread.rooms();
    let Rooms { told, waiting, .. } = &mut *rooms;
    for known in [told, waiting] {
        if let Some(known) = known.get_mut(&read.account) {
            known.remove(&read.room);
        }
    }
    if let Some(update) = rooms.dirty.get_mut(&read.room)
        && read.message >= update.newest
    {
        update.readers.insert(read.account);
    }
    // Read in one tab, so the others drop the mark at once.
    chat.publish_marks(read.account, read, vec![read.room], false);
    Ok(())
}

/// The sidebar's rooms and direct conversations.
pub(super) async fn nav(
    chat: Chat,
    viewer: Viewer,
    space: Option<SpaceId>,
    deps: Dependencies,
) -> Result<Vec<NavSection>> {
    chat.sections(&deps, &viewer, space).await
}

impl Unread {
    fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chat {
    /// Sets or takes the marks of these rooms in someone's sidebars. The room that is open before
    /// their eyes is marked read by its own page.
    fn publish_marks<E: Event>(
        &self,
        account: AccountId,
        event: &E,
        rooms: Vec<RoomId>,
        unread: bool,
    ) {
        let content = Content::of(event).html(move |lang| {
            let mark = if unread {
                format!("<i class=\"sr\">, {}</i>", lang.t("unread"))
            } else {
                String::new()
            };
            rooms
                .iter()
                .map(|room| Partial::inner(format!("#unread-{room}"), &mark).to_string())
                .collect()
        });
        self.engine
            .live
            .publish(&ACCOUNT_FEED.name(account), content);
    }

    /// The sidebar's rooms and direct conversations.
    pub(super) async fn sections(
        &self,
        deps: &Dependencies,
        viewer: &Viewer,
        space: Option<SpaceId>,
    ) -> Result<Vec<NavSection>> {
        let db = &self.engine.db;
        let mut sections = Vec::new();
        if let Some(space) = space {
            let rooms = self
                .community
                .rooms
                .in_space(viewer.account, space, false)
                .await?;
            rooms.iter().for_each(|room| deps.add(room.id));
            let unread = store::unread_in(db, viewer.account, space).await?;
            let entries = rooms
                .into_iter()
                .map(|room| NavEntry {
                    href: format!("/rooms/{}", room.id),
                    icon: if room.private { "lock" } else { "hash" },
                    unread: unread.contains(&room.id),
                    key: room.id.to_string(),
                    label: room.name,
                })
                .collect();
            let may_add = is_granted(
                self.community
                    .access
                    .permit(
                        viewer.account,
                        &permissions::MANAGE_ROOMS,
                        Scope::Space(space),
                    )
                    .await,
            )?;
            let add = may_add.then(|| (format!("/spaces/{space}/rooms/new"), "room-new-title"));
            sections.push(NavSection {
                heading: "rooms-heading",
                add,
                entries,
            });
        }
        let direct = self.community.rooms.direct_of(viewer.account).await?;
        direct.iter().for_each(|(room, _)| deps.add(*room));
        let unread = store::unread_direct(db, viewer.account).await?;
        let entries = direct
            .into_iter()
            .map(|(room, label)| NavEntry {
                href: format!("/rooms/{room}"),
                icon: if label.contains(", ") {
                    "people"
                } else {
                    "person"
                },
                unread: unread.contains(&room),
                key: room.to_string(),
                label,
            })
            .collect();
        sections.push(NavSection {
            heading: "direct-heading",
            add: Some(("/direct".to_owned(), "direct-new-title")),
            entries,
        });
        Ok(sections)
    }
}

/// Tells of dirty rooms, each account once a second at most.
pub(super) async fn flush(chat: Chat) {
    loop {
        let some_wait = !chat.unread.rooms().waiting.is_empty();
        if !some_wait {
            chat.unread.0.bell.notified().await;
        }
        tokio::time::sleep(GATHER_INTERVAL).await;
        let connected = chat.engine.live.connected();
        let dirty: Vec<RoomId> = chat.unread.rooms().dirty.keys().copied().collect();
        let mut readable: HashMap<RoomId, Vec<AccountId>> = HashMap::new();
        for room in &dirty {
            match chat.community.access.readers_of(*room).await {
                Ok(readers) => {
                    let here = connected.iter().filter(|account| readers.contains(account));
                    readable.insert(*room, here.copied().collect());
                }
                // The mark is there when the page is next read.
                Err(error) => tracing::warn!(%error, %room, "unread marks were not sent"),
            }
        }
        // Asking took time; what was read meanwhile is no news any more.
        let mut rooms = chat.unread.rooms();
        let Rooms {
            dirty: updates,
            told,
            waiting,
            last,
        } = &mut *rooms;
        let connected: HashSet<AccountId> = connected.into_iter().collect();
        told.retain(|account, _| connected.contains(account));
        waiting.retain(|account, rooms| connected.contains(account) && !rooms.is_empty());
        last.retain(|_, last| last.elapsed() < ACCOUNT_INTERVAL);
        for room in dirty {
            let Some(update) = updates.remove(&room) else {
                continue;
            };
            for account in readable
                .remove(&room)
                .unwrap_or_default()
                .into_iter()
                .filter(|account| update.is_unread_for(*account))
            {
                if told.entry(account).or_default().insert(room) {
                    waiting.entry(account).or_default().insert(room);
                }
            }
        }
        let due: Vec<AccountId> = waiting
            .keys()
            .filter(|account| !last.contains_key(account))
            .copied()
            .collect();
        for account in due {
            last.insert(account, Instant::now());
            let rooms: Vec<RoomId> = waiting
                .remove(&account)
                .unwrap_or_default()
                .into_iter()
                .collect();
            chat.publish_marks(
                account,
                &UnreadChanged {
                    account,
                    rooms: rooms.clone(),
                },
                rooms,
                true,
            );
        }
    }
}
