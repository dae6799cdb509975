//! A socket's task: what its client says is answered, its rights are proved when they may have changed, until it closes.

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
use super::core::Core;
use super::frame::Encoding;
use super::hub::Hub;
use super::protocol::{FromClient, ToClient};
use super::socket::{Close, Socket, SocketClosed, SocketOpened};
use crate::base::error::Error;
use crate::engine::actions::Actions;
use crate::engine::bus::{Bus, Origin};
use crate::engine::rates::Throttle;
use crate::engine::web::{ConnectionPermit, problem};
use crate::engine::websocket::{Fault, Message, Reader, frames};

pub(super) const MOST_FEEDS: usize = 64;
const LARGEST: usize = 64 << 10; // bytes of one message from a client
const MESSAGES: (u32, Duration) = (100, Duration::from_secs(10)); // what one socket may say
const PATIENCE: u32 = 100; // refused messages after which a socket is closed
const LONGEST_NAME: usize = 128; // bytes of a feed's or action's name, or a message's id
const FAREWELL: Duration = Duration::from_secs(2); // for the peer to take the closing frame and to close

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

/// A socket and its connection on their way to a core.
pub(super) struct Arrival {
    guest: Guest,
    upgrade: Upgrade,
}

/// A socket that the hub has taken in. Dropped, however its life ends, it is let go and the bus hears of it.
pub(super) struct Guest {
    server: Arc<Server>,
    socket: Arc<Socket>,
    announced: bool,
}

impl Guest {
    pub(super) fn new(server: Arc<Server>, socket: Arc<Socket>) -> Self {
        Self { server, socket, announced: false }
    }

    /// Hands its connection to its core.
    pub(super) fn arrive(self, upgrade: Upgrade) {
        let core = self.socket.core.clone();
        core.arrive(Arrival { guest: self, upgrade });
    }

    fn announce(&mut self) {
        let account = self.socket.viewer.account;
        self.server.bus.publish(Origin::new(account, None), SocketOpened { account, socket: self.socket.id });
        self.announced = true;
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.server.hub.closed(&self.socket);
        if self.announced {
            let account = self.socket.viewer.account;
            self.server.bus.publish(Origin::new(account, None), SocketClosed { account, socket: self.socket.id });
        }
    }
}

struct Session {
    core: Rc<Core>,
    connection: Rc<Connection>,
    rate: Throttle,
    refused: u32,
    guest: Guest,
}

/// Serves a socket until it closes.
pub(super) async fn serve(core: Rc<Core>, arrival: Arrival) {
    let Arrival { mut guest, upgrade: Upgrade { stream, early, encoding, wanted, permit } } = arrival;
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    let connection = Rc::new(Connection::new(guest.socket.clone(), stream, encoding, core.second.get()));
    core.enter(&connection);
    guest.announce();
    let mut session = Session { core, connection, rate: Throttle::new(MESSAGES.0, MESSAGES.1), refused: 0, guest };
    let mut reader = Reader::new(LARGEST, encoding.window.is_some());
    // What happens once or seldom is boxed: ten thousand idle sockets each keep the size of the largest step.
    Box::pin(session.greet(wanted)).await;
    let Err(farewell) = session.run(&mut reader, early).await;
    session.connection.unfollow_all(&session.core);
    if let Some(last) = farewell.0 {
        // The peer may be long gone; a closing handshake is a courtesy.
        let _ = Box::pin(timeout(FAREWELL, session.connection.finish(last))).await;
    }
    drop(permit);
}

/// The end of a socket, with the last thing to say if there is anyone to say it to.
struct Farewell(Option<Bytes>);

impl From<Close> for Farewell {
    fn from(reason: Close) -> Self {
        Self(Some(reason.frame()))
    }
}

impl From<Ended> for Farewell {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Gone => Self(None),
            Ended::Fault(Fault::TooLarge) => Close::TooLarge.into(),
            Ended::Fault(fault) => Close::Broken(fault).into(),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.connection.unfollow_all(&self.core);
        self.core.leave(&self.connection);
    }
}

impl Session {
    fn server(&self) -> &Server {
        &self.guest.server
    }

    fn tell(&self, what: &ToClient) {
        self.connection.send(message(what));
    }

    /// The first message, then what follows from the address.
    async fn greet(&mut self, wanted: Vec<(String, Option<String>)>) {
        let account = self.guest.socket.viewer.account.to_string();
        self.tell(&ToClient::Hello { instance: self.server().hub.instance(), version: self.server().version, account });
        for (feed, cursor) in wanted {
            self.subscribe(&feed, cursor.as_deref()).await;
        }
    }

    async fn run(&mut self, reader: &mut Reader, early: Vec<u8>) -> Result<Infallible, Farewell> {
        let mut said = self.connection.take(&mut { early }, &self.core, reader)?;
        loop {
            if !said.is_empty() {
                Box::pin(self.hear_all(said)).await?;
            }
            said = match self.connection.event(&self.core).await {
                Event::Readable => self.connection.read(&self.core, reader)?,
                Event::Called => {
                    Box::pin(self.answer_call()).await?;
                    Vec::new()
                }
                Event::Gone => return Err(Farewell(None)),
            };
        }
    }

