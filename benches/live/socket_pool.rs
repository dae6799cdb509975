//! Many sockets on few threads: they read, count and check frames, and note when the last one has
//! come.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::load::threads;
use crate::received_frames::ReceivedFrames;
use crate::socket::message_number;
pub use crate::socket_reader::PoolOptions;
use crate::socket_reader::{Shared, lock, run_thread};

const PATIENCE: Duration = Duration::from_secs(30); // for frames that are on their way
const SAMPLE: usize = 4; // sockets that keep what they get

/// Open sockets that all follow the same feed.
pub struct SocketPool {
    received: Vec<Arc<ReceivedFrames>>,
    shared: Arc<Shared>,
    leave: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl SocketPool {
    /// Opens `count` sockets at `path`, with these cookies by turns, and waits until all follow
    /// their feed.
    pub async fn connect(
        address: SocketAddr,
        path: &str,
        cookies: &[String],
        count: usize,
    ) -> Result<Self> {
        Self::connect_with(PoolOptions::default(), address, path, cookies, count).await
    }

    /// The same with these options.
    pub async fn connect_with(
        options: PoolOptions,
        address: SocketAddr,
        path: &str,
        cookies: &[String],
        count: usize,
    ) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let (leave, leaving) = watch::channel(false);
        let received: Vec<_> = (0..count)
            .map(|place| {
                Arc::new(ReceivedFrames {
                    kept: (place < SAMPLE).then(Mutex::default),
                    ..ReceivedFrames::default()
                })
            })
            .collect();
        let mut pool = Self {
            received,
            shared,
            leave,
            threads: Vec::new(),
        };
        let threads = threads().min(count);
        for thread in 0..threads {
            let mine: Vec<_> = (thread..count)
                .step_by(threads)
                .map(|n| (pool.received[n].clone(), cookies[n % cookies.len()].clone()))
                .collect();
            let (shared, leaving, path) = (pool.shared.clone(), leaving.clone(), path.to_owned());
            pool.threads.push(std::thread::spawn(move || {
                run_thread(options, address, &path, mine, &shared, leaving)
            }));
        }
        let until = Instant::now() + PATIENCE;
        while pool.shared.ready.load(Ordering::Acquire) < count {
            pool.sound()?;
            ensure!(
                Instant::now() < until,
                "{} of {count} sockets follow",
                pool.shared.ready.load(Ordering::Acquire)
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(pool)
    }

    /// How many sockets there are.
    pub fn len(&self) -> u64 {
        self.received.len() as u64
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
        for kept in self
            .received
            .iter()
            .filter_map(|received| received.kept.as_ref())
        {
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
            .received
            .first()
            .context("nobody is there")?
            .chain
            .load(Ordering::Acquire);
        for (place, received) in self.received.iter().enumerate() {
            let frames = received.frames.load(Ordering::Acquire);
            ensure!(
                frames == posted.len() as u64,
                "socket {place} got {frames} of {} frames",
                posted.len()
            );
            ensure!(
                received.chain.load(Ordering::Acquire) == chain,
                "socket {place} got other frames, or in another order"
            );
        }
        Ok(())
    }

    /// The last frame.
    pub fn sample(&self) -> Result<Vec<u8>> {
        let kept = self.received[0]
            .kept
            .as_ref()
            .context("no frames were kept")?;
        Ok(lock(kept).last().context("no frame came")?.to_vec())
    }
}

impl Drop for SocketPool {
    fn drop(&mut self) {
        self.shared.leaving.store(true, Ordering::Release);
        self.leave.send_replace(true);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
