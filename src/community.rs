//! Floor 2: who is here and what they may do. Accounts, sessions, spaces, rooms, invitations, and
//! the one question every module asks: [`Community::permit`].

mod accounts;
mod actions;
mod door;
mod emoji;
mod invites;
mod membership;
mod names;
mod operations;
mod pages;
mod passwords;
pub mod permissions;
mod portraits;
mod rooms;
mod sessions;
mod setup;
pub mod shell;
mod spaces;
pub mod topics;
mod views;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use moka::sync::Cache;

use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::bus::Subscriber;
use crate::engine::live::FeedSpec;
use crate::engine::module::{Access, Module, Nav, Pane};
use crate::engine::viewer::Viewer;
use crate::engine::{Engine, Started};
pub use accounts::Account;
pub use emoji::{Emoji, EmojiSet};
pub use membership::Person;
use passwords::Passwords;
pub use permissions::{Permission, Place, Role};
pub use portraits::Face;
pub use rooms::Room;
use sessions::Sessions;
use setup::SignInLimiter;

/// Everything about people and places. Cheap to clone.
#[derive(Clone)]
pub struct Community(Arc<Inner>);

struct Inner {
    engine: Engine,
    passwords: Passwords,
    sessions: Sessions,
    sign_in_limiter: SignInLimiter,
    accounts: Stamped<AccountId, Arc<Account>>,
    roles: Stamped<(AccountId, SpaceId), Option<Role>>,
    rooms: Stamped<RoomId, Arc<Room>>,
    entries: Stamped<(AccountId, RoomId), bool>,
    emoji: Stamped<SpaceId, Arc<EmojiSet>>,
    /// Who set the server up, once somebody has. It never changes.
    owner: OnceLock<AccountId>,
    /// Grows with every change of a right; see [`Community::remember`].
    changes: Arc<AtomicU64>,
    navs: OnceLock<Vec<Nav>>,
    panes: OnceLock<Vec<Pane>>,
    subscribers: OnceLock<Vec<Subscriber>>,
}

// Frames of each person's own feed: there are as many as people, and a sidebar is soon read again.
const PERSONAL: usize = 32;

/// What was read, with the number of the change after which it was.
type Stamped<K, V> = Cache<K, (u64, V)>;

fn stamped<K, V>(ttl: Duration) -> Stamped<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    // A few dozen bytes each: these are bounded by count.
    Cache::builder()
        .max_capacity(50_000)
        .time_to_live(ttl)
        .build()
}

impl Community {
    /// The community kept in the engine's database.
    pub fn new(engine: Engine) -> Self {
        let ttl = engine.settings.cache_ttl();
        Self(Arc::new(Inner {
            passwords: Passwords::new(),
            sessions: Sessions::new(&engine),
            sign_in_limiter: SignInLimiter::default(),
            accounts: stamped(ttl),
            roles: stamped(ttl),
            rooms: stamped(ttl),
            entries: stamped(ttl),
            emoji: stamped(ttl),
            owner: OnceLock::new(),
            changes: engine.versions.of("community", 0),
            navs: OnceLock::new(),
            panes: OnceLock::new(),
            subscribers: OnceLock::new(),
            engine,
        }))
    }

    /// The engine below.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Takes what the modules add to its pages, once they are declared.
    pub fn take(&self, started: &Started) {
        let _ = self.0.navs.set(started.navs.clone());
        let _ = self.0.panes.set(started.panes.clone());
        let _ = self.0.subscribers.set(started.subscribers.clone());
    }

    /// Whether a session may go on: asked before every action and whenever a right may have
    /// changed.
    pub async fn still_valid(&self, viewer: &Viewer) -> bool {
        self.0
            .sessions
            .is_open(&viewer.session, viewer.account)
            .await
    }

    /// Puts who is asking in front of every request.
    pub fn guard(&self, router: Router) -> Router {
        sessions::guard(self, router)
    }

    /// Reads through a cache. What was read counts only until the next change of anything: changes
    /// are rare beside reads, and nothing that a change has overtaken can be mistaken for the
    /// present.
    async fn remember<K, V, F>(&self, cache: &Stamped<K, V>, key: K, load: F) -> Result<V>
    where
        K: std::hash::Hash + Eq + Copy + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
        F: Future<Output = Result<V>>,
    {
        let now = self.0.changes.load(Ordering::Acquire);
        if let Some((at, value)) = cache.get(&key)
            && at == now
        {
            return Ok(value);
        }
        let value = load.await?;
        cache.insert(key, (now, value.clone()));
        Ok(value)
    }

    /// Marks that an account, a right or a room changed: called in the commit, before sockets are
    /// told to prove theirs.
    fn changed(&self) {
        self.0.changes.fetch_add(1, Ordering::AcqRel);
    }

    /// All that it adds to the engine.
    pub fn module(&self) -> Module {
        let (presence_of_space, operators) = (self.clone(), self.clone());
        let module = Module::new("community")
            .publishes::<topics::SpaceRenamed>()
            .publishes::<topics::EmojiChanged>()
            .publishes::<topics::MemberJoined>()
            .publishes::<topics::MemberLeft>()
            .publishes::<topics::RoomCreated>()
            .publishes::<topics::RoomChanged>()
            .publishes::<topics::SessionEnded>()
            .stylesheet("css/community.css")
            .feed(FeedSpec::new(
                "space/{space}",
                "The space's name and list of public rooms",
                move |viewer, ids| {
                    let community = presence_of_space.clone();
                    async move {
                        Ok(community
                            .role(viewer.account, SpaceId(ids[0]))
                            .await?
                            .is_some())
                    }
                },
            ))
            .feed(
                FeedSpec::new(
                    "account/{account}",
                    "What concerns one person in all their tabs",
                    |viewer, ids| async move { Ok(viewer.account == AccountId(ids[0])) },
                )
                .keeping(PERSONAL),
            )
            .feed(
                FeedSpec::new(
                    "server/jobs",
                    "That jobs changed, for who runs the server",
                    move |viewer, _| {
                        let community = operators.clone();
                        async move {
                            Ok(community
                                .permit(viewer.account, Permission::Operate, Place::Server)
                                .await
                                .is_ok())
                        }
                    },
                )
                .keeping(PERSONAL),
            )
            .subscriber(shell::presenter(self))
            .task(self.clone().keep_house());
        let module = door::declare(self, actions::declare(self, module));
        let module = emoji::declare(self, portraits::declare(self, module));
        pages::declare(self, module).page(
            Access::Anyone,
            "/accounts/{account}/mine.css",
            get(pages::mine),
        )
    }
}
