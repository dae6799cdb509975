//! Opening, applying for, approving and closing places.

use serde::Deserialize;
use serde_json::json;

use super::couriers;
use super::places::{
    MAX_DOORS, MAX_PLACE_NAME_CHARS, MAX_PLACES, PlaceId, act, find, fits_kind, may_manage,
    parse_code,
};
use super::{Letters, WRITE};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::text::{check_short_text, is_blank, normalize_line};
use crate::community::audit;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

async fn insert(
    tx: &mut Tx,
    (space, code, state): (SpaceId, &str, &str),
    (name, kind): (&str, &str),
    (applicant, resident): (AccountId, Option<AccountId>),
) -> Result<PlaceId> {
    const COUNT: &str = "SELECT COUNT(*) FROM letter_places \
        WHERE space_id = $1 AND state <> 'retired'";
    const ADD: &str = "INSERT INTO letter_places (id, space_id, code, name, kind, state, \
        applicant_id, resident_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
        ON CONFLICT DO NOTHING";
    let count: i64 = tx.scalar(COUNT, (space,)).await?;
    if count >= MAX_PLACES {
        return Err(Error::Full("error-places-full"));
    }
    let id = PlaceId::new();
    let row = (
        id,
        space,
        code,
        name,
        kind,
        state,
        applicant,
        resident,
        Micros::now(),
    );
    match tx.execute(ADD, row).await? {
        0 => Err(Error::field("code", "error-place-taken")),
        _ => Ok(id),
    }
}

/// Whether the place above one is open: that of a school is the space.
async fn has_parent(tx: &mut Tx, space: SpaceId, code: &str) -> Result<bool> {
    const FIND: &str = "SELECT EXISTS (SELECT 1 FROM letter_places \
        WHERE space_id = $1 AND code = $2 AND state = 'open')";
    match code.get(..code.len().saturating_sub(2)) {
        Some("") | None => Ok(true),
        Some(parent) => tx.scalar(FIND, (space, parent)).await,
    }
}

#[derive(Deserialize)]
pub(super) struct AddInput {
    space: SpaceId,
    code: String,
    name: String,
    kind: String,
}

fn checked(code: &str, name: &str, kind: &str) -> Result<(String, String)> {
    let name = normalize_line(name);
    let parsed = parse_code(code);
    let fits = parsed.as_deref().is_some_and(|code| fits_kind(code, kind));
    let mut check = Check::default();
    check_short_text(&name, "name", MAX_PLACE_NAME_CHARS, &mut check);
    check
        .that(!is_blank(&name), "name", "error-place-name", 0)
        .that(fits, "code", "error-place-code", 0)
        .done()?;
    Ok((parsed.unwrap_or_default(), name))
}

/// `letters.add-place`: opens a school, an area, a shop or a box, or a door for nobody yet.
pub(super) async fn add(letters: Letters, viewer: Viewer, input: AddInput) -> Result<Outcome> {
    let (code, name) = checked(&input.code, &input.name, &input.kind)?;
    let (space, by, kind) = (input.space, viewer.account, input.kind);
    let is_organiser = letters.is_organiser(by, space).await?;
    let work = async move |tx: &mut Tx| {
        let post = couriers::in_tx(tx, space, by).await?;
        if !may_manage(is_organiser, post.as_ref(), &code) {
            return Err(Error::Forbidden("error-letters-branch"));
        }
        if !has_parent(tx, space, &code).await? {
            return Err(Error::field("code", "error-place-parent"));
        }
        let id = insert(tx, (space, &code, "open"), (&name, &kind), (by, None)).await?;
        let shown = if kind == "door" { &code[..4] } else { &*code };
        audit::record(tx, act(space, by, "place.opened", id, shown)).await?;
        Ok(id)
    };
    let id = letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/places");
    Ok(Outcome::new(json!({ "place": id }), location))
}

#[derive(Deserialize)]
pub(super) struct ApplyInput {
    space: SpaceId,
    /// The code of an open area.
    area: String,
    name: String,
}

