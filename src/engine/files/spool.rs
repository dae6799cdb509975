//! The spool: what has come of each upload, in a file of its own. Its length is how far the upload
//! has come, so that is true after any crash.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::{Mutex as Turn, Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::blobs::blocking;
use super::checksum::Checksum;
use crate::base::error::{Error, Result};

const BUFFER: usize = 512 << 10; // bytes gathered for one write
// A sender who sends nothing for so long is gone.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// The folder, and who is writing in it.
pub(super) struct Spool {
    folder: PathBuf,
    writing: Mutex<HashMap<String, Weak<Upload>>>,
    places: Arc<Semaphore>,
}

/// An upload that someone writes or asks about.
struct Upload {
    turn: Arc<Turn<State>>,
    /// How many want the turn: who sends over a connection that died lets go of it then.
    waiting: AtomicUsize,
    /// Rung with each.
    wanted: Notify,
}

/// What is known of a spool file without reading it.
#[derive(Clone, Default)]
pub(super) struct State {
    hasher: blake3::Hasher,
    /// How much of the file the hasher has seen.
    hashed: u64,
}

/// One of those who wait, as long as it does.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The turn to write to one upload.
pub(super) struct Writing {
    upload: Arc<Upload>,
    state: OwnedMutexGuard<State>,
    path: PathBuf,
}

