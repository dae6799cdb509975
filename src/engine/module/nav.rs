//! What modules add around pages: sections of the sidebar, panes, and CSS rules for one account.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::permission::Permission;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::Part;

/// A link in the sidebar.
#[derive(Clone, Debug)]
pub struct NavEntry {
    /// The link's target, a path on this server.
    pub href: String,
    /// The id of a symbol in `icons.svg`; in debug builds another one panics.
    pub icon: &'static str,
    /// Its text: a name that people chose, or a message in the viewer's language. The template
    /// escapes it.
    pub label: String,
    /// Whether there is something unread behind the link.
    pub unread: bool,
    /// How many unread messages behind the link mention the viewer; 100 stands for more, too.
    pub mentions: i64,
    /// The message key of what `mentions` counts, with `$count`.
    pub counts: &'static str,
    /// Whether what is unread behind the link does not mark it.
    pub is_muted: bool,
    /// Unique on the page: frames of the module change the elements `#unread-<key>` and
    /// `#mentions-<key>`.
    pub key: String,
}

impl NavEntry {
    /// Whether scripts keep its marks by what is unread in rooms: it is a room, or the list of
    /// threads.
    pub fn is_of_messages(&self) -> bool {
        self.key == "threads" || self.key.bytes().all(|byte| byte.is_ascii_digit())
    }
}

/// A section of the sidebar.
#[derive(Clone, Debug)]
pub struct NavSection {
    /// The message key of the heading; empty for a section without.
    pub heading: &'static str,
    /// A key that is unique on the page, and a name that people chose: it stands in place of the
    /// heading, and the section folds.
    pub named: Option<(String, String)>,
    /// Path and title (a message key) of the "add" link, for viewers who may add something.
    pub add: Option<(String, &'static str)>,
    /// In the order in which they are shown.
    pub entries: Vec<NavEntry>,
}

/// Creates a module's sections of the sidebar for one viewer in one space, and adds what they
/// depend on to the dependencies.
pub type Nav = Arc<
    dyn Fn(Viewer, Option<SpaceId>, Dependencies) -> BoxFuture<'static, Result<Vec<NavSection>>>
        + Send
        + Sync,
>;

/// Renders a pane beside the pages of a space, or of a room in it, and adds what it depends on to
/// the dependencies.
pub type Pane = Arc<
    dyn Fn(Viewer, SpaceId, Option<RoomId>, Dependencies) -> BoxFuture<'static, Result<Arc<Part>>>
        + Send
        + Sync,
>;

/// Where a module adds something to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomPlace {
    /// Below its link in the sidebar, with every page.
    BelowLink,
    /// Above all else on its own page.
    AbovePage,
    /// Among the tools in the header of its page.
    Tools,
}

/// Renders what a module adds to a room for one viewer who reads it, if anything, and adds what
/// that depends on to the dependencies.
pub type RoomPart = Arc<
    dyn Fn(Viewer, RoomId, Dependencies) -> BoxFuture<'static, Result<Option<String>>>
        + Send
        + Sync,
>;

/// Generates CSS rules for the pages of one account.
pub type AccountStyle = fn(AccountId) -> String;

/// A page among those of a space's settings.
#[derive(Clone, Copy, Debug)]
pub struct SpaceTab {
    /// Its path, with `{space}` in it.
    pub path: &'static str,
    /// The message key of its name.
    pub label: &'static str,
    /// What a member has to hold to see the link; the page itself checks, too. `None`: every
    /// member sees it.
    pub permission: Option<&'static Permission>,
}

/// Counts what waits on a page of a space's settings, for one viewer.
pub type CountWaiting =
    Arc<dyn Fn(Viewer, SpaceId) -> BoxFuture<'static, Result<usize>> + Send + Sync>;

/// The count beside the link to a page of a space's settings.
#[derive(Clone)]
pub struct TabCount {
    /// The path of the page, as its [`SpaceTab`] has it.
    pub path: &'static str,
    /// Counts; at zero nothing is shown.
    pub count: CountWaiting,
}
