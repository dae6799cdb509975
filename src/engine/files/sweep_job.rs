//! The jobs that delete: content that no file has any more, and what was left over.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;

use super::Files;
use super::store;
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::engine::jobs::{Failure, JobKind, Run, Schedule, Settled};
use crate::engine::module::Module;

pub(super) const DELETE_CONTENT: &str = "files.forget";
const SWEEP: &str = "files.sweep";

pub(super) fn declare(module: Module<Files>) -> Module<Files> {
    module
        .job(|files| {
            let about = "Deletes content that no file has any more";
            JobKind::new(files, DELETE_CONTENT, about, forget_content)
                .attempts(8)
                .backoff(Duration::from_secs(5))
        })
        .job(|files| {
            let about = "Deletes uploads that ended half-way, and what nothing refers to";
            JobKind::new(files, SWEEP, about, |files, run, ()| sweep_all(files, run))
                .at_once(1)
                .limit(Duration::from_secs(3600))
        })
        .schedule(Schedule::new(SWEEP, "*/10 * * * *"))
}

async fn forget_content(files: Files, run: Run, digest: String) -> Result<Settled, Failure> {
    let files_then: Arc<Files> = Arc::new(files.clone());
    // Nobody may store it between the question and the deletion.
    let _turn = files.0.contents.wait(digest.clone()).await;
    let gone = digest.clone();
    let unused = files_then
        .0
        .db
        .write_queued(async move |tx| store::drop_blob(tx, &gone).await)
        .await?;
    if unused {
        files.0.blobs.delete(&digest).await?;
    }
    run.done()
}

async fn sweep_all(files: Files, run: Run) -> Result<Settled, Failure> {
    let life = Duration::from_secs(files.0.settings.upload_hours * 3600);
    let now = Micros::now();
    for id in store::expired(&files.0.db, now).await? {
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
                    sweeping.forget_content(tx, digest).await?;
                }
                Ok(())
            })
            .await?;
    }
    // What a crash left between a file and its row, either way.
    for id in files.0.spool.older_than(life * 2).await? {
        if matches!(store::upload(&files.0.db, &id).await, Err(Error::NotFound)) {
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
