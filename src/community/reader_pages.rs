//! The page of who reads a room, where one also leaves a private room.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::Community;
use super::readers::ReaderPage;
use super::shell::{Layout, Shell};
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// Bytes of a query; the rest is ignored.
const MAX_QUERY_BYTES: usize = 256;

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module.page(Audience::SignedIn, "/rooms/{room}/readers", get(readers))
}

#[derive(Template)]
#[template(path = "community/readers.html", blocks = ["app"])]
struct ReadersPage {
    head: Head,
    shell: Shell,
    form: Form,
    query: String,
    title: String,
    page: ReaderPage,
}

impl ReadersPage {
    /// The query of the next page.
    fn next_page(&self) -> Option<String> {
        let next = self.page.next.as_deref()?;
        serde_html_form::to_string([("after", next)]).ok()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReadersQuery {
    q: String,
    after: String,
}

/// `GET /rooms/{room}/readers?q=…&after=…`.
async fn readers(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    Query(query): Query<ReadersQuery>,
    form: Form,
) -> Result<PageAnswer> {
    let text = &query.q[..query.q.floor_char_boundary(MAX_QUERY_BYTES)];
    let by = viewer.account;
    let page = community.reader_page(by, room, &query.after, text).await?;
    let title = community.rooms.title(by, &page.room).await?;
    let here = format!("/rooms/{room}");
    let shell = layout.shell(&viewer, page.room.space, &here).await?;
    app_page!(
        wants,
        ReadersPage {
            head: community.head(&viewer, viewer.lang.t("readers-title")),
            shell,
            form,
            query: text.to_owned(),
            title,
            page,
        }
    )
}
