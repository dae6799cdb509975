//! `/spaces/{space}/letters/points`: what one has, what it buys, the board, and the table of the
//! space.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::contests;
use super::envelopes::{ENVELOPE_PRICE, EnvelopeView, design_of, item_of};
use super::points::{self, Line, MAX_DEED_POINTS, Rules};
use super::text::{BOUGHT_PAPERS, PAPER_PRICE, STAMP_PRICE, STAMPS};
use super::views::{paper_words, stamp_words};
use super::{Letters, ORGANISE, WRITE};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::SpaceId;
use crate::community::permissions::is_granted;
use crate::community::{Layout, Scope, Shell};
use crate::engine::actions::Outcome;
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(
        Audience::SignedIn,
        "/spaces/{space}/letters/points",
        get(show),
    )
}

/// Something that points buy.
struct ItemView {
    name: String,
    words: String,
    is_stamp: bool,
    price: i64,
    is_mine: bool,
}

#[derive(Template)]
#[template(path = "letters/points.html", blocks = ["app"])]
struct PointsPage {
    head: Head,
    shell: Shell,
    form: Form,
    space: SpaceId,
    rules: Rules,
    points: i64,
    items: Vec<ItemView>,
    /// Envelopes that won a contest, with their pictures.
    envelopes: Vec<(ItemView, Option<EnvelopeView>)>,
    ledger: Vec<Line>,
    board: Vec<(String, i64)>,
    organises: bool,
}

impl PointsPage {
    fn deed(&self, line: &Line) -> &'static str {
        let lang = self.head.lang;
        match line.deed.as_str() {
            "written" => lang.t("letters-deed-written"),
            "delivered" => lang.t("letters-deed-delivered"),
            "carried" => lang.t("letters-deed-carried"),
            "hung" => lang.t("letters-deed-hung"),
            _ => lang.t("letters-deed-bought"),
        }
    }

    /// The fields of the table, with their words.
    fn fields(&self) -> [(&'static str, &'static str, String); 5] {
        let (lang, rules) = (self.head.lang, &self.rules);
        [
            (
                "written",
                lang.t("letters-deed-written"),
                rules.written.to_string(),
            ),
            (
                "delivered",
                lang.t("letters-deed-delivered"),
                rules.delivered.to_string(),
            ),
            (
                "carried",
                lang.t("letters-deed-carried"),
                rules.carried.to_string(),
            ),
            ("hung", lang.t("letters-deed-hung"), rules.hung.to_string()),
            (
                "daily",
                lang.t("letters-points-daily"),
                rules.daily.to_string(),
            ),
        ]
    }
}

/// What points buy: the name of each paper and stamp, and its price.
fn price_of(item: &str) -> Option<(&'static str, i64)> {
    let papers = BOUGHT_PAPERS.iter().map(|name| (*name, PAPER_PRICE));
    let stamps = STAMPS.iter().map(|name| (*name, STAMP_PRICE));
    papers.chain(stamps).find(|(name, _)| *name == item)
}

