//! Voice: people without browsers on the real server, beside a bare reflector that sends the same
//! packets to the same sockets. What counts is the processor time of the thread that forwards:
//! people and the network's loopback take their own.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::http::{Http, action};
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::stats::percentile;
use crate::voice_peer::{Peer, Sends, connect, run};
use crate::voice_reflector::Reflector;

/// Bytes of a packet of speech with its headers, encrypted.
const SOUND_PACKET_BYTES: usize = 138;
/// Bytes of a packet of a picture with its headers, encrypted.
const PICTURE_PACKET_BYTES: usize = 1_190;
/// Packets of speech in a second.
const SPEECH: f64 = 50.0;

/// A server with people who have joined no room yet.
struct Ground {
    server: Server,
    http: Http,
    site: Site,
    since: Instant,
    rooms: usize,
    _folder: Folder,
}

impl Ground {
    async fn start(people: usize) -> Result<Self> {
        let folder = Folder::new()?;
        let settings = [
            ("TIDEPOOL_MAX_VOICE_PEOPLE", "5000"),
            ("TIDEPOOL_VOICE_PORT", "0"),
        ];
        let mut server = Server::tidepool_with(&folder, "data", &settings).await?;
        let mut site = Site::set_up(&server, 1).await?;
        server.process.end()?;
        site.populate(&folder, people).await?;
        let server = Server::tidepool_with(&folder, "data", &settings).await?;
        Ok(Self {
            http: Http::connect(server.address).await?,
            server,
            site,
            since: Instant::now(),
            rooms: 0,
            _folder: folder,
        })
    }

    /// Has these people join a new room in which the first sends, and all others want that.
    async fn fill_room(
        &mut self,
        people: std::ops::Range<usize>,
        sends: Sends,
    ) -> Result<(String, Vec<Peer>)> {
        self.rooms += 1;
        let fields = json!({ "space": self.site.space, "name": format!("Voice {}", self.rooms),
            "kind": "voice" });
        let owner = &self.site.people[0].cookie;
        let made = self
            .http
            .send(&action("community.create-room", owner, &fields))
            .await?;
        let made = made.done().context("community.create-room")?;
        let room = made["room"].as_str().context("a room")?.to_owned();
        let mut peers = Vec::new();
        for person in people.clone() {
            let sends = if peers.is_empty() {
                sends
            } else {
                Sends::Nothing
            };
            let cookie = &self.site.people[person].cookie;
            peers.push(Peer::join(&mut self.http, cookie, &room, sends).await?);
        }
        connect(&mut peers, self.since)?;
        let (first, others) = peers.split_first().context("nobody")?;
        for (person, other) in people.skip(1).zip(others) {
            let cookie = &self.site.people[person].cookie;
            other.want(&mut self.http, (cookie, &room), first).await?;
        }
        Ok((room, peers))
    }

    /// Has the first of each room send so many packets a second; what came to the others, and the
    /// processor time of the thread that forwards.
    fn forward(
        &self,
        peers: &mut [Peer],
        per_second: f64,
        time: Duration,
    ) -> Result<(u64, Duration)> {
        run(peers, per_second, time / 4, self.since);
        let count = |peers: &[Peer]| peers.iter().map(|peer| peer.received).sum::<u64>();
        let process = &self.server.process;
        let (came, cpu) = (count(peers), process.cpu_of_threads("voice")?);
        run(peers, per_second, time, self.since);
        Ok((count(peers) - came, process.cpu_of_threads("voice")? - cpu))
    }
}

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    forwarding(options, report, Sends::Sound).await?;
    forwarding(options, report, Sends::Picture).await?;
    many_listeners(options, report).await?;
    many_rooms(options, report).await?;
    delay(options, report).await?;
    joining(options, report).await?;
    report.note(
        "voice: packets are divided by the processor time of the forwarding thread; the reflector \
         decrypts, checks and encrypts nothing, and sends with one system call for all"
            .to_owned(),
    );
    Ok(())
}

