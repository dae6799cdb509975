//! The job that deletes expired uploads, unclaimed files, and what crashes left on disk.

use std::time::Duration;

use futures_util::StreamExt;

use super::transfers::Transfers;
use super::{Files, store, upload_store};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::engine::jobs::{Failure, JobKind, Run, Schedule, Settled};
use crate::engine::module::Module;

const SWEEP: &str = "files.sweep";

pub(super) fn declare(module: Module<Transfers>) -> Module<Transfers> {
    let sweep = JobKind::new(
        SWEEP,
        "Deletes uploads that ended half-way, and what nothing refers to",
        sweep,
    );
    module
        .job(sweep.concurrency(1).timeout(Duration::from_secs(3600)))
        .schedule(Schedule::new(SWEEP, "*/10 * * * *"))
}

async fn sweep(Transfers { files, .. }: Transfers, run: Run, (): ()) -> Result<Settled, Failure> {
    let ttl = Duration::from_secs(files.0.settings.upload_hours * 3600);
    let now = Micros::now();
    for id in upload_store::expired(&files.0.db, now).await? {
        files.end_upload(&id).await?;
    }
    let ttl_micros = i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX);
    delete_unclaimed(&files, Micros(now.0.saturating_sub(ttl_micros))).await?;
    delete_orphans(&files, ttl * 2).await?;
    run.done()
}

async fn delete_unclaimed(files: &Files, before: Micros) -> Result<()> {
    for id in store::unclaimed(&files.0.db, before).await? {
        let sweeping = files.clone();
        files
            .0
            .db
            .write_queued(async move |tx| {
                let Some(file) = store::delete_unclaimed(tx, id).await? else {
                    return Ok(());
                };
                for digest in file.digests() {
                    sweeping.delete_if_unused(tx, digest).await?;
                }
                Ok(())
            })
            .await?;
    }
    Ok(())
}

/// Deletes spool files and contents without a row: a crash came between writing one and the other.
/// Young ones are left alone, as their row may be about to be written.
async fn delete_orphans(files: &Files, age: Duration) -> Result<()> {
    for id in files.0.spool.older_than(age).await? {
        if matches!(
            upload_store::get(&files.0.db, &id).await,
            Err(Error::NotFound)
        ) {
            files.0.spool.delete(&id).await?;
        }
    }
    let mut old = files.0.blobs.older_than(age).await?;
    while let Some(digest) = old.next().await {
        if !store::has_blob(&files.0.db, &digest).await? {
            // Checked again under the lock: an upload of the same content may just be stored.
            let _guard = files.lock_contents(vec![digest.clone()]).await?;
            if !store::has_blob(&files.0.db, &digest).await? {
                files.0.blobs.delete(&digest).await?;
            }
        }
    }
    Ok(())
}
