//! The presence state machine: each account's state and when it changes. The time is passed in.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::timeout_at;

use crate::base::ids::AccountId;
use crate::community::PresenceChoice;

/// How long an account is still present after its last socket closed: covers a reload or a change
/// of network.
const AWAY_TIMEOUT: Duration = Duration::from_secs(3);
/// After which the people of an instance that tells nothing are gone: twice the interval at which
/// it tells all of them, and time to come back elsewhere.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(12);
/// Instances whose people are remembered.
const MAX_INSTANCES: usize = 1_024;

/// The state that others see. Of several devices, or instances, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not connected.
    Away,
    /// Connected, but not active within the idle timeout.
    Idle,
    /// Connected and active within the idle timeout.
    Here,
    /// Connected, and not to be disturbed. No instance tells this of its sockets.
    Busy,
}

impl State {
    /// The state that others see of somebody who chose how to be seen.
    fn seen_as(self, choice: PresenceChoice) -> Self {
        match choice {
            PresenceChoice::Invisible => Self::Away,
            PresenceChoice::Busy if self != Self::Away => Self::Busy,
            _ => self,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Idle => "idle",
            Self::Away => "away",
            Self::Busy => "busy",
        }
    }
}

struct Person {
    sockets: usize,
    /// Last activity on any device.
    active_at: Instant,
    /// When the last socket closed.
    closed_at: Instant,
    /// The state by the sockets of this instance that other instances were told.
    told: State,
    /// The state that was last published.
    published: State,
    /// When what others see changes by itself: a choice of presence or a status ends.
    ends_at: Option<Instant>,
}

impl Person {
    /// Somebody without a socket on this instance.
    fn away(now: Instant) -> Self {
        Self {
            sockets: 0,
            active_at: now,
            closed_at: now.checked_sub(AWAY_TIMEOUT).unwrap_or(now),
            told: State::Away,
            published: State::Away,
            ends_at: None,
        }
    }

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
        [away, idle, self.ends_at].into_iter().flatten().min()
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
    /// Those of them that are published in any case: they have another status.
    touched: BTreeSet<AccountId>,
    /// What other instances have told, by the name of the instance.
    remote: HashMap<String, RemotePeople>,
}

/// The people of another instance.
struct RemotePeople {
    states: HashMap<AccountId, State>,
    heard_at: Instant,
}

impl Inner {
    /// The state by the sockets of other instances.
    fn remote_state(&self, account: AccountId) -> State {
        let states = self.remote.values();
        let states = states.filter_map(|people| people.states.get(&account));
        states.copied().max().unwrap_or(State::Away)
    }
}

/// How an account chose to be seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen {
    pub(super) account: AccountId,
    pub(super) choice: PresenceChoice,
    /// When that, or the account's status, ends.
    pub(super) ends_at: Option<Instant>,
}

/// What changed.
#[derive(Default)]
pub(super) struct Changes {
    /// Accounts with their new states, to be published.
    pub(super) published: Vec<(AccountId, State)>,
    /// States by the sockets of this instance, for other instances.
    pub(super) told: Vec<(AccountId, State)>,
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
            told: State::Away,
            published: State::Away,
            ends_at: None,
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

    /// Whether an account has sockets on other instances, where its activity counts, too.
    pub(super) fn is_elsewhere(&self, account: AccountId) -> bool {
        self.inner().remote_state(account) != State::Away
    }

