//! The host's pages.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Admin;
use super::views::{DeadLettersPage, JobsPage};
use crate::base::error::Result;
use crate::community::Layout;
use crate::engine::jobs::FEED;
use crate::engine::viewer::Viewer;
use crate::engine::web::{Html, PageAnswer, Wants, app_page};

pub(super) async fn dead_letters(
    State(admin): State<Admin>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
) -> Result<PageAnswer> {
    let letters = admin
        .engine_for(&viewer)
        .await?
        .dead_letters
        .newest()
        .await?;
    let shell = layout.shell(&viewer, None, "/dead-letters").await?;
    let title = viewer.lang.t("dead-letters-title");
    let head = admin.community.head(&viewer, title);
    app_page!(
        wants,
        DeadLettersPage {
            head,
            shell,
            letters
        }
    )
}

#[derive(Deserialize)]
pub(super) struct JobsQuery {
    /// Present when a client refetches the lists alone.
    lists: Option<String>,
}

pub(super) async fn jobs(
    State(admin): State<Admin>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Query(query): Query<JobsQuery>,
) -> Result<Response> {
    let engine = admin.engine_for(&viewer).await?;
    // Taken before reading the jobs: later changes arrive as frames.
    let feed = FEED.position((), &engine.live).await?;
    let overview = engine.jobs.overview().await?;
    let shell = layout.shell(&viewer, None, "/jobs").await?;
    let head = admin.community.head(&viewer, viewer.lang.t("jobs-title"));
    let page = JobsPage {
        head,
        shell,
        feed,
        overview,
    };
    if query.lists.is_some() {
        return Ok(Html::of(&page.as_region())?.into_response());
    }
    let page: Result<PageAnswer> = app_page!(wants, page);
    Ok(page?.into_response())
}
