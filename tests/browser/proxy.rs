//! A network that can fail: a TCP proxy between browser and server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Bytes pass.
    Open,
    /// Every connection breaks, and new ones are refused.
    Cut,
    /// Connections stay, and nothing passes.
    Stalled,
}

/// A link to a server that tests cut, stall and restore.
pub struct Proxy {
    port: u16,
    state: Arc<watch::Sender<State>>,
    /// Bytes that one connection may carry towards the server; then it stalls.
    upload_limit: Arc<AtomicUsize>,
}

impl Proxy {
    /// A working link to this address.
    pub async fn start(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let state = Arc::new(watch::Sender::new(State::Open));
        let upload_limit = Arc::new(AtomicUsize::new(usize::MAX));
        tokio::spawn(accept(
            listener,
            port,
            server.to_owned(),
            state.clone(),
            upload_limit.clone(),
        ));
        Self {
            port,
            state,
            upload_limit,
        }
    }

    /// Where a browser finds the server through this link.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Breaks every connection and refuses new ones.
    pub fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    /// Keeps the connections and lets nothing pass: a black hole.
    pub fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }

    /// Stalls each connection once it has carried this many bytes towards the server, so that
    /// an upload stops at the same byte however fast the machine is.
    pub fn limit_uploads(&self, bytes: usize) {
        self.upload_limit.store(bytes, Ordering::Relaxed);
    }

    /// All is well again.
    pub fn restore(&self) {
        self.upload_limit.store(usize::MAX, Ordering::Relaxed);
        self.state.send_replace(State::Open);
    }
}

/// While the link is cut nobody listens, so that connections are refused as they are without a
/// network.
async fn accept(
    listener: TcpListener,
    port: u16,
    server: String,
    state: Arc<watch::Sender<State>>,
    upload_limit: Arc<AtomicUsize>,
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
            let limit = upload_limit.clone();
            tokio::spawn(carry(near, server.clone(), state.subscribe(), limit));
        }
        let current = *now.borrow_and_update();
        match (current, &listener) {
            (State::Cut, Some(_)) => listener = None,
            (State::Open | State::Stalled, None) => {
                listener = TcpListener::bind(("127.0.0.1", port)).await.ok()
            }
            _ => {}
        }
        if state.receiver_count() == 0 {
            return;
        }
    }
}

async fn carry(
    near: TcpStream,
    server: String,
    mut now: watch::Receiver<State>,
    upload_limit: Arc<AtomicUsize>,
) {
    if !now
        .wait_for(|state| *state != State::Stalled)
        .await
        .is_ok_and(|state| *state == State::Open)
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
        () = copy(near_in, far_out, now.clone(), upload_limit) => {}
        () = copy(far_in, near_out, now.clone(), Arc::new(AtomicUsize::new(usize::MAX))) => {}
        _ = broken.wait_for(|state| *state == State::Cut) => {}
    }
}

async fn copy(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut now: watch::Receiver<State>,
    limit: Arc<AtomicUsize>,
) {
    let mut bytes = vec![0; 16 << 10];
    let mut carried = 0;
    loop {
        let Ok(count @ 1..) = from.read(&mut bytes).await else {
            return;
        };
        carried += count;
        if carried > limit.load(Ordering::Relaxed) {
            // Until the other direction ends, or the link is cut.
            return std::future::pending().await;
        }
        if now
            .wait_for(|state| *state != State::Stalled)
            .await
            .is_err()
            || to.write_all(&bytes[..count]).await.is_err()
        {
            return;
        }
    }
}
