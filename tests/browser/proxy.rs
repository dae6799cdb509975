//! A network that can fail: a TCP proxy between browser and server.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Weather {
    /// Bytes pass.
    Fine,
    /// Every connection breaks, and new ones are refused.
    Cut,
    /// Connections stay, and nothing passes.
    Stalled,
}

/// A link to a server that tests cut, stall and restore.
pub struct Link {
    port: u16,
    weather: Arc<watch::Sender<Weather>>,
}

impl Link {
    /// A working link to this address.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let weather = Arc::new(watch::Sender::new(Weather::Fine));
        tokio::spawn(accept(listener, port, server.to_owned(), weather.clone()));
        Self { port, weather }
    }

    /// Where a browser finds the server through this link.
    pub fn base(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Breaks every connection and refuses new ones.
    pub fn cut(&self) {
        self.weather.send_replace(Weather::Cut);
    }

    /// Keeps the connections and lets nothing pass: a black hole.
    pub fn stall(&self) {
        self.weather.send_replace(Weather::Stalled);
    }

    /// All is well again.
    pub fn restore(&self) {
        self.weather.send_replace(Weather::Fine);
    }
}

/// While the link is cut nobody listens, so that connections are refused as they are without a
/// network.
async fn accept(
    listener: TcpListener,
    port: u16,
    server: String,
    weather: Arc<watch::Sender<Weather>>,
) {
    let mut now = weather.subscribe();
    let mut listener = Some(listener);
    loop {
        let taken = match &listener {
            Some(open) => {
                tokio::select! { taken = open.accept() => taken.ok(), _ = now.changed() => None }
            }
            None => now.changed().await.ok().and(None),
        };
        if let Some((near, _)) = taken {
            tokio::spawn(carry(near, server.clone(), weather.subscribe()));
        }
        let state = *now.borrow_and_update();
        match (state, &listener) {
            (Weather::Cut, Some(_)) => listener = None,
            (Weather::Fine | Weather::Stalled, None) => {
                listener = TcpListener::bind(("127.0.0.1", port)).await.ok()
            }
            _ => {}
        }
        if weather.receiver_count() == 0 {
            return;
        }
    }
}

async fn carry(near: TcpStream, server: String, mut now: watch::Receiver<Weather>) {
    if !now
        .wait_for(|state| *state != Weather::Stalled)
        .await
        .is_ok_and(|state| *state == Weather::Fine)
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
        _ = broken.wait_for(|state| *state == Weather::Cut) => {}
    }
}

async fn copy(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut now: watch::Receiver<Weather>,
) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let Ok(count @ 1..) = from.read(&mut bytes).await else {
            return;
        };
        if now
            .wait_for(|state| *state != Weather::Stalled)
            .await
            .is_err()
            || to.write_all(&bytes[..count]).await.is_err()
        {
            return;
        }
    }
}
