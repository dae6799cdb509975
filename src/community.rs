//! Layer 2: accounts, sessions, spaces, rooms and invitations, and the permission check that every
//! module uses: [`Access::permit`].

mod access;
mod access_store;
mod account_deletion;
mod account_mail;
mod account_pages;
mod accounts;
mod actions;
mod actor;
pub mod audit;
mod audit_list;
mod authenticate;
mod ban_cleanup;
mod bans;
pub mod blocks;
mod cache;
mod check;
mod credentials;
mod data_export;
mod deletion_grace;
mod device_names;
mod devices;
mod direct_rooms;
mod emoji;
mod find;
mod group_pages;
mod groups;
mod guest_pages;
mod guests;
mod housekeeping;
mod invite_pages;
mod invites;
mod join_lines;
mod join_pages;
mod join_requests;
mod joining;
mod joining_pages;
mod last_space;
mod member_list;
mod member_names;
mod member_roles;
mod mention_marks;
mod mentionable;
mod name_skeletons;
mod names;
mod networks;
mod notice_levels;
mod oidc;
mod one_time_tokens;
mod other_instances;
mod pages;
mod passkeys;
mod password_reset;
mod password_strength;
mod passwords;
mod permission_set;
pub mod permissions;
mod person;
mod portraits;
mod presence_choice;
mod present;
mod profile_pages;
mod profiles;
pub mod raid_mode;
mod rail_order;
mod reader_pages;
mod readers;
mod redirects;
mod registration;
mod registration_pages;
mod report_target;
mod role_pages;
mod role_views;
mod roles;
mod room_category;
mod room_changes;
mod room_deletion;
mod room_form;
mod room_leaving;
mod room_names;
mod room_order;
mod room_order_pages;
mod room_permission_pages;
mod room_permissions;
mod room_positions;
mod room_row;
mod room_topic;
mod rooms;
mod sanction_pages;
mod sanction_review;
mod sanctions;
pub mod search_scope;
mod second_step;
mod seed;
mod server_ban_pages;
mod server_bans;
mod session_store;
mod sessions;
mod setup;
mod setup_pages;
mod shell;
mod sidebar;
mod sign_in;
mod sign_in_limits;
mod sign_in_request;
mod slow_mode;
mod space_deletion;
mod space_list_pages;
mod space_rules;
pub mod space_tabs;
mod spaces;
mod standing;
mod time_outs;
pub mod topics;
mod totp;
mod totp_pages;
mod views;
mod web_access;
mod web_pages;
mod welcome_pages;

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::Engine;
use crate::engine::feed::Feed;
use crate::engine::module::{AccountStyle, Audience, Declarations, Module, SpaceTab};
use crate::engine::viewer::Viewer;
pub use access::{Access, lock_account};
pub use accounts::{Account, AccountStatus, Accounts};
pub use cache::{Members, StoreCache};
pub use check::problems;
use devices::KnownDevices;
pub use direct_rooms::DirectRoom;
pub use emoji::{Emoji, EmojiSet, EmojiSets};
use find::PeopleIndexes;
pub use groups::{Group, GroupId, Groups};
pub use invite_pages::request_origin;
use invites::Invites;
pub use member_names::MemberNames;
pub use mention_marks::{count_mark, mention_mark};
pub use mentionable::{Mentionable, MentionableKind};
pub use names::{latin_lookalike, name_key};
pub use notice_levels::{NoticeLevel, NoticeLevels};
pub use permission_set::{DeclaredPermissions, PermissionSet};
pub use permissions::{Membership, Permission, Scope};
pub use person::Person;
pub use portraits::Face;
pub use presence_choice::PresenceChoice;
pub use present::Present;
pub use roles::{Role, Roles};
pub use room_category::{Category, CategoryId};
pub use room_names::RoomNames;
pub use rooms::{Room, Rooms, insert_thread, rename_thread};
pub use sanction_review::SanctionInForce;
pub use sanctions::{SanctionId, Sanctions};
use search_scope::SearchScope;
pub use seed::{Language, SeededCommunity, SeededPerson, SeededRoom};
use server_bans::ServerBans;
use session_store::Sessions;
use setup::SetupToken;
pub use shell::{Layout, Shell};
use sign_in_limits::SignInLimiter;
pub use space_tabs::Tab;
pub use spaces::{Space, Spaces};
pub use standing::{Member, RoleId, RoomKind, RoomRules};
pub use totp::qr_svg;
pub use web_access::WebSpace;

/// A facade over the community's services, one per noun: `community.rooms`, `community.access` and
/// so on. Cheap to clone.
#[derive(Clone)]
pub struct Community(Arc<Services>);

