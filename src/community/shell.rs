//! The shell: rail, sidebar and panes around every page of someone who is signed in.

use std::sync::Arc;

use askama::Template;

use super::permissions::{self, HeldBy, Permission};
use super::topics::{
    AccountChanged, MemberJoined, MemberLeft, RoomChanged, RoomCreated, SpaceChanged,
};
use super::{ACCOUNT_FEED, Community, Face, Role, SPACE_FEED, names};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::bus::{Envelope, Event, Subscriber};
use crate::engine::live::{Content, Hub};
use crate::engine::module::NavSection;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Part};

/// A space as the rail shows it.
pub struct SpaceLink {
    /// The space.
    pub id: SpaceId,
    /// Its name.
    pub name: String,
    /// Its first letters.
    pub initials: String,
    /// Whether the page is in it.
    pub current: bool,
}

impl SpaceLink {
    /// Its picture, to stand after the initials.
    pub fn emblem(&self) -> askama::filters::Safe<String> {
        super::portraits::emblem_img(self.id)
    }
}

/// Everything around a page. Its template is `community/shell.html`.
pub struct Shell {
    /// The language.
    pub lang: Lang,
    /// Who is looking.
    pub account: AccountId,
    /// Their name.
    pub name: String,
    /// How they are drawn.
    pub face: Face,
    /// Their spaces.
    pub spaces: Vec<SpaceLink>,
    /// The space the page is in.
    pub space: Option<SpaceId>,
    /// Its name, or the server's.
    pub title: String,
    /// The parts of the sidebar.
    pub sections: Vec<NavSection>,
    /// Panes of the modules.
    pub panes: Vec<Arc<Part>>,
    /// Every part that stands in the page, panes included.
    pub parts: Vec<Arc<Part>>,
    /// The rights of the viewer here, as names that style sheets switch on.
    pub rights: String,
    /// Whether the viewer may change the space.
    pub manages: bool,
    /// Whether the viewer runs the server.
    pub operates: bool,
    /// The page's address, marked in the sidebar.
    pub here: String,
    /// The feeds of the sidebar with their cursors.
    pub feeds: String,
}

impl Shell {
    /// Address of an icon.
    pub fn icon(&self, name: &str) -> String {
        format!("/assets/{}/icons.svg#{name}", crate::engine::web::VERSION)
    }

    /// Where the sidebar is fetched again.
    pub fn refresh(&self) -> String {
        match self.space {
            Some(space) => format!("/sidebar?space={space}&here={}", self.here),
            None => format!("/sidebar?here={}", self.here),
        }
    }
}

#[derive(Template)]
#[template(path = "community/sidebar.html")]
pub(super) struct Sidebar<'a> {
    pub(super) shell: &'a Shell,
}

impl Community {
    /// The head of a page for this viewer.
    pub fn head(&self, viewer: &Viewer, title: impl Into<String>) -> Head {
        let pages = &self.0.engine.pages;
        pages.head(viewer.lang, Some(viewer.account), title)
    }

    /// What stands around a page at `here`, in a space or outside all.
    pub async fn shell(
        &self,
        viewer: &Viewer,
        space: Option<SpaceId>,
        here: &str,
    ) -> Result<Shell> {
        self.shell_from(&self.dependencies(viewer.account), viewer, space, here)
            .await
    }

    /// The same for a page that is kept, with what it is made from.
    pub async fn shell_from(
        &self,
        deps: &Dependencies,
        viewer: &Viewer,
        space: Option<SpaceId>,
        here: &str,
    ) -> Result<Shell> {
        let mut shell = self.sidebar(deps, viewer, space, here).await?;
        if let Some(space) = space {
            for pane in self.0.panes.get().into_iter().flatten() {
                shell
                    .panes
                    .push(pane(viewer.clone(), space, deps.clone()).await?);
            }
        }
        shell.parts = shell.panes.clone();
        Ok(shell)
    }

    /// What every page of an account depends on: the account itself, with its rights. To be had
    /// before the first question about a right.
    pub fn dependencies(&self, account: AccountId) -> Dependencies {
        let deps = self.0.engine.versions.dependencies();
        deps.add(account);
        deps
    }

