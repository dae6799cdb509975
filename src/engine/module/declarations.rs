//! What modules declare, joined: what needs no state, and what is bound to it.

use axum::Router;
use axum::routing::MethodRouter;
use futures_util::future::BoxFuture;

use super::nav::{AccountStyle, Nav, Pane};
use crate::base::locale::ModuleMessages;
use crate::engine::actions::Action;
use crate::engine::bus::{BoundSubscriber, Topic};
use crate::engine::files::{FileRule, FileSpec};
use crate::engine::jobs::{Handler, JobSpec, Schedule};
use crate::engine::live::{FeedRule, FeedSpec};
use crate::engine::permission::Permission;
use crate::engine::viewer::Viewer;
use crate::engine::web::EmbeddedAsset;

/// Who may ask for a page at all. Further rights are the page's to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody: signing in, the setup page, an invitation.
    Anyone,
    /// People who are signed in.
    SignedIn,
}

/// A page or other route, with who may ask for it.
pub struct Route {
    /// Its path, with `{parameters}`.
    pub path: &'static str,
    /// Who may ask.
    pub audience: Audience,
    pub(in crate::engine) handler: MethodRouter,
}

/// A change of the schema that a module from outside brings.
pub struct Migration {
    pub(in crate::engine) module: &'static str,
    pub(in crate::engine) name: &'static str,
    pub(in crate::engine) sql: &'static str,
}

/// What modules declare that needs no state.
#[derive(Default)]
pub struct Declarations {
    /// Every topic.
    pub topics: Vec<&'static Topic>,
    /// Every permission.
    pub permissions: Vec<&'static Permission>,
    /// What makes the style sheet of one account.
    pub account_styles: Vec<AccountStyle>,
    /// Addresses of every style sheet.
    pub(in crate::engine) stylesheets: Vec<String>,
    /// Addresses of every script.
    pub(in crate::engine) scripts: Vec<String>,
    pub(in crate::engine) embedded_assets: Vec<EmbeddedAsset>,
    /// Schema changes of modules from outside, in order.
    pub migrations: Vec<Migration>,
    /// Messages of modules from outside.
    pub messages: Vec<ModuleMessages>,
    pub(in crate::engine) feeds: Vec<FeedSpec>,
    pub(in crate::engine) jobs: Vec<JobSpec>,
    pub(in crate::engine) files: Vec<FileSpec>,
}

impl Declarations {
    pub(super) fn merge(&mut self, other: Self) {
        self.topics.extend(other.topics);
        self.permissions.extend(other.permissions);
        self.account_styles.extend(other.account_styles);
        self.stylesheets.extend(other.stylesheets);
        self.scripts.extend(other.scripts);
        self.embedded_assets.extend(other.embedded_assets);
        self.migrations.extend(other.migrations);
        self.messages.extend(other.messages);
        self.feeds.extend(other.feeds);
        self.jobs.extend(other.jobs);
        self.files.extend(other.files);
    }
}

/// What modules declare, bound to their state.
#[derive(Default)]
pub struct Handlers {
    pub(in crate::engine) feeds: Vec<FeedRule>,
    pub(in crate::engine) routes: Vec<Route>,
    pub(in crate::engine) actions: Vec<Action>,
    pub(in crate::engine) tasks: Vec<BoxFuture<'static, ()>>,
    pub(in crate::engine) jobs: Vec<(&'static str, Handler)>,
    pub(in crate::engine) schedules: Vec<Schedule>,
    pub(in crate::engine) files: Vec<(&'static str, FileRule)>,
    pub(in crate::engine) subscribers: Vec<BoundSubscriber>,
    pub(in crate::engine) navs: Vec<Nav>,
    pub(in crate::engine) panes: Vec<Pane>,
}

/// The routes of the modules as a router: those for signed-in people refuse everybody else.
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