impl Spool {
    pub(super) fn new(folder: PathBuf, at_once: usize) -> Self {
        Self {
            folder,
            writing: Mutex::default(),
            places: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// A place among those who may send at once.
    ///
    /// # Errors
    /// `Unavailable` when there is none.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit> {
        self.places
            .clone()
            .try_acquire_owned()
            .map_err(|_| Error::Unavailable)
    }

    pub(super) fn path(&self, id: &str) -> PathBuf {
        self.folder.join(id)
    }

    /// An empty file for a new upload.
    pub(super) async fn create(&self, id: &str) -> Result<()> {
        let (folder, path) = (self.folder.clone(), self.path(id));
        blocking(move || {
            std::fs::create_dir_all(folder)?;
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(path)
                .map(drop)
        })
        .await
    }

    /// The turn to write to an upload, once whoever has it lets go, which is soon.
    pub(super) async fn turn(&self, id: &str) -> Writing {
        let upload = {
            let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            match writing.get(id).and_then(Weak::upgrade) {
                Some(upload) => upload,
                None => {
                    writing.retain(|_, upload| upload.strong_count() > 0);
                    let upload = Arc::new(Upload {
                        turn: Arc::default(),
                        waiting: AtomicUsize::new(0),
                        wanted: Notify::new(),
                    });
                    writing.insert(id.to_owned(), Arc::downgrade(&upload));
                    upload
                }
            }
        };
        upload.waiting.fetch_add(1, Ordering::AcqRel);
        let counted = Counted(&upload.waiting); // also when whoever waits goes away
        upload.wanted.notify_one();
        let state = upload.turn.clone().lock_owned().await;
        drop(counted);
        Writing {
            upload,
            state,
            path: self.path(id),
        }
    }

    /// Forgets what has come of an upload. That there is nothing is fine.
    pub(super) async fn forget(&self, id: &str) -> Result<()> {
        let path = self.path(id);
        blocking(move || match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    /// Names of all spool files that have not changed for so long.
    pub(super) async fn older_than(&self, age: Duration) -> Result<Vec<String>> {
        let folder = self.folder.clone();
        blocking(move || {
            let entries = match std::fs::read_dir(folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            let is_old = |entry: &std::fs::DirEntry| {
                let changed = entry.metadata().and_then(|data| data.modified());
                changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|passed| passed > age))
            };
            Ok(entries
                .flatten()
                .filter(is_old)
                .filter_map(|entry| entry.file_name().into_string().ok())
                .collect())
        })
        .await
    }
}

impl Writing {
    /// How far the upload has come, in bytes.
    pub(super) async fn length(&self) -> Result<u64> {
        let path = self.path.clone();
        blocking(move || match std::fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            data => data.map(|data| Some(data.len())),
        })
        .await?
        .ok_or(Error::NotFound)
    }

    /// Appends what comes, up to `size` bytes in all. What has come stays, whether or not the rest
    /// does. How long the file is.
    ///
    /// # Errors
    /// `TooLarge` when more comes; `Conflict` when it does not come to the checksum, and none of it
    /// stays; `Full`.
    pub(super) async fn append<S, E>(
        &mut self,
        from: u64,
        size: u64,
        mut checksum: Option<Checksum>,
        mut body: S,
    ) -> Result<u64>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    {
        let path = self.path.clone();
        let file = Arc::new(blocking(move || OpenOptions::new().write(true).open(path)).await?);
        let before = self.state.clone();
        let (mut at, mut buffer, mut whole, mut full) =
            (from, Vec::with_capacity(BUFFER), false, None);
        let ended = loop {
            if self.upload.waiting.load(Ordering::Acquire) > 0 {
                break Ok(());
            }
            let came = tokio::select! {
                biased;
                () = self.upload.wanted.notified() => continue,
                came = timeout(SILENT_FOR, body.next()) => came,
            };
            let piece = match came {
                Ok(Some(Ok(piece))) => piece,
                Ok(None) => {
                    whole = true;
                    break Ok(());
                }
                // A broken or silent connection ends here: what came is there to go on from.
                Ok(Some(Err(_))) | Err(_) => break Ok(()),
            };
            if at + (buffer.len() + piece.len()) as u64 > size {
                break Err(Error::TooLarge("error-upload-longer", size));
            }
            if let Some(checksum) = &mut checksum {
                checksum.update(&piece);
            }
            buffer.extend_from_slice(&piece);
            if buffer.len() >= BUFFER {
                match self.write(&file, at, buffer).await {
                    Ok(written) => (at, buffer) = (at + written.len() as u64, emptied(written)),
                    Err(error) => {
                        (buffer, full) = (Vec::new(), Some(error));
                        break Ok(());
                    }
                }
            }
        };
        if !buffer.is_empty() {
            match self.write(&file, at, buffer).await {
                Ok(written) => at += written.len() as u64,
                Err(error) => full = Some(error),
            }
        }
        if let Some(error) = full {
            // What nobody can compare with its checksum any more does not stay.
            if checksum.is_some() {
                self.cut(from).await?;
                *self.state = before;
            }
            return Err(error);
        }
        if checksum.is_some_and(|checksum| !whole || !checksum.matches()) {
            self.cut(from).await?;
            *self.state = before;
            return Err(Error::Conflict("error-checksum"));
        }
        ended.map(|()| at)
    }

    /// Writes a buffer and gives it back.
    async fn write(&mut self, file: &Arc<File>, at: u64, buffer: Vec<u8>) -> Result<Vec<u8>> {
        let (file, mut state) = (file.clone(), std::mem::take(&mut *self.state));
        let (state, written) = tokio::task::spawn_blocking(move || {
            let written = file.write_all_at(&buffer, at);
            if written.is_ok() && state.hashed == at {
                state.hasher.update(&buffer);
                state.hashed += buffer.len() as u64;
            }
            (state, written.map(|()| buffer))
        })
        .await
        .map_err(|error| Error::Internal(error.into()))?;
        *self.state = state;
        Ok(written?)
    }

    /// Takes back what came after `length`.
    pub(super) async fn cut(&mut self, length: u64) -> Result<()> {
        if self.state.hashed > length {
            *self.state = State::default();
        }
        let path = self.path.clone();
        blocking(move || OpenOptions::new().write(true).open(path)?.set_len(length)).await
    }

    /// The digest of the whole file and its beginning. Reads it once more if the server was started
    /// anew meanwhile.
    pub(super) async fn digest(
        &mut self,
        size: u64,
        beginning: usize,
    ) -> Result<(String, Vec<u8>)> {
        let path = self.path.clone();
        let mut state = std::mem::take(&mut *self.state);
        let (state, first) = blocking(move || {
            let file = File::open(path)?;
            let mut buffer = vec![0; BUFFER];
            while state.hashed < size {
                let most = usize::try_from(size - state.hashed)
                    .unwrap_or(BUFFER)
                    .min(BUFFER);
                file.read_exact_at(&mut buffer[..most], state.hashed)?;
                state.hasher.update(&buffer[..most]);
                state.hashed += most as u64;
            }
            let first = usize::try_from(size).unwrap_or(beginning).min(beginning);
            file.read_exact_at(&mut buffer[..first], 0)?;
            buffer.truncate(first);
            Ok((state, buffer))
        })
        .await?;
        let digest = state.hasher.finalize().to_hex().to_string();
        *self.state = state;
        Ok((digest, first))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

fn emptied(mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.clear();
    buffer
}
