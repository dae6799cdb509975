//! The rooms and direct conversations in the sidebar, with their unread marks.

use std::collections::HashSet;

use super::topics::{AccountReads, RoomHistory};
use super::{Chat, store};
use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};
use crate::community::permissions::{MANAGE_ROOMS, is_granted};
use crate::community::{DirectRoom, Room, Scope};
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
    let rooms = &chat.community.rooms;
    let direct = rooms.direct_of(&deps, viewer.account).await?;
    let open = match space {
        Some(space) => Some((space, rooms.open_in(&deps, viewer.account, space).await?)),
        None => None,
    };
    deps.add(AccountReads(viewer.account.0));
    let of_space = open.iter().flat_map(|(_, rooms)| rooms.iter());
    for room in of_space
        .map(|room| room.id)
        .chain(direct.iter().map(|room| room.id))
    {
        deps.add(RoomHistory(room.0));
    }
    let unread = store::unread(&chat.engine.db, viewer.account, space).await?;
    let mut sections = Vec::new();
    if let Some((space, rooms)) = open {
        sections.push(chat.rooms_section(&viewer, space, &rooms, &unread).await?);
    }
    sections.push(direct_section(&direct, &unread));
    Ok(sections)
}

impl Chat {
    async fn rooms_section(
        &self,
        viewer: &Viewer,
        space: SpaceId,
        rooms: &[Room],
        unread: &HashSet<RoomId>,
    ) -> Result<NavSection> {
        let access = &self.community.access;
        let may_add = is_granted(
            access
                .permit(viewer.account, &MANAGE_ROOMS, Scope::Space(space))
                .await,
        )?;
        let entry = |room: &Room| NavEntry {
            href: format!("/rooms/{}", room.id),
            icon: room.icon(),
            unread: unread.contains(&room.id),
            key: room.id.to_string(),
            label: room.name.clone(),
        };
        Ok(NavSection {
            heading: "rooms-heading",
            add: may_add.then(|| (format!("/spaces/{space}/rooms/new"), "room-new-title")),
            entries: rooms.iter().map(entry).collect(),
        })
    }
}

fn direct_section(rooms: &[DirectRoom], unread: &HashSet<RoomId>) -> NavSection {
    let entry = |room: &DirectRoom| NavEntry {
        href: format!("/rooms/{}", room.id),
        icon: if room.other.is_none() {
            "people"
        } else {
            "person"
        },
        unread: unread.contains(&room.id),
        key: room.id.to_string(),
        label: room.title.clone(),
    };
    NavSection {
        heading: "direct-heading",
        add: Some(("/direct".to_owned(), "direct-new-title")),
        entries: rooms.iter().map(entry).collect(),
    }
}
