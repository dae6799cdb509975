//! Points for deeds, by the table of the space: an append-only ledger with a key for each deed, so
//! that none counts twice, and a purse that changes in the same transaction.

use std::collections::BTreeSet;

use sqlx::FromRow;

use super::journey::Move;
use super::letter::Letter;
use super::model::{Actor, Step, Way};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AccountId, SpaceId};

/// Points of one deed, and of one day, at most.
pub const MAX_DEED_POINTS: i64 = 1_000;
/// Lines of the ledger, and of the board, that a page shows.
const MAX_POINT_ROWS_SHOWN: i64 = 20;
/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// What is earned by a deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// A letter of one's own arrived.
    Written,
    /// One delivered a letter.
    Delivered,
    /// One carried a letter on its way.
    Carried,
    /// A letter that one wrote or received was hung in the museum.
    Hung,
}

impl Deed {
    fn name(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Delivered => "delivered",
            Self::Carried => "carried",
            Self::Hung => "hung",
        }
    }
}

/// What a space gives.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Rules {
    pub(super) written: i64,
    pub(super) delivered: i64,
    pub(super) carried: i64,
    pub(super) hung: i64,
    /// At most so many a day.
    pub(super) daily: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            written: 2,
            delivered: 5,
            carried: 3,
            hung: 10,
            daily: 30,
        }
    }
}

impl Rules {
    fn of(&self, deed: Deed) -> i64 {
        match deed {
            Deed::Written => self.written,
            Deed::Delivered => self.delivered,
            Deed::Carried => self.carried,
            Deed::Hung => self.hung,
        }
    }

    /// Whether there are points at all.
    pub(super) fn is_on(&self) -> bool {
        self.daily > 0
    }
}

const RULES: &str = "SELECT written, delivered, carried, hung, daily FROM letter_point_rules \
    WHERE space_id = $1";

/// What a space gives.
pub(super) async fn rules(db: &Db, space: SpaceId) -> Result<Rules> {
    Ok(db.optional(RULES, (space,)).await?.unwrap_or_default())
}

/// Stores what a space gives.
pub(super) async fn set_rules(tx: &mut Tx, space: SpaceId, rules: &Rules) -> Result<()> {
    const SET: &str = "INSERT INTO letter_point_rules \
        (space_id, written, delivered, carried, hung, daily) VALUES ($1, $2, $3, $4, $5, $6) \
        ON CONFLICT (space_id) DO UPDATE SET written = excluded.written, \
        delivered = excluded.delivered, carried = excluded.carried, hung = excluded.hung, \
        daily = excluded.daily";
    let row = (
        space,
        rules.written,
        rules.delivered,
        rules.carried,
        rules.hung,
        rules.daily,
    );
    tx.execute(SET, row).await?;
    Ok(())
}

/// Locks the purse of a member, which is made if there is none: others wait.
async fn lock_purse(tx: &mut Tx, space: SpaceId, of: AccountId) -> Result<()> {
    const ADD: &str = "INSERT INTO letter_purses (space_id, account_id, points, earned) \
        VALUES ($1, $2, 0, 0) ON CONFLICT DO NOTHING";
    const LOCK: &str = "SELECT account_id FROM letter_purses \
        WHERE space_id = $1 AND account_id = $2 FOR UPDATE";
    tx.execute(ADD, (space, of)).await?;
    tx.lock::<(i64,)>(LOCK, (space, of)).await?;
    Ok(())
}

/// Adds a line to the ledger and changes the purse with it, once for each key.
async fn book(
    tx: &mut Tx,
    (space, of): (SpaceId, AccountId),
    (deed, key): (&str, &str),
    (points, at): (i64, Micros),
) -> Result<bool> {
    const ADD: &str = "INSERT INTO letter_points \
        (id, space_id, account_id, deed, deed_key, points, at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    const CHANGE: &str = "UPDATE letter_purses SET points = points + $3, \
        earned = earned + CASE WHEN $3 > 0 THEN $3 ELSE 0 END \
        WHERE space_id = $1 AND account_id = $2";
    let row = (ids::next(), space, of, deed, key, points, at);
    if tx.execute(ADD, row).await? == 0 {
        return Ok(false);
    }
    tx.execute(CHANGE, (space, of, points)).await?;
    Ok(true)
}

/// Gives a member the points of a deed, as far as the day allows.
pub(super) async fn award(
    tx: &mut Tx,
    (space, of): (SpaceId, AccountId),
    deed: Deed,
    key: &str,
    now: Micros,
) -> Result<()> {
    const TODAY: &str = "SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM letter_points \
        WHERE account_id = $1 AND space_id = $2 AND at >= $3 AND points > 0";
    const IS_MEMBER: &str =
        "SELECT EXISTS (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)";
    let rules: Rules = tx.optional(RULES, (space,)).await?.unwrap_or_default();
    if rules.of(deed) == 0 || !tx.scalar(IS_MEMBER, (space, of)).await? {
        return Ok(());
    }
    lock_purse(tx, space, of).await?;
    let today: i64 = tx.scalar(TODAY, (of, space, now.0 / DAY * DAY)).await?;
    let points = rules.of(deed).min(rules.daily - today);
    if points <= 0 {
        return Ok(());
    }
    let key = format!("{}:{key}", deed.name());
    book(tx, (space, of), (deed.name(), &key), (points, now)).await?;
    Ok(())
}

