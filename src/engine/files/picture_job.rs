//! The job that makes an uploaded picture anew from its pixels, with its smaller forms.

use std::time::Duration;

use axum::body::Bytes;

use super::pictures::{self, Encoded, Made};
use super::store::{self, File, Picture};
use super::transfers::Transfers;
use super::{FileId, Files};
use crate::base::error::{Error, Result};
use crate::engine::jobs::{Failure, JobKind, Run, Settled};
use crate::engine::module::Module;

pub(super) const PICTURE: &str = "files.picture";

pub(super) fn declare(module: Module<Transfers>) -> Module<Transfers> {
    let about = "Makes a picture anew, and its smaller forms";
    let kind = JobKind::new(PICTURE, about, make_picture)
        .concurrency(1) // each may take a good part of the machine's memory
        .timeout(Duration::from_secs(120))
        // For a quarter of an hour: nobody sees the picture before, and a bucket may be
        // unreachable for a while.
        .max_attempts(10)
        .backoff(Duration::from_secs(2));
    module.job(kind)
}

/// Content that was stored, with its digest and size.
async fn keep(files: &Files, made: Encoded) -> Result<(String, i64, &'static str)> {
    let (digest, size) = (
        blake3::hash(&made.bytes).to_hex().to_string(),
        made.bytes.len() as i64,
    );
    if !store::has_blob(&files.0.db, &digest).await? {
        files.0.blobs.put(&digest, Bytes::from(made.bytes)).await?;
    }
    Ok((digest, size, made.media))
}

async fn make_picture(transfers: Transfers, run: Run, id: FileId) -> Result<Settled, Failure> {
    let files = &transfers.files;
    let file = match files.file(id).await {
        Err(Error::NotFound) => return run.done(), // deleted meanwhile
        file => file?,
    };
    let content = files
        .0
        .blobs
        .read(&file.digest, file.size.unsigned_abs())
        .await?;
    let media = file.media.clone();
    run.progress(1, 3);
    let opaque = files.kind(&file.kind).is_ok_and(|kind| kind.opaque);
    let make = move || pictures::make(&content, &media, opaque);
    let made = tokio::task::spawn_blocking(make).await?;
    run.progress(2, 3);
    let (mut turns, mut blobs) = (Vec::new(), Vec::new());
    let original = file.digest.clone();
    let changed = match made {
        Ok(Made {
            whole,
            large,
            small,
            blur,
            width,
            height,
        }) => {
            // All turns in one order, and from before the question whether it is stored to the row
            // that needs it.
            let mut digests: Vec<_> = [&whole, &large, &small]
                .map(|one| blake3::hash(&one.bytes).to_hex().to_string())
                .into();
            digests.sort();
            digests.dedup();
            for digest in digests {
                turns.push(files.0.contents.wait(digest).await);
            }
            let (digest, size, media) = keep(files, whole).await?;
            let (large, large_size, large_media) = keep(files, large).await?;
            let (small, small_size, small_media) = keep(files, small).await?;
            blobs.extend([
                (digest.clone(), size, media),
                (large.clone(), large_size, large_media),
                (small.clone(), small_size, small_media),
            ]);
            File {
                digest,
                size,
                media: media.to_owned(),
                picture: Picture::Made,
                width: Some(width.into()),
                height: Some(height.into()),
                blur: Some(blur),
                large: Some(large),
                small: Some(small),
                ..file
            }
        }
        Err(error) => {
            tracing::info!(%id, %error, "no picture can be made of it");
            File {
                picture: Picture::Failed,
                ..file
            }
        }
    };
    let rule = transfers.rule(&changed.kind).ok();
    let ready = rule.and_then(|rule| rule.ready.clone());
    let settling = files.clone();
    let settled = run
        .settle(async move |tx| {
            for (digest, size, media) in blobs {
                store::blob(tx, &digest, size, media).await?;
            }
            match store::set_pictures(tx, &changed).await {
                Err(Error::NotFound) => {} // deleted meanwhile: what was made goes, too
                set => {
                    set?;
                    if let (Some(ready), file) = (ready, store::file_in(tx, id).await?)
                        && file.kept
                    {
                        ready(tx, file).await?;
                    }
                }
            }
            for digest in changed.digests().chain([original.as_str()]) {
                settling.delete_if_unused(tx, digest).await?;
            }
            Ok(())
        })
        .await;
    drop(turns);
    settled
}
