//! Terminals: a member shares a program that runs on their own machine, everybody in the room sees
//! it move, and some may type.
//!
//! `tidepool share` dials out over one socket and mirrors a terminal (`core`) to the instance that
//! it is connected to (`sharing`, `open`); others watch over sockets of their own (`watching`), also
//! on other instances (`relay`). The server runs nothing, unless its host allows room shells
//! (`shell`), which are contained.

mod actions;
mod baton;
mod baton_store;
pub mod core;
mod guest_links;
mod guest_pages;
pub mod hello;
mod input;
mod lease;
mod link_pages;
mod listing;
mod model;
mod open;
mod operate_page;
mod pages;
mod personal_data;
mod presenter;
mod recorder;
mod recording_pages;
mod recordings;
mod relay;
mod screen_rate;
mod search;
mod sent_file_store;
mod sent_files;
mod sharer_notes;
mod sharing;
mod shell;
mod store;
mod summaries;
mod token_pages;
mod tokens;
mod topics;
mod typing_audit;
mod views;
mod watch;
mod watching;

use std::sync::Arc;
use std::time::Duration;

use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};
use crate::base::places::Places;
use crate::community::permissions::is_granted;
use crate::community::{Community, Permission};
use crate::engine::Engine;
use crate::engine::bus::Subscriber;
use crate::engine::feed::Feed;
use crate::engine::module::{Module, RoomPlace};
use crate::engine::notices::{NoticeKind, ToldAt};
use crate::engine::permission::{HeldBy, ScopeKind};
use crate::engine::rate_limit::Rate;
use crate::engine::viewer::Viewer;
use model::TerminalId;
use open::{MAX_GUESTS, OpenTerminals};
use relay::Links;
use summaries::Summaries;
use topics::{MessageRelayed, ScreenChanged, SummaryChanged, TerminalChanged};

/// To see the terminals of a room.
pub static VIEW: Permission = Permission {
    name: "terminals.view",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: false,
    about: "Watch the terminals of a room",
};

/// To be let type there.
pub static TYPE: Permission = Permission {
    name: "terminals.type",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: false,
    about: "Type in terminals of a room whose hosts allow it",
};

/// To share one.
pub static SHARE: Permission = Permission {
    name: "terminals.share",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: true,
    about: "Share terminals in a room",
};

/// To open one whose program runs on the server.
pub static SHELL: Permission = Permission {
    name: "terminals.shell",
    scope: ScopeKind::Room,
    held_by: HeldBy::Owners,
    adds_content: true,
    about: "Open contained shells on the server in a room, where its host allows them",
};

/// To have people without an account watch one's own.
pub static LINK: Permission = Permission {
    name: "terminals.link",
    scope: ScopeKind::Room,
    held_by: HeldBy::Moderators,
    adds_content: true,
    about: "Let people without an account watch one's terminals of a room by links",
};

/// To end those of others.
pub static END_OTHERS: Permission = Permission {
    name: "terminals.end-others",
    scope: ScopeKind::Room,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "End terminals that others share in a room",
};

/// To see and end all of the server.
pub static OPERATE: Permission = Permission {
    name: "terminals.operate",
    scope: ScopeKind::Server,
    held_by: HeldBy::Host,
    adds_content: false,
    about: "See and end all terminals of the server",
};

static ENDED: NoticeKind = NoticeKind {
    name: "terminals.ended",
    line: "notice-terminal-ended",
    told_at: ToldAt::Mentions,
};

/// Frames of a room that are kept for those who come back.
const MAX_FRAMES: usize = 32;

const HOUR: Duration = Duration::from_secs(3_600);

/// Which terminals there are in a room, and who is in them.
pub const TERMINALS_FEED: Feed<RoomId> = Feed::new(
    "room/{room}/terminals",
    "The terminals of a room, and who is in them",
)
.volatile()
.max_frames(MAX_FRAMES);

/// What their screens show.
pub const SCREENS_FEED: Feed<RoomId> = Feed::new(
    "room/{room}/terminals/screens",
    "Small pictures of the screens of a room's terminals",
)
.ephemeral();

/// The module. Cheap to clone.
#[derive(Clone)]
pub struct Terminals {
    engine: Engine,
    community: Community,
    open: OpenTerminals,
    summaries: Summaries,
    links: Links,
    sharers: Places<AccountId>,
    watching: Places<AccountId>,
    shells: shell::Slots,
    /// Who watch by links.
    guests: Places<TerminalId>,
    /// Terminals that accounts begin.
    begun: Arc<Rate<AccountId>>,
    /// Searches of accounts in terminals.
    searches: Arc<Rate<AccountId>>,
}

impl Terminals {
    /// Creates the module's state.
    pub fn new(community: &Community) -> Self {
        Self {
            engine: community.engine().clone(),
            community: community.clone(),
            open: OpenTerminals::default(),
            summaries: Summaries::default(),
            links: Links::default(),
            sharers: Places::default(),
            watching: Places::default(),
            shells: shell::Slots::default(),
            guests: Places::default(),
            begun: Arc::new(Rate::new(sharing::MAX_BEGUN_PER_HOUR, HOUR)),
            searches: Arc::new(search::rate()),
        }
    }
}

/// What the module declares to the engine.
pub fn module() -> Module<Terminals> {
    let module = Module::new("terminals")
        .publishes::<TerminalChanged>()
        .publishes::<SummaryChanged>()
        .publishes::<ScreenChanged>()
        .publishes::<MessageRelayed>()
        .permission(&VIEW)
        .permission(&TYPE)
        .permission(&SHARE)
        .permission(&SHELL)
        .permission(&LINK)
        .permission(&END_OTHERS)
        .permission(&OPERATE)
        .account_style(views::account_style)
        .stylesheet("css/terminals.css")
        .script("js/terminals.js")
        .feed(TERMINALS_FEED, may_follow)
        .feed(SCREENS_FEED, may_follow)
        .on_rejoin(TERMINALS_FEED, presenter::present)
        .room_part(RoomPlace::AbovePage, pages::above_page)
        .room_part(RoomPlace::Tools, pages::tool)
        .notice_kind(&ENDED)
        .personal_data("terminals", personal_data::export, personal_data::erase)
        .subscriber(
            Subscriber::new("terminals.presenter")
                .on(presenter::terminal_changed)
                .on(presenter::summary_changed)
                .on(presenter::screen_changed),
        )
        .subscriber(Subscriber::new("terminals.relay").on(relay::message_relayed))
        .task(Terminals::watch_rights)
        .task(Terminals::renew_repeatedly)
        .task(Terminals::note_typed_repeatedly)
        .task(Terminals::store_recorded_repeatedly)
        .task(Terminals::check_shells);
    let module = baton::declare(actions::declare(module));
    pages::declare(shell::declare(sent_files::declare(module)))
}

async fn may_follow(terminals: Terminals, viewer: Viewer, room: RoomId) -> Result<bool> {
    let access = &terminals.community.access;
    is_granted(access.permit_in_room(viewer.account, &VIEW, room).await)
}
