//! The page and its entry in the sidebar.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tidepool::base::error::Result;
use tidepool::base::ids::{self, SpaceId};
use tidepool::community::{Layout, Scope, permissions};
use tidepool::engine::forms::Form;
use tidepool::engine::module::{NavEntry, NavSection};
use tidepool::engine::versions::Dependencies;
use tidepool::engine::viewer::Viewer;
use tidepool::engine::web::{Html, PageAnswer};

use crate::model::ListId;
use crate::views::{ListPage, row};
use crate::{FEED, Todo, store};

/// The path of a space's list.
pub fn address(space: SpaceId) -> String {
    format!("/spaces/{space}/todo")
}

#[derive(Deserialize)]
pub struct ListQuery {
    /// Present when a client refetches the list alone.
    list: Option<String>,
}

/// A space's list.
pub async fn list(
    State(todo): State<Todo>,
    layout: Layout,
    viewer: Viewer,
    form: Form,
    Path(space): Path<SpaceId>,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let (community, engine) = (&todo.community, todo.community.engine());
    // Dependencies are added before anything is read.
    let deps = community.dependencies(viewer.account);
    deps.add(ListId(space.0));
    community
        .access
        .permit(viewer.account, &permissions::READ, Scope::Space(space))
        .await?;
    // Taken before the items are read: later changes arrive as frames.
    let feed = FEED.position(space, &engine.live).await?;
    let items = store::list(&engine.db, space).await?;
    let here = address(space);
    let shell = layout.shell_from(&deps, &viewer, Some(space), &here);
    let page = ListPage {
        head: community.head(&viewer, viewer.lang.t("todo-title")),
        shell: shell.await?,
        space,
        feed,
        key: ids::next(),
        rows: items.iter().map(|item| row(item, viewer.lang)).collect(),
        form,
    };
    if query.list.is_some() {
        return Ok(Html::of(&page.as_region())?.into_response());
    }
    let answer = PageAnswer::of(&page, &page.shell.parts)?;
    // A page with a refused form is not cached: it is for the sender alone.
    Ok(if page.form.is_blank() {
        answer.depends_on(&deps, viewer.account).into_response()
    } else {
        answer.into_response()
    })
}

/// The link to the list in the sidebar of its space.
pub async fn nav(
    _: Todo,
    viewer: Viewer,
    space: Option<SpaceId>,
    _: Dependencies,
) -> Result<Vec<NavSection>> {
    let entry = |space| NavEntry {
        href: address(space),
        icon: "check",
        label: viewer.lang.t("todo-title").to_owned(),
        unread: false,
        mentions: 0,
        counts: "count-mentions",
        is_muted: false,
        key: format!("todo-{space}"),
    };
    let section = |space| NavSection {
        heading: "todo-heading",
        named: None,
        add: None,
        entries: vec![entry(space)],
    };
    Ok(space.map(section).into_iter().collect())
}
