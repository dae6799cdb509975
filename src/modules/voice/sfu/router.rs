//! Who gets which packet: the rooms, what each member sends and wants, and what the server allows.
//!
//! Knows neither sockets nor encryption nor a clock: it is given packets and times, and says what
//! to forward where, under which numbers.

use std::collections::HashMap;
use std::time::Instant;

use super::key::Key;
use super::keyframes::{KeyframeWanted, Keyframes};
use super::layers::{self, Choice, LAYERS, Layers};
use super::loudest::Loudest;
use super::rewrite::{Numbers, Rewriter};
use super::source::Source;
use super::speech::Speech;

/// Streams that one member receives at a time.
pub const MAX_SLOTS: usize = 96;

/// What a member may do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gates {
    /// Their microphone is forwarded.
    pub speaks: bool,
    /// Their camera is.
    pub shows: bool,
    /// Their screen and its sound are.
    pub shares: bool,
    /// Sound is forwarded to them.
    pub hears: bool,
}

impl Gates {
    /// Nothing, as in a test of the connection.
    pub const CLOSED: Self = Self {
        speaks: false,
        shows: false,
        shares: false,
        hears: false,
    };

    /// Everything.
    #[cfg(test)]
    pub const OPEN: Self = Self {
        speaks: true,
        shows: true,
        shares: true,
        hears: true,
    };

    fn sends(self, source: Source) -> bool {
        match source {
            Source::Microphone => self.speaks,
            Source::Camera => self.shows,
            Source::Screen | Source::ScreenSound => self.shares,
        }
    }
}

/// What a member wants in one of their slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The slot: below [`MAX_SLOTS`].
    pub slot: usize,
    /// Whose.
    pub from: Key,
    /// Which of theirs.
    pub source: Source,
    /// The greatest layer, of pictures: 0 is the smallest.
    pub layer: usize,
}

/// A packet of a member.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// What it is of.
    pub source: Source,
    /// Its layer; 0 for sound.
    pub layer: usize,
    /// As the sender numbered it.
    pub numbers: Numbers,
    /// Whether a picture that needs no other begins with it.
    pub is_keyframe: bool,
    /// Of sound, in dBov.
    pub level: Option<i8>,
    /// Bytes of its payload.
    pub bytes: usize,
}

/// Where a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    /// To whom.
    pub to: Key,
    /// Into which of their slots.
    pub slot: usize,
    /// As what.
    pub numbers: Numbers,
}

/// All rooms of one media thread.
#[derive(Default)]
pub struct Router {
    members: HashMap<Key, Member>,
    rooms: HashMap<i64, Room>,
    keyframes: Keyframes,
}

#[derive(Default)]
struct Room {
    members: Vec<Key>,
    heard: Loudest,
    /// Who was said to speak.
    speaking: Vec<Key>,
}

struct Member {
    room: i64,
    gates: Gates,
    sent: [Sent; 4],
    slots: Vec<Slot>,
    /// Bits a second that reach them.
    estimate: Option<u64>,
}

#[derive(Default)]
struct Sent {
    /// Who wants it, and in which slot.
    followers: Vec<(Key, usize)>,
    speech: Speech,
    layers: Layers,
}

struct Slot {
    rewriter: Rewriter,
    fed: Option<Fed>,
}

#[derive(Clone, Copy)]
struct Fed {
    from: Key,
    source: Source,
    wanted: usize,
    /// The layer to go over to with its next key frame.
    target: usize,
    /// The layer that is forwarded.
    current: Option<usize>,
}

impl Router {
    /// Adds a member, who sends and gets nothing yet.
    pub fn join(&mut self, key: Key, room: i64, gates: Gates) {
        let member = Member {
            room,
            gates,
            sent: Default::default(),
            slots: Vec::new(),
            estimate: None,
        };
        self.members.insert(key, member);
        self.rooms.entry(room).or_default().members.push(key);
    }

    /// Takes a member out: nothing goes to them or comes from them any more.
    pub fn leave(&mut self, key: Key) {
        self.set_wanted(key, &[]);
        let Some(member) = self.members.remove(&key) else {
            return;
        };
        for sent in &member.sent {
            for (follower, slot) in &sent.followers {
                let follower = self.members.get_mut(follower);
                if let Some(slot) = follower.and_then(|member| member.slots.get_mut(*slot)) {
                    slot.fed = None;
                }
            }
        }
        self.keyframes.forget(key);
        if let Some(room) = self.rooms.get_mut(&member.room) {
            room.members.retain(|other| *other != key);
            room.speaking.retain(|other| *other != key);
            room.heard.remove(key);
            if room.members.is_empty() {
                self.rooms.remove(&member.room);
            }
        }
    }

