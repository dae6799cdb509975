//! Who is in the voice of which room: those whom this instance serves, and what others tell.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::model::{Ended, ParticipantId, Person, Stage};
use super::sfu::Gates;
use super::voice_rules::VoiceRules;
use crate::base::ids::{AccountId, RoomId};
use crate::engine::viewer::Viewer;

/// Those who ended that are remembered, so that their pages do not come back by themselves.
const MAX_ENDED: usize = 1_000;
/// What another instance told is forgotten when it is not repeated for this long.
const FORGET_AFTER: Duration = Duration::from_secs(9);

/// A participant whom this instance serves.
#[derive(Clone)]
pub(super) struct Participant {
    pub(super) person: Person,
    pub(super) room: RoomId,
    pub(super) viewer: Viewer,
    /// What the media server was told last.
    pub(super) gates: Gates,
}

/// The people of all rooms. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Rooms(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Those whom this instance serves.
    served: HashMap<ParticipantId, Participant>,
    /// Everybody, as the pages show them.
    shown: HashMap<RoomId, Shown>,
    ended: VecDeque<(ParticipantId, Ended)>,
    /// The rooms that somebody is in whom this instance serves.
    rooms: HashMap<RoomId, RoomState>,
}

/// A room that this instance serves.
struct RoomState {
    rules: VoiceRules,
    /// Who was let speak on a stage, also while they load their page anew.
    speakers: HashSet<AccountId>,
    /// When somebody last spoke, or did anything else here.
    active_at: Instant,
}

impl State {
    /// Forgets a room that nobody is in.
    fn forget_if_empty(&mut self, room: RoomId) {
        if !self.served.values().any(|one| one.room == room) {
            self.rooms.remove(&room);
        }
    }

    fn note_end(&mut self, id: ParticipantId, why: Ended) {
        if self.ended.len() >= MAX_ENDED {
            self.ended.pop_front();
        }
        self.ended.push_back((id, why));
    }
}

/// What adding a participant did.
pub(super) struct Added {
    /// Whether nobody else is in the room.
    pub(super) is_first: bool,
    /// Those of the same account who are out now.
    pub(super) replaced: Vec<Participant>,
}

struct Shown {
    instance: String,
    people: Vec<Person>,
    heard_at: Instant,
}

impl Rooms {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of the rules of a room that somebody is about to join, or is in.
    pub(super) fn set_rules(&self, room: RoomId, rules: VoiceRules) {
        let mut state = self.state();
        let known = state.rooms.entry(room).or_insert_with(|| RoomState {
            rules,
            speakers: HashSet::new(),
            active_at: Instant::now(),
        });
        known.rules = rules;
    }

    /// Whether this instance serves a room.
    pub(super) fn serves(&self, room: RoomId) -> bool {
        self.state().rooms.contains_key(&room)
    }

    /// What somebody is in a room, if it is a stage that they do not lead.
    pub(super) fn stage(&self, room: RoomId, account: AccountId, leads: bool) -> Option<Stage> {
        let state = self.state();
        let room = state.rooms.get(&room)?;
        if !room.rules.is_stage || leads {
            return None;
        }
        Some(match room.speakers.contains(&account) {
            true => Stage::Speaker,
            false => Stage::Listener,
        })
    }

    /// Lets somebody speak on a stage, or listen again.
    pub(super) fn set_speaker(&self, room: RoomId, account: AccountId, speaks: bool) {
        if let Some(room) = self.state().rooms.get_mut(&room) {
            match speaks {
                true => room.speakers.insert(account),
                false => room.speakers.remove(&account),
            };
        }
    }

    /// Somebody spoke in a room, or did something else there.
    pub(super) fn note_activity(&self, room: RoomId, now: Instant) {
        if let Some(room) = self.state().rooms.get_mut(&room) {
            room.active_at = now;
        }
    }

    /// The rooms in which nobody spoke or showed anything for as long as their rules allow.
    pub(super) fn idle_rooms(&self, now: Instant) -> Vec<RoomId> {
        let state = self.state();
        let shows = |room| {
            let mut inside = state.served.values().filter(|one| one.room == room);
            inside.any(|one| one.person.doing.camera || one.person.doing.screen)
        };
        let is_idle = |room: &RoomState| {
            let minutes = u64::try_from(room.rules.idle_minutes).unwrap_or(0);
            let quiet = now.saturating_duration_since(room.active_at);
            minutes > 0 && quiet >= Duration::from_secs(60 * minutes)
        };
        let idle = state.rooms.iter().filter(|(_, room)| is_idle(room));
        let idle = idle.map(|(room, _)| *room);
        idle.filter(|room| !shows(*room)).collect()
    }

