//! The SQL of cases, one function per query.

use serde::Deserialize;
use sqlx::FromRow;

use super::reports::Reason;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::{id, text_enum};

id!(
    /// All reports of one thing, until they are resolved.
    CaseId
);

/// Reports that the page of a case shows.
const MAX_SHOWN_REPORTS: i64 = 50;
/// Reporters who are told at once that a case was resolved; others see it with their next page.
const MAX_REPORTERS_TOLD: i64 = 100;

/// What a reviewer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// Nothing was wrong.
    Nothing,
    /// Something was done about it.
    Acted,
}

text_enum!(Outcome {
    Nothing = "nothing",
    Acted = "acted",
});

/// A case, for the queue and its page.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Case {
    pub(super) id: CaseId,
    pub(super) space_id: Option<SpaceId>,
    pub(super) room_id: Option<RoomId>,
    pub(super) kind: String,
    pub(super) thing_id: i64,
    pub(super) author_id: AccountId,
    pub(super) author: String,
    /// The name that the author signs in with.
    pub(super) user_name: String,
    pub(super) href: String,
    pub(super) thing_at: Option<Micros>,
    pub(super) resolved_at: Option<Micros>,
    /// The name of who resolved it.
    pub(super) resolved_by: Option<String>,
    pub(super) outcome: Option<Outcome>,
    pub(super) note: String,
    /// How many reported it.
    pub(super) reports: i64,
    /// What the newest reporter saw.
    pub(super) excerpt: String,
    pub(super) reported_at: Micros,
}

/// A report, for the page of its case.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Report {
    pub(super) reporter: String,
    pub(super) reason: Reason,
    pub(super) words: String,
    pub(super) excerpt: String,
    pub(super) at: Micros,
}

macro_rules! case_columns {
    () => {
        "SELECT c.id, c.space_id, c.room_id, c.kind, c.thing_id, c.author_id, a.name AS author, \
         COALESCE(a.user_name, a.name) AS user_name, \
         c.href, c.thing_at, c.resolved_at, b.name AS resolved_by, c.outcome, c.note, \
         (SELECT COUNT(*) FROM reports r WHERE r.case_id = c.id) AS reports, \
         COALESCE((SELECT r.excerpt FROM reports r WHERE r.case_id = c.id \
         ORDER BY r.id DESC LIMIT 1), '') AS excerpt, \
         COALESCE((SELECT MAX(r.at) FROM reports r WHERE r.case_id = c.id), 0) AS reported_at \
         FROM report_cases c JOIN accounts a ON a.id = c.author_id \
         LEFT JOIN accounts b ON b.id = c.resolved_by "
    };
}

/// The number of a queue in the database.
fn queue(space: Option<SpaceId>) -> i64 {
    space.map_or(0, |space| space.0)
}

/// Up to `limit` cases of a queue before a position, newest first.
pub(super) async fn page(
    db: &Db,
    space: Option<SpaceId>,
    resolved: bool,
    before: CaseId,
    limit: i64,
) -> Result<Vec<Case>> {
    const READ: &str = concat!(
        case_columns!(),
        "WHERE COALESCE(c.space_id, 0) = $1 AND (c.resolved_at IS NOT NULL) = $2 \
         AND c.id < $3 ORDER BY c.id DESC LIMIT $4"
    );
    db.all(READ, (queue(space), resolved, before, limit)).await
}

/// A case, by id.
///
/// # Errors
/// `NotFound` when there is none.
pub(super) async fn case(db: &Db, id: CaseId) -> Result<Case> {
    const READ: &str = concat!(case_columns!(), "WHERE c.id = $1");
    db.one(READ, (id,)).await
}

/// The reports of a case, newest first, at most fifty.
pub(super) async fn reports(db: &Db, id: CaseId) -> Result<Vec<Report>> {
    const READ: &str = "SELECT a.name AS reporter, r.reason, r.words, r.excerpt, r.at \
        FROM reports r JOIN accounts a ON a.id = r.reporter_id \
        WHERE r.case_id = $1 ORDER BY r.id DESC LIMIT $2";
    db.all(READ, (id, MAX_SHOWN_REPORTS)).await
}

/// How many cases of a queue are open, by room.
pub(super) async fn open_by_room(
    db: &Db,
    space: Option<SpaceId>,
) -> Result<Vec<(Option<RoomId>, i64)>> {
    const COUNT: &str = "SELECT room_id, COUNT(*) FROM report_cases \
        WHERE COALESCE(space_id, 0) = $1 AND resolved_at IS NULL GROUP BY room_id";
    db.all(COUNT, (queue(space),)).await
}

/// Resolves a case; whether it was open.
pub(super) async fn resolve(
    tx: &mut Tx,
    id: CaseId,
    by: AccountId,
    outcome: Outcome,
    note: &str,
) -> Result<bool> {
    const RESOLVE: &str = "UPDATE report_cases SET resolved_at = $2, resolved_by = $3, \
        outcome = $4, note = $5 WHERE id = $1 AND resolved_at IS NULL";
    let row = (id, Micros::now(), by, outcome, note);
    Ok(tx.execute(RESOLVE, row).await? > 0)
}

/// Who reported a case, at most a hundred of them.
pub(super) async fn reporters(tx: &mut Tx, id: CaseId) -> Result<Vec<AccountId>> {
    const READ: &str = "SELECT reporter_id FROM reports WHERE case_id = $1 \
        ORDER BY id DESC LIMIT $2";
    tx.scalars(READ, (id, MAX_REPORTERS_TOLD)).await
}
