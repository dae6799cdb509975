//! The job that removes everything but its pixels from an uploaded picture, and makes its smaller
//! versions.

use std::time::Duration;

use axum::body::Bytes;

use super::content_lock::ContentLock;
use super::pictures::{self, Encoded, Made};
use super::store::{self, File, Picture};
use super::transfers::Transfers;
use super::{FileId, Files, usage};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::engine::jobs::{Failure, JobKind, Run, Settled};
use crate::engine::module::Module;

pub(super) const PICTURE: &str = "files.picture";

pub(super) fn declare(module: Module<Transfers>) -> Module<Transfers> {
    let about = "Makes a picture anew, and its smaller forms";
    let kind = JobKind::new(PICTURE, about, make_picture)
        // Their memory is bounded by the setting `picture_memory_mib`, not by their number.
        .concurrency(2)
        .timeout(Duration::from_secs(120))
        // Retried for about a quarter of an hour, in case the bucket is unreachable: nobody sees
        // the picture before the job succeeds.
        .max_attempts(10)
        .backoff(Duration::from_secs(2));
    module.job(kind)
}

async fn make_picture(transfers: Transfers, run: Run, id: FileId) -> Result<Settled, Failure> {
    let files = &transfers.files;
    let file = match files.file(id).await {
        Err(Error::NotFound) => return run.done(), // deleted meanwhile
        file => file?,
    };
    let size = file.size.unsigned_abs();
    let content = files.0.blobs.read(&file.digest, size).await?;
    run.progress(1, 3);
    let opaque = files.kind(&file.kind).is_ok_and(|kind| kind.opaque);
    let made = make_in_budget(files, content, file.media.clone(), opaque).await?;
    run.progress(2, 3);
    let original = file.digest.clone();
    let stored = match made {
        Ok(made) => store_versions(files, &file, made).await?,
        Err(error) => {
            tracing::info!(%id, %error, "no picture can be made of it");
            StoredVersions::default()
        }
    };
    let rule = transfers.rule(&file.kind).ok();
    let ready = rule.and_then(|rule| rule.ready.clone());
    let files = files.clone();
    run.settle(async move |tx| {
        match set_version(tx, &files, file, &stored).await {
            // Deleted meanwhile: the new contents are unused, and deleted below.
            Err(Error::NotFound) => {}
            result => {
                result?;
                if let (Some(ready), file) = (ready, store::file_in(tx, id).await?)
                    && file.is_claimed
                {
                    ready(tx, file).await?;
                }
            }
        }
        for digest in stored.digests().chain([original.as_str()]) {
            files.delete_if_unused(tx, digest).await?;
        }
        Ok(())
    })
    .await
}

/// Stores the best version of a picture that fits the quotas: what is stored is charged when it is
/// stored. Where none fits, the file stays as it was uploaded, for download only.
async fn set_version(
    tx: &mut Tx,
    files: &Files,
    original: File,
    stored: &StoredVersions,
) -> Result<()> {
    for version in &stored.versions {
        let growth = version.file.charged - original.charged;
        let (owner, space) = (original.owner, original.space);
        if usage::fits(tx, owner, space, growth, files.quotas()).await? {
            for content in &version.contents {
                store::add_blob(tx, &content.digest, content.size, content.media).await?;
            }
            return store::set_pictures(tx, &version.file).await;
        }
    }
    if !stored.versions.is_empty() {
        tracing::info!(id = %original.id, "its picture does not fit the quota");
    }
    let picture = Picture::Failed;
    store::set_pictures(
        tx,
        &File {
            picture,
            ..original
        },
    )
    .await
}

