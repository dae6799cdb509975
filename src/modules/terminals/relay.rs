//! Watching a terminal that another instance has: the messages of a watcher's socket travel over
//! the bus, in both directions. A message that is lost there leaves a gap, upon which the watcher's
//! side begins again with the screen.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, timeout};

use super::core::Frame;
use super::guest_links::GuestLinkId;
use super::model::TerminalId;
use super::open::{Begin, Ended, Who};
use super::topics::{LinkId, MessageRelayed};
use super::watching::{ToWatcher, WatcherLink};
use super::{Terminals, lease};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::locale::Lang;
use crate::engine::bus::{Envelope, Origin};
use crate::engine::viewer::{Theme, Viewer};

/// Links of one instance, to and from others.
const MAX_LINKS: usize = 2_000;
/// Messages that wait for a link's task. More cannot be in flight: output waits for credit.
const MAX_WAITING: usize = 128;
/// A link says that it is there.
const ALIVE_INTERVAL: Duration = Duration::from_secs(4);
/// The other side of a link that says nothing is gone.
const SILENT_TIMEOUT: Duration = Duration::from_secs(15);

/// Somebody who is to watch a terminal of another instance.
pub(super) struct RelayedLink {
    pub(super) terminal: TerminalId,
    pub(super) instance: String,
    pub(super) who: Who,
    pub(super) begin: Begin,
}

/// Who watches, as far as the instance that has the terminal needs it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RelayedWho {
    Member {
        account: AccountId,
        session: String,
        address: IpAddr,
    },
    Guest(GuestLinkId),
}

impl RelayedWho {
    fn of(who: &Who) -> Self {
        match who {
            Who::Member(viewer) => Self::Member {
                account: viewer.account,
                session: viewer.session.to_string(),
                address: viewer.address,
            },
            Who::Guest(link) => Self::Guest(*link),
        }
    }

    fn into_who(self) -> Who {
        match self {
            Self::Member {
                account,
                session,
                address,
            } => Who::Member(Viewer {
                account,
                name: "".into(),
                session: session.into(),
                address,
                lang: Lang::negotiate(None, None),
                theme: Theme::Device,
                is_guest: false,
            }),
            Self::Guest(link) => Who::Guest(link),
        }
    }
}

/// A message between instances.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Relayed {
    /// To the instance that has the terminal: somebody watches.
    Open {
        from: String,
        terminal: TerminalId,
        who: RelayedWho,
        begin: Begin,
    },
    /// To it: a frame of theirs, in base64.
    ToTerminal(String),
    /// To the instance of the watcher: a frame, in base64.
    Frame(String),
    /// To it: what they are told as JSON.
    State(String),
    /// To it: the close code of their socket.
    End(u16),
    /// To either: the link is there.
    Alive,
    /// To the instance that has the terminal: they have gone.
    Gone,
}

/// The links of this instance. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Links(Arc<Mutex<HashMap<LinkId, mpsc::Sender<Relayed>>>>);

impl Links {
    fn all(&self) -> MutexGuard<'_, HashMap<LinkId, mpsc::Sender<Relayed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, link: LinkId) -> Option<mpsc::Receiver<Relayed>> {
        let mut all = self.all();
        if all.len() >= MAX_LINKS {
            return None;
        }
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        all.insert(link, sender);
        Some(receiver)
    }

    fn remove(&self, link: LinkId) {
        self.all().remove(&link);
    }

    /// A link whose messages find no room ends: nothing is left out of what somebody types. They
    /// come back on a new one.
    fn pass(&self, link: LinkId, message: Relayed) {
        let mut all = self.all();
        if all
            .get(&link)
            .is_some_and(|sender| sender.try_send(message).is_err())
        {
            all.remove(&link);
        }
    }
}

impl Terminals {
    fn send_relayed(&self, link: LinkId, instance: &str, message: &Relayed) {
        let Ok(body) = serde_json::to_value(message) else {
            return;
        };
        let event = MessageRelayed {
            link,
            instance: instance.to_owned(),
            body,
        };
        self.engine.bus.publish(Origin::default(), event);
    }

    /// Serves somebody here who watches a terminal of another instance.
    pub(super) async fn relay(self, to: RelayedLink, watcher: WatcherLink) {
        let link = LinkId::new();
        let Some(received) = self.links.add(link) else {
            drop(
                watcher
                    .outgoing
                    .send(ToWatcher::End(Ended::Unavailable))
                    .await,
            );
            return;
        };
        let open = Relayed::Open {
            from: self.engine.live.instance().to_owned(),
            terminal: to.terminal,
            who: RelayedWho::of(&to.who),
            begin: to.begin,
        };
        self.send_relayed(link, &to.instance, &open);
        let ended = self.relay_messages(link, &to, received, watcher.incoming, &watcher.outgoing);
        if let Some(ended) = ended.await {
            drop(watcher.outgoing.send(ToWatcher::End(ended)).await);
        }
        self.links.remove(link);
        self.send_relayed(link, &to.instance, &Relayed::Gone);
    }

