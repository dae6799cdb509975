//! The shell: rail, sidebar and panes around every page of someone who is signed in.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::permissions::{self, HeldBy};
use super::spaces::Space;
use super::{ACCOUNT_FEED, Community, Face, Role, SPACE_FEED, names};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::engine::module::{Nav, NavSection, Pane};
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

/// Makes the shell of pages: what every module adds to it. Pages get it as an argument of their
/// handler. Cheap to clone.
#[derive(Clone)]
pub struct Layout(Arc<Additions>);

struct Additions {
    community: Community,
    navs: Vec<Nav>,
    panes: Vec<Pane>,
}

impl<S: Sync> FromRequestParts<S> for Layout {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let layout = parts.extensions.get::<Self>();
        layout.cloned().ok_or_else(|| {
            Error::Internal(anyhow::anyhow!("the routes were mounted without a layout"))
        })
    }
}

impl Layout {
    /// A layout with these parts of modules.
    pub fn new(community: &Community, navs: Vec<Nav>, panes: Vec<Pane>) -> Self {
        Self(Arc::new(Additions {
            community: community.clone(),
            navs,
            panes,
        }))
    }

    /// What stands around a page at `here`, in a space or outside all.
    pub async fn shell(
        &self,
        viewer: &Viewer,
        space: Option<SpaceId>,
        here: &str,
    ) -> Result<Shell> {
        let deps = self.0.community.dependencies(viewer.account);
        self.shell_from(&deps, viewer, space, here).await
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
            for pane in &self.0.panes {
                let pane = pane(viewer.clone(), space, deps.clone()).await?;
                shell.panes.push(pane);
            }
        }
        shell.parts = shell.panes.clone();
        Ok(shell)
    }

    /// The shell without the panes.
    pub(super) async fn sidebar(
        &self,
        deps: &Dependencies,
        viewer: &Viewer,
        space: Option<SpaceId>,
        here: &str,
    ) -> Result<Shell> {
        let community = &self.0.community;
        // Cursors first: what is read after them holds everything they name.
        let feeds = community.sidebar_feeds(viewer, space);
        space.iter().for_each(|space| deps.add(*space));
        let ids = community.spaces.ids_of(viewer.account).await?;
        ids.into_iter().for_each(|space| deps.add(space));
        let spaces = community.spaces.of(viewer.account).await?;
        let role = match space {
            Some(space) => community.access.role(viewer.account, space).await?,
            None => None,
        };
        let current = spaces.iter().find(|one| Some(one.id) == space);
        let title = current.map_or_else(
            || viewer.lang.t("direct-heading").to_owned(),
            |one| one.name.clone(),
        );
        let mut sections = Vec::new();
        for nav in &self.0.navs {
            sections.extend(nav(viewer.clone(), space, deps.clone()).await?);
        }
        Ok(Shell {
            lang: viewer.lang,
            account: viewer.account,
            name: viewer.name.to_string(),
            face: Face::of(viewer.account, &viewer.name),
            spaces: spaces.into_iter().map(|one| link(one, space)).collect(),
            space,
            title,
            sections,
            panes: Vec::new(),
            parts: Vec::new(),
            rights: community.rights(role),
            manages: role.is_some_and(|role| role.holds(&permissions::MANAGE_SPACE)),
            operates: community.access.is_host(viewer.account).await?,
            here: here.to_owned(),
            feeds,
        })
    }
}

fn link(space: Space, current: Option<SpaceId>) -> SpaceLink {
    SpaceLink {
        current: Some(space.id) == current,
        initials: names::initials(&space.name),
        id: space.id,
        name: space.name,
    }
}

impl Community {
    /// The head of a page for this viewer.
    pub fn head(&self, viewer: &Viewer, title: impl Into<String>) -> Head {
        let pages = &self.engine().pages;
        pages.head(viewer.lang, Some(viewer.account), title)
    }

    /// What every page of an account depends on: the account itself, with its rights. To be had
    /// before the first question about a right.
    pub fn dependencies(&self, account: AccountId) -> Dependencies {
        let deps = self.engine().versions.dependencies();
        deps.add(account);
        deps
    }

    /// The feeds that a sidebar follows, with where to follow them from.
    fn sidebar_feeds(&self, viewer: &Viewer, space: Option<SpaceId>) -> String {
        let live = &self.engine().live;
        let mut feeds = ACCOUNT_FEED.position(viewer.account, live);
        if let Some(space) = space {
            feeds.push(' ');
            feeds.push_str(&SPACE_FEED.position(space, live));
        }
        feeds
    }

    /// The permissions that style sheets switch controls on for, by their names without the module.
    fn rights(&self, role: Option<Role>) -> String {
        let held = self.permissions.iter().filter(|permission| {
            permission.held_by == HeldBy::Owners && role.is_some_and(|role| role.holds(permission))
        });
        let names: Vec<_> = held
            .filter_map(|permission| Some(permission.name.split_once('.')?.1))
            .collect();
        names.join(" ")
    }
}
