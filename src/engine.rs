//! Floor 1: what makes a page live. The bus carries events, the hub carries frames, the web answers
//! requests, and a [`Module`] declares all that a feature adds to them.

pub mod actions;
pub mod bus;
pub mod cluster;
pub mod commands;
pub mod content_removal;
pub mod feed;
pub mod files;
pub mod forms;
pub mod fragments;
pub mod jobs;
pub mod live;
pub mod mail;
pub mod module;
pub mod notices;
pub mod partial;
pub mod permission;
pub mod personal_data;
pub mod problem;
pub mod rate_limit;
pub mod reportable;
pub mod room_lines;
pub mod safe_fetch;
pub mod scope_data;
pub mod screening;
pub mod search;
pub mod versions;
pub mod viewer;
pub mod web;
pub mod websocket;

use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use futures_util::FutureExt;

use crate::base::db::Db;
use crate::base::error::Result;
use crate::base::settings::Settings;
use actions::Actions;
use bus::{Bus, DeadLetters};
use cluster::ClusterStatus;
use commands::Commands;
use content_removal::ContentRemover;
use files::{Files, Transfers};
use fragments::Fragments;
use jobs::Jobs;
use live::{Hub, Limits, Rights};
use mail::Mailer;
use module::{Declarations, Handlers, Migration, Nav, Pane, RoomPart, RoomPlace, TabCount};
use notices::Notices;
use personal_data::PersonalData;
use reportable::Reportable;
use scope_data::ScopeData;
use screening::Screening;
use search::Search;
use versions::Versions;
use viewer::{SessionCheck, Viewer};
use web::{EmbeddedAssets, Hosts, Pages, PartCache, RequestLimiter};

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
    /// What sends mail, where the host has configured it.
    pub mail: Mailer,
    /// What people put somewhere.
    pub files: Files,
    /// What can be found by its words.
    pub search: Search,
    /// What tells people of what happens where they do not look.
    pub notices: Notices,
    /// Rendered fragments.
    pub fragments: Fragments,
    /// Parts of pages that still stand.
    pub part_cache: PartCache,
    /// What every page starts with.
    pub pages: Pages,
    /// The host names that the server answers to.
    pub hosts: Hosts,
    /// Style sheets and scripts that modules from outside bring.
    pub embedded_assets: EmbeddedAssets,
    /// What modules keep of accounts; set at the start.
    personal_data: OnceLock<Vec<PersonalData>>,
    /// What modules keep of rooms and spaces; set at the start.
    scope_data: OnceLock<Vec<ScopeData>>,
    /// What people can report; set at the start.
    reportables: OnceLock<Vec<Reportable>>,
    /// What deletes the content of modules; set at the start.
    content_removers: OnceLock<Vec<ContentRemover>>,
    /// What people may write instead of messages; set at the start.
    pub commands: Commands,
    /// What judges texts before they are stored; set at the start.
    pub screening: Screening,
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
    pub requests: Option<Arc<RequestLimiter>>,
    /// What takes in and gives out files.
    pub(in crate::engine) transfers: Transfers,
    /// What makes the sidebar.
    pub navs: Vec<Nav>,
    /// What makes the panes beside a space's pages.
    pub panes: Vec<Pane>,
    /// What modules add to rooms, and where.
    pub room_parts: Vec<(RoomPlace, RoomPart)>,
    /// What counts beside the links to pages of a space's settings.
    pub tab_counts: Vec<TabCount>,
    rights: Arc<Rights>,
}

impl Engine {
    /// An engine for modules that declare this, on an open database.
    ///
    /// # Errors
    /// When the settings of files or of mail contradict each other.
    ///
    /// # Panics
    /// When declarations contradict each other: a mistake of the program.
    pub fn new(settings: Settings, db: Db, declared: &Declarations) -> anyhow::Result<Self> {
        let (versions, settings, jobs) = (
            Versions::default(),
            Arc::new(settings),
            Jobs::new(db.clone(), declared.jobs.iter().cloned()),
        );
        let bus = Bus::new(versions.clone(), declared.topics.iter().copied());
        Ok(Self(Arc::new(Services {
            notices: {
                let kinds = declared.notice_kinds.clone();
                Notices::new(&bus, kinds, declared.delivers_notices)
            },
            bus,
            part_cache: PartCache::new(&settings),
            hosts: Hosts::new(&settings),
            versions,
            live: Hub::new(Limits::from(&*settings), declared.feeds.clone(), db.clone()),
            fragments: Fragments::new(&settings),
            pages: Pages::new(&declared.stylesheets, &declared.scripts),
            embedded_assets: EmbeddedAssets::new(&declared.embedded_assets),
            personal_data: OnceLock::new(),
            scope_data: OnceLock::new(),
            reportables: OnceLock::new(),
            content_removers: OnceLock::new(),
            commands: Commands::default(),
            screening: Screening::default(),
            dead_letters: DeadLetters::new(db.clone()),
            files: {
                let kinds = declared.files.iter().cloned();
                Files::new(settings.clone(), db.clone(), jobs.clone(), kinds)?
            },
            mail: Mailer::new(&settings, jobs.clone())?,
            search: Search::new(&db, &jobs),
            jobs,
            db,
            settings,
        })))
    }

