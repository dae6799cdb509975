//! Files: uploading, storing and serving them. `docs/files.md` is the guide for modules.
//!
//! An upload arrives over tus or as a form, and is appended to a spool file, so that it survives a
//! lost connection and a restart. Once complete, its content is stored under its digest (content
//! addressing: equal content is stored once) in a folder or an S3 bucket, and a row describes the
//! file. Nobody sees a picture before everything but its pixels is removed from it, such as the place
//! where it was taken, unless its sender keeps that.

mod blobs;
mod check;
mod checksum;
mod content_lock;
mod disk;
mod kind;
mod media;
mod metadata;
mod multipart;
mod multipart_body;
mod picture_job;
mod picture_memory;
mod pictures;
mod references;
mod send_permits;
mod serve;
mod small_picture;
mod spool;
mod spool_writer;
mod store;
mod sweep_job;
mod tracks;
mod transfers;
mod tus;
mod tus_headers;
mod upload_body;
mod upload_store;
mod uploads;
mod usage;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use tokio::sync::Semaphore;

use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::keyed_lock::KeyedLock;
use crate::base::settings::Settings;
use crate::engine::jobs::Jobs;
use crate::engine::module::Module;
use crate::id;
use blobs::Blobs;
pub use check::problems;
pub(super) use kind::FileRule;
pub use kind::{FileKind, FileSpec, ReadyHandler};
pub use media::Media;
pub(super) use multipart::take_form;
use send_permits::SendPermits;
pub use serve::ServeOptions;
pub use small_picture::{FileOwner, SmallPicture, StoredPictures};
use spool::Spool;
pub use store::{File, Picture};
pub(super) use transfers::Transfers;
pub(super) use tus::routes;

id!(
    /// A complete file; an upload has a random token instead, until it is complete.
    FileId
);

/// The engine's own module `files`: the jobs that process pictures, delete unused content
/// and look for damage.
pub(super) fn module() -> Module<Transfers> {
    let module = references::declare(Module::new("files"));
    check::declare(sweep_job::declare(picture_job::declare(module)))
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
    send_permits: SendPermits,
    /// MiB of memory for decoding pictures.
    picture_memory: Arc<Semaphore>,
    /// See [`lock_contents`](Files::lock_contents).
    digest_locks: KeyedLock<String>,
}

impl Files {
    /// Files of these kinds, stored where the settings say. Opens and connects to nothing yet.
    ///
    /// # Errors
    /// When the settings of the bucket are incomplete or invalid.
    ///
    /// # Panics
    /// When two kinds share a name: a programming error.
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
        let spool = Spool::new(settings.data.join("uploads"));
        let send_permits = SendPermits::new(settings.max_uploads);
        let memory_mib = settings
            .picture_memory_mib
            .min(Semaphore::MAX_PERMITS as u64);
        Ok(Self(Arc::new(Inner {
            db,
            jobs,
            settings,
            kinds: by_name,
            blobs,
            spool,
            send_permits,
            picture_memory: Arc::new(Semaphore::new(memory_mib as usize)),
            digest_locks: KeyedLock::default(),
        })))
    }

    fn kind(&self, name: &str) -> Result<&FileSpec> {
        self.0.kinds.get(name).ok_or(Error::NotFound)
    }

    /// Reads a file's row in a transaction, as [`file`](Self::file).
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn file_in(&self, tx: &mut Tx, id: FileId) -> Result<File> {
        store::file_in(tx, id).await
    }

    /// Reads the content of a file into memory. The caller checks permission, and that it is small.
    ///
    /// # Errors
    /// `Unavailable` when it cannot be read now.
    pub async fn read(&self, file: &File) -> Result<Vec<u8>> {
        let size = file.size.unsigned_abs();
        self.0.blobs.read(&file.digest, size).await
    }

    /// Reads a file's row, whether or not it is claimed. Checks no permission.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn file(&self, id: FileId) -> Result<File> {
        store::file(&self.0.db, id).await
    }
}
