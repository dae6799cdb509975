//! Serving a socket: what a client says is answered, what its feeds gain is delivered, until it closes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use tokio::time::{MissedTickBehavior, interval_at, timeout};

use super::feed::{Feed, Since};
use super::frame::Frame;
use super::hub::Hub;
use super::protocol::{FromClient, ToClient};
use super::socket::{Close, Socket, SocketClosed, SocketOpened};
use crate::base::error::Error;
use crate::engine::actions::Actions;
use crate::engine::bus::{Bus, Origin};
use crate::engine::rates::Throttle;
use crate::engine::web::problem;

pub(super) const MOST_FEEDS: usize = 64;
const FLUSH: usize = 64; // frames written before the socket is given another look
const PING_EVERY: Duration = Duration::from_secs(8);
const SILENT_FOR: Duration = Duration::from_secs(17); // two pings unanswered: the plug is pulled
const WRITE_FOR: Duration = Duration::from_secs(15); // a peer that takes nothing for so long is gone: with a ping's pause, within 30 s
const MESSAGES: (u32, Duration) = (100, Duration::from_secs(10)); // what one socket may say
const PATIENCE: u32 = 100; // refused messages after which a socket is closed
const LONGEST_NAME: usize = 128; // bytes of a feed's or action's name, or a message's id

/// The language a socket speaks: frames as HTML for pages, or as JSON for programs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Speech {
    Html,
    Json,
}

/// What a socket's loop needs of the server.
pub(super) struct Server {
    pub(super) hub: Hub,
    pub(super) bus: Bus,
    pub(super) actions: Actions,
    pub(super) version: &'static str,
}

struct Following {
    feed: Arc<Feed>,
    seen: u64,
}

struct Session {
    server: Arc<Server>,
    socket: Arc<Socket>,
    speech: Speech,
    following: Vec<Following>,
    /// Where the next flush starts, so that a busy feed does not starve the others.
    turn: usize,
    rate: Throttle,
    refused: u32,
}

/// Ends a socket's life in the hub, however its task ends.
struct Leave(Arc<Server>, Arc<Socket>);

impl Drop for Leave {
    fn drop(&mut self) {
        let Self(server, socket) = self;
        server.hub.closed(socket);
        let account = socket.viewer.account;
        server.bus.publish(Origin::new(account, None), SocketClosed { account, socket: socket.id });
    }
}

/// Serves a socket until it closes. `wanted` are the feeds its address named, with cursors.
pub(super) async fn serve(
    mut ws: WebSocket,
    server: Arc<Server>,
    socket: Arc<Socket>,
    speech: Speech,
    wanted: Vec<(String, Option<String>)>,
) {
    let account = socket.viewer.account;
    server.bus.publish(Origin::new(account, None), SocketOpened { account, socket: socket.id });
    let _leave = Leave(server.clone(), socket.clone());
    let rate = Throttle::new(MESSAGES.0, MESSAGES.1);
    let mut session = Session { server: server.clone(), socket, speech, following: Vec::new(), turn: 0, rate, refused: 0 };
    let hello = ToClient::Hello { instance: server.hub.instance(), version: server.version, account: account.to_string() }.text();
    let mut greeting = vec![hello.into()];
    for (feed, cursor) in wanted {
        greeting.push(session.subscribe(&feed, cursor.as_deref()).await);
    }
    let ended = match write(&mut ws, greeting).await {
        Ok(()) => session.run(&mut ws).await,
        Err(gone) => Err(gone),
    };
    session.leave_all();
    if let Ok(reason) = ended {
        // The peer may be long gone; its closing handshake is a courtesy.
        drop(timeout(Duration::from_secs(2), ws.send(Message::Close(Some(reason.frame())))).await);
    }
}

/// The peer is gone: closed, broken, silent or stuck.
struct Gone;

