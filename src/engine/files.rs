//! Files: what people put somewhere, from the first byte of an upload to the last one that is
//! served. `docs/files.md` says how a module uses them.
//!
//! An upload comes in pieces over tus (or as a form) into a spool file, so that it survives a lost
//! network and a restart. When it is whole its content is stored once by its digest, in a folder or
//! a bucket, and a file is a row that names it. A picture is shown as it was made anew from its
//! pixels: what else was in it is gone.

mod blobs;
mod checksum;
mod kind;
mod media;
mod multipart;
mod picture_job;
mod pictures;
mod serve;
mod spool;
mod store;
mod sweep_job;
mod transfers;
mod tus;
mod upload_store;
mod uploads;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;

use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::keyed_lock::KeyedLock;
use crate::base::settings::Settings;
use crate::engine::jobs::{Jobs, NewJob};
use crate::engine::module::Module;
use crate::id;
use blobs::Blobs;
pub(super) use kind::FileRule;
pub use kind::{FileKind, FileSpec, ReadyHandler};
pub use media::Media;
pub(super) use multipart::take_form;
use spool::Spool;
pub use store::{File, Picture};
pub(super) use transfers::Transfers;
pub(super) use tus::routes;

id!(
    /// A file.
    FileId
);

/// The engine's own module: the jobs that work on files.
pub(super) fn module() -> Module<Transfers> {
    sweep_job::declare(picture_job::declare(Module::new("files")))
}

/// The files of one server. Cheap to clone.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

struct Inner {
    db: Db,
    jobs: Jobs,
    settings: Arc<Settings>,
    kinds: BTreeMap<&'static str, FileSpec>,
    blobs: Blobs,
    spool: Spool,
    /// Who stores, or forgets, the content of a digest.
    contents: KeyedLock<String>,
}

impl Files {
    /// Files of these kinds, stored where the settings say. Nothing is opened before it is needed.
    ///
    /// # Errors
    /// When the settings of the bucket contradict each other.
    ///
    /// # Panics
    /// When two kinds share a name: a mistake of the program.
    pub fn new(
        settings: Arc<Settings>,
        db: Db,
        jobs: Jobs,
        kinds: impl IntoIterator<Item = FileSpec>,
    ) -> anyhow::Result<Self> {
        let mut by_name = BTreeMap::new();
        for kind in kinds {
            let name = kind.name;
            let is_new = by_name.insert(name, kind).is_none();
            assert!(is_new, "the kind of files {name} is declared twice");
        }
        let blobs = Blobs::new(&settings).context("where files are kept")?;
        let spool = Spool::new(settings.data.join("uploads"), settings.max_uploads);
        Ok(Self(Arc::new(Inner {
            db,
            jobs,
            settings,
            kinds: by_name,
            blobs,
            spool,
            contents: KeyedLock::default(),
        })))
    }

    fn kind(&self, name: &str) -> Result<&FileSpec> {
        self.0.kinds.get(name).ok_or(Error::NotFound)
    }

    /// Has a file stay, as part of what refers to it: it was put there by this account, and nothing
    /// else refers to it.
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

    /// Forgets a file; its content, too, unless another file has it.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn release(&self, tx: &mut Tx, id: FileId) -> Result<()> {
        let file = store::delete(tx, id).await?;
        for digest in file.digests() {
            self.forget_content(tx, digest).await?;
        }
        Ok(())
    }

    /// Has content deleted unless a file has it. Without a key: a job that runs already may have
    /// asked before this change, and would stand for the one that asks after it.
    async fn forget_content(&self, tx: &mut Tx, digest: &str) -> Result<()> {
        self.0
            .jobs
            .add(tx, NewJob::new(sweep_job::DELETE_CONTENT, &digest))
            .await
            .map(drop)
    }

    /// A file.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn file(&self, id: FileId) -> Result<File> {
        store::file(&self.0.db, id).await
    }
}
