//! The page of one's spaces: their order in the rail, and those that were deleted and can be brought
//! back.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::routing::get;

use super::Community;
use super::shell::{Layout, Shell};
use super::space_deletion::DeletedSpace;
use super::spaces::Space;
use crate::base::error::Result;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    module.page(Audience::SignedIn, "/spaces", get(spaces))
}

#[derive(Template)]
#[template(path = "community/spaces.html", blocks = ["app"])]
struct SpacesPage {
    head: Head,
    shell: Shell,
    form: Form,
    own: Arc<Vec<Space>>,
    deleted: Vec<DeletedSpace>,
}

/// `GET /spaces`.
async fn spaces(
    State(community): State<Community>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
) -> Result<PageAnswer> {
    let shell = layout.shell(&viewer, None, "/spaces").await?;
    let deps = community.dependencies(viewer.account);
    let own = community.spaces.of(&deps, viewer.account).await?;
    let deleted = community.spaces.restorable(viewer.account).await?;
    app_page!(
        wants,
        SpacesPage {
            head: community.head(&viewer, viewer.lang.t("spaces-title")),
            shell,
            form,
            own,
            deleted,
        }
    )
}
