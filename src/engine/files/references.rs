//! References to files: claiming one, releasing it, and the job that deletes content with its last
//! reference.

use std::time::Duration;

use super::store::{self, File, Picture};
use super::transfers::Transfers;
use super::{FileId, Files, usage};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::module::Module;

const DELETE_CONTENT: &str = "files.forget";

pub(super) fn declare(module: Module<Transfers>) -> Module<Transfers> {
    let about = "Deletes content that no file has any more";
    let delete = JobKind::new(DELETE_CONTENT, about, delete_content);
    module.job(delete.max_attempts(8).backoff(Duration::from_secs(5)))
}

impl Files {
    /// Claims an uploaded file for the row that refers to it, in the transaction that writes that
    /// row. From then on `may_read` decides who may read it, and the sweep job leaves it alone.
    ///
    /// # Errors
    /// `Invalid` (field `files`) when the file belongs to another account, has another kind or
    /// target, or is claimed already.
    pub async fn claim(
        &self,
        tx: &mut Tx,
        id: FileId,
        kind: &str,
        target: i64,
        owner: AccountId,
    ) -> Result<File> {
        store::claim(tx, id, kind, target, owner).await
    }

    /// Adds another file with the content and the name of one, claimed, in the transaction that
    /// writes the row that refers to it. It counts against the quotas of its owner and space.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` while its pictures are made; `Full` when a quota is exceeded.
    pub async fn copy(
        &self,
        tx: &mut Tx,
        id: FileId,
        target: i64,
        owner: AccountId,
        space: Option<SpaceId>,
    ) -> Result<File> {
        let file = store::file_in(tx, id).await?;
        if file.picture == Picture::Waiting {
            return Err(Error::Conflict("error-file-waiting"));
        }
        usage::add(tx, owner, space, file.charged, Some(self.quotas())).await?;
        store::add_copy(tx, id, target, owner, space).await
    }

    /// Deletes a file, in the transaction that deletes the row that referred to it. A job deletes
    /// its content afterwards, unless another file has the same.
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

    /// Adds the job that deletes content unless a file has it. The job has no unique key: one that
    /// already runs may have checked before this transaction commits, so it must not replace the
    /// check after it.
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
    // Held so that nobody stores the content again between its row's deletion and its own.
    let _guard = files.lock_contents(vec![digest.clone()]).await?;
    let unused = digest.clone();
    let is_deleted = files
        .0
        .db
        .write_queued(async move |tx| store::delete_blob_if_unused(tx, &unused).await)
        .await?;
    if is_deleted {
        files.0.blobs.delete(&digest).await?;
    }
    run.done()
}
