//! A courier's round: what they carry, by place, and what waits in their branch.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::Letters;
use super::carried::Carried;
use super::carry::REASONS;
use super::courier_pages::rank_words;
use super::model::State as Where;
use super::standing::Standing;
use super::views::{reason_words, state_words};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::community::{Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/round",
        get(round),
    )
}

#[derive(Template)]
#[template(path = "letters/round.html", blocks = ["app"])]
struct RoundPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    standing: Standing,
    rank: &'static str,
    held: Vec<Carried>,
    offered: Vec<Carried>,
    waiting: Vec<Carried>,
}

impl RoundPage {
    /// What a courier may say of a letter, with words.
    fn deeds(&self) -> Vec<(&'static str, String)> {
        let lang = self.head.lang;
        let took = ("take", lang.t("letters-scan-took").to_owned());
        let delivered = ("deliver", lang.t("letters-deliver-it").to_owned());
        let reasons = REASONS.map(|reason| (reason, reason_words(reason, lang)));
        [took, delivered].into_iter().chain(reasons).collect()
    }

    fn state(&self, one: &Carried) -> &'static str {
        state_words(one.state, self.head.lang)
    }

    /// The code of the place that it goes to, with the last pair of a door in one's own branch.
    fn to(&self, one: &Carried) -> String {
        let post = self.standing.post.as_ref();
        let is_mine = post.is_some_and(|post| post.covers(&one.to_code));
        match is_mine || one.to_kind != "door" {
            true => one.to_code.clone(),
            false => format!("{}··", one.area()),
        }
    }

    /// Who lives there, and what the place is called, in one's own branch.
    fn details(&self, one: &Carried) -> String {
        let post = self.standing.post.as_ref();
        match post.is_some_and(|post| post.covers(&one.to_code)) {
            true => format!("{} · {}", one.recipient, one.to_name),
            false => String::new(),
        }
    }
}

async fn round(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
) -> Result<PageAnswer> {
    let standing = letters.standing(&viewer, space).await?;
    let me = Some(viewer.account);
    let mut all = Vec::new();
    if let Some(post) = standing.post.as_ref().filter(|_| standing.is_active()) {
        all.extend(letters.held_by(space, viewer.account).await?);
        all.extend(letters.waiting_in(space, &post.branch).await?);
    }
    let (mut held, mut offered, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    for one in all {
        let covers = |code: &str| {
            let post = standing.post.as_ref();
            !code.is_empty() && post.is_some_and(|post| post.covers(code))
        };
        if one.holder_id == me && !one.is_lost() {
            held.push(one);
        } else if one.offered_to == me {
            offered.push(one);
        } else if one.state == Where::Posted && (covers(&one.to_code) || covers(&one.from_code)) {
            waiting.push(one);
        }
    }
    // By place, and what is due first within one: as one walks.
    held.sort_by(|one, other| (&one.to_code, one.due_at).cmp(&(&other.to_code, other.due_at)));
    let here = format!("/spaces/{space}/letters/round");
    let rank = standing.post.as_ref().map_or(0, |post| post.rank);
    app_page!(
        wants,
        RoundPage {
            head: letters
                .community
                .head(&viewer, viewer.lang.t("letters-round")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            form,
            space,
            rank: rank_words(rank, viewer.lang),
            standing,
            held,
            offered,
            waiting,
        }
    )
}