/// Gives the points for a letter that arrived: to who wrote it, who delivered it, and who else
/// carried it.
pub(super) async fn award_arrival(
    tx: &mut Tx,
    letter: &Letter,
    step: &Move,
    now: Micros,
) -> Result<()> {
    const CARRIERS: &str = "SELECT DISTINCT account_id FROM letter_journey \
        WHERE letter_id = $1 AND event = 'take' AND actor = 'courier' \
        AND account_id IS NOT NULL";
    if letter.is_to_self() {
        return Ok(());
    }
    let (space, key) = (letter.space_id, letter.id.to_string());
    // In the order of their ids: purses are locked, and two letters share couriers.
    let mut deeds = BTreeSet::from([(letter.author_id, 0)]);
    if letter.way == Way::Hand {
        let by = step.account.filter(|_| step.actor == Actor::Courier);
        let carriers: Vec<AccountId> = tx.scalars(CARRIERS, (letter.id,)).await?;
        for carrier in carriers {
            deeds.insert((carrier, if Some(carrier) == by { 1 } else { 2 }));
        }
    }
    for (account, deed) in deeds {
        let deed = match deed {
            0 => Deed::Written,
            1 => Deed::Delivered,
            _ => Deed::Carried,
        };
        award(tx, (space, account), deed, &key, now).await?;
    }
    Ok(())
}

/// Whether a step brings a letter to its recipient.
pub(super) fn is_arrival(step: Step) -> bool {
    step == Step::Deliver
}

/// Buys something for a member, once.
///
/// # Errors
/// `Conflict` when it is theirs already, or they have too few points.
pub(super) async fn buy(
    tx: &mut Tx,
    (space, of): (SpaceId, AccountId),
    (item, price): (&str, i64),
    now: Micros,
) -> Result<()> {
    const POINTS: &str = "SELECT points FROM letter_purses WHERE space_id = $1 AND account_id = $2";
    lock_purse(tx, space, of).await?;
    let points: i64 = tx.scalar(POINTS, (space, of)).await?;
    if points < price {
        return Err(Error::Conflict("error-points-few"));
    }
    let key = format!("bought:{item}");
    match book(tx, (space, of), ("bought", &key), (-price, now)).await? {
        true => Ok(()),
        false => Err(Error::Conflict("error-points-bought")),
    }
}

/// Makes something a member's that they need not buy.
pub(super) async fn give(
    tx: &mut Tx,
    (space, of): (SpaceId, AccountId),
    item: &str,
    now: Micros,
) -> Result<()> {
    lock_purse(tx, space, of).await?;
    let key = format!("bought:{item}");
    book(tx, (space, of), ("bought", &key), (0, now)).await?;
    Ok(())
}

const BOUGHT: &str = "SELECT deed_key FROM letter_points \
    WHERE account_id = $1 AND space_id = $2 AND deed = 'bought'";

/// What a member bought in a space: names of papers and stamps.
pub(super) async fn bought(db: &Db, space: SpaceId, of: AccountId) -> Result<Vec<String>> {
    let keys: Vec<String> = db.scalars(BOUGHT, (of, space)).await?;
    Ok(keys.iter().filter_map(|key| item(key)).collect())
}

/// The same in a transaction.
pub(super) async fn bought_in(tx: &mut Tx, space: SpaceId, of: AccountId) -> Result<Vec<String>> {
    let keys: Vec<String> = tx.scalars(BOUGHT, (of, space)).await?;
    Ok(keys.iter().filter_map(|key| item(key)).collect())
}

fn item(key: &str) -> Option<String> {
    key.strip_prefix("bought:").map(str::to_owned)
}

/// A line of the ledger.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Line {
    pub(super) deed: String,
    pub(super) points: i64,
    pub(super) at: Micros,
}

/// The latest lines of a member.
pub(super) async fn ledger(db: &Db, space: SpaceId, of: AccountId) -> Result<Vec<Line>> {
    const READ: &str = "SELECT deed, points, at FROM letter_points WHERE account_id = $1 \
        AND space_id = $2 ORDER BY at DESC, id DESC LIMIT $3";
    db.all(READ, (of, space, MAX_POINT_ROWS_SHOWN)).await
}

/// What a member has.
pub(super) async fn purse(db: &Db, space: SpaceId, of: AccountId) -> Result<i64> {
    const READ: &str = "SELECT points FROM letter_purses WHERE space_id = $1 AND account_id = $2";
    Ok(db.optional_scalar(READ, (space, of)).await?.unwrap_or(0))
}

/// The members who earned the most, as name and points.
pub(super) async fn board(db: &Db, space: SpaceId) -> Result<Vec<(String, i64)>> {
    const READ: &str = "SELECT a.name, p.earned FROM letter_purses p \
        JOIN accounts a ON a.id = p.account_id \
        JOIN members m ON m.space_id = p.space_id AND m.account_id = p.account_id \
        WHERE p.space_id = $1 AND p.earned > 0 ORDER BY p.earned DESC, p.account_id LIMIT $2";
    db.all(READ, (space, MAX_POINT_ROWS_SHOWN)).await
}
