//! A socket, as the hub sees it: whose it is, and how to wake, check and close it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::shard_handle::ShardHandle;
use crate::base::ids::AccountId;
use crate::engine::viewer::Viewer;
use crate::engine::websocket::{Fault, frames};
use crate::event;

event! {
    /// A socket was opened: a tab or a program of this account is here.
    pub struct SocketOpened on "live.socket.opened" by account changes() {
        /// The account that is signed in on it.
        account: AccountId = AccountId(7),
        /// Number of the socket, unique within one start of this instance.
        socket: u64 = 12,
    }
}

event! {
    /// A socket closed, for whatever reason.
    pub struct SocketClosed on "live.socket.closed" by account changes() {
        /// The account that was signed in on it.
        account: AccountId = AccountId(7),
        /// Number of the socket, unique within one start of this instance.
        socket: u64 = 12,
    }
}

/// Why the server closes a socket, with its code of RFC 6455 or, for ours, of the private range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CloseReason {
    /// The server restarts: come back.
    Restart,
    /// The session ended: sign in again.
    SignedOut,
    /// Its rights could not be read: come back.
    Unavailable,
    /// A binary message.
    NotUnderstood,
    /// A message over 64 KiB.
    TooLarge,
    /// Far too many messages.
    Flooding,
    /// The client broke the WebSocket protocol.
    Broken(Fault),
}

impl CloseReason {
    /// The closing frame.
    pub(super) fn frame(self) -> Bytes {
        let (code, reason) = match self {
            Self::Restart => (1012, "restarting"),
            Self::SignedOut => (4401, "signed out"),
            Self::Unavailable => (1013, "try again later"),
            Self::NotUnderstood => (1003, "text messages only"),
            Self::TooLarge => (1009, "message too large"),
            Self::Flooding => (1008, "too many messages"),
            Self::Broken(fault) => (fault.code(), ""),
        };
        let mut bytes = Vec::new();
        frames::close(code, reason, &mut bytes);
        bytes.into()
    }
}

/// An open socket, as the hub sees it.
pub(super) struct Socket {
    pub(super) id: u64,
    pub(super) viewer: Viewer,
    /// The shard that serves it.
    pub(super) shard: Arc<ShardHandle>,
    /// Set while its rights have to be checked before it gets another frame.
    pub(super) recheck: AtomicBool,
    /// Set once it is to be closed.
    pub(super) closing: OnceLock<CloseReason>,
}

impl Socket {
    pub(super) fn new(id: u64, viewer: Viewer, shard: Arc<ShardHandle>) -> Self {
        // Starts with a check: the session may have ended since the request was authenticated.
        Self {
            id,
            viewer,
            shard,
            recheck: AtomicBool::new(true),
            closing: OnceLock::new(),
        }
    }

    pub(super) fn recheck(&self) {
        self.shard.set_flag(self.id, &self.recheck);
    }

    pub(super) fn close(&self, reason: CloseReason) {
        // Fails if there is a reason already: the first one is sent.
        let _ = self.closing.set(reason);
        self.shard.signal(self.id);
    }

    /// Whether its task has something to handle.
    pub(super) fn has_flags(&self) -> bool {
        self.recheck.load(Ordering::Acquire) || self.closing.get().is_some()
    }
}