    /// Says what a member may do from now on.
    pub fn set_gates(&mut self, key: Key, gates: Gates) {
        let Some(member) = self.members.get_mut(&key) else {
            return;
        };
        let before = std::mem::replace(&mut member.gates, gates);
        if before.speaks && !gates.speaks {
            member.sent[Source::Microphone.index()].speech.silence();
            if let Some(room) = self.rooms.get_mut(&member.room) {
                room.heard.remove(key);
            }
        }
        for source in Source::ALL {
            if before.sends(source) && !gates.sends(source) {
                self.restart_followers(key, source);
            }
        }
        let member = self.members.get_mut(&key);
        for slot in member.into_iter().flat_map(|member| &mut member.slots) {
            if before.hears && !gates.hears && slot.fed.is_some_and(|fed| fed.source.is_sound()) {
                slot.rewriter.restart();
            }
        }
    }

    /// Has what follows a stream take it up anew, when it comes back.
    fn restart_followers(&mut self, key: Key, source: Source) {
        let Some(member) = self.members.get_mut(&key) else {
            return;
        };
        let followers = std::mem::take(&mut member.sent[source.index()].followers);
        for (follower, slot) in &followers {
            let follower = self.members.get_mut(follower);
            let slot = follower.and_then(|member| member.slots.get_mut(*slot));
            if let Some(slot) = slot {
                slot.rewriter.restart();
                if let Some(fed) = &mut slot.fed {
                    fed.current = None;
                }
            }
        }
        if let Some(member) = self.members.get_mut(&key) {
            member.sent[source.index()].followers = followers;
        }
    }

    /// Replaces all that a member wants. What is of another room, or of nobody, is left out.
    pub fn set_wanted(&mut self, key: Key, wanted: &[Wanted]) {
        let Some(room) = self.members.get(&key).map(|member| member.room) else {
            return;
        };
        let mut next = vec![None; MAX_SLOTS];
        for one in wanted.iter().filter(|one| one.slot < MAX_SLOTS) {
            let theirs = self.members.get(&one.from);
            if theirs.is_some_and(|member| member.room == room) {
                next[one.slot] = Some(*one);
            }
        }
        for (slot, wanted) in next.into_iter().enumerate() {
            self.feed(key, slot, wanted);
        }
    }

    fn feed(&mut self, key: Key, index: usize, wanted: Option<Wanted>) {
        let Some(member) = self.members.get_mut(&key) else {
            return;
        };
        if wanted.is_some() {
            while member.slots.len() <= index {
                member.slots.push(Slot {
                    rewriter: Rewriter::new(48_000),
                    fed: None,
                });
            }
        }
        let Some(slot) = member.slots.get_mut(index) else {
            return;
        };
        let before = slot.fed.map(|fed| (fed.from, fed.source));
        let after = wanted.map(|wanted| (wanted.from, wanted.source));
        if let (Some(fed), Some(wanted)) = (&mut slot.fed, wanted)
            && before == after
        {
            fed.wanted = wanted.layer.min(LAYERS - 1);
            return;
        }
        slot.rewriter.restart();
        slot.fed = wanted.map(|wanted| {
            slot.rewriter.set_clock_rate(wanted.source.clock_rate());
            Fed {
                from: wanted.from,
                source: wanted.source,
                wanted: wanted.layer.min(LAYERS - 1),
                target: 0,
                current: None,
            }
        });
        if before == after {
            return;
        }
        if let Some((from, source)) = before
            && let Some(member) = self.members.get_mut(&from)
        {
            let followers = &mut member.sent[source.index()].followers;
            followers.retain(|follower| *follower != (key, index));
        }
        if let Some((from, source)) = after
            && let Some(member) = self.members.get_mut(&from)
        {
            member.sent[source.index()].followers.push((key, index));
        }
    }

    /// Says how much reaches a member, in bits a second.
    pub fn set_estimate(&mut self, key: Key, bits: u64) {
        if let Some(member) = self.members.get_mut(&key) {
            member.estimate = Some(bits);
        }
    }

    /// A receiver could not show what it got in a slot, and needs a key frame.
    pub fn need_keyframe(&mut self, key: Key, slot: usize) {
        let member = self.members.get(&key);
        let fed = member.and_then(|member| member.slots.get(slot)?.fed);
        if let Some(fed) = fed {
            let layer = fed.current.unwrap_or(fed.target);
            self.want_keyframe(fed.from, fed.source, layer);
        }
    }

    fn want_keyframe(&mut self, from: Key, source: Source, layer: usize) {
        self.keyframes.want(KeyframeWanted {
            from,
            source,
            layer,
        });
    }

