//! The organisers' board: what is late, stuck and missing, by area, and the sheets of stickers.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::Letters;
use super::carried::Carried;
use super::model::State as Where;
use super::standing::Standing;
use super::stickers::{self, Sheet};
use super::views::state_words;
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::community::{Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/board",
        get(board),
    )
}

/// What is on its way to an area.
#[derive(Default)]
struct AreaCounts {
    waiting: usize,
    carried: usize,
    late: usize,
    stuck: usize,
    lost: usize,
}

#[derive(Template)]
#[template(path = "letters/board.html", blocks = ["app"])]
struct BoardPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    standing: Standing,
    areas: BTreeMap<String, AreaCounts>,
    /// What somebody has to decide about.
    trouble: Vec<Carried>,
    sheets: Vec<Sheet>,
    may_print: bool,
}

impl BoardPage {
    fn state(&self, one: &Carried) -> &'static str {
        state_words(one.state, self.head.lang)
    }
}

async fn board(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
) -> Result<PageAnswer> {
    let standing = letters.standing(&viewer, space).await?;
    if !standing.runs_something() {
        return Err(Error::Forbidden("error-letters-branch"));
    }
    let mut all = letters.carried(space).await?;
    if let Some(post) = standing.post.as_ref().filter(|_| !standing.is_organiser) {
        all.retain(|one| post.covers(&one.to_code));
    }
    let mut areas: BTreeMap<String, AreaCounts> = BTreeMap::new();
    for one in &all {
        let counts = areas.entry(one.area()).or_default();
        match one.state {
            Where::Posted => counts.waiting += 1,
            Where::InTransit => counts.carried += 1,
            Where::Undeliverable => counts.stuck += 1,
            _ => counts.lost += 1,
        }
        counts.late += usize::from(one.is_late());
    }
    all.retain(|one| one.is_late() || matches!(one.state, Where::Undeliverable | Where::Lost));
    let may_print = letters.may_print(viewer.account, space).await?;
    let here = format!("/spaces/{space}/letters/board");
    app_page!(
        wants,
        BoardPage {
            head: letters
                .community
                .head(&viewer, viewer.lang.t("letters-board")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            form,
            space,
            standing,
            areas,
            trouble: all,
            sheets: match may_print {
                true => stickers::sheets(&letters.engine.db, space).await?,
                false => Vec::new(),
            },
            may_print,
        }
    )
}
