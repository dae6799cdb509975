//! Unread marks: which rooms hold something new for whom, in the sidebar of every open tab.
//!
//! A post marks its room as dirty. UnreadState rooms are told to those who are connected and may
//! read them, in one frame for each account and second however many messages came; who was told and
//! has not read since knows.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::model::MessageId;
use super::topics::{MessagePosted, RoomRead, UnreadChanged};
use super::{Chat, store};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::community::{Permission, Place};
use crate::engine::bus::{Envelope, Event, Origin, Subscriber};
use crate::engine::live::Content;
use crate::engine::module::{NavEntry, NavSection};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;

// How long posts are gathered before anyone is told.
const GATHER: Duration = Duration::from_millis(250);
const APART: Duration = Duration::from_secs(1); // between two frames of news to one account

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

pub(super) fn watcher(chat: &Chat) -> Subscriber {
    let chat = chat.clone();
    Subscriber::new("chat.unread", move |event| {
        chat.watch(&event);
        async { Ok(()) }
    })
    .on::<MessagePosted>()
    .on::<RoomRead>()
}

impl Chat {
    /// Marks are told under the lock, so that "read" and "new" reach a tab in the order in which
    /// they are true.
    fn watch(&self, event: &Envelope) {
        let mut rooms = self
            .unread
            .0
            .rooms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(MessagePosted { room, message }) = event.get() {
            let nothing = || UnreadUpdate {
                authors: HashSet::new(),
                newest: message.id,
                readers: HashSet::new(),
            };
            let update = rooms.dirty.entry(*room).or_insert_with(nothing);
            update.authors.insert(message.author);
            update.newest = message.id;
            update.readers.clear();
            self.unread.0.bell.notify_one();
        } else if let Some(read) = event.get::<RoomRead>() {
            let Rooms { told, waiting, .. } = &mut *rooms;
            for known in [told, waiting]
                .into_iter()
                .filter_map(|known| known.get_mut(&read.account))
            {
                known.remove(&read.room);
            }
            if let Some(update) = rooms.dirty.get_mut(&read.room)
                && read.message >= update.newest
            {
                update.readers.insert(read.account);
            }
            // Read in one tab, so the others drop the mark at once.
            self.tell(read.account, read, vec![read.room], false);
        }
    }

    /// Sets or takes the marks of these rooms in someone's sidebars. The room that is open before
    /// their eyes is marked read by its own page.
    fn tell<E: Event>(&self, account: AccountId, event: &E, rooms: Vec<RoomId>, unread: bool) {
        let content = Content::of(event).html(move |lang| {
            let mark = if unread { format!("<i class=\"sr\">, {}</i>", lang.t("unread")) } else { String::new() };
            rooms.iter().map(|room| format!("<hx-partial hx-target=\"#unread-{room}\" hx-swap=\"innerHTML\">{mark}</hx-partial>")).collect()
        });
        self.engine
            .live
            .publish(&format!("account/{account}"), content);
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
                .rooms_in(viewer.account, space, false)
                .await?;
            rooms.iter().for_each(|room| deps.add("room", room.id.0));
            let unread = store::unread_in(db, viewer.account, space).await?;
            let entries = rooms
                .into_iter()
                .map(|room| NavEntry {
                    href: format!("/rooms/{}", room.id),
                    icon: if room.private { "lock" } else { "hash" },
                    unread: unread.contains(&room.id),
                    room: room.id.0,
                    label: room.name,
                })
                .collect();
            let may_add = self
                .community
                .permit(viewer.account, Permission::ManageRooms, Place::Space(space))
                .await
                .is_ok();
            let add = may_add.then(|| (format!("/spaces/{space}/rooms/new"), "room-new-title"));
            sections.push(NavSection {
                heading: "rooms-heading",
                add,
                entries,
            });
        }
        let direct = self.community.direct_rooms(viewer.account).await?;
        direct.iter().for_each(|(room, _)| deps.add("room", room.0));
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
                room: room.0,
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

    /// Moves someone's read mark forward, and tells their other tabs.
    pub(super) async fn mark_read(
        &self,
        account: AccountId,
        room: RoomId,
        message: MessageId,
    ) -> Result<()> {
        let bus = self.engine.bus.clone();
        self.engine
            .db
            .write(async move |tx| {
                if store::mark_read(tx, account, room, message).await? {
                    tx.after_commit(move || {
                        bus.publish(
                            Origin::new(account, None),
                            RoomRead {
                                account,
                                room,
                                message,
                            },
                        )
                    });
                }
                Ok(())
            })
            .await
    }
}

/// Tells of dirty rooms, each account once a second at most.
pub(super) async fn flush(chat: Chat) {
    loop {
        let some_wait = !chat
            .unread
            .0
            .rooms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .waiting
            .is_empty();
        if !some_wait {
            chat.unread.0.bell.notified().await;
        }
        tokio::time::sleep(GATHER).await;
        let connected = chat.engine.live.connected();
        let dirty: Vec<RoomId> = chat
            .unread
            .0
            .rooms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .dirty
            .keys()
            .copied()
            .collect();
        let mut readable: HashMap<RoomId, Vec<AccountId>> = HashMap::new();
        for room in &dirty {
            for account in &connected {
                if chat.may_read(*account, *room).await.unwrap_or(false) {
                    readable.entry(*room).or_default().push(*account);
                }
            }
        }
        // Asking took time; what was read meanwhile is no news any more.
        let mut rooms = chat
            .unread
            .0
            .rooms
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Rooms {
            dirty: updates,
            told,
            waiting,
            last,
        } = &mut *rooms;
        let connected: HashSet<AccountId> = connected.into_iter().collect();
        told.retain(|account, _| connected.contains(account));
        waiting.retain(|account, rooms| connected.contains(account) && !rooms.is_empty());
        last.retain(|_, last| last.elapsed() < APART);
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
            chat.tell(
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
