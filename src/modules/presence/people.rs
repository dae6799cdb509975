//! Who is here: the states and when they change. Pure but for a bell; time is given to it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout_at;

use crate::base::ids::AccountId;

/// How long after the last socket someone still counts as here: a reload, a change of network.
const GRACE: Duration = Duration::from_secs(3);

/// What others see of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// At a device, and moved lately.
    Here,
    /// Connected, but has not moved for a while.
    Idle,
    /// Not connected.
    Away,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Idle => "idle",
            Self::Away => "away",
        }
    }
}

struct Person {
    sockets: usize,
    /// When they last moved, on any of their devices.
    moved: Instant,
    /// When their last socket closed.
    left: Instant,
    told: State,
}

impl Person {
    fn state(&self, now: Instant, idle_after: Duration) -> State {
        if self.sockets == 0 && now.saturating_duration_since(self.left) >= GRACE {
            State::Away
        } else if now.saturating_duration_since(self.moved) >= idle_after {
            State::Idle
        } else {
            State::Here
        }
    }

    /// When the state changes next without anybody doing anything.
    fn next(&self, now: Instant, idle_after: Duration) -> Option<Instant> {
        let away = (self.sockets == 0).then(|| self.left + GRACE);
        let idle = Some(self.moved + idle_after).filter(|at| *at > now);
        [away, idle].into_iter().flatten().min()
    }
}

/// Everybody who is here or was told to be.
pub(super) struct People {
    idle_after: Duration,
    inner: Mutex<Inner>,
    bell: Notify,
}

#[derive(Default)]
struct Inner {
    people: HashMap<AccountId, Person>,
    /// Whose state may have changed since the last telling.
    dirty: BTreeSet<AccountId>,
}

impl People {
    pub(super) fn new(idle_after: Duration) -> Self {
        Self {
            idle_after,
            inner: Mutex::default(),
            bell: Notify::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An account has this many sockets open now.
    pub(super) fn sockets(&self, account: AccountId, open: usize, now: Instant) {
        let mut inner = self.inner();
        if open == 0 && !inner.people.contains_key(&account) {
            return;
        }
        let person = inner.people.entry(account).or_insert(Person {
            sockets: 0,
            moved: now,
            left: now,
            told: State::Away,
        });
        if open > person.sockets {
            person.moved = now; // opening a page is moving
        } else if open == 0 && person.sockets > 0 {
            person.left = now;
        }
        person.sockets = open;
        inner.dirty.insert(account);
        self.bell.notify_one();
    }

    /// An account's person moved.
    pub(super) fn active(&self, account: AccountId, now: Instant) {
        let mut inner = self.inner();
        if let Some(person) = inner.people.get_mut(&account) {
            person.moved = now;
            if person.told == State::Idle {
                inner.dirty.insert(account);
                self.bell.notify_one();
            }
        }
    }

    /// The state that was last published of an account. Pages show this and not what is true at
    /// the moment: who comes and goes within one batch is never published, so nothing would void a
    /// page that shows them.
    pub(super) fn state(&self, account: AccountId) -> State {
        let inner = self.inner();
        inner
            .people
            .get(&account)
            .map_or(State::Away, |person| person.told)
    }

    pub(super) fn known(&self) -> Vec<AccountId> {
        self.inner().people.keys().copied().collect()
    }

    /// Whose state is another than what was told. Counts them as told, and forgets who is away.
    pub(super) fn changes(&self, now: Instant) -> Vec<(AccountId, State)> {
        let mut inner = self.inner();
        let Inner { people, dirty } = &mut *inner;
        let mut changes = Vec::new();
        for account in std::mem::take(dirty) {
            let Some(person) = people.get_mut(&account) else {
                continue;
            };
            let state = person.state(now, self.idle_after);
            if state != person.told {
                person.told = state;
                changes.push((account, state));
            }
            if state == State::Away {
                people.remove(&account);
            }
        }
        changes
    }

    /// Until somebody's state may have changed.
    pub(super) async fn wait(&self) {
        loop {
            let next = {
                let mut inner = self.inner();
                let now = Instant::now();
                let Inner { people, dirty } = &mut *inner;
                // A due change stirs its person; it is found here because nothing else happens to
                // them.
                for (account, person) in people.iter() {
                    if person.state(now, self.idle_after) != person.told {
                        dirty.insert(*account);
                    }
                }
                if !dirty.is_empty() {
                    return;
                }
                people
                    .values()
                    .filter_map(|person| person.next(now, self.idle_after))
                    .min()
            };
            match next {
                Some(at) => drop(timeout_at(at.into(), self.bell.notified()).await),
                None => self.bell.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: AccountId = AccountId(1);
    const FIVE_MINUTES: Duration = Duration::from_secs(300);

    fn told(people: &People, at: Instant) -> Vec<State> {
        people.inner().dirty.insert(ANN);
        people
            .changes(at)
            .into_iter()
            .map(|(_, state)| state)
            .collect()
    }

    #[test]
    fn unpublished_visit_is_shown_nowhere() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.sockets(ANN, 1, start);
        people.sockets(ANN, 0, start);
        assert_eq!(people.state(ANN), State::Away);
        assert_eq!(told(&people, start + GRACE), []);
        people.sockets(ANN, 1, start + GRACE);
        assert_eq!(told(&people, start + GRACE), [State::Here]);
        assert_eq!(people.state(ANN), State::Here);
    }

    #[test]
    fn two_tabs_are_one_person() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.sockets(ANN, 1, start);
        people.sockets(ANN, 2, start);
        assert_eq!(told(&people, start), [State::Here]);
        people.sockets(ANN, 1, start);
        assert_eq!(told(&people, start + GRACE), []);
        people.sockets(ANN, 0, start);
        assert_eq!(told(&people, start), [], "a reload is not noticed");
        assert_eq!(told(&people, start + GRACE), [State::Away]);
    }

    #[test]
    fn idle_after_five_minutes_and_back_with_a_move() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.sockets(ANN, 1, start);
        assert_eq!(told(&people, start), [State::Here]);
        assert_eq!(told(&people, start + FIVE_MINUTES), [State::Idle]);
        people.active(ANN, start + FIVE_MINUTES);
        assert_eq!(told(&people, start + FIVE_MINUTES), [State::Here]);
    }

    #[test]
    fn a_beat_without_a_change_tells_nothing() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.sockets(ANN, 1, start);
        assert_eq!(people.changes(start).len(), 1);
        for second in 0..100 {
            people.active(ANN, start + Duration::from_secs(second));
        }
        assert!(people.inner().dirty.is_empty());
    }
}
