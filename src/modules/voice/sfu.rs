//! The media server without its sockets: takes datagrams, offers and the time, and gives datagrams
//! and events. A selective forwarding unit (RFC 7667, section 3.7): it forwards packets as they
//! are, and neither mixes nor decodes.

mod crypto;
mod datagram;
mod handshake;
mod key;
mod keyframes;
mod layers;
mod loudest;
mod peer;
mod rewrite;
mod router;
#[cfg(test)]
mod simulation;
mod source;
mod speech;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use slab::Slab;
use str0m::bwe::{Bitrate, BweKind};
use str0m::crypto::CryptoProvider;
use str0m::crypto::dtls::DtlsCert;
use str0m::net::{Protocol, Receive, Transmit};
use str0m::rtp::RtpPacket;
use str0m::{Event, IceConnectionState, Input, Output, Rtc};

pub use datagram::addressed_ufrag;
use key::Key;
use peer::{Inflow, Outgoing, Peer};
pub use peer::{Offer, Refused};
use router::Wanted;
use router::{Forward, Router};
pub use router::{Gates, MAX_SLOTS};
pub use source::Source;

/// Between two looks at what changes with time: layers, speech, key frames.
const TICK: Duration = Duration::from_millis(50);
/// What a receiver is thought to take before anything is known.
const FIRST_ESTIMATE: Bitrate = Bitrate::kbps(1_500);
const MIN_ESTIMATE: Bitrate = Bitrate::kbps(100);
/// What one participant may send in a second, in bytes: a camera in all sizes, a screen and sound are
/// about 700,000.
const MAX_BYTES_PER_SECOND: usize = 1_500_000;
/// The same in datagrams.
const MAX_PACKETS_PER_SECOND: u32 = 4_000;
/// Addresses that one participant is reached at: a browser tries each of its networks.
const MAX_ADDRESSES_OF_PEER: usize = 16;
/// Somebody who did not connect within this is taken out.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// What happened, for those who are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SfuEvent {
    /// A participant's media reaches the server, over TCP or UDP.
    Connected {
        /// The participant.
        id: i64,
        /// Whether over TCP.
        over_tcp: bool,
    },
    /// A participant's connection ended.
    Gone(i64),
    /// Others speak in a room than before.
    Speaking {
        /// The room.
        room: i64,
        /// The participants who speak.
        speaking: Vec<i64>,
    },
}

/// A datagram as it came.
pub struct Datagram<'a> {
    /// From where.
    pub source: SocketAddr,
    /// How.
    pub protocol: Protocol,
    /// What.
    pub bytes: &'a [u8],
}

/// Who joins.
pub struct Join<'a> {
    /// Chosen by the caller, not used before.
    pub id: i64,
    /// The room they hear.
    pub room: i64,
    /// What they may do.
    pub gates: Gates,
    /// Their offer.
    pub offer: Offer,
    /// What the lines of the offer carry.
    pub sources: &'a [(String, Source)],
    /// Where they can reach the server.
    pub addresses: &'a [SocketAddr],
    /// Whether also over TCP.
    pub has_tcp: bool,
}

/// What a participant wants on one of their lines.
#[derive(Clone, Debug)]
pub struct Want {
    /// The line.
    pub mid: String,
    /// The participant.
    pub from: i64,
    /// What of theirs.
    pub source: Source,
    /// Of pictures: the greatest layer.
    pub layer: usize,
}

/// The media server of one thread.
pub struct Sfu {
    peers: Slab<Peer>,
    by_id: HashMap<i64, Key>,
    by_ufrag: HashMap<String, Key>,
    by_source: HashMap<(bool, SocketAddr), Key>,
    /// The addresses that were announced to each.
    addresses: HashMap<Key, Vec<SocketAddr>>,
    /// Those who have not connected yet, and until when they may.
    connecting: HashMap<Key, Instant>,
    router: Router,
    due: BTreeSet<(Instant, Key)>,
    dirty: Vec<Key>,
    forwards: Vec<Forward>,
    next_tick: Instant,
    certificate: DtlsCert,
    crypto: Arc<CryptoProvider>,
    max_peers: usize,
    /// To be sent.
    pub transmits: Vec<Transmit>,
    /// To be told.
    pub events: Vec<SfuEvent>,
    /// Packets forwarded so far.
    pub forwarded: u64,
}

