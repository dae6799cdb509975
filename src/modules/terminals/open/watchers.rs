//! Who watches a terminal that this instance has: what they may see next, and what they type.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Ended, MAX_WATCHERS, OpenTerminal, Watcher, Who};
use crate::base::ids::AccountId;
use crate::modules::terminals::core::{Cursor, Frame};
use crate::modules::terminals::model::Role;

/// How long who holds the baton may be away: a page that is loaded again comes back sooner.
const HOLDER_GRACE: Duration = Duration::from_secs(5);

/// What became of what somebody typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::modules::terminals) enum Typed {
    Done,
    /// Too much waits: try again after the next change.
    Later,
    /// They may not type.
    Refused,
}

/// What a watcher is told of themself and of the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "type", rename = "state")]
pub(in crate::modules::terminals) struct WatcherState {
    role: Role,
    may_type: bool,
    raised_hand: bool,
    /// Somebody else has the baton, or nobody.
    waits: bool,
    away: bool,
    title: String,
    lost: u64,
}

/// Where somebody begins who watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::modules::terminals) enum Begin {
    /// With the screen.
    Screen,
    /// Where they were, as far as that is still in the log.
    Position(u64),
    /// With all output that is still in the log.
    Log,
}

/// The next thing for a watcher.
pub(in crate::modules::terminals) enum ForWatcher {
    Frame(Frame),
    State(WatcherState),
    End(Ended),
}

impl OpenTerminal {
    /// Adds a watcher, unless they were removed or there are too many. `has_type`: whether they
    /// have the permission to type in the room.
    pub(in crate::modules::terminals) fn add_watcher(
        &self,
        who: Who,
        has_type: bool,
    ) -> Option<u64> {
        self.change(|state| {
            let role = who.account().map(|account| state.roles.of(account));
            let is_removed = role == Some(Role::Removed);
            if is_removed || state.watchers.len() >= MAX_WATCHERS {
                return None;
            }
            state.next_link += 1;
            let watcher = Watcher {
                who,
                has_type,
                ended: None,
            };
            state.watchers.insert(state.next_link, watcher);
            Some(state.next_link)
        })
    }

    /// Takes a watcher out.
    pub(in crate::modules::terminals) fn remove_watcher(&self, watcher: u64) {
        self.change(|state| state.watchers.remove(&watcher));
    }

    /// A watcher has to go.
    pub(in crate::modules::terminals) fn end_watcher(&self, watcher: u64, why: Ended) {
        self.change(|state| {
            if let Some(watcher) = state.watchers.get_mut(&watcher) {
                watcher.ended = Some(why);
            }
        });
    }

    /// Everybody who watches.
    pub(in crate::modules::terminals) fn watchers(&self) -> Vec<(u64, Who)> {
        let state = self.state();
        let watchers = state.watchers.iter();
        watchers
            .map(|(number, watcher)| (*number, watcher.who.clone()))
            .collect()
    }

    /// Who watches and was let type.
    pub(in crate::modules::terminals) fn typists(&self) -> Vec<(u64, AccountId)> {
        let state = self.state();
        let watchers = state.watchers.iter();
        watchers
            .filter_map(|(number, watcher)| Some((*number, watcher.who.account()?)))
            .filter(|(_, account)| state.roles.of(*account) == Role::Typist)
            .collect()
    }

    /// Who holds the baton and has not been here for a while, or may not type any more.
    pub(in crate::modules::terminals) fn absent_holder(&self) -> Option<AccountId> {
        let mut state = self.state();
        let holder = state.roles.baton.filter(|_| state.roles.one_at_a_time);
        let is_here = holder.is_none_or(|holder| {
            let role = state.roles.of(holder);
            let mut watchers = state.watchers.values();
            watchers.any(|one| {
                one.who.account() == Some(holder)
                    && one.ended.is_none()
                    && (role == Role::Host || role == Role::Typist && one.has_type)
            })
        });
        if is_here {
            state.holder_absent = None;
            return None;
        }
        let since = *state.holder_absent.get_or_insert_with(Instant::now);
        holder.filter(|_| since.elapsed() >= HOLDER_GRACE)
    }

    /// Notes whether a watcher has the permission to type in the room.
    pub(in crate::modules::terminals) fn set_has_type(&self, watcher: u64, has_type: bool) {
        let is_other = |one: &Watcher| one.has_type != has_type;
        if !self.state().watchers.get(&watcher).is_some_and(is_other) {
            return;
        }
        self.change(|state| {
            if let Some(watcher) = state.watchers.get_mut(&watcher) {
                watcher.has_type = has_type;
            }
            state.drop_refused_input();
        });
    }

    /// A cursor that begins there.
    pub(in crate::modules::terminals) fn cursor(&self, begin: Begin) -> Cursor {
        match begin {
            Begin::Screen => Cursor::NEW,
            Begin::Position(position) => self.state().terminal.resume(position),
            Begin::Log => self.state().terminal.resume_at_start(),
        }
    }

    /// The next thing for a watcher, in the order in which they are to get it. Whether they may
    /// have it is asked here, for each.
    pub(in crate::modules::terminals) fn next_for(
        &self,
        watcher: u64,
        cursor: &mut Cursor,
        told: &mut Option<WatcherState>,
    ) -> Option<ForWatcher> {
        let state = self.state();
        let Some(here) = state.watchers.get(&watcher) else {
            return Some(ForWatcher::End(Ended::Refused));
        };
        let (account, ended) = (here.who.account(), here.ended);
        let role = account.map_or(Role::Viewer, |account| state.roles.of(account));
        if ended.is_some() || role == Role::Removed {
            return Some(ForWatcher::End(ended.unwrap_or(Ended::Refused)));
        }
        let standing = account.map(|account| state.roles.standing(account));
        let now = WatcherState {
            role,
            may_type: state.may_type(here),
            raised_hand: standing.is_some_and(|standing| standing.raised_hand),
            waits: account.is_some_and(|account| {
                matches!(role, Role::Host | Role::Typist) && !state.roles.has_turn(account)
            }),
            away: state.sharer.is_none() && state.terminal.exit().is_none(),
            title: state.terminal.title().to_owned(),
            lost: state.terminal.lost(),
        };
        if told.as_ref() != Some(&now) {
            *told = Some(now.clone());
            return Some(ForWatcher::State(now));
        }
        let frame = state.terminal.next(cursor).map(ForWatcher::Frame);
        frame.or_else(|| state.over.map(ForWatcher::End))
    }

    /// Has the program get what somebody typed, if they may type.
    pub(in crate::modules::terminals) fn type_in(&self, watcher: u64, bytes: &[u8]) -> Typed {
        let mut state = self.state();
        let Some(here) = state.watchers.get(&watcher) else {
            return Typed::Refused;
        };
        let (Some(account), may_type) = (here.who.account(), state.may_type(here)) else {
            return Typed::Refused;
        };
        let is_running = state.terminal.exit().is_none() && state.over.is_none();
        if !is_running || !may_type {
            return Typed::Refused;
        }
        if !state.input.push(account, bytes) {
            return Typed::Later;
        }
        *state.typed.entry(account).or_default() += bytes.len() as u64;
        drop(state);
        self.changed.send_modify(|version| *version += 1);
        Typed::Done
    }
}
