//! The job that re-encodes an uploaded picture from its pixels, and makes its smaller versions.

use std::time::Duration;

use axum::body::Bytes;

use super::pictures::{self, Encoded, Made};
use super::store::{self, File, Picture};
use super::transfers::Transfers;
use super::{FileId, Files};
use crate::base::error::{Error, Result};
use crate::base::keyed_lock::KeyGuard;
use crate::engine::jobs::{Failure, JobKind, Run, Settled};
use crate::engine::module::Module;

pub(super) const PICTURE: &str = "files.picture";

pub(super) fn declare(module: Module<Transfers>) -> Module<Transfers> {
    let about = "Makes a picture anew, and its smaller forms";
    let kind = JobKind::new(PICTURE, about, make_picture)
        // Decoding may take 192 MiB, see `pictures::MAX_DECODE_BYTES`.
        .concurrency(1)
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
    let media = file.media.clone();
    let opaque = files.kind(&file.kind).is_ok_and(|kind| kind.opaque);
    let reencode = move || pictures::reencode(&content, &media, opaque);
    let made = tokio::task::spawn_blocking(reencode).await?;
    run.progress(2, 3);
    let original = file.digest.clone();
    let stored = match made {
        Ok(made) => store_versions(files, file, made).await?,
        Err(error) => {
            tracing::info!(%id, %error, "no picture can be made of it");
            StoredVersions {
                file: File {
                    picture: Picture::Failed,
                    ..file
                },
                blobs: Vec::new(),
                _guards: Vec::new(),
            }
        }
    };
    let rule = transfers.rule(&stored.file.kind).ok();
    let ready = rule.and_then(|rule| rule.ready.clone());
    let files = files.clone();
    run.settle(async move |tx| {
        for (digest, size, media) in &stored.blobs {
            store::add_blob(tx, digest, *size, media).await?;
        }
        match store::set_pictures(tx, &stored.file).await {
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
        for digest in stored.file.digests().chain([original.as_str()]) {
            files.delete_if_unused(tx, digest).await?;
        }
        Ok(())
    })
    .await
}

/// A picture whose contents are stored, but not its rows yet.
struct StoredVersions {
    file: File,
    /// Digest, size in bytes and media type of each content.
    blobs: Vec<(String, i64, &'static str)>,
    /// Keep the contents from being deleted before their rows are written.
    _guards: Vec<KeyGuard>,
}

/// Stores the contents of a picture and of its smaller versions.
async fn store_versions(files: &Files, file: File, made: Made) -> Result<StoredVersions> {
    let mut digests: Vec<_> = [&made.full, &made.large, &made.small]
        .map(|version| digest_of(&version.bytes))
        .into();
    // Always locked in the same order, so that no two jobs can deadlock.
    digests.sort();
    digests.dedup();
    let mut guards = Vec::new();
    for digest in digests {
        guards.push(files.0.digest_locks.lock(digest).await);
    }
    let full = store_content(files, made.full).await?;
    let large = store_content(files, made.large).await?;
    let small = store_content(files, made.small).await?;
    let file = File {
        digest: full.0.clone(),
        size: full.1,
        media: full.2.to_owned(),
        picture: Picture::Made,
        width: Some(made.width.into()),
        height: Some(made.height.into()),
        blur: Some(made.blur),
        large: Some(large.0.clone()),
        small: Some(small.0.clone()),
        ..file
    };
    Ok(StoredVersions {
        file,
        blobs: vec![full, large, small],
        _guards: guards,
    })
}

/// Stores content unless it is stored already; returns its digest, size in bytes and media type.
async fn store_content(files: &Files, content: Encoded) -> Result<(String, i64, &'static str)> {
    let digest = digest_of(&content.bytes);
    let size = content.bytes.len() as i64;
    if !store::has_blob(&files.0.db, &digest).await? {
        let bytes = Bytes::from(content.bytes);
        files.0.blobs.put(&digest, bytes).await?;
    }
    Ok((digest, size, content.media))
}

fn digest_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