impl Sfu {
    /// A server for at most `max_peers` participants.
    ///
    /// # Errors
    /// When no certificate can be made.
    pub fn new(max_peers: usize, now: Instant) -> anyhow::Result<Self> {
        Ok(Self {
            peers: Slab::new(),
            by_id: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_source: HashMap::new(),
            addresses: HashMap::new(),
            connecting: HashMap::new(),
            router: Router::default(),
            due: BTreeSet::new(),
            dirty: Vec::new(),
            forwards: Vec::new(),
            next_tick: now + TICK,
            certificate: crypto::new_certificate()?,
            crypto: Arc::new(crypto::provider()),
            max_peers,
            transmits: Vec::new(),
            events: Vec::new(),
            forwarded: 0,
        })
    }

    /// How many participants there are.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Adds a participant, and answers their offer.
    ///
    /// # Errors
    /// When the server is full, or the offer cannot be answered.
    pub fn join(&mut self, join: Join<'_>, now: Instant) -> Result<String, Refused> {
        if self.peers.len() >= self.max_peers {
            return Err(Refused::Full);
        }
        let rtc = Rtc::builder()
            .set_crypto_provider(self.crypto.clone())
            .set_dtls_cert(self.certificate.clone())
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .enable_bwe(Some(FIRST_ESTIMATE))
            .build(now);
        let mut peer = Peer::new(join.id, rtc, join.addresses, join.has_tcp, now);
        let answer = peer.answer(join.offer, join.sources)?;
        let ufrag = peer.ufrag.clone();
        let key = self.peers.insert(peer);
        self.by_id.insert(join.id, key);
        self.by_ufrag.insert(ufrag, key);
        self.addresses.insert(key, join.addresses.to_vec());
        self.connecting.insert(key, now + CONNECT_TIMEOUT);
        self.router.join(key, join.room, join.gates);
        self.mark(key);
        self.settle(now);
        Ok(answer)
    }

