//! Permissions: rights that modules declare. What an account holds is the community's to say.

use std::fmt;

/// What a permission is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// The whole installation.
    Server,
    /// A space.
    Space,
    /// A room, or a direct conversation.
    Room,
}

/// Who holds a permission while nobody has said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// Everybody who belongs to the scope.
    Members,
    /// Who owns the space; in a direct conversation nobody.
    Owners,
    /// Who runs the server.
    Host,
}

/// A right that a module introduces. Declared once, as a `static`, and compared by its name.
pub struct Permission {
    /// `module.right`, such as `chat.post`.
    pub name: &'static str,
    /// What it is asked for.
    pub scope: ScopeKind,
    /// Who holds it by default.
    pub held_by: HeldBy,
    /// Whether it changes a room, so that nobody may while the room is archived.
    pub refused_when_archived: bool,
    /// What it lets somebody do, in one sentence.
    pub about: &'static str,
}

impl PartialEq for Permission {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
