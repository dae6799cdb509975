//! The merged declarations of all modules, and their handlers bound to state.

use std::sync::Arc;

use axum::Router;
use axum::routing::MethodRouter;
use futures_util::future::BoxFuture;

use super::migrations::Migration;
use super::nav::{AccountStyle, Nav, Pane, RoomPart, RoomPlace, SpaceTab, TabCount};
use crate::base::locale::ModuleMessages;
use crate::engine::actions::Action;
use crate::engine::bus::{BoundSubscriber, Topic};
use crate::engine::commands::BoundCommand;
use crate::engine::content_removal::ContentRemover;
use crate::engine::files::{FileRule, FileSpec};
use crate::engine::jobs::{Handler, JobSpec, Schedule};
use crate::engine::live::{FeedRule, FeedSpec, RejoinHandler};
use crate::engine::notices::{NoticeKind, NoticeSource};
use crate::engine::permission::Permission;
use crate::engine::personal_data::PersonalData;
use crate::engine::reportable::Reportable;
use crate::engine::scope_data::ScopeData;
use crate::engine::screening::{Screener, TextSource};
use crate::engine::search::Source;
use crate::engine::viewer::Viewer;
use crate::engine::web::EmbeddedAsset;

/// Who may request a page at all. The page checks further permissions itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody: signing in, the setup page, an invitation.
    Anyone,
    /// People who are signed in.
    SignedIn,
}

/// A page or other route.
pub struct Route {
    /// The path in axum's syntax, with `{parameters}`.
    pub path: &'static str,
    /// Who may request it.
    pub audience: Audience,
    pub(in crate::engine) handler: MethodRouter,
}

/// The declarations that need no state.
#[derive(Default)]
pub struct Declarations {
    /// In the order of declaration; names are checked for duplicates by the bus.
    pub topics: Vec<&'static Topic>,
    /// In the order of declaration.
    pub permissions: Vec<&'static Permission>,
    /// Generate the CSS rules for the pages of one account.
    pub account_styles: Vec<AccountStyle>,
    /// The pages of a space's settings, in the order of declaration.
    pub space_tabs: Vec<SpaceTab>,
    /// URLs.
    pub(in crate::engine) stylesheets: Vec<String>,
    /// URLs.
    pub(in crate::engine) scripts: Vec<String>,
    pub(in crate::engine) embedded_assets: Vec<EmbeddedAsset>,
    /// Schema migrations of modules from other crates, in the order in which they run.
    pub migrations: Vec<Migration>,
    /// Message catalogues of modules from other crates.
    pub messages: Vec<ModuleMessages>,
    /// The kinds of notices, in the order of declaration.
    pub notice_kinds: Vec<&'static NoticeKind>,
    /// Whether a module delivers notices.
    pub(in crate::engine) delivers_notices: bool,
    pub(in crate::engine) feeds: Vec<FeedSpec>,
    pub(in crate::engine) jobs: Vec<JobSpec>,
    pub(in crate::engine) files: Vec<FileSpec>,
}

impl Declarations {
    pub(super) fn merge(&mut self, other: Self) {
        self.topics.extend(other.topics);
        self.permissions.extend(other.permissions);
        self.account_styles.extend(other.account_styles);
        self.space_tabs.extend(other.space_tabs);
        self.stylesheets.extend(other.stylesheets);
        self.scripts.extend(other.scripts);
        self.embedded_assets.extend(other.embedded_assets);
        self.migrations.extend(other.migrations);
        self.messages.extend(other.messages);
        self.notice_kinds.extend(other.notice_kinds);
        self.delivers_notices |= other.delivers_notices;
        self.feeds.extend(other.feeds);
        self.jobs.extend(other.jobs);
        self.files.extend(other.files);
    }
}

/// The handlers of all modules, bound to their state.
#[derive(Default)]
pub struct Handlers {
    pub(in crate::engine) feeds: Vec<FeedRule>,
    pub(in crate::engine) rejoin: Vec<RejoinHandler>,
    pub(in crate::engine) routes: Vec<Route>,
    pub(in crate::engine) actions: Vec<Action>,
    pub(in crate::engine) tasks: Vec<BoxFuture<'static, ()>>,
    pub(in crate::engine) jobs: Vec<(&'static str, Handler)>,
    pub(in crate::engine) schedules: Vec<Schedule>,
    pub(in crate::engine) files: Vec<(&'static str, FileRule)>,
    pub(in crate::engine) subscribers: Vec<BoundSubscriber>,
    pub(in crate::engine) personal_data: Vec<PersonalData>,
    pub(in crate::engine) scope_data: Vec<ScopeData>,
    pub(in crate::engine) reportables: Vec<Reportable>,
    pub(in crate::engine) content_removers: Vec<ContentRemover>,
    pub(in crate::engine) search_sources: Vec<Source>,
    pub(in crate::engine) notice_sources: Vec<NoticeSource>,
    pub(in crate::engine) navs: Vec<Nav>,
    pub(in crate::engine) panes: Vec<Pane>,
    pub(in crate::engine) room_parts: Vec<(RoomPlace, RoomPart)>,
    pub(in crate::engine) tab_counts: Vec<TabCount>,
    pub(in crate::engine) screener: Option<Arc<dyn Screener>>,
    pub(in crate::engine) text_sources: Vec<TextSource>,
    pub(in crate::engine) commands: Vec<BoundCommand>,
}

/// Builds the router of the modules' routes; those for signed-in people refuse other requests.
pub(in crate::engine) fn mount(routes: Vec<Route>) -> Router {
    routes.into_iter().fold(Router::new(), |router, route| {
        let handler = match route.audience {
            Audience::Anyone => route.handler,
            Audience::SignedIn => route
                .handler
                .layer(axum::middleware::from_extractor::<Viewer>()),
        };
        router.route(route.path, handler)
    })
}
