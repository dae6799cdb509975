//! The shell: rail, sidebar and panes around every page of a signed-in account.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::blocks::Folds;
use super::join_requests::JOIN_REQUESTS_FEED;
use super::mention_marks::count_mark;
use super::permissions;
use super::presence_choice::PresenceChoice;
use super::spaces::Space;
use super::topics::{BannedNetworks, JoinRequests};
use super::{ACCOUNT_FEED, Community, Face, PermissionSet, SPACE_FEED, Scope, UNREAD_FEED, names};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::module::{Nav, NavEntry, NavSection, Pane, RoomPart, RoomPlace, TabCount};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, IsPrefetch, Part, icon_address};

/// A space in the rail.
pub struct SpaceLink {
    /// The space.
    pub id: SpaceId,
    /// The space's name.
    pub name: String,
    /// Shown where it has no emblem.
    pub initials: String,
    /// Whether the page belongs to it.
    pub current: bool,
}

impl SpaceLink {
    /// The `<img>` of its emblem, placed after the initials.
    pub fn emblem(&self) -> askama::filters::Safe<String> {
        super::portraits::emblem_img(self.id)
    }
}

/// Everything around a page's content. Its template is `community/shell.html`.
pub struct Shell {
    /// The viewer's language.
    pub lang: Lang,
    /// The viewer's account.
    pub account: AccountId,
    /// The viewer's name.
    pub name: String,
    /// The viewer's initials and picture.
    pub face: Face,
    /// The viewer's spaces.
    pub spaces: Vec<SpaceLink>,
    /// The space the page belongs to.
    pub space: Option<SpaceId>,
    /// The space whose rooms the sidebar lists: the page's, else the one visited last.
    pub sidebar_space: Option<SpaceId>,
    /// The sidebar's heading: the space's name, or that of direct conversations.
    pub title: String,
    /// The sidebar's sections.
    pub sections: Vec<NavSection>,
    /// What modules add below the links to rooms, by the keys of those.
    pub below_links: HashMap<String, Vec<String>>,
    /// What modules add above the page of the room that this is.
    pub above: Vec<String>,
    /// What modules add to its tools.
    pub room_tools: Vec<String>,
    /// The modules' panes.
    pub panes: Vec<Arc<Part>>,
    /// Every cached part in the page, panes included;
    /// [`PageAnswer`](crate::engine::web::PageAnswer) inserts them without rendering.
    pub parts: Vec<Arc<Part>>,
    /// The viewer's permissions here, as names that style sheets select by.
    pub rights: String,
    /// Of a room's page: what decides how it looks to the viewer. Scripts load the page again once
    /// the sidebar has another one.
    pub room_version: String,
    /// Whether the viewer may change the space.
    pub manages: bool,
    /// The applications to join the sidebar's space that wait; zero for who does not answer them.
    pub applications: i64,
    /// Whether the viewer is the host.
    pub operates: bool,
    /// The hour that times of day go to, 12 or 24, if the viewer chose one.
    pub clock: Option<i64>,
    /// The page's path; its link in the sidebar is marked as current.
    pub here: String,
    /// How the viewer chose to be seen, and until when.
    pub presence: (PresenceChoice, Option<Micros>),
    /// The viewer's roles and groups in the sidebar's space, for the marks of messages that mention
    /// them: `role-5 group-9`.
    pub groups: String,
    /// Whose messages the viewer's pages fold.
    pub folds: Folds,
    /// The feeds of the sidebar with their cursors.
    pub feeds: String,
    /// Until when raid mode lasts, on pages of a space of those who can end it.
    pub raid_until: Option<Micros>,
    /// What waits on pages of the space's settings, by path.
    tab_counts: Vec<(String, usize)>,
}

impl Shell {
    /// What modules add below the link with a key.
    pub fn below(&self, key: &str) -> &[String] {
        self.below_links.get(key).map_or(&[], Vec::as_slice)
    }

    /// The URL of an icon.
    pub fn icon(&self, name: &str) -> String {
        icon_address(name)
    }

    /// How much waits on a page of the space's settings.
    pub fn waiting(&self, path: &str) -> usize {
        let found = self.tab_counts.iter().find(|(counted, _)| counted == path);
        found.map_or(0, |(_, count)| *count)
    }

    /// The number beside a link.
    pub fn count_mark(&self, entry: &NavEntry) -> askama::filters::Safe<String> {
        askama::filters::Safe(count_mark(self.lang, entry.mentions, entry.counts))
    }

