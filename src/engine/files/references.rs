//! References to files: what claims one, what releases it, and the job that deletes content with
//! its last reference.

use std::time::Duration;

use super::store::{self, File};
use super::transfers::Transfers;
use super::{FileId, Files};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::module::Module;

const DELETE_CONTENT: &str = "files.forget";

pub(super) fn declare(module: Module<Transfers>) -> Module<Transfers> {
    let about = "Deletes content that no file has any more";
    let delete = JobKind::new(DELETE_CONTENT, about, delete_content);
    module.job(delete.max_attempts(8).backoff(Duration::from_secs(5)))
}

impl Files {
    /// Claims a file for what refers to it: it was uploaded by this account, and nothing else refers
    /// to it.
    ///
    /// # Errors
    /// `Invalid` (field `files`) when it is not theirs, is of another kind or place, or is part of
    /// something already.
    pub async fn claim(
        &self,
        tx: &mut Tx,
        id: FileId,
        kind: &str,
        place: i64,
        owner: AccountId,
    ) -> Result<File> {
        store::claim(tx, id, kind, place, owner).await
    }

    /// Deletes a file; its content, too, unless another file has the same.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn release(&self, tx: &mut Tx, id: FileId) -> Result<()> {
        let file = store::delete(tx, id).await?;
        for digest in file.digests() {
            self.delete_if_unused(tx, digest).await?;
        }
        Ok(())
    }

    /// Has content deleted unless a file has it. Without a key: a job that runs already may have
    /// asked before this change, and would stand for the one that asks after it.
    pub(super) async fn delete_if_unused(&self, tx: &mut Tx, digest: &str) -> Result<()> {
        self.0
            .jobs
            .add(tx, NewJob::new(DELETE_CONTENT, &digest))
            .await
            .map(drop)
    }
}

async fn delete_content(
    Transfers { files, .. }: Transfers,
    run: Run,
    digest: String,
) -> Result<Settled, Failure> {
    // Nobody may store it between the question and the deletion.
    let _turn = files.0.contents.wait(digest.clone()).await;
    let gone = digest.clone();
    let unused = files
        .0
        .db
        .write_queued(async move |tx| store::drop_blob(tx, &gone).await)
        .await?;
    if unused {
        files.0.blobs.delete(&digest).await?;
    }
    run.done()
}