    /// Adds a participant to a room of at most `max` people, in one step with taking out those of
    /// the same account, wherever they are. Nothing when the room is full.
    pub(super) fn add(&self, participant: Participant, max: usize) -> Option<Added> {
        let mut state = self.state();
        let account = participant.person.account;
        let (room, others) = (participant.room, state.served.values());
        let inside = others.filter(|one| one.room == room && one.person.account != account);
        let inside = inside.count();
        if inside >= max {
            state.forget_if_empty(room);
            return None;
        }
        let own = state.served.values();
        let own = own.filter(|one| one.person.account == account);
        let before: Vec<ParticipantId> = own.map(|one| one.person.id).collect();
        let mut replaced = Vec::new();
        for id in before {
            replaced.extend(state.served.remove(&id));
            state.note_end(id, Ended::Elsewhere);
        }
        state.served.insert(participant.person.id, participant);
        for before in &replaced {
            state.forget_if_empty(before.room);
        }
        Some(Added {
            is_first: inside == 0,
            replaced,
        })
    }

    /// Takes a participant out. Nothing if they are not served here.
    pub(super) fn remove(&self, id: ParticipantId, why: Option<Ended>) -> Option<Participant> {
        let mut state = self.state();
        let removed = state.served.remove(&id)?;
        state.forget_if_empty(removed.room);
        if let Some(why) = why {
            state.note_end(id, why);
        }
        Some(removed)
    }

    /// Why somebody's page should not bring them back.
    pub(super) fn ended(&self, id: ParticipantId) -> Option<Ended> {
        let state = self.state();
        let found = state.ended.iter().find(|(ended, _)| *ended == id);
        found.map(|(_, why)| *why)
    }

    /// A participant whom this instance serves.
    pub(super) fn get(&self, id: ParticipantId) -> Option<Participant> {
        self.state().served.get(&id).cloned()
    }

    /// Changes a participant; says what `change` says, or nothing if they are not served here.
    pub(super) fn change<T>(
        &self,
        id: ParticipantId,
        change: impl FnOnce(&mut Participant) -> T,
    ) -> Option<T> {
        self.state().served.get_mut(&id).map(change)
    }

    /// Everybody whom this instance serves.
    pub(super) fn served(&self) -> Vec<Participant> {
        self.state().served.values().cloned().collect()
    }

    /// An account's participants whom this instance serves.
    pub(super) fn of_account(&self, account: AccountId) -> Vec<ParticipantId> {
        let state = self.state();
        let own = state.served.values();
        own.filter(|one| one.person.account == account)
            .map(|one| one.person.id)
            .collect()
    }

    /// The people whom this instance serves in a room, in the order in which they came.
    pub(super) fn served_in(&self, room: RoomId) -> Vec<Person> {
        let state = self.state();
        let inside = state.served.values().filter(|one| one.room == room);
        let mut people: Vec<Person> = inside.map(|one| one.person.clone()).collect();
        people.sort_unstable_by_key(|person| person.id);
        people
    }

    /// The rooms that this instance serves.
    pub(super) fn served_rooms(&self) -> Vec<RoomId> {
        let state = self.state();
        let mut rooms: Vec<RoomId> = state.served.values().map(|one| one.room).collect();
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }

    /// Takes note of what an instance tells of a room. Whether anything changed.
    pub(super) fn hear(&self, room: RoomId, instance: &str, people: &[Person]) -> bool {
        let mut state = self.state();
        let before = state.shown.get(&room);
        // One that served the room before, and lost it, has nobody to tell of.
        if people.is_empty() && before.is_some_and(|shown| shown.instance != instance) {
            return false;
        }
        let is_new = before.map_or(!people.is_empty(), |shown| shown.people != people);
        if people.is_empty() {
            state.shown.remove(&room);
        } else {
            let shown = Shown {
                instance: instance.to_owned(),
                people: people.to_vec(),
                heard_at: Instant::now(),
            };
            state.shown.insert(room, shown);
        }
        is_new
    }

