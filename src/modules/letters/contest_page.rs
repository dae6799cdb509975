//! `/spaces/{space}/letters/contests`: contests for envelopes, with designs and votes.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::contests::{self, Contest, ContestId, Design, DesignId};
use super::envelopes::EnvelopeView;
use super::{CONTEST_FEED, Letters, MODERATE, ORGANISE, WRITE};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::community::permissions::is_granted;
use crate::community::{Layout, Scope, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/contests",
        get(show),
    )
}

/// A design with its picture.
struct DesignView {
    design: Design,
    /// Nothing while it is prepared, and when it cannot be shown.
    picture: Option<EnvelopeView>,
    is_mine: bool,
}

/// A contest with its designs.
struct ContestView {
    contest: Contest,
    designs: Vec<DesignView>,
    /// For which design the viewer voted.
    vote: Option<DesignId>,
}

impl ContestView {
    fn has_mine(&self) -> bool {
        self.designs.iter().any(|one| one.is_mine)
    }

    fn may_vote(&self, one: &DesignView) -> bool {
        self.contest.is_open() && self.vote.is_none() && !one.is_mine
    }

    fn is_voted(&self, one: &DesignView) -> bool {
        self.vote == Some(one.design.id)
    }
}

#[derive(Template)]
#[template(path = "letters/contests.html", blocks = ["app", "region"])]
struct ContestsPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    /// The feed with its cursor.
    feed: String,
    contests: Vec<ContestView>,
    organises: bool,
    moderates: bool,
    writes: bool,
}

impl ContestsPage {
    /// The contests in which the viewer may propose a design.
    fn to_propose(&self) -> Vec<&ContestView> {
        let all = self.contests.iter();
        all.filter(|one| self.writes && one.contest.is_open() && !one.has_mine())
            .collect()
    }

    /// What was refused of the form of a contest.
    fn refused<'a>(&self, form: &'a Form, of: &ContestId) -> Option<&'a Form> {
        (form.value("contest") == of.to_string()).then_some(form)
    }
}

#[derive(Deserialize)]
struct ContestsQuery {
    /// Present when the contests alone are fetched again.
    list: Option<String>,
}

impl Letters {
    async fn contest_view(&self, contest: Contest, viewer: AccountId) -> Result<ContestView> {
        let db = &self.engine.db;
        let mut designs = Vec::new();
        for design in contests::designs(db, contest.id).await? {
            // Of a contest that is over the winner alone.
            if !contest.is_open() && design.won_at.is_none() {
                continue;
            }
            designs.push(DesignView {
                picture: self.envelope_picture(design.file_id, &design.title).await?,
                is_mine: design.author_id == Some(viewer),
                design,
            });
        }
        Ok(ContestView {
            vote: contests::vote_of(db, contest.id, viewer).await?,
            contest,
            designs,
        })
    }
}

async fn show(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
    Query(query): Query<ContestsQuery>,
) -> Result<Response> {
    letters.settings_for(&viewer, space).await?;
    // Taken before the contests are read: later changes arrive as frames.
    let feed = CONTEST_FEED.position(space, &letters.engine.live).await?;
    let (me, scope) = (viewer.account, Scope::Space(space));
    let access = &letters.community.access;
    let mut views = Vec::new();
    for contest in contests::list(&letters.engine.db, space).await? {
        views.push(letters.contest_view(contest, me).await?);
    }
    let here = format!("/spaces/{space}/letters/contests");
    let page = ContestsPage {
        head: letters
            .community
            .head(&viewer, viewer.lang.t("letters-contests")),
        shell: layout.shell(&viewer, Some(space), &here).await?,
        form,
        space,
        feed,
        contests: views,
        organises: is_granted(access.permit(me, &ORGANISE, scope).await)?,
        moderates: is_granted(access.permit(me, &MODERATE, scope).await)?,
        writes: is_granted(access.permit(me, &WRITE, scope).await)?,
    };
    if query.list.is_some() {
        return Ok(Html::of(&page.as_region())?.into_response());
    }
    let answer: Result<PageAnswer> = app_page!(wants, page);
    Ok(answer?.into_response())
}