async fn show(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path(space): Path<SpaceId>,
) -> Result<PageAnswer> {
    letters.settings_for(&viewer, space).await?;
    let (db, lang, me) = (&letters.engine.db, viewer.lang, viewer.account);
    let access = &letters.community.access;
    let organises = is_granted(access.permit(me, &ORGANISE, Scope::Space(space)).await)?;
    let rules = points::rules(db, space).await?;
    if !rules.is_on() && !organises {
        return Err(Error::NotFound);
    }
    let mine = points::bought(db, space, me).await?;
    let is_mine = |name: &str| mine.iter().any(|one| one == name);
    let papers = BOUGHT_PAPERS.iter().map(|name| ItemView {
        name: (*name).to_owned(),
        words: paper_words(name, lang).to_owned(),
        is_stamp: false,
        price: PAPER_PRICE,
        is_mine: is_mine(name),
    });
    let stamps = STAMPS.iter().map(|name| ItemView {
        name: (*name).to_owned(),
        words: stamp_words(name, lang).to_owned(),
        is_stamp: true,
        price: STAMP_PRICE,
        is_mine: is_mine(name),
    });
    let mut envelopes = Vec::new();
    for design in contests::winners(db, space).await? {
        let name = item_of(design.id);
        let item = ItemView {
            is_mine: is_mine(&name),
            name,
            words: design.title.clone(),
            is_stamp: false,
            price: ENVELOPE_PRICE,
        };
        let picture = letters
            .envelope_picture(design.file_id, &design.title)
            .await?;
        envelopes.push((item, picture));
    }
    let here = format!("/spaces/{space}/letters/points");
    app_page!(
        wants,
        PointsPage {
            head: letters.community.head(&viewer, lang.t("letters-points")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            form,
            space,
            points: points::purse(db, space, me).await?,
            items: papers.chain(stamps).collect(),
            envelopes,
            ledger: points::ledger(db, space, me).await?,
            board: points::board(db, space).await?,
            organises,
            rules,
        }
    )
}

#[derive(Deserialize)]
pub(super) struct BuyInput {
    space: SpaceId,
    /// The name of a paper or stamp, or `envelope:` and the id of a design that won.
    item: String,
}

/// `letters.buy`: buys a paper or a stamp with points, for letters in that space.
pub(super) async fn buy(letters: Letters, viewer: Viewer, input: BuyInput) -> Result<Outcome> {
    let (space, account) = (input.space, viewer.account);
    let unknown = Error::field("item", "error-message-shape");
    let item = match design_of(&input.item) {
        Some(id) => {
            let design = contests::design(&letters.engine.db, id).await?;
            if design.space_id != space || design.won_at.is_none() {
                return Err(Error::NotFound);
            }
            (item_of(id), ENVELOPE_PRICE)
        }
        None => {
            let (name, price) = price_of(&input.item).ok_or(unknown)?;
            (name.to_owned(), price)
        }
    };
    let bought = item.0.clone();
    let work = async move |tx: &mut Tx| {
        let (name, price) = item;
        points::buy(tx, (space, account), (&name, price), Micros::now()).await
    };
    letters.permitted(account, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/points");
    Ok(Outcome::new(json!({ "bought": bought }), location))
}

#[derive(Deserialize)]
pub(super) struct RulesInput {
    space: SpaceId,
    written: String,
    delivered: String,
    carried: String,
    hung: String,
    daily: String,
}

/// `letters.set-points`: says what a space gives for deeds; none a day: there are no points.
pub(super) async fn set(letters: Letters, viewer: Viewer, input: RulesInput) -> Result<Outcome> {
    let number = |text: &str| text.trim().parse::<i64>().unwrap_or(-1);
    let rules = Rules {
        written: number(&input.written),
        delivered: number(&input.delivered),
        carried: number(&input.carried),
        hung: number(&input.hung),
        daily: number(&input.daily),
    };
    let most = usize::try_from(MAX_DEED_POINTS).unwrap_or_default();
    let fits = |points: i64| (0..=MAX_DEED_POINTS).contains(&points);
    Check::default()
        .that(fits(rules.written), "written", "error-points", most)
        .that(fits(rules.delivered), "delivered", "error-points", most)
        .that(fits(rules.carried), "carried", "error-points", most)
        .that(fits(rules.hung), "hung", "error-points", most)
        .that(fits(rules.daily), "daily", "error-points", most)
        .done()?;
    let space = input.space;
    let work = async move |tx: &mut Tx| points::set_rules(tx, space, &rules).await;
    letters
        .permitted(viewer.account, &ORGANISE, space, work)
        .await?;
    let location = format!("/spaces/{space}/letters/points");
    let note = viewer.lang.t("letters-saved").to_owned();
    Ok(Outcome::new(json!({ "saved": true }), location).note(note))
}