    /// Forgets rooms of other instances that do not tell of them any more, and returns them.
    pub(super) fn forget_silent(&self, own: &str, now: Instant) -> Vec<RoomId> {
        let mut state = self.state();
        let is_silent = |shown: &Shown| {
            shown.instance != own && now.saturating_duration_since(shown.heard_at) > FORGET_AFTER
        };
        let silent = state.shown.iter().filter(|(_, shown)| is_silent(shown));
        let silent: Vec<RoomId> = silent.map(|(room, _)| *room).collect();
        for room in &silent {
            state.shown.remove(room);
        }
        silent
    }

    /// Everybody in a room, wherever it is served.
    pub(super) fn people(&self, room: RoomId) -> Vec<Person> {
        let state = self.state();
        let shown = state.shown.get(&room);
        shown.map(|shown| shown.people.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::locale::Lang;
    use crate::engine::viewer::Theme;

    fn participant(id: i64, account: i64, room: i64) -> Participant {
        Participant {
            person: Person::new(ParticipantId(id), AccountId(account)),
            room: RoomId(room),
            viewer: Viewer {
                account: AccountId(account),
                name: "".into(),
                session: "".into(),
                address: std::net::Ipv4Addr::LOCALHOST.into(),
                lang: Lang::negotiate(None, None),
                theme: Theme::Device,
                is_guest: false,
            },
            gates: Gates::OPEN,
        }
    }

    #[test]
    fn stage_has_listeners_until_they_are_let_speak() {
        let (rooms, room) = (Rooms::default(), RoomId(1));
        let rules = VoiceRules {
            is_stage: true,
            ..VoiceRules::default()
        };
        rooms.set_rules(room, rules);
        rooms.add(participant(1, 7, 1), 9).expect("has a place");
        let stage = |leads| rooms.stage(room, AccountId(7), leads);
        assert_eq!(stage(false), Some(Stage::Listener));
        assert_eq!(stage(true), None);
        rooms.set_speaker(room, AccountId(7), true);
        assert_eq!(stage(false), Some(Stage::Speaker));
        // Coming back keeps that; a room that was empty begins anew.
        rooms.add(participant(2, 7, 1), 9).expect("has a place");
        assert_eq!(stage(false), Some(Stage::Speaker));
        rooms.remove(ParticipantId(2), None);
        assert!(!rooms.serves(room));
        rooms.set_rules(room, rules);
        assert_eq!(stage(false), Some(Stage::Listener));
    }

    #[test]
    fn room_is_idle_after_its_minutes_without_speech_or_pictures() {
        let (rooms, room) = (Rooms::default(), RoomId(1));
        let rules = VoiceRules {
            idle_minutes: 5,
            ..VoiceRules::default()
        };
        rooms.set_rules(room, rules);
        rooms.add(participant(1, 7, 1), 9).expect("has a place");
        let now = Instant::now();
        rooms.note_activity(room, now);
        let later = now + Duration::from_secs(299);
        assert!(rooms.idle_rooms(later).is_empty());
        let later = now + Duration::from_secs(300);
        assert_eq!(rooms.idle_rooms(later), [room]);
        rooms.change(ParticipantId(1), |one| one.person.doing.screen = true);
        assert!(rooms.idle_rooms(later).is_empty());
    }

    #[test]
    fn account_is_once_in_all_rooms_and_rooms_are_bounded() {
        let rooms = Rooms::default();
        assert!(
            rooms
                .add(participant(1, 7, 1), 2)
                .is_some_and(|added| added.is_first)
        );
        assert!(
            rooms
                .add(participant(2, 8, 1), 2)
                .is_some_and(|added| !added.is_first)
        );
        assert!(rooms.add(participant(3, 9, 1), 2).is_none(), "it is full");
        // Who is inside comes back to a full room, in place of themselves.
        let back = rooms.add(participant(4, 7, 1), 2).expect("has a place");
        assert_eq!(back.replaced.len(), 1);
        assert_eq!(rooms.ended(ParticipantId(1)), Some(Ended::Elsewhere));
        let elsewhere = rooms.add(participant(5, 8, 2), 2).expect("has a place");
        assert!(elsewhere.is_first && elsewhere.replaced.len() == 1);
        assert_eq!(rooms.served_in(RoomId(1)).len(), 1);
    }
}
