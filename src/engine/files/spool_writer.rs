//! Appending to the spool file of one upload, hashing it on the way.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::OwnedMutexGuard;

use super::checksum::Checksum;
use super::disk::blocking;
use super::metadata::{self, Cleared};
use super::spool::UploadLock;
use crate::base::error::{Error, Result};

/// Bytes gathered for one write.
const BUFFER_BYTES: usize = 512 << 10;

/// The hash of the beginning of a spool file, continued with every append so that the file need not
/// be read again at the end.
#[derive(Clone, Default)]
pub(super) struct HashState {
    hasher: blake3::Hasher,
    /// How many bytes from the start of the file are hashed.
    hashed: u64,
}

/// Exclusive access to the spool file of one upload.
pub(super) struct SpoolWriter {
    lock: Arc<UploadLock>,
    hash: OwnedMutexGuard<HashState>,
    path: PathBuf,
}

/// The spool file of a running append, with what is not written yet.
struct Appending {
    file: Arc<File>,
    /// Where the buffer belongs: all bytes before it are written.
    offset: u64,
    buffer: Vec<u8>,
}

/// Why an append stopped reading its body.
enum BodyEnd {
    /// The body ended: all of it was read.
    Complete,
    /// The connection broke or went idle, or another request waits for the lock.
    Interrupted,
    /// The body is longer than what the upload has left.
    TooLarge,
    WriteFailed(Error),
}

impl SpoolWriter {
    pub(super) fn new(
        lock: Arc<UploadLock>,
        hash: OwnedMutexGuard<HashState>,
        path: PathBuf,
    ) -> Self {
        Self { lock, hash, path }
    }

