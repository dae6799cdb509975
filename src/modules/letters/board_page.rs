//! The organisers' board: what is late, stuck and missing, by area, and the sheets of stickers.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::Letters;
use super::carried::{AreaCounts, Carried};
use super::courier_pages::rank_words;
use super::couriers::may_oversee;
use super::promotion::{self, Proposal};
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
    /// Those proposed for the next rank about whom the viewer decides.
    proposals: Vec<Proposal>,
}

impl BoardPage {
    fn state(&self, one: &Carried) -> &'static str {
        state_words(one.state, self.head.lang)
    }

    /// Whether the viewer decides about a letter: organisers do, and the rank that was asked.
    fn decides(&self, one: &Carried) -> bool {
        let rank = self.standing.rank();
        self.standing.is_organiser || (one.escalated > 0 && rank >= one.escalated)
    }

    /// The rank that somebody is proposed for, with its branch.
    fn next(&self, of: &Proposal) -> (&'static str, String) {
        let (rank, branch) = of.next();
        (rank_words(rank, self.head.lang), branch)
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
    let own = standing.post.as_ref().filter(|_| !standing.is_organiser);
    let branch = own.map(|post| post.branch.clone()).unwrap_or_default();
    let areas = letters.area_counts(space, &branch).await?;
    let trouble = letters.in_trouble(space, &branch).await?;
    let mut proposals = promotion::list(&letters.engine.db, space).await?;
    proposals.retain(|one| {
        let (rank, branch) = one.next();
        let post = standing.post.as_ref();
        may_oversee(standing.is_organiser, post, (rank, &branch))
    });
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
            trouble,
            proposals,
            sheets: match may_print {
                true => stickers::sheets(&letters.engine.db, space).await?,
                false => Vec::new(),
            },
            may_print,
        }
    )
}
