//! The connection to the server, opened again as often as it is lost. The server acknowledges
//! positions of the output; a new connection goes on from there, as long as the log has it, and
//! begins with the screen otherwise.

use std::time::Duration;

use anyhow::{Result, anyhow};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::Shared;
use super::connect::{Connector, NoSocket, Socket};
use super::files::{FileEvent, FileLink};
use crate::modules::terminals::core::Frame;
use crate::modules::terminals::hello::{Answer, Hello, SharerNote};

/// Between two tries to connect.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(500);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(10);
/// The server pings every 8 seconds.
const SILENT_TIMEOUT: Duration = Duration::from_secs(25);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Close codes after which one does not come back: refused, and over.
const REFUSED: u16 = 4403;
const OVER: u16 = 4410;

/// How sharing ended.
#[derive(Debug)]
pub(super) enum Delivery {
    /// The server has everything, and the exit code.
    Done,
    /// The server ended it.
    Refused(String),
}

/// A connection that is served, and from where output is expected.
pub(super) struct Connection {
    socket: Socket,
    position: Option<u64>,
    takes_notes: bool,
}

/// What others type.
pub(super) struct Typed {
    /// For the program.
    pub(super) input: mpsc::UnboundedSender<Vec<u8>>,
    /// How many bytes it has got.
    pub(super) taken: watch::Receiver<u64>,
    /// Files that they offer.
    pub(super) files: FileLink,
}

enum Lost {
    /// Come back.
    Connection,
    /// Do not.
    ForGood(Delivery),
}

/// The connection of a shared terminal.
pub(super) struct Uplink {
    connector: Connector,
    hello: Hello,
    path: String,
    shared: Shared,
}

impl Uplink {
    /// Connects for the first time.
    ///
    /// # Errors
    /// When the server refuses, or cannot be reached.
    pub(super) async fn begin(
        connector: Connector,
        hello: Hello,
        shared: Shared,
    ) -> Result<(Self, Connection)> {
        let mut uplink = Self {
            connector,
            hello,
            path: String::new(),
            shared,
        };
        let connection = uplink.connect().await?;
        Ok((uplink, connection))
    }

    /// The number of the terminal.
    pub(super) fn terminal(&self) -> &str {
        self.hello.terminal.as_deref().unwrap_or_default()
    }

