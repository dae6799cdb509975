//! Who watches a terminal: their socket, and the loop that sends them what they may see.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::core::Frame;
use super::model::{TerminalId, TerminalRow};
use super::open::{Begin, Ended, ForWatcher, OpenTerminal, Typed, WatcherState, Who};
use super::relay::RelayedLink;
use super::{TYPE, Terminals, VIEW, lease, store};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::engine::viewer::Viewer;
use crate::engine::web::{PeerMessage, SocketReader, SocketWriter, accept_socket};

/// Bytes of one message of a watcher: a piece of what they paste.
const MAX_WATCHER_MESSAGE_BYTES: usize = 16 << 10;
/// Sockets of one account that watch, on one instance.
const MAX_WATCHING_PER_ACCOUNT: usize = 32;
/// Messages that wait for a watcher's loop, and for their socket.
const MAX_INCOMING: usize = 32;
const MAX_OUTGOING: usize = 2;

/// What is sent to a watcher.
#[derive(Debug)]
pub(super) enum ToWatcher {
    /// A message of `core/frame.rs`.
    Frame(Vec<u8>),
    /// [`WatcherState`] as JSON.
    State(String),
    /// The last message.
    End(Ended),
}

/// Both directions of somebody who watches, whatever carries them.
pub(super) struct WatcherLink {
    pub(super) incoming: mpsc::Receiver<Frame>,
    pub(super) outgoing: mpsc::Sender<ToWatcher>,
}

#[derive(Deserialize)]
pub(super) struct WatchQuery {
    /// Where somebody who comes back goes on.
    #[serde(default)]
    position: Option<u64>,
}

/// `GET /rooms/{room}/terminals/{terminal}/watch`: a socket.
pub(super) async fn watch(
    State(terminals): State<Terminals>,
    viewer: Viewer,
    Path((room, id)): Path<(RoomId, TerminalId)>,
    Query(query): Query<WatchQuery>,
    request: Request,
) -> Result<Response> {
    let row = terminals.find(&viewer, room, id).await?;
    let place = terminals
        .watching
        .take(viewer.account, MAX_WATCHING_PER_ACCOUNT)
        .ok_or(Error::Full("error-terminal-watching"))?;
    serve_socket(terminals, request, row, (Who::Member(viewer), query), place)
}

/// Answers with a socket on which somebody watches, who has a place until it ends.
pub(super) fn serve_socket(
    terminals: Terminals,
    request: Request,
    row: TerminalRow,
    (who, query): (Who, WatchQuery),
    place: impl Send + 'static,
) -> Result<Response> {
    let (response, socket) = accept_socket(request, MAX_WATCHER_MESSAGE_BYTES)?;
    if let Some(socket) = socket {
        tokio::spawn(async move {
            let _place = place;
            let Some((reader, writer)) = socket.open().await else {
                return;
            };
            let begin = query.position.map_or(Begin::Screen, Begin::Position);
            match terminals.open_link(&row, who, begin).await {
                Ok((incoming, outgoing)) => pump(reader, writer, incoming, outgoing).await,
                Err(ended) => writer.close(ended.code(), "").await,
            }
        });
    }
    Ok(response)
}

type Ends = (mpsc::Sender<Frame>, mpsc::Receiver<ToWatcher>);

impl Terminals {
    /// The terminal, if it is in this room and the viewer may watch there.
    ///
    /// # Errors
    /// Those of [`permit`](crate::community::Access::permit), and `NotFound`.
    pub(super) async fn find(
        &self,
        viewer: &Viewer,
        room: RoomId,
        id: TerminalId,
    ) -> Result<TerminalRow> {
        let access = &self.community.access;
        access.permit_in_room(viewer.account, &VIEW, room).await?;
        let row = store::get(&self.engine.db, id).await?;
        match row.room == room {
            true => Ok(row),
            false => Err(Error::NotFound),
        }
    }

    /// Begins to watch a terminal, here or on the instance that has it.
    pub(super) async fn open_link(
        &self,
        row: &TerminalRow,
        who: Who,
        begin: Begin,
    ) -> Result<Ends, Ended> {
        let (to_loop, incoming) = mpsc::channel(MAX_INCOMING);
        let (outgoing, from_loop) = mpsc::channel(MAX_OUTGOING);
        let link = WatcherLink { incoming, outgoing };
        if let Some(terminal) = self.open.get(row.id) {
            let terminals = self.clone();
            tokio::spawn(async move { terminals.follow(terminal, who, begin, link).await });
            return Ok((to_loop, from_loop));
        }
        let holder = match self.is_alone() {
            true => None,
            false => lease::holder(&self.engine.db, row.id).await.ok().flatten(),
        };
        let own = self.engine.live.instance();
        match holder {
            Some(instance) if instance != own => {
                let relayed = RelayedLink {
                    terminal: row.id,
                    instance,
                    who,
                    begin,
                };
                tokio::spawn(self.clone().relay(relayed, link));
                Ok((to_loop, from_loop))
            }
            _ if row.ended_at.is_some() => Err(Ended::Over),
            _ => Err(Ended::Unavailable),
        }
    }

