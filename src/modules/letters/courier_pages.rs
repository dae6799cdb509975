//! The couriers of a space: who applied, who has which post, and appointing them.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use serde::Deserialize;

use super::Letters;
use super::couriers::{self, Post};
use super::places::area_of;
use super::standing::Standing;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::locale::Lang;
use crate::community::{Layout, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/couriers",
        get(couriers_page),
    )
}

#[derive(Template)]
#[template(path = "letters/couriers.html", blocks = ["app"])]
struct CouriersPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    standing: Standing,
    couriers: Vec<Post>,
    /// The last of these, if there may be more.
    next: Option<AccountId>,
    /// Whom the viewer may appoint, by account and name.
    people: Vec<(AccountId, String)>,
    /// The courier for whom somebody to stand in is chosen.
    chosen: Option<AccountId>,
}

impl CouriersPage {
    /// Whether the viewer decides about this one.
    fn oversees(&self, post: &Post) -> bool {
        let own = self.standing.post.as_ref();
        couriers::may_oversee(self.standing.is_organiser, own, (post.rank, &post.branch))
    }

    /// Those of this page who may stand in for a courier.
    fn substitutes(&self, of: &Post) -> Vec<&Post> {
        let others = self.couriers.iter();
        others
            .filter(|one| one.is_active() && one.account_id != of.account_id)
            .collect()
    }

    fn is_chosen(&self, post: &Post) -> bool {
        self.chosen == Some(post.account_id)
    }

    fn rank(&self, post: &Post) -> &'static str {
        rank_words(post.rank, self.head.lang)
    }

    /// The ranks that the viewer gives.
    fn ranks(&self) -> Vec<(i64, &'static str)> {
        let own = self.standing.rank();
        let may = |rank: &i64| self.standing.is_organiser || own == rank + 1;
        let ranks = (1..=4).filter(may);
        let lang = self.head.lang;
        ranks.map(|rank| (rank, rank_words(rank, lang))).collect()
    }

    fn area(&self, post: &Post) -> String {
        area_of(&post.branch)
    }
}

pub(super) fn rank_words(rank: i64, lang: Lang) -> &'static str {
    match rank {
        2 => lang.t("letters-rank-sorter"),
        3 => lang.t("letters-rank-postmaster"),
        4 => lang.t("letters-rank-director"),
        _ => lang.t("letters-rank-carrier"),
    }
}

#[derive(Deserialize)]
struct PeopleQuery {
    #[serde(default)]
    q: String,
    /// The last courier of the page before.
    after: Option<AccountId>,
    /// For whom somebody to stand in is chosen.
    stand_in: Option<AccountId>,
}

async fn couriers_page(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
    Query(query): Query<PeopleQuery>,
) -> Result<PageAnswer> {
    let standing = letters.standing(&viewer, space).await?;
    if !standing.runs_something() {
        return Err(Error::Forbidden("error-letters-branch"));
    }
    let found = match query.q.trim().is_empty() {
        true => Vec::new(),
        false => letters.community.members_named(space, &query.q).await?,
    };
    let mut people = Vec::new();
    for account in found {
        let account = letters.community.accounts.get(account).await?;
        people.push((account.id, account.name.clone()));
    }
    let all = couriers::list(&letters.engine.db, space, query.after).await?;
    let is_full = i64::try_from(all.len()).unwrap_or(0) == couriers::MAX_COURIERS_LISTED;
    let last = all.last().map(|last| last.account_id);
    let here = format!("/spaces/{space}/letters/couriers");
    app_page!(
        wants,
        CouriersPage {
            head: letters
                .community
                .head(&viewer, viewer.lang.t("letters-couriers")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            form,
            space,
            next: last.filter(|_| is_full),
            couriers: all,
            people,
            chosen: query.stand_in,
            standing,
        }
    )
}