    /// The length of the spool file, in bytes: the offset of the upload.
    pub(super) async fn length(&self) -> Result<u64> {
        let path = self.path.clone();
        blocking(move || match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            data => data.map(|data| Some(data.len())),
        })
        .await?
        .ok_or(Error::NotFound)
    }

    /// Appends a body at `from`, up to a file length of `size`; returns the new length. A body that
    /// breaks off is no error, and the part that arrived is written.
    ///
    /// # Errors
    /// `TooLarge` when the body is longer, after writing what fits; `Full` when the disk is;
    /// `Conflict` when the body breaks off or does not match its checksum. With a checksum, nothing
    /// of a body stays that could not be compared with it.
    pub(super) async fn append<S, E>(
        &mut self,
        from: u64,
        size: u64,
        mut checksum: Option<Checksum>,
        body: S,
    ) -> Result<u64>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    {
        let path = self.path.clone();
        let file = blocking(move || OpenOptions::new().write(true).open(path)).await?;
        let mut appending = Appending {
            file: Arc::new(file),
            offset: from,
            buffer: Vec::with_capacity(BUFFER_BYTES),
        };
        let hash_before = self.hash.clone();
        let mut end = self
            .receive(&mut appending, size, checksum.as_mut(), body)
            .await;
        if let Err(error) = self.flush(&mut appending).await {
            end = BodyEnd::WriteFailed(error);
        }
        let is_complete = matches!(end, BodyEnd::Complete);
        let must_undo = match (checksum, &end) {
            (None, _) => false,
            (Some(_), BodyEnd::WriteFailed(_)) => true,
            (Some(checksum), _) => !is_complete || !checksum.matches(),
        };
        if must_undo {
            self.truncate(from).await?;
            *self.hash = hash_before;
        }
        match end {
            BodyEnd::WriteFailed(error) => Err(error),
            _ if must_undo => Err(Error::Conflict("error-checksum")),
            BodyEnd::TooLarge => Err(Error::TooLarge("error-upload-longer", size)),
            BodyEnd::Complete | BodyEnd::Interrupted => Ok(appending.offset),
        }
    }

    /// Reads a body and writes it a buffer at a time. The last buffer is left to be flushed.
    async fn receive<S, E>(
        &mut self,
        appending: &mut Appending,
        size: u64,
        mut checksum: Option<&mut Checksum>,
        mut body: S,
    ) -> BodyEnd
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    {
        loop {
            if self.lock.has_waiter() {
                return BodyEnd::Interrupted;
            }
            let received = tokio::select! {
                biased;
                () = self.lock.new_waiter() => continue,
                received = body.next() => received,
            };
            let piece = match received {
                Some(Ok(piece)) => piece,
                None => return BodyEnd::Complete,
                Some(Err(_)) => return BodyEnd::Interrupted,
            };
            let length = appending.offset + (appending.buffer.len() + piece.len()) as u64;
            if length > size {
                return BodyEnd::TooLarge;
            }
            if let Some(checksum) = &mut checksum {
                checksum.update(&piece);
            }
            appending.buffer.extend_from_slice(&piece);
            if appending.buffer.len() >= BUFFER_BYTES
                && let Err(error) = self.flush(appending).await
            {
                return BodyEnd::WriteFailed(error);
            }
        }
    }

    /// Writes the buffer and hashes it on the same blocking thread. The buffer is empty afterwards,
    /// also when the write failed.
    async fn flush(&mut self, appending: &mut Appending) -> Result<()> {
        if appending.buffer.is_empty() {
            return Ok(());
        }
        let (file, offset) = (appending.file.clone(), appending.offset);
        let mut buffer = std::mem::take(&mut appending.buffer);
        let mut state = std::mem::take(&mut *self.hash);
        let (state, written) = tokio::task::spawn_blocking(move || {
            let written = file.write_all_at(&buffer, offset);
            if written.is_ok() && state.hashed == offset {
                state.hasher.update(&buffer);
                state.hashed += buffer.len() as u64;
            }
            (state, written.map(|()| buffer))
        })
        .await
        .map_err(|error| Error::Internal(error.into()))?;
        *self.hash = state;
        buffer = written?;
        appending.offset += buffer.len() as u64;
        buffer.clear();
        appending.buffer = buffer;
        Ok(())
    }

    /// Removes everything after `length` bytes.
    pub(super) async fn truncate(&mut self, length: u64) -> Result<()> {
        if self.hash.hashed > length {
            *self.hash = HashState::default();
        }
        let path = self.path.clone();
        blocking(move || OpenOptions::new().write(true).open(path)?.set_len(length)).await
    }

    /// The BLAKE3 digest of the whole file of `size` bytes, in hexadecimal, and its first `head`
    /// bytes. Reads only what was not hashed while it was appended: all of it after a restart.
    pub(super) async fn digest(&mut self, size: u64, head: usize) -> Result<(String, Vec<u8>)> {
        let path = self.path.clone();
        let mut state = std::mem::take(&mut *self.hash);
        let (state, head) = blocking(move || {
            let file = File::open(path)?;
            let mut buffer = vec![0; BUFFER_BYTES];
            while state.hashed < size {
                let length = usize::try_from(size - state.hashed)
                    .unwrap_or(BUFFER_BYTES)
                    .min(BUFFER_BYTES);
                file.read_exact_at(&mut buffer[..length], state.hashed)?;
                state.hasher.update(&buffer[..length]);
                state.hashed += length as u64;
            }
            let head = usize::try_from(size).unwrap_or(head).min(head);
            file.read_exact_at(&mut buffer[..head], 0)?;
            buffer.truncate(head);
            Ok((state, buffer))
        })
        .await?;
        let digest = state.hasher.finalize().to_hex().to_string();
        *self.hash = state;
        Ok((digest, head))
    }

    /// Removes the metadata of the complete file and returns as [`digest`](Self::digest).
    ///
    /// # Errors
    /// `Invalid` (field `files`) when it cannot be removed.
    pub(super) async fn digest_without_metadata(
        &mut self,
        size: u64,
        head: usize,
    ) -> Result<(String, Vec<u8>)> {
        let (digest, start) = self.digest(size, head).await?;
        match self.clear_metadata(size, start.clone()).await? {
            Cleared::Unchanged => Ok((digest, start)),
            Cleared::Changed => self.digest(size, head).await,
            Cleared::Impossible => Err(Error::field("files", "error-file-location")),
        }
    }

    /// Overwrites the metadata in the complete file of `size` bytes, which begins with `head`.
    async fn clear_metadata(&mut self, size: u64, head: Vec<u8>) -> Result<Cleared> {
        let path = self.path.clone();
        let cleared = blocking(move || {
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            metadata::clear(&file, size, &head)
        });
        let cleared = cleared.await?;
        if cleared == Cleared::Changed {
            *self.hash = HashState::default();
        }
        Ok(cleared)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}