    /// What the viewer's own mark shows.
    pub fn presence_state(&self) -> &'static str {
        match self.presence.0 {
            PresenceChoice::Automatic => "here",
            PresenceChoice::Busy => "busy",
            PresenceChoice::Invisible => "away",
        }
    }

    /// The message key of that.
    pub fn presence_key(&self) -> &'static str {
        match self.presence.0 {
            PresenceChoice::Automatic => "presence-here",
            PresenceChoice::Busy => "presence-busy",
            PresenceChoice::Invisible => "presence-invisible",
        }
    }

    /// The choices of presence: value, and the message keys of name and explanation.
    pub fn presence_choices(&self) -> [(&'static str, &'static str, &'static str); 3] {
        [
            ("automatic", "presence-automatic", "presence-automatic-hint"),
            ("busy", "presence-busy", "presence-busy-hint"),
            ("invisible", "presence-invisible", "presence-invisible-hint"),
        ]
    }

    /// Whether one of them is the viewer's.
    pub fn is_chosen(&self, value: &str) -> bool {
        self.presence.0.as_str() == value
    }

    /// The lengths that the form of one's presence offers: value and message key.
    pub fn presence_ends(&self) -> [(&'static str, &'static str); 5] {
        super::presence_choice::ENDS
    }

    /// The URL that the sidebar is refetched from.
    pub fn refresh(&self) -> String {
        match self.sidebar_space {
            Some(space) => format!("/sidebar?space={space}&here={}", self.here),
            None => format!("/sidebar?here={}", self.here),
        }
    }
}

/// Adds a section of the sidebar; under a heading that is there already, its entries.
fn add(sections: &mut Vec<NavSection>, section: NavSection) {
    let has_heading = |one: &NavSection| !one.heading.is_empty() && one.named.is_none();
    let same = sections
        .iter_mut()
        .find(|one| has_heading(one) && has_heading(&section) && one.heading == section.heading);
    match same {
        Some(same) => same.entries.extend(section.entries),
        None => sections.push(section),
    }
}

/// Builds shells, with the sections and panes of every module. Page handlers get it as an
/// extractor. Cheap to clone.
#[derive(Clone)]
pub struct Layout {
    additions: Arc<Additions>,
    /// Whether nobody looks at the page yet, so that it counts as no visit.
    is_prefetch: bool,
}

struct Additions {
    community: Community,
    navs: Vec<Nav>,
    panes: Vec<Pane>,
    room_parts: Vec<(RoomPlace, RoomPart)>,
    tab_counts: Vec<TabCount>,
}

impl<S: Sync> FromRequestParts<S> for Layout {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let Ok(IsPrefetch(is_prefetch)) = IsPrefetch::from_request_parts(parts, &()).await;
        let layout = parts.extensions.get::<Self>().cloned();
        let layout = layout.map(|layout| Self {
            is_prefetch,
            ..layout
        });
        layout.ok_or_else(|| {
            Error::Internal(anyhow::anyhow!("the routes were mounted without a layout"))
        })
    }
}

impl Layout {
    /// A layout with these sections, panes and counts of modules.
    pub fn new(
        community: &Community,
        navs: Vec<Nav>,
        panes: Vec<Pane>,
        room_parts: Vec<(RoomPlace, RoomPart)>,
        tab_counts: Vec<TabCount>,
    ) -> Self {
        let additions = Additions {
            community: community.clone(),
            navs,
            panes,
            room_parts,
            tab_counts,
        };
        Self {
            additions: Arc::new(additions),
            is_prefetch: false,
        }
    }

    /// The shell of the page at `here`, in a space or outside of any.
    pub async fn shell(
        &self,
        viewer: &Viewer,
        space: Option<SpaceId>,
        here: &str,
    ) -> Result<Shell> {
        let deps = self.additions.community.dependencies(viewer.account);
        self.shell_from(&deps, viewer, space, here).await
    }

    /// As [`shell`](Self::shell), for a page that is cached: adds its dependencies to `deps`.
    pub async fn shell_from(
        &self,
        deps: &Dependencies,
        viewer: &Viewer,
        space: Option<SpaceId>,
        here: &str,
    ) -> Result<Shell> {
        let mut shell = self.sidebar(deps, viewer, space, here).await?;
        if let Some(space) = space {
            self.note_visit(deps, viewer, space).await?;
            for pane in &self.additions.panes {
                let pane = pane(viewer.clone(), space, room_at(here), deps.clone()).await?;
                shell.panes.push(pane);
            }
            shell.tab_counts = self.tab_counts(viewer, space, here).await?;
        }
        if let Some(room) = room_at(here) {
            shell.above = self
                .room_parts(deps, viewer, RoomPlace::AbovePage, room)
                .await?;
            shell.room_tools = self
                .room_parts(deps, viewer, RoomPlace::Tools, room)
                .await?;
        }
        shell.parts = shell.panes.clone();
        Ok(shell)
    }

