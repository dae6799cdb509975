//! A simulation of the router: thousands of random joins, leaves, mutes, wishes and packets, beside a
//! model that says in the plainest way who should get what.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::key::Key;
use super::layers::LAYERS;
use super::rewrite::Numbers;
use super::router::{Forward, Gates, Packet, Router, Wanted};
use super::source::Source;

const STEPS: u32 = 10_000;
const ROOMS: i64 = 3;
/// Fewer in one room than are heard at a time: who is loudest is tested by itself.
const PEOPLE: usize = 12;
const SLOTS: usize = 24;

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }
}

/// Somebody, as the model knows them.
struct Member {
    room: i64,
    gates: Gates,
    wanted: BTreeMap<usize, (Key, Source)>,
    /// The last number that each of their streams was sent under.
    sent: [u64; 4],
}

fn may_send(gates: Gates, source: Source) -> bool {
    match source {
        Source::Microphone => gates.speaks,
        Source::Camera => gates.shows,
        Source::Screen | Source::ScreenSound => gates.shares,
    }
}

#[derive(Default)]
struct Model(BTreeMap<Key, Member>);

impl Model {
    /// Who should get a packet, and in which slot.
    fn expected(&self, from: Key, source: Source) -> BTreeSet<(Key, usize)> {
        let sender = &self.0[&from];
        let mut all = BTreeSet::new();
        for (key, member) in &self.0 {
            let hears = !source.is_sound() || member.gates.hears;
            if member.room != sender.room || !may_send(sender.gates, source) || !hears {
                continue;
            }
            let slots = member.wanted.iter();
            let slots = slots.filter(|(_, wanted)| **wanted == (from, source));
            all.extend(slots.map(|(slot, _)| (*key, *slot)));
        }
        all
    }

    fn leave(&mut self, key: Key) {
        self.0.remove(&key);
        for member in self.0.values_mut() {
            member.wanted.retain(|_, (from, _)| *from != key);
        }
    }
}

#[test]
fn everybody_gets_exactly_what_they_should_in_order() {
    let (mut random, mut model, mut router) = (
        Random(0x9E37_79B9_7F4A_7C15),
        Model::default(),
        Router::default(),
    );
    let mut now = Instant::now();
    // The last number in each slot of each member.
    let mut received: BTreeMap<(Key, usize), u64> = BTreeMap::new();
    let mut forwarded = 0;
    for step in 0..STEPS {
        now += Duration::from_millis(10);
        let key = random.below(PEOPLE);
        if let Entry::Vacant(place) = model.0.entry(key) {
            let room = i64::try_from(random.below(3)).unwrap_or(0) % ROOMS;
            router.join(key, room, Gates::OPEN);
            let member = Member {
                room,
                gates: Gates::OPEN,
                wanted: BTreeMap::new(),
                sent: [u64::try_from(random.below(60_000)).unwrap_or(0); 4],
            };
            place.insert(member);
            received.retain(|(to, _), _| *to != key);
            continue;
        }
        match random.below(20) {
            0 => {
                router.leave(key);
                model.leave(key);
                received.retain(|(to, _), _| *to != key);
            }
            1 | 2 => {
                let mut flag = || random.below(4) > 0;
                let gates = Gates {
                    speaks: flag(),
                    shows: flag(),
                    shares: flag(),
                    hears: flag(),
                };
                router.set_gates(key, gates);
                model.0.get_mut(&key).expect("is there").gates = gates;
            }
            3..=5 => {
                let mut wanted = Vec::new();
                for slot in 0..SLOTS {
                    if random.below(3) > 0 {
                        wanted.push(Wanted {
                            slot,
                            from: random.below(PEOPLE),
                            source: Source::ALL[random.below(4)],
                            layer: random.below(3),
                        });
                    }
                }
                router.set_wanted(key, &wanted);
                let room = model.0[&key].room;
                let is_here = |from: &Key| model.0.get(from).is_some_and(|one| one.room == room);
                let wanted: BTreeMap<_, _> = wanted
                    .iter()
                    .filter(|one| is_here(&one.from))
                    .map(|one| (one.slot, (one.from, one.source)))
                    .collect();
                model.0.get_mut(&key).expect("is there").wanted = wanted;
            }
            _ => {
                let source = Source::ALL[random.below(4)];
                let member = model.0.get_mut(&key).expect("is there");
                // Some packets never came.
                member.sent[source.index()] += 1 + u64::from(random.below(8) == 0);
                let sequence = member.sent[source.index()];
                let packet = Packet {
                    source,
                    layer: 0,
                    numbers: Numbers {
                        sequence,
                        time: step,
                        picture: 0,
                        base_picture: 0,
                    },
                    is_keyframe: true,
                    level: Some(-20),
                    bytes: 100,
                };
                let mut forwards: Vec<Forward> = Vec::new();
                router.fan_out(key, &packet, now, &mut forwards);
                let got: BTreeSet<_> = forwards.iter().map(|one| (one.to, one.slot)).collect();
                assert_eq!(got.len(), forwards.len(), "step {step}: once each");
                assert_eq!(
                    got,
                    model.expected(key, source),
                    "step {step}: {source:?} of {key}"
                );
                for one in forwards {
                    let last = received.insert((one.to, one.slot), one.numbers.sequence);
                    let last = last.unwrap_or(0);
                    // In order, and with no larger gap than what never came.
                    let step_up = one.numbers.sequence - last;
                    assert!((1..=2).contains(&step_up), "step {step}: {last} {one:?}");
                    forwarded += 1;
                }
            }
        }
    }
    assert!(forwarded > 2_000, "{forwarded}");
}

