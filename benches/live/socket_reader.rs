//! Reads the frames of one socket of a pool: counts and checks them, and notes when the last
//! expected one has come.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context as Task, Poll, ready};
use std::time::Instant;

use anyhow::{Result, anyhow, bail};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::received_frames::ReceivedFrames;
use crate::socket::{CLOSE, PING, TEXT, first_frame, is_event, pong};

/// What all sockets of a pool count together.
#[derive(Default)]
pub struct Shared {
    pub ready: AtomicUsize,
    pub total: AtomicU64,
    /// Bytes of all frames with their headers, as they came.
    pub wire: AtomicU64,
    pub target: AtomicU64,
    pub at: Mutex<Option<Instant>>,
    pub reached: Notify,
    pub failed: Mutex<Option<anyhow::Error>>,
    pub leaving: AtomicBool,
}

impl Shared {
    pub fn fail(&self, error: anyhow::Error) {
        if !self.leaving.load(Ordering::Acquire) {
            lock(&self.failed).get_or_insert(error);
            self.reached.notify_one();
        }
    }

    fn count(&self, frames: u64) {
        let before = self.total.fetch_add(frames, Ordering::AcqRel);
        let target = self.target.load(Ordering::Acquire);
        if before < target && before + frames >= target {
            *lock(&self.at) = Some(Instant::now());
            self.reached.notify_one();
        }
    }
}

pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// Every socket of a thread reads into the same buffer.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 << 10]);
}

pub async fn listen(
    mut stream: TcpStream,
    mut rest: Vec<u8>,
    record: &ReceivedFrames,
    shared: &Shared,
) -> Result<()> {
    let mut pongs = Vec::new();
    let used = take(&rest, record, shared, &mut pongs)?;
    rest.drain(..used);
    loop {
        poll_fn(|task| read(&mut stream, task, &mut rest, record, shared, &mut pongs)).await?;
        for pong in pongs.drain(..) {
            stream.write_all(&pong).await?;
        }
    }
}

fn read(
    stream: &mut TcpStream,
    task: &mut Task<'_>,
    rest: &mut Vec<u8>,
    record: &ReceivedFrames,
    shared: &Shared,
    pongs: &mut Vec<Vec<u8>>,
) -> Poll<Result<()>> {
    BUFFER.with_borrow_mut(|buffer| {
        let mut into = ReadBuf::new(buffer);
        ready!(Pin::new(stream).poll_read(task, &mut into))?;
        let came = into.filled();
        if came.is_empty() {
            return Poll::Ready(Err(anyhow!("the server closed it")));
        }
        // Frames are read where they lie; only the beginning of one that is not whole yet is kept.
        if rest.is_empty() {
            let used = take(came, record, shared, pongs)?;
            rest.extend_from_slice(&came[used..]);
        } else {
            rest.extend_from_slice(came);
            let used = take(rest, record, shared, pongs)?;
            rest.drain(..used);
        }
        if rest.is_empty() {
            *rest = Vec::new();
        }
        Poll::Ready(Ok(()))
    })
}

/// Takes in every whole frame. How many bytes they had.
fn take(
    bytes: &[u8],
    record: &ReceivedFrames,
    shared: &Shared,
    pongs: &mut Vec<Vec<u8>>,
) -> Result<usize> {
    let (mut used, mut events, mut wire) = (0, 0, 0);
    let mut chain = record.chain.load(Ordering::Relaxed);
    while let Some((frame, length)) = first_frame(&bytes[used..])? {
        used += length;
        match frame.opcode {
            PING => pongs.push(pong(frame.payload)),
            TEXT if frame.payload.starts_with(b"{\"type\":\"hello\"") => {}
            TEXT if frame.payload.starts_with(b"{\"type\":\"subscribed\"") => {
                shared.ready.fetch_add(1, Ordering::AcqRel);
            }
            TEXT if frame.compressed
                || frame.payload.starts_with(b"<!--")
                || is_event(frame.payload) =>
            {
                events += 1;
                wire += length as u64;
                chain = record.take(chain, &frame)?;
            }
            CLOSE | TEXT => bail!("the server said {}", String::from_utf8_lossy(frame.payload)),
            other => bail!("a frame of kind {other}"),
        }
    }
    if events > 0 {
        record.note(events, chain);
        shared.wire.fetch_add(wire, Ordering::Relaxed);
        shared.count(events);
    }
    Ok(used)
}