/// The services of a [`Community`].
pub struct Services {
    engine: Engine,
    account_styles: Vec<AccountStyle>,
    space_tabs: Vec<SpaceTab>,
    sessions: Sessions,
    sign_in_limiter: SignInLimiter,
    devices: KnownDevices,
    setup_token: SetupToken,
    server_bans: ServerBans,
    invites: Invites,
    oidc: Option<oidc::Provider>,
    people_indexes: PeopleIndexes,
    search_scopes: StoreCache<AccountId, Arc<SearchScope>>,
    notice_levels: StoreCache<AccountId, Arc<NoticeLevels>>,
    /// Permission checks and memberships.
    pub access: Access,
    /// The accounts of this server.
    pub accounts: Accounts,
    /// The spaces of this server.
    pub spaces: Spaces,
    /// The roles of spaces.
    pub roles: Roles,
    /// The groups of spaces that can be mentioned.
    pub groups: Groups,
    /// Who is here, as others see it.
    pub present: Present,
    /// Time-outs, bans, and the history of members.
    pub sanctions: Sanctions,
    /// Rooms and direct conversations.
    pub rooms: Rooms,
    /// The emoji of spaces.
    pub emoji: EmojiSets,
}

impl Deref for Community {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

impl Community {
    /// Creates the services. `declared` is what all modules declare: their permissions and account
    /// styles.
    pub fn new(engine: Engine, declared: &Declarations) -> Self {
        let sign_in_limiter = SignInLimiter::default();
        let access = Access::new(&engine, &declared.permissions);
        let accounts = Accounts::new(&engine);
        Self(Arc::new(Services {
            account_styles: declared.account_styles.clone(),
            space_tabs: declared.space_tabs.clone(),
            sessions: Sessions::new(&engine, &accounts),
            sign_in_limiter,
            devices: KnownDevices {
                engine: engine.clone(),
            },
            setup_token: SetupToken::default(),
            server_bans: ServerBans::new(&engine),
            invites: Invites {
                engine: engine.clone(),
                access: access.clone(),
                accounts: accounts.clone(),
            },
            oidc: oidc::Provider::from_settings(&engine.settings),
            people_indexes: PeopleIndexes::new(&engine),
            search_scopes: StoreCache::of_lists(&engine, |scope| {
                scope.any.len() + scope.none.len()
            }),
            notice_levels: StoreCache::of_lists(&engine, notice_levels::count),
            spaces: Spaces::new(&engine, &access),
            roles: Roles {
                engine: engine.clone(),
                access: access.clone(),
            },
            groups: Groups::new(&engine, &access),
            present: Present::default(),
            sanctions: Sanctions {
                engine: engine.clone(),
                access: access.clone(),
            },
            rooms: Rooms::new(&engine, &access),
            emoji: EmojiSets::new(&engine, &access),
            access,
            accounts,
            engine,
        }))
    }

    /// The engine that the services run on.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Whether a session has not ended. Checked before every action on a socket, and whenever
    /// permissions may have changed.
    ///
    /// # Errors
    /// When the session could not be read.
    pub async fn is_session_valid(&self, viewer: &Viewer) -> Result<bool> {
        let Viewer {
            session,
            account,
            address,
            ..
        } = viewer;
        Ok(!self.server_bans.refuses(*address).await?
            && self.sessions.is_open(session, *account).await?)
    }

