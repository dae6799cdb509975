//! The shell: rail, sidebar and panes around every page of someone who is signed in.

use std::sync::Arc;

use askama::Template;

use super::topics::{MemberJoined, MemberLeft, RoomChanged, RoomCreated, SpaceRenamed};
use super::{Community, Face, Permission, Role, names};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::bus::{Envelope, Subscriber};
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

    /// What every page of an account is made from: rights, spaces, rooms and people, and what
    /// concerns it alone. To be had before the first question about a right.
    pub fn dependencies(&self, account: AccountId) -> Dependencies {
        let deps = self.0.engine.versions.dependencies();
        deps.add("community", 0);
        deps.add("account", account.0);
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
        let mut feeds = format!(
            "account/{0}@{1}",
            viewer.account,
            live.cursor(&format!("account/{}", viewer.account))
        );
        if let Some(space) = space {
            feeds.push_str(&format!(
                " space/{space}@{}",
                live.cursor(&format!("space/{space}"))
            ));
        }
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
            rights: rights(role),
            manages: role.is_some_and(|role| role.may(Permission::ManageSpace)),
            operates: self.is_server_owner(viewer.account).await?,
            here: here.to_owned(),
            feeds,
        })
    }
}

fn rights(role: Option<Role>) -> String {
    let named = [
        (Permission::Moderate, "moderate"),
        (Permission::ManageRooms, "manage-rooms"),
    ];
    let held: Vec<_> = named
        .into_iter()
        .filter(|(right, _)| role.is_some_and(|role| role.may(*right)))
        .map(|(_, name)| name)
        .collect();
    held.join(" ")
}

/// Has open pages fetch their sidebar again when it changed for them.
pub(super) fn presenter(community: &Community) -> Subscriber {
    let live = community.engine().live.clone();
    let lagged = live.clone();
    Subscriber::new("community.sidebar", move |event| {
        present(&live, &event);
        async { Ok(()) }
    })
    .on::<RoomCreated>()
    .on::<RoomChanged>()
    .on::<SpaceRenamed>()
    .on::<MemberJoined>()
    .on::<MemberLeft>()
    .when_lagged(move |_| {
        // Too much happened to say what: every open page reads its sidebar again.
        for account in lagged.connected() {
            lagged.publish(
                &format!("account/{account}"),
                Content::new("community.room.changed", serde_json::Value::Null).refetch(),
            );
        }
        async {}
    })
}

fn present(live: &Hub, event: &Envelope) {
    let content = || Content::new(event.topic.name, event.json()).refetch();
    let to_space = |space: SpaceId| live.publish(&format!("space/{space}"), content());
    let to_accounts = |accounts: &[AccountId]| {
        for account in accounts {
            live.publish(&format!("account/{account}"), content());
        }
    };
    if let Some(RoomCreated {
        space,
        members,
        private,
        ..
    }) = event.get()
    {
        match space {
            Some(space) if !private => to_space(*space),
            _ => to_accounts(members),
        }
    } else if let Some(RoomChanged { space, members, .. }) = event.get() {
        match space {
            Some(space) if members.is_empty() => to_space(*space),
            _ => to_accounts(members),
        }
    } else if let Some(SpaceRenamed { space, .. }) = event.get() {
        to_space(*space);
    } else if let Some(MemberJoined { account, .. }) = event.get() {
        to_accounts(&[*account]);
    } else if let Some(MemberLeft { account, .. }) = event.get() {
        to_accounts(&[*account]);
    }
}
