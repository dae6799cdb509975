//! The job that deletes what was left over: by uploads that ended half-way, and by crashes.

use std::time::Duration;

use futures_util::StreamExt;

use super::transfers::Transfers;
use super::{store, upload_store};
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
    let life = Duration::from_secs(files.0.settings.upload_hours * 3600);
    let now = Micros::now();
    for id in upload_store::expired(&files.0.db, now).await? {
        files.end_upload(&id).await?;
    }
    let past = Micros(
        now.0
            .saturating_sub(i64::try_from(life.as_micros()).unwrap_or(i64::MAX)),
    );
    for id in store::unkept(&files.0.db, past).await? {
        let sweeping = files.clone();
        files
            .0
            .db
            .write_queued(async move |tx| {
                let Some(file) = store::delete_unkept(tx, id).await? else {
                    return Ok(());
                };
                for digest in file.digests() {
                    sweeping.delete_if_unused(tx, digest).await?;
                }
                Ok(())
            })
            .await?;
    }
    // What a crash left between a file and its row, either way.
    for id in files.0.spool.older_than(life * 2).await? {
        if matches!(
            upload_store::get(&files.0.db, &id).await,
            Err(Error::NotFound)
        ) {
            files.0.spool.forget(&id).await?;
        }
    }
    let mut old = files.0.blobs.older_than(life * 2).await?;
    while let Some(digest) = old.next().await {
        if !store::has_blob(&files.0.db, &digest).await? {
            let _turn = files.0.contents.wait(digest.clone()).await;
            if !store::has_blob(&files.0.db, &digest).await? {
                files.0.blobs.delete(&digest).await?;
            }
        }
    }
    run.done()
}