    /// Wraps a router so that every request has its viewer, and none comes from a banned network.
    pub fn guard(&self, router: Router) -> Router {
        sessions::guard((&self.sessions, &self.server_bans), router)
    }
}

/// Frames stored per account feed. Small, because there is a feed per account and a refetch of the
/// sidebar is cheap.
const MAX_ACCOUNT_FRAMES: usize = 32;

/// Changes of a space's name and list of public rooms.
pub const SPACE_FEED: Feed<SpaceId> =
    Feed::new("space/{space}", "The space's name and list of public rooms");
/// An account's private feed: changes of its list of rooms.
pub const ACCOUNT_FEED: Feed<AccountId> =
    Feed::new("account/{account}", "Changes of one person's list of rooms")
        .max_frames(MAX_ACCOUNT_FRAMES);
/// The unread marks in an account's sidebar, which modules set and remove: elements
/// `#unread-<key>`. A module that does also brings them up to date with `Module::on_rejoin`.
pub const UNREAD_FEED: Feed<AccountId> = Feed::new(
    "account/{account}/unread",
    "The unread marks in one person's sidebar",
)
.volatile()
.max_frames(MAX_ACCOUNT_FRAMES);

/// What the community declares to the engine.
pub fn module() -> Module<Community> {
    let module = Module::new("community")
        .publishes::<topics::AccountChanged>()
        .publishes::<topics::ProfileChanged>()
        .publishes::<topics::AccountRenamed>()
        .publishes::<topics::BlocksChanged>()
        .publishes::<topics::SpaceCreated>()
        .publishes::<topics::SpaceDeleted>()
        .publishes::<topics::SpacesOrdered>()
        .publishes::<topics::WebAccessChanged>()
        .publishes::<topics::SpaceChanged>()
        .publishes::<topics::SpaceVisited>()
        .publishes::<topics::EmojiChanged>()
        .publishes::<topics::MemberJoined>()
        .publishes::<topics::JoiningChanged>()
        .publishes::<topics::JoinRequested>()
        .publishes::<topics::JoinAnswered>()
        .publishes::<topics::SpaceRulesChanged>()
        .publishes::<topics::MemberLeft>()
        .publishes::<topics::MemberChanged>()
        .publishes::<topics::MemberBanned>()
        .publishes::<topics::RolesChanged>()
        .publishes::<topics::GroupsChanged>()
        .publishes::<topics::GroupJoined>()
        .publishes::<topics::PresenceChosen>()
        .publishes::<topics::NoticeLevelChanged>()
        .command(&room_topic::TOPIC, room_topic::command)
        .notice_kind(&join_requests::JOIN_ACCEPTED)
        .notice_kind(&join_requests::JOIN_DECLINED)
        .publishes::<topics::StatusChanged>()
        .publishes::<topics::RoomCreated>()
        .publishes::<topics::RoomChanged>()
        .publishes::<topics::SessionEnded>()
        .publishes::<topics::ServerSetUp>()
        .publishes::<topics::SignInTried>()
        .publishes::<topics::ServerBansChanged>()
        .permission(&permissions::READ)
        .permission(&permissions::MANAGE_ROOMS)
        .permission(&permissions::MANAGE_SPACE)
        .permission(&permissions::MANAGE_ROLES)
        .permission(&permissions::INVITE)
        .permission(&permissions::APPROVE)
        .permission(&permissions::KICK)
        .permission(&permissions::BAN)
        .permission(&permissions::TIME_OUT)
        .permission(&permissions::VIEW_AUDIT)
        .permission(&permissions::CREATE_SPACE)
        .permission(&permissions::SET_REGISTRATION)
        .permission(&permissions::MANAGE_SERVER)
        .reportable("account", report_target::account)
        .stylesheet("css/community.css")
        .feed(SPACE_FEED, may_follow_space)
        .feed(ACCOUNT_FEED, |_, viewer, account| async move {
            Ok(viewer.account == account)
        })
        .feed(UNREAD_FEED, |_, viewer, account| async move {
            Ok(viewer.account == account)
        })
        .feed(join_requests::JOIN_REQUESTS_FEED, join_requests::may_follow)
        .subscriber(sidebar::presenter())
        .subscriber(join_requests::presenter())
        .subscriber(other_instances::subscriber())
        .task(Community::evict_repeatedly)
        .task(Community::end_expired_sessions)
        .task(Community::end_time_outs_repeatedly)
        .task(Community::end_guests_repeatedly)
        .task(Community::end_raid_modes_repeatedly);
    let parts = [
        actions::declare,
        setup_pages::declare,
        sign_in::declare,
        password_reset::declare,
        portraits::declare,
        emoji::declare,
        pages::declare,
        account_pages::declare,
        totp_pages::declare,
        credentials::declare,
        passkeys::declare,
        oidc::declare,
        account_deletion::declare,
        data_export::declare,
        profile_pages::declare,
        role_pages::declare,
        group_pages::declare,
        sanction_pages::declare,
        server_ban_pages::declare,
        ban_cleanup::declare,
        raid_mode::declare,
        room_permission_pages::declare,
        room_order_pages::declare,
        invite_pages::declare,
        joining_pages::declare,
        join_pages::declare,
        registration_pages::declare,
        welcome_pages::declare,
        guest_pages::declare,
        space_list_pages::declare,
        space_deletion::declare,
        room_deletion::declare,
        reader_pages::declare,
        web_pages::declare,
        find::declare,
    ];
    let module = parts
        .into_iter()
        .fold(module, |module, declare| declare(module));
    module.page(
        Audience::Anyone,
        "/accounts/{account}/mine.css",
        get(pages::account_style),
    )
}

async fn may_follow_space(community: Community, viewer: Viewer, space: SpaceId) -> Result<bool> {
    Ok(community
        .access
        .member(viewer.account, space)
        .await?
        .is_some())
}