    /// Runs the migrations of added modules that this database has not seen.
    ///
    /// # Errors
    /// When one fails or was edited after it was applied; names it. A failed one is undone, and
    /// those before it stand.
    pub async fn migrate(&self, migrations: &[Migration]) -> anyhow::Result<()> {
        module::run_migrations(&self.db, migrations).await
    }

    /// Mounts the modules' routes, starts their subscribers, jobs and tasks. `is_session_valid` says
    /// whether a session may go on.
    ///
    /// # Panics
    /// When declarations contradict each other: a mistake of the program, found at start.
    pub fn start<F, R>(&self, mut handlers: Handlers, is_session_valid: F) -> Started
    where
        F: Fn(Viewer) -> R + Send + Sync + 'static,
        R: Future<Output = Result<bool>> + Send + 'static,
    {
        let is_session_valid: SessionCheck =
            Arc::new(move |viewer| is_session_valid(viewer).boxed());
        let (files, rules) = (self.files.clone(), std::mem::take(&mut handlers.files));
        let transfers = Transfers::new(files, rules, is_session_valid.clone());
        files::module().bind_to(&transfers, &mut handlers);
        mail::module().bind_to(&self.mail, &mut handlers);
        search::module().bind_to(&self.search, &mut handlers);
        // Before the jobs start, which read it.
        let _ = self
            .personal_data
            .set(std::mem::take(&mut handlers.personal_data));
        let _ = self
            .scope_data
            .set(std::mem::take(&mut handlers.scope_data));
        let _ = self
            .reportables
            .set(std::mem::take(&mut handlers.reportables));
        let _ = self
            .content_removers
            .set(std::mem::take(&mut handlers.content_removers));
        let sources = std::mem::take(&mut handlers.text_sources);
        self.screening.set(handlers.screener.take(), sources);
        self.commands.set(std::mem::take(&mut handlers.commands));
        let search_sources = std::mem::take(&mut handlers.search_sources);
        self.search.set_sources(search_sources);
        let notice_sources = std::mem::take(&mut handlers.notice_sources);
        self.notices.set_sources(notice_sources);
        for subscriber in &handlers.subscribers {
            subscriber.start(&self.bus, &self.dead_letters);
        }
        self.jobs.start(handlers.jobs, handlers.schedules);
        let presenter = jobs::presenter().bind(&self.live);
        presenter.start(&self.bus, &self.dead_letters);
        tokio::spawn(self.search.clone().follow());
        tokio::spawn(jobs::publish_changes(self.jobs.clone(), self.bus.clone()));
        handlers
            .tasks
            .into_iter()
            .for_each(|task| drop(tokio::spawn(task)));
        let actions = Actions::new(handlers.actions, self.settings.writes_per_10_seconds);
        let rights = Arc::new(Rights::new(
            handlers.feeds,
            handlers.rejoin,
            is_session_valid,
        ));
        let sockets = live::routes(
            self.live.clone(),
            self.bus.clone(),
            actions.clone(),
            rights.clone(),
            web::VERSION,
        );
        let requests = RequestLimiter::new(self.settings.requests_per_minute);
        tokio::spawn(evict(
            self.live.clone(),
            self.versions.clone(),
            actions.clone(),
            requests.clone(),
        ));
        Started {
            routes: module::mount(handlers.routes).merge(sockets),
            actions,
            requests,
            transfers,
            navs: handlers.navs,
            panes: handlers.panes,
            room_parts: handlers.room_parts,
            tab_counts: handlers.tab_counts,
            rights,
        }
    }

    /// What modules keep of accounts, in the order of declaration; nothing before the start.
    pub fn personal_data(&self) -> &[PersonalData] {
        self.personal_data.get().map_or(&[], Vec::as_slice)
    }

    /// What modules keep of rooms and spaces, in the order of declaration; nothing before the start.
    pub fn scope_data(&self) -> &[ScopeData] {
        self.scope_data.get().map_or(&[], Vec::as_slice)
    }

    /// What people can report, by kind; nothing before the start.
    pub fn reportable(&self, kind: &str) -> Option<&Reportable> {
        let mut all = self.reportables.get().map_or(&[][..], Vec::as_slice).iter();
        all.find(|reportable| reportable.kind == kind)
    }

    /// What deletes the content of modules, in the order of declaration; nothing before the start.
    pub fn content_removers(&self) -> &[ContentRemover] {
        self.content_removers.get().map_or(&[], Vec::as_slice)
    }

    /// Joins the other instances of the server, where there are any. To be called before the first
    /// request.
    ///
    /// # Errors
    /// When the setting `nats` is no address, or the database cannot be read.
    pub async fn join_cluster(&self, started: &Started) -> anyhow::Result<ClusterStatus> {
        cluster::join(self, started.rights.clone()).await
    }
}

/// Forgets what nobody needs any more, every minute.
async fn evict(
    live: Hub,
    versions: Versions,
    actions: Actions,
    requests: Option<Arc<RequestLimiter>>,
) {
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
