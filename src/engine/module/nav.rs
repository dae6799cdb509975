//! What modules add around pages: entries of the sidebar, panes, and rules for one account's pages.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::Part;

/// One entry of the sidebar.
#[derive(Clone, Debug)]
pub struct NavEntry {
    /// Where it leads.
    pub href: String,
    /// Symbol of the icon sprite.
    pub icon: &'static str,
    /// What people called it.
    pub label: String,
    /// Whether something new is there.
    pub unread: bool,
    /// Tells it apart on the page: frames of its module change `#unread-<key>`.
    pub key: String,
}

/// A section of the sidebar.
#[derive(Clone, Debug)]
pub struct NavSection {
    /// Key of its heading.
    pub heading: &'static str,
    /// Where its "add" link leads, and the key of its title, for those who may.
    pub add: Option<(String, &'static str)>,
    /// Its entries, in order.
    pub entries: Vec<NavEntry>,
}

/// Makes a module's part of the sidebar for one person in one space, and names what it is made
/// from.
pub type Nav = Arc<
    dyn Fn(Viewer, Option<SpaceId>, Dependencies) -> BoxFuture<'static, Result<Vec<NavSection>>>
        + Send
        + Sync,
>;

/// Makes the pane beside the pages of a space, and names what it is made from.
pub type Pane = Arc<
    dyn Fn(Viewer, SpaceId, Dependencies) -> BoxFuture<'static, Result<Arc<Part>>> + Send + Sync,
>;

/// CSS rules for one account.
pub type AccountStyle = fn(AccountId) -> String;
