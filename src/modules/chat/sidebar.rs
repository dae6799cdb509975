//! The rooms and direct conversations in the sidebar, with their unread marks.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::topics::{AccountReads, RoomHistory};
use super::{Chat, mention_store, store, thread_store};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::community::permissions::{MANAGE_ROOMS, READ, is_granted};
use crate::community::{CategoryId, DirectRoom, NoticeLevel, NoticeLevels, Room, Scope};
use crate::engine::module::{NavEntry, NavSection};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;

/// Unread threads that a sidebar takes into account.
const MAX_UNREAD_THREADS: i64 = 100;

/// The sidebar's sections: the threads that the viewer follows, the rooms of `space`, if one is
/// open, and direct conversations.
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
    let levels = chat.community.notice_levels(&deps, viewer.account).await?;
    let unread = Marks::read(&chat, viewer.account, space, levels).await?;
    let mut sections = vec![chat.threads_section(&viewer, &deps).await?];
    if let Some((space, rooms)) = open {
        let categories = chat.community.rooms.categories(&deps, space).await?;
        let under = |category: Option<CategoryId>| {
            let inside = rooms.iter().filter(move |room| room.category == category);
            let shown = inside.filter(|room| unread.is_listed(room.id, Some(space)));
            shown.map(|room| entry(room, &unread)).collect::<Vec<_>>()
        };
        let top = chat.rooms_section(&viewer, space, under(None)).await?;
        let has_categories = !categories.is_empty();
        // With all rooms under categories, the heading is left only to add one.
        if !top.entries.is_empty() || top.add.is_some() || !has_categories {
            sections.push(top);
        }
        let named = categories.iter().map(|category| NavSection {
            heading: "rooms-heading",
            named: Some((format!("category-{}", category.id), category.name.clone())),
            add: None,
            entries: under(Some(category.id)),
        });
        // A category whose rooms the viewer does not see is not named to them.
        sections.extend(named.filter(|section| !section.entries.is_empty()));
    }
    sections.push(direct_section(&direct, &unread));
    Ok(sections)
}

/// What is unread, by room.
struct Marks {
    unread: HashSet<RoomId>,
    mentions: HashMap<RoomId, i64>,
    levels: Arc<NoticeLevels>,
}

impl Marks {
    async fn read(
        chat: &Chat,
        account: AccountId,
        space: Option<SpaceId>,
        levels: Arc<NoticeLevels>,
    ) -> Result<Self> {
        let unread = store::unread(&chat.engine.db, account, space).await?;
        // What mentions somebody is unread by them.
        let rooms: Vec<RoomId> = unread.iter().copied().collect();
        let mentions = mention_store::unread_of(&chat.engine.db, account, &rooms).await?;
        Ok(Self {
            unread,
            mentions,
            levels,
        })
    }

    /// A hidden room is listed while it mentions the viewer.
    fn is_listed(&self, room: RoomId, space: Option<SpaceId>) -> bool {
        self.levels.of(room, space) != NoticeLevel::Hidden || self.count(room) > 0
    }

    fn is_muted(&self, room: RoomId, space: Option<SpaceId>) -> bool {
        self.levels.of(room, space).is_muted()
    }

    fn count(&self, room: RoomId) -> i64 {
        self.mentions.get(&room).copied().unwrap_or(0)
    }
}

impl Chat {
    /// The link to the threads that the viewer follows, marked where one of them is unread. Its
    /// number of mentions is that of all of them.
    async fn threads_section(&self, viewer: &Viewer, deps: &Dependencies) -> Result<NavSection> {
        let db = &self.engine.db;
        let mut readable = Vec::new();
        for thread in thread_store::unread(db, viewer.account, MAX_UNREAD_THREADS).await? {
            deps.add(RoomHistory(thread.0));
            let access = &self.community.access;
            if is_granted(access.permit_in_room(viewer.account, &READ, thread).await)? {
                readable.push(thread);
            }
        }
        let mentions = mention_store::unread_of(db, viewer.account, &readable).await?;
        let entry = NavEntry {
            href: "/threads".to_owned(),
            icon: "thread",
            unread: !readable.is_empty(),
            mentions: mentions.values().sum(),
            counts: "count-mentions",
            is_muted: false,
            key: "threads".to_owned(),
            label: viewer.lang.t("threads-title").to_owned(),
        };
        Ok(NavSection {
            heading: "",
            named: None,
            add: None,
            entries: vec![entry],
        })
    }

    async fn rooms_section(
        &self,
        viewer: &Viewer,
        space: SpaceId,
        entries: Vec<NavEntry>,
    ) -> Result<NavSection> {
        let access = &self.community.access;
        let may_add = is_granted(
            access
                .permit(viewer.account, &MANAGE_ROOMS, Scope::Space(space))
                .await,
        )?;
        Ok(NavSection {
            heading: "rooms-heading",
            add: may_add.then(|| (format!("/spaces/{space}/rooms/new"), "room-new-title")),
            named: None,
            entries,
        })
    }
}

fn entry(room: &Room, marks: &Marks) -> NavEntry {
    NavEntry {
        href: format!("/rooms/{}", room.id),
        icon: room.icon(),
        unread: marks.unread.contains(&room.id),
        mentions: marks.count(room.id),
        counts: "count-mentions",
        is_muted: marks.is_muted(room.id, room.space),
        key: room.id.to_string(),
        label: room.name.clone(),
    }
}

fn direct_section(rooms: &[DirectRoom], marks: &Marks) -> NavSection {
    let entry = |room: &DirectRoom| NavEntry {
        href: format!("/rooms/{}", room.id),
        icon: if room.other.is_none() {
            "people"
        } else {
            "person"
        },
        unread: marks.unread.contains(&room.id),
        mentions: marks.count(room.id),
        counts: "count-mentions",
        is_muted: marks.is_muted(room.id, None),
        key: room.id.to_string(),
        label: room.title.clone(),
    };
    NavSection {
        named: None,
        heading: "direct-heading",
        add: Some(("/direct".to_owned(), "direct-new-title")),
        entries: {
            let rooms = rooms.iter();
            let listed = rooms.filter(|room| marks.is_listed(room.id, None));
            listed.map(entry).collect()
        },
    }
}