    /// Sends somebody what they may see until they go or have to.
    pub(super) async fn follow(
        &self,
        terminal: Arc<OpenTerminal>,
        who: Who,
        begin: Begin,
        link: WatcherLink,
    ) {
        let access = &self.community.access;
        let has_type = match who.account() {
            Some(account) => {
                let may_type = access.permit_in_room(account, &TYPE, terminal.room);
                may_type.await.is_ok()
            }
            None => false,
        };
        let Some(watcher) = terminal.add_watcher(who, has_type) else {
            drop(link.outgoing.send(ToWatcher::End(Ended::Refused)).await);
            return;
        };
        let _guard = WatcherGuard(terminal.clone(), watcher);
        let WatcherLink { incoming, outgoing } = link;
        let ended = send_all(&terminal, watcher, begin, incoming, &outgoing).await;
        if let Some(ended) = ended {
            drop(outgoing.send(ToWatcher::End(ended)).await);
        }
    }
}

/// Somebody watches until this is dropped.
struct WatcherGuard(Arc<OpenTerminal>, u64);

impl Drop for WatcherGuard {
    fn drop(&mut self) {
        self.0.remove_watcher(self.1);
    }
}

/// The loop of one watcher. `None` when they have gone.
async fn send_all(
    terminal: &OpenTerminal,
    watcher: u64,
    begin: Begin,
    mut incoming: mpsc::Receiver<Frame>,
    outgoing: &mpsc::Sender<ToWatcher>,
) -> Option<Ended> {
    let mut changes = terminal.changes();
    let mut cursor = terminal.cursor(begin);
    let mut told: Option<WatcherState> = None;
    let mut typed: Option<Vec<u8>> = None;
    loop {
        changes.mark_unchanged();
        if let Some(bytes) = typed.take()
            && terminal.type_in(watcher, &bytes) == Typed::Later
        {
            typed = Some(bytes);
        }
        while let Some(next) = terminal.next_for(watcher, &mut cursor, &mut told) {
            let message = match next {
                ForWatcher::Frame(frame) => ToWatcher::Frame(frame.encode()),
                ForWatcher::State(state) => {
                    let text = crate::engine::bus::json(&state);
                    ToWatcher::State(String::from(Box::<str>::from(text)))
                }
                ForWatcher::End(ended) => return Some(ended),
            };
            outgoing.send(message).await.ok()?;
        }
        tokio::select! {
            changed = changes.changed() => changed.ok()?,
            // What they type waits for its turn, and all that they send behind it.
            frame = incoming.recv(), if typed.is_none() => match frame? {
                Frame::Ack { position } => cursor.ack(position),
                Frame::Input { bytes, .. } => typed = Some(bytes),
                Frame::Ping { position } => {
                    let sharer_ms = terminal.sharer_millis();
                    let pong = Frame::Pong { position, sharer_ms };
                    outgoing.send(ToWatcher::Frame(pong.encode())).await.ok()?;
                }
                _ => return Some(Ended::Malformed),
            },
            () = outgoing.closed() => return None,
        }
    }
}

/// Carries messages between a socket and the loop of a watcher until either ends.
async fn pump(
    mut reader: SocketReader,
    writer: SocketWriter,
    incoming: mpsc::Sender<Frame>,
    mut outgoing: mpsc::Receiver<ToWatcher>,
) {
    let sending = async {
        while let Some(message) = outgoing.recv().await {
            let sent = match message {
                ToWatcher::Frame(bytes) => writer.binary(&bytes).await,
                ToWatcher::State(text) => writer.text(&text).await,
                ToWatcher::End(ended) => {
                    writer.close(ended.code(), "").await;
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    };
    let receiving = async {
        while let Some(message) = reader.next().await {
            let frame = match message {
                PeerMessage::Binary(bytes) => Frame::decode(&bytes).ok(),
                PeerMessage::Text(_) => None,
            };
            let Some(frame) = frame else {
                return writer.close(Ended::Malformed.code(), "").await;
            };
            if incoming.send(frame).await.is_err() {
                // The loop has ended, and says why.
                return std::future::pending().await;
            }
        }
    };
    tokio::select! {
        () = sending => {}
        () = receiving => {}
    }
}
