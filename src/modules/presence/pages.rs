//! The people of a space: the pane beside its pages, and a page of their own for small screens.

use askama::Template;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::people::State as Here;
use super::views::{PaneView, PeoplePage, PersonFrame};
use super::{Presence, presence_feed};
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::engine::module::{Access, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, Wants, app_page};

/// Away people that a list shows; those who are here all are.
const MOST_AWAY: usize = 100;

pub(super) fn declare(presence: &Presence, module: Module) -> Module {
    module.page(Access::SignedIn, "/spaces/{space}/people", get(people).with_state(presence.clone()))
}

impl Presence {
    /// The pane for someone who belongs to the space.
    pub(super) async fn pane(&self, viewer: &Viewer, space: SpaceId) -> Result<String> {
        self.community.role(viewer.account, space).await?.ok_or(Error::NotFound)?;
        let name = presence_feed(space);
        let feed = format!("{name}@{}", self.engine.live.cursor(&name));
        let mut away = 0;
        let people = self
            .community
            .people_of(space)
            .await?
            .into_iter()
            .map(|person| PersonFrame { account: person.id, space, state: self.people.state(person.id), name: person.name })
            .filter(|person| {
                away += usize::from(person.state == Here::Away);
                person.state != Here::Away || away <= MOST_AWAY
            })
            .map(|person| person.view(viewer.lang))
            .collect();
        let pane = PaneView { space, people, feed, lang: viewer.lang };
        pane.render().map_err(|error| Error::Internal(anyhow::Error::new(error)))
    }
}

/// With `?pane` the pane alone, to be read again after an absence.
async fn people(
    State(presence): State<Presence>,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let pane = presence.pane(&viewer, space).await?;
    if query.as_deref() == Some("pane") {
        return Ok(Html(pane).into_response());
    }
    let mut shell = presence.community.shell(&viewer, Some(space), &format!("/spaces/{space}/people")).await?;
    shell.panes.clear();
    let head = presence.community.head(&viewer, viewer.lang.t("people-title"));
    let page: Result<Html> = app_page!(wants, PeoplePage { head, shell, people_pane: pane });
    Ok(page?.into_response())
}
