//! How a space has its couriers work: whether letters are assigned, how long one has to pick one
//! up, how many one carries, and when somebody is proposed for the next rank.

use serde::Deserialize;
use serde_json::json;
use sqlx::FromRow;

use super::couriers::DIRECTOR;
use super::{Letters, ORGANISE};
use crate::base::db::{Db, Tx};
use crate::base::error::{Check, Result};
use crate::base::ids::SpaceId;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Hours in which a letter is picked up, at most.
pub const MAX_TAKE_HOURS: i64 = 336;
/// Letters that one courier is assigned at a time, at most.
pub const MAX_COURIER_LOAD: i64 = 200;
/// Letters that are delivered before a promotion, at most.
pub const MAX_PROMOTE_DELIVERED: i64 = 10_000;

/// The rules of a space.
#[derive(Clone, Debug, FromRow)]
pub(super) struct CourierRules {
    /// Whether posted letters are assigned to couriers.
    pub(super) assigns: bool,
    /// Hours in which who is assigned picks a letter up.
    pub(super) take_hours: i64,
    /// Letters that one courier is assigned at a time.
    pub(super) max_load: i64,
    /// Letters that somebody delivers in a rank before they are proposed for the next; 0: never.
    pub(super) promote_delivered: i64,
    /// How many of a hundred have to be on time for that.
    pub(super) promote_percent: i64,
}

impl Default for CourierRules {
    fn default() -> Self {
        Self {
            assigns: true,
            take_hours: 24,
            max_load: 20,
            promote_delivered: 50,
            promote_percent: 95,
        }
    }
}

/// What a courier did since they have their rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    /// Letters delivered.
    pub(super) done: i64,
    /// Of these in time.
    pub(super) on_time: i64,
    /// Letters that were not picked up in time.
    pub(super) lapsed: i64,
}

impl CourierRules {
    /// Whether somebody of a rank is proposed for the next one.
    pub(super) fn is_promotion_due(&self, rank: i64, record: Record) -> bool {
        let all = record.done + record.lapsed;
        self.promote_delivered > 0
            && rank < DIRECTOR
            && record.done >= self.promote_delivered
            && record.on_time * 100 >= self.promote_percent * all
    }
}

/// The post after this one: its rank, and the branch of it.
pub(super) fn next_post(rank: i64, branch: &str) -> (i64, String) {
    let length = match rank {
        1 => 4,
        2 => 2,
        _ => 0,
    };
    (
        rank + 1,
        branch.get(..length).unwrap_or_default().to_owned(),
    )
}

const READ: &str = "SELECT assigns, take_hours, max_load, promote_delivered, promote_percent \
    FROM letter_courier_rules WHERE space_id = $1";

/// The rules of a space.
pub(super) async fn of_space(db: &Db, space: SpaceId) -> Result<CourierRules> {
    Ok(db.optional(READ, (space,)).await?.unwrap_or_default())
}

/// The same in a transaction.
pub(super) async fn in_tx(tx: &mut Tx, space: SpaceId) -> Result<CourierRules> {
    Ok(tx.optional(READ, (space,)).await?.unwrap_or_default())
}

#[derive(Deserialize)]
pub(super) struct RulesInput {
    space: SpaceId,
    #[serde(default)]
    assigns: String,
    take_hours: String,
    max_load: String,
    promote_delivered: String,
    promote_percent: String,
}

/// `letters.set-courier-rules`.
pub(super) async fn set(letters: Letters, viewer: Viewer, input: RulesInput) -> Result<Outcome> {
    const SET: &str = "INSERT INTO letter_courier_rules \
        (space_id, assigns, take_hours, max_load, promote_delivered, promote_percent) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (space_id) DO UPDATE SET \
        assigns = excluded.assigns, take_hours = excluded.take_hours, \
        max_load = excluded.max_load, promote_delivered = excluded.promote_delivered, \
        promote_percent = excluded.promote_percent";
    let number = |text: &str| text.trim().parse::<i64>().unwrap_or(-1);
    let rules = CourierRules {
        assigns: input.assigns == "yes",
        take_hours: number(&input.take_hours),
        max_load: number(&input.max_load),
        promote_delivered: number(&input.promote_delivered),
        promote_percent: number(&input.promote_percent),
    };
    let mut check = Check::default();
    for (name, value, least, most) in [
        ("take_hours", rules.take_hours, 1, MAX_TAKE_HOURS),
        ("max_load", rules.max_load, 1, MAX_COURIER_LOAD),
        (
            "promote_delivered",
            rules.promote_delivered,
            0,
            MAX_PROMOTE_DELIVERED,
        ),
        ("promote_percent", rules.promote_percent, 0, 100),
    ] {
        let limit = usize::try_from(most).unwrap_or_default();
        let fits = (least..=most).contains(&value);
        check.that(fits, name, "error-courier-rules", limit);
    }
    check.done()?;
    let space = input.space;
    let work = async move |tx: &mut Tx| {
        let row = (
            space,
            rules.assigns,
            rules.take_hours,
            rules.max_load,
            rules.promote_delivered,
            rules.promote_percent,
        );
        tx.execute(SET, row).await?;
        Ok(())
    };
    letters
        .permitted(viewer.account, &ORGANISE, space, work)
        .await?;
    let location = format!("/spaces/{space}/letters/settings");
    let note = viewer.lang.t("letters-settings-saved").to_owned();
    Ok(Outcome::new(json!({ "saved": true }), location).note(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promotion_is_due_after_enough_on_time() {
        let rules = CourierRules::default();
        let record = |done, on_time, lapsed| Record {
            done,
            on_time,
            lapsed,
        };
        assert!(rules.is_promotion_due(1, record(50, 50, 0)));
        assert!(rules.is_promotion_due(3, record(100, 95, 0)));
        assert!(!rules.is_promotion_due(1, record(49, 49, 0)));
        assert!(!rules.is_promotion_due(1, record(100, 94, 0)));
        assert!(
            !rules.is_promotion_due(1, record(50, 50, 3)),
            "three were not picked up"
        );
        assert!(!rules.is_promotion_due(DIRECTOR, record(500, 500, 0)));
        let never = CourierRules {
            promote_delivered: 0,
            ..rules
        };
        assert!(!never.is_promotion_due(1, record(500, 500, 0)));
        assert_eq!(next_post(1, "AABBCC"), (2, "AABB".to_owned()));
        assert_eq!(next_post(2, "AABB"), (3, "AA".to_owned()));
        assert_eq!(next_post(3, "AA"), (4, String::new()));
    }
}
