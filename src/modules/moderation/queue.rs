//! The queue: open cases of a space or of the host, newest first, and the appeals of a space.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::appeals::Appeal;
use super::case_store::{self, Case, CaseId};
use super::queue_marks::{QUEUE_FEED, SERVER_QUEUE_FEED};
use super::{Moderation, REVIEW, REVIEW_SERVER};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::community::permissions::{READ, is_granted};
use crate::community::space_tabs::Tab;
use crate::community::{Layout, Scope, Shell};
use crate::engine::module::{Audience, Module, SpaceTab};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

/// Cases on one page of the queue.
const MAX_ON_PAGE: usize = 50;
/// Cases that one page reads, of which the reviewer may see only some.
const MAX_SEARCHED: usize = 500;

pub(super) fn declare(module: Module<Moderation>) -> Module<Moderation> {
    module
        .space_tab(SpaceTab {
            path: "/spaces/{space}/queue",
            label: "queue-title",
            permission: Some(&REVIEW),
        })
        .page(Audience::SignedIn, "/spaces/{space}/queue", get(of_space))
        .page(Audience::SignedIn, "/queue", get(of_server))
}

#[derive(Template)]
#[template(path = "moderation/queue.html", blocks = ["app", "region"])]
struct QueuePage {
    head: Head,
    shell: Shell,
    tabs: Vec<Tab>,
    /// The page's path.
    here: String,
    feed: String,
    resolved: bool,
    appeals: Vec<Appeal>,
    cases: Vec<Case>,
    /// What the next page ends before.
    next: Option<CaseId>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct QueueQuery {
    /// `resolved`: what is done instead of what is open.
    show: String,
    before: Option<CaseId>,
    /// Present when a page refetches the lists alone.
    lists: Option<String>,
}

/// `GET /spaces/{space}/queue?show=…&before=…`.
async fn of_space(
    State(moderation): State<Moderation>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(space): Path<SpaceId>,
    Query(query): Query<QueueQuery>,
) -> Result<Response> {
    let live = &moderation.engine.live;
    moderation
        .check_reviewer(viewer.account, Some(space))
        .await?;
    let feed = QUEUE_FEED.position(space, live).await?;
    queue(moderation, layout, viewer, wants, Some(space), query, feed).await
}

/// `GET /queue?show=…&before=…`: of the host.
async fn of_server(
    State(moderation): State<Moderation>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<QueueQuery>,
) -> Result<Response> {
    let live = &moderation.engine.live;
    moderation.check_reviewer(viewer.account, None).await?;
    let feed = SERVER_QUEUE_FEED.position((), live).await?;
    queue(moderation, layout, viewer, wants, None, query, feed).await
}

async fn queue(
    moderation: Moderation,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    space: Option<SpaceId>,
    query: QueueQuery,
    feed: String,
) -> Result<Response> {
    let resolved = query.show == "resolved";
    let before = query.before.unwrap_or(CaseId(i64::MAX));
    let (cases, next) = moderation
        .cases(viewer.account, space, resolved, before)
        .await?;
    let appeals = match (space, query.before) {
        (Some(space), None) => moderation.appeals(space, resolved).await?,
        _ => Vec::new(),
    };
    let here = match space {
        Some(space) => format!("/spaces/{space}/queue"),
        None => "/queue".to_owned(),
    };
    let community = &moderation.community;
    let shell = layout.shell(&viewer, space, &here).await?;
    let title = match space {
        Some(_) => "queue-title",
        None => "server-queue-title",
    };
    let page = QueuePage {
        head: community.head(&viewer, viewer.lang.t(title)),
        shell,
        tabs: moderation.tabs(viewer.account, space, &here).await?,
        here,
        feed,
        resolved,
        appeals,
        cases,
        next,
    };
    if query.lists.is_some() {
        return Ok(Html::of(&page.as_region())?.into_response());
    }
    let page: Result<PageAnswer> = app_page!(wants, page);
    Ok(page?.into_response())
}

impl Moderation {
    /// Checks that somebody reviews a queue.
    ///
    /// # Errors
    /// `NotFound` for who is no member of the space, `Forbidden` for others.
    pub(super) async fn check_reviewer(
        &self,
        account: AccountId,
        space: Option<SpaceId>,
    ) -> Result<()> {
        let access = &self.community.access;
        match space {
            Some(space) => access.permit(account, &REVIEW, Scope::Space(space)).await,
            None => access.permit(account, &REVIEW_SERVER, Scope::Server).await,
        }
    }

    /// The pages of the space's settings; none for the host's queue.
    pub(super) async fn tabs(
        &self,
        account: AccountId,
        space: Option<SpaceId>,
        here: &str,
    ) -> Result<Vec<Tab>> {
        let Some(space) = space else {
            return Ok(Vec::new());
        };
        let scope = Scope::Space(space);
        let held = self.community.access.held(account, scope).await?;
        self.community.space_tabs(held, space, here)
    }

    /// Whether a reviewer of the queue may see this case: of a room of a space only who reads it.
    pub(super) async fn may_see(&self, account: AccountId, case: &Case) -> Result<bool> {
        match (case.space_id, case.room_id) {
            (Some(_), Some(room)) => {
                let access = &self.community.access;
                is_granted(access.permit(account, &READ, Scope::Room(room)).await)
            }
            _ => Ok(true),
        }
    }

    /// A page of the cases that a reviewer may see, newest first, and what the next one ends
    /// before. At most 500 are looked at: a page may have few, and another after it.
    async fn cases(
        &self,
        account: AccountId,
        space: Option<SpaceId>,
        resolved: bool,
        mut before: CaseId,
    ) -> Result<(Vec<Case>, Option<CaseId>)> {
        let (db, mut found) = (&self.engine.db, Vec::new());
        for _ in 0..MAX_SEARCHED / MAX_ON_PAGE {
            let limit = MAX_ON_PAGE as i64;
            let page = case_store::page(db, space, resolved, before, limit).await?;
            let is_last = page.len() < MAX_ON_PAGE;
            for case in page {
                before = case.id;
                if self.may_see(account, &case).await? {
                    found.push(case);
                }
                if found.len() == MAX_ON_PAGE {
                    return Ok((found, Some(before)));
                }
            }
            if is_last {
                return Ok((found, None));
            }
        }
        Ok((found, Some(before)))
    }

    /// How much waits in a queue for a reviewer.
    pub(super) async fn open_count(
        &self,
        account: AccountId,
        space: Option<SpaceId>,
    ) -> Result<i64> {
        let (db, access) = (&self.engine.db, &self.community.access);
        let mut count = match space {
            Some(space) => self.open_appeals(space).await?,
            None => 0,
        };
        for (room, cases) in case_store::open_by_room(db, space).await? {
            let sees = match (space, room) {
                (Some(_), Some(room)) => {
                    is_granted(access.permit(account, &READ, Scope::Room(room)).await)?
                }
                _ => true,
            };
            count += if sees { cases } else { 0 };
        }
        Ok(count)
    }
}
