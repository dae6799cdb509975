//! The media server between clients that are str0m themselves, over a network that is a list of
//! datagrams.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{ExtensionValues, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};

use super::*;

const SERVER: &str = "10.0.0.1:3478";
/// Between two packets of sound.
const FRAME: Duration = Duration::from_millis(20);
const TICKS: u32 = 960; // of 48 kHz, in a frame

/// A browser's part: one line to speak, and lines to listen.
struct Client {
    id: i64,
    rtc: Rtc,
    address: SocketAddr,
    microphone: Mid,
    speakers: Vec<Mid>,
    is_connected: bool,
    has_ended: bool,
    sequence: u64,
    /// What came, by line: the first byte of each packet, which says who sent it.
    heard: Vec<(Mid, u64, u8)>,
}

struct Network {
    now: Instant,
    sfu: Sfu,
    clients: Vec<Client>,
    to_server: VecDeque<(SocketAddr, Vec<u8>)>,
}

impl Network {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            now,
            sfu: Sfu::new(100, now).expect("a server"),
            clients: Vec::new(),
            to_server: VecDeque::new(),
        }
    }

    /// Adds a client with so many lines to listen on.
    fn join(&mut self, id: i64, room: i64, lines: usize) -> usize {
        let address: SocketAddr = format!("10.0.1.{id}:5000").parse().expect("an address");
        let mut rtc = Rtc::builder()
            .set_crypto_provider(Arc::new(crypto::provider()))
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false)
            .build(self.now);
        rtc.add_local_candidate(Candidate::host(address, "udp").expect("a candidate"));
        let mut changes = rtc.sdp_api();
        let microphone = changes.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None);
        let listen = |_| changes.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
        let speakers = (0..lines).map(listen).collect();
        let (offer, pending): (_, SdpPendingOffer) = changes.apply().expect("an offer");
        let server: SocketAddr = SERVER.parse().expect("an address");
        let answer = self.sfu.join(
            Join {
                id,
                room,
                gates: Gates::OPEN,
                offer: Offer::parse(&offer.to_sdp_string()).expect("an offer"),
                sources: &[(microphone.to_string(), Source::Microphone)],
                addresses: &[server],
                has_tcp: true,
            },
            self.now,
        );
        let answer = SdpAnswer::from_sdp_string(&answer.expect("an answer")).expect("an answer");
        rtc.sdp_api()
            .accept_answer(pending, answer)
            .expect("is taken");
        self.clients.push(Client {
            id,
            rtc,
            address,
            microphone,
            speakers,
            is_connected: false,
            has_ended: false,
            sequence: 1_000 * u64::try_from(id).expect("positive"),
            heard: Vec::new(),
        });
        self.clients.len() - 1
    }

    /// Has a client hear others on its lines, one on each.
    fn want(&mut self, client: usize, from: &[i64]) {
        let client = &self.clients[client];
        let wants: Vec<Want> = client
            .speakers
            .iter()
            .zip(from)
            .map(|(mid, from)| Want {
                mid: mid.to_string(),
                from: *from,
                source: Source::Microphone,
                layer: 0,
            })
            .collect();
        self.sfu.set_wanted(client.id, &wants, self.now);
    }

    /// A client says a packet of sound.
    fn speak(&mut self, client: usize, level: i8) {
        let now = self.now;
        let client = &mut self.clients[client];
        client.sequence += 1;
        let params = client.rtc.codec_config().params();
        let opus = params
            .iter()
            .find(|params| params.spec().codec == Codec::Opus);
        let pt = opus.expect("is negotiated").pt();
        let says = u8::try_from(client.id).expect("small");
        let time = u32::try_from(client.sequence).expect("small") * TICKS;
        let extensions = ExtensionValues {
            audio_level: Some(level),
            voice_activity: Some(true),
            ..ExtensionValues::default()
        };
        let mut api = client.rtc.direct_api();
        let stream = api.stream_tx_by_mid(client.microphone, None);
        let packet = RtpWrite::new(pt, client.sequence.into(), time, now, vec![says; 60]);
        stream
            .expect("a stream")
            .write_rtp(packet.ext_vals(extensions));
        drain(client, &mut self.to_server);
    }

    /// Lets time pass, and all datagrams arrive.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(5);
            for client in &mut self.clients {
                client
                    .rtc
                    .handle_input(Input::Timeout(self.now))
                    .expect("goes on");
                drain(client, &mut self.to_server);
            }
            while let Some((source, bytes)) = self.to_server.pop_front() {
                let datagram = Datagram {
                    source,
                    protocol: Protocol::Udp,
                    bytes: &bytes,
                };
                self.sfu.receive(&datagram, self.now);
            }
            self.sfu.settle(self.now);
            self.sfu.handle_timeout(self.now);
            for transmit in std::mem::take(&mut self.sfu.transmits) {
                let to = transmit.destination;
                let Some(client) = self.clients.iter_mut().find(|one| one.address == to) else {
                    continue;
                };
                let received = Receive::new(
                    Protocol::Udp,
                    SERVER.parse().expect("an address"),
                    to,
                    &transmit.contents,
                );
                let input = Input::Receive(self.now, received.expect("is read"));
                drop(client.rtc.handle_input(input));
                drain(client, &mut self.to_server);
            }
        }
    }

    fn connect(&mut self) {
        for _ in 0..400 {
            self.run(Duration::from_millis(10));
            if self.clients.iter().all(|client| client.is_connected) {
                return;
            }
        }
        panic!("not all clients connected");
    }

    /// Whom a client heard since this was asked before.
    fn heard(&mut self, client: usize) -> Vec<u8> {
        let heard = std::mem::take(&mut self.clients[client].heard);
        let mut by: Vec<u8> = heard.iter().map(|(_, _, by)| *by).collect();
        by.dedup();
        by.sort_unstable();
        by.dedup();
        by
    }
}

