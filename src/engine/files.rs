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
mod references;
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

use crate::base::db::Db;
use crate::base::error::{Error, Result};
use crate::base::keyed_lock::KeyedLock;
use crate::base::settings::Settings;
use crate::engine::jobs::Jobs;
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
    let module = references::declare(Module::new("files"));
    sweep_job::declare(picture_job::declare(module))
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

    /// A file.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn file(&self, id: FileId) -> Result<File> {
        store::file(&self.0.db, id).await
    }
}
