//! Where content lies: a folder, or a bucket of an S3 server. Named by its digest, so that storing
//! it twice is storing it once.

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use axum::body::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload,
    RetryConfig, WriteMultipart,
};
use tokio::io::AsyncReadExt;

use crate::base::error::{Error, Result};
use crate::base::settings::Settings;

const PIECE: usize = 8 << 20; // bytes sent to a bucket at a time; S3 takes 5 MiB at least
const AT_ONCE: usize = 2; // pieces on their way

/// The stored contents.
pub(super) struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// The folder, where it is one: content is linked into it instead of copied.
    folder: Option<PathBuf>,
}

impl Blobs {
    pub(super) fn new(settings: &Settings) -> anyhow::Result<Self> {
        if settings.s3_bucket.is_empty() {
            let folder = settings.data.join("files");
            // The folder is made with the first file.
            let store = LocalFileSystem::new().with_automatic_cleanup(false);
            return Ok(Self {
                store: Arc::new(store),
                folder: Some(std::path::absolute(folder)?),
            });
        }
        ensure!(
            !settings.s3_access_key.is_empty() && !settings.s3_secret_key.is_empty(),
            "a bucket needs s3_access_key and the secret key"
        );
        // Fails where another one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let patience = Duration::from_secs(settings.s3_patience_seconds.max(1));
        let client = ClientOptions::new()
            .with_allow_http(settings.s3_endpoint.starts_with("http://"))
            .with_connect_timeout(patience.min(Duration::from_secs(5)))
            .with_timeout_disabled() // large files take long; what says nothing is given up
            .with_read_timeout(patience);
        let backoff = BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.s3_bucket)
            .with_region(&settings.s3_region)
            .with_access_key_id(&settings.s3_access_key)
            .with_secret_access_key(&settings.s3_secret_key)
            .with_client_options(client)
            .with_retry(RetryConfig {
                backoff,
                max_retries: 2,
                retry_timeout: patience * 2,
            });
        if !settings.s3_endpoint.is_empty() {
            builder = builder.with_endpoint(&settings.s3_endpoint);
        }
        Ok(Self {
            store: Arc::new(builder.build()?),
            folder: None,
        })
    }

    fn path(&self, digest: &str) -> Result<Path> {
        let name = format!("{}/{digest}", &digest[..2.min(digest.len())]);
        match &self.folder {
            Some(folder) => {
                Path::from_absolute_path(folder.join(name)).map_err(|error| internal(error.into()))
            }
            None => Ok(Path::from(name)),
        }
    }

    /// Stores the content of a whole spool file. The spool file stays, for as long as no row says
    /// that this is stored; it may be the same file by another name, so nothing is written to it
    /// any more.
    pub(super) async fn put_file(&self, digest: &str, from: &FilePath, size: u64) -> Result<()> {
        if let Some(folder) = &self.folder {
            let (from, to) = (from.to_owned(), folder.join(&digest[..2]));
            let (name, making) = (to.join(digest), to.join(format!("{digest}.making")));
            return blocking(move || {
                std::fs::create_dir_all(&to)?;
                std::fs::File::open(&from)?.sync_all()?;
                // A name that is there holds what a crash left. Only content that is all there
                // counts.
                let is_there = std::fs::metadata(&name).is_ok_and(|found| found.len() == size);
                if !is_there {
                    let made =
                        forget(&making).and_then(|()| match std::fs::hard_link(&from, &making) {
                            Ok(()) => Ok(()),
                            // Not every file system has links.
                            Err(_) => std::fs::copy(&from, &making)
                                .and_then(|_| std::fs::File::open(&making)?.sync_all()),
                        });
                    // Under its name it is all there or not at all, whatever happens on the way.
                    if let Err(error) = made.and_then(|()| std::fs::rename(&making, &name)) {
                        forget(&making)?;
                        return Err(error);
                    }
                }
                // The name is on the disk, too, before anything refers to it.
                std::fs::File::open(&to)?.sync_all()
            })
            .await;
        }
        let path = self.path(digest)?;
        let mut file = tokio::fs::File::open(from).await?;
        let upload = self.store.put_multipart(&path).await.map_err(not_kept)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PIECE);
        let mut buffer = vec![0; 256 << 10];
        let sent: Result<()> = async {
            loop {
                let read = file.read(&mut buffer).await?;
                if read == 0 {
                    return Ok(());
                }
                upload.wait_for_capacity(AT_ONCE).await.map_err(not_kept)?;
                upload.write(&buffer[..read]);
            }
        }
        .await;
        if let Err(error) = sent {
            // What is left of it there is the bucket's to tidy: the error is what counts.
            let _ = upload.abort().await;
            return Err(error);
        }
        match upload.finish().await {
            // A second try after a lost answer finds nothing to complete: what counts is whether it
            // is there.
            Ok(_) | Err(object_store::Error::NotFound { .. }) => self.is_whole(&path, size).await,
            Err(error) => Err(not_kept(error)),
        }
    }

    /// Stores content that is in memory.
    pub(super) async fn put(&self, digest: &str, content: Bytes) -> Result<()> {
        let (path, size) = (self.path(digest)?, content.len() as u64);
        if let Some(folder) = &self.folder {
            let folder = folder.join(&digest[..2]);
            blocking(move || std::fs::create_dir_all(folder)).await?;
        }
        self.store
            .put(&path, PutPayload::from(content))
            .await
            .map_err(not_kept)?;
        self.is_whole(&path, size).await
    }

    /// A server that answered "done" and kept less is not believed.
    async fn is_whole(&self, path: &Path, size: u64) -> Result<()> {
        let kept = self.store.head(path).await.map_err(not_kept)?.size;
        if kept == size {
            return Ok(());
        }
        tracing::error!(%path, kept, size, "the file store keeps less than it was given");
        let _ = self.store.delete(path).await;
        Err(Error::Unavailable)
    }

    /// Bytes `from..to` of content, as they come.
    pub(super) async fn get(
        &self,
        digest: &str,
        from: u64,
        to: u64,
    ) -> Result<BoxStream<'static, object_store::Result<Bytes>>> {
        let path = self.path(digest)?;
        if let Some(folder) = &self.folder {
            return read_file(folder.join(&digest[..2]).join(digest), from, to).await;
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(from..to)),
            ..GetOptions::default()
        };
        let got = self.store.get_opts(&path, options).await.map_err(failed)?;
        Ok(got.into_stream())
    }

    /// All of it, of content that fits into memory.
    pub(super) async fn read(&self, digest: &str, size: u64) -> Result<Vec<u8>> {
        let mut all = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        let mut pieces = self.get(digest, 0, size).await?;
        while let Some(piece) = pieces.try_next().await.map_err(failed)? {
            all.extend_from_slice(&piece);
        }
        if all.len() as u64 == size {
            Ok(all)
        } else {
            Err(Error::Unavailable)
        }
    }

    /// Deletes content. That it is not there is fine.
    pub(super) async fn delete(&self, digest: &str) -> Result<()> {
        match self.store.delete(&self.path(digest)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// The digests of all contents that are older than `age`, as they come.
    pub(super) async fn older_than(&self, age: Duration) -> Result<BoxStream<'_, String>> {
        if let Some(folder) = &self.folder
            && !folder.exists()
        {
            return Ok(futures_util::stream::empty().boxed());
        }
        let root = match &self.folder {
            Some(folder) => {
                Some(Path::from_absolute_path(folder).map_err(|error| internal(error.into()))?)
            }
            None => None,
        };
        let before = chrono::Utc::now() - age;
        let found = self.store.list(root.as_ref());
        Ok(found
            .filter_map(move |object| async move {
                let object = object.ok().filter(|object| object.last_modified < before)?;
                object
                    .location
                    .filename()
                    .filter(|name| name.len() == 64)
                    .map(str::to_owned)
            })
            .boxed())
    }

    /// Bytes that are free where spool files, and contents in a folder, lie.
    pub(super) fn free(data: &FilePath) -> Option<u64> {
        let stat = rustix::fs::statvfs(data).ok()?;
        Some(stat.f_bavail * stat.f_frsize)
    }
}

