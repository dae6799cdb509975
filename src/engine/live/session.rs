//! A socket's task: handles the messages of its client, and checks its rights when they may have
//! changed, until the socket closes.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::connection::{Connection, Ended, Event, message};
use super::protocol::{FromClient, ToClient};
use super::resume;
use super::shard::Shard;
use super::socket::CloseReason;
use super::socket_guard::{Server, SocketGuard, Upgrade};
use crate::base::error::Error;
use crate::engine::problem::problem;
use crate::engine::rate_limit::Throttle;
use crate::engine::websocket::{Fault, Message, Reader, frames};

pub(super) const MAX_FEEDS: usize = 64; // that one socket follows
const MAX_MESSAGE_BYTES: usize = 64 << 10; // from a client, after inflating
const MESSAGE_RATE: (u32, Duration) = (100, Duration::from_secs(10)); // of one socket
const MAX_REFUSED_MESSAGES: u32 = 100; // after which a socket is closed
const MAX_NAME_BYTES: usize = 128; // of a feed's or action's name, or a message's id
// For the peer to take the closing frame and to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Hands a socket to its shard, which serves it until it closes.
pub(super) fn start(guard: SocketGuard, upgrade: Upgrade) {
    let handle = guard.socket.shard.clone();
    handle.run(Box::new(move || {
        if let Some(shard) = Shard::current() {
            spawn_local(serve(shard, guard, upgrade));
        }
    }));
}

struct Session {
    shard: Rc<Shard>,
    connection: Rc<Connection>,
    rate: Throttle,
    /// Messages refused so far because there were too many.
    refused: u32,
    guard: SocketGuard,
}

/// Serves a socket until it closes.
async fn serve(shard: Rc<Shard>, mut guard: SocketGuard, upgrade: Upgrade) {
    let Upgrade {
        stream,
        early,
        encoding,
        wanted,
        permit,
    } = upgrade;
    let Ok(stream) = TcpStream::from_std(stream) else {
        return;
    };
    let (socket, second) = (guard.socket.clone(), shard.context.second.get());
    let connection = Rc::new(Connection::new(socket, stream, encoding, second));
    shard.enter(&connection);
    guard.announce();
    let mut session = Session {
        shard,
        connection,
        rate: Throttle::new(MESSAGE_RATE.0, MESSAGE_RATE.1),
        refused: 0,
        guard,
    };
    let mut reader = Reader::new(MAX_MESSAGE_BYTES, encoding.window.is_some());
    // What happens once or seldom is boxed: the task of an idle socket is as large as the largest
    // of its steps.
    let greeted = Box::pin(session.send_hello(wanted)).await;
    let closing = match greeted {
        Ok(()) => {
            let Err(closing) = session.run(&mut reader, early).await;
            closing
        }
        Err(closing) => closing,
    };
    session.shard.unfollow_all(&session.connection);
    if let Some(last) = closing.0 {
        // The peer may be long gone, so the closing handshake gets little time.
        let _ = Box::pin(timeout(CLOSE_TIMEOUT, session.connection.finish(last))).await;
    }
    drop(permit);
}

/// Why a socket's task ends: the closing frame to send, or none when the peer is gone.
struct Closing(Option<Bytes>);

impl From<CloseReason> for Closing {
    fn from(reason: CloseReason) -> Self {
        Self(Some(reason.frame()))
    }
}

/// A right that could not be read is no right that is gone: the client comes back and asks again.
impl From<Error> for Closing {
    fn from(error: Error) -> Self {
        tracing::warn!(%error, "a socket is closed: its rights could not be read");
        CloseReason::Unavailable.into()
    }
}

impl From<Ended> for Closing {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Dead => Self(None),
            Ended::Fault(Fault::TooLarge) => CloseReason::TooLarge.into(),
            Ended::Fault(fault) => CloseReason::Broken(fault).into(),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.shard.leave(&self.connection);
    }
}

impl Session {
    fn server(&self) -> &Server {
        &self.guard.server
    }

