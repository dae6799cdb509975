//! People in voice rooms, without a browser: str0m as a client, each on a UDP socket of its own.

// Its tests, which a bench does not run, use what is not used here.
#[allow(unused_imports)]
#[path = "../../src/modules/voice/sfu/crypto.rs"]
mod crypto;
#[allow(dead_code, unused_imports)]
#[path = "../../src/modules/voice/sfu/handshake.rs"]
mod handshake;

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use str0m::change::SdpAnswer;
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

use crate::http::{Http, action};

/// For everybody to be connected.
const PATIENCE: Duration = Duration::from_secs(60);
/// Payload of a packet of speech at 40 kbit/s.
const SOUND_BYTES: usize = 100;
/// Payload of a packet of a picture.
const PICTURE_BYTES: usize = 1_150;
/// Ticks of 48 kHz between two packets of speech.
const SOUND_TICKS: u32 = 960;

/// What somebody sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    /// Nothing: they listen.
    Nothing,
    /// Speech.
    Sound,
    /// A shared screen.
    Picture,
}

/// Somebody in a voice room.
pub struct Peer {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    /// The line on which they send, and that on which they hear or see one other.
    sends: Option<Mid>,
    receives: Mid,
    kind: Sends,
    due: Instant,
    /// Whether packets that come are decrypted; else they are only counted.
    pub reads: bool,
    is_connected: bool,
    sequence: u64,
    participant: String,
    /// Packets of media that came.
    pub received: u64,
    /// How long packets took that were decrypted, in seconds.
    pub delays: Vec<f64>,
}

