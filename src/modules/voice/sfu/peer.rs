//! One participant's connection: str0m's state machine, and what its streams mean to the router.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Instant;

use str0m::change::SdpOffer;
use str0m::format::Codec;
use str0m::media::{KeyframeRequestKind, Mid, Pt, Rid};
use str0m::net::{Protocol, TcpType};
use str0m::rtp::{ExtensionValues, RtpPacket, RtpWrite, Ssrc, Vp8Descriptor};
use str0m::{Candidate, Rtc};

use super::layers::LAYERS;
use super::rewrite::Numbers;
use super::router::{MAX_SLOTS, Packet};
use super::source::Source;

/// Lines of media that one connection may have: what is sent, and a slot for each that is received.
pub const MAX_LINES: usize = 104;
/// Restriction identifiers of a camera's layers, the smallest first: pages send them by these names.
pub const LAYER_NAMES: [&str; LAYERS] = ["q", "h", "f"];

/// An offer of a browser (SDP), read.
pub struct Offer(SdpOffer);

impl Offer {
    /// Reads an offer. Its candidates are left out: the server answers wherever it is asked from.
    ///
    /// # Errors
    /// When it is none, or has more than [`MAX_LINES`] lines of media.
    pub fn parse(text: &str) -> Result<Self, Refused> {
        let lines = text.split_inclusive('\n');
        let needed: String = lines
            .filter(|line| !line.starts_with("a=candidate:"))
            .collect();
        if needed.lines().filter(|line| line.starts_with("m=")).count() > MAX_LINES {
            return Err(Refused::Offer("too many lines of media".to_owned()));
        }
        let offer = SdpOffer::from_sdp_string(&needed);
        offer
            .map(Self)
            .map_err(|error| Refused::Offer(error.to_string()))
    }
}

/// Why an offer was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is none, or not one that can be answered.
    #[error("the offer cannot be answered: {0}")]
    Offer(String),
    /// The participant is not there, or not any more.
    #[error("no such participant")]
    Gone,
    /// The server has as many participants as it takes.
    #[error("the server is full")]
    Full,
}

/// One participant's connection.
pub struct Peer {
    /// Chosen by who added it.
    pub id: i64,
    pub(super) rtc: Rtc,
    /// When it wants to be woken.
    pub(super) due: Option<Instant>,
    pub(super) is_dirty: bool,
    /// What they sent in this second.
    pub(super) inflow: Inflow,
    /// Addresses they sent from so far.
    pub(super) sources_seen: usize,
    pub(super) ufrag: String,
    /// What is sent on each line.
    sources: HashMap<Mid, Source>,
    /// What the streams are, once a packet of them came.
    streams: HashMap<Ssrc, (Source, usize)>,
    slots: Vec<Output>,
    sound: Option<Pt>,
    picture: Option<Pt>,
}

/// What a participant sent since a moment.
pub(super) struct Inflow {
    pub(super) since: Instant,
    pub(super) bytes: usize,
    pub(super) packets: u32,
}

impl Inflow {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            bytes: 0,
            packets: 0,
        }
    }
}

/// A line on which something is sent to the participant.
struct Output {
    mid: Mid,
    ssrc: Option<Ssrc>,
}

impl Peer {
    /// A connection that can be reached at these addresses.
    pub(super) fn new(
        id: i64,
        mut rtc: Rtc,
        addresses: &[SocketAddr],
        has_tcp: bool,
        now: Instant,
    ) -> Self {
        for address in addresses {
            if let Ok(candidate) = Candidate::host(*address, "udp") {
                rtc.add_local_candidate(candidate);
            }
            let tcp = Candidate::builder().tcp().host(*address);
            if let Ok(candidate) = tcp.tcptype(TcpType::Passive).build()
                && has_tcp
            {
                rtc.add_local_candidate(candidate);
            }
        }
        let ufrag = rtc.direct_api().local_ice_credentials().ufrag;
        Self {
            id,
            rtc,
            due: None,
            is_dirty: false,
            inflow: Inflow::new(now),
            sources_seen: 0,
            ufrag,
            sources: HashMap::new(),
            streams: HashMap::new(),
            slots: Vec::new(),
            sound: None,
            picture: None,
        }
    }

    /// Answers an offer, whose lines carry these sources.
    ///
    /// # Errors
    /// When it cannot be answered.
    pub(super) fn answer(
        &mut self,
        offer: Offer,
        sources: &[(String, Source)],
    ) -> Result<String, Refused> {
        let answer = self.rtc.sdp_api().accept_offer(offer.0);
        let answer = answer.map_err(|error| Refused::Offer(error.to_string()))?;
        self.sources = sources
            .iter()
            .take(Source::ALL.len())
            .map(|(mid, source)| (Mid::from(mid.as_str()), *source))
            .collect();
        self.streams.clear();
        let params = self.rtc.codec_config().params();
        let pt_of = |codec: Codec| {
            let mut found = params.iter().filter(|params| params.spec().codec == codec);
            found.next().map(str0m::format::PayloadParams::pt)
        };
        (self.sound, self.picture) = (pt_of(Codec::Opus), pt_of(Codec::Vp8));
        Ok(answer.to_sdp_string())
    }

    /// The slot of a line, which is made when it has none; nothing when there are too many.
    pub(super) fn slot(&mut self, mid: &str) -> Option<usize> {
        let mid = Mid::from(mid);
        if let Some(slot) = self.slots.iter().position(|output| output.mid == mid) {
            return Some(slot);
        }
        if self.slots.len() >= MAX_SLOTS {
            return None;
        }
        self.slots.push(Output { mid, ssrc: None });
        Some(self.slots.len() - 1)
    }

