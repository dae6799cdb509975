//! What people see.

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

use crate::views::{ListPage, row};
use crate::{FEED, Todo, store};

/// Where a space's list is.
pub fn address(space: SpaceId) -> String {
    format!("/spaces/{space}/todo")
}

#[derive(Deserialize)]
pub struct ListQuery {
    /// Asks for the list alone, to show it anew.
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
    // Name what the page depends on before reading it.
    let deps = community.dependencies(viewer.account);
    deps.add(space);
    community
        .access
        .permit(viewer.account, &permissions::READ, Scope::Space(space))
        .await?;
    // The cursor before the items: a change after it arrives as a frame.
    let feed = FEED.position(space, &engine.live);
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
    // A refused form is shown once, to who sent it.
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
        key: format!("todo-{space}"),
    };
    let section = |space| NavSection {
        heading: "todo-heading",
        add: None,
        entries: vec![entry(space)],
    };
    Ok(space.map(section).into_iter().collect())
}
