//! The people who read a room that not every member of its space reads: the pane beside its page,
//! and its changes. Rooms that all read have the pane of their space.
//!
//! Only rooms whose pane somebody has open cost anything: `watched` knows them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use askama::Template;

use super::pages::MAX_AWAY_LISTED;
use super::people::State;
use super::topics::{PeopleChanged, SpacePresence};
use super::views::{PaneView, PersonFrame};
use super::{Presence, ROOM_PRESENCE_FEED};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::locale::Lang;
use crate::community::Members;
use crate::community::topics::{MemberChanged, MemberLeft, RolesChanged, RoomChanged};
use crate::engine::bus::{Envelope, Event};
use crate::engine::live::Content;
use crate::engine::partial::Partial;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Part, PartKey};

/// People who are here, of those that a pane lists.
const MAX_PRESENT_LISTED: usize = 500;

/// The rooms whose panes were rendered on this instance, by space. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct WatchedRooms(Arc<Mutex<HashMap<SpaceId, HashSet<RoomId>>>>);

impl WatchedRooms {
    fn by_space(&self) -> MutexGuard<'_, HashMap<SpaceId, HashSet<RoomId>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, space: SpaceId, room: RoomId) {
        self.by_space().entry(space).or_default().insert(room);
    }

    /// Those of a space that somebody still follows; forgets the others.
    fn of(&self, space: SpaceId, is_followed: impl Fn(RoomId) -> bool) -> Vec<RoomId> {
        let mut by_space = self.by_space();
        let Some(rooms) = by_space.get_mut(&space) else {
            return Vec::new();
        };
        rooms.retain(|room| is_followed(*room));
        let followed = rooms.iter().copied().collect();
        if rooms.is_empty() {
            by_space.remove(&space);
        }
        followed
    }
}

impl Presence {
    /// The pane beside a room's page, for who reads it: that of its space when all members do.
    pub(super) async fn room_pane(
        &self,
        page: &Dependencies,
        viewer: &Viewer,
        space: SpaceId,
        room: RoomId,
    ) -> Result<Arc<Part>> {
        let access = &self.community.access;
        // A thread has the readers of its room.
        let parent = self.community.rooms.parent_of(room).await?;
        let room = parent.unwrap_or(room);
        let readers = access
            .restricted_readers(page, viewer.account, room)
            .await?;
        let Some(readers) = readers else {
            return self.pane(page, viewer, space).await;
        };
        let key = PartKey {
            kind: "presence.room-pane",
            id: room.0,
            lang: viewer.lang,
        };
        let own = self.clone();
        let lang = viewer.lang;
        self.engine
            .part_cache
            .part(key, page, async |deps| {
                own.render_room(deps, space, room, readers, lang).await
            })
            .await
    }

    async fn render_room(
        &self,
        deps: &Dependencies,
        space: SpaceId,
        room: RoomId,
        readers: Members,
        lang: Lang,
    ) -> Result<Arc<Part>> {
        deps.add(space);
        deps.add(room);
        deps.add(SpacePresence(space.0));
        let feed = ROOM_PRESENCE_FEED.position(room, &self.engine.live).await?;
        self.watched.add(space, room);
        let states = self.people.states();
        let is_present = |account: &AccountId| states.contains_key(account);
        let spaces = &self.community.spaces;
        let present = readers.iter().copied().filter(is_present);
        let mut people = spaces.people(present, MAX_PRESENT_LISTED as i64).await?;
        let away = readers
            .iter()
            .copied()
            .filter(|account| !is_present(account));
        people.extend(spaces.people(away, MAX_AWAY_LISTED as i64).await?);
        let mut views = Vec::new();
        for person in people {
            let account = self.community.accounts.get(person.id).await?;
            let state = states.get(&person.id).copied().unwrap_or(State::Away);
            views.push(PersonFrame::new(&account, room, state).view(lang));
        }
        let pane = PaneView {
            space,
            room: Some(room),
            list: room.into(),
            people: views,
            feed,
            lang,
        };
        pane.render()
            .map(Part::new)
            .map_err(|error| Error::Internal(anyhow::Error::new(error)))
    }

