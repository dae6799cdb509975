//! `/spaces/{space}/letters/hidden`: the letters that moderators took down, to bring them back.
//! Without their text: moderators read what is reported.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::letter::{Letter, letter_columns};
use super::store::MAX_LETTERS_ON_PAGE;
use super::{Letters, MODERATE};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::community::{Layout, Scope, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/hidden",
        get(show),
    )
}

#[derive(Deserialize)]
struct HiddenQuery {
    /// Letters with smaller ids.
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "letters/hidden.html", blocks = ["app"])]
struct HiddenPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    hidden: Vec<Letter>,
    next: Option<i64>,
}

impl HiddenPage {
    fn who(&self, letter: &Letter) -> String {
        let name = letter.author_name(self.head.lang);
        let name = [("name", name.as_str().into())];
        self.head.lang.with("letters-hidden-by", &name)
    }
}

async fn show(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
    Query(query): Query<HiddenQuery>,
) -> Result<PageAnswer> {
    const READ: &str = concat!(
        "SELECT ",
        letter_columns!(),
        "WHERE l.space_id = $1 AND l.hidden_at IS NOT NULL AND l.id < $2 \
         ORDER BY l.id DESC LIMIT $3"
    );
    let (community, scope) = (&letters.community, Scope::Space(space));
    let access = &community.access;
    access.permit(viewer.account, &MODERATE, scope).await?;
    letters.settings_for(&viewer, space).await?;
    let row = (
        space,
        query.before.unwrap_or(i64::MAX),
        MAX_LETTERS_ON_PAGE + 1,
    );
    let mut hidden: Vec<Letter> = letters.engine.db.all(READ, row).await?;
    let most = usize::try_from(MAX_LETTERS_ON_PAGE).unwrap_or_default();
    let has_more = hidden.len() > most;
    hidden.truncate(most);
    let last = hidden.last().map(|last| last.id.0);
    let here = format!("/spaces/{space}/letters/hidden");
    app_page!(
        wants,
        HiddenPage {
            head: community.head(&viewer, viewer.lang.t("letters-hidden-list")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            form,
            space,
            next: last.filter(|_| has_more),
            hidden,
        }
    )
}