/// A camera that is sent in three sizes, and where its next packets stand.
struct Camera {
    sequences: [u64; LAYERS],
}

impl Camera {
    /// The next packet of a size. Key frames begin where `is_keyframe` says so.
    fn packet(&mut self, layer: usize, is_keyframe: bool) -> Packet {
        self.sequences[layer] += 1;
        Packet {
            source: Source::Camera,
            layer,
            numbers: Numbers {
                sequence: self.sequences[layer],
                time: 0,
                picture: 0,
                base_picture: 0,
            },
            is_keyframe,
            level: None,
            bytes: 1_000,
        }
    }
}

/// What somebody got in one slot: whose camera, in which size, and every number.
#[derive(Default)]
struct Watched {
    stream: Option<(Key, usize)>,
    numbers: BTreeSet<u64>,
}

/// Cameras in three sizes, of which packets are lost and come late, while people come and go, look
/// at others, and have better and worse lines.
struct Cameras {
    random: Random,
    router: Router,
    now: Instant,
    cameras: BTreeMap<Key, Camera>,
    wanted: BTreeMap<(Key, usize), Key>,
    watched: BTreeMap<(Key, usize), Watched>,
    late: Vec<(Key, Packet)>,
    forwarded: usize,
}

impl Cameras {
    fn new() -> Self {
        Self {
            random: Random(0xD1B5_4A32_D192_ED03),
            router: Router::default(),
            now: Instant::now(),
            cameras: BTreeMap::new(),
            wanted: BTreeMap::new(),
            watched: BTreeMap::new(),
            late: Vec::new(),
            forwarded: 0,
        }
    }

    fn join(&mut self, key: Key) {
        self.router.join(key, 1, Gates::OPEN);
        let sequences = std::array::from_fn(|_| self.random.below(60_000) as u64);
        self.cameras.insert(key, Camera { sequences });
    }

    fn leave(&mut self, key: Key) {
        self.router.leave(key);
        self.cameras.remove(&key);
        self.wanted
            .retain(|(to, _), from| *to != key && *from != key);
        self.watched.retain(|(to, _), _| *to != key);
        self.late.retain(|(from, _)| *from != key);
    }

    fn look(&mut self, key: Key) {
        let mut wanted = Vec::new();
        self.wanted.retain(|(to, _), _| *to != key);
        for slot in 0..4 {
            let from = self.random.below(PEOPLE);
            if from != key && self.cameras.contains_key(&from) {
                let (source, layer) = (Source::Camera, self.random.below(LAYERS));
                wanted.push(Wanted {
                    slot,
                    from,
                    source,
                    layer,
                });
                self.wanted.insert((key, slot), from);
            }
        }
        self.router.set_wanted(key, &wanted);
    }

    /// Has a packet forwarded, and checks where it went. How many got it.
    fn send(&mut self, from: Key, packet: &Packet) -> usize {
        let mut forwards = Vec::new();
        self.router.fan_out(from, packet, self.now, &mut forwards);
        for one in &forwards {
            let place = (one.to, one.slot);
            assert_eq!(
                self.wanted.get(&place),
                Some(&from),
                "{one:?} was not wanted"
            );
            let watched = self.watched.entry(place).or_default();
            if watched.stream != Some((from, packet.layer)) {
                assert!(
                    packet.is_keyframe,
                    "{one:?} begins in the middle of a picture"
                );
                watched.stream = Some((from, packet.layer));
            }
            let is_new = watched.numbers.insert(one.numbers.sequence);
            assert!(is_new, "{one:?} has a number that another packet had");
        }
        self.forwarded += forwards.len();
        forwards.len()
    }

    fn film(&mut self, key: Key) {
        let (layer, is_keyframe) = (self.random.below(LAYERS), self.random.below(10) == 0);
        let Some(camera) = self.cameras.get_mut(&key) else {
            return;
        };
        let packet = camera.packet(layer, is_keyframe);
        match self.random.below(10) {
            0 => {}
            1 => self.late.push((key, packet)),
            _ => {
                self.send(key, &packet);
            }
        }
    }

    fn tick(&mut self) {
        self.router.tick(self.now, &mut Vec::new());
    }
}

#[test]
fn picture_changes_its_size_only_at_a_key_frame_whatever_is_late_or_lost() {
    let mut all = Cameras::new();
    for step in 0..STEPS {
        all.now += Duration::from_millis(10);
        let key = all.random.below(PEOPLE);
        if !all.cameras.contains_key(&key) {
            all.join(key);
        }
        match all.random.below(60) {
            0 => all.leave(key),
            1..=3 => all.look(key),
            4..=6 => {
                let bits = 10_000 << all.random.below(10);
                all.router.set_estimate(key, bits);
            }
            7..=12 if !all.late.is_empty() => {
                let place = all.random.below(all.late.len());
                let (from, packet) = all.late.swap_remove(place);
                all.send(from, &packet);
            }
            _ => all.film(key),
        }
        if step % 5 == 0 {
            all.tick();
        }
    }
    assert!(all.forwarded > 1_000, "{}", all.forwarded);
    // Once every size has begun anew, each who looks gets one of them, and only one.
    all.tick();
    let keys: Vec<Key> = all.cameras.keys().copied().collect();
    for is_keyframe in [true, false] {
        for from in &keys {
            let mut reached = 0;
            for layer in 0..LAYERS {
                let camera = all.cameras.get_mut(from).expect("is there");
                let packet = camera.packet(layer, is_keyframe);
                reached += all.send(*from, &packet);
            }
            let looking = all.wanted.values().filter(|wanted| *wanted == from).count();
            if !is_keyframe {
                assert_eq!(reached, looking, "of {from}");
            }
        }
    }
}
