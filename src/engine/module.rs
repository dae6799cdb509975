//! Modules: everything that a feature adds to the server is declared here. What is not declared
//! does not exist.
//!
//! A [`Module`] names its handlers as plain functions that take the module's state. The declaration
//! itself needs no state, so it is known before anything starts. [`Modules`] merges the
//! declarations and later binds the handlers to the state of their modules.

mod declarations;
mod list;
mod migrations;
mod nav;

use std::sync::Arc;

use axum::routing::MethodRouter;
use futures_util::FutureExt;
use serde::de::DeserializeOwned;

use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::locale::ModuleMessages;
use crate::engine::actions::{Action, Class, Outcome};
use crate::engine::bus::{Event, Subscriber};
use crate::engine::commands::{BoundCommand, Command, CommandAnswer, CommandCall};
use crate::engine::content_removal::{ContentRemoval, ContentRemover};
use crate::engine::feed::{Feed, FeedKey};
use crate::engine::files::FileKind;
use crate::engine::jobs::{JobKind, Schedule};
use crate::engine::live::{FeedRule, RejoinHandler};
use crate::engine::notices::{NoticeKind, NoticeSource};
use crate::engine::permission::Permission;
use crate::engine::personal_data::{DataPage, Erasure, PersonalData};
use crate::engine::reportable::{Reportable, Reported, Target};
use crate::engine::scope_data::{ErasedScope, ScopeData};
use crate::engine::screening::{Screener, StoredText, TextQuery};
use crate::engine::search::{Found, SearchSource};
use crate::engine::versions::Dependencies;
use crate::engine::viewer::Viewer;
use crate::engine::web::{EmbeddedAsset, Part, asset_address};
pub(super) use declarations::mount;
pub use declarations::{Audience, Declarations, Handlers, Route};
pub use list::Modules;
pub use migrations::Migration;
pub(super) use migrations::run_all as run_migrations;
pub use nav::{
    AccountStyle, Nav, NavEntry, NavSection, Pane, RoomPart, RoomPlace, SpaceTab, TabCount,
};

type Bind<S> = Box<dyn FnOnce(&S, &mut Handlers)>;

/// Everything that a feature adds. `S` is its state: a handle that is cheap to clone.
pub struct Module<S> {
    /// The first part of the names of its topics, permissions, actions, jobs and kinds of files.
    pub name: &'static str,
    declared: Declarations,
    binds: Vec<Bind<S>>,
}

