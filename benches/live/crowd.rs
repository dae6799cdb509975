//! Many sockets on few threads: they read, count and check frames, and note when the last one has
//! come.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context as Task, Poll, ready};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use crate::load::threads;
use crate::seat::Seat;
use crate::socket::{
    CLOSE, PING, TEXT, first_frame, is_event, message_number, open, open_compressed, pong,
};

const PATIENCE: Duration = Duration::from_secs(30); // for frames that are on their way
const SAMPLE: usize = 4; // sockets that keep what they get
const AT_ONCE: usize = 32; // handshakes of one thread

#[derive(Default)]
struct Shared {
    ready: AtomicUsize,
    total: AtomicU64,
    /// Bytes of all frames with their headers, as they came.
    wire: AtomicU64,
    target: AtomicU64,
    at: Mutex<Option<Instant>>,
    reached: Notify,
    failed: Mutex<Option<anyhow::Error>>,
    leaving: AtomicBool,
}

/// How a crowd takes its frames.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Compressed where the server likes.
    pub compressed: bool,
}

/// Open sockets that all follow the same feed.
pub struct Crowd {
    seats: Vec<Arc<Seat>>,
    shared: Arc<Shared>,
    leave: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// Opens `count` sockets at `path`, with these cookies by turns, and waits until all follow
    /// their feed.
    pub async fn connect(
        address: SocketAddr,
        path: &str,
        cookies: &[String],
        count: usize,
    ) -> Result<Self> {
        Self::connect_as(Manner::default(), address, path, cookies, count).await
    }

    /// The same in this manner.
    pub async fn connect_as(
        manner: Manner,
        address: SocketAddr,
        path: &str,
        cookies: &[String],
        count: usize,
    ) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let (leave, leaving) = watch::channel(false);
        let seats: Vec<_> = (0..count)
            .map(|place| {
                Arc::new(Seat {
                    kept: (place < SAMPLE).then(Mutex::default),
                    ..Seat::default()
                })
            })
            .collect();
        let mut crowd = Self {
            seats,
            shared,
            leave,
            threads: Vec::new(),
        };
        let threads = threads().min(count);
        for thread in 0..threads {
            let mine: Vec<_> = (thread..count)
                .step_by(threads)
                .map(|n| (crowd.seats[n].clone(), cookies[n % cookies.len()].clone()))
                .collect();
            let (shared, leaving, path) = (crowd.shared.clone(), leaving.clone(), path.to_owned());
            crowd.threads.push(std::thread::spawn(move || {
                sit(manner, address, &path, mine, &shared, leaving)
            }));
        }
        let until = Instant::now() + PATIENCE;
        while crowd.shared.ready.load(Ordering::Acquire) < count {
            crowd.sound()?;
            ensure!(
                Instant::now() < until,
                "{} of {count} sockets follow",
                crowd.shared.ready.load(Ordering::Acquire)
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(crowd)
    }

    /// How many sockets there are.
    pub fn len(&self) -> u64 {
        self.seats.len() as u64
    }

    /// How many frames all sockets together have got.
    pub fn total(&self) -> u64 {
        self.shared.total.load(Ordering::Relaxed)
    }

    /// How many bytes a frame had on the wire, with its header, on average.
    pub fn bytes_each(&self) -> f64 {
        self.shared.wire.load(Ordering::Relaxed) as f64 / self.total() as f64
    }

    /// From now on waits for the moment at which every socket has had `frames` frames in all.
    pub fn await_frames(&self, frames: u64) {
        *lock(&self.shared.at) = None;
        self.shared
            .target
            .store(frames * self.len(), Ordering::Release);
    }

    /// That moment.
    pub async fn reached(&self) -> Result<Instant> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = *lock(&self.shared.at) {
                return Ok(at);
            }
            self.sound()?;
            if timeout(until - Instant::now(), self.shared.reached.notified())
                .await
                .is_err()
            {
                bail!(
                    "{} of {} deliveries came",
                    self.total(),
                    self.shared.target.load(Ordering::Acquire)
                );
            }
        }
    }

    fn sound(&self) -> Result<()> {
        lock(&self.shared.failed)
            .take()
            .map_or(Ok(()), |error| Err(error.context("a socket")))
    }

    /// Fails unless every socket got the frames of exactly these messages, each once, in the order
    /// of their ids.
    pub fn check(&self, posted: &BTreeSet<u64>) -> Result<()> {
        self.sound()?;
        for kept in self.seats.iter().filter_map(|seat| seat.kept.as_ref()) {
            let told = lock(kept)
                .iter()
                .map(|payload| message_number(payload))
                .collect::<Result<Vec<_>>>()?;
            ensure!(
                told.iter().eq(posted),
                "{} messages were posted, but {} told of, or in another order",
                posted.len(),
                told.len()
            );
        }
        let chain = self
            .seats
            .first()
            .context("nobody is there")?
            .chain
            .load(Ordering::Acquire);
        for (place, seat) in self.seats.iter().enumerate() {
            let frames = seat.frames.load(Ordering::Acquire);
            ensure!(
                frames == posted.len() as u64,
                "socket {place} got {frames} of {} frames",
                posted.len()
            );
            ensure!(
                seat.chain.load(Ordering::Acquire) == chain,
                "socket {place} got other frames, or in another order"
            );
        }
        Ok(())
    }

    /// The last frame.
    pub fn sample(&self) -> Result<Vec<u8>> {
        let kept = self.seats[0].kept.as_ref().context("no frames were kept")?;
        Ok(lock(kept).last().context("no frame came")?.to_vec())
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.shared.leaving.store(true, Ordering::Release);
        self.leave.send_replace(true);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A thread's sockets, until all leave.
fn sit(
    manner: Manner,
    address: SocketAddr,
    path: &str,
    mine: Vec<(Arc<Seat>, String)>,
    shared: &Arc<Shared>,
    mut leaving: watch::Receiver<bool>,
) {
    let all = async {
        for some in mine.chunks(AT_ONCE) {
            let opened = some
                .iter()
                .map(async |(_, cookie)| match manner.compressed {
                    true => open_compressed(address, path, cookie).await,
                    false => open(address, path, cookie).await,
                });
            for ((stream, early), (seat, _)) in futures_util::future::try_join_all(opened)
                .await?
                .into_iter()
                .zip(some)
            {
                let (seat, shared) = (seat.clone(), shared.clone());
                tokio::spawn(async move {
                    let Err(error) = listen(stream, early, &seat, &shared).await else {
                        return;
                    };
                    shared.fail(error);
                });
            }
        }
        // An error means that the crowd is gone already, which is the same.
        let _ = leaving.wait_for(|leave| *leave).await;
        Ok::<_, anyhow::Error>(())
    };
    let run = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Into::into);
    if let Err(error) = run.and_then(|runtime| runtime.block_on(all)) {
        shared.fail(error);
    }
}

