//! A terminal that this instance has: what its sharer sent, who watches, and what they typed.
//! Sockets are elsewhere (`sharing.rs`, `watching.rs`, `relay.rs`): they ask for the next thing to
//! send, and wait for changes.

mod delay;
mod files;
mod registry;
mod sharer;
mod watchers;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::core::{Signal, Size, Terminal};
use super::guest_links::GuestLinkId;
use super::hello::Status;
use super::input::InputQueue;
use super::model::{Role, Roles, Summary, TerminalId, TerminalRow};
use super::recorder::Recorder;
use super::tokens::Bearer;
use crate::base::clock::Micros;
use crate::base::ids::{AccountId, RoomId};
use crate::engine::viewer::Viewer;
use delay::SharerDelay;
pub(super) use files::ForSharer;
use files::Outbox;
pub(super) use registry::OpenTerminals;
pub(super) use watchers::{Begin, ForWatcher, Typed, WatcherState};

/// Who watch one terminal at once, on all instances.
pub(super) const MAX_WATCHERS: usize = 200;

/// Who watch one terminal by links at once, on one instance.
pub(super) const MAX_GUESTS: usize = 50;

/// Why a watcher or a sharer is sent away, as close codes of their sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The right to be here was lost, or the session.
    Refused,
    /// The sharer came back on another connection or instance.
    Elsewhere,
    /// The host or a moderator ended it, or it ended by itself.
    Over,
    /// What was sent is no message of a terminal.
    Malformed,
    /// The server cannot do it now.
    Unavailable,
}

impl Ended {
    /// The close code. After 1012 and 1013 one comes back.
    pub(super) fn code(self) -> u16 {
        match self {
            Self::Refused => 4403,
            Self::Elsewhere => 1012,
            Self::Over => 4410,
            Self::Malformed => 1008,
            Self::Unavailable => 1013,
        }
    }
}

/// Who watches.
#[derive(Clone, Debug)]
pub(super) enum Who {
    /// A member of the room.
    Member(Viewer),
    /// Somebody without an account, by a link.
    Guest(GuestLinkId),
}

impl Who {
    pub(super) fn account(&self) -> Option<AccountId> {
        match self {
            Self::Member(viewer) => Some(viewer.account),
            Self::Guest(_) => None,
        }
    }
}

/// Somebody who watches.
struct Watcher {
    who: Who,
    /// Whether they have the permission to type in the room, which typists need, too.
    has_type: bool,
    ended: Option<Ended>,
}

/// The connection of a sharer, or the shell of this server that takes its place.
struct Sharer {
    link: u64,
    /// `None` for a shell.
    bearer: Option<Bearer>,
}

struct State {
    terminal: Terminal,
    roles: Roles,
    watchers: HashMap<u64, Watcher>,
    next_link: u64,
    sharer: Option<Sharer>,
    /// Since when there is no sharer.
    away_since: Option<Instant>,
    /// Why the terminal is over, once it is.
    over: Option<Ended>,
    input: InputQueue,
    sharer_delay: SharerDelay,
    outbox: Outbox,
    /// Bytes typed since this was last taken, by account.
    typed: HashMap<AccountId, u64>,
    recorder: Option<Recorder>,
    status: Status,
    /// Since when who holds the baton has not been here.
    holder_absent: Option<Instant>,
    /// When the command of a shell began that runs (OSC 133).
    command_since: Option<Instant>,
}

/// A command of a shell that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EndedCommand {
    pub(super) time: Duration,
    /// If the shell says so.
    pub(super) code: Option<i32>,
}

/// A terminal that this instance has.
pub(super) struct OpenTerminal {
    pub(super) id: TerminalId,
    pub(super) room: RoomId,
    pub(super) host: AccountId,
    pub(super) started_at: Micros,
    /// As the sharer called it.
    pub(super) title: String,
    /// Whether its program runs on this server.
    pub(super) is_shell: bool,
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

impl State {
    /// Whether the keys of somebody who watches reach the program. Its host is on their own machine
    /// and needs no permission.
    fn may_type(&self, watcher: &Watcher) -> bool {
        let Some(account) = watcher.who.account() else {
            return false;
        };
        self.roles.may_type(account) && (watcher.has_type || self.roles.of(account) == Role::Host)
    }