/// Packets that a core forwards from one to thirty, against the reflector.
async fn forwarding(options: &Options, report: &mut Report, sends: Sends) -> Result<()> {
    let time = Duration::from_millis(options.by(500, 3_000) as u64);
    let (what, bytes, rate, mark) = match sends {
        Sends::Picture => (
            "video packets of 1,190 bytes forwarded a second and core (0.5 Gbit/s are 52,521)",
            PICTURE_PACKET_BYTES,
            700.0,
            52_521.0,
        ),
        _ => (
            "packets of speech forwarded a second and core",
            SOUND_PACKET_BYTES,
            1_500.0,
            60_000.0,
        ),
    };
    let mut ground = Ground::start(32).await?;
    let (_, mut peers) = ground.fill_room(1..32, sends).await?;
    let listeners: Vec<_> = peers[1..].iter().map(Peer::address).collect();
    let (mut ours, mut bare) = (Side::default(), Side::default());
    for _ in 0..options.rounds() {
        let (came, cpu) = ground.forward(&mut peers, rate, time)?;
        ensure!(came > 0, "nothing was forwarded");
        ours.turn(came as f64 / cpu.as_secs_f64(), None);
        let reflector = Reflector::start(&listeners)?;
        let source = UdpSocket::bind(("127.0.0.1", 0))?;
        let packet = vec![0x80; bytes];
        let (before, started) = (reflector.cpu()?, Instant::now());
        let mut sent = 0_u64;
        while started.elapsed() < time {
            let due = (started.elapsed().as_secs_f64() * rate) as u64;
            while sent < due {
                sent += 1;
                drop(source.send_to(&packet, reflector.address));
            }
            peers[1..]
                .iter_mut()
                .for_each(|peer| peer.pump(ground.since));
        }
        let cpu = (reflector.cpu()? - before).as_secs_f64();
        bare.turn(reflector.forwarded() as f64 / cpu, None);
    }
    ground.server.process.check()?;
    report.line(Line {
        what: what.to_owned(),
        unit: Unit::PerSecond,
        ours: ours.clone(),
        baseline: bare,
        mark: Some(Mark::RatioAtLeast(0.5)),
    });
    report.line(Line {
        what: format!("the same {what}"),
        unit: Unit::PerSecond,
        ours,
        baseline: Side::default(),
        mark: Some(Mark::AtLeast(mark)),
    });
    Ok(())
}

/// One who speaks to as many as fit into a room: how much of a core that takes.
async fn many_listeners(options: &Options, report: &mut Report) -> Result<()> {
    let people = options.by(50, 1_000);
    let mut ground = Ground::start(people + 1).await?;
    let (_, mut peers) = ground.fill_room(1..people + 1, Sends::Sound).await?;
    let time = Duration::from_secs(options.by(1, 5) as u64);
    let mut side = Side::default();
    for _ in 0..options.rounds() {
        let (came, cpu) = ground.forward(&mut peers, SPEECH, time)?;
        let expected = SPEECH * time.as_secs_f64() * (people - 1) as f64;
        ensure!(
            came as f64 > expected * 0.9,
            "{came} of {expected} packets came"
        );
        side.turn(cpu.as_secs_f64() / time.as_secs_f64() * 100.0, None);
    }
    report.line(Line {
        what: format!("one speaker to {} listeners, of a core", people - 1),
        unit: Unit::Percent,
        ours: side,
        baseline: Side::default(),
        mark: Some(Mark::AtMost(100.0)),
    });
    ground.server.process.check()
}

