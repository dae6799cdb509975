//! How a space has its letters: which ways, under which names, and how long a tide takes.

use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::letter::Letter;
use super::model::{Signature, Way};
use super::topics::SettingsChanged;
use super::travel::{MAX_TIDE_HOURS, MIN_TIDE_HOURS};
use super::{Letters, ORGANISE, WRITE};
use crate::base::db::{Db, Tx};
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::community::blocks;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

/// The settings of a space.
#[derive(Clone, Debug, FromRow)]
pub(super) struct LetterSettings {
    /// Whether letters travel by tide.
    pub(super) tide: bool,
    /// Whether couriers carry letters.
    pub(super) by_hand: bool,
    /// Whether one may sign with a pen name.
    pub(super) pen_names: bool,
    /// Whether one need not sign.
    pub(super) unsigned: bool,
    /// Whether letters drift to whom the tide finds.
    pub(super) drift: bool,
    /// The shortest tide, in hours.
    pub(super) min_hours: i64,
    /// The longest tide, in hours.
    pub(super) max_hours: i64,
}

impl Default for LetterSettings {
    fn default() -> Self {
        Self {
            tide: true,
            by_hand: false,
            pen_names: true,
            unsigned: false,
            drift: true,
            min_hours: 4,
            max_hours: 72,
        }
    }
}

impl LetterSettings {
    /// Whether there are letters at all.
    pub(super) fn is_on(&self) -> bool {
        self.tide || self.by_hand
    }

    /// Whether new letters travel this way.
    pub(super) fn has(&self, way: Way) -> bool {
        match way {
            Way::Tide => self.tide,
            Way::Hand => self.by_hand,
            Way::Drift => self.tide && self.drift,
        }
    }

    /// Whether one may sign like this.
    pub(super) fn allows(&self, signature: Signature) -> bool {
        match signature {
            Signature::Own => true,
            Signature::Pen => self.pen_names,
            Signature::None => self.unsigned,
        }
    }
}

const READ: &str = "SELECT tide, by_hand, pen_names, unsigned, drift, min_hours, max_hours \
    FROM letter_settings WHERE space_id = $1";

/// The settings of a space.
pub(super) async fn of_space(db: &Db, space: SpaceId) -> Result<LetterSettings> {
    Ok(db.optional(READ, (space,)).await?.unwrap_or_default())
}

/// The same in a transaction.
pub(super) async fn in_tx(tx: &mut Tx, space: SpaceId) -> Result<LetterSettings> {
    Ok(tx.optional(READ, (space,)).await?.unwrap_or_default())
}

/// Whether an account wants no letters in a space.
pub(super) async fn is_refusing(db: &Db, space: SpaceId, account: AccountId) -> Result<bool> {
    db.scalar(REFUSES, (space, account)).await
}

const REFUSES: &str =
    "SELECT EXISTS (SELECT 1 FROM letter_refusals WHERE space_id = $1 AND account_id = $2)";

/// Checks that the recipient of a letter takes it, as [`takes_letters`] does.
///
/// # Errors
/// As there.
pub(super) async fn check_takes_letters(tx: &mut Tx, letter: &Letter, to: AccountId) -> Result<()> {
    let is_named = letter.recipient_name.is_empty();
    takes_letters(tx, letter.space_id, (letter.author_id, to), is_named).await
}

/// Checks that somebody takes letters of another in a space. Blocks, settings and refusals give the
/// same answer. Where the author does not know whom they write to, whom they block themselves makes
/// no difference: the answer would tell who it is.
///
/// # Errors
/// `Conflict` when they do not; `NotFound` when they are no member.
pub(super) async fn takes_letters(
    tx: &mut Tx,
    space: SpaceId,
    (by, other): (AccountId, AccountId),
    is_named: bool,
) -> Result<()> {
    const IS_MEMBER: &str =
        "SELECT EXISTS (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)";
    if by == other {
        return Ok(());
    }
    if !tx.scalar(IS_MEMBER, (space, other)).await? {
        return Err(Error::NotFound);
    }
    let refuses: bool = tx.scalar(REFUSES, (space, other)).await?;
    let blocked = match is_named {
        true => blocks::check_may_begin(tx, by, &[other]).await,
        false => blocks::check_takes(tx, by, other).await,
    };
    match blocked {
        Ok(()) if !refuses => Ok(()),
        Ok(()) | Err(Error::Conflict(_)) => Err(Error::Conflict("error-letter-not-taken")),
        Err(error) => Err(error),
    }
}

