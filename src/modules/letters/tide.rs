//! The tide: a durable job for each letter takes it at one time and delivers it at another, also
//! when the server was down in between.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::journey::Move;
use super::letter::Letter;
use super::model::{Actor, Kind, LetterId, State, Step, Way};
use super::settings::check_takes_letters;
use super::{Letters, store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::engine::jobs::{Failure, NewJob, Run, Settled};

pub(super) const MOVE: &str = "letters.move";
/// Clocks of two instances differ a little.
const TOLERANCE: Duration = Duration::from_secs(5);

/// Until a letter of a deleted space is looked at again.
const DELETED_SPACE_WAIT: Duration = Duration::from_secs(86_400);

/// The payload of the job.
#[derive(Serialize, Deserialize)]
pub(super) struct MoveLetter {
    letter: LetterId,
}

/// Has the tide come for a letter at a time.
pub(super) async fn schedule(
    letters: &Letters,
    tx: &mut Tx,
    letter: &Letter,
    at: Micros,
) -> Result<()> {
    let payload = MoveLetter { letter: letter.id };
    let job = NewJob::new(MOVE, &payload)
        .account(letter.author_id)
        .after(at.since(Micros::now()));
    let job = letters.engine.jobs.add(tx, job).await?;
    store::set_job(tx, letter.id, Some(job)).await
}

/// Takes a letter, or delivers it. What it did not wait for, or that has come already, is left.
pub(super) async fn run(letters: Letters, run: Run, job: MoveLetter) -> Result<Settled, Failure> {
    let effect = async move |tx: &mut Tx| {
        let mut letter = match store::lock(tx, job.letter).await {
            Ok(letter) => letter,
            Err(Error::NotFound) => return Ok(()),
            Err(error) => return Err(error),
        };
        let now = Micros::now().plus(TOLERANCE);
        let is_due = |at: Option<Micros>| at.is_some_and(|at| at <= now);
        if letter.way == Way::Hand {
            return Ok(());
        }
        if letter.state == State::Posted && is_due(letter.departs_at) {
            let take = Move::new(Step::Take, Actor::Clock, None);
            letters.advance(tx, &mut letter, take).await?;
        }
        let drifts = letter.way == Way::Drift && is_due(letter.arrives_at);
        match letter.state {
            State::InTransit | State::Delivered | State::Read if drifts => {
                letters.drift(tx, &mut letter, Micros::now()).await
            }
            State::InTransit if is_due(letter.arrives_at) => letters.deliver(tx, &mut letter).await,
            State::Posted | State::InTransit => {
                let at = match letter.state {
                    State::Posted => letter.departs_at,
                    _ => letter.arrives_at,
                };
                schedule(&letters, tx, &letter, at.unwrap_or(now)).await
            }
            _ => Ok(()),
        }
    };
    run.settle(effect).await
}

impl Letters {
    /// Delivers a letter whose time has come; it goes back when one of both left the space, it was
    /// taken down, or its recipient takes no letters of its author any more.
    async fn deliver(&self, tx: &mut Tx, letter: &mut Letter) -> Result<()> {
        const AUTHOR: &str =
            "SELECT EXISTS (SELECT 1 FROM members WHERE space_id = $1 AND account_id = $2)";
        const IS_DELETED: &str =
            "SELECT EXISTS (SELECT 1 FROM spaces WHERE id = $1 AND deleted_at IS NOT NULL)";
        if tx.scalar(IS_DELETED, (letter.space_id,)).await? {
            // It may be brought back.
            return schedule(self, tx, letter, Micros::now().plus(DELETED_SPACE_WAIT)).await;
        }
        let is_member: bool = tx
            .scalar(AUTHOR, (letter.space_id, letter.author_id))
            .await?;
        let is_taken = match (letter.kind, letter.recipient_id) {
            _ if !is_member || letter.hidden_at.is_some() => Err(Error::NotFound),
            (Kind::Open, _) => Ok(()),
            (_, None) => Err(Error::NotFound),
            (_, Some(to)) => check_takes_letters(tx, letter, to).await,
        };
        match is_taken {
            Ok(()) => {
                let deliver = Move::new(Step::Deliver, Actor::Clock, None);
                self.advance(tx, letter, deliver).await
            }
            Err(Error::NotFound | Error::Conflict(_)) => {
                let fail = Move::new(Step::Fail, Actor::Clock, None);
                self.advance(tx, letter, fail).await?;
                let back = Move::new(Step::Return, Actor::Clock, None);
                self.advance(tx, letter, back).await
            }
            Err(error) => Err(error),
        }
    }
}