    /// What modules add to a room in a place.
    async fn room_parts(
        &self,
        deps: &Dependencies,
        viewer: &Viewer,
        place: RoomPlace,
        room: RoomId,
    ) -> Result<Vec<String>> {
        let mut parts = Vec::new();
        for (at, part) in &self.additions.room_parts {
            if *at == place {
                parts.extend(part(viewer.clone(), room, deps.clone()).await?);
            }
        }
        Ok(parts)
    }

    /// What waits on the pages of a space's settings, for one of these pages.
    async fn tab_counts(
        &self,
        viewer: &Viewer,
        space: SpaceId,
        here: &str,
    ) -> Result<Vec<(String, usize)>> {
        let Additions {
            community,
            tab_counts,
            ..
        } = &*self.additions;
        let scope = Scope::Space(space);
        let held = community.access.held(viewer.account, scope).await?;
        let tabs = community.space_tabs(held, space, here)?;
        let mut counts = Vec::new();
        if !tabs.iter().any(|tab| tab.current) {
            return Ok(counts);
        }
        for one in tab_counts {
            let path = one.path.replace("{space}", &space.to_string());
            if tabs.iter().any(|tab| tab.href == path) {
                counts.push((path, (one.count)(viewer.clone(), space).await?));
            }
        }
        Ok(counts)
    }

    /// Stores a visit of a space, unless the last visit was one of it, too.
    async fn note_visit(&self, deps: &Dependencies, viewer: &Viewer, space: SpaceId) -> Result<()> {
        let (spaces, account) = (&self.additions.community.spaces, viewer.account);
        let own = spaces.of(deps, account).await?;
        // Also a dependency: a cached page of this space is stale once another one was visited, so
        // that the next visit comes here.
        let last = spaces.last_visited(deps, account, &own).await?;
        if last != Some(space) && !self.is_prefetch {
            spaces.visit(account, space).await;
        }
        Ok(())
    }

