//! A socket's task: what its client says is answered, its rights are proved when they may have
//! changed, until it closes.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connection::{Connection, Ended, Event, message};
use super::frame::Encoding;
use super::hub::Hub;
use super::protocol::{FromClient, ToClient};
use super::shard::Shard;
use super::socket::{CloseReason, Socket, SocketClosed, SocketOpened};
use crate::base::error::Error;
use crate::engine::actions::Actions;
use crate::engine::bus::{Bus, Origin};
use crate::engine::rate_limit::Throttle;
use crate::engine::web::{ConnectionPermit, problem};
use crate::engine::websocket::{Fault, Message, Reader, frames};

pub(super) const MAX_FEEDS: usize = 64;
const MAX_MESSAGE_BYTES: usize = 64 << 10; // bytes of one message from a client
const MESSAGE_RATE: (u32, Duration) = (100, Duration::from_secs(10)); // what one socket may say
const MAX_REFUSED_MESSAGES: u32 = 100; // refused messages after which a socket is closed
const MAX_NAME_BYTES: usize = 128; // bytes of a feed's or action's name, or a message's id
// For the peer to take the closing frame and to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What a socket's task needs of the server.
pub(super) struct Server {
    pub(super) hub: Hub,
    pub(super) bus: Bus,
    pub(super) actions: Actions,
    pub(super) version: &'static str,
}

/// A connection that has become a socket's.
pub(super) struct Upgrade {
    pub(super) stream: std::net::TcpStream,
    /// What came behind the handshake already.
    pub(super) early: Vec<u8>,
    pub(super) encoding: Encoding,
    /// The feeds its address named, with cursors.
    pub(super) wanted: Vec<(String, Option<String>)>,
    /// Its place among the server's connections, held as long as it is open.
    pub(super) permit: Option<ConnectionPermit>,
}

/// A socket and its connection on their way to a shard.
pub(super) struct NewSocket {
    guard: SocketGuard,
    upgrade: Upgrade,
}

/// A socket that the hub has taken in. Dropped, however its life ends, it is let go and the bus
/// hears of it.
pub(super) struct SocketGuard {
    server: Arc<Server>,
    socket: Arc<Socket>,
    announced: bool,
}

impl SocketGuard {
    pub(super) fn new(server: Arc<Server>, socket: Arc<Socket>) -> Self {
        Self {
            server,
            socket,
            announced: false,
        }
    }

    /// Hands its connection to its shard.
    pub(super) fn arrive(self, upgrade: Upgrade) {
        let shard = self.socket.shard.clone();
        shard.arrive(NewSocket {
            guard: self,
            upgrade,
        });
    }

    fn announce(&mut self) {
        let account = self.socket.viewer.account;
        self.server.bus.publish(
            Origin::new(account, None),
            SocketOpened {
                account,
                socket: self.socket.id,
            },
        );
        self.announced = true;
    }
}

impl Drop for SocketGuard {
    fn drop(&mut self) {
        self.server.hub.closed(&self.socket);
        if self.announced {
            let account = self.socket.viewer.account;
            self.server.bus.publish(
                Origin::new(account, None),
                SocketClosed {
                    account,
                    socket: self.socket.id,
                },
            );
        }
    }
}

struct Session {
    shard: Rc<Shard>,
    connection: Rc<Connection>,
    rate: Throttle,
    refused: u32,
    guard: SocketGuard,
}

/// Serves a socket until it closes.
pub(super) async fn serve(shard: Rc<Shard>, arrival: NewSocket) {
    let NewSocket {
        mut guard,
        upgrade:
            Upgrade {
                stream,
                early,
                encoding,
                wanted,
                permit,
            },
    } = arrival;
    let Ok(stream) = TcpStream::from_std(stream) else {
        return;
    };
    let connection = Rc::new(Connection::new(
        guard.socket.clone(),
        stream,
        encoding,
        shard.second.get(),
    ));
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
    // What happens once or seldom is boxed: ten thousand idle sockets each keep the size of the
    // largest step.
    Box::pin(session.send_hello(wanted)).await;
    let Err(closing) = session.run(&mut reader, early).await;
    session.connection.unfollow_all(&session.shard);
    if let Some(last) = closing.0 {
        // The peer may be long gone; a closing handshake is a courtesy.
        let _ = Box::pin(timeout(CLOSE_TIMEOUT, session.connection.finish(last))).await;
    }
    drop(permit);
}

/// The end of a socket, with the last thing to say if there is anyone to say it to.
struct Closing(Option<Bytes>);

impl From<CloseReason> for Closing {
    fn from(reason: CloseReason) -> Self {
        Self(Some(reason.frame()))
    }
}

