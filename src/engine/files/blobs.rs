//! The content store: a folder, or a bucket of an S3 server. Content is named by its digest, so
//! that storing it is idempotent.

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

use super::disk::{blocking, link_into_folder, read_file};
use crate::base::error::{Error, Result};
use crate::base::settings::Settings;

/// Bytes in a part of a multipart upload to a bucket. S3 requires at least 5 MiB.
const PART_BYTES: usize = 8 << 20;
/// Parts that are sent to a bucket at the same time: with the part size, the memory of an upload.
const MAX_CONCURRENT_PARTS: usize = 2;

/// The store of contents, by digest.
pub(super) struct Blobs {
    store: Arc<dyn ObjectStore>,
    /// Set unless the store is a bucket. Files are hard-linked into the folder, not copied.
    folder: Option<PathBuf>,
}

impl Blobs {
    pub(super) fn new(settings: &Settings) -> anyhow::Result<Self> {
        if settings.s3_bucket.is_empty() {
            let folder = settings.data.join("files");
            // The folder is created with the first file.
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
        // Fails if a provider is installed already; any will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let timeout = Duration::from_secs(settings.s3_patience_seconds.max(1));
        let client = ClientOptions::new()
            .with_allow_http(settings.s3_endpoint.starts_with("http://"))
            .with_connect_timeout(timeout.min(Duration::from_secs(5)))
            // Large files take long in total: only the time without any bytes is limited.
            .with_timeout_disabled()
            .with_read_timeout(timeout);
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
                retry_timeout: timeout * 2,
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

    /// Stores the content of a complete spool file. Leaves the spool file in place, because a crash
    /// may come before the row is written; it may now be a hard link to the stored content, so
    /// nothing may be written to it any more.
    pub(super) async fn put_file(&self, digest: &str, from: &FilePath, size: u64) -> Result<()> {
        match &self.folder {
            Some(folder) => {
                let (from, folder) = (from.to_owned(), folder.join(&digest[..2]));
                let digest = digest.to_owned();
                blocking(move || link_into_folder(&from, &folder, &digest, size)).await
            }
            None => self.put_into_bucket(digest, from, size).await,
        }
    }

    async fn put_into_bucket(&self, digest: &str, from: &FilePath, size: u64) -> Result<()> {
        let path = self.path(digest)?;
        let mut file = tokio::fs::File::open(from).await?;
        let upload = self.store.put_multipart(&path).await.map_err(put_error)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
        let mut buffer = vec![0; 256 << 10];
        let sent: Result<()> = async {
            loop {
                let read = file.read(&mut buffer).await?;
                if read == 0 {
                    return Ok(());
                }
                upload
                    .wait_for_capacity(MAX_CONCURRENT_PARTS)
                    .await
                    .map_err(put_error)?;
                upload.write(&buffer[..read]);
            }
        }
        .await;
        if let Err(error) = sent {
            // The bucket's own rules delete parts that an abort fails to remove.
            let _ = upload.abort().await;
            return Err(error);
        }
        match upload.finish().await {
            // `NotFound` is the answer to a repeated request to complete the upload, when the
            // answer to the first one was lost: whether the object exists is what counts.
            Ok(_) | Err(object_store::Error::NotFound { .. }) => self.check_size(&path, size).await,
            Err(error) => Err(put_error(error)),
        }
    }

    /// Stores content from memory.
    pub(super) async fn put(&self, digest: &str, content: Bytes) -> Result<()> {
        let (path, size) = (self.path(digest)?, content.len() as u64);
        if let Some(folder) = &self.folder {
            let folder = folder.join(&digest[..2]);
            blocking(move || std::fs::create_dir_all(folder)).await?;
        }
        self.store
            .put(&path, PutPayload::from(content))
            .await
            .map_err(put_error)?;
        self.check_size(&path, size).await
    }

    /// Checks that stored content is complete, and deletes it if not: a row must not refer to
    /// content that a server truncated while reporting success.
    async fn check_size(&self, path: &Path, size: u64) -> Result<()> {
        let kept = self.store.head(path).await.map_err(put_error)?.size;
        if kept == size {
            return Ok(());
        }
        tracing::error!(%path, kept, size, "the file store keeps less than it was given");
        let _ = self.store.delete(path).await;
        Err(Error::Unavailable)
    }

    /// Streams the bytes `from..to` of content.
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
        let found = self
            .store
            .get_opts(&path, options)
            .await
            .map_err(store_error)?;
        Ok(found.into_stream())
    }

    /// Reads content of this size into memory.
    pub(super) async fn read(&self, digest: &str, size: u64) -> Result<Vec<u8>> {
        let mut all = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        let mut pieces = self.get(digest, 0, size).await?;
        while let Some(piece) = pieces.try_next().await.map_err(store_error)? {
            all.extend_from_slice(&piece);
        }
        if all.len() as u64 == size {
            Ok(all)
        } else {
            Err(Error::Unavailable)
        }
    }

    /// The size of stored content, in bytes.
    pub(super) async fn size(&self, digest: &str) -> Result<u64> {
        let found = self.store.head(&self.path(digest)?).await;
        Ok(found.map_err(store_error)?.size)
    }

    /// Deletes content, if it is stored.
    pub(super) async fn delete(&self, digest: &str) -> Result<()> {
        match self.store.delete(&self.path(digest)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(store_error(error)),
        }
    }

    /// Streams the digests of all contents that were stored more than `age` ago.
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

    /// Free bytes on the file system of the data folder; nothing if it cannot be asked.
    pub(super) fn free_bytes(data: &FilePath) -> Option<u64> {
        let stat = rustix::fs::statvfs(data).ok()?;
        Some(stat.f_bavail * stat.f_frsize)
    }
}

fn internal(error: anyhow::Error) -> Error {
    Error::Internal(error.context("the file store"))
}

/// Like [`store_error`], for writes: `NotFound` is the bucket's absence then, not the file's, and
/// so becomes `Unavailable`.
fn put_error(error: object_store::Error) -> Error {
    match store_error(error) {
        Error::NotFound => {
            tracing::warn!(
                "the file store does not find what was just put there, or there is no such bucket"
            );
            Error::Unavailable
        }
        other => other,
    }
}

/// Converts an error of the store: a full disk becomes `Full`, anything but a missing object
/// becomes `Unavailable`, which clients retry.
fn store_error(error: object_store::Error) -> Error {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && matches!(
                io.kind(),
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
            )
        {
            return Error::Full("error-disk-full");
        }
        source = error.source();
    }
    match error {
        object_store::Error::NotFound { .. } => Error::NotFound,
        other => {
            tracing::warn!(error = %other, "the file store does not answer as it should");
            Error::Unavailable
        }
    }
}