/// The cost of a packet in many rooms against few.
async fn many_rooms(options: &Options, report: &mut Report) -> Result<()> {
    const PEOPLE: usize = 5;
    let many = options.by(10, 100);
    let time = Duration::from_millis(options.by(500, 3_000) as u64);
    let (mut ours, mut few) = (Side::default(), Side::default());
    for (rooms, side) in [(2, &mut few), (many, &mut ours)] {
        let mut ground = Ground::start(rooms * PEOPLE + 1).await?;
        let mut peers = Vec::new();
        for room in 0..rooms {
            let first = 1 + room * PEOPLE;
            peers.extend(
                ground
                    .fill_room(first..first + PEOPLE, Sends::Sound)
                    .await?
                    .1,
            );
        }
        for _ in 0..options.rounds() {
            let (came, cpu) = ground.forward(&mut peers, 5_000.0 / rooms as f64, time)?;
            side.turn(cpu.as_secs_f64() * 1e3 / came as f64 * 1e3, None);
        }
        ground.server.process.check()?;
    }
    report.line(Line {
        what: format!("cost of 1,000 forwarded packets in {many} rooms against 2"),
        unit: Unit::Millis,
        ours,
        baseline: few,
        mark: Some(Mark::RatioAtMost(1.2)),
    });
    Ok(())
}

/// What the server adds between who speaks and who hears.
async fn delay(options: &Options, report: &mut Report) -> Result<()> {
    let mut ground = Ground::start(12).await?;
    let (_, mut peers) = ground.fill_room(1..11, Sends::Sound).await?;
    peers[1].reads = true;
    let time = Duration::from_secs(options.by(1, 5) as u64);
    let (mut half, mut late) = (Side::default(), Side::default());
    for _ in 0..options.rounds() {
        peers[1].delays.clear();
        run(&mut peers, SPEECH, time, ground.since);
        let delays = &mut peers[1].delays;
        ensure!(delays.len() > 20, "{} packets were heard", delays.len());
        half.turn(percentile(delays, 50.0) * 1e3, None);
        late.turn(percentile(delays, 99.0) * 1e3, None);
    }
    for (what, side, mark) in [("p50", half, 1.0), ("p99", late, 5.0)] {
        report.line(Line {
            what: format!("from who speaks to who hears, encrypted and decrypted, {what}"),
            unit: Unit::Millis,
            ours: side,
            baseline: Side::default(),
            mark: Some(Mark::AtMost(mark)),
        });
    }
    ground.server.process.check()
}

/// From the request to join to the first sound, and the memory of each who is there.
async fn joining(options: &Options, report: &mut Report) -> Result<()> {
    let people = options.by(50, 500);
    let mut ground = Ground::start(people + 30).await?;
    let (room, mut speaker) = ground.fill_room(1..2, Sends::Sound).await?;
    let mut times = Vec::new();
    for person in 2..options.by(6, 22) {
        let started = Instant::now();
        let cookie = ground.site.people[person].cookie.clone();
        let mut peer = Peer::join(&mut ground.http, &cookie, &room, Sends::Nothing).await?;
        peer.want(&mut ground.http, (&cookie, &room), &speaker[0])
            .await?;
        peer.reads = true;
        speaker.push(peer);
        while speaker.last().is_some_and(|peer| peer.received == 0) {
            ensure!(
                started.elapsed() < Duration::from_secs(10),
                "nothing was heard"
            );
            // As long as one packet of speech.
            run(
                &mut speaker,
                SPEECH,
                Duration::from_millis(21),
                ground.since,
            );
        }
        times.push(started.elapsed().as_secs_f64() * 1e3);
        speaker.pop();
    }
    report.line(Line {
        what: "from joining to the first sound, p50".to_owned(),
        unit: Unit::Millis,
        ours: Side::of([percentile(&mut times, 50.0)]),
        baseline: Side::default(),
        mark: Some(Mark::AtMost(500.0)),
    });
    let before = ground.server.process.resident()?;
    let (_, mut peers) = ground.fill_room(24..24 + people, Sends::Sound).await?;
    run(&mut peers, SPEECH, Duration::from_secs(2), ground.since);
    let after = ground.server.process.resident()?;
    report.line(Line {
        what: format!("memory of each of {people} people in a voice room"),
        unit: Unit::Kib,
        ours: Side::of([(after - before) / people as f64]),
        baseline: Side::default(),
        mark: Some(Mark::AtMost(300.0)),
    });
    ground.server.process.check()
}
