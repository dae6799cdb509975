//! Assigning posted letters to couriers: when they are posted, when somebody did not pick one up in
//! time, and when couriers come or go. Whoever has to do with a letter may take it all the same.

use std::time::Duration;

use sqlx::FromRow;

use super::assign::{Candidate, choose};
use super::courier_rules::{self, MAX_COURIER_LOAD};
use super::letter::Letter;
use super::model::{LetterId, State, Way};
use super::shift::Shift;
use super::{ASSIGNED, Letters, store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{self, AccountId, SpaceId};
use crate::engine::jobs::{Failure, NewJob, Run, Settled};
use crate::engine::notices::{NewNotice, Recipients};

pub(super) const ASSIGN: &str = "letters.assign";
/// Letters of one run of the job.
const MAX_ASSIGNED_PER_RUN: i64 = 500;
/// Couriers of whom one is chosen for a letter, the nearest first.
const MAX_CANDIDATES: i64 = 200;
/// Until somebody is looked for again, where there is nobody.
const SEARCH_INTERVAL: Duration = Duration::from_secs(3_600);
/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

#[derive(FromRow)]
struct CandidateRow {
    account_id: AccountId,
    rank: i64,
    branch: String,
    days: i64,
    from_hour: i64,
    until_hour: i64,
    time_zone: String,
    load: i64,
}

/// The couriers who could pick a letter up at a place. Of one who pauses that is who stands in.
async fn candidates(tx: &mut Tx, letter: &Letter, at: &str) -> Result<Vec<Candidate>> {
    const READ: &str = "SELECT a.id AS account_id, c.rank, c.branch, \
        COALESCE(s.days, c.days) AS days, COALESCE(s.from_hour, c.from_hour) AS from_hour, \
        COALESCE(s.until_hour, c.until_hour) AS until_hour, a.time_zone, \
        (SELECT COUNT(*) FROM letters h WHERE h.holder_id = a.id AND h.space_id = c.space_id \
        AND h.state IN ('in_transit', 'undeliverable')) \
        + (SELECT COUNT(*) FROM letters w WHERE w.assigned_to = a.id \
        AND w.space_id = c.space_id) AS load FROM letter_couriers c \
        LEFT JOIN letter_couriers s ON s.space_id = c.space_id \
        AND s.account_id = c.substitute_id AND c.state = 'paused' AND s.state = 'active' \
        JOIN accounts a ON a.id = COALESCE(s.account_id, c.account_id) \
        JOIN members m ON m.space_id = c.space_id AND m.account_id = a.id \
        WHERE c.space_id = $1 AND (c.state = 'active' OR s.account_id IS NOT NULL) \
        AND $2 LIKE c.branch || '%' AND a.id <> $3 AND a.id <> $4 \
        AND NOT EXISTS (SELECT 1 FROM letter_lapses p WHERE p.letter_id = $5 \
        AND p.account_id = a.id) ORDER BY c.rank, LENGTH(c.branch) DESC, a.id LIMIT $6";
    let recipient = letter.recipient_id.unwrap_or(letter.author_id);
    let row = (
        letter.space_id,
        at,
        letter.author_id,
        recipient,
        letter.id,
        MAX_CANDIDATES,
    );
    let rows: Vec<CandidateRow> = tx.all(READ, row).await?;
    let candidate = |row: CandidateRow| Candidate {
        account: row.account_id,
        rank: row.rank,
        branch_length: row.branch.len(),
        shift: Shift::new(row.days, row.from_hour, row.until_hour, &row.time_zone),
        load: row.load,
    };
    Ok(rows.into_iter().map(candidate).collect())
}

/// Records that somebody did not pick a letter up in time.
async fn record_lapse(tx: &mut Tx, letter: &Letter, by: AccountId) -> Result<()> {
    const ADD: &str = "INSERT INTO letter_lapses (letter_id, account_id) VALUES ($1, $2) \
        ON CONFLICT DO NOTHING";
    const COUNT: &str = "UPDATE letter_couriers SET lapsed = lapsed + 1 \
        WHERE space_id = $1 AND account_id = $2";
    if tx.execute(ADD, (letter.id, by)).await? > 0 {
        tx.execute(COUNT, (letter.space_id, by)).await?;
    }
    Ok(())
}

impl Letters {
    /// Assigns a letter that waits to somebody, if there is somebody, and tells them.
    pub(super) async fn assign(&self, tx: &mut Tx, letter: &mut Letter, now: Micros) -> Result<()> {
        const SET: &str = "UPDATE letters SET assigned_to = $2, assigned_until = $3 WHERE id = $1";
        if letter.way != Way::Hand || letter.state != State::Posted {
            return Ok(());
        }
        let rules = courier_rules::in_tx(tx, letter.space_id).await?;
        let former = letter.assigned_to;
        let chosen = match rules.assigns {
            true => self.find_courier(tx, letter, (rules.max_load, now)).await?,
            false => None,
        };
        let until = match chosen {
            Some(_) => Micros(now.0 + rules.take_hours * HOUR),
            None => now.plus(SEARCH_INTERVAL),
        };
        tx.execute(SET, (letter.id, chosen, until)).await?;
        letter.assigned_to = chosen;
        if chosen != former {
            self.publish_moved_to(tx, letter, former);
        }
        match chosen.filter(|_| chosen != former) {
            Some(to) => self.tell_assigned(tx, letter, to).await,
            None => Ok(()),
        }
    }

    /// Near its author's door, else near where it goes.
    async fn find_courier(
        &self,
        tx: &mut Tx,
        letter: &Letter,
        (max_load, now): (i64, Micros),
    ) -> Result<Option<AccountId>> {
        let ends = super::carry::ends(tx, letter.id).await?;
        for at in [ends.from, ends.to] {
            if at.is_empty() {
                continue;
            }
            let all = candidates(tx, letter, &at).await?;
            if let Some(chosen) = choose(&all, max_load, now) {
                return Ok(Some(chosen));
            }
        }
        Ok(None)
    }

    async fn tell_assigned(&self, tx: &mut Tx, letter: &Letter, to: AccountId) -> Result<()> {
        let notice = NewNotice {
            kind: &ASSIGNED,
            item: ids::next(),
            actor: None,
            space: Some(letter.space_id),
            room: None,
            href: format!("/spaces/{}/letters/round", letter.space_id),
            text: String::new(),
            to: vec![Recipients::Accounts(vec![to])],
        };
        self.engine.notices.add(tx, notice).await
    }

    /// Assigns the letters to others that somebody should pick up who cannot any more. They did not
    /// let them wait.
    pub(super) async fn reassign_from(
        &self,
        tx: &mut Tx,
        space: SpaceId,
        from: AccountId,
    ) -> Result<()> {
        const FIND: &str = "SELECT id FROM letters WHERE assigned_to = $2 AND space_id = $1 \
            ORDER BY id LIMIT $3";
        let row = (space, from, 2 * MAX_COURIER_LOAD);
        let found: Vec<LetterId> = tx.scalars(FIND, row).await?;
        for id in found {
            let mut letter = store::lock(tx, id).await?;
            if letter.assigned_to == Some(from) {
                self.assign(tx, &mut letter, Micros::now()).await?;
            }
        }
        Ok(())
    }

    /// Has somebody looked for soon for the letters that nobody is to pick up.
    pub(super) async fn assign_waiting(&self, tx: &mut Tx, space: SpaceId) -> Result<()> {
        const DUE: &str = "UPDATE letters SET assigned_until = 0 WHERE id IN \
            (SELECT id FROM letters WHERE space_id = $1 AND way = 'hand' AND state = 'posted' \
            AND assigned_to IS NULL LIMIT $2)";
        if tx.execute(DUE, (space, MAX_ASSIGNED_PER_RUN)).await? > 0 {
            self.engine.jobs.add(tx, NewJob::new(ASSIGN, &())).await?;
        }
        Ok(())
    }

    /// Assigns a letter anew whose time has come; who did not pick it up is not assigned it again.
    async fn reassign(&self, tx: &mut Tx, id: LetterId, now: Micros) -> Result<()> {
        const UNTIL: &str = "SELECT assigned_until FROM letters WHERE id = $1";
        let mut letter = store::lock(tx, id).await?;
        let until: Option<Micros> = tx.scalar(UNTIL, (id,)).await?;
        if until.is_none_or(|at| at > now) {
            return Ok(());
        }
        if let Some(late) = letter.assigned_to {
            record_lapse(tx, &letter, late).await?;
        }
        self.assign(tx, &mut letter, now).await
    }
}

/// Assigns letters anew whose time has come, and asks the rank above about those that are late.
pub(super) async fn run(letters: Letters, run: Run, (): ()) -> Result<Settled, Failure> {
    const DUE: &str = "SELECT id FROM letters WHERE way = 'hand' AND state = 'posted' \
        AND assigned_until <= $1 ORDER BY assigned_until, id LIMIT $2";
    const LATE: &str = "SELECT id FROM letters WHERE way = 'hand' AND state = 'in_transit' \
        AND due_at <= $1 AND escalated = 0 ORDER BY due_at, id LIMIT $2";
    let (db, now) = (letters.engine.db.clone(), Micros::now());
    let due: Vec<LetterId> = db.scalars(DUE, (now, MAX_ASSIGNED_PER_RUN)).await?;
    let late: Vec<LetterId> = db.scalars(LATE, (now, MAX_ASSIGNED_PER_RUN)).await?;
    let due = due.into_iter().map(|id| (id, false));
    for (id, is_late) in due.chain(late.into_iter().map(|id| (id, true))) {
        let context = letters.clone();
        let write = db.write_queued(async move |tx: &mut Tx| match is_late {
            true => context.escalate_late(tx, id, now).await,
            false => context.reassign(tx, id, now).await,
        });
        match write.await {
            // It moved, or was erased, meanwhile.
            Ok(()) | Err(Error::Conflict(_) | Error::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    run.done()
}
