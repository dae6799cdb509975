//! A socket's membership in the hub, from the upgrade to the end of its task.

use std::sync::Arc;

use super::frame::Encoding;
use super::hub::Hub;
use super::rights::Rights;
use super::socket::{Socket, SocketClosed, SocketOpened};
use crate::engine::actions::Actions;
use crate::engine::bus::{Bus, Origin};
use crate::engine::web::ConnectionPermit;

/// What a socket's task needs of the server.
pub(super) struct Server {
    pub(super) hub: Hub,
    pub(super) bus: Bus,
    pub(super) actions: Actions,
    pub(super) rights: Arc<Rights>,
    /// Version of the pages' assets.
    pub(super) version: &'static str,
}

/// A connection that was upgraded to a socket's.
pub(super) struct Upgrade {
    pub(super) stream: std::net::TcpStream,
    /// Bytes that came with the handshake.
    pub(super) early: Vec<u8>,
    pub(super) encoding: Encoding,
    /// The feeds its address named, with cursors.
    pub(super) wanted: Vec<(String, Option<String>)>,
    /// Its slot among the server's connections, held as long as it is open.
    pub(super) permit: Option<ConnectionPermit>,
}

/// A socket that the hub has taken in. However its task ends, dropping this removes it from the hub
/// and tells the bus.
pub(super) struct SocketGuard {
    pub(super) server: Arc<Server>,
    pub(super) socket: Arc<Socket>,
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

    /// Tells the bus that the socket is open.
    pub(super) fn announce(&mut self) {
        let (account, socket) = (self.socket.viewer.account, self.socket.id);
        let origin = Origin::new(account, None);
        let opened = SocketOpened { account, socket };
        self.server.bus.publish_here(origin, opened);
        self.announced = true;
    }
}

impl Drop for SocketGuard {
    fn drop(&mut self) {
        self.server.hub.closed(&self.socket);
        if self.announced {
            let (account, socket) = (self.socket.viewer.account, self.socket.id);
            let origin = Origin::new(account, None);
            let closed = SocketClosed { account, socket };
            self.server.bus.publish_here(origin, closed);
        }
    }
}
