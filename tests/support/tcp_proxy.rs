//! A network that fails: a TCP proxy on loopback between a server and what it connects to.

mod nats_filter;

use std::net::TcpListener;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

pub use nats_filter::{MessageLoss, NatsFilter};

/// What the network does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Link {
    /// Bytes pass.
    Open,
    /// Every connection is closed, and new ones are closed at once.
    Cut,
    /// Connections stay, and nothing passes.
    Stalled,
}

/// A proxy with a thread of its own, so that it works while a test blocks.
pub struct TcpProxy {
    port: u16,
    link: watch::Sender<Link>,
    loss: Arc<MessageLoss>,
}

impl TcpProxy {
    /// An open link to this port of 127.0.0.1.
    pub fn start(target: u16) -> Self {
        Self::start_with(target, false)
    }

    /// The same to a NATS server, whose messages can be dropped.
    pub fn start_for_nats(target: u16) -> Self {
        Self::start_with(target, true)
    }

    fn start_with(target: u16, is_nats: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        listener.set_nonblocking(true).expect("it can be awaited");
        let (link, loss) = (watch::Sender::new(Link::Open), Arc::default());
        let relay = Relay {
            target,
            link: link.subscribe(),
            loss: is_nats.then(|| Arc::clone(&loss)),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        std::thread::spawn(move || runtime.block_on(relay.accept(listener)));
        Self { port, link, loss }
    }

    /// The port it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Closes every connection, and new ones as soon as they are made.
    pub fn cut(&self) {
        self.link.send_replace(Link::Cut);
    }

    /// Keeps connections and lets nothing pass.
    pub fn stall(&self) {
        self.link.send_replace(Link::Stalled);
    }

    /// Lets everything pass from now on, also what was held up.
    pub fn restore(&self) {
        self.link.send_replace(Link::Open);
    }

    /// Which messages that the NATS server sends are lost.
    pub fn loss(&self) -> &MessageLoss {
        &self.loss
    }
}

/// What each connection of a proxy is given.
#[derive(Clone)]
struct Relay {
    target: u16,
    link: watch::Receiver<Link>,
    /// Of a link to a NATS server only.
    loss: Option<Arc<MessageLoss>>,
}

impl Relay {
    /// Accepts connections until the proxy is dropped.
    async fn accept(mut self, listener: TcpListener) {
        let listener = tokio::net::TcpListener::from_std(listener).expect("it can be awaited");
        loop {
            let is_dropped = async { while self.link.changed().await.is_ok() {} };
            tokio::select! {
                () = is_dropped => return,
                accepted = listener.accept() => {
                    let (client, _) = accepted.expect("connections are accepted");
                    if *self.link.borrow() != Link::Cut {
                        tokio::spawn(self.clone().connect(client));
                    }
                }
            }
        }
    }

    async fn connect(self, client: TcpStream) {
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.target)).await else {
            return;
        };
        for stream in [&client, &server] {
            let _ = stream.set_nodelay(true);
        }
        let filter = self.loss.map(NatsFilter::new);
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        // Either direction ends both.
        tokio::select! {
            () = copy(from_client, to_server, self.link.clone(), None) => {}
            () = copy(from_server, to_client, self.link.clone(), filter) => {}
        }
    }
}

/// Copies until an end closes, or the link is cut or dropped.
async fn copy(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut link: watch::Receiver<Link>,
    mut filter: Option<NatsFilter>,
) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = tokio::select! {
            biased;
            _ = link.wait_for(|link| *link != Link::Open) => None,
            read = from.read(&mut buffer) => Some(read.unwrap_or(0)),
        };
        let Some(read) = read else {
            match link.wait_for(|link| *link != Link::Stalled).await {
                Ok(link) if *link == Link::Open => continue,
                _ => return,
            }
        };
        if read == 0 {
            return;
        }
        let passed = match &mut filter {
            Some(filter) => filter.pass(&buffer[..read]),
            None => buffer[..read].to_vec(),
        };
        if to.write_all(&passed).await.is_err() {
            return;
        }
    }
}