    /// The shell without the panes. Outside of spaces the sidebar is that of the last one.
    pub(super) async fn sidebar(
        &self,
        deps: &Dependencies,
        viewer: &Viewer,
        space: Option<SpaceId>,
        here: &str,
    ) -> Result<Shell> {
        let community = &self.additions.community;
        let spaces = community.spaces.of(deps, viewer.account).await?;
        let sidebar_space = match space {
            Some(space) => Some(space),
            None => {
                let last = community.spaces.last_visited(deps, viewer.account, &spaces);
                last.await?
            }
        };
        let sidebar_held = match sidebar_space {
            Some(space) => {
                let scope = Scope::Space(space);
                community.access.held(viewer.account, scope).await?
            }
            None => PermissionSet::default(),
        };
        // Taken before reading: later changes arrive as frames.
        let feeds = community.sidebar_feeds(viewer, sidebar_space, sidebar_held);
        let feeds = feeds.await?;
        sidebar_space.iter().for_each(|space| deps.add(*space));
        let spaces = community.spaces.of(deps, viewer.account).await?;
        let access = &community.access;
        let held = match space {
            Some(space) => access.held(viewer.account, Scope::Space(space)).await?,
            None => PermissionSet::default(),
        };
        // In a room, which may allow and deny, what the viewer holds there.
        let held_here = match room_at(here) {
            // A request may name any room: one that the viewer does not read is as none.
            Some(room) => match access.held(viewer.account, Scope::Room(room)).await {
                Err(Error::NotFound) => (held, String::new()),
                Ok(here) if here.is_empty() => (held, String::new()),
                here => (here?, access.room_version(viewer.account, room).await?),
            },
            None => (held, String::new()),
        };
        let approves = sidebar_held.contains(access.declared.only(&permissions::APPROVE)?);
        let applications = match sidebar_space {
            Some(space) if approves => {
                deps.add(JoinRequests(space.0));
                community.count_requests(space).await?
            }
            _ => 0,
        };
        let (held_here, mut room_version) = held_here;
        let may_end = held.contains(access.declared.only(&permissions::KICK)?);
        let raid_until = spaces.iter().find(|one| Some(one.id) == space);
        let raid_until = raid_until.and_then(|space| space.raid_until);
        let raid_until = raid_until.filter(|until| may_end && *until > Micros::now());
        if raid_until.is_some() && !room_version.is_empty() {
            room_version.push_str("-raid");
        }
        let current = spaces.iter().find(|one| Some(one.id) == sidebar_space);
        let title = current.map_or_else(
            || viewer.lang.t("direct-heading").to_owned(),
            |one| one.name.clone(),
        );
        let mut sections = Vec::new();
        for nav in &self.additions.navs {
            let added = nav(viewer.clone(), sidebar_space, deps.clone()).await?;
            added
                .into_iter()
                .for_each(|section| add(&mut sections, section));
        }
        let mut below_links = HashMap::new();
        for entry in sections
            .iter()
            .flat_map(|section: &NavSection| &section.entries)
        {
            let Ok(room) = entry.key.parse::<RoomId>() else {
                continue;
            };
            let place = RoomPlace::BelowLink;
            let parts = self.room_parts(deps, viewer, place, room).await?;
            if !parts.is_empty() {
                below_links.insert(entry.key.clone(), parts);
            }
        }
        let account = community.accounts.get(viewer.account).await?;
        Ok(Shell {
            lang: viewer.lang,
            account: viewer.account,
            name: viewer.name.to_string(),
            face: Face::of(viewer.account, &viewer.name),
            spaces: spaces.iter().map(|one| link(one, sidebar_space)).collect(),
            space,
            sidebar_space,
            title,
            sections,
            below_links,
            above: Vec::new(),
            room_tools: Vec::new(),
            panes: Vec::new(),
            parts: Vec::new(),
            rights: community.rights(held_here),
            room_version,
            manages: held.contains(community.access.declared.only(&permissions::MANAGE_SPACE)?),
            applications,
            operates: community.access.is_host(viewer.account).await?,
            clock: account.clock,
            presence: account.presence(),
            groups: match sidebar_space {
                Some(space) => community.marks_of(deps, viewer.account, space).await?,
                None => String::new(),
            },
            folds: community.folds_of(viewer.account).await?,
            here: here.to_owned(),
            raid_until,
            tab_counts: Vec::new(),
            feeds,
        })
    }
}

/// The room whose page has this path.
fn room_at(here: &str) -> Option<RoomId> {
    here.strip_prefix("/rooms/")?.parse().ok()
}

fn link(space: &Space, current: Option<SpaceId>) -> SpaceLink {
    SpaceLink {
        current: Some(space.id) == current,
        initials: names::initials(&space.name),
        id: space.id,
        name: space.name.clone(),
    }
}

impl Community {
    /// The `<head>` of a page for this viewer.
    pub fn head(&self, viewer: &Viewer, title: impl Into<String>) -> Head {
        let pages = &self.engine().pages;
        let mut head = pages.head(viewer.lang, Some(viewer.account), title);
        head.theme = viewer.theme;
        head
    }

    /// What every page of an account depends on: the account, with its permissions. Call it before
    /// the first permission check, so that a change in between is noticed.
    pub fn dependencies(&self, account: AccountId) -> Dependencies {
        let deps = self.engine().versions.dependencies();
        deps.add(account);
        // A cached page is not sent to a network that is banned since.
        deps.add(BannedNetworks(0));
        deps
    }

    /// The feeds of a sidebar, with their cursors.
    async fn sidebar_feeds(
        &self,
        viewer: &Viewer,
        space: Option<SpaceId>,
        held: PermissionSet,
    ) -> Result<String> {
        let live = &self.engine().live;
        let mut feeds = vec![
            ACCOUNT_FEED.position(viewer.account, live).await?,
            UNREAD_FEED.position(viewer.account, live).await?,
        ];
        if let Some(space) = space {
            feeds.push(SPACE_FEED.position(space, live).await?);
            if held.contains(self.access.declared.only(&permissions::APPROVE)?) {
                feeds.push(JOIN_REQUESTS_FEED.position(space, live).await?);
            }
        }
        Ok(feeds.join(" "))
    }

    /// The held permissions that style sheets show controls for, by name without the module: those
    /// that not every member holds by default.
    pub fn rights(&self, held: PermissionSet) -> String {
        let declared = &self.access.declared;
        let held = declared.in_set(held.without(declared.by_members()));
        let names: Vec<_> = held
            .filter_map(|permission| Some(permission.name.split_once('.')?.1))
            .collect();
        names.join(" ")
    }
}
