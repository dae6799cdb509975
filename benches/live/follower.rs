//! A socket that behaves as a page does: it keeps its cursor, comes back with it, and reads again
//! when told to.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::http::{Http, action, find};
use crate::socket::{
    CLOSE, PING, TEXT, client_frame, first_frame, is_event, message_number, open, pong,
};

// After which a socket counts as lost; the server pings every 8.
const READ_TIMEOUT: Duration = Duration::from_secs(25);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
// Milliseconds until a lost socket is opened again, doubled up to the last, as pages do.
const MIN_BACKOFF_MS: u64 = 500;
const MAX_BACKOFF_MS: u64 = 4_000;
const MAX_HANDSHAKES: usize = 64; // at once while a pool connects
const MAX_REFETCHES: usize = 64; // connections that read again at once

/// What the followers of a pool do.
pub struct Plan {
    address: SocketAddr,
    room: String,
    /// Other feeds, as they stand in the address.
    beside: String,
    /// Whether messages are kept, and read again when frames were missed. Otherwise they are
    /// counted only.
    keep: bool,
    /// The newest message before all that count.
    since: u64,
    handshakes: Semaphore,
    refetches: Semaphore,
}

impl Plan {
    /// Follows a room, messages after `since` being kept.
    pub fn new(address: SocketAddr, room: &str, since: u64) -> Self {
        let (handshakes, refetches) = (
            Semaphore::new(MAX_HANDSHAKES),
            Semaphore::new(MAX_REFETCHES),
        );
        Self {
            address,
            room: room.to_owned(),
            beside: String::new(),
            keep: true,
            since,
            handshakes,
            refetches,
        }
    }

    /// With these feeds too.
    pub fn beside(self, feeds: String) -> Self {
        Self {
            beside: feeds,
            ..self
        }
    }

    /// Counting messages, not keeping them.
    pub fn only_counting(self) -> Self {
        Self {
            keep: false,
            ..self
        }
    }

    /// Without a limit on how many connect at the same moment.
    pub fn all_at_once(self) -> Self {
        Self {
            handshakes: Semaphore::new(Semaphore::MAX_PERMITS),
            ..self
        }
    }

    fn is_of_room(&self, text: &[u8]) -> bool {
        // Events name it in their first bytes; everything else is short.
        find(
            &text[..text.len().min(200)],
            format!("\"feed\":\"room/{}\"", self.room).as_bytes(),
        )
        .is_some()
    }
}

/// One socket's account.
#[derive(Default)]
pub struct Follower {
    /// Whether it follows the room now.
    pub following: AtomicBool,
    /// Times a socket was open.
    pub opened: AtomicU64,
    /// Messages it was told of.
    pub frames: AtomicU64,
    /// Frames of other feeds.
    pub others: AtomicU64,
    /// Times it was told to read again.
    pub refreshed: AtomicU64,
    /// Times its socket was lost without having been sent away.
    pub lost: AtomicU64,
    /// The newest message it knows.
    pub newest: AtomicU64,
    /// Messages it knows, and when it was told of those that it did not read.
    pub known: Mutex<Vec<(u64, Option<Instant>)>>,
    /// Why it was lost the last time.
    pub trouble: Mutex<String>,
    /// Sends it away, to come back.
    pub away: Notify,
}

enum Left {
    Sent,
    Lost(anyhow::Error),
}

impl Follower {
    fn learn(&self, id: u64, at: Option<Instant>, plan: &Plan) {
        self.newest.fetch_max(id, Ordering::AcqRel);
        if plan.keep && id > plan.since {
            self.known
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((id, at));
        }
    }

