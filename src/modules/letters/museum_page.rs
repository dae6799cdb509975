//! `/spaces/{space}/letters/museum`: the letters that hang, and for curators those that wait.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::museum::{self, Exhibit, MAX_EXHIBITS_SHOWN};
use super::text::paragraphs;
use super::{CURATE, Letters};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::community::permissions::is_granted;
use crate::community::{Layout, Scope, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/museum",
        get(show),
    )
}

#[derive(Deserialize)]
struct MuseumQuery {
    /// Microseconds: letters that were hung before.
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "letters/museum.html", blocks = ["app"])]
struct MuseumPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    curates: bool,
    waiting: Vec<Exhibit>,
    hung: Vec<Exhibit>,
    next: Option<i64>,
}

impl MuseumPage {
    fn paragraphs(&self, exhibit: &Exhibit) -> Vec<String> {
        paragraphs(&exhibit.body)
    }
}

async fn show(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
    Query(query): Query<MuseumQuery>,
) -> Result<PageAnswer> {
    letters.settings_for(&viewer, space).await?;
    let (db, access) = (&letters.engine.db, &letters.community.access);
    let scope = Scope::Space(space);
    let curates = is_granted(access.permit(viewer.account, &CURATE, scope).await)?;
    let hung = museum::hung(db, space, query.before.unwrap_or(i64::MAX)).await?;
    let is_full = i64::try_from(hung.len()).unwrap_or(0) == MAX_EXHIBITS_SHOWN;
    let last = hung.last().and_then(|last| last.hung_at);
    let here = format!("/spaces/{space}/letters/museum");
    app_page!(
        wants,
        MuseumPage {
            head: letters
                .community
                .head(&viewer, viewer.lang.t("letters-museum")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            form,
            space,
            curates,
            waiting: match curates {
                true => museum::waiting(db, space).await?,
                false => Vec::new(),
            },
            next: last.filter(|_| is_full).map(|at| at.0),
            hung,
        }
    )
}