fn forget(path: &FilePath) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A file in pieces larger than the store's own, each read on a thread that may block.
async fn read_file(
    path: PathBuf,
    from: u64,
    to: u64,
) -> Result<BoxStream<'static, object_store::Result<Bytes>>> {
    use std::os::unix::fs::FileExt;
    const PIECE: u64 = 256 << 10;
    let file = tokio::task::spawn_blocking(move || std::fs::File::open(path))
        .await
        .map_err(|error| internal(error.into()))?;
    let file = match file {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Error::NotFound),
        file => Arc::new(file?),
    };
    let pieces = futures_util::stream::try_unfold(from, move |at| {
        let file = file.clone();
        async move {
            if at >= to {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; PIECE.min(to - at) as usize];
                file.read_exact_at(&mut piece, at).map(|()| piece)
            });
            let piece = read.await.map_err(|error| object_store::Error::Generic {
                store: "folder",
                source: error.into(),
            })?;
            let piece = piece.map_err(|error| object_store::Error::Generic {
                store: "folder",
                source: error.into(),
            })?;
            let next = at + piece.len() as u64;
            Ok(Some((Bytes::from(piece), next)))
        }
    });
    Ok(pieces.boxed())
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    Ok(tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| internal(error.into()))??)
}

fn internal(error: anyhow::Error) -> Error {
    Error::Internal(error.context("the file store"))
}

/// The same while something is stored: that a bucket is not there is no fault of what was to go
/// into it.
fn not_kept(error: object_store::Error) -> Error {
    match failed(error) {
        Error::NotFound => {
            tracing::warn!(
                "the file store does not find what was just put there, or there is no such bucket"
            );
            Error::Unavailable
        }
        other => other,
    }
}

/// What a store's error means to people: a full disk is said to be full, and a server that fails
/// may be better later.
fn failed(error: object_store::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(one) = cause {
        if let Some(io) = one.downcast_ref::<std::io::Error>()
            && matches!(
                io.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            )
        {
            return Error::Full("error-disk-full");
        }
        cause = one.source();
    }
    match error {
        object_store::Error::NotFound { .. } => Error::NotFound,
        other => {
            tracing::warn!(error = %other, "the file store does not answer as it should");
            Error::Unavailable
        }
    }
}
