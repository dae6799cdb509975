//! The SQL of drifting letters: who takes them, and whom they found.

use sqlx::FromRow;

use super::drift::{Candidate, MAX_DRIFT_LANGUAGES, PAIR_REST, Tastes};
use super::letter::Letter;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};

/// Members that are looked at for one letter, those first who waited longest.
pub const MAX_DRIFT_CANDIDATES: i64 = 500;
/// What is known of a meeting is kept so long, in microseconds: longer than any letter drifts.
const MEETING_TIME: i64 = 100 * 86_400_000_000;

#[derive(FromRow)]
struct DrifterRow {
    languages: String,
    interests: String,
}

const OF: &str = "SELECT languages, interests FROM letter_drifters \
    WHERE space_id = $1 AND account_id = $2";

/// What a member chose who takes drifting letters in a space.
pub(super) async fn tastes(db: &Db, space: SpaceId, of: AccountId) -> Result<Option<Tastes>> {
    let row: Option<DrifterRow> = db.optional(OF, (space, of)).await?;
    Ok(row.map(|row| Tastes::parse(&row.languages, &row.interests)))
}

/// The same in a transaction.
pub(super) async fn tastes_in(
    tx: &mut Tx,
    space: SpaceId,
    of: AccountId,
) -> Result<Option<Tastes>> {
    let row: Option<DrifterRow> = tx.optional(OF, (space, of)).await?;
    Ok(row.map(|row| Tastes::parse(&row.languages, &row.interests)))
}

/// Locks both of two members who take drifting letters, always in the same order: two letters
/// between the same two wait for each other.
pub(super) async fn lock_both(tx: &mut Tx, space: SpaceId, both: [AccountId; 2]) -> Result<()> {
    let mut both = both;
    both.sort_unstable();
    for account in both {
        lock(tx, space, account).await?;
    }
    Ok(())
}

/// The same in a transaction, which others about the same member wait for.
pub(super) async fn lock(tx: &mut Tx, space: SpaceId, of: AccountId) -> Result<Option<Tastes>> {
    const LOCK: &str = "SELECT account_id FROM letter_drifters \
        WHERE space_id = $1 AND account_id = $2 FOR UPDATE";
    tx.lock::<(i64,)>(LOCK, (space, of)).await?;
    let row: Option<DrifterRow> = tx.optional(OF, (space, of)).await?;
    Ok(row.map(|row| Tastes::parse(&row.languages, &row.interests)))
}

/// Stores what a member chose.
pub(super) async fn join(
    tx: &mut Tx,
    space: SpaceId,
    account: AccountId,
    tastes: &Tastes,
) -> Result<()> {
    const SET: &str = "INSERT INTO letter_drifters \
        (space_id, account_id, languages, interests, since) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (space_id, account_id) DO UPDATE SET languages = excluded.languages, \
        interests = excluded.interests";
    let languages = format!(" {} ", tastes.languages.join(" "));
    let interests = tastes.interests.join("\n");
    let row = (space, account, languages, interests, Micros::now());
    tx.execute(SET, row).await?;
    Ok(())
}

/// Has a member take no drifting letters any more.
pub(super) async fn leave(tx: &mut Tx, space: SpaceId, account: AccountId) -> Result<()> {
    const DELETE: &str = "DELETE FROM letter_drifters WHERE space_id = $1 AND account_id = $2";
    tx.execute(DELETE, (space, account)).await?;
    Ok(())
}

/// How many letters of an author drift in a space, and how many were answered that they wrote or
/// found there.
macro_rules! experience_query {
    () => {
        "SELECT (SELECT COUNT(*) FROM letters WHERE author_id = $1 AND space_id = $2 \
         AND way = 'drift' AND state IN ('sealed', 'posted', 'in_transit', 'delivered', 'read')), \
         (SELECT COUNT(*) FROM letters WHERE author_id = $1 AND space_id = $2 \
         AND way = 'drift' AND state = 'replied') \
         + (SELECT COUNT(*) FROM letters WHERE recipient_id = $1 AND space_id = $2 \
         AND way = 'drift' AND state = 'replied')"
    };
}

/// Letters of an author that drift, and answered ones that they wrote or found.
pub(super) async fn experience(db: &Db, space: SpaceId, of: AccountId) -> Result<(i64, i64)> {
    db.one(experience_query!(), (of, space)).await
}

/// The same in a transaction.
pub(super) async fn experience_in(
    tx: &mut Tx,
    space: SpaceId,
    of: AccountId,
) -> Result<(i64, i64)> {
    tx.one(experience_query!(), (of, space)).await
}

#[derive(FromRow)]
struct CandidateRow {
    account_id: AccountId,
    languages: String,
    interests: String,
    found_at: Micros,
    rests_until: Micros,
    unanswered: i64,
    met_at: Option<Micros>,
    had_it: bool,
}

