//! Permissions, as modules declare them. The community decides which account holds which.

use std::fmt;

/// The kind of scope in which a permission is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// The whole installation.
    Server,
    /// A space.
    Space,
    /// A room, or a direct conversation.
    Room,
}

/// Who holds a permission by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// All members of the scope.
    Members,
    /// The owners of the space; nobody in a direct conversation.
    Owners,
    /// The accounts that run the server.
    Host,
}

/// A permission. Declared once, as a `static`, and compared by its name.
pub struct Permission {
    /// `module.right`, such as `chat.post`.
    pub name: &'static str,
    /// The kind of scope in which it is held.
    pub scope: ScopeKind,
    /// Who holds it unless the community configures otherwise.
    pub held_by: HeldBy,
    /// Whether it is for changing a room: nobody holds it while the room is archived.
    pub refused_when_archived: bool,
    /// One sentence: what it allows.
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