/// Makes the versions of a picture once the server's memory budget for pictures has room for it. The inner
/// result is an error for a picture that cannot be made, or needs more than the whole budget.
pub(super) async fn make_in_budget(
    files: &Files,
    content: Vec<u8>,
    media: String,
    opaque: bool,
) -> Result<anyhow::Result<Made>, Failure> {
    let needed = match pictures::memory_needed(&content, &media) {
        Ok(needed) => needed,
        Err(error) => return Ok(Err(error.into())),
    };
    let needed_mib = u32::try_from(needed.div_ceil(1 << 20)).unwrap_or(u32::MAX);
    if u64::from(needed_mib) > files.0.settings.picture_memory_mib {
        let error = anyhow::anyhow!("it needs {needed_mib} MiB, more than picture_memory_mib");
        return Ok(Err(error));
    }
    let budget = files.0.picture_memory.clone();
    // Moves into the blocking thread: a job that timed out holds its memory until that ends.
    let permit = budget.acquire_many_owned(needed_mib).await?;
    let make = move || {
        let _permit = permit;
        pictures::make_versions(&content, &media, opaque, needed)
    };
    let made = tokio::task::spawn_blocking(make).await?;
    Ok(made.map_err(anyhow::Error::from))
}

/// What can become of a picture, best first. The contents are stored, but have no rows yet.
#[derive(Default)]
struct StoredVersions {
    versions: Vec<Version>,
    /// Keep the contents from being deleted before their rows are written.
    _lock: Option<ContentLock>,
}

impl StoredVersions {
    fn digests(&self) -> impl Iterator<Item = &str> {
        let contents = self.versions.iter().flat_map(|version| &version.contents);
        contents.map(|content| content.digest.as_str())
    }
}

struct Version {
    /// The row that the file gets.
    file: File,
    contents: Vec<Content>,
}

/// Content that is stored.
#[derive(Clone)]
struct Content {
    digest: String,
    size: i64,
    media: &'static str,
}

/// Stores the contents of a picture and of its smaller versions.
async fn store_versions(files: &Files, file: &File, made: Made) -> Result<StoredVersions> {
    let digests = [&made.full, &made.large, &made.small].map(|version| digest_of(&version.bytes));
    let lock = files.lock_contents(digests.into()).await?;
    // What its owner chose to leave as it is stays the picture in its full size.
    let full = if file.intact {
        Content {
            digest: file.digest.clone(),
            size: file.size,
            media: file.media().name(),
        }
    } else {
        store_content(files, made.full).await?
    };
    let large = store_content(files, made.large).await?;
    let small = store_content(files, made.small).await?;
    let row = File {
        picture: Picture::Made,
        width: Some(made.width.into()),
        height: Some(made.height.into()),
        blur: made.blur,
        animated: made.animated,
        large: Some(large.digest.clone()),
        small: Some(small.digest.clone()),
        ..file.clone()
    };
    let mut versions = vec![version_of(&row, &[&full, &large, &small])];
    if !file.intact {
        // Without the full size, and so without what moves.
        let still = File {
            animated: false,
            ..row
        };
        versions.push(version_of(&still, &[&large, &small]));
    }
    Ok(StoredVersions {
        versions,
        _lock: Some(lock),
    })
}

/// The version with these contents, the first of which is the file's own. Equal contents are stored
/// and charged once.
fn version_of(row: &File, contents: &[&Content]) -> Version {
    let mut contents: Vec<Content> = contents.iter().map(|content| (*content).clone()).collect();
    let own = contents[0].clone();
    contents.sort_by(|a, b| a.digest.cmp(&b.digest));
    contents.dedup_by(|a, b| a.digest == b.digest);
    let file = File {
        digest: own.digest,
        size: own.size,
        media: own.media.to_owned(),
        charged: contents.iter().map(|content| content.size).sum(),
        ..row.clone()
    };
    Version { file, contents }
}

/// Stores content unless it is stored already.
async fn store_content(files: &Files, content: Encoded) -> Result<Content> {
    let digest = digest_of(&content.bytes);
    let size = content.bytes.len() as i64;
    if !store::has_blob(&files.0.db, &digest).await? {
        let bytes = Bytes::from(content.bytes);
        files.0.blobs.put(&digest, bytes).await?;
    }
    Ok(Content {
        digest,
        size,
        media: content.media,
    })
}

pub(super) fn digest_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