    /// Records that an account was active.
    pub(super) fn mark_active(&self, account: AccountId, now: Instant) {
        let mut inner = self.inner();
        if let Some(person) = inner.people.get_mut(&account) {
            person.active_at = now;
            if person.told == State::Idle {
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

    /// The last published states, of all that are not away.
    pub(super) fn states(&self) -> HashMap<AccountId, State> {
        let inner = self.inner();
        let states = inner.people.iter();
        let states = states.map(|(account, person)| (*account, person.published));
        states.filter(|(_, state)| *state != State::Away).collect()
    }

    /// Every account that is tracked.
    pub(super) fn known(&self) -> Vec<AccountId> {
        self.inner().people.keys().copied().collect()
    }

    /// Publishes an account although its state is as before.
    pub(super) fn touch(&self, account: AccountId) {
        let mut inner = self.inner();
        inner.dirty.insert(account);
        inner.touched.insert(account);
        self.dirtied.notify_one();
    }

    /// The accounts whose state may have changed.
    pub(super) fn dirty(&self) -> Vec<AccountId> {
        self.inner().dirty.iter().copied().collect()
    }

    /// Takes the changed states of these accounts, to be published, and drops accounts that are
    /// away. With each comes how it chose to be seen, and when that or its status ends.
    pub(super) fn take_changes(&self, accounts: &[Chosen], now: Instant) -> Changes {
        let mut inner = self.inner();
        let mut changes = Changes::default();
        for chosen in accounts {
            let account = chosen.account;
            inner.dirty.remove(&account);
            let is_touched = inner.touched.remove(&account);
            let remote = inner.remote_state(account);
            let person = inner.people.entry(account).or_insert(Person::away(now));
            person.ends_at = chosen.ends_at;
            let local = person.state(now, self.idle_after);
            if local != person.told {
                person.told = local;
                changes.told.push((account, local));
            }
            let real = local.max(remote);
            let state = real.seen_as(chosen.choice);
            if state != person.published || is_touched {
                person.published = state;
                changes.published.push((account, state));
            }
            if real == State::Away {
                inner.people.remove(&account);
            }
        }
        changes
    }

    /// The states by the sockets of this instance, of all that are not away.
    pub(super) fn told(&self) -> Vec<(AccountId, State)> {
        let inner = self.inner();
        let told = inner
            .people
            .iter()
            .map(|(account, person)| (*account, person.told));
        told.filter(|(_, state)| *state != State::Away).collect()
    }

    /// Notes what another instance tells: `is_first` with the first part of all its people, whom
    /// others have left then.
    pub(super) fn hear(
        &self,
        instance: &str,
        is_first: bool,
        states: &[(AccountId, State)],
        now: Instant,
    ) {
        let mut inner = self.inner();
        let Inner { dirty, remote, .. } = &mut *inner;
        if !remote.contains_key(instance) && remote.len() >= MAX_INSTANCES {
            return;
        }
        let people = remote.entry(instance.to_owned()).or_insert(RemotePeople {
            states: HashMap::new(),
            heard_at: now,
        });
        people.heard_at = now;
        if is_first {
            dirty.extend(std::mem::take(&mut people.states).into_keys());
        }
        for (account, state) in states {
            let before = match state {
                State::Away => people.states.remove(account),
                state => people.states.insert(*account, *state),
            };
            if before.unwrap_or(State::Away) != *state {
                dirty.insert(*account);
            }
        }
        if !dirty.is_empty() {
            self.dirtied.notify_one();
        }
    }

    /// Forgets the people of instances that have told nothing for [`REMOTE_TIMEOUT`].
    pub(super) fn forget_silent(&self, now: Instant) {
        let mut inner = self.inner();
        let is_silent = |_: &String, people: &mut RemotePeople| {
            now.saturating_duration_since(people.heard_at) > REMOTE_TIMEOUT
        };
        let gone: Vec<_> = inner.remote.extract_if(is_silent).collect();
        for (_, people) in gone {
            inner.dirty.extend(people.states.into_keys());
            self.dirtied.notify_one();
        }
    }

    /// Waits until some state may have changed.
    pub(super) async fn wait_for_change(&self) {
        loop {
            let next = {
                let mut inner = self.inner();
                let now = Instant::now();
                let Inner { people, dirty, .. } = &mut *inner;
                // A change that is only due to time marks its account as dirty here: no event does.
                for (account, person) in people.iter() {
                    let has_ended = person.ends_at.is_some_and(|at| at <= now);
                    if has_ended || person.state(now, self.idle_after) != person.told {
                        dirty.insert(*account);
                    }
                }
                if !dirty.is_empty() {
                    return;
                }
                people
                    .values()
                    .filter(|person| person.told != State::Away || person.ends_at.is_some())
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

    fn chosen(people: &People, choice: PresenceChoice) -> Vec<Chosen> {
        let dirty = people.dirty().into_iter();
        let chosen = |account| Chosen {
            account,
            choice,
            ends_at: None,
        };
        dirty.map(chosen).collect()
    }

    fn published(people: &People, at: Instant) -> Vec<State> {
        published_as(people, PresenceChoice::Automatic, at)
    }

    fn published_as(people: &People, choice: PresenceChoice, at: Instant) -> Vec<State> {
        people.inner().dirty.insert(ANN);
        people
            .take_changes(&chosen(people, choice), at)
            .published
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
    fn account_of_two_instances_has_one_state() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.set_sockets(ANN, 1, start);
        assert_eq!(published(&people, start), [State::Here]);
        people.hear("other", true, &[(ANN, State::Here)], start);
        people.set_sockets(ANN, 0, start);
        assert_eq!(published(&people, start + AWAY_TIMEOUT), []);
        people.hear("other", false, &[(ANN, State::Idle)], start);
        assert_eq!(published(&people, start + AWAY_TIMEOUT), [State::Idle]);
        let later = start + REMOTE_TIMEOUT + Duration::from_millis(1);
        people.forget_silent(later);
        assert_eq!(published(&people, later), [State::Away]);
    }

    #[test]
    fn first_part_replaces_what_an_instance_told() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.hear("other", true, &[(ANN, State::Here)], start);
        assert_eq!(published(&people, start), [State::Here]);
        people.hear("other", true, &[(AccountId(2), State::Here)], start);
        assert_eq!(
            people
                .take_changes(&chosen(&people, PresenceChoice::Automatic), start)
                .published
                .len(),
            2
        );
        assert_eq!(people.state(ANN), State::Away);
    }

    #[test]
    fn activity_without_change_marks_nothing_dirty() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.set_sockets(ANN, 1, start);
        assert_eq!(
            people
                .take_changes(&chosen(&people, PresenceChoice::Automatic), start)
                .published
                .len(),
            1
        );
        for second in 0..100 {
            people.mark_active(ANN, start + Duration::from_secs(second));
        }
        assert!(people.inner().dirty.is_empty());
    }

    #[test]
    fn choice_hides_state_and_keeps_it() {
        let (people, start) = (People::new(FIVE_MINUTES), Instant::now());
        people.set_sockets(ANN, 1, start);
        let seen = |choice| published_as(&people, choice, start);
        assert_eq!(seen(PresenceChoice::Invisible), [], "never shown as here");
        assert_eq!(seen(PresenceChoice::Busy), [State::Busy]);
        assert_eq!(seen(PresenceChoice::Automatic), [State::Here]);
        assert_eq!(seen(PresenceChoice::Invisible), [State::Away]);
        assert_eq!(seen(PresenceChoice::Automatic), [State::Here]);
        people.set_sockets(ANN, 0, start);
        let later = start + AWAY_TIMEOUT;
        assert_eq!(
            published_as(&people, PresenceChoice::Busy, later),
            [State::Away]
        );
    }
}