    async fn relay_messages(
        &self,
        link: LinkId,
        to: &RelayedLink,
        mut received: mpsc::Receiver<Relayed>,
        mut incoming: mpsc::Receiver<Frame>,
        outgoing: &mpsc::Sender<ToWatcher>,
    ) -> Option<Ended> {
        let mut heard = Instant::now();
        let mut expected = Expected::of(to.begin);
        // Not a sleep: that would begin anew with every key.
        let mut alive = interval(ALIVE_INTERVAL);
        loop {
            tokio::select! {
                message = received.recv() => {
                    heard = Instant::now();
                    let message = match message? {
                        Relayed::Frame(text) => {
                            let bytes = BASE64_STANDARD.decode(text).ok()?;
                            if !expected.takes(&bytes) {
                                return Some(Ended::Elsewhere);
                            }
                            ToWatcher::Frame(bytes)
                        }
                        Relayed::State(text) => ToWatcher::State(text),
                        Relayed::End(code) => return Some(ended_of(code)),
                        _ => continue,
                    };
                    outgoing.send(message).await.ok()?;
                }
                frame = incoming.recv() => {
                    let text = BASE64_STANDARD.encode(frame?.encode());
                    self.send_relayed(link, &to.instance, &Relayed::ToTerminal(text));
                }
                () = outgoing.closed() => return None,
                _ = alive.tick() => {
                    self.send_relayed(link, &to.instance, &Relayed::Alive);
                    let holder = lease::holder(&self.engine.db, to.terminal).await;
                    let is_there = holder.is_ok_and(|holder| holder.as_ref() == Some(&to.instance));
                    if !is_there || heard.elapsed() > SILENT_TIMEOUT {
                        return Some(Ended::Elsewhere);
                    }
                }
            }
        }
    }

    /// Serves somebody on another instance who watches a terminal that this one has.
    async fn serve_link(
        self,
        link: LinkId,
        open: Relayed,
        mut received: mpsc::Receiver<Relayed>,
    ) -> Option<()> {
        let Relayed::Open {
            from,
            terminal,
            who,
            begin,
        } = open
        else {
            return None;
        };
        let end = |ended: Ended| self.send_relayed(link, &from, &Relayed::End(ended.code()));
        let Some(terminal) = self.open.get(terminal) else {
            end(Ended::Unavailable);
            return None;
        };
        let (to_loop, incoming) = mpsc::channel(MAX_WAITING);
        let (outgoing, mut from_loop) = mpsc::channel(1);
        let following = self.follow(
            terminal,
            who.into_who(),
            begin,
            WatcherLink { incoming, outgoing },
        );
        let receiving = async {
            while let Ok(Some(message)) = timeout(SILENT_TIMEOUT, received.recv()).await {
                match message {
                    Relayed::ToTerminal(text) => {
                        let bytes = BASE64_STANDARD.decode(text).ok()?;
                        to_loop.send(Frame::decode(&bytes).ok()?).await.ok()?;
                    }
                    Relayed::Gone => return None,
                    _ => {}
                }
            }
            Some(())
        };
        let sending = async {
            loop {
                let message = match timeout(ALIVE_INTERVAL, from_loop.recv()).await {
                    Ok(Some(ToWatcher::Frame(bytes))) => {
                        Relayed::Frame(BASE64_STANDARD.encode(bytes))
                    }
                    Ok(Some(ToWatcher::State(text))) => Relayed::State(text),
                    Ok(Some(ToWatcher::End(ended))) => Relayed::End(ended.code()),
                    Ok(None) => return,
                    Err(_) => Relayed::Alive,
                };
                self.send_relayed(link, &from, &message);
            }
        };
        tokio::select! {
            ((), ()) = async { tokio::join!(following, sending) } => {}
            _ = receiving => {}
        }
        Some(())
    }
}

/// What is to come next.
enum Expected {
    /// The screen.
    Screen,
    /// Output from wherever the log begins.
    Log,
    /// What follows a position.
    Position(u64),
}

impl Expected {
    fn of(begin: Begin) -> Self {
        match begin {
            Begin::Screen => Self::Screen,
            Begin::Position(position) => Self::Position(position),
            Begin::Log => Self::Log,
        }
    }

    fn is_at(&self, position: u64) -> bool {
        match self {
            Self::Screen => false,
            Self::Log => true,
            Self::Position(expected) => *expected == position,
        }
    }

    /// Whether a frame continues what has come.
    fn takes(&mut self, bytes: &[u8]) -> bool {
        match Frame::decode(bytes) {
            Ok(Frame::Snapshot { position, .. }) => {
                *self = Self::Position(position);
                true
            }
            Ok(Frame::Output { position, bytes }) => {
                let is_next = self.is_at(position);
                *self = Self::Position(position + bytes.len() as u64);
                is_next
            }
            Ok(Frame::Resize { position, .. } | Frame::Exit { position, .. }) => {
                self.is_at(position)
            }
            Ok(Frame::Pong { .. }) => true,
            _ => false,
        }
    }
}

fn ended_of(code: u16) -> Ended {
    let all = [
        Ended::Refused,
        Ended::Elsewhere,
        Ended::Over,
        Ended::Malformed,
    ];
    let found = all.into_iter().find(|ended| ended.code() == code);
    found.unwrap_or(Ended::Unavailable)
}

/// Takes a message that is for this instance.
pub(super) async fn message_relayed(
    terminals: &Terminals,
    event: &MessageRelayed,
    envelope: &Envelope,
) -> Result<()> {
    if !envelope.is_remote || event.instance != terminals.engine.live.instance() {
        return Ok(());
    }
    let body = event.body.clone();
    let message: Relayed =
        serde_json::from_value(body).map_err(|error| Error::Internal(error.into()))?;
    let link = event.link;
    if !matches!(message, Relayed::Open { .. }) {
        terminals.links.pass(link, message);
        return Ok(());
    }
    if let Some(received) = terminals.links.add(link) {
        let terminals = terminals.clone();
        tokio::spawn(async move {
            let links = terminals.links.clone();
            terminals.serve_link(link, message, received).await;
            links.remove(link);
        });
    }
    Ok(())
}
