//! Load over HTTP: connections on few threads, each sending its next request when it has its
//! answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::json;
use tokio::sync::Barrier;
use tokio::time::timeout;

use crate::http::{Http, action};
use crate::socket::message_number;

/// How many threads the load uses: as many as there are cores, for the server does too.
pub fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, Into::into)
}

/// What a load gave.
pub struct Driven<T> {
    /// What each connection gave.
    pub done: Vec<T>,
    /// When the first one began.
    pub from: Instant,
    /// When the last one ended.
    pub to: Instant,
}

/// Opens `connections` and does `work` on each; `work` gets its connection's number. Blocks until
/// all are done.
pub fn drive<T, F, W>(address: SocketAddr, connections: usize, work: F) -> Result<Driven<T>>
where
    T: Send,
    F: Fn(usize, Http) -> W + Sync,
    W: Future<Output = Result<T>>,
{
    let start = Barrier::new(connections);
    let one = async |number: usize| {
        let http = Http::connect(address).await?;
        timeout(Duration::from_secs(10), start.wait())
            .await
            .context("others could not connect")?;
        let from = Instant::now();
        Ok::<_, anyhow::Error>((from, work(number, http).await?, Instant::now()))
    };
    let threads = threads().min(connections);
    let done = std::thread::scope(|scope| {
        let one = &one;
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()?;
                    runtime.block_on(futures_util::future::try_join_all(
                        (thread..connections).step_by(threads).map(one),
                    ))
                })
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().map_err(|_| anyhow!("a load panicked"))?)
            .collect::<Result<Vec<_>>>()
    })?;
    let all: Vec<_> = done.into_iter().flatten().collect();
    let from = all
        .iter()
        .map(|(from, ..)| *from)
        .min()
        .context("no connections")?;
    let to = all
        .iter()
        .map(|(.., to)| *to)
        .max()
        .context("no connections")?;
    Ok(Driven {
        done: all.into_iter().map(|(_, done, _)| done).collect(),
        from,
        to,
    })
}

/// What was posted: the message by its id, with its text.
pub type Posted = BTreeMap<u64, String>;

/// Posts that were made, from when to when.
pub struct Burst {
    /// What was posted.
    pub posted: Posted,
    /// When the first was sent.
    pub from: Instant,
    /// When the last was acknowledged.
    pub to: Instant,
}

/// Numbers every post of this run: a key that was used before would post nothing.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// Who posts where.
#[derive(Clone)]
pub struct Posts {
    /// The server.
    pub address: SocketAddr,
    /// What is done.
    pub action: &'static str,
    /// The room.
    pub room: String,
    /// The authors' cookies, one connection after the other.
    pub cookies: Vec<String>,
    /// What follows the number in the text.
    pub text: &'static str,
    /// Frames that one request of a burst makes; a post makes one.
    pub frames: u64,
}

impl Posts {
    /// The next post, by this author: its text and its request.
    pub fn next(&self, author: usize) -> (String, Vec<u8>) {
        self.telling(author, 1)
    }

    fn telling(&self, author: usize, frames: u64) -> (String, Vec<u8>) {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let body = format!("{number:08}{}", self.text);
        let fields = json!({ "room": self.room, "body": body, "key": format!("bench-{number:08}"),
            "frames": frames });
        let request = action(
            self.action,
            &self.cookies[author % self.cookies.len()],
            &fields,
        );
        (body, request)
    }

    /// Posts one message. Its id, its text, when it was sent and when it was acknowledged.
    pub async fn one(&self, http: &mut Http) -> Result<(u64, String, Instant, Instant)> {
        self.by(http, 0, 1).await
    }

    /// The id is the last frame's.
    async fn by(
        &self,
        http: &mut Http,
        author: usize,
        frames: u64,
    ) -> Result<(u64, String, Instant, Instant)> {
        let (body, request) = self.telling(author, frames);
        let sent = Instant::now();
        let answer = http.send(&request).await?;
        let acknowledged = Instant::now();
        ensure!(
            answer.status == 200,
            "a post was answered {}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        );
        Ok((message_number(answer.body)?, body, sent, acknowledged))
    }

    /// Makes `count` posts, or that many frames, over this many connections at once, waiting before
    /// each until `may` says that the posts so far leave room for another. Blocks.
    pub fn many(
        &self,
        connections: usize,
        count: u64,
        may: impl Fn(u64) -> bool + Sync,
    ) -> Result<Burst> {
        let begun = AtomicU64::new(0);
        let driven = drive(self.address, connections, |number, mut http| {
            let (begun, may) = (&begun, &may);
            async move {
                let mut mine = Vec::new();
                loop {
                    let before = begun.fetch_add(self.frames, Ordering::Relaxed);
                    if before >= count {
                        return Ok(mine);
                    }
                    while !may(before) {
                        tokio::time::sleep(Duration::from_micros(200)).await;
                    }
                    let (last, body, ..) = self.by(&mut http, number, self.frames).await?;
                    mine.extend((last + 1 - self.frames..=last).map(|id| (id, body.clone())));
                }
            }
        })?;
        let posted: Posted = driven.done.into_iter().flatten().collect();
        ensure!(
            posted.len() as u64 == count,
            "{count} posts were acknowledged, but with {} ids",
            posted.len()
        );
        Ok(Burst {
            posted,
            from: driven.from,
            to: driven.to,
        })
    }
}