fn drain(client: &mut Client, to_server: &mut VecDeque<(SocketAddr, Vec<u8>)>) {
    loop {
        match client.rtc.poll_output().expect("goes on") {
            Output::Timeout(_) => return,
            Output::Transmit(transmit) => {
                to_server.push_back((client.address, transmit.contents.to_vec()));
            }
            Output::Event(Event::Connected) => client.is_connected = true,
            Output::Event(Event::Closed) => client.has_ended = true,
            Output::Event(Event::RtpPacket(packet)) => {
                let ssrc = packet.header.ssrc;
                let mut api = client.rtc.direct_api();
                let mid = api.stream_rx(&ssrc).expect("is known").mid();
                let by = packet.payload.first().copied().unwrap_or(0);
                client.heard.push((mid, *packet.seq_no, by));
            }
            Output::Event(_) => {}
        }
    }
}

/// Three in a room, who all want one another.
fn three() -> Network {
    let mut network = Network::new();
    for id in 1..=3 {
        network.join(id, 7, 2);
    }
    network.connect();
    network.want(0, &[2, 3]);
    network.want(1, &[1, 3]);
    network.want(2, &[1, 2]);
    network
}

fn all_speak(network: &mut Network, packets: usize) {
    for _ in 0..packets {
        for client in 0..network.clients.len() {
            network.speak(client, -20);
        }
        network.run(FRAME);
    }
}

#[test]
fn everybody_hears_the_others_in_order_without_gaps() {
    let mut network = three();
    all_speak(&mut network, 50);
    for client in 0..3 {
        let heard = std::mem::take(&mut network.clients[client].heard);
        let lines = network.clients[client].speakers.clone();
        for line in lines {
            let numbers: Vec<u64> = heard
                .iter()
                .filter(|(mid, ..)| *mid == line)
                .map(|(_, number, _)| *number)
                .collect();
            assert!(numbers.len() >= 49, "{} packets", numbers.len());
            let is_gapless = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1);
            assert!(is_gapless, "{numbers:?}");
        }
    }
}

/// str0m keeps room for the events of one datagram.
#[test]
fn packets_that_came_together_are_all_forwarded() {
    let mut network = three();
    network.heard(1);
    let before = network.sfu.forwarded;
    for _ in 0..10 {
        (0..5).for_each(|_| network.speak(0, -20));
        network.run(FRAME);
    }
    network.run(Duration::from_secs(1));
    let heard = std::mem::take(&mut network.clients[1].heard);
    let numbers: Vec<u64> = heard.iter().map(|(_, number, _)| *number).collect();
    let forwarded = network.sfu.forwarded - before;
    assert_eq!(numbers.len(), 50, "{forwarded} {numbers:?}");
}

#[test]
fn who_left_is_not_heard_and_hears_nothing() {
    let mut network = three();
    all_speak(&mut network, 5);
    network.sfu.leave(1, network.now);
    network.run(FRAME);
    for client in 0..3 {
        network.heard(client);
    }
    all_speak(&mut network, 10);
    assert!(network.heard(0).is_empty());
    assert_eq!(network.heard(1), [3]);
    assert_eq!(network.heard(2), [2]);
    assert!(network.clients[0].has_ended, "the page is told");
    assert_eq!(network.sfu.len(), 2);
}

#[test]
fn muted_and_deafened_are_so_in_the_media() {
    let mut network = three();
    all_speak(&mut network, 5);
    let muted = Gates {
        speaks: false,
        ..Gates::OPEN
    };
    let deaf = Gates {
        hears: false,
        ..Gates::OPEN
    };
    network.sfu.set_gates(1, muted);
    network.sfu.set_gates(2, deaf);
    (0..3).for_each(|client| drop(network.heard(client)));
    all_speak(&mut network, 10);
    assert_eq!(network.heard(0), [2, 3]);
    assert!(network.heard(1).is_empty());
    assert_eq!(network.heard(2), [2]);
    // And back, on the same lines without a gap.
    network.sfu.set_gates(1, Gates::OPEN);
    network.sfu.set_gates(2, Gates::OPEN);
    all_speak(&mut network, 10);
    assert_eq!(network.heard(1), [1, 3]);
    assert_eq!(network.heard(2), [1, 2]);
}