    fn send(&self, what: &ToClient) {
        self.connection.send(message(what));
    }

    /// The first message, then the subscriptions that the address names.
    async fn send_hello(&mut self, wanted: Vec<(String, Option<String>)>) -> Result<(), Closing> {
        let account = self.guard.socket.viewer.account.to_string();
        self.send(&ToClient::Hello {
            instance: self.server().hub.instance(),
            version: self.server().version,
            account,
        });
        let mut within = None;
        for (feed, cursor) in wanted {
            self.subscribe(&feed, cursor.as_deref(), &mut within)
                .await?;
        }
        Ok(())
    }

    async fn run(&mut self, reader: &mut Reader, early: Vec<u8>) -> Result<Infallible, Closing> {
        let shard = self.shard.clone();
        let context = &shard.context;
        let mut messages = self.connection.take(&mut { early }, context, reader)?;
        loop {
            if !messages.is_empty() {
                Box::pin(self.handle_all(messages)).await?;
            }
            messages = Vec::new();
            match self.connection.event().await {
                Event::Readable => messages = self.connection.read(context, reader)?,
                Event::Flushed => self.shard.queue_and_wake(&self.connection),
                Event::Signalled => Box::pin(self.handle_signal()).await?,
                Event::Dead => return Err(Closing(None)),
            }
        }
    }

    /// The rest of the server wants the socket closed, or its rights checked.
    async fn handle_signal(&mut self) -> Result<(), Closing> {
        let socket = &self.guard.socket;
        if let Some(reason) = socket.closing.get() {
            return Err((*reason).into());
        }
        self.connection.hold();
        while socket.recheck.swap(false, Ordering::AcqRel) {
            if !self
                .server()
                .rights
                .is_session_valid(&socket.viewer)
                .await?
            {
                return Err(CloseReason::SignedOut.into());
            }
            for feed in self.connection.subscriptions.names() {
                if !self.server().rights.allows(&socket.viewer, &feed).await? {
                    self.shard.unfollow(&self.connection, &feed);
                    self.send(&ToClient::Revoked { feed: &feed });
                }
            }
        }
        self.connection.release();
        self.shard.queue_and_wake(&self.connection);
        Ok(())
    }

    async fn handle_all(&mut self, said: Vec<Message>) -> Result<(), Closing> {
        for message in said {
            match message {
                Message::Text(text) => self.handle(&text).await?,
                Message::Ping(payload) => {
                    self.check_rate(None)?;
                    let mut pong = Vec::new();
                    frames::pong(&payload, &mut pong);
                    self.connection.send(pong.into());
                }
                Message::Pong => drop(self.check_rate(None)?),
                Message::Binary(_) => return Err(CloseReason::NotUnderstood.into()),
                Message::Close(said) => {
                    let mut echo = Vec::new();
                    let (code, reason) = said
                        .as_ref()
                        .map_or((1000, ""), |(code, reason)| (*code, reason.as_str()));
                    frames::close(code, reason, &mut echo);
                    return Err(Closing(Some(echo.into())));
                }
            }
        }
        Ok(())
    }

    fn refuse(&self, id: Option<&str>, error: &Error) {
        self.send(&ToClient::Error {
            id,
            error: problem(error, self.guard.socket.viewer.lang),
        });
    }

    /// Counts a message. Whether it is handled; after too many refusals the socket is closed.
    fn check_rate(&mut self, id: Option<&str>) -> Result<bool, Closing> {
        let Err(error) = self.rate.check() else {
            return Ok(true);
        };
        self.refused += 1;
        if self.refused > MAX_REFUSED_MESSAGES {
            return Err(CloseReason::Flooding.into());
        }
        self.refuse(id, &error);
        Ok(false)
    }