    /// Drops what waits of those who may not type any more. Who has gone since may, by their role.
    fn drop_refused_input(&mut self) {
        let (roles, watchers) = (&self.roles, &self.watchers);
        self.input.keep_only(|account| {
            let mut here = watchers.values();
            let lost = here.any(|one| one.who.account() == Some(account) && !one.has_type);
            roles.may_type(account) && (!lost || roles.of(account) == Role::Host)
        });
    }

    fn take_ended_commands(&mut self) -> Vec<EndedCommand> {
        let mut ended = Vec::new();
        for signal in self.terminal.take_signals() {
            match signal {
                Signal::CommandStarted => self.command_since = Some(Instant::now()),
                Signal::CommandEnded(code) => {
                    let since = self.command_since.take();
                    ended.extend(since.map(|since| EndedCommand {
                        time: since.elapsed(),
                        code,
                    }));
                }
                Signal::Titled | Signal::Bell | Signal::Folder(_) | Signal::Prompt => {}
            }
        }
        ended
    }
}

impl OpenTerminal {
    pub(super) fn new(
        row: &TerminalRow,
        size: Size,
        roles: Roles,
        recorder: Option<Recorder>,
    ) -> Arc<Self> {
        let state = State {
            terminal: Terminal::new(size),
            roles,
            watchers: HashMap::new(),
            next_link: 1,
            sharer: None,
            away_since: Some(Instant::now()),
            over: None,
            input: InputQueue::default(),
            sharer_delay: SharerDelay::default(),
            outbox: Outbox::default(),
            typed: HashMap::new(),
            recorder,
            status: Status::default(),
            holder_absent: None,
            command_since: None,
        };
        Arc::new(Self {
            id: row.id,
            room: row.room,
            host: row.host,
            started_at: row.started_at,
            title: row.title.clone(),
            is_shell: row.is_shell,
            state: Mutex::new(state),
            changed: watch::Sender::new(0),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes it, and wakes everybody who waits.
    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state());
        self.changed.send_modify(|version| *version += 1);
        changed
    }

    /// Waits for changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Reads something of the terminal.
    pub(super) fn read<T>(&self, read: impl FnOnce(&Terminal) -> T) -> T {
        read(&self.state().terminal)
    }

    /// It is over: everybody is sent away.
    pub(super) fn close(&self, why: Ended) {
        self.change(|state| {
            state.over.get_or_insert(why);
        });
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        self.state().over.is_some()
    }

    /// Sets who is what. What waits of those who may not type any more is dropped.
    pub(super) fn set_roles(&self, roles: Roles) {
        if self.state().roles != roles {
            self.change(|state| {
                state.roles = roles;
                state.holder_absent = None;
                state.drop_refused_input();
            });
        }
    }

    /// Takes how much was typed, by whom.
    pub(super) fn take_typed(&self) -> HashMap<AccountId, u64> {
        std::mem::take(&mut self.state().typed)
    }

    /// Stops the recording, which was deleted.
    pub(super) fn stop_recording(&self) {
        self.state().recorder = None;
    }

    /// Takes a part of the recording, if there is one to be stored.
    pub(super) fn take_recorded(&self, is_last: bool) -> Option<(i64, String)> {
        self.state().recorder.as_mut()?.take(is_last)
    }

    /// Notes what the sharer tells of the program.
    pub(super) fn set_status(&self, status: Status) {
        if self.state().status != status {
            self.change(|state| state.status = status);
        }
    }

    /// What others see of it.
    pub(super) fn summary(&self) -> Summary {
        let state = self.state();
        let mut watchers: Vec<AccountId> = state
            .watchers
            .values()
            .filter_map(|one| one.who.account())
            .collect();
        let is_guest = |one: &&Watcher| one.who.account().is_none();
        let guests = state.watchers.values().filter(is_guest).count();
        watchers.sort_unstable();
        watchers.dedup();
        Summary {
            watchers,
            guests,
            title: state.terminal.title().to_owned(),
            away: state.sharer.is_none() && state.terminal.exit().is_none(),
            status: state.status.clone(),
            ..Summary::of_size(state.terminal.size())
        }
    }
}
