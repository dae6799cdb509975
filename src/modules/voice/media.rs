//! The thread of the media server: its sockets, its clock, and what it is told.
//!
//! One UDP socket and one TCP port of the same number serve everybody: a browser is known by the
//! name that its first STUN request calls, and from then on by its address.

mod tcp;
mod udp;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::{mpsc, oneshot};

use super::sfu::{Datagram, Gates, Join, Offer, Refused, Sfu, SfuEvent, Source, Want};
use tcp::TcpSide;
use udp::UdpSide;

/// Commands that wait. Further ones wait before that, in the requests that bring them.
const MAX_WAITING: usize = 1_024;
/// Between two reports of the metrics.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Tells the media server what to do. Cheap to clone.
#[derive(Clone)]
pub struct Media {
    commands: mpsc::Sender<Command>,
    /// The port, UDP and TCP.
    pub port: u16,
    /// Whether TCP could be had, too.
    pub has_tcp: bool,
}

/// Who joins: as [`Join`], with everything its own.
pub struct Joining {
    /// Chosen by the caller, not used before.
    pub id: i64,
    /// The room they hear.
    pub room: i64,
    /// What they may do.
    pub gates: Gates,
    /// Their offer.
    pub offer: Offer,
    /// What its lines carry.
    pub sources: Vec<(String, Source)>,
    /// Where they can reach the server.
    pub addresses: Vec<SocketAddr>,
}

type Answer = oneshot::Sender<std::result::Result<String, Refused>>;

enum Command {
    Join(Joining, Answer),
    Negotiate(i64, Offer, Vec<(String, Source)>, Answer),
    Want(i64, Vec<Want>),
    Gates(i64, Gates),
    Leave(i64),
}

impl Media {
    /// Starts the thread on a port, or on any free one for 0, for at most `max_people`. Returns
    /// what happens, too.
    ///
    /// # Errors
    /// When the port is taken, or no certificate can be made.
    pub fn start(
        port: u16,
        max_people: usize,
    ) -> Result<(Self, mpsc::UnboundedReceiver<SfuEvent>)> {
        let udp = udp::bind(port)?;
        let port = udp
            .local_addr()
            .context("the UDP socket has no address")?
            .port();
        let tcp = tcp::bind(port);
        let has_tcp = tcp.is_ok();
        if let Err(error) = &tcp {
            tracing::warn!(%error, "voice is served over UDP only: TCP port {port} is taken");
        }
        let sfu = Sfu::new(max_people, Instant::now())?;
        let (commands, waiting) = mpsc::channel(MAX_WAITING);
        let (events, happened) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let run = move || {
            runtime.block_on(async move {
                let worker = Worker::new(sfu, udp, tcp.ok(), waiting, events);
                match worker {
                    Ok(worker) => worker.run().await,
                    Err(error) => tracing::error!(%error, "voice is not served"),
                }
            });
        };
        std::thread::Builder::new()
            .name("voice".to_owned())
            .spawn(run)
            .context("no thread for voice")?;
        let media = Self {
            commands,
            port,
            has_tcp,
        };
        Ok((media, happened))
    }

    /// Adds a participant, and answers their offer.
    ///
    /// # Errors
    /// As [`Sfu::join`].
    pub async fn join(&self, joining: Joining) -> std::result::Result<String, Refused> {
        self.ask(|answer| Command::Join(joining, answer)).await
    }

    /// Answers a further offer.
    ///
    /// # Errors
    /// As [`Sfu::negotiate`].
    pub async fn negotiate(
        &self,
        id: i64,
        offer: Offer,
        sources: Vec<(String, Source)>,
    ) -> std::result::Result<String, Refused> {
        self.ask(|answer| Command::Negotiate(id, offer, sources, answer))
            .await
    }

    async fn ask(
        &self,
        command: impl FnOnce(Answer) -> Command,
    ) -> std::result::Result<String, Refused> {
        let (answer, answered) = oneshot::channel();
        self.tell(command(answer)).await;
        answered.await.unwrap_or(Err(Refused::Gone))
    }

    /// Replaces all that a participant wants.
    pub async fn want(&self, id: i64, wants: Vec<Want>) {
        self.tell(Command::Want(id, wants)).await;
    }

    /// Says what a participant may do from now on.
    pub async fn set_gates(&self, id: i64, gates: Gates) {
        self.tell(Command::Gates(id, gates)).await;
    }

    /// Takes a participant out.
    pub async fn leave(&self, id: i64) {
        self.tell(Command::Leave(id)).await;
    }

