//! The Module contract: all that a feature adds, declared in one place. What is not declared does
//! not exist.

use axum::Router;
use axum::routing::MethodRouter;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::sync::Arc;

use crate::base::error::Result;
use crate::base::ids::SpaceId;
use crate::engine::actions::Action;
use crate::engine::bus::{Event, Subscriber, Topic};
use crate::engine::files::FileKind;
use crate::engine::jobs::{JobKind, Schedule};
use crate::engine::live::FeedSpec;
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::Part;

/// Who may ask for a page at all. Further rights are the page's to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody: the door, the setup page, an invitation.
    Anyone,
    /// People who are signed in.
    SignedIn,
}

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
    /// The room it stands for: frames touch `#unread-<room>`.
    pub room: i64,
}

/// A section of the sidebar.
#[derive(Clone, Debug)]
pub struct NavSection {
    /// Key of its heading.
    pub heading: &'static str,
    /// Where its "add" link leads, for those who may.
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

/// A page or other route, with who may ask for it.
pub struct Route {
    /// Its path, with `{parameters}`.
    pub path: &'static str,
    /// Who may ask.
    pub access: Access,
    pub(super) handler: MethodRouter,
}

/// Everything a feature adds.
pub struct Module {
    /// Its name: the first part of its topics and actions.
    pub name: &'static str,
    pub(super) topics: Vec<&'static Topic>,
    pub(super) feeds: Vec<FeedSpec>,
    pub(super) routes: Vec<Route>,
    pub(super) actions: Vec<Action>,
    pub(super) subscribers: Vec<Subscriber>,
    pub(super) stylesheet: Option<&'static str>,
    pub(super) script: Option<&'static str>,
    pub(super) tasks: Vec<BoxFuture<'static, ()>>,
    pub(super) migrations: Vec<(&'static str, &'static str)>,
    pub(super) nav: Option<Nav>,
    pub(super) pane: Option<Pane>,
    pub(super) jobs: Vec<JobKind>,
    pub(super) schedules: Vec<Schedule>,
    pub(super) files: Vec<FileKind>,
}

impl Module {
    /// A module that adds nothing yet.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            topics: Vec::new(),
            feeds: Vec::new(),
            routes: Vec::new(),
            actions: Vec::new(),
            subscribers: Vec::new(),
            stylesheet: None,
            script: None,
            tasks: Vec::new(),
            migrations: Vec::new(),
            nav: None,
            pane: None,
            jobs: Vec::new(),
            schedules: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Publishes events of type `E`.
    pub fn publishes<E: Event>(mut self) -> Self {
        self.topics.push(E::topic());
        self
    }

    /// Versions the schema: run once, in order, when the server first starts with it. The modules
    /// that ship keep theirs in `migrations/`; this is for those that are added from outside.
    pub fn migration(mut self, name: &'static str, sql: &'static str) -> Self {
        self.migrations.push((name, sql));
        self
    }

    /// Owns a family of feeds.
    pub fn feed(mut self, feed: FeedSpec) -> Self {
        self.feeds.push(feed);
        self
    }

    /// Answers requests for a path.
    pub fn page(mut self, access: Access, path: &'static str, handler: MethodRouter) -> Self {
        self.routes.push(Route {
            path,
            access,
            handler,
        });
        self
    }

    /// Lets browsers and programs do something.
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// Hears events.
    pub fn subscriber(mut self, subscriber: Subscriber) -> Self {
        self.subscribers.push(subscriber);
        self
    }

    /// Does jobs of this kind.
    pub fn job(mut self, kind: JobKind) -> Self {
        self.jobs.push(kind);
        self
    }

    /// Has a job of one of its kinds added by the clock.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.schedules.push(schedule);
        self
    }

    /// Takes files of this kind.
    pub fn files(mut self, kind: FileKind) -> Self {
        self.files.push(kind);
        self
    }

    /// Its style sheet, below `assets`.
    pub fn stylesheet(mut self, path: &'static str) -> Self {
        self.stylesheet = Some(path);
        self
    }

    /// Its script (an ES module), below `assets`.
    pub fn script(mut self, path: &'static str) -> Self {
        self.script = Some(path);
        self
    }

    /// Work that goes on as long as the server runs, such as a timer.
    pub fn task(mut self, task: impl Future<Output = ()> + Send + 'static) -> Self {
        self.tasks.push(task.boxed());
        self
    }

    /// Its part of the sidebar, for one person in one space (or outside all).
    pub fn nav<F, R>(mut self, nav: F) -> Self
    where
        F: Fn(Viewer, Option<SpaceId>, Dependencies) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<NavSection>>> + Send + 'static,
    {
        self.nav = Some(Arc::new(move |viewer, space, deps| {
            nav(viewer, space, deps).boxed()
        }));
        self
    }

    /// Its pane beside the pages of a space.
    pub fn pane<F, R>(mut self, pane: F) -> Self
    where
        F: Fn(Viewer, SpaceId, Dependencies) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Arc<Part>>> + Send + 'static,
    {
        self.pane = Some(Arc::new(move |viewer, space, deps| {
            pane(viewer, space, deps).boxed()
        }));
        self
    }

    pub(super) fn check(&self) {
        let prefix = format!("{}.", self.name);
        for topic in &self.topics {
            assert!(
                topic.name.starts_with(&prefix),
                "module {} declares the topic {} of another",
                self.name,
                topic.name
            );
        }
        for job in &self.jobs {
            assert!(
                job.name.starts_with(&prefix),
                "module {} declares the job {} of another",
                self.name,
                job.name
            );
        }
        for kind in &self.files {
            assert!(
                kind.name.starts_with(&prefix),
                "module {} declares the kind of files {} of another",
                self.name,
                kind.name
            );
        }
        for action in &self.actions {
            assert!(
                action.name.starts_with(&prefix),
                "module {} declares the action {} of another",
                self.name,
                action.name
            );
        }
    }
}

/// The routes of a module as a router: those for signed-in people refuse everybody else.
pub(super) fn mount(routes: Vec<Route>) -> Router {
    routes.into_iter().fold(Router::new(), |router, route| {
        let handler = match route.access {
            Access::Anyone => route.handler,
            Access::SignedIn => route
                .handler
                .layer(axum::middleware::from_extractor::<Viewer>()),
        };
        router.route(route.path, handler)
    })
}