    /// Handles one text message.
    async fn handle(&mut self, text: &str) -> Result<(), Closing> {
        let message = FromClient::parse(text);
        let id = if let Some(FromClient::Act { id, .. }) = &message {
            id.get(..MAX_NAME_BYTES.min(id.len()))
        } else {
            None
        };
        if !self.check_rate(id)? {
            return Ok(());
        }
        match message {
            None => self.refuse(None, &Error::field("type", "error-message-shape")),
            Some(FromClient::Subscribe { feed, cursor }) => {
                self.subscribe(&feed, cursor.as_deref(), &mut None).await?;
            }
            Some(FromClient::Unsubscribe { feed }) => self.shard.unfollow(&self.connection, &feed),
            Some(FromClient::Act { id, action, .. })
                if id.len() > MAX_NAME_BYTES || action.len() > MAX_NAME_BYTES =>
            {
                self.refuse(None, &Error::field("id", "error-message-shape"));
            }
            Some(FromClient::Act { id, action, fields }) => self.act(&id, action, fields).await?,
            Some(FromClient::Ping) => self.send(&ToClient::Pong),
        }
        Ok(())
    }

    /// Runs an action, on the threads that serve pages: other sockets do not wait for it.
    async fn act(&self, id: &str, action: String, fields: Box<RawValue>) -> Result<(), Closing> {
        let (server, socket) = (self.guard.server.clone(), self.guard.socket.clone());
        let done = self.shard.pages.spawn(async move {
            // Checked for every action: the session may have ended since the last message.
            match server.rights.is_session_valid(&socket.viewer).await {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
            Some(match server.actions.admit(&socket.viewer, &action) {
                Ok((action, _)) => {
                    let fields = fields.get().as_bytes();
                    action.run_json(&socket.viewer, fields).await
                }
                Err(error) => Err(error),
            })
        });
        match done.await {
            Ok(None) => return Err(CloseReason::SignedOut.into()),
            Ok(Some(Ok(done))) => self.send(&ToClient::Reply {
                id,
                result: done.result,
            }),
            Ok(Some(Err(error))) => self.refuse(Some(id), &error),
            Err(panicked) => self.refuse(Some(id), &Error::Internal(panicked.into())),
        }
        Ok(())
    }

    /// Follows a feed from a cursor, or from now on, and answers. `within` is the window to refetch
    /// in, reserved on first need: a client refetches all that it lost at one moment.
    async fn subscribe(
        &mut self,
        name: &str,
        cursor: Option<&str>,
        within: &mut Option<u32>,
    ) -> Result<(), Closing> {
        let Server { hub, rights, .. } = self.server();
        if name.len() > MAX_NAME_BYTES || !rights.allows(&self.guard.socket.viewer, name).await? {
            self.send(&ToClient::Refused {
                feed: name.get(..MAX_NAME_BYTES).unwrap_or(name),
                code: "not_found",
            });
            return Ok(());
        }
        self.shard.unfollow(&self.connection, name);
        if self.connection.subscriptions.len() >= MAX_FEEDS {
            self.send(&ToClient::Refused {
                feed: name,
                code: "too_many",
            });
            return Ok(());
        }
        resume::wait_for(hub, name, cursor).await?;
        // Listening first: what comes after the look at the log's head wakes the shard.
        let feed = hub.listen(name, self.shard.index());
        let batches = self.shard.add_follower(&feed, &self.connection);
        let mut presenters = Vec::new();
        let mut start = resume::start_after(hub, &feed, cursor);
        if start.is_none() && resume::is_of_other_instance(hub, &feed, cursor) {
            presenters = rights.presenters(name);
            start = (!presenters.is_empty()).then(|| feed.log.head());
        }
        let Some(seen) = start else {
            self.shard.remove_follower(&feed, &self.connection);
            let within = *within.get_or_insert_with(|| hub.reserve_refetch());
            self.send(&ToClient::Refresh { feed: name, within });
            return Ok(());
        };
        self.send(&ToClient::Subscribed {
            feed: name,
            cursor: hub.cursor_of(&feed, seen).to_string(),
        });
        self.connection.subscriptions.add(batches, seen);
        self.shard.queue_and_wake(&self.connection);
        for present in presenters {
            self.shard.pages.spawn(present);
        }
        Ok(())
    }
}