    async fn tell(&self, command: Command) {
        // Fails only when the thread has ended, which the answers then say.
        drop(self.commands.send(command).await);
    }
}

struct Worker {
    sfu: Sfu,
    udp: UdpSide,
    tcp: Option<TcpSide>,
    commands: mpsc::Receiver<Command>,
    events: mpsc::UnboundedSender<SfuEvent>,
    next_report: Instant,
    /// Forwarded packets and dropped datagrams that were reported.
    reported: (u64, u64),
    dropped: u64,
}

impl Worker {
    fn new(
        sfu: Sfu,
        udp: std::net::UdpSocket,
        tcp: Option<std::net::TcpListener>,
        commands: mpsc::Receiver<Command>,
        events: mpsc::UnboundedSender<SfuEvent>,
    ) -> Result<Self> {
        Ok(Self {
            sfu,
            udp: UdpSide::new(udp)?,
            tcp: tcp.map(TcpSide::new).transpose()?,
            commands,
            events,
            next_report: Instant::now() + REPORT_INTERVAL,
            reported: (0, 0),
            dropped: 0,
        })
    }

    async fn run(mut self) {
        loop {
            let due = self.sfu.next_timeout().min(self.next_report);
            let tcp = async {
                match &mut self.tcp {
                    Some(tcp) => tcp.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return,
                },
                readable = self.udp.readable() => match readable {
                    Ok(()) => self.read_udp(),
                    Err(error) => {
                        tracing::error!(%error, "the UDP socket of voice cannot be read");
                        return;
                    }
                },
                frame = tcp => {
                    let now = Instant::now();
                    let (source, bytes) = frame;
                    let datagram = Datagram {
                        source,
                        protocol: str0m::net::Protocol::Tcp,
                        bytes: &bytes,
                    };
                    let is_known = self.sfu.receive(&datagram, now);
                    if let Some(tcp) = &mut self.tcp {
                        tcp.judge(source, is_known);
                    }
                }
                () = tokio::time::sleep_until(due.into()) => {}
            }
            let now = Instant::now();
            self.sfu.settle(now);
            if now >= self.sfu.next_timeout() {
                self.sfu.handle_timeout(now);
            }
            self.flush();
            if now >= self.next_report {
                self.next_report = now + REPORT_INTERVAL;
                self.report();
            }
        }
    }

    fn obey(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Join(joining, answer) => {
                let join = Join {
                    id: joining.id,
                    room: joining.room,
                    gates: joining.gates,
                    offer: joining.offer,
                    sources: &joining.sources,
                    addresses: &joining.addresses,
                    has_tcp: self.tcp.is_some(),
                };
                drop(answer.send(self.sfu.join(join, now)));
            }
            Command::Negotiate(id, offer, sources, answer) => {
                drop(answer.send(self.sfu.negotiate(id, offer, &sources, now)));
            }
            Command::Want(id, wants) => self.sfu.set_wanted(id, &wants, now),
            Command::Gates(id, gates) => self.sfu.set_gates(id, gates),
            Command::Leave(id) => self.sfu.leave(id, now),
        }
    }

    fn read_udp(&mut self) {
        let now = Instant::now();
        let (sfu, dropped) = (&mut self.sfu, &mut self.dropped);
        self.udp.read(|source, bytes| {
            let datagram = Datagram {
                source,
                protocol: str0m::net::Protocol::Udp,
                bytes,
            };
            let is_known = sfu.receive(&datagram, now);
            *dropped += u64::from(!is_known);
            is_known
        });
    }

    /// Sends and tells what there is.
    fn flush(&mut self) {
        for transmit in self.sfu.transmits.drain(..) {
            if transmit.proto == str0m::net::Protocol::Udp {
                self.udp.send(transmit.destination, &transmit.contents);
            } else if let Some(tcp) = &mut self.tcp {
                tcp.send(transmit.destination, &transmit.contents);
            }
        }
        for event in self.sfu.events.drain(..) {
            drop(self.events.send(event));
        }
    }

    fn report(&mut self) {
        let (forwarded, dropped) = (self.sfu.forwarded, self.dropped + self.udp.dropped);
        metrics::counter!("tidepool_voice_packets_forwarded_total")
            .increment(forwarded - self.reported.0);
        metrics::counter!("tidepool_voice_datagrams_dropped_total")
            .increment(dropped - self.reported.1);
        metrics::gauge!("tidepool_voice_people").set(self.sfu.len() as f64);
        self.reported = (forwarded, dropped);
    }
}