    /// Answers a further offer of a participant, as when they add a camera.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    pub fn negotiate(
        &mut self,
        id: i64,
        offer: Offer,
        sources: &[(String, Source)],
        now: Instant,
    ) -> Result<String, Refused> {
        let key = *self.by_id.get(&id).ok_or(Refused::Gone)?;
        let answer = self.peers[key].answer(offer, sources)?;
        self.mark(key);
        self.settle(now);
        Ok(answer)
    }

    /// Replaces all that a participant wants. What is of nobody in their room is left out.
    pub fn set_wanted(&mut self, id: i64, wants: &[Want], now: Instant) {
        let Some(&key) = self.by_id.get(&id) else {
            return;
        };
        let mut wanted = Vec::new();
        for want in wants {
            let Some(&from) = self.by_id.get(&want.from) else {
                continue;
            };
            let Some(slot) = self.peers[key].slot(&want.mid) else {
                continue;
            };
            wanted.push(Wanted {
                slot,
                from,
                source: want.source,
                layer: want.layer,
            });
        }
        self.router.set_wanted(key, &wanted);
        self.tick(now);
        self.settle(now);
    }

    /// Says what a participant may do from now on.
    pub fn set_gates(&mut self, id: i64, gates: Gates) {
        if let Some(key) = self.by_id.get(&id) {
            self.router.set_gates(*key, gates);
        }
    }

    /// Takes a participant out. Nothing is heard from them or sent to them after this, but that the
    /// connection ends.
    pub fn leave(&mut self, id: i64, now: Instant) {
        let Some(&key) = self.by_id.get(&id) else {
            return;
        };
        self.router.leave(key);
        // Pages see at once that it ended.
        drop(self.peers[key].rtc.close());
        self.drain(key, now);
        self.remove(key);
        self.settle(now);
    }

    fn remove(&mut self, key: Key) {
        self.router.leave(key);
        let Some(peer) = self.peers.try_remove(key) else {
            return;
        };
        if let Some(due) = peer.due {
            self.due.remove(&(due, key));
        }
        self.by_id.remove(&peer.id);
        self.by_ufrag.remove(&peer.ufrag);
        self.by_source.retain(|_, other| *other != key);
        self.addresses.remove(&key);
        self.connecting.remove(&key);
        self.dirty.retain(|other| *other != key);
    }

    /// The participant that a datagram is for: that of its source, or that whose name a first STUN
    /// request calls. Everything else is dropped unread.
    fn addressee(&self, datagram: &Datagram<'_>) -> Option<Key> {
        let source = (peer::is_tcp(datagram.protocol), datagram.source);
        if let Some(ufrag) = addressed_ufrag(datagram.bytes) {
            return self.by_ufrag.get(ufrag).copied();
        }
        self.by_source.get(&source).copied()
    }

    /// Whether a participant may send this: not too much, and from an address that is theirs, or
    /// nobody's while they have few.
    fn admits(&mut self, key: Key, source: (bool, SocketAddr), bytes: usize, now: Instant) -> bool {
        let is_known = match self.by_source.get(&source) {
            Some(owner) if *owner != key => return false,
            known => known.is_some(),
        };
        let peer = &mut self.peers[key];
        if !is_known {
            if peer.sources_seen >= MAX_ADDRESSES_OF_PEER {
                return false;
            }
            peer.sources_seen += 1;
        }
        let inflow = &mut peer.inflow;
        if now.saturating_duration_since(inflow.since) >= Duration::from_secs(1) {
            *inflow = Inflow::new(now);
        }
        inflow.bytes += bytes;
        inflow.packets += 1;
        inflow.bytes <= MAX_BYTES_PER_SECOND && inflow.packets <= MAX_PACKETS_PER_SECOND
    }

    /// Takes a datagram. Whether it was for anybody.
    pub fn receive(&mut self, datagram: &Datagram<'_>, now: Instant) -> bool {
        let Some(key) = self.addressee(datagram) else {
            return false;
        };
        let source = (peer::is_tcp(datagram.protocol), datagram.source);
        if !self.admits(key, source, datagram.bytes.len(), now) {
            return false;
        }
        let addresses = self.addresses.get(&key);
        let arrival = addresses.and_then(|all| Peer::arrival(all, datagram.source));
        let Some(destination) = arrival else {
            return false;
        };
        let received = Receive::new(
            datagram.protocol,
            datagram.source,
            destination,
            datagram.bytes,
        );
        let Ok(received) = received else {
            return false;
        };
        let input = Input::Receive(now, received);
        let peer = &mut self.peers[key];
        if !peer.rtc.accepts(&input) {
            return false;
        }
        if peer.rtc.handle_input(input).is_err() {
            peer.rtc.disconnect();
        }
        self.by_source.insert(source, key);
        // At once: str0m keeps room for the events of one datagram. Those whom it is forwarded to
        // wait until the batch is read.
        self.drain(key, now);
        true
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called at the latest.
    pub fn next_timeout(&self) -> Instant {
        let due = self.due.first().map(|(due, _)| *due);
        match due {
            Some(due) if !self.peers.is_empty() => due.min(self.next_tick),
            _ if self.peers.is_empty() => self.next_tick + Duration::from_secs(60),
            _ => self.next_tick,
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((due, key)) = self.due.first().copied()
            && due <= now
        {
            self.due.pop_first();
            let peer = &mut self.peers[key];
            peer.due = None;
            if peer.rtc.handle_input(Input::Timeout(now)).is_err() {
                peer.rtc.disconnect();
            }
            self.mark(key);
        }
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.tick(now);
        }
        self.settle(now);
    }

    fn tick(&mut self, now: Instant) {
        let mut keyframes = Vec::new();
        self.router.tick(now, &mut keyframes);
        for wanted in keyframes {
            if let Some(peer) = self.peers.get_mut(wanted.from) {
                peer.request_keyframe(wanted.source, wanted.layer);
                self.mark(wanted.from);
            }
        }
        for (room, speaking) in self.router.speaking_changes(now) {
            let ids = speaking.iter().filter_map(|key| self.peers.get(*key));
            let speaking = ids.map(|peer| peer.id).collect();
            self.events.push(SfuEvent::Speaking { room, speaking });
        }
        for (key, peer) in &mut self.peers {
            let desired = Bitrate::bps(self.router.desired_bits(key, now).max(100_000));
            peer.rtc.bwe().set_bitrate(MIN_ESTIMATE, desired);
        }
        let late: Vec<Key> = self
            .connecting
            .iter()
            .filter_map(|(key, until)| (*until <= now).then_some(*key))
            .collect();
        for key in late {
            self.end(key);
        }
    }

    /// Takes out a participant whose connection ended.
    fn end(&mut self, key: Key) {
        if let Some(peer) = self.peers.get(key) {
            self.events.push(SfuEvent::Gone(peer.id));
        }
        self.remove(key);
    }

    fn mark(&mut self, key: Key) {
        let Some(peer) = self.peers.get_mut(key) else {
            return;
        };
        if !std::mem::replace(&mut peer.is_dirty, true) {
            self.dirty.push(key);
        }
    }

    /// Drains all connections that something was done to. To be called after a batch of datagrams.
    pub fn settle(&mut self, now: Instant) {
        while let Some(key) = self.dirty.pop() {
            self.drain(key, now);
        }
    }

    /// Takes out of a connection all that it has to give.
    fn drain(&mut self, key: Key, now: Instant) {
        loop {
            let Some(peer) = self.peers.get_mut(key) else {
                return;
            };
            peer.is_dirty = false;
            if !peer.rtc.is_alive() {
                self.end(key);
                return;
            }
            match peer.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => self.transmits.push(transmit),
                Ok(Output::Event(event)) => self.handle(key, event, now),
                Ok(Output::Timeout(due)) => {
                    if let Some(before) = peer.due.replace(due) {
                        self.due.remove(&(before, key));
                    }
                    self.due.insert((due, key));
                    return;
                }
                Err(error) => {
                    tracing::debug!(%error, "a media connection ended");
                    peer.rtc.disconnect();
                }
            }
        }
    }

    fn handle(&mut self, key: Key, event: Event, now: Instant) {
        match event {
            Event::RtpPacket(packet) => self.forward(key, &packet, now),
            Event::Connected => {
                let Some(peer) = self.peers.get(key) else {
                    return;
                };
                self.connecting.remove(&key);
                let mut sources = self.by_source.iter().filter(|(_, other)| **other == key);
                let over_tcp = sources.all(|((over_tcp, _), _)| *over_tcp);
                let id = peer.id;
                self.events.push(SfuEvent::Connected { id, over_tcp });
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) | Event::Closed => {
                self.end(key)
            }
            Event::KeyframeRequest(request) => {
                let peer = self.peers.get(key);
                if let Some(slot) = peer.and_then(|peer| peer.slot_of(request.mid)) {
                    self.router.need_keyframe(key, slot);
                }
            }
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, .. }) => {
                self.router.set_estimate(key, estimate.as_u64());
            }
            _ => {}
        }
    }

    fn forward(&mut self, from: Key, packet: &RtpPacket, now: Instant) {
        let Some(described) = self
            .peers
            .get_mut(from)
            .and_then(|peer| peer.describe(packet))
        else {
            return;
        };
        let mut forwards = std::mem::take(&mut self.forwards);
        forwards.clear();
        self.router.fan_out(from, &described, now, &mut forwards);
        self.forwarded += forwards.len() as u64;
        for forward in &forwards {
            if let Some(peer) = self.peers.get_mut(forward.to) {
                let what = Outgoing {
                    packet,
                    source: described.source,
                    numbers: forward.numbers,
                };
                peer.send(forward.slot, &what);
                self.mark(forward.to);
            }
        }
        self.forwards = forwards;
    }
}
