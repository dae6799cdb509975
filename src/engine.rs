//! Floor 1: what makes a page live. The bus carries events, the hub carries frames, the web answers
//! requests, and a [`Module`] declares all that a feature adds to them.

pub mod actions;
pub mod bus;
pub mod files;
pub mod forms;
pub mod fragments;
pub mod jobs;
pub mod live;
pub mod module;
pub mod problem;
pub mod rate_limit;
pub mod versions;
pub mod viewer;
pub mod web;
pub mod websocket;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;

use crate::base::clock::Micros;
use crate::base::db::Db;
use crate::base::error::Result;
use crate::base::settings::Settings;
use actions::Actions;
use bus::{Bus, DeadLetters, Subscriber};
use files::Files;
use fragments::Fragments;
use jobs::Jobs;
use live::{Hub, Limits, SocketClosed, SocketOpened};
use module::{Module, Nav, Pane};
use versions::Versions;
use viewer::Viewer;
use web::{Pages, PartCache, Requests};

/// What every module works with. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Services>);

impl Deref for Engine {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

/// The parts of the engine.
pub struct Services {
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// The database.
    pub db: Db,
    /// What changed since something was made from it.
    pub versions: Versions,
    /// Where events go.
    pub bus: Bus,
    /// Where frames go.
    pub live: Hub,
    /// Work that outlives its cause.
    pub jobs: Jobs,
    /// What people put somewhere.
    pub files: Files,
    /// Rendered fragments.
    pub fragments: Fragments,
    /// Parts of pages that still stand.
    pub part_cache: PartCache,
    /// What every page starts with.
    pub pages: Pages,
    /// Events that nobody could handle.
    pub dead_letters: DeadLetters,
}

/// An engine with its modules, ready to answer.
pub struct Started {
    /// Every declared route, and the sockets.
    pub routes: Router,
    /// Every declared action.
    pub actions: Actions,
    /// How often one may ask, if that is limited.
    pub requests: Option<Arc<Requests>>,
    /// Every subscriber, for replaying dead letters.
    pub subscribers: Vec<Subscriber>,
    /// What makes the sidebar.
    pub navs: Vec<Nav>,
    /// What makes the panes beside a space's pages.
    pub panes: Vec<Pane>,
}

impl Engine {
    /// An engine without modules on an open database.
    ///
    /// # Errors
    /// When the settings of where files are kept contradict each other.
    pub fn new(settings: Settings, db: Db) -> anyhow::Result<Self> {
        let (versions, settings, jobs) = (
            Versions::default(),
            Arc::new(settings),
            Jobs::new(db.clone()),
        );
        Ok(Self(Arc::new(Services {
            bus: Bus::new(versions.clone()),
            part_cache: PartCache::new(&settings),
            versions,
            live: Hub::new(Limits::from(&*settings)),
            fragments: Fragments::new(&settings),
            pages: Pages::default(),
            dead_letters: DeadLetters::new(db.clone()),
            files: Files::new(settings.clone(), db.clone(), jobs.clone())?,
            jobs,
            db,
            settings,
        })))
    }

    /// Declares the engine's own topics beside those of the modules.
    pub fn declare_topics(&self, modules: &[Module]) {
        let own = Module::new("live")
            .publishes::<SocketOpened>()
            .publishes::<SocketClosed>();
        let all: Vec<_> = modules
            .iter()
            .chain([&own])
            .flat_map(|module| module.topics.iter().copied())
            .collect();
        self.bus.declare(all);
    }

    /// Runs the migrations of added modules that this database has not seen.
    ///
    /// # Errors
    /// When one fails; it is undone then, and those before it stand.
    pub async fn migrate(&self, modules: &[Module]) -> Result<()> {
        for module in modules {
            for (name, sql) in &module.migrations {
                let (owner, name, sql) = (module.name, *name, *sql);
                self.db
                    .write(async move |tx| {
                            const NOTE: &str =
                                "INSERT INTO module_migrations (module, name, applied_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
                            let noted = tx.execute(NOTE, (owner, name, Micros::now())).await?;
                            if noted > 0 {
                                tx.execute(sql, ()).await?;
                            }
                            Ok(())
                        })
                    .await?;
            }
        }
        Ok(())
    }

    /// Takes in the modules: mounts their routes, starts their subscribers and tasks. `still_valid`
    /// says whether a session may go on.
    ///
    /// # Panics
    /// When declarations contradict each other: a mistake of the program, found at start.
    pub fn start<F, R>(&self, mut modules: Vec<Module>, still_valid: F) -> Started
    where
        F: Fn(Viewer) -> R + Send + Sync + 'static,
        R: Future<Output = bool> + Send + 'static,
    {
        modules.push(self.files.module());
        for module in &modules {
            module.check();
        }
        self.declare_topics(&modules);
        let (mut feeds, mut routes, mut actions, mut subscribers, mut links) =
            (vec![], vec![], vec![], vec![], vec![]);
        let (mut tasks, mut navs, mut panes, mut jobs, mut schedules) =
            (vec![], vec![], vec![], vec![], vec![]);
        let mut kinds = vec![];
        for module in modules {
            feeds.extend(module.feeds);
            routes.extend(module.routes);
            actions.extend(module.actions);
            subscribers.extend(module.subscribers);
            links.push((module.stylesheet, module.script));
            tasks.extend(module.tasks);
            navs.extend(module.nav);
            panes.extend(module.pane);
            jobs.extend(module.jobs);
            schedules.extend(module.schedules);
            kinds.extend(module.files);
        }
        self.live.declare(feeds, still_valid);
        self.pages.declare(links);
        for subscriber in &subscribers {
            subscriber.start(&self.bus, &self.dead_letters);
        }
        self.files.declare(kinds);
        self.jobs.start(jobs, schedules);
        tokio::spawn(jobs::tell(self.jobs.clone(), self.live.clone()));
        for task in tasks {
            tokio::spawn(task);
        }
        let actions = Actions::new(actions, self.settings.writes_per_10_seconds);
        let sockets = live::routes(
            self.live.clone(),
            self.bus.clone(),
            actions.clone(),
            web::VERSION,
        );
        let routes = module::mount(routes).merge(sockets);
        let requests = Requests::new(self.settings.requests_per_minute);
        tokio::spawn(evict(
            self.live.clone(),
            self.versions.clone(),
            actions.clone(),
            requests.clone(),
        ));
        Started {
            routes,
            actions,
            requests,
            subscribers,
            navs,
            panes,
        }
    }
}

/// Forgets what nobody needs any more, every minute.
async fn evict(live: Hub, versions: Versions, actions: Actions, requests: Option<Arc<Requests>>) {
    let mut minute = tokio::time::interval(Duration::from_secs(60));
    loop {
        minute.tick().await;
        live.evict();
        versions.evict();
        actions.evict();
        if let Some(requests) = &requests {
            requests.evict();
        }
    }
}