    fn watched_in(&self, space: SpaceId) -> Vec<RoomId> {
        let live = &self.engine.live;
        let is_followed = |room| live.is_followed(&ROOM_PRESENCE_FEED.name(room));
        self.watched.of(space, is_followed)
    }

    /// Publishes new states of people of a space to the panes of rooms that they read.
    pub(super) async fn publish_to_rooms(
        &self,
        space: SpaceId,
        people: &[(AccountId, String, State)],
    ) {
        for room in self.watched_in(space) {
            // It may just have been deleted.
            let Ok(readers) = self.community.access.readers_of(room).await else {
                continue;
            };
            let mut frames = Vec::new();
            for (id, _, state) in people.iter().filter(|(id, ..)| readers.contains(id)) {
                // It may just have been deleted.
                if let Ok(account) = self.community.accounts.get(*id).await {
                    frames.push(PersonFrame::new(&account, room, *state));
                }
            }
            if frames.is_empty() {
                continue;
            }
            let event = PeopleChanged {
                space,
                people: frames.iter().map(PersonFrame::state).collect(),
            };
            let content = Content::of(&event)
                .html(move |lang| frames.iter().map(|person| person.frame(lang)).collect());
            let feed = ROOM_PRESENCE_FEED.name(room);
            self.engine.live.publish(&feed, content);
        }
    }

    /// Has the panes of rooms refetched: of one room, or of all in a space.
    fn refetch_rooms<E: Event>(&self, space: SpaceId, only: Option<RoomId>, event: &E) {
        for room in self.watched_in(space) {
            if only.is_none_or(|only| only == room) {
                let feed = ROOM_PRESENCE_FEED.name(room);
                let content = Content::of(event).refetch();
                self.engine.live.publish(&feed, content);
            }
        }
    }
}

/// Who reads it may have changed.
pub(super) async fn room_changed(
    presence: &Presence,
    event: &RoomChanged,
    _: &Envelope,
) -> Result<()> {
    if let Some(space) = event.space {
        // Names nobody: each reader refetches what they may see.
        let own = RoomChanged {
            members: Vec::new(),
            ..*event
        };
        presence.refetch_rooms(space, Some(event.room), &own);
    }
    Ok(())
}

pub(super) async fn roles_changed(
    presence: &Presence,
    event: &RolesChanged,
    _: &Envelope,
) -> Result<()> {
    presence.refetch_rooms(event.space, None, event);
    Ok(())
}

pub(super) async fn member_changed(
    presence: &Presence,
    event: &MemberChanged,
    _: &Envelope,
) -> Result<()> {
    presence.refetch_rooms(event.space, None, event);
    Ok(())
}

/// Takes who left the space out of the panes of its rooms.
pub(super) fn remove_from_rooms(presence: &Presence, event: &MemberLeft) {
    let MemberLeft { space, account } = *event;
    for room in presence.watched_in(space) {
        let removal = Partial::delete(format!("#person-{room}-{account}")).to_string();
        let content = Content::of(event).html(move |_| removal.clone());
        let feed = ROOM_PRESENCE_FEED.name(room);
        presence.engine.live.publish(&feed, content);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watched_rooms_are_forgotten_with_their_followers() {
        let watched = WatchedRooms::default();
        let (space, one, other) = (SpaceId(3), RoomId(1), RoomId(2));
        watched.add(space, one);
        watched.add(space, other);
        assert_eq!(watched.of(space, |room| room == one), [one]);
        assert_eq!(watched.of(space, |_| true), [one]);
        assert!(watched.of(space, |_| false).is_empty());
        assert!(watched.by_space().is_empty());
    }
}