/// The members whom a letter may find now, and of whom one reads a language of its author.
pub(super) async fn candidates(
    tx: &mut Tx,
    letter: &Letter,
    languages: &[String],
    now: Micros,
) -> Result<Vec<Candidate>> {
    const READ: &str = "SELECT d.account_id, d.languages, d.interests, d.found_at, \
        d.rests_until, (SELECT COUNT(*) FROM letters w WHERE w.recipient_id = d.account_id \
        AND w.space_id = d.space_id AND w.way = 'drift' AND w.state IN ('delivered', 'read')) \
        AS unanswered, (SELECT MAX(t.met_at) FROM letter_meetings t \
        WHERE (t.author_id = $2 AND t.finder_id = d.account_id) \
        OR (t.finder_id = $2 AND t.author_id = d.account_id)) AS met_at, \
        EXISTS (SELECT 1 FROM letter_meetings h WHERE h.letter_id = $3 \
        AND h.finder_id = d.account_id) AS had_it FROM letter_drifters d \
        JOIN members m ON m.space_id = d.space_id AND m.account_id = d.account_id \
        WHERE d.space_id = $1 AND d.account_id <> $2 AND d.rests_until <= $4 \
        AND NOT EXISTS (SELECT 1 FROM letter_meetings p WHERE p.met_at > $5 \
        AND ((p.author_id = $2 AND p.finder_id = d.account_id) \
        OR (p.finder_id = $2 AND p.author_id = d.account_id))) \
        AND (d.languages LIKE $6 OR d.languages LIKE $7 OR d.languages LIKE $8 \
        OR d.languages LIKE $9 OR d.languages LIKE $10) \
        ORDER BY d.found_at, d.account_id LIMIT $11";
    let pattern = |at: usize| match languages.get(at) {
        Some(code) => format!("% {code} %"),
        None => String::new(),
    };
    let patterns: [String; MAX_DRIFT_LANGUAGES] = std::array::from_fn(pattern);
    let [a, b, c, d, e] = patterns;
    let row = (
        letter.space_id,
        letter.author_id,
        letter.id,
        now,
        now.0 - PAIR_REST,
        a,
        b,
        c,
        d,
        e,
        MAX_DRIFT_CANDIDATES,
    );
    let rows: Vec<CandidateRow> = tx.all(READ, row).await?;
    let candidate = |row: CandidateRow| Candidate {
        account: row.account_id,
        tastes: Tastes::parse(&row.languages, &row.interests),
        found_at: row.found_at,
        rests_until: row.rests_until,
        unanswered: row.unanswered,
        met_at: row.met_at,
        had_it: row.had_it,
    };
    Ok(rows.into_iter().map(candidate).collect())
}

/// Records that a letter found somebody, who rests for a while.
pub(super) async fn record_meeting(
    tx: &mut Tx,
    letter: &Letter,
    finder: AccountId,
    (now, rests_until): (Micros, Micros),
) -> Result<()> {
    const ADD: &str = "INSERT INTO letter_meetings (letter_id, author_id, finder_id, met_at) \
        VALUES ($1, $2, $3, $4)";
    const FOUND: &str = "UPDATE letter_drifters SET found_at = $3, rests_until = $4 \
        WHERE space_id = $1 AND account_id = $2";
    tx.execute(ADD, (letter.id, letter.author_id, finder, now))
        .await?;
    tx.execute(FOUND, (letter.space_id, finder, now, rests_until))
        .await?;
    set_recipient(tx, letter, Some(finder)).await
}

/// Has somebody rest until a time, unless they rest longer.
pub(super) async fn rest(tx: &mut Tx, space: SpaceId, of: AccountId, until: Micros) -> Result<()> {
    const SET: &str = "UPDATE letter_drifters SET rests_until = $3 \
        WHERE space_id = $1 AND account_id = $2 AND rests_until < $3";
    tx.execute(SET, (space, of, until)).await?;
    Ok(())
}

/// Stores who has a letter, if somebody has.
pub(super) async fn set_recipient(
    tx: &mut Tx,
    letter: &Letter,
    to: Option<AccountId>,
) -> Result<()> {
    const SET: &str = "UPDATE letters SET recipient_id = $2 WHERE id = $1";
    tx.execute(SET, (letter.id, to)).await?;
    Ok(())
}

/// Stores when the tide comes next for a letter.
pub(super) async fn set_next(tx: &mut Tx, letter: &Letter, at: Micros) -> Result<()> {
    const SET: &str = "UPDATE letters SET arrives_at = $2 WHERE id = $1";
    tx.execute(SET, (letter.id, at)).await?;
    Ok(())
}

/// Deletes what is known of meetings long ago.
pub(super) async fn forget_meetings(tx: &mut Tx, now: Micros) -> Result<()> {
    const DELETE: &str = "DELETE FROM letter_meetings WHERE met_at < $1";
    tx.execute(DELETE, (now.0 - MEETING_TIME,)).await?;
    Ok(())
}
