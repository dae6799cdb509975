//! The people of a space: the pane beside its pages, and a page of their own for small screens.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};

use super::people::State as Here;
use super::topics::SpacePresence;
use super::views::{PaneView, PeoplePage, PersonFrame};
use super::{PRESENCE_FEED, Presence};
use crate::base::error::{Error, Result};
use crate::base::ids::{RoomId, SpaceId};
use crate::base::locale::Lang;
use crate::community::Layout;
use crate::community::permissions::READ;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{PageAnswer, Part, PartKey, Wants, app_page};

/// Away people that a list shows at most; others are listed without limit.
pub(super) const MAX_AWAY_LISTED: usize = 100;

pub(super) async fn pane(
    presence: Presence,
    viewer: Viewer,
    space: SpaceId,
    room: Option<RoomId>,
    deps: Dependencies,
) -> Result<Arc<Part>> {
    match room {
        Some(room) => presence.room_pane(&deps, &viewer, space, room).await,
        None => presence.pane(&deps, &viewer, space).await,
    }
}

impl Presence {
    /// The pane, for members of the space.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub(super) async fn pane(
        &self,
        page: &Dependencies,
        viewer: &Viewer,
        space: SpaceId,
    ) -> Result<Arc<Part>> {
        self.community
            .access
            .member(viewer.account, space)
            .await?
            .ok_or(Error::NotFound)?;
        let key = PartKey {
            kind: "presence.pane",
            id: space.0,
            lang: viewer.lang,
        };
        self.engine
            .part_cache
            .part(key, page, async |deps| {
                self.render_pane(deps, space, viewer.lang).await
            })
            .await
    }

    /// The people whom lists show.
    pub(super) async fn listed(&self, space: SpaceId) -> Result<Vec<PersonFrame>> {
        let mut away = 0;
        let members = self.community.spaces.members(space).await?.into_iter();
        let mut listed = Vec::new();
        for person in members {
            let state = self.people.state(person.id);
            away += usize::from(state == Here::Away);
            if state != Here::Away || away <= MAX_AWAY_LISTED {
                let account = self.community.accounts.get(person.id).await?;
                listed.push(PersonFrame::new(&account, space, state));
            }
        }
        Ok(listed)
    }

    async fn render_pane(
        &self,
        deps: &Dependencies,
        space: SpaceId,
        lang: Lang,
    ) -> Result<Arc<Part>> {
        deps.add(space);
        deps.add(SpacePresence(space.0));
        let feed = PRESENCE_FEED.position(space, &self.engine.live).await?;
        let people = self.listed(space).await?;
        let people = people.iter().map(|person| person.view(lang)).collect();
        let pane = PaneView {
            space,
            room: None,
            list: space.into(),
            people,
            feed,
            lang,
        };
        pane.render()
            .map(Part::new)
            .map_err(|error| Error::Internal(anyhow::Error::new(error)))
    }
}

/// With `?pane` the pane alone, which clients refetch when they missed frames.
pub(super) async fn people(
    State(presence): State<Presence>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let deps = presence.engine.versions.dependencies();
    let pane = presence.pane(&deps, &viewer, space).await?;
    let here = format!("/spaces/{space}/people");
    let page = PeopleAt {
        space,
        here: &here,
        pane,
        wants,
    };
    page.answer(&presence, &layout, &deps, &viewer, query).await
}

/// The same for those who read a room.
pub(super) async fn room_people(
    State(presence): State<Presence>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let deps = presence.engine.versions.dependencies();
    let access = &presence.community.access;
    let found = access.permit_in_room(viewer.account, &READ, room).await?;
    let space = found.space.ok_or(Error::NotFound)?;
    let pane = presence.room_pane(&deps, &viewer, space, room).await?;
    let here = format!("/rooms/{room}");
    let page = PeopleAt {
        space,
        here: &here,
        pane,
        wants,
    };
    page.answer(&presence, &layout, &deps, &viewer, query).await
}

/// A page of people.
struct PeopleAt<'a> {
    space: SpaceId,
    here: &'a str,
    pane: Arc<Part>,
    wants: Wants,
}

impl PeopleAt<'_> {
    async fn answer(
        self,
        presence: &Presence,
        layout: &Layout,
        deps: &Dependencies,
        viewer: &Viewer,
        query: Option<String>,
    ) -> Result<Response> {
        let pane = self.pane;
        if query.as_deref() == Some("pane") {
            return Ok(PageAnswer::of_part(&pane)?.into_response());
        }
        let shell = layout.shell_from(deps, viewer, Some(self.space), self.here);
        let mut shell = shell.await?;
        shell.panes.clear();
        let title = viewer.lang.t("people-title");
        let head = presence.community.head(viewer, title);
        shell.parts.push(pane.clone());
        let page: Result<PageAnswer> = app_page!(
            self.wants,
            PeoplePage {
                head,
                shell,
                people_pane: pane
            }
        );
        Ok(page?.into_response())
    }
}
