//! The form fields of a room, validated before anything is read or written.

use serde_json::{Value, json};

use super::names::check_name;
use super::standing::{RoleId, RoomKind};
use crate::base::error::{Check, Result};
use crate::base::ids::AccountId;
use crate::base::text::{check_short_text, normalize_optional_line};

/// Graphemes of a room's description.
pub(super) const MAX_ABOUT_CHARS: usize = 200;

/// The form fields of a room.
#[derive(Clone, Debug)]
pub(super) struct RoomForm {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) private: bool,
    pub(super) members: Vec<AccountId>,
    pub(super) kind: RoomKind,
    pub(super) read_only: bool,
    /// The roles that read it when it is private: of those below the one who says so.
    pub(super) roles: Vec<RoleId>,
}

impl RoomForm {
    /// What the log says of it.
    pub(super) fn recorded(&self) -> Value {
        settings(
            (&self.name, &self.about),
            self.private,
            self.kind,
            self.read_only,
        )
    }

    /// The room's own members: none for a public room; a private one always has its creator.
    pub(super) fn members(&self, by: AccountId) -> Vec<AccountId> {
        if !self.private {
            return Vec::new();
        }
        let mut members = [self.members.as_slice(), &[by]].concat();
        members.sort_unstable();
        members.dedup();
        members
    }

    /// Normalizes the fields.
    ///
    /// # Errors
    /// `Invalid` for a name or description that is missing or too long.
    pub(super) fn check(&mut self) -> Result<()> {
        let mut check = Check::default();
        self.name = check_name(&self.name, "name", &mut check);
        self.about = normalize_optional_line(&self.about);
        check_short_text(&self.about, "about", MAX_ABOUT_CHARS, &mut check);
        check.done()
    }
}

/// What the log says of a room's settings; of a private one only that it is.
pub(super) fn settings(
    (name, about): (&str, &str),
    private: bool,
    kind: RoomKind,
    read_only: bool,
) -> Value {
    // Words, which the log shows as they are.
    let seen = if private { "private" } else { "public" };
    let taken = if read_only { "read-only" } else { "open" };
    let mut said = json!({ "kind": kind.as_str(), "seen": seen, "taken": taken });
    if !private {
        said["name"] = name.into();
        said["topic"] = about.into();
    }
    said
}
