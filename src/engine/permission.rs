//! Permissions, as modules declare them. The community decides which account holds which.

use std::fmt;

/// The kind of scope in which a permission is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// The whole installation.
    Server,
    /// A space. Rooms neither allow nor deny it.
    Space,
    /// A room, or a direct conversation. Its space decides, unless the room itself allows or denies
    /// it.
    Room,
}

/// Who holds a permission by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBy {
    /// All members of the scope.
    Members,
    /// The role of moderators, which every space begins with, and the owners; nobody in a direct
    /// conversation.
    Moderators,
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
    /// Who holds it unless a space configures otherwise.
    pub held_by: HeldBy,
    /// Whether it is for adding to a room: refused while the room is archived or read-only, and in
    /// announcement rooms held only by those to whom the room allows it.
    pub adds_content: bool,
    /// One sentence: what it allows. Pages show the message `permission-<module>-<right>` of the
    /// catalogue where there is one.
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
