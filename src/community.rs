//! Floor 2: who is here and what they may do. Accounts, sessions, spaces, rooms, invitations, and
//! the one question every module asks: [`Community::permit`].

mod accounts;
mod actions;
mod emoji;
mod housekeeping;
mod invites;
mod membership;
mod names;
mod pages;
mod passwords;
pub mod permissions;
mod portraits;
mod rooms;
mod sessions;
mod setup;
pub mod shell;
mod sign_in;
mod sign_in_limits;
mod spaces;
pub mod topics;
mod views;

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use moka::sync::Cache;

use crate::base::error::Result;
use crate::base::ids::{AccountId, EventId, RoomId, SpaceId};
use crate::engine::bus::BoundSubscriber;
use crate::engine::feed::Feed;
use crate::engine::module::{Access, AccountStyle, Declarations, Module, Nav, Pane};
use crate::engine::versions::{Dependencies, Snapshot};
use crate::engine::viewer::Viewer;
use crate::engine::{Engine, Started};
pub use accounts::Account;
pub use emoji::{Emoji, EmojiSet};
pub use membership::Person;
use passwords::Passwords;
pub use permissions::{Permission, Role, Scope};
pub use portraits::Face;
pub use rooms::Room;
use sessions::Sessions;
use sign_in_limits::SignInLimiter;

/// Everything about people and places. Cheap to clone.
#[derive(Clone)]
pub struct Community(Arc<Inner>);

struct Inner {
    engine: Engine,
    /// Every declared permission.
    permissions: Vec<&'static Permission>,
    account_styles: Vec<AccountStyle>,
    passwords: Passwords,
    sessions: Sessions,
    sign_in_limiter: SignInLimiter,
    accounts: Versioned<AccountId, Arc<Account>>,
    roles: Versioned<(AccountId, SpaceId), Option<Role>>,
    rooms: Versioned<RoomId, Arc<Room>>,
    entries: Versioned<(AccountId, RoomId), bool>,
    emoji: Versioned<SpaceId, Arc<EmojiSet>>,
    members: Versioned<SpaceId, Arc<HashSet<AccountId>>>,
    room_members: Versioned<RoomId, Arc<HashSet<AccountId>>>,
    /// Who set the server up, once somebody has. It never changes.
    owner: OnceLock<AccountId>,
    navs: OnceLock<Vec<Nav>>,
    panes: OnceLock<Vec<Pane>>,
    subscribers: OnceLock<Vec<BoundSubscriber>>,
}

/// What was read, with what it was read from.
type Versioned<K, V> = Cache<K, (Snapshot, V)>;

fn versioned<K, V>(ttl: Duration) -> Versioned<K, V>
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

/// Lists of members, bounded by how many accounts they hold in all: 32 bytes each.
fn member_lists<K>(ttl: Duration) -> Versioned<K, Arc<HashSet<AccountId>>>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
{
    const MAX_ACCOUNTS: u64 = 500_000;
    Cache::builder()
        .weigher(|_, (_, members): &(Snapshot, Arc<HashSet<AccountId>>)| {
            u32::try_from(members.len() + 8).unwrap_or(u32::MAX)
        })
        .max_capacity(MAX_ACCOUNTS)
        .time_to_live(ttl)
        .build()
}

impl Community {
    /// The community kept in the engine's database, for modules that declare this.
    pub fn new(engine: Engine, declared: &Declarations) -> Self {
        let ttl = engine.settings.cache_ttl();
        Self(Arc::new(Inner {
            permissions: declared.permissions.clone(),
            account_styles: declared.account_styles.clone(),
            passwords: Passwords::new(),
            sessions: Sessions::new(&engine),
            sign_in_limiter: SignInLimiter::default(),
            accounts: versioned(ttl),
            roles: versioned(ttl),
            rooms: versioned(ttl),
            entries: versioned(ttl),
            emoji: versioned(ttl),
            members: member_lists(ttl),
            room_members: member_lists(ttl),
            owner: OnceLock::new(),
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

    /// Gives a dead letter to its subscriber once more.
    ///
    /// # Errors
    /// `NotFound` when it or its subscriber is gone; else what the handler fails with.
    pub async fn replay_dead_letter(&self, event: EventId, subscriber: &str) -> Result<()> {
        let subscribers = self.0.subscribers.get().map_or(&[][..], Vec::as_slice);
        let engine = &self.0.engine;
        engine
            .dead_letters
            .replay(event, subscriber, &engine.bus, subscribers)
            .await
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

    /// Reads through a cache. `depends_on` names what the value is read from; it counts until an
    /// event changes one of these.
    async fn remember<K, V, F>(
        &self,
        cache: &Versioned<K, V>,
        key: K,
        depends_on: impl FnOnce(&Dependencies),
        load: F,
    ) -> Result<V>
    where
        K: std::hash::Hash + Eq + Copy + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
        F: Future<Output = Result<V>>,
    {
        if let Some((snapshot, value)) = cache.get(&key)
            && snapshot.is_fresh()
        {
            return Ok(value);
        }
        let deps = self.0.engine.versions.dependencies();
        depends_on(&deps);
        let value = load.await?;
        cache.insert(key, (deps.snapshot(), value.clone()));
        Ok(value)
    }
}

/// Frames of each person's own feed: there are as many as people, and a sidebar is soon read again.
const MAX_ACCOUNT_FRAMES: usize = 32;

/// What concerns a space as a whole: its name and list of public rooms.
pub const SPACE_FEED: Feed<SpaceId> =
    Feed::new("space/{space}", "The space's name and list of public rooms");
/// What concerns one person in all their tabs.
pub const ACCOUNT_FEED: Feed<AccountId> = Feed::new(
    "account/{account}",
    "What concerns one person in all their tabs",
)
.keeping(MAX_ACCOUNT_FRAMES);

/// All that it adds to the engine.
pub fn module() -> Module<Community> {
    let module = Module::new("community")
        .publishes::<topics::AccountChanged>()
        .publishes::<topics::SpaceCreated>()
        .publishes::<topics::SpaceChanged>()
        .publishes::<topics::EmojiChanged>()
        .publishes::<topics::MemberJoined>()
        .publishes::<topics::MemberLeft>()
        .publishes::<topics::RoomCreated>()
        .publishes::<topics::RoomChanged>()
        .publishes::<topics::SessionEnded>()
        .permission(&permissions::READ)
        .permission(&permissions::MANAGE_ROOMS)
        .permission(&permissions::MANAGE_SPACE)
        .permission(&permissions::INVITE)
        .permission(&permissions::CREATE_SPACE)
        .stylesheet("css/community.css")
        .feed(SPACE_FEED, may_follow_space)
        .feed(ACCOUNT_FEED, |_, viewer, account| async move {
            Ok(viewer.account == account)
        })
        .subscriber(shell::presenter())
        .task(Community::evict_repeatedly);
    let module = emoji::declare(portraits::declare(sign_in::declare(actions::declare(
        module,
    ))));
    pages::declare(module).page(
        Access::Anyone,
        "/accounts/{account}/mine.css",
        get(pages::account_style),
    )
}

async fn may_follow_space(community: Community, viewer: Viewer, space: SpaceId) -> Result<bool> {
    Ok(community.role(viewer.account, space).await?.is_some())
}