impl Peer {
    /// Joins the voice of a room, by the actions that pages use.
    pub async fn join(http: &mut Http, cookie: &str, room: &str, sends: Sends) -> Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.set_nonblocking(true)?;
        let address = socket.local_addr()?;
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(crypto::provider()))
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(address, "udp")?);
        let mut changes = rtc.sdp_api();
        let kind = match sends {
            Sends::Picture => MediaKind::Video,
            _ => MediaKind::Audio,
        };
        let line = (sends != Sends::Nothing)
            .then(|| changes.add_media(kind, Direction::SendOnly, None, None, None));
        let receives = changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
        let sees = changes.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = changes.apply().context("an offer")?;
        let source = match sends {
            Sends::Picture => "screen",
            _ => "microphone",
        };
        let sources: Vec<_> = line.iter().map(|mid| (mid.to_string(), source)).collect();
        let fields = json!({ "room": room, "offer": offer.to_sdp_string(), "sources": sources,
            "host": "127.0.0.1", "doing": { "screen": sends == Sends::Picture } });
        let joined = http.send(&action("voice.join", cookie, &fields)).await?;
        let joined = joined.done().context("voice.join")?;
        let answer = joined["answer"].as_str().context("an answer")?;
        rtc.sdp_api()
            .accept_answer(pending, SdpAnswer::from_sdp_string(answer)?)?;
        let participant = joined["participant"].as_str().context("a participant")?;
        Ok(Self {
            rtc,
            socket,
            address,
            sends: line,
            receives: if sends == Sends::Picture {
                sees
            } else {
                receives
            },
            kind: sends,
            due: Instant::now(),
            reads: false,
            is_connected: false,
            sequence: 1_000,
            participant: participant.to_owned(),
            received: 0,
            delays: Vec::new(),
        })
        .map(|mut peer| {
            // Who listens has a line for either.
            if sends == Sends::Nothing {
                peer.receives = receives;
            }
            peer
        })
    }

    /// Where they take what is sent to them.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has them hear or see another.
    pub async fn want(
        &self,
        http: &mut Http,
        (cookie, room): (&str, &str),
        other: &Self,
    ) -> Result<()> {
        let (mid, source) = match other.kind {
            Sends::Picture => (self.picture_line(), "screen"),
            _ => (self.receives, "microphone"),
        };
        let streams = json!([{ "mid": mid.to_string(), "from": other.participant,
            "source": source, "layer": 2 }]);
        let fields = json!({ "room": room, "participant": self.participant, "streams": streams });
        let answer = http.send(&action("voice.receive", cookie, &fields)).await?;
        answer.done().context("voice.receive").map(|_: Value| ())
    }

    /// The line for pictures is the last that was offered.
    fn picture_line(&self) -> Mid {
        let lines = usize::from(self.sends.is_some()) + 1;
        Mid::from(lines.to_string().as_str())
    }

    /// Sends a packet: of speech, or of a picture, of which each thirtieth begins a new one. It
    /// carries when it was sent.
    pub fn send(&mut self, since: Instant) {
        let now = Instant::now();
        self.sequence += 1;
        let codec = match self.kind {
            Sends::Picture => Codec::Vp8,
            _ => Codec::Opus,
        };
        let params = self.rtc.codec_config().params();
        let found = params.iter().find(|params| params.spec().codec == codec);
        let (Some(mid), Some(params)) = (self.sends, found) else {
            return;
        };
        let pt = params.pt();
        let stamp = (now - since).as_nanos().to_be_bytes();
        let (payload, time) = match self.kind {
            Sends::Picture => {
                // A VP8 descriptor that begins a frame, and the header of a key frame.
                let mut payload = vec![0x10, 0, 0, 0, 0x9d, 0x01, 0x2a];
                payload.extend(stamp);
                payload.resize(PICTURE_BYTES, 0);
                (payload, self.sequence as u32 * 90)
            }
            _ => {
                let mut payload = stamp.to_vec();
                payload.resize(SOUND_BYTES, 0);
                (payload, self.sequence as u32 * SOUND_TICKS)
            }
        };
        let extensions = ExtensionValues {
            audio_level: Some(-20),
            voice_activity: Some(true),
            ..ExtensionValues::default()
        };
        let mut api = self.rtc.direct_api();
        let Some(stream) = api.stream_tx_by_mid(mid, None) else {
            return;
        };
        let packet = RtpWrite::new(pt, self.sequence.into(), time, now, payload);
        let packet = packet
            .marker(self.kind == Sends::Picture)
            .ext_vals(extensions);
        stream.write_rtp(packet);
        self.drain(since);
    }

    /// Takes what has come, and sends what is due.
    pub fn pump(&mut self, since: Instant) {
        let mut buffer = [0; 2_048];
        loop {
            let (len, from) = match self.socket.recv_from(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => break,
            };
            let bytes = &buffer[..len];
            let is_media =
                len > 1 && (128..192).contains(&bytes[0]) && !(192..224).contains(&bytes[1]);
            if is_media && !self.reads {
                self.received += 1;
                continue;
            }
            let received = Receive::new(Protocol::Udp, from, self.address, bytes);
            if let Ok(received) = received {
                drop(
                    self.rtc
                        .handle_input(Input::Receive(Instant::now(), received)),
                );
                self.drain(since);
            }
        }
        if self.due <= Instant::now() {
            drop(self.rtc.handle_input(Input::Timeout(Instant::now())));
            self.drain(since);
        }
    }

    fn drain(&mut self, since: Instant) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(due)) => {
                    self.due = due;
                    return;
                }
                Ok(Output::Transmit(transmit)) => {
                    let sent = self
                        .socket
                        .send_to(&transmit.contents, transmit.destination);
                    drop(sent);
                }
                Ok(Output::Event(Event::Connected)) => self.is_connected = true,
                Ok(Output::Event(Event::RtpPacket(packet))) => {
                    self.received += 1;
                    let stamp = packet
                        .payload
                        .get(..16)
                        .and_then(|stamp| stamp.try_into().ok());
                    if let Some(stamp) = stamp {
                        let sent = u128::from_be_bytes(stamp);
                        let took = since.elapsed().as_nanos().saturating_sub(sent);
                        self.delays.push(took as f64 / 1e9);
                    }
                }
                Ok(Output::Event(_)) => {}
                Err(_) => return,
            }
        }
    }
}

/// Pumps everybody until all are connected.
pub fn connect(peers: &mut [Peer], since: Instant) -> Result<()> {
    let started = Instant::now();
    while !peers.iter().all(|peer| peer.is_connected) {
        ensure!(started.elapsed() < PATIENCE, "not everybody is connected");
        peers.iter_mut().for_each(|peer| peer.pump(since));
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// For a time, has the speakers among these send so many packets a second each, as evenly as the
/// machine allows, and everybody take what comes.
pub fn run(peers: &mut [Peer], per_second: f64, time: Duration, since: Instant) {
    let started = Instant::now();
    let mut sent = 0_u64;
    while started.elapsed() < time {
        let due = (started.elapsed().as_secs_f64() * per_second) as u64;
        // What could not be sent in time is not sent at once later.
        sent = sent.max(due.saturating_sub(8));
        while sent < due {
            sent += 1;
            let speakers = peers.iter_mut().filter(|peer| peer.sends.is_some());
            speakers.for_each(|peer| peer.send(since));
        }
        peers.iter_mut().for_each(|peer| peer.pump(since));
    }
}