impl From<Ended> for Closing {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Gone => Self(None),
            Ended::Fault(Fault::TooLarge) => CloseReason::TooLarge.into(),
            Ended::Fault(fault) => CloseReason::Broken(fault).into(),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.unfollow_all(&self.shard);
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

    /// The first message, then what follows from the address.
    async fn send_hello(&mut self, wanted: Vec<(String, Option<String>)>) {
        let account = self.guard.socket.viewer.account.to_string();
        self.send(&ToClient::Hello {
            instance: self.server().hub.instance(),
            version: self.server().version,
            account,
        });
        let mut within = None;
        for (feed, cursor) in wanted {
            self.subscribe(&feed, cursor.as_deref(), &mut within).await;
        }
    }

    async fn run(&mut self, reader: &mut Reader, early: Vec<u8>) -> Result<Infallible, Closing> {
        let mut said = self.connection.take(&mut { early }, &self.shard, reader)?;
        loop {
            if !said.is_empty() {
                Box::pin(self.handle_all(said)).await?;
            }
            said = match self.connection.event(&self.shard).await {
                Event::Readable => self.connection.read(&self.shard, reader)?,
                Event::Signalled => {
                    Box::pin(self.handle_signal()).await?;
                    Vec::new()
                }
                Event::Gone => return Err(Closing(None)),
            };
        }
    }

    /// The rest of the server wants the socket closed, or its rights proved.
    async fn handle_signal(&mut self) -> Result<(), Closing> {
        let socket = &self.guard.socket;
        if let Some(reason) = socket.closing.get() {
            return Err((*reason).into());
        }
        self.connection.hold();
        while socket.recheck.swap(false, Ordering::AcqRel) {
            if !self.server().hub.still_valid(&socket.viewer).await {
                return Err(CloseReason::SignedOut.into());
            }
            for feed in self.connection.follows() {
                if !self.server().hub.allows(&socket.viewer, &feed).await {
                    self.connection.unfollow(&feed, &self.shard);
                    self.send(&ToClient::Revoked { feed: &feed });
                }
            }
        }
        self.connection.release(&self.shard);
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
                Message::Pong => {}
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

    /// Counts a message. Whether it is heard; who goes on and on is closed.
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

    /// What the client said, and the answer.
    async fn handle(&mut self, text: &str) -> Result<(), Closing> {
        let message: Option<FromClient> = serde_json::from_str(text).ok();
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
                self.subscribe(&feed, cursor.as_deref(), &mut None).await
            }
            Some(FromClient::Unsubscribe { feed }) => self.connection.unfollow(&feed, &self.shard),
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

    /// Does something, on the threads that serve pages: sockets do not wait for it.
    async fn act(&self, id: &str, action: String, fields: Value) -> Result<(), Closing> {
        let (server, socket) = (self.guard.server.clone(), self.guard.socket.clone());
        let done = self.shard.pages.spawn(async move {
            // The session may have ended since the last message; frames are checked when told,
            // actions always.
            if !server.hub.still_valid(&socket.viewer).await {
                return None;
            }
            Some(match server.actions.admit(&socket.viewer, &action) {
                Ok((action, _)) => action.run_json(&socket.viewer, fields).await,
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

    /// Follows a feed from a cursor, or from now on, and says so. `within` is the window to refetch
    /// in, reserved on first need: a client refetches all that it lost at one moment.
    async fn subscribe(&mut self, name: &str, cursor: Option<&str>, within: &mut Option<u32>) {
        let hub = &self.server().hub;
        if name.len() > MAX_NAME_BYTES || !hub.allows(&self.guard.socket.viewer, name).await {
            return self.send(&ToClient::Refused {
                feed: name.get(..MAX_NAME_BYTES).unwrap_or(name),
                code: "not_found",
            });
        }
        self.connection.unfollow(name, &self.shard);
        if self.connection.follows().len() >= MAX_FEEDS {
            return self.send(&ToClient::Refused {
                feed: name,
                code: "too_many",
            });
        }
        // Listening first: what comes after the look at the log rings.
        let feed = hub.listen(name, self.shard.index());
        let subscriptions = self.shard.follow(&feed, &self.connection);
        let seen = match cursor {
            _ if feed.ephemeral => Some(feed.log.head()),
            None => Some(feed.log.head()),
            Some(cursor) => hub.seen(cursor).filter(|seen| feed.log.reaches(*seen)),
        };
        let Some(seen) = seen else {
            self.shard.unfollow(&subscriptions, &self.connection);
            let within = *within.get_or_insert_with(|| hub.reserve_refetch());
            return self.send(&ToClient::Refresh { feed: name, within });
        };
        self.send(&ToClient::Subscribed {
            feed: name,
            cursor: format!("{}.{seen}", hub.instance()),
        });
        self.connection.follow(subscriptions, seen);
        self.shard.is_due_now(&self.connection);
    }
}