/// Of a form: boxes that are not ticked are not sent.
#[derive(Deserialize)]
pub(super) struct ConfigureInput {
    space: SpaceId,
    #[serde(default)]
    tide: String,
    #[serde(default)]
    by_hand: String,
    #[serde(default)]
    pen_names: String,
    #[serde(default)]
    unsigned: String,
    #[serde(default)]
    drift: String,
    min_hours: String,
    max_hours: String,
}

/// `letters.configure`.
pub(super) async fn configure(
    letters: Letters,
    viewer: Viewer,
    input: ConfigureInput,
) -> Result<Outcome> {
    let hours = |text: &str| text.trim().parse::<i64>().unwrap_or(0);
    let (min, max) = (hours(&input.min_hours), hours(&input.max_hours));
    let is_hours = |hours| (MIN_TIDE_HOURS..=MAX_TIDE_HOURS).contains(&hours);
    let most = usize::try_from(MAX_TIDE_HOURS).unwrap_or_default();
    Check::default()
        .that(is_hours(min), "min_hours", "error-letter-hours", most)
        .that(
            is_hours(max) && min <= max,
            "max_hours",
            "error-letter-hours",
            most,
        )
        .done()?;
    let space = input.space;
    let is_set = |value: &str| value == "yes";
    let row = (
        space,
        is_set(&input.tide),
        is_set(&input.by_hand),
        is_set(&input.pen_names),
        is_set(&input.unsigned),
        is_set(&input.drift),
        min,
        max,
    );
    let bus = letters.engine.bus.clone();
    let origin = Origin::new(viewer.account, Some(space));
    let write = async move |tx: &mut Tx| {
        const SET: &str = "INSERT INTO letter_settings \
            (space_id, tide, by_hand, pen_names, unsigned, drift, min_hours, max_hours) \
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (space_id) DO UPDATE SET \
            tide = excluded.tide, by_hand = excluded.by_hand, pen_names = excluded.pen_names, \
            unsigned = excluded.unsigned, min_hours = excluded.min_hours, \
            max_hours = excluded.max_hours";
        tx.execute(SET, row).await?;
        bus.publish_after_commit(tx, origin, SettingsChanged { space });
        Ok(())
    };
    letters
        .permitted(viewer.account, &ORGANISE, space, write)
        .await?;
    let location = format!("/spaces/{space}/letters/settings");
    let note = viewer.lang.t("letters-settings-saved").to_owned();
    Ok(Outcome::new(json!({ "saved": true }), location).note(note))
}

#[derive(Deserialize)]
pub(super) struct RefuseInput {
    space: SpaceId,
    /// `yes`: no letters please.
    refuse: String,
}

/// `letters.refuse`: wants no letters in a space, or wants them again.
pub(super) async fn refuse(
    letters: Letters,
    viewer: Viewer,
    input: RefuseInput,
) -> Result<Outcome> {
    const ADD: &str = "INSERT INTO letter_refusals (space_id, account_id) VALUES ($1, $2) \
        ON CONFLICT DO NOTHING";
    const REMOVE: &str = "DELETE FROM letter_refusals WHERE space_id = $1 AND account_id = $2";
    let (space, account, refuses) = (input.space, viewer.account, input.refuse == "yes");
    let write = async move |tx: &mut Tx| {
        let sql = if refuses { ADD } else { REMOVE };
        tx.execute(sql, (space, account)).await?;
        Ok(())
    };
    letters.permitted(account, &WRITE, space, write).await?;
    let location = format!("/spaces/{space}/letters");
    Ok(Outcome::new(json!({ "refuses": refuses }), location))
}