impl<S: Clone + Send + Sync + 'static> Module<S> {
    /// A module that adds nothing yet.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            declared: Declarations::default(),
            binds: Vec::new(),
        }
    }

    fn bind(mut self, bind: impl FnOnce(&S, &mut Handlers) + 'static) -> Self {
        self.binds.push(Box::new(bind));
        self
    }

    fn assert_owned(&self, what: &str, name: &str) {
        let owner = name.split('.').next();
        assert!(
            owner == Some(self.name),
            "module {} declares the {what} {name} of another",
            self.name
        );
    }

    /// Declares that it publishes events of type `E`.
    pub fn publishes<E: Event>(mut self) -> Self {
        self.assert_owned("topic", E::topic().name);
        self.declared.topics.push(E::topic());
        self
    }

    /// Adds a permission.
    pub fn permission(mut self, permission: &'static Permission) -> Self {
        self.assert_owned("permission", permission.name);
        self.declared.permissions.push(permission);
        self
    }

    /// Adds a page to those of a space's settings.
    pub fn space_tab(mut self, tab: SpaceTab) -> Self {
        self.declared.space_tabs.push(tab);
        self
    }

    /// Shows a count beside the link to one of these pages, which `count` finds for a viewer who
    /// sees the link.
    pub fn tab_count<F, R>(self, path: &'static str, count: F) -> Self
    where
        F: Fn(S, Viewer, SpaceId) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<usize>> + Send + 'static,
    {
        self.bind(move |state, handlers| {
            let state = state.clone();
            let count = Arc::new(move |viewer, space| count(state.clone(), viewer, space).boxed());
            handlers.tab_counts.push(TabCount { path, count });
        })
    }

    /// Has texts judged before other modules store them. A server has one screener.
    ///
    /// # Panics
    /// At the start, when another module declares one, too.
    pub fn screener<X: Screener>(self, make: fn(&S) -> X) -> Self {
        self.bind(move |state, handlers| {
            assert!(handlers.screener.is_none(), "two modules screen texts");
            handlers.screener = Some(Arc::new(make(state)));
        })
    }

    /// Gives out the texts that it stores, oldest first, so that rules can be tried on them.
    pub fn texts<F, R>(self, read: F) -> Self
    where
        F: Fn(S, TextQuery) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Vec<StoredText>>> + Send + 'static,
    {
        self.bind(move |state, handlers| {
            let state = state.clone();
            let read = Arc::new(move |query| read(state.clone(), query).boxed());
            handlers.text_sources.push(read);
        })
    }

    /// Adds a schema migration, run once when the server first starts with it, in the order of
    /// declaration: one or more statements, in one transaction. For modules of other crates: those
    /// of this crate have theirs in `migrations/`.
    ///
    /// # Panics
    /// When the module has a migration of this name already.
    pub fn migration(mut self, name: &'static str, sql: &'static str) -> Self {
        let module = self.name;
        let migrations = &mut self.declared.migrations;
        let is_new = migrations.iter().all(|migration| migration.name != name);
        assert!(
            is_new,
            "module {module} declares the migration {name} twice"
        );
        migrations.push(Migration { module, name, sql });
        self
    }

    /// Adds messages to the catalogue of a language: Fluent source (`include_str!`) whose keys
    /// begin with the module's name.
    pub fn locale(mut self, tag: &'static str, ftl: &'static str) -> Self {
        let module = self.name;
        self.declared
            .messages
            .push(ModuleMessages { module, tag, ftl });
        self
    }

    /// Adds CSS rules to the pages of one account. Markup is shared by all viewers; these rules
    /// show the parts of it that are for this account, such as the controls of its own messages.
    pub fn account_style(mut self, rules: AccountStyle) -> Self {
        self.declared.account_styles.push(rules);
        self
    }

    /// Adds a style sheet, by its path below `assets`.
    pub fn stylesheet(mut self, path: &'static str) -> Self {
        self.declared.stylesheets.push(asset_address(path));
        self
    }

    /// Adds a script (an ES module), by its path below `assets`.
    pub fn script(mut self, path: &'static str) -> Self {
        self.declared.scripts.push(asset_address(path));
        self
    }

    /// Adds a style sheet from the binary (`include_str!`), for modules of other crates. Its URL
    /// contains a digest of its content, and every page links it.
    ///
    /// # Panics
    /// When the name has other characters than `a-z`, `0-9`, `-`, `_` and `.`.
    pub fn embedded_stylesheet(mut self, name: &'static str, css: &'static str) -> Self {
        let asset = EmbeddedAsset::stylesheet(self.name, name, css);
        self.declared.stylesheets.push(asset.address());
        self.declared.embedded_assets.push(asset);
        self
    }

    /// Adds a script (an ES module) from the binary, like
    /// [`embedded_stylesheet`](Self::embedded_stylesheet). The pages of signed-in people link it.
    ///
    /// # Panics
    /// As [`embedded_stylesheet`](Self::embedded_stylesheet).
    pub fn embedded_script(mut self, name: &'static str, js: &'static str) -> Self {
        let asset = EmbeddedAsset::script(self.name, name, js);
        self.declared.scripts.push(asset.address());
        self.declared.embedded_assets.push(asset);
        self
    }

    /// Adds a family of feeds; `authorize` says whether a viewer may follow one.
    pub fn feed<K, F, R>(mut self, feed: Feed<K>, authorize: F) -> Self
    where
        K: FeedKey,
        F: Fn(S, Viewer, K) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<bool>> + Send + 'static,
    {
        let spec = feed.spec();
        self.declared.feeds.push(spec);
        self.bind(move |state, handlers| {
            let state = state.clone();
            let allows = move |viewer, numbers: Vec<i64>| {
                let key = K::from_numbers(&numbers);
                let authorized = key.map(|key| authorize(state.clone(), viewer, key));
                async move {
                    match authorized {
                        Some(authorized) => authorized.await,
                        None => Ok(false),
                    }
                }
            };
            handlers.feeds.push(FeedRule::new(spec, allows));
        })
    }

    /// Has `present` publish the present state of a volatile feed when a client comes back to it
    /// from another instance, as after a restart: it need not refetch then. Of several handlers of
    /// one family each presents its part.
    pub fn on_rejoin<K, F, R>(self, feed: Feed<K>, present: F) -> Self
    where
        K: FeedKey,
        F: Fn(S, K) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let spec = feed.spec();
        self.bind(move |state, handlers| {
            let state = state.clone();
            let present = move |numbers: Vec<i64>| {
                let key = K::from_numbers(&numbers);
                let presented = key.map(|key| present(state.clone(), key));
                async move {
                    if let Some(presented) = presented {
                        presented.await;
                    }
                }
            };
            handlers.rejoin.push(RejoinHandler::new(spec, present));
        })
    }

    /// Adds a route for a path.
    pub fn page(self, audience: Audience, path: &'static str, handler: MethodRouter<S>) -> Self {
        self.bind(move |state, handlers| {
            let handler = handler.with_state(state.clone());
            handlers.routes.push(Route {
                path,
                audience,
                handler,
            });
        })
    }

    /// Adds an action: an `async fn(S, Viewer, I) -> Result<Outcome>`, where `I` is decoded from a
    /// form or JSON. The viewer is signed in; the function checks every further permission.
    pub fn action<I, F, R>(
        self,
        name: &'static str,
        about: &'static str,
        class: Class,
        run: F,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        F: Fn(S, Viewer, I) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Outcome>> + Send + 'static,
    {
        self.declare_action(name, about, class, None, run)
    }

    /// Like [`action`](Self::action), for forms with files of a kind: the action gets their ids.
    pub fn action_with_files<I, F, R>(
        self,
        name: &'static str,
        about: &'static str,
        class: Class,
        files: &'static str,
        run: F,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        F: Fn(S, Viewer, I) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Outcome>> + Send + 'static,
    {
        self.declare_action(name, about, class, Some(files), run)
    }

    fn declare_action<I, F, R>(
        self,
        name: &'static str,
        about: &'static str,
        class: Class,
        files: Option<&'static str>,
        run: F,
    ) -> Self
    where
        I: DeserializeOwned + Send + 'static,
        F: Fn(S, Viewer, I) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Outcome>> + Send + 'static,
    {
        self.assert_owned("action", name);
        self.bind(move |state, handlers| {
            let state = state.clone();
            let run = move |viewer, input| run(state.clone(), viewer, input);
            let action = Action::new(name, about, class, files, run);
            handlers.actions.push(action);
        })
    }

    /// Adds a command that people may write instead of a message. `run` checks its permissions: all
    /// that is known is that its author may write in the room.
    pub fn command<F, R>(self, command: &'static Command, run: F) -> Self
    where
        F: Fn(S, Viewer, CommandCall) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<CommandAnswer>> + Send + 'static,
    {
        self.bind(move |state, handlers| {
            let bound = BoundCommand::new(command, state, run);
            handlers.commands.push(bound);
        })
    }

    /// Adds a subscriber to events.
    pub fn subscriber(self, subscriber: Subscriber<S>) -> Self {
        self.bind(move |state, handlers| handlers.subscribers.push(subscriber.bind(state)))
    }

    /// Adds a kind of job and its handler.
    pub fn job(mut self, kind: JobKind<S>) -> Self {
        self.assert_owned("job", kind.spec.name);
        self.declared.jobs.push(kind.spec.clone());
        self.bind(move |state, handlers| handlers.jobs.push(kind.bind(state)))
    }

    /// Has a job of one of its kinds added at the times of a cron pattern.
    pub fn schedule(self, schedule: Schedule) -> Self {
        self.bind(move |_, handlers| handlers.schedules.push(schedule))
    }

    /// Adds a kind of file.
    pub fn files(mut self, kind: FileKind<S>) -> Self {
        self.assert_owned("kind of files", kind.spec.name);
        self.declared.files.push(kind.spec.clone());
        self.bind(move |state, handlers| handlers.files.push(kind.bind(state)))
    }

    /// Declares what it keeps of accounts under a name: `export` gives out a page of it, after a
    /// position, and `erase` erases some of it and says whether there is more. Both run in jobs.
    pub fn personal_data<X, XR, E, ER>(self, name: &'static str, export: X, erase: E) -> Self
    where
        X: Fn(S, AccountId, i64) -> XR + Send + Sync + 'static,
        XR: Future<Output = Result<DataPage>> + Send + 'static,
        E: Fn(S, Erasure) -> ER + Send + Sync + 'static,
        ER: Future<Output = Result<bool>> + Send + 'static,
    {
        self.bind(move |state, handlers| {
            let data = PersonalData::new(name, state, export, erase);
            handlers.personal_data.push(data);
        })
    }

    /// Declares that it keeps something of rooms or spaces: `erase` erases some of it when one of
    /// them is erased, a bounded step, and says whether there may be more. It runs in a job. What
    /// stands in tables that refer to them with `ON DELETE CASCADE` goes by itself: this is for
    /// what is long, and for files.
    pub fn scope_data<E, R>(self, erase: E) -> Self
    where
        E: Fn(S, ErasedScope) -> R + Send + Sync + 'static,
        R: Future<Output = Result<bool>> + Send + 'static,
    {
        self.bind(move |state, handlers| handlers.scope_data.push(ScopeData::new(state, erase)))
    }

    /// Lets people report a kind of content: `find` gives a thing of it to who may read it.
    pub fn reportable<F, R>(self, kind: &'static str, find: F) -> Self
    where
        F: Fn(S, Viewer, Target) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Reported>> + Send + 'static,
    {
        self.bind(move |state, handlers| {
            let reportable = Reportable::new(kind, state, find);
            handlers.reportables.push(reportable);
        })
    }

    /// Says how it deletes what somebody wrote in a space, when moderators decide that. It runs in
    /// a job.
    pub fn removes_content<F, R>(self, remove: F) -> Self
    where
        F: Fn(S, ContentRemoval) -> R + Send + Sync + 'static,
        R: Future<Output = Result<()>> + Send + 'static,
    {
        self.bind(move |state, handlers| {
            let remover = ContentRemover::new(state, remove);
            handlers.content_removers.push(remover);
        })
    }

    /// Adds a kind of things that can be found by their words. Triggers on their table write a row
    /// of `search_queue` for each change, as those of `0031_search` do.
    pub fn search(self, source: SearchSource<S>) -> Self {
        self.assert_owned("search source", source.name);
        self.bind(move |state, handlers| handlers.search_sources.push(source.bind(state)))
    }

    /// Adds a kind of notices whose text is stored with each.
    pub fn notice_kind(mut self, kind: &'static NoticeKind) -> Self {
        self.assert_owned("kind of notices", kind.name);
        self.declared.notice_kinds.push(kind);
        self
    }

    /// Adds kinds of notices about things whose texts are looked up when they are shown: `load`
    /// gives what an account may see of the things with these ids.
    pub fn notice_kinds<F, R>(mut self, kinds: &'static [&'static NoticeKind], load: F) -> Self
    where
        F: Fn(S, AccountId, Vec<i64>) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Vec<Found>>> + Send + 'static,
    {
        for kind in kinds {
            self = self.notice_kind(kind);
        }
        self.bind(move |state, handlers| {
            let source = NoticeSource::new(kinds, state, load);
            handlers.notice_sources.push(source);
        })
    }

    /// Says that it delivers the notices of all modules.
    pub fn delivers_notices(mut self) -> Self {
        self.declared.delivers_notices = true;
        self
    }

    /// Spawns a task that runs as long as the server, such as a timer.
    pub fn task<F, R>(self, task: F) -> Self
    where
        F: FnOnce(S) -> R + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.bind(move |state, handlers| handlers.tasks.push(task(state.clone()).boxed()))
    }

    /// Adds sections to the sidebar, for one viewer in one space (or outside all spaces).
    pub fn nav<F, R>(self, nav: F) -> Self
    where
        F: Fn(S, Viewer, Option<SpaceId>, Dependencies) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Vec<NavSection>>> + Send + 'static,
    {
        self.bind(move |state, handlers| {
            let state = state.clone();
            handlers.navs.push(Arc::new(move |viewer, space, deps| {
                nav(state.clone(), viewer, space, deps).boxed()
            }));
        })
    }

    /// Adds a pane beside the pages of a space, and of a room where the page is one.
    pub fn pane<F, R>(self, pane: F) -> Self
    where
        F: Fn(S, Viewer, SpaceId, Option<RoomId>, Dependencies) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Arc<Part>>> + Send + 'static,
    {
        self.bind(move |state, handlers| {
            let state = state.clone();
            handlers
                .panes
                .push(Arc::new(move |viewer, space, room, deps| {
                    pane(state.clone(), viewer, space, room, deps).boxed()
                }));
        })
    }

    /// Adds something to rooms, in one of the places for that: `part` renders it for a viewer who
    /// reads the room, or says that there is nothing.
    pub fn room_part<F, R>(self, place: RoomPlace, part: F) -> Self
    where
        F: Fn(S, Viewer, RoomId, Dependencies) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<Option<String>>> + Send + 'static,
    {
        self.bind(move |state, handlers| {
            let state = state.clone();
            let part: RoomPart =
                Arc::new(move |viewer, room, deps| part(state.clone(), viewer, room, deps).boxed());
            handlers.room_parts.push((place, part));
        })
    }

    pub(super) fn bind_to(self, state: &S, handlers: &mut Handlers) {
        self.binds
            .into_iter()
            .for_each(|bind| bind(state, handlers));
    }
}
