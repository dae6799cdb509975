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
use crate::socket::{message_number, open, open_compressed};
use crate::socket_reader::{Shared, listen, lock};

const WAIT_TIMEOUT: Duration = Duration::from_secs(30); // for frames that are on their way
const SAMPLE: usize = 4; // sockets that keep what they get
const AT_ONCE: usize = 32; // handshakes of one thread

/// How sockets are opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConnectOptions {
    /// Compressed where the server likes.
    pub compressed: bool,
}

/// Open sockets that all follow the same feed.
pub struct SocketPool {
    records: Vec<Arc<ReceivedFrames>>,
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
        Self::connect_as(ConnectOptions::default(), address, path, cookies, count).await
    }

    /// The same in this connect_options.
    pub async fn connect_as(
        connect_options: ConnectOptions,
        address: SocketAddr,
        path: &str,
        cookies: &[String],
        count: usize,
    ) -> Result<Self> {
        let seat = |place: usize| (path.to_owned(), cookies[place % cookies.len()].clone());
        Self::connect_each(connect_options, address, (0..count).map(seat).collect()).await
    }

    /// Opens a socket for each pair of a path and a cookie, and waits until all follow their feeds.
    pub async fn connect_each(
        connect_options: ConnectOptions,
        address: SocketAddr,
        seats: Vec<(String, String)>,
    ) -> Result<Self> {
        let count = seats.len();
        let shared = Arc::new(Shared::default());
        let (leave, leaving) = watch::channel(false);
        let records: Vec<_> = (0..count)
            .map(|place| {
                Arc::new(ReceivedFrames {
                    payloads: (place < SAMPLE).then(Mutex::default),
                    ..ReceivedFrames::default()
                })
            })
            .collect();
        let mut pool = Self {
            records,
            shared,
            leave,
            threads: Vec::new(),
        };
        let threads = threads().min(count);
        for thread in 0..threads {
            let mine: Vec<_> = (thread..count)
                .step_by(threads)
                .map(|n| (pool.records[n].clone(), seats[n].clone()))
                .collect();
            let (shared, leaving) = (pool.shared.clone(), leaving.clone());
            pool.threads.push(std::thread::spawn(move || {
                run_sockets(connect_options, address, mine, &shared, leaving)
            }));
        }
        let until = Instant::now() + WAIT_TIMEOUT;
        while pool.shared.ready.load(Ordering::Acquire) < count {
            pool.check_failures()?;
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
        self.records.len() as u64
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
        let until = Instant::now() + WAIT_TIMEOUT;
        loop {
            if let Some(at) = *lock(&self.shared.at) {
                return Ok(at);
            }
            self.check_failures()?;
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

    fn check_failures(&self) -> Result<()> {
        lock(&self.shared.failed)
            .take()
            .map_or(Ok(()), |error| Err(error.context("a socket")))
    }

    /// Fails unless every socket got the frames of exactly these messages, each once, in the order
    /// of their ids.
    pub fn check(&self, posted: &BTreeSet<u64>) -> Result<()> {
        self.check_failures()?;
        for kept in self
            .records
            .iter()
            .filter_map(|record| record.payloads.as_ref())
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
            .records
            .first()
            .context("nobody is there")?
            .chain
            .load(Ordering::Acquire);
        for (place, record) in self.records.iter().enumerate() {
            let frames = record.frames.load(Ordering::Acquire);
            ensure!(
                frames == posted.len() as u64,
                "socket {place} got {frames} of {} frames",
                posted.len()
            );
            ensure!(
                record.chain.load(Ordering::Acquire) == chain,
                "socket {place} got other frames, or in another order"
            );
        }
        Ok(())
    }

    /// The last frame.
    pub fn sample(&self) -> Result<Vec<u8>> {
        let kept = self.records[0]
            .payloads
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

/// A thread's sockets, until all leave.
fn run_sockets(
    connect_options: ConnectOptions,
    address: SocketAddr,
    mine: Vec<(Arc<ReceivedFrames>, (String, String))>,
    shared: &Arc<Shared>,
    mut leaving: watch::Receiver<bool>,
) {
    let all = async {
        for some in mine.chunks(AT_ONCE) {
            let opened =
                some.iter().map(
                    async |(_, (path, cookie))| match connect_options.compressed {
                        true => open_compressed(address, path, cookie).await,
                        false => open(address, path, cookie).await,
                    },
                );
            for ((stream, early), (record, _)) in futures_util::future::try_join_all(opened)
                .await?
                .into_iter()
                .zip(some)
            {
                let (record, shared) = (record.clone(), shared.clone());
                tokio::spawn(async move {
                    let Err(error) = listen(stream, early, &record, &shared).await else {
                        return;
                    };
                    shared.fail(error);
                });
            }
        }
        // An error means that the pool was dropped, which is the same.
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
