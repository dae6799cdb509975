//! The nouns of terminals.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::core::Size;
use super::hello::Status;
use crate::base::clock::Micros;
use crate::base::ids::{AccountId, RoomId};
use crate::id;

id!(
    /// A terminal that a member shares in a room.
    TerminalId
);

/// What somebody may do in a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Watches.
    #[default]
    Viewer,
    /// Watches and types.
    Typist,
    /// The sharer: types, and decides who else does.
    Host,
    /// Neither watches nor types: the host or a moderator has removed them.
    Removed,
}

impl Role {
    /// The name in the database.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Typist => "typist",
            Self::Host => "host",
            Self::Removed => "removed",
        }
    }

    /// By its name; a viewer for any other.
    pub(super) fn from_name(name: &str) -> Self {
        match name {
            "typist" => Self::Typist,
            "removed" => Self::Removed,
            _ => Self::Viewer,
        }
    }
}

/// What is stored of somebody in a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) role: Role,
    pub(super) raised_hand: bool,
    /// Bytes that they have typed.
    pub(super) typed: i64,
}

/// Who is what in a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Roles {
    pub(super) host: AccountId,
    /// Nobody but the host types.
    pub(super) locked: bool,
    /// Whether the sharer takes input of others at all.
    pub(super) takes_input: bool,
    /// Whether only the holder of the baton types, who may be nobody.
    pub(super) one_at_a_time: bool,
    pub(super) baton: Option<AccountId>,
    pub(super) people: HashMap<AccountId, Standing>,
}

impl Roles {
    /// What somebody is.
    pub(super) fn of(&self, account: AccountId) -> Role {
        match account == self.host {
            true => Role::Host,
            false => self.standing(account).role,
        }
    }

    /// What is stored of somebody.
    pub(super) fn standing(&self, account: AccountId) -> Standing {
        self.people.get(&account).copied().unwrap_or_default()
    }

    /// Whether it is somebody's turn.
    pub(super) fn has_turn(&self, account: AccountId) -> bool {
        !self.one_at_a_time || self.baton == Some(account)
    }

    /// Whether somebody's keys reach the program.
    pub(super) fn may_type(&self, account: AccountId) -> bool {
        self.takes_input
            && self.has_turn(account)
            && match self.of(account) {
                Role::Host => true,
                Role::Typist => !self.locked,
                Role::Viewer | Role::Removed => false,
            }
    }
}

/// A terminal, as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(super) struct TerminalRow {
    pub(super) id: TerminalId,
    #[sqlx(rename = "room_id")]
    pub(super) room: RoomId,
    /// Who shares it, or opened it.
    #[sqlx(rename = "account_id")]
    pub(super) host: AccountId,
    /// As the sharer called it.
    pub(super) title: String,
    /// What runs in it.
    pub(super) command: String,
    pub(super) started_at: Micros,
    pub(super) ended_at: Option<Micros>,
    /// `None` when it is not known.
    pub(super) exit_code: Option<i64>,
    pub(super) locked: bool,
    pub(super) takes_input: bool,
    pub(super) recorded: bool,
    /// Whether its program runs on the server.
    pub(super) is_shell: bool,
    /// Whether only the holder of the baton types.
    pub(super) one_at_a_time: bool,
    #[sqlx(rename = "baton_account_id")]
    pub(super) baton: Option<AccountId>,
    /// Whether the sharer can be asked for files of others.
    pub(super) takes_files: bool,
    /// The instance that has it.
    pub(super) instance: String,
}

/// What of a terminal others see beside its screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Who watches, each once.
    pub watchers: Vec<AccountId>,
    /// How many watch by links.
    #[serde(default)]
    pub guests: usize,
    /// The title that the program has set; may be empty.
    pub title: String,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// Whether the sharer's connection is lost.
    pub away: bool,
    /// What the sharer tells of the program.
    #[serde(default)]
    pub status: Status,
}

impl Summary {
    pub(super) fn of_size(size: Size) -> Self {
        Self {
            watchers: Vec::new(),
            guests: 0,
            title: String::new(),
            cols: size.cols,
            rows: size.rows,
            away: false,
            status: Status::default(),
        }
    }

    /// The title that the program has set, or another.
    pub(super) fn title_or<'a>(&'a self, other: &'a str) -> &'a str {
        match self.title.is_empty() {
            true => other,
            false => &self.title,
        }
    }
}
