//! Letters by hand that wait too long expire: those that were never posted, and those that no
//! courier took. Every night, a bounded number at a time.

use super::carry::CARRY_TIME;
use super::journey::Move;
use super::model::{Actor, LetterId, Step};
use super::{Letters, drift_store, scan_keys, store, suggestions};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::engine::jobs::{Failure, Run, Settled};

pub(super) const EXPIRE: &str = "letters.expire";
/// After this time without being picked up a letter expires, in microseconds: 60 days.
const WAIT: i64 = 60 * 86_400_000_000;
/// Letters of one night.
const MAX_EXPIRED_PER_NIGHT: i64 = 1_000;

pub(super) async fn run(letters: Letters, run: Run, (): ()) -> Result<Settled, Failure> {
    const FIND: &str = "SELECT id FROM letters WHERE way = 'hand' \
        AND ((state = 'sealed' AND sealed_at < $1) OR (state = 'posted' AND due_at < $2)) \
        ORDER BY id LIMIT $3";
    let before = Micros(Micros::now().0 - WAIT);
    // Of a posted one the due time is counted from when it began to wait.
    let due = before.plus(CARRY_TIME);
    let db = letters.engine.db.clone();
    let row = (before, due, MAX_EXPIRED_PER_NIGHT);
    let found: Vec<LetterId> = db.scalars(FIND, row).await?;
    for id in found {
        let context = letters.clone();
        let write = db.write_queued(async move |tx: &mut Tx| {
            let mut letter = store::lock(tx, id).await?;
            let expire = Move::new(Step::Expire, Actor::Clock, None);
            context.advance(tx, &mut letter, expire).await
        });
        match write.await {
            // It moved, or was erased, meanwhile.
            Ok(()) | Err(Error::Conflict(_) | Error::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let forget = async move |tx: &mut Tx| {
        scan_keys::forget(tx, Micros::now()).await?;
        suggestions::forget(tx, Micros::now()).await?;
        drift_store::forget_meetings(tx, Micros::now()).await
    };
    db.write_queued(forget).await?;
    run.done()
}