    /// Follows for ever, coming back whenever the socket is lost. Ends only with what a server must
    /// not say.
    pub async fn run(&self, plan: &Plan, cookie: &str) -> Result<Infallible> {
        let (mut cursor, mut tries) = (None::<String>, 0);
        loop {
            let left = self
                .connect_once(plan, cookie, &mut cursor, &mut tries)
                .await?;
            self.following.store(false, Ordering::Release);
            let wait = match left {
                Left::Sent => Duration::ZERO,
                Left::Lost(error) => {
                    self.lost.fetch_add(1, Ordering::Relaxed);
                    *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) =
                        format!("{error:#}");
                    let most = (MIN_BACKOFF_MS << tries.min(8)).min(MAX_BACKOFF_MS);
                    tries += 1;
                    Duration::from_millis(most / 2 + random(most))
                }
            };
            tokio::time::sleep(wait).await;
        }
    }

    async fn connect_once(
        &self,
        plan: &Plan,
        cookie: &str,
        cursor: &mut Option<String>,
        tries: &mut u32,
    ) -> Result<Left> {
        let from = cursor
            .as_ref()
            .map(|cursor| format!("@{cursor}"))
            .unwrap_or_default();
        let path = format!("/live/data?feed=room/{}{from}{}", plan.room, plan.beside);
        let permit = match from.is_empty() {
            true => Some(plan.handshakes.acquire().await?),
            false => None,
        };
        let (mut stream, mut came) =
            match timeout(READ_TIMEOUT, open(plan.address, &path, cookie)).await {
                Ok(Ok(opened)) => opened,
                Ok(Err(error)) => return Ok(Left::Lost(error)),
                Err(_) => return Ok(Left::Lost(anyhow::anyhow!("no handshake in time"))),
            };
        drop(permit);
        self.opened.fetch_add(1, Ordering::Release);
        let away = self.away.notified();
        tokio::pin!(away);
        loop {
            let mut used = 0;
            while let Some((frame, length)) = first_frame(&came[used..])? {
                used += length;
                let heard = match frame.opcode {
                    PING => stream
                        .write_all(&pong(frame.payload))
                        .await
                        .map_err(Into::into),
                    CLOSE => Err(anyhow::anyhow!(
                        "closed by the server: {:?}",
                        String::from_utf8_lossy(frame.payload)
                    )),
                    TEXT => {
                        self.handle(frame.payload, plan, cookie, cursor, &mut stream)
                            .await?
                    }
                    other => bail!("a frame of kind {other}"),
                };
                if let Err(error) = heard {
                    return Ok(Left::Lost(error));
                }
                if self.following.load(Ordering::Relaxed) {
                    *tries = 0;
                }
            }
            came.drain(..used);
            if came.is_empty() && came.capacity() > 16 << 10 {
                came = Vec::new();
            }
            came.reserve(4096);
            tokio::select! {
                read = timeout(READ_TIMEOUT, stream.read_buf(&mut came)) => match read {
                    Ok(Ok(1..)) => {}
                    Ok(Ok(0)) => return Ok(Left::Lost(anyhow::anyhow!("the connection ended"))),
                    Ok(Err(error)) => return Ok(Left::Lost(error.into())),
                    Err(_) => return Ok(Left::Lost(anyhow::anyhow!("nothing came for too long"))),
                },
                () = &mut away => return Ok(Left::Sent),
            }
        }
    }

    /// The inner failure loses the socket; the outer is the server's fault.
    async fn handle(
        &self,
        text: &[u8],
        plan: &Plan,
        cookie: &str,
        cursor: &mut Option<String>,
        stream: &mut TcpStream,
    ) -> Result<Result<()>> {
        let of_room = plan.is_of_room(text);
        let named = |text: &[u8]| -> Result<String> {
            let from = find(text, b"\"cursor\":\"").context("no cursor")? + 10;
            let length = text[from..]
                .iter()
                .position(|byte| *byte == b'"')
                .context("no cursor")?;
            Ok(String::from_utf8(text[from..from + length].to_vec())?)
        };
        if is_event(text) {
            if of_room {
                self.frames.fetch_add(1, Ordering::Relaxed);
                let id = message_number(text)?;
                *cursor = Some(named(text)?);
                self.learn(id, Some(Instant::now()), plan);
            } else {
                self.others.fetch_add(1, Ordering::Relaxed);
            }
        } else if text.starts_with(b"{\"type\":\"subscribed\"") {
            if of_room {
                *cursor = Some(named(text)?);
                self.following.store(true, Ordering::Release);
            }
        } else if text.starts_with(b"{\"type\":\"refresh\"") {
            let feed: serde_json::Value = serde_json::from_slice(text)?;
            let again = if of_room && plan.keep {
                self.refreshed.fetch_add(1, Ordering::Relaxed);
                self.following.store(false, Ordering::Release);
                match self.while_alive(stream, self.refetch(plan, cookie)).await {
                    Ok(cursor) => {
                        json!({ "type": "subscribe", "feed": feed["feed"], "cursor": cursor })
                    }
                    Err(error) => return Ok(Err(error.context("reading again"))),
                }
            } else {
                self.refreshed
                    .fetch_add(u64::from(of_room), Ordering::Relaxed);
                json!({ "type": "subscribe", "feed": feed["feed"] })
            };
            return Ok(stream
                .write_all(&client_frame(&again.to_string()))
                .await
                .map_err(Into::into));
        } else if !text.starts_with(b"{\"type\":\"hello\"") {
            bail!("the server said {}", String::from_utf8_lossy(text));
        }
        Ok(Ok(()))
    }

    /// Has the server hear from the socket while something else is waited for, as a browser answers
    /// pings by itself.
    async fn while_alive<T>(
        &self,
        stream: &mut TcpStream,
        what: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        tokio::pin!(what);
        loop {
            tokio::select! {
                done = &mut what => return done,
                () = tokio::time::sleep(KEEPALIVE_INTERVAL) => stream.write_all(&pong(b"")).await?,
            }
        }
    }

    /// Reads what came after the newest message known. The cursor to follow from.
    async fn refetch(&self, plan: &Plan, cookie: &str) -> Result<String> {
        let _permit = plan.refetches.acquire().await?;
        let mut http = Http::connect(plan.address).await?;
        loop {
            let after = self.newest.load(Ordering::Acquire).max(plan.since);
            let answer = http
                .send(&action(
                    "chat.history",
                    cookie,
                    &json!({ "room": plan.room, "after": after.to_string() }),
                ))
                .await?;
            if matches!(answer.status, 429 | 503) {
                tokio::time::sleep(Duration::from_millis(100 + random(200))).await;
                http = Http::connect(plan.address).await?;
                continue;
            }
            let stretch = answer.done()?;
            for message in stretch["messages"].as_array().context("no messages")? {
                self.learn(
                    message["id"].as_str().context("no id")?.parse()?,
                    None,
                    plan,
                );
            }
            if stretch["more"] != true {
                return Ok(stretch["cursor"].as_str().context("no cursor")?.to_owned());
            }
        }
    }
}

/// A number below `most`: good enough to keep sockets from coming all at the same moment.
fn random(most: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(Instant::now()) % most.max(1)
}
