//! A courier's round: what they carry, by place, and what waits in their branch.

use std::collections::HashSet;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::bags::{self, Bag};
use super::carried::Carried;
use super::carry::REASONS;
use super::courier_pages::rank_words;
use super::couriers::Post;
use super::model::State as Where;
use super::standing::Standing;
use super::views::{reason_words, state_words};
use super::{LETTERBOX_FEED, Letters};
use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::base::locale::Lang;
use crate::community::{Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/round",
        get(round),
    )
}

#[derive(Template)]
#[template(path = "letters/round.html", blocks = ["app", "region"])]
struct RoundPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    standing: Standing,
    rank: &'static str,
    /// The feed with its cursor.
    feed: String,
    /// Letters to be picked up by the viewer.
    assigned: Vec<Carried>,
    held: Vec<Carried>,
    offered: Vec<Carried>,
    waiting: Vec<Carried>,
    bags: Vec<Bag>,
    /// When they carry: each day of the week, with whether it is one of theirs.
    days: [(i64, &'static str, bool); 7],
}

/// The days of the week in words, from Monday on.
fn day_words(lang: Lang) -> [&'static str; 7] {
    [
        lang.t("letters-day-0"),
        lang.t("letters-day-1"),
        lang.t("letters-day-2"),
        lang.t("letters-day-3"),
        lang.t("letters-day-4"),
        lang.t("letters-day-5"),
        lang.t("letters-day-6"),
    ]
}

impl RoundPage {
    /// What a courier may say of a letter, with words.
    fn deeds(&self) -> Vec<(&'static str, String)> {
        let lang = self.head.lang;
        let took = ("take", lang.t("letters-scan-took").to_owned());
        let delivered = ("deliver", lang.t("letters-deliver-it").to_owned());
        let reasons = REASONS.map(|reason| (reason, reason_words(reason, lang)));
        let opened = ("open", lang.t("letters-scan-opened").to_owned());
        let all = [took, delivered, opened].into_iter();
        all.chain(reasons).collect()
    }

    /// What one carries outside bags.
    fn loose(&self) -> Vec<&Carried> {
        self.held.iter().filter(|one| one.is_packable()).collect()
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

fn days_of(post: Option<&Post>, lang: Lang) -> [(i64, &'static str, bool); 7] {
    let words = day_words(lang);
    std::array::from_fn(|at| {
        let day = i64::try_from(at).unwrap_or_default();
        (day, words[at], post.is_some_and(|post| post.has_day(day)))
    })
}

#[derive(Deserialize)]
struct RoundQuery {
    /// Present when the lists alone are fetched again.
    list: Option<String>,
}

#[allow(clippy::too_many_arguments, reason = "axum extractors")]
async fn round(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
    Query(query): Query<RoundQuery>,
) -> Result<Response> {
    let standing = letters.standing(&viewer, space).await?;
    let me = Some(viewer.account);
    // Taken before the letters are read: later changes arrive as frames.
    let feed = LETTERBOX_FEED.position(viewer.account, &letters.engine.live);
    let feed = feed.await?;
    let (mut all, mut bags) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    if let Some(post) = standing.post.as_ref().filter(|_| standing.is_active()) {
        all.extend(letters.held_by(space, viewer.account).await?);
        all.extend(letters.assigned_to(space, viewer.account).await?);
        for branch in post.branches() {
            all.extend(letters.waiting_in(space, branch).await?);
        }
        bags = bags::of_courier(&letters.engine.db, space, viewer.account).await?;
    }
    let mut assigned = Vec::new();
    let (mut held, mut offered, mut waiting) = (Vec::new(), Vec::new(), Vec::new());
    all.retain(|one| seen.insert(one.id));
    for one in all {
        let covers = |code: &str| {
            let post = standing.post.as_ref();
            !code.is_empty() && post.is_some_and(|post| post.covers(code))
        };
        if one.bag_id.is_some() {
            continue;
        }
        if one.holder_id == me && !one.is_lost() {
            held.push(one);
        } else if one.offered_to == me {
            offered.push(one);
        } else if one.state == Where::Posted && one.assigned_to == me {
            assigned.push(one);
        } else if one.state == Where::Posted && (covers(&one.to_code) || covers(&one.from_code)) {
            waiting.push(one);
        }
    }
    // By place, and what is due first within one: as one walks.
    held.sort_by(|one, other| (&one.to_code, one.due_at).cmp(&(&other.to_code, other.due_at)));
    let here = format!("/spaces/{space}/letters/round");
    let rank = standing.post.as_ref().map_or(0, |post| post.rank);
    let page = RoundPage {
        head: letters
            .community
            .head(&viewer, viewer.lang.t("letters-round")),
        shell: layout.shell(&viewer, Some(space), &here).await?,
        form,
        space,
        rank: rank_words(rank, viewer.lang),
        days: days_of(standing.post.as_ref(), viewer.lang),
        feed,
        assigned,
        bags,
        standing,
        held,
        offered,
        waiting,
    };
    if query.list.is_some() {
        return Ok(Html::of(&page.as_region())?.into_response());
    }
    let answer: Result<PageAnswer> = app_page!(wants, page);
    Ok(answer?.into_response())
}