impl Shared {
    fn fail(&self, error: anyhow::Error) {
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

thread_local! {
    /// Every socket of a thread reads into the same buffer.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 << 10]);
}

async fn listen(
    mut stream: TcpStream,
    mut rest: Vec<u8>,
    seat: &Seat,
    shared: &Shared,
) -> Result<()> {
    let mut pongs = Vec::new();
    let used = take(&rest, seat, shared, &mut pongs)?;
    rest.drain(..used);
    loop {
        poll_fn(|task| read(&mut stream, task, &mut rest, seat, shared, &mut pongs)).await?;
        for pong in pongs.drain(..) {
            stream.write_all(&pong).await?;
        }
    }
}

fn read(
    stream: &mut TcpStream,
    task: &mut Task<'_>,
    rest: &mut Vec<u8>,
    seat: &Seat,
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
            let used = take(came, seat, shared, pongs)?;
            rest.extend_from_slice(&came[used..]);
        } else {
            rest.extend_from_slice(came);
            let used = take(rest, seat, shared, pongs)?;
            rest.drain(..used);
        }
        if rest.is_empty() {
            *rest = Vec::new();
        }
        Poll::Ready(Ok(()))
    })
}

/// Takes in every whole frame. How many bytes they had.
fn take(bytes: &[u8], seat: &Seat, shared: &Shared, pongs: &mut Vec<Vec<u8>>) -> Result<usize> {
    let (mut used, mut events, mut wire) = (0, 0, 0);
    let mut chain = seat.chain.load(Ordering::Relaxed);
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
                chain = seat.take(chain, &frame)?;
            }
            CLOSE | TEXT => bail!("the server said {}", String::from_utf8_lossy(frame.payload)),
            other => bail!("a frame of kind {other}"),
        }
    }
    if events > 0 {
        seat.note(events, chain);
        shared.wire.fetch_add(wire, Ordering::Relaxed);
        shared.count(events);
    }
    Ok(used)
}
