//! Who watches a terminal that this instance has: what they may see next, and what they type.

use serde::Serialize;

use super::{Ended, MAX_WATCHERS, OpenTerminal, Watcher};
use crate::engine::viewer::Viewer;
use crate::modules::terminals::core::{Cursor, Frame};
use crate::modules::terminals::model::Role;

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
    away: bool,
    title: String,
    lost: u64,
}

/// The next thing for a watcher.
pub(in crate::modules::terminals) enum ForWatcher {
    Frame(Frame),
    State(WatcherState),
    End(Ended),
}

impl OpenTerminal {
    /// Adds a watcher, unless they were removed or there are too many.
    pub(in crate::modules::terminals) fn add_watcher(&self, viewer: Viewer) -> Option<u64> {
        self.change(|state| {
            let is_removed = state.roles.of(viewer.account) == Role::Removed;
            if is_removed || state.watchers.len() >= MAX_WATCHERS {
                return None;
            }
            state.next_link += 1;
            let watcher = Watcher {
                viewer,
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
    pub(in crate::modules::terminals) fn watchers(&self) -> Vec<(u64, Viewer)> {
        let state = self.state();
        let watchers = state.watchers.iter();
        watchers
            .map(|(number, watcher)| (*number, watcher.viewer.clone()))
            .collect()
    }

    /// A cursor that goes on at a position.
    pub(in crate::modules::terminals) fn resume(&self, position: Option<u64>) -> Cursor {
        position.map_or(Cursor::NEW, |position| {
            self.state().terminal.resume(position)
        })
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
        let Some(Watcher { viewer, ended }) = state.watchers.get(&watcher) else {
            return Some(ForWatcher::End(Ended::Refused));
        };
        let account = viewer.account;
        let role = state.roles.of(account);
        if ended.is_some() || role == Role::Removed {
            return Some(ForWatcher::End(ended.unwrap_or(Ended::Refused)));
        }
        let standing = state.roles.standing(account);
        let now = WatcherState {
            role,
            may_type: state.roles.may_type(account),
            raised_hand: standing.raised_hand,
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
        let Some(account) = state.watchers.get(&watcher).map(|one| one.viewer.account) else {
            return Typed::Refused;
        };
        let is_running = state.terminal.exit().is_none() && state.over.is_none();
        if !is_running || !state.roles.may_type(account) {
            return Typed::Refused;
        }
        if !state.input.push(bytes) {
            return Typed::Later;
        }
        *state.typed.entry(account).or_default() += bytes.len() as u64;
        drop(state);
        self.changed.send_modify(|version| *version += 1);
        Typed::Done
    }
}
