//! The rooms and direct conversations in the sidebar, with their unread marks.

use super::topics::{AccountReads, RoomHistory};
use super::{Chat, store};
use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};
use crate::community::Scope;
use crate::community::permissions::{MANAGE_ROOMS, is_granted};
use crate::engine::module::{NavEntry, NavSection};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;

/// The sidebar's sections: the rooms of `space`, if one is open, and direct conversations.
pub(super) async fn nav(
    chat: Chat,
    viewer: Viewer,
    space: Option<SpaceId>,
    deps: Dependencies,
) -> Result<Vec<NavSection>> {
    let mut sections = Vec::new();
    if let Some(space) = space {
        sections.push(chat.rooms_section(&deps, &viewer, space).await?);
    }
    sections.push(chat.direct_section(&deps, &viewer).await?);
    Ok(sections)
}

impl Chat {
    async fn rooms_section(
        &self,
        deps: &Dependencies,
        viewer: &Viewer,
        space: SpaceId,
    ) -> Result<NavSection> {
        let rooms = self
            .community
            .rooms
            .in_space(viewer.account, space, false)
            .await?;
        add_rooms(deps, viewer, rooms.iter().map(|room| room.id));
        let unread = store::unread_in(&self.engine.db, viewer.account, space).await?;
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
                .permit(viewer.account, &MANAGE_ROOMS, Scope::Space(space))
                .await,
        )?;
        Ok(NavSection {
            heading: "rooms-heading",
            add: may_add.then(|| (format!("/spaces/{space}/rooms/new"), "room-new-title")),
            entries,
        })
    }

    async fn direct_section(&self, deps: &Dependencies, viewer: &Viewer) -> Result<NavSection> {
        let direct = self.community.rooms.direct_of(viewer.account).await?;
        add_rooms(deps, viewer, direct.iter().map(|(room, _)| *room));
        let unread = store::unread_direct(&self.engine.db, viewer.account).await?;
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
        Ok(NavSection {
            heading: "direct-heading",
            add: Some(("/direct".to_owned(), "direct-new-title")),
            entries,
        })
    }
}

/// The rooms of a list, and what says which of them are unread.
fn add_rooms(deps: &Dependencies, viewer: &Viewer, rooms: impl Iterator<Item = RoomId>) {
    deps.add(AccountReads(viewer.account.0));
    for room in rooms {
        deps.add(room);
        deps.add(RoomHistory(room.0));
    }
}