    /// The shell without the panes.
    pub(super) async fn sidebar(
        &self,
        deps: &Dependencies,
        viewer: &Viewer,
        space: Option<SpaceId>,
        here: &str,
    ) -> Result<Shell> {
        let live = &self.0.engine.live;
        // Cursors first: what is read after them holds everything they name.
        let mut feeds = ACCOUNT_FEED.position(viewer.account, live);
        if let Some(space) = space {
            deps.add(space);
            feeds.push(' ');
            feeds.push_str(&SPACE_FEED.position(space, live));
        }
        let ids = self.space_ids_of(viewer.account).await?;
        ids.into_iter().for_each(|space| deps.add(space));
        let spaces = self.spaces_of(viewer.account).await?;
        let role = match space {
            Some(space) => self.role(viewer.account, space).await?,
            None => None,
        };
        let title = spaces.iter().find(|one| Some(one.id) == space).map_or_else(
            || viewer.lang.t("direct-heading").to_owned(),
            |one| one.name.clone(),
        );
        let spaces = spaces
            .into_iter()
            .map(|one| SpaceLink {
                current: Some(one.id) == space,
                initials: names::initials(&one.name),
                id: one.id,
                name: one.name,
            })
            .collect();
        let mut sections = Vec::new();
        for nav in self.0.navs.get().into_iter().flatten() {
            sections.extend(nav(viewer.clone(), space, deps.clone()).await?);
        }
        Ok(Shell {
            lang: viewer.lang,
            account: viewer.account,
            name: viewer.name.to_string(),
            face: Face::of(viewer.account, &viewer.name),
            spaces,
            space,
            title,
            sections,
            panes: Vec::new(),
            parts: Vec::new(),
            rights: rights(&self.0.permissions, role),
            manages: role.is_some_and(|role| role.holds(&permissions::MANAGE_SPACE)),
            operates: self.is_server_owner(viewer.account).await?,
            here: here.to_owned(),
            feeds,
        })
    }
}

/// The permissions that style sheets switch controls on for, by their names without the module.
fn rights(permissions: &[&'static Permission], role: Option<Role>) -> String {
    let held = permissions.iter().filter(|permission| {
        permission.held_by == HeldBy::Owners && role.is_some_and(|role| role.holds(permission))
    });
    let names: Vec<_> = held
        .filter_map(|permission| Some(permission.name.split_once('.')?.1))
        .collect();
    names.join(" ")
}

/// Has open pages fetch their sidebar again when it changed for them.
pub(super) fn presenter() -> Subscriber<Community> {
    Subscriber::new("community.sidebar")
        .on(room_created)
        .on(room_changed)
        .on(space_changed)
        .on(member_joined)
        .on(member_left)
        .when_lagged(refresh_all)
}

/// Too much happened to say what: every open page reads its sidebar again.
async fn refresh_all(community: Community, _missed: u64) {
    let live = &community.engine().live;
    for account in live.connected() {
        refresh_accounts(live, &[account], &AccountChanged { account });
    }
}

fn refresh_space<E: Event>(live: &Hub, space: SpaceId, event: &E) {
    live.publish(&SPACE_FEED.name(space), Content::of(event).refetch());
}

fn refresh_accounts<E: Event>(live: &Hub, accounts: &[AccountId], event: &E) {
    for account in accounts {
        live.publish(&ACCOUNT_FEED.name(*account), Content::of(event).refetch());
    }
}

async fn room_created(community: &Community, event: &RoomCreated, _: &Envelope) -> Result<()> {
    let live = &community.engine().live;
    match event.space {
        Some(space) if !event.private => refresh_space(live, space, event),
        _ => refresh_accounts(live, &event.members, event),
    }
    Ok(())
}

async fn room_changed(community: &Community, event: &RoomChanged, _: &Envelope) -> Result<()> {
    let live = &community.engine().live;
    match event.space {
        Some(space) if event.members.is_empty() => refresh_space(live, space, event),
        _ => refresh_accounts(live, &event.members, event),
    }
    Ok(())
}

async fn space_changed(community: &Community, event: &SpaceChanged, _: &Envelope) -> Result<()> {
    refresh_space(&community.engine().live, event.space, event);
    Ok(())
}

async fn member_joined(community: &Community, event: &MemberJoined, _: &Envelope) -> Result<()> {
    refresh_accounts(&community.engine().live, &[event.account], event);
    Ok(())
}

async fn member_left(community: &Community, event: &MemberLeft, _: &Envelope) -> Result<()> {
    refresh_accounts(&community.engine().live, &[event.account], event);
    Ok(())
}