    /// The path of its page.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    async fn connect(&mut self) -> Result<Connection, NoSocket> {
        let mut socket = self.connector.connect().await?;
        let unreachable = |error: anyhow::Error| NoSocket::Unreachable(error);
        let size = self.shared.lock().size();
        (self.hello.cols, self.hello.rows) = (size.cols, size.rows);
        let hello =
            serde_json::to_string(&self.hello).map_err(|error| unreachable(error.into()))?;
        let sent = socket.send(Message::text(hello)).await;
        sent.map_err(|error| unreachable(error.into()))?;
        let answer = timeout(ANSWER_TIMEOUT, socket.next()).await;
        let Ok(Some(Ok(Message::Text(answer)))) = answer else {
            return Err(unreachable(anyhow!("it does not answer")));
        };
        match serde_json::from_str(&answer) {
            Ok(Answer::Welcome {
                terminal,
                path,
                position,
                takes_notes,
            }) => {
                self.hello.terminal = Some(terminal);
                self.path = path;
                Ok(Connection {
                    socket,
                    position,
                    takes_notes,
                })
            }
            Ok(Answer::Refused {
                message,
                passing: true,
                ..
            }) => Err(unreachable(anyhow!(message))),
            Ok(Answer::Refused { message, .. }) => Err(NoSocket::Refused(message)),
            Err(error) => Err(unreachable(error.into())),
        }
    }

    /// Serves a connection and those that follow it, until everything is delivered.
    pub(super) async fn run(&mut self, first: Connection, mut typed: Typed) -> Delivery {
        let mut connection = first;
        loop {
            let lost = self.serve(connection, &mut typed).await;
            if let Lost::ForGood(delivery) = lost {
                return delivery;
            }
            connection = match self.reconnect().await {
                Ok(connection) => connection,
                Err(why) => return Delivery::Refused(why),
            };
        }
    }

    async fn reconnect(&mut self) -> Result<Connection, String> {
        let mut delay = MIN_RETRY_DELAY;
        loop {
            // Sharers of one server do not come back at one moment.
            let spread = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
            sleep(delay.mul_f64(0.5 + spread / 2.0)).await;
            match self.connect().await {
                Ok(connection) => return Ok(connection),
                Err(NoSocket::Refused(why)) => return Err(why),
                Err(NoSocket::Unreachable(_)) => delay = (delay * 2).min(MAX_RETRY_DELAY),
            }
        }
    }

    /// Sends what the program writes and passes on what others type, until the connection ends.
    async fn serve(&mut self, connection: Connection, typed: &mut Typed) -> Lost {
        let Connection {
            socket,
            position,
            takes_notes,
        } = connection;
        let (mut sink, mut stream) = socket.split();
        let mut changed = self.shared.changed.subscribe();
        // A server that has nothing gets all that is left, or the screen.
        let mut cursor = self.shared.lock().resume(position.unwrap_or(0));
        let (mut has_exit, mut heard) = (false, Instant::now());
        typed.taken.mark_changed();
        let mut status = self.shared.status.subscribe();
        status.mark_changed();
        // What was offered on another connection is offered again.
        drop(typed.files.events.send(FileEvent::Reconnected).await);
        loop {
            changed.mark_unchanged();
            loop {
                let frame = self.shared.lock().next(&mut cursor);
                let Some(frame) = frame else {
                    break;
                };
                has_exit |= matches!(frame, Frame::Exit { .. });
                if sink.send(Message::binary(frame.encode())).await.is_err() {
                    return Lost::Connection;
                }
            }
            let message = tokio::select! {
                changed = changed.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Lost::Connection,
                },
                // None once the program has ended.
                Ok(()) = typed.taken.changed() => {
                    let position = *typed.taken.borrow_and_update();
                    let ack = Message::binary(Frame::Ack { position }.encode());
                    match sink.send(ack).await {
                        Ok(()) => continue,
                        Err(_) => return Lost::Connection,
                    }
                }
                Ok(()) = status.changed(), if takes_notes => {
                    let note = SharerNote::Status(status.borrow_and_update().clone());
                    let note = serde_json::to_string(&note).unwrap_or_default();
                    match sink.send(Message::text(note)).await {
                        Ok(()) => continue,
                        Err(_) => return Lost::Connection,
                    }
                }
                Some(note) = typed.files.notes.recv(), if takes_notes => {
                    let note = serde_json::to_string(&note).unwrap_or_default();
                    match sink.send(Message::text(note)).await {
                        Ok(()) => continue,
                        Err(_) => return Lost::Connection,
                    }
                }
                message = timeout_at(heard + SILENT_TIMEOUT, stream.next()) => message,
            };
            let Ok(Some(Ok(message))) = message else {
                return Lost::Connection;
            };
            heard = Instant::now();
            match message {
                Message::Binary(bytes) => match Frame::decode(&bytes) {
                    Ok(Frame::Ack { position }) => cursor.ack(position),
                    Ok(Frame::Input { position, bytes }) => {
                        self.take_input(position, &bytes, typed);
                    }
                    Ok(Frame::FilePiece { bytes, .. }) => {
                        drop(typed.files.events.send(FileEvent::Piece(bytes)).await);
                    }
                    _ => return Lost::Connection,
                },
                Message::Text(note) => {
                    if let Ok(note) = serde_json::from_str(&note) {
                        drop(typed.files.events.send(FileEvent::Note(note)).await);
                    }
                }
                Message::Close(frame) => return closed(frame, has_exit),
                _ => {}
            }
        }
    }

    /// Passes on input that has not come before. It is acknowledged once the program has got it:
    /// the server sends no more than 64 KiB before that.
    fn take_input(&mut self, position: u64, bytes: &[u8], typed: &Typed) {
        let known = self.hello.input.checked_sub(position);
        let known = known.and_then(|known| usize::try_from(known).ok());
        let new = known.and_then(|known| bytes.get(known..));
        if let Some(new) = new.filter(|new| !new.is_empty()) {
            self.hello.input += new.len() as u64;
            drop(typed.input.send(new.to_vec()));
        }
    }
}

fn closed(frame: Option<CloseFrame>, has_exit: bool) -> Lost {
    let code = frame.map(|frame| u16::from(frame.code));
    match code {
        Some(OVER) if has_exit => Lost::ForGood(Delivery::Done),
        Some(OVER) => Lost::ForGood(Delivery::Refused("it was ended on its page".to_owned())),
        Some(REFUSED) => {
            let why = "this account or token may not share in this room any more";
            Lost::ForGood(Delivery::Refused(why.to_owned()))
        }
        _ => Lost::Connection,
    }
}