    /// The rest of the server wants the socket closed, or its rights proved.
    async fn answer_call(&mut self) -> Result<(), Farewell> {
        let socket = &self.guest.socket;
        if let Some(reason) = socket.closing.get() {
            return Err((*reason).into());
        }
        self.connection.hold();
        while socket.recheck.swap(false, Ordering::AcqRel) {
            if !self.server().hub.still_valid(&socket.viewer).await {
                return Err(Close::SignedOut.into());
            }
            for feed in self.connection.follows() {
                if !self.server().hub.allows(&socket.viewer, &feed).await {
                    self.connection.unfollow(&feed, &self.core);
                    self.tell(&ToClient::Revoked { feed: &feed });
                }
            }
        }
        self.connection.release(&self.core);
        Ok(())
    }

    async fn hear_all(&mut self, said: Vec<Message>) -> Result<(), Farewell> {
        for message in said {
            match message {
                Message::Text(text) => self.hear(&text).await?,
                Message::Ping(payload) => {
                    self.may_speak(None)?;
                    let mut pong = Vec::new();
                    frames::pong(&payload, &mut pong);
                    self.connection.send(pong.into());
                }
                Message::Pong => {}
                Message::Binary(_) => return Err(Close::NotUnderstood.into()),
                Message::Close(said) => {
                    let mut echo = Vec::new();
                    let (code, reason) = said.as_ref().map_or((1000, ""), |(code, reason)| (*code, reason.as_str()));
                    frames::close(code, reason, &mut echo);
                    return Err(Farewell(Some(echo.into())));
                }
            }
        }
        Ok(())
    }

    fn refuse(&self, id: Option<&str>, error: &Error) {
        self.tell(&ToClient::Error { id, error: problem(error, self.guest.socket.viewer.lang) });
    }

    /// Counts a message. Whether it is heard; who goes on and on is closed.
    fn may_speak(&mut self, id: Option<&str>) -> Result<bool, Farewell> {
        let Err(error) = self.rate.check() else { return Ok(true) };
        self.refused += 1;
        if self.refused > PATIENCE {
            return Err(Close::Flooding.into());
        }
        self.refuse(id, &error);
        Ok(false)
    }

    /// What the client said, and the answer.
    async fn hear(&mut self, text: &str) -> Result<(), Farewell> {
        let message: Option<FromClient> = serde_json::from_str(text).ok();
        let id = if let Some(FromClient::Act { id, .. }) = &message { id.get(..LONGEST_NAME.min(id.len())) } else { None };
        if !self.may_speak(id)? {
            return Ok(());
        }
        match message {
            None => self.refuse(None, &Error::field("type", "error-message-shape")),
            Some(FromClient::Subscribe { feed, cursor }) => self.subscribe(&feed, cursor.as_deref()).await,
            Some(FromClient::Unsubscribe { feed }) => self.connection.unfollow(&feed, &self.core),
            Some(FromClient::Act { id, action, .. }) if id.len() > LONGEST_NAME || action.len() > LONGEST_NAME => {
                self.refuse(None, &Error::field("id", "error-message-shape"));
            }
            Some(FromClient::Act { id, action, fields }) => self.act(&id, action, fields).await?,
            Some(FromClient::Ping) => self.tell(&ToClient::Pong),
        }
        Ok(())
    }

    /// Does something, on the threads that serve pages: sockets do not wait for it.
    async fn act(&self, id: &str, action: String, fields: Value) -> Result<(), Farewell> {
        let (server, socket) = (self.guest.server.clone(), self.guest.socket.clone());
        let done = self.core.pages.spawn(async move {
            // The session may have ended since the last message; frames are checked when told, actions always.
            if !server.hub.still_valid(&socket.viewer).await {
                return None;
            }
            Some(match server.actions.admit(&socket.viewer, &action) {
                Ok((action, _)) => action.run_json(&socket.viewer, fields).await,
                Err(error) => Err(error),
            })
        });
        match done.await {
            Ok(None) => return Err(Close::SignedOut.into()),
            Ok(Some(Ok(done))) => self.tell(&ToClient::Reply { id, result: done.result }),
            Ok(Some(Err(error))) => self.refuse(Some(id), &error),
            Err(panicked) => self.refuse(Some(id), &Error::Internal(panicked.into())),
        }
        Ok(())
    }

    /// Follows a feed from a cursor, or from now on, and says so.
    async fn subscribe(&mut self, name: &str, cursor: Option<&str>) {
        let hub = &self.server().hub;
        if name.len() > LONGEST_NAME || !hub.allows(&self.guest.socket.viewer, name).await {
            return self.tell(&ToClient::Refused { feed: name.get(..LONGEST_NAME).unwrap_or(name), code: "not_found" });
        }
        self.connection.unfollow(name, &self.core);
        if self.connection.follows().len() >= MOST_FEEDS {
            return self.tell(&ToClient::Refused { feed: name, code: "too_many" });
        }
        // Listening first: what comes after the look at the log rings.
        let feed = hub.listen(name, self.core.index());
        let followed = self.core.follow(&feed, &self.connection);
        let seen = match cursor {
            _ if feed.fleeting => Some(feed.log.head()),
            None => Some(feed.log.head()),
            Some(cursor) => hub.seen(cursor).filter(|seen| feed.log.reaches(*seen)),
        };
        let Some(seen) = seen else {
            self.core.unfollow(&followed, &self.connection);
            return self.tell(&ToClient::Refresh { feed: name });
        };
        self.tell(&ToClient::Subscribed { feed: name, cursor: format!("{}.{seen}", hub.instance()) });
        self.connection.follow(followed, seen);
        self.core.is_due_now(&self.connection);
    }
}
