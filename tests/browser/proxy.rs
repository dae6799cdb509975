//! A network that can fail: a TCP proxy between browser and server.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::support::free_port;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum LinkState {
    /// Bytes pass.
    Open,
    /// Every connection breaks, and new ones are refused.
    Cut,
    /// Connections stay, and nothing passes.
    Stalled,
}

/// A link to a server that tests cut, stall and restore.
pub struct Link {
    port: u16,
    state: Arc<watch::Sender<LinkState>>,
}

impl Link {
    /// A working link to this address.
    pub async fn to(server: &str) -> Self {
        let port = free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).await;
        let listener = listener.expect("the port is free");
        let state = Arc::new(watch::Sender::new(LinkState::Open));
        tokio::spawn(accept(listener, port, server.to_owned(), state.clone()));
        Self { port, state }
    }

    /// Where a browser finds the server through this link.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Breaks every connection and refuses new ones.
    pub fn cut(&self) {
        self.state.send_replace(LinkState::Cut);
    }

    /// Keeps the connections and lets nothing pass: a black hole.
    pub fn stall(&self) {
        self.state.send_replace(LinkState::Stalled);
    }

    /// All is well again.
    pub fn restore(&self) {
        self.state.send_replace(LinkState::Open);
    }
}

/// While the link is cut nobody listens, so that connections are refused as they are without a
/// network.
async fn accept(
    listener: TcpListener,
    port: u16,
    server: String,
    state: Arc<watch::Sender<LinkState>>,
) {
    let mut now = state.subscribe();
    let mut listener = Some(listener);
    loop {
        let taken = match &listener {
            Some(open) => {
                tokio::select! { taken = open.accept() => taken.ok(), _ = now.changed() => None }
            }
            None => now.changed().await.ok().and(None),
        };
        if let Some((near, _)) = taken {
            tokio::spawn(carry(near, server.clone(), state.subscribe()));
        }
        let current = *now.borrow_and_update();
        match (current, &listener) {
            (LinkState::Cut, Some(_)) => listener = None,
            (LinkState::Open | LinkState::Stalled, None) => {
                listener = TcpListener::bind(("127.0.0.1", port)).await.ok()
            }
            _ => {}
        }
        if state.receiver_count() == 0 {
            return;
        }
    }
}

async fn carry(near: TcpStream, server: String, mut now: watch::Receiver<LinkState>) {
    if !now
        .wait_for(|state| *state != LinkState::Stalled)
        .await
        .is_ok_and(|state| *state == LinkState::Open)
    {
        return;
    }
    let Ok(far) = TcpStream::connect(&server).await else {
        return;
    };
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    let mut broken = now.clone();
    tokio::select! {
        () = copy(near_in, far_out, now.clone()) => {}
        () = copy(far_in, near_out, now.clone()) => {}
        _ = broken.wait_for(|state| *state == LinkState::Cut) => {}
    }
}

async fn copy(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut now: watch::Receiver<LinkState>,
) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let Ok(count @ 1..) = from.read(&mut bytes).await else {
            return;
        };
        if now
            .wait_for(|state| *state != LinkState::Stalled)
            .await
            .is_err()
            || to.write_all(&bytes[..count]).await.is_err()
        {
            return;
        }
    }
}
