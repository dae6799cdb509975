//! Deleting what somebody wrote who was banned: a job, added in the transaction of the ban, so that
//! neither a restart nor a failure leaves some of it.

use std::time::Duration;

use super::Community;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::Engine;
use crate::engine::content_removal::ContentRemoval;
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::module::Module;

const REMOVE: &str = "community.remove-content";
const REMOVE_TIMEOUT: Duration = Duration::from_secs(600);

pub(super) fn declare(module: Module<Community>) -> Module<Community> {
    let about = "Deletes what somebody wrote in a space who was banned from it";
    module.job(
        JobKind::new(REMOVE, about, remove)
            .concurrency(2)
            .timeout(REMOVE_TIMEOUT)
            .max_attempts(30),
    )
}

/// Adds the job that deletes the messages of the last hours; none for zero.
///
/// # Errors
/// The database's.
pub(super) async fn add_job(
    tx: &mut Tx,
    engine: &Engine,
    (by, space, account): (AccountId, SpaceId, AccountId),
    hours: u64,
) -> Result<()> {
    if hours == 0 {
        return Ok(());
    }
    let micros = i64::try_from(hours * 3_600_000_000).unwrap_or(i64::MAX);
    let removal = ContentRemoval {
        by,
        account,
        space,
        since: Micros(Micros::now().0 - micros),
    };
    let job = NewJob::new(REMOVE, &removal).account(by);
    engine.jobs.add(tx, job).await.map(drop)
}

async fn remove(
    community: Community,
    run: Run,
    removal: ContentRemoval,
) -> Result<Settled, Failure> {
    for remover in community.engine().content_removers() {
        remover.remove(removal).await?;
    }
    run.done()
}
