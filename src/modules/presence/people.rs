//! The presence state machine: each account's state and when it changes. The time is passed in.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout_at;

use crate::base::ids::AccountId;

/// How long an account is still present after its last socket closed: covers a reload or a change
/// of network.
const AWAY_TIMEOUT: Duration = Duration::from_secs(3);

/// The state that others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Connected and active within the idle timeout.
    Here,
    /// Connected, but not active within the idle timeout.
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
    /// Last activity on any device.
    active_at: Instant,
    /// When the last socket closed.
    closed_at: Instant,
    /// The state that was last published.
    published: State,
}

impl Person {
    fn state(&self, now: Instant, idle_after: Duration) -> State {
        if self.sockets == 0 && now.saturating_duration_since(self.closed_at) >= AWAY_TIMEOUT {
            State::Away
        } else if now.saturating_duration_since(self.active_at) >= idle_after {
            State::Idle
        } else {
            State::Here
        }
    }

    /// When the state changes next without further events.
    fn next_change(&self, now: Instant, idle_after: Duration) -> Option<Instant> {
        let away = (self.sockets == 0).then(|| self.closed_at + AWAY_TIMEOUT);
        let idle = Some(self.active_at + idle_after).filter(|at| *at > now);
        [away, idle].into_iter().flatten().min()
    }
}

/// Every account that is not away, or was last published as such.
pub(super) struct People {
    idle_after: Duration,
    inner: Mutex<Inner>,
    dirtied: Notify,
}

#[derive(Default)]
struct Inner {
    people: HashMap<AccountId, Person>,
    /// Accounts whose state may differ from the published one.
    dirty: BTreeSet<AccountId>,
}

impl People {
    pub(super) fn new(idle_after: Duration) -> Self {
        Self {
            idle_after,
            inner: Mutex::default(),
            dirtied: Notify::new(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records how many sockets an account has open.
    pub(super) fn set_sockets(&self, account: AccountId, open: usize, now: Instant) {
        let mut inner = self.inner();
        if open == 0 && !inner.people.contains_key(&account) {
            return;
        }
        let person = inner.people.entry(account).or_insert(Person {
            sockets: 0,
            active_at: now,
            closed_at: now,
            published: State::Away,
        });
        if open > person.sockets {
            person.active_at = now; // opening a page is activity
        } else if open == 0 && person.sockets > 0 {
            person.closed_at = now;
        }
        person.sockets = open;
        inner.dirty.insert(account);
        self.dirtied.notify_one();
    }

    /// Records that an account was active.
    pub(super) fn mark_active(&self, account: AccountId, now: Instant) {
        let mut inner = self.inner();
        if let Some(person) = inner.people.get_mut(&account) {
            person.active_at = now;
            if person.published == State::Idle {
                inner.dirty.insert(account);
                self.dirtied.notify_one();
            }
        }
    }

    /// The last published state of an account. Pages show this and not the current state: a visit
    /// shorter than one batch is never published, so no event would invalidate a page that showed
    /// it.
    pub(super) fn state(&self, account: AccountId) -> State {
        let inner = self.inner();
        inner
            .people
            .get(&account)
            .map_or(State::Away, |person| person.published)
    }

    /// Every account that is tracked.
    pub(super) fn known(&self) -> Vec<AccountId> {
        self.inner().people.keys().copied().collect()
    }

    /// Takes the changed states, to be published, and drops accounts that are away.
    pub(super) fn take_changes(&self, now: Instant) -> Vec<(AccountId, State)> {
        let mut inner = self.inner();
        let Inner { people, dirty } = &mut *inner;
        let mut changes = Vec::new();
        for account in std::mem::take(dirty) {
            let Some(person) = people.get_mut(&account) else {
                continue;
            };
            let state = person.state(now, self.idle_after);
            if state != person.published {
                person.published = state;
                changes.push((account, state));
            }
            if state == State::Away {
                people.remove(&account);
            }
        }
        changes
    }

    /// Waits until some state may have changed.
    pub(super) async fn wait_for_change(&self) {
        loop {
            let next = {
                let mut inner = self.inner();
                let now = Instant::now();
                let Inner { people, dirty } = &mut *inner;
                // A change that is only due to time marks its account as dirty here: no event does.
                for (account, person) in people.iter() {
                    if person.state(now, self.idle_after) != person.published {
                        dirty.insert(*account);
                    }
                }
                if !dirty.is_empty() {
                    return;
                }
                people
                    .values()
                    .filter_map(|person| person.next_change(now, self.idle_after))
                    .min()
            };
            match next {
                Some(at) => drop(timeout_at(at.into(), self.dirtied.notified()).await),
                None => self.dirtied.notified().await,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: AccountId = AccountId(1);
    const FIVE_MINUTES: Duration = Duration::from_secs(300);

    fn published(people: &People, at: Instant) -> Vec<State> {
        people.inner().dirty.insert(ANN);
        people
            .take_changes(at)
            .into_iter()
            .map(|(_, state)| state)
            .collect()
    }

    #[test]
    fn unpublished_visit_is_shown_nowhere() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.set_sockets(ANN, 1, start);
        people.set_sockets(ANN, 0, start);
        assert_eq!(people.state(ANN), State::Away);
        assert_eq!(published(&people, start + AWAY_TIMEOUT), []);
        people.set_sockets(ANN, 1, start + AWAY_TIMEOUT);
        assert_eq!(published(&people, start + AWAY_TIMEOUT), [State::Here]);
        assert_eq!(people.state(ANN), State::Here);
    }

    #[test]
    fn account_with_two_tabs_has_one_state() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.set_sockets(ANN, 1, start);
        people.set_sockets(ANN, 2, start);
        assert_eq!(published(&people, start), [State::Here]);
        people.set_sockets(ANN, 1, start);
        assert_eq!(published(&people, start + AWAY_TIMEOUT), []);
        people.set_sockets(ANN, 0, start);
        assert_eq!(published(&people, start), [], "a reload is not published");
        assert_eq!(published(&people, start + AWAY_TIMEOUT), [State::Away]);
    }

    #[test]
    fn account_becomes_idle_and_back_on_activity() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.set_sockets(ANN, 1, start);
        assert_eq!(published(&people, start), [State::Here]);
        assert_eq!(published(&people, start + FIVE_MINUTES), [State::Idle]);
        people.mark_active(ANN, start + FIVE_MINUTES);
        assert_eq!(published(&people, start + FIVE_MINUTES), [State::Here]);
    }

    #[test]
    fn activity_without_change_marks_nothing_dirty() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.set_sockets(ANN, 1, start);
        assert_eq!(people.take_changes(start).len(), 1);
        for second in 0..100 {
            people.mark_active(ANN, start + Duration::from_secs(second));
        }
        assert!(people.inner().dirty.is_empty());
    }
}