    /// The slot of a line for which a key frame was asked.
    pub(super) fn slot_of(&self, mid: Mid) -> Option<usize> {
        self.slots.iter().position(|output| output.mid == mid)
    }

    /// What a packet of this participant is, for the router; nothing for what is no media of theirs.
    pub(super) fn describe(&mut self, packet: &RtpPacket) -> Option<Packet> {
        let (source, layer) = self.stream(packet)?;
        let header = &packet.header;
        let mut numbers = Numbers {
            sequence: *packet.seq_no,
            time: header.timestamp,
            picture: 0,
            base_picture: 0,
        };
        let expected = match source.is_sound() {
            true => self.sound,
            false => self.picture,
        };
        if expected != Some(header.payload_type) {
            return None;
        }
        let mut is_keyframe = false;
        if !source.is_sound() {
            let descriptor = Vp8Descriptor::parse(&packet.payload).ok()?;
            numbers.picture = descriptor.picture_id().unwrap_or(0);
            numbers.base_picture = descriptor.tl0_pic_idx().unwrap_or(0);
            is_keyframe = descriptor.starts_keyframe(&packet.payload);
        }
        Some(Packet {
            source,
            layer,
            numbers,
            is_keyframe,
            level: header.ext_vals.audio_level,
            bytes: packet.payload.len(),
        })
    }

    fn stream(&mut self, packet: &RtpPacket) -> Option<(Source, usize)> {
        let ssrc = packet.header.ssrc;
        if let Some(known) = self.streams.get(&ssrc) {
            return Some(*known);
        }
        let mut api = self.rtc.direct_api();
        let stream = api.stream_rx(&ssrc)?;
        let (mid, rid) = (stream.mid(), stream.rid());
        let source = *self.sources.get(&mid)?;
        let layer = rid.map_or(Some(0), layer_of)?;
        self.streams.insert(ssrc, (source, layer));
        Some((source, layer))
    }

    /// Sends a packet into a slot.
    pub(super) fn send(&mut self, slot: usize, what: &Outgoing<'_>) {
        let Some(output) = self.slots.get_mut(slot) else {
            return;
        };
        let pt = match what.source.is_sound() {
            true => self.sound,
            false => self.picture,
        };
        let Some(pt) = pt else {
            return;
        };
        let mut api = self.rtc.direct_api();
        let known = output.ssrc.filter(|ssrc| api.stream_tx(ssrc).is_some());
        let stream = match known {
            Some(ssrc) => api.stream_tx(&ssrc),
            None => api.stream_tx_by_mid(output.mid, None),
        };
        let Some(stream) = stream else {
            return;
        };
        output.ssrc = Some(stream.ssrc());
        let packet = what.packet;
        let extensions = ExtensionValues {
            audio_level: packet.header.ext_vals.audio_level,
            voice_activity: packet.header.ext_vals.voice_activity,
            video_orientation: packet.header.ext_vals.video_orientation,
            ..ExtensionValues::default()
        };
        let numbers = what.numbers;
        let mut rtp = RtpWrite::new(
            pt,
            numbers.sequence.into(),
            numbers.time,
            packet.timestamp,
            packet.payload.clone(),
        )
        .marker(packet.header.marker)
        .nackable(!what.source.is_sound())
        .ext_vals(extensions);
        if !what.source.is_sound()
            && let Ok(descriptor) = Vp8Descriptor::parse(&packet.payload)
        {
            let mut patch = descriptor.patch();
            if descriptor.picture_id().is_some() {
                patch = patch.picture_id(numbers.picture);
            }
            if descriptor.tl0_pic_idx().is_some() {
                patch = patch.tl0_pic_idx(numbers.base_picture);
            }
            if let Ok(patch) = patch.build() {
                rtp = rtp.vp8_patch(patch);
            }
        }
        stream.write_rtp(rtp);
    }

    /// Asks the participant for a key frame of what they send.
    pub(super) fn request_keyframe(&mut self, source: Source, layer: usize) {
        let mid = self.sources.iter().find(|(_, sent)| **sent == source);
        let Some(mid) = mid.map(|(mid, _)| *mid) else {
            return;
        };
        let rid = Rid::from(LAYER_NAMES[layer.min(LAYERS - 1)]);
        let mut api = self.rtc.direct_api();
        let has_layers = api.stream_rx_by_mid(mid, Some(rid)).is_some();
        if let Some(stream) = api.stream_rx_by_mid(mid, has_layers.then_some(rid)) {
            stream.request_keyframe(KeyframeRequestKind::Pli);
        }
    }

    /// Where packets that came over a protocol are taken to have arrived: all addresses are one
    /// socket, and the connection looks for none but its own.
    pub(super) fn arrival(addresses: &[SocketAddr], from: SocketAddr) -> Option<SocketAddr> {
        let same = addresses
            .iter()
            .find(|address| address.is_ipv4() == from.is_ipv4());
        same.or(addresses.first()).copied()
    }
}

/// A packet on its way to a participant.
pub(super) struct Outgoing<'a> {
    pub(super) packet: &'a RtpPacket,
    pub(super) source: Source,
    pub(super) numbers: Numbers,
}

fn layer_of(rid: Rid) -> Option<usize> {
    LAYER_NAMES.iter().position(|name| *rid == **name)
}

/// Whether two packets travel alike.
pub(super) fn is_tcp(protocol: Protocol) -> bool {
    protocol != Protocol::Udp
}