/// `letters.apply-place`: asks for a door of one's own in an area.
pub(super) async fn apply(letters: Letters, viewer: Viewer, input: ApplyInput) -> Result<Outcome> {
    const COUNT: &str = "SELECT COUNT(*) FROM letter_places WHERE resident_id = $1 \
        AND space_id = $2 AND state <> 'retired'";
    let (area, name) = checked(&input.area, &input.name, "area").map_err(|error| match error {
        Error::Invalid(mut errors) => {
            let of_code = errors.iter_mut().filter(|error| error.field == "code");
            of_code.for_each(|error| error.field = "area");
            Error::Invalid(errors)
        }
        other => other,
    })?;
    let (space, by) = (input.space, viewer.account);
    let work = async move |tx: &mut Tx| {
        if !has_parent(tx, space, &format!("{area}__")).await? {
            return Err(Error::field("area", "error-place-parent"));
        }
        let count: i64 = tx.scalar(COUNT, (by, space)).await?;
        if count >= MAX_DOORS {
            return Err(Error::Full("error-place-doors"));
        }
        // Applications of one area share its code until they get their own.
        let code = format!("{area}?{}", crate::base::ids::next());
        insert(
            tx,
            (space, &code, "applied"),
            (&name, "door"),
            (by, Some(by)),
        )
        .await
    };
    let id = letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/places");
    let note = viewer.lang.t("letters-place-applied").to_owned();
    Ok(Outcome::new(json!({ "place": id }), location).note(note))
}

#[derive(Deserialize)]
pub(super) struct DecideInput {
    place: PlaceId,
    /// The last pair that it gets; empty: the application is declined.
    #[serde(default)]
    pair: String,
    /// `yes` or `no`.
    approve: String,
}

/// `letters.decide-place`: approves an application with its last pair, or declines it.
pub(super) async fn decide(
    letters: Letters,
    viewer: Viewer,
    input: DecideInput,
) -> Result<Outcome> {
    const OPEN: &str = "UPDATE letter_places SET code = $2, state = 'open' WHERE id = $1 \
        AND state = 'applied' AND NOT EXISTS (SELECT 1 FROM letter_places taken \
        WHERE taken.space_id = $3 AND taken.code = $2 AND taken.state <> 'retired')";
    const DECLINE: &str = "DELETE FROM letter_places WHERE id = $1 AND state = 'applied'";
    let (id, by, approves) = (input.place, viewer.account, input.approve == "yes");
    let place = find(&letters.engine.db, id).await?;
    let space = place.space_id;
    let is_organiser = letters.is_organiser(by, space).await?;
    let work = async move |tx: &mut Tx| {
        let area = place.code.get(..4).unwrap_or_default().to_owned();
        let post = couriers::in_tx(tx, space, by).await?;
        if !may_manage(is_organiser, post.as_ref(), &format!("{area}__")) {
            return Err(Error::Forbidden("error-letters-branch"));
        }
        if !approves {
            tx.execute(DECLINE, (id,)).await?;
            return Ok(());
        }
        let code = parse_code(&format!("{area}{}", input.pair.trim()));
        let code = code.filter(|code| code.len() == 6);
        let code = code.ok_or(Error::field("pair", "error-place-pair"))?;
        if tx.execute(OPEN, (id, &code, space)).await? == 0 {
            return Err(Error::field("pair", "error-place-taken"));
        }
        audit::record(tx, act(space, by, "place.opened", id, &area)).await
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/places");
    Ok(Outcome::new(json!({ "approved": approves }), location))
}

#[derive(Deserialize)]
pub(super) struct PlaceInput {
    place: PlaceId,
}

/// `letters.retire-place`: closes a place without open ones below it; its code is free again.
/// Residents may give up their own door.
pub(super) async fn retire(letters: Letters, viewer: Viewer, input: PlaceInput) -> Result<Outcome> {
    const HAS_BELOW: &str = "SELECT EXISTS (SELECT 1 FROM letter_places WHERE space_id = $1 \
        AND code LIKE $2 || '__%' AND state <> 'retired')";
    const RETIRE: &str = "UPDATE letter_places SET state = 'retired' WHERE id = $1";
    let (id, by) = (input.place, viewer.account);
    let place = find(&letters.engine.db, id).await?;
    let space = place.space_id;
    let is_organiser = letters.is_organiser(by, space).await?;
    let work = async move |tx: &mut Tx| {
        let post = couriers::in_tx(tx, space, by).await?;
        let is_own = place.resident_id == Some(by);
        if !is_own && !may_manage(is_organiser, post.as_ref(), &place.code) {
            return Err(Error::Forbidden("error-letters-branch"));
        }
        if place.code.len() < 6 && tx.scalar(HAS_BELOW, (space, &place.code)).await? {
            return Err(Error::Conflict("error-place-below"));
        }
        tx.execute(RETIRE, (id,)).await?;
        let name = place.public_code();
        audit::record(tx, act(space, by, "place.retired", id, &name)).await
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/places");
    Ok(Outcome::new(json!({ "retired": true }), location))
}