#[test]
fn of_twenty_five_who_speak_everybody_hears_the_loudest() {
    let mut network = Network::new();
    let everybody = 1..=25_u8;
    let others = |id: u8| everybody.clone().filter(move |other| *other != id);
    for id in everybody.clone() {
        network.join(id.into(), 7, 24);
    }
    network.connect();
    for (client, id) in everybody.clone().enumerate() {
        let others: Vec<i64> = others(id).map(i64::from).collect();
        network.want(client, &others);
    }
    let speak = |network: &mut Network, frames: usize| {
        for _ in 0..frames {
            // The quietest begin.
            for client in (0..25_i8).rev() {
                network.speak(usize::try_from(client).expect("positive"), -12 - 4 * client);
            }
            network.run(FRAME);
        }
    };
    speak(&mut network, 60);
    (0..25).for_each(|client| drop(network.heard(client)));
    speak(&mut network, 10);
    for (client, id) in everybody.clone().enumerate() {
        let loudest: Vec<u8> = others(id).filter(|other| *other <= 12).collect();
        assert_eq!(network.heard(client), loudest, "by {id}");
    }
}

#[test]
fn other_rooms_are_not_heard_whatever_is_asked() {
    let mut network = Network::new();
    network.join(1, 7, 1);
    network.join(2, 8, 1);
    network.connect();
    network.want(0, &[2]);
    network.want(1, &[1]);
    all_speak(&mut network, 10);
    assert!(network.heard(0).is_empty());
    assert!(network.heard(1).is_empty());
}

#[test]
fn speaking_is_told_when_it_begins_and_ends() {
    let mut network = three();
    network.sfu.events.clear();
    network.speak(0, -20);
    network.run(Duration::from_millis(60));
    let begun = SfuEvent::Speaking {
        room: 7,
        speaking: vec![1],
    };
    assert_eq!(network.sfu.events, [begun]);
    network.sfu.events.clear();
    network.run(Duration::from_millis(600));
    let ended = SfuEvent::Speaking {
        room: 7,
        speaking: vec![],
    };
    assert_eq!(network.sfu.events, [ended]);
}

#[test]
fn offer_that_is_none_is_refused_and_leaves_nothing() {
    let mut network = Network::new();
    let server = SERVER.parse().expect("an address");
    for text in ["", "v=0", "hello", &"m=audio 9 x\r\n".repeat(500)] {
        let Ok(offer) = Offer::parse(text) else {
            continue;
        };
        let join = Join {
            id: 1,
            room: 7,
            gates: Gates::OPEN,
            offer,
            sources: &[],
            addresses: &[server],
            has_tcp: false,
        };
        assert!(network.sfu.join(join, network.now).is_err(), "{text:.20}");
        assert_eq!(network.sfu.len(), 0);
    }
    assert!(Offer::parse(&"m=audio 9 x\r\n".repeat(500)).is_err());
}

#[test]
fn sender_of_too_much_is_heard_no_more_than_the_bound() {
    let mut network = three();
    network.heard(1);
    let before = network.sfu.forwarded;
    (0..2 * MAX_PACKETS_PER_SECOND).for_each(|_| network.speak(0, -20));
    network.run(FRAME);
    let forwarded = network.sfu.forwarded - before;
    assert!(
        forwarded <= 2 * u64::from(MAX_PACKETS_PER_SECOND),
        "{forwarded}"
    );
    // A second later they are heard again.
    network.run(Duration::from_secs(2));
    network.heard(1);
    all_speak(&mut network, 5);
    assert!(network.heard(1).contains(&1));
}

#[test]
fn address_of_one_participant_is_not_taken_by_another() {
    let mut network = three();
    all_speak(&mut network, 5);
    // The second one's packets, as if they came from the first one's address.
    let of_first = network.clients[0].address;
    let of_second = std::mem::replace(&mut network.clients[1].address, of_first);
    network.run(Duration::from_secs(6));
    network.clients[1].address = of_second;
    (0..3).for_each(|client| drop(network.heard(client)));
    all_speak(&mut network, 10);
    assert!(network.heard(2).contains(&1), "the first is still heard");
}

#[test]
fn who_never_connects_is_taken_out() {
    let mut network = Network::new();
    network.join(1, 7, 1);
    network.clients.clear();
    network.run(CONNECT_TIMEOUT + Duration::from_secs(1));
    assert_eq!(network.sfu.len(), 0);
    assert_eq!(network.sfu.events, [SfuEvent::Gone(1)]);
}

#[test]
fn datagrams_of_strangers_are_dropped() {
    let mut network = three();
    let stranger: SocketAddr = "10.9.9.9:1".parse().expect("an address");
    for bytes in [
        &[0x80, 111, 0, 1][..],
        &[22, 254, 253],
        &[0; 40],
        b"GET / HTTP/1.1",
    ] {
        let datagram = Datagram {
            source: stranger,
            protocol: Protocol::Udp,
            bytes,
        };
        assert!(!network.sfu.receive(&datagram, network.now));
    }
    assert!(network.sfu.transmits.is_empty());
}
