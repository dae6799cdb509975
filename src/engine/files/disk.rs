//! Operations on local files that the spool and the content store need.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::base::error::{Error, Result};

pub(super) fn remove_if_exists(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Hard-links or copies a file into a folder under the name `digest`, durably: when this returns,
/// content and name survive a power failure.
pub(super) fn link_into_folder(
    from: &Path,
    folder: &Path,
    digest: &str,
    size: u64,
) -> std::io::Result<()> {
    let (path, temporary) = (folder.join(digest), folder.join(format!("{digest}.making")));
    std::fs::create_dir_all(folder)?;
    std::fs::File::open(from)?.sync_all()?;
    // A file of another size is what a crash left of an earlier attempt.
    let is_stored = std::fs::metadata(&path).is_ok_and(|found| found.len() == size);
    if !is_stored {
        let created = remove_if_exists(&temporary).and_then(|()| {
            match std::fs::hard_link(from, &temporary) {
                Ok(()) => Ok(()),
                // Not every file system supports hard links.
                Err(_) => std::fs::copy(from, &temporary)
                    .and_then(|_| std::fs::File::open(&temporary)?.sync_all()),
            }
        });
        // Renaming is atomic: under its final name the content is complete or absent.
        if let Err(error) = created.and_then(|()| std::fs::rename(&temporary, &path)) {
            remove_if_exists(&temporary)?;
            return Err(error);
        }
    }
    std::fs::File::open(folder)?.sync_all()
}

/// Streams a range of a local file in pieces of 256 KiB, which need fewer switches to a blocking
/// thread than those of `LocalFileSystem`.
pub(super) async fn read_file(
    path: PathBuf,
    from: u64,
    to: u64,
) -> Result<BoxStream<'static, object_store::Result<Bytes>>> {
    const PIECE_BYTES: u64 = 64 << 10;
    let file = tokio::task::spawn_blocking(move || std::fs::File::open(path))
        .await
        .map_err(internal)?;
    let file = match file {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(Error::NotFound),
        file => Arc::new(file?),
    };
    let pieces = futures_util::stream::try_unfold(from, move |offset| {
        let file = file.clone();
        async move {
            if offset >= to {
                return Ok(None);
            }
            let read = tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; PIECE_BYTES.min(to - offset) as usize];
                file.read_exact_at(&mut piece, offset).map(|()| piece)
            });
            let piece = read.await.map_err(|error| object_store::Error::Generic {
                store: "folder",
                source: error.into(),
            })?;
            let piece = piece.map_err(|error| object_store::Error::Generic {
                store: "folder",
                source: error.into(),
            })?;
            let next = offset + piece.len() as u64;
            Ok(Some((Bytes::from(piece), next)))
        }
    });
    Ok(pieces.boxed())
}

/// Runs blocking file operations on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    Ok(tokio::task::spawn_blocking(work)
        .await
        .map_err(internal)??)
}

fn internal(error: tokio::task::JoinError) -> Error {
    Error::Internal(anyhow::Error::new(error).context("the file store"))
}