    /// Where a packet goes: adds to `out`.
    pub fn fan_out(&mut self, from: Key, packet: &Packet, now: Instant, out: &mut Vec<Forward>) {
        let Some(member) = self.members.get_mut(&from) else {
            return;
        };
        if !member.gates.sends(packet.source) || packet.layer >= LAYERS {
            return;
        }
        let room = member.room;
        let sent = &mut member.sent[packet.source.index()];
        if packet.source == Source::Microphone {
            sent.speech.hear(packet.level, now);
            let loudness = sent.speech.loudness(now);
            if let Some(room) = self.rooms.get_mut(&room) {
                let dropped = room.heard.admit(from, loudness, now);
                if let Some(dropped) = dropped {
                    self.restart_followers(dropped, Source::Microphone);
                }
            }
            let room = self.rooms.get(&room);
            if !room.is_some_and(|room| room.heard.contains(from)) {
                return;
            }
        } else {
            sent.layers.count(packet.layer, packet.bytes, now);
        }
        let Some(member) = self.members.get_mut(&from) else {
            return;
        };
        // Taken out while other members are looked at.
        let followers = std::mem::take(&mut member.sent[packet.source.index()].followers);
        let mut missing = false;
        for (to, slot) in &followers {
            let Some(member) = self.members.get_mut(to) else {
                continue;
            };
            if packet.source.is_sound() && !member.gates.hears {
                continue;
            }
            let Some(index) = member.slots.get_mut(*slot) else {
                continue;
            };
            let Some(fed) = &mut index.fed else {
                continue;
            };
            if packet.source.is_sound() {
                fed.current = Some(0);
            } else if fed.target == packet.layer && fed.current != Some(packet.layer) {
                if packet.is_keyframe {
                    fed.current = Some(packet.layer);
                    index.rewriter.restart();
                } else {
                    missing = true;
                }
            }
            if fed.current != Some(packet.layer) {
                continue;
            }
            if let Some(numbers) = index.rewriter.next(packet.numbers, now) {
                out.push(Forward {
                    to: *to,
                    slot: *slot,
                    numbers,
                });
            }
        }
        if let Some(member) = self.members.get_mut(&from) {
            member.sent[packet.source.index()].followers = followers;
        }
        if missing {
            self.want_keyframe(from, packet.source, packet.layer);
        }
    }

    /// Looks at everything that changes with time: layers, and key frames to ask for, which it adds
    /// to `keyframes`. To be called several times a second.
    pub fn tick(&mut self, now: Instant, keyframes: &mut Vec<KeyframeWanted>) {
        let keys: Vec<Key> = self.members.keys().copied().collect();
        for key in keys {
            self.choose_layers(key, now);
        }
        self.keyframes.take_due(now, keyframes);
    }

    fn choose_layers(&mut self, key: Key, now: Instant) {
        let Some(member) = self.members.get(&key) else {
            return;
        };
        let mut choices = Vec::new();
        for (index, slot) in member.slots.iter().enumerate() {
            let Some(fed) = slot.fed.filter(|fed| !fed.source.is_sound()) else {
                continue;
            };
            let Some(from) = self.members.get(&fed.from) else {
                continue;
            };
            choices.push(Choice {
                slot: index,
                wanted: fed.wanted,
                bitrates: from.sent[fed.source.index()].layers.bitrates(now),
                chosen: fed.target,
            });
        }
        if choices.is_empty() {
            return;
        }
        layers::choose(&mut choices, member.estimate);
        let mut missing = Vec::new();
        let Some(member) = self.members.get_mut(&key) else {
            return;
        };
        for choice in choices {
            let Some(fed) = &mut member.slots[choice.slot].fed else {
                continue;
            };
            fed.target = choice.chosen;
            if fed.current != Some(fed.target) {
                missing.push((fed.from, fed.source, fed.target));
            }
        }
        for (from, source, layer) in missing {
            self.want_keyframe(from, source, layer);
        }
    }

    /// Bits a second that a member would get if everything reached them.
    pub fn desired_bits(&self, key: Key, now: Instant) -> u64 {
        let slots = self
            .members
            .get(&key)
            .into_iter()
            .flat_map(|member| &member.slots);
        slots
            .filter_map(|slot| {
                let fed = slot.fed?;
                if fed.source.is_sound() {
                    return Some(layers::SOUND_BITS);
                }
                let from = self.members.get(&fed.from)?;
                let bitrates = from.sent[fed.source.index()].layers.bitrates(now);
                bitrates[..=fed.wanted].iter().flatten().max().copied()
            })
            .sum()
    }

    /// The rooms in which others speak than when this was asked before, and who speaks.
    pub fn speaking_changes(&mut self, now: Instant) -> Vec<(i64, Vec<Key>)> {
        let mut changes = Vec::new();
        for (id, room) in &mut self.rooms {
            let members = room.members.iter().copied();
            let speaking: Vec<Key> = members
                .filter(|key| {
                    self.members.get(key).is_some_and(|member| {
                        let sent = &member.sent[Source::Microphone.index()];
                        member.gates.speaks && sent.speech.is_speaking(now)
                    })
                })
                .collect();
            if speaking != room.speaking {
                room.speaking.clone_from(&speaking);
                changes.push((*id, speaking));
            }
        }
        changes
    }
}