async fn in_time(write: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Gone> {
    match timeout(WRITE_FOR, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}

async fn write(ws: &mut WebSocket, texts: Vec<Utf8Bytes>) -> Result<(), Gone> {
    // Each message has its own time: who is slow but takes something is not gone.
    for text in texts {
        in_time(ws.feed(Message::Text(text))).await?;
    }
    in_time(ws.flush()).await
}

impl Session {
    async fn run(&mut self, ws: &mut WebSocket) -> Result<Close, Gone> {
        let mut heard = Instant::now();
        let mut ping = interval_at(tokio::time::Instant::now() + PING_EVERY, PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let Some(reason) = self.socket.closing.get() {
                return Ok(*reason);
            }
            if self.socket.recheck.swap(false, Ordering::AcqRel) {
                if !self.server.hub.still_valid(&self.socket.viewer).await {
                    return Ok(Close::SignedOut);
                }
                let revoked = self.revoke().await;
                write(ws, revoked).await?;
            }
            if self.deliver(ws).await? {
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                () = self.socket.bell.0.notified() => {}
                message = ws.recv() => {
                    let message = match message {
                        Some(Ok(message)) => message,
                        // The library's error for a message past its limit has no type of its own here.
                        Some(Err(error)) if error.to_string().starts_with("Space limit exceeded") => return Ok(Close::TooLarge),
                        Some(Err(_)) | None => return Err(Gone),
                    };
                    heard = Instant::now();
                    match message {
                        Message::Text(text) => match self.hear(text.as_str()).await {
                            Ok(Some(answer)) => write(ws, vec![answer]).await?,
                            Ok(None) => {}
                            Err(reason) => return Ok(reason),
                        },
                        Message::Binary(_) => return Ok(Close::NotUnderstood),
                        Message::Close(_) => return Err(Gone),
                        Message::Ping(_) | Message::Pong(_) => {}
                    }
                }
                _ = ping.tick() => {
                    if heard.elapsed() > SILENT_FOR {
                        return Err(Gone);
                    }
                    if !matches!(timeout(WRITE_FOR, ws.send(Message::Ping(Vec::new().into()))).await, Ok(Ok(()))) {
                        return Err(Gone);
                    }
                }
            }
        }
    }

    /// Writes what waits, at most [`FLUSH`] frames. Whether there may be more.
    async fn deliver(&mut self, ws: &mut WebSocket) -> Result<bool, Gone> {
        let mut texts = Vec::new();
        let mut reached = Vec::new();
        let mut lost = Vec::new();
        let mut more = false;
        let count = self.following.len();
        for place in (0..count).map(|n| (self.turn + n) % count) {
            let Following { feed, seen } = &self.following[place];
            if feed.head() == *seen {
                continue;
            }
            let room = FLUSH - texts.len();
            if room == 0 {
                more = true;
                break;
            }
            match feed.since(*seen, room) {
                Since::Frames(frames, rest) => {
                    more |= rest;
                    if let Some(last) = frames.last() {
                        reached.push((place, last.seq));
                    }
                    texts.extend(frames.iter().filter_map(|frame| self.encode(frame)));
                }
                Since::Gone => {
                    texts.push(ToClient::Refresh { feed: &feed.name }.text().into());
                    lost.push(place);
                }
            }
        }
        // A right that changed before these frames were published is marked by now: prove it first, then read again.
        if self.socket.recheck.load(Ordering::Acquire) {
            return Ok(true);
        }
        for (place, seq) in reached {
            self.following[place].seen = seq;
        }
        lost.sort_unstable();
        for place in lost.into_iter().rev() {
            let gone = self.following.remove(place);
            gone.feed.leave(self.socket.id);
        }
        self.turn = self.turn.wrapping_add(1);
        if !texts.is_empty() {
            metrics::counter!("tidepool_frames_delivered_total").increment(texts.len() as u64);
            write(ws, texts).await?;
        }
        Ok(more)
    }

    fn encode(&self, frame: &Arc<Frame>) -> Option<Utf8Bytes> {
        match self.speech {
            Speech::Html => frame.html(self.socket.viewer.lang),
            Speech::Json => Some(frame.json()),
        }
    }

    /// What the client said, and the answer. `Err` closes the socket.
    async fn hear(&mut self, text: &str) -> Result<Option<Utf8Bytes>, Close> {
        let lang = self.socket.viewer.lang;
        let refuse = |id: Option<&str>, error: &Error| Utf8Bytes::from(ToClient::Error { id, error: problem(error, lang) }.text());
        let message: Option<FromClient> = serde_json::from_str(text).ok();
        if let Err(error) = self.rate.check() {
            self.refused += 1;
            let id = if let Some(FromClient::Act { id, .. }) = &message { id.get(..LONGEST_NAME.min(id.len())) } else { None };
            return if self.refused > PATIENCE { Err(Close::Flooding) } else { Ok(Some(refuse(id, &error))) };
        }
        let Some(message) = message else {
            return Ok(Some(refuse(None, &Error::field("type", "error-message-shape"))));
        };
        Ok(match message {
            FromClient::Subscribe { feed, cursor } => Some(self.subscribe(&feed, cursor.as_deref()).await),
            FromClient::Unsubscribe { feed } => {
                self.unsubscribe(&feed);
                None
            }
            FromClient::Act { id, action, .. } if id.len() > LONGEST_NAME || action.len() > LONGEST_NAME => {
                Some(refuse(None, &Error::field("id", "error-message-shape")))
            }
            FromClient::Act { id, action, fields } => {
                // The session may have ended since the last message; frames are checked when told, actions always.
                if !self.server.hub.still_valid(&self.socket.viewer).await {
                    return Err(Close::SignedOut);
                }
                let done = match self.server.actions.admit(&self.socket.viewer, &action) {
                    Ok((action, _)) => action.run_json(&self.socket.viewer, fields).await,
                    Err(error) => Err(error),
                };
                Some(match done {
                    Ok(outcome) => ToClient::Reply { id: &id, result: outcome.result }.text().into(),
                    Err(error) => refuse(Some(&id), &error),
                })
            }
            FromClient::Ping => Some(ToClient::Pong.text().into()),
        })
    }

    /// Follows a feed from a cursor, or from now on. The answer for the client.
    async fn subscribe(&mut self, name: &str, cursor: Option<&str>) -> Utf8Bytes {
        if name.len() > LONGEST_NAME || !self.server.hub.allows(&self.socket.viewer, name).await {
            return ToClient::Refused { feed: name.get(..LONGEST_NAME).unwrap_or(name), code: "not_found" }.text().into();
        }
        self.unsubscribe(name);
        if self.following.len() >= MOST_FEEDS {
            return ToClient::Refused { feed: name, code: "too_many" }.text().into();
        }
        // Listening first: a feed that is listened to is not forgotten between two lines here.
        let feed = self.server.hub.follow(name, self.socket.id, &self.socket.bell);
        let seen = match cursor {
            None => feed.head(),
            Some(cursor) => match self.server.hub.seen(cursor) {
                Some(seen) if matches!(feed.since(seen, 1), Since::Frames(..)) => seen,
                _ => {
                    feed.leave(self.socket.id);
                    return ToClient::Refresh { feed: name }.text().into();
                }
            },
        };
        let cursor = format!("{}.{seen}", self.server.hub.instance());
        self.following.push(Following { feed, seen });
        ToClient::Subscribed { feed: name, cursor }.text().into()
    }

    fn unsubscribe(&mut self, name: &str) {
        if let Some(place) = self.following.iter().position(|f| f.feed.name == name) {
            self.following.remove(place).feed.leave(self.socket.id);
        }
    }

    /// Leaves every feed whose right is gone. What to tell the client.
    async fn revoke(&mut self) -> Vec<Utf8Bytes> {
        let mut told = Vec::new();
        let names: Vec<String> = self.following.iter().map(|f| f.feed.name.clone()).collect();
        for name in names {
            if !self.server.hub.allows(&self.socket.viewer, &name).await {
                self.unsubscribe(&name);
                told.push(ToClient::Revoked { feed: &name }.text().into());
            }
        }
        told
    }

    fn leave_all(&mut self) {
        for following in self.following.drain(..) {
            following.feed.leave(self.socket.id);
        }
    }
}
