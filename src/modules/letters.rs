//! Letters: slow mail inside a space. A letter is written at a desk, sealed for ever, and then
//! travels: by tide it stays here and takes its time, by hand it is copied on paper and couriers
//! carry it. Every change of its state is a row of one table (`model.rs`), and an entry of its
//! journey (`journey.rs`).

mod absence;
mod actions;
mod assign;
mod assigning;
mod bag_actions;
mod bags;
mod board_page;
mod boxes;
mod carried;
mod carry;
mod codes;
mod contest_actions;
mod contest_page;
mod contests;
mod courier_actions;
mod courier_pages;
mod courier_rules;
mod couriers;
mod desk;
mod drafts;
mod drift;
mod drift_page;
mod drift_store;
mod drifting;
mod envelopes;
mod escalation;
mod exhibit_page;
mod exhibitions;
mod expiry_job;
mod hidden_page;
mod input;
mod journey;
mod kindness;
mod leaving;
mod letter;
mod letter_page;
mod model;
mod museum;
mod museum_notes;
mod museum_page;
mod nav;
mod pages;
mod pages_view;
mod people;
mod permitted;
mod personal_data;
mod place_actions;
mod place_pages;
mod places;
mod points;
mod points_page;
mod post;
mod presenter;
mod promotion;
mod prompts;
mod report_target;
mod round_page;
mod scan_keys;
mod scan_page;
mod scans;
mod search_source;
mod settings;
mod settings_page;
mod settle;
mod sheet_page;
mod shift;
mod standing;
mod stickers;
mod store;
mod substitute;
mod suggestions;
mod text;
mod tide;
mod topics;
mod travel;
mod views;

use chrono_tz::Tz;

use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::local_time::time_zone;
use crate::community::permissions::{READ, is_granted};
use crate::community::{Community, Permission, Scope};
use crate::engine::Engine;
use crate::engine::bus::Subscriber;
use crate::engine::feed::Feed;
use crate::engine::jobs::{JobKind, Schedule};
use crate::engine::module::Module;
use crate::engine::notices::{NoticeKind, ToldAt};
use crate::engine::permission::{HeldBy, ScopeKind};
use crate::engine::viewer::Viewer;
use model::LetterId;
use settings::LetterSettings;
use suggestions::Prompter;
use topics::{ContestsChanged, LetterChanged, LetterMoved, MuseumChanged, SettingsChanged};

/// To write letters.
pub static WRITE: Permission = Permission {
    name: "letters.write",
    scope: ScopeKind::Space,
    held_by: HeldBy::Members,
    adds_content: false,
    about: "Write letters to members of the space, and open ones to all",
};

/// To say how a space has its letters, and to run those that are carried by hand.
pub static ORGANISE: Permission = Permission {
    name: "letters.organise",
    scope: ScopeKind::Space,
    held_by: HeldBy::Owners,
    adds_content: false,
    about: "Set up letters, places, couriers and stickers, and settle what is late or lost",
};

/// To take letters down.
pub static MODERATE: Permission = Permission {
    name: "letters.moderate",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Take letters down",
};

/// To hang letters in the museum.
pub static CURATE: Permission = Permission {
    name: "letters.curate",
    scope: ScopeKind::Space,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Hang letters that both sides give in the museum, and take them down",
};

static ARRIVED: NoticeKind = NoticeKind {
    name: "letters.arrived",
    line: "notice-letter-arrived",
    told_at: ToldAt::Mentions,
};
static MOVED: NoticeKind = NoticeKind {
    name: "letters.delivered",
    line: "notice-letter-delivered",
    told_at: ToldAt::Mentions,
};
static CAME_BACK: NoticeKind = NoticeKind {
    name: "letters.stopped",
    line: "notice-letter-stopped",
    told_at: ToldAt::Mentions,
};
static HANDED: NoticeKind = NoticeKind {
    name: "letters.offered",
    line: "notice-letter-offered",
    told_at: ToldAt::Mentions,
};

static ASKED: NoticeKind = NoticeKind {
    name: "letters.asked",
    line: "notice-letter-asked",
    told_at: ToldAt::Mentions,
};
static SAID: NoticeKind = NoticeKind {
    name: "letters.said",
    line: "notice-letter-said",
    told_at: ToldAt::Mentions,
};

static ASSIGNED: NoticeKind = NoticeKind {
    name: "letters.assigned",
    line: "notice-letter-assigned",
    told_at: ToldAt::Mentions,
};
static ESCALATED: NoticeKind = NoticeKind {
    name: "letters.escalated",
    line: "notice-letter-escalated",
    told_at: ToldAt::Mentions,
};
static PROPOSED: NoticeKind = NoticeKind {
    name: "letters.proposed",
    line: "notice-letter-proposed",
    told_at: ToldAt::Mentions,
};

/// Frames of a feed that are kept for those who come back.
const MAX_LETTER_FRAMES: usize = 8;

/// The journey of one letter.
pub const LETTER_FEED: Feed<LetterId> = Feed::new("letters/{letter}", "The journey of a letter")
    .volatile()
    .max_frames(MAX_LETTER_FRAMES);

/// The lists of one account's letters.
pub const LETTERBOX_FEED: Feed<AccountId> =
    Feed::new("account/{account}/letters", "The letters of an account")
        .volatile()
        .max_frames(MAX_LETTER_FRAMES);

/// The museum of a space.
pub const MUSEUM_FEED: Feed<SpaceId> =
    Feed::new("space/{space}/museum", "The letters that hang in a museum")
        .volatile()
        .max_frames(MAX_LETTER_FRAMES);

/// The contests for envelopes of a space.
pub const CONTEST_FEED: Feed<SpaceId> =
    Feed::new("space/{space}/contests", "The contests for envelopes")
        .volatile()
        .max_frames(MAX_LETTER_FRAMES);

/// The module. Cheap to clone.
#[derive(Clone)]
pub struct Letters {
    engine: Engine,
    community: Community,
    /// Asks for questions to begin a letter with, where the host configured a service.
    prompter: Option<Prompter>,
}

impl Letters {
    /// Creates the module's state.
    pub fn new(community: &Community) -> Self {
        Self {
            prompter: Prompter::new(&community.engine().settings),
            engine: community.engine().clone(),
            community: community.clone(),
        }
    }

    /// The time zone of a browser where it says one, else the account's, else UTC.
    async fn zone(&self, account: AccountId, browser: &str) -> Result<Tz> {
        let own = self.community.time_zone(account).await?;
        Ok(time_zone([browser, own.as_str()]))
    }

    /// The settings of a space, for one of its members.
    ///
    /// # Errors
    /// `NotFound` for everybody else, and where the space has no letters.
    async fn settings_for(&self, viewer: &Viewer, space: SpaceId) -> Result<LetterSettings> {
        let access = &self.community.access;
        let scope = Scope::Space(space);
        access.permit(viewer.account, &READ, scope).await?;
        let settings = settings::of_space(&self.engine.db, space).await?;
        match settings.is_on() {
            true => Ok(settings),
            false => Err(Error::NotFound),
        }
    }
}

async fn may_follow_letter(letters: Letters, viewer: Viewer, id: LetterId) -> Result<bool> {
    let letter = match store::find(&letters.engine.db, id).await {
        Ok(letter) => letter,
        Err(Error::NotFound) => return Ok(false),
        Err(error) => return Err(error),
    };
    let access = &letters.community.access;
    let scope = Scope::Space(letter.space_id);
    let is_member = is_granted(access.permit(viewer.account, &READ, scope).await)?;
    Ok(is_member && letter.is_visible_to(viewer.account))
}

async fn may_follow_letterbox(_: Letters, viewer: Viewer, account: AccountId) -> Result<bool> {
    Ok(viewer.account == account)
}

async fn may_follow_museum(letters: Letters, viewer: Viewer, space: SpaceId) -> Result<bool> {
    let access = &letters.community.access;
    is_granted(
        access
            .permit(viewer.account, &READ, Scope::Space(space))
            .await,
    )
}

/// What the module declares to the engine.
pub fn module() -> Module<Letters> {
    let module = Module::new("letters")
        .publishes::<LetterMoved>()
        .publishes::<LetterChanged>()
        .publishes::<SettingsChanged>()
        .permission(&WRITE)
        .permission(&ORGANISE)
        .permission(&MODERATE)
        .permission(&CURATE)
        .stylesheet("css/letters.css")
        .script("js/letters.js")
        .feed(LETTER_FEED, may_follow_letter)
        .feed(LETTERBOX_FEED, may_follow_letterbox)
        .feed(MUSEUM_FEED, may_follow_museum)
        .feed(CONTEST_FEED, may_follow_museum)
        .publishes::<ContestsChanged>()
        .files(envelopes::kind())
        .publishes::<MuseumChanged>()
        .notice_kind(&ARRIVED)
        .notice_kind(&MOVED)
        .notice_kind(&CAME_BACK)
        .notice_kind(&HANDED)
        .notice_kind(&ASKED)
        .notice_kind(&SAID)
        .notice_kind(&ASSIGNED)
        .notice_kind(&ESCALATED)
        .notice_kind(&PROPOSED)
        .files(pages::kind())
        .reportable("letter", report_target::letter)
        .reportable("museum-note", museum_notes::report)
        .search(search_source::source())
        .personal_data("letters", personal_data::export, personal_data::erase)
        .scope_data(personal_data::erase_scope)
        .removes_content(personal_data::remove_content)
        .nav(nav::nav)
        .job(JobKind::new(
            tide::MOVE,
            "Takes and delivers the letters that travel by tide",
            tide::run,
        ))
        .job(JobKind::new(
            expiry_job::EXPIRE,
            "Ends letters by hand that nobody picks up",
            expiry_job::run,
        ))
        .schedule(Schedule::new(expiry_job::EXPIRE, "40 3 * * *"))
        .job(JobKind::new(
            assigning::ASSIGN,
            "Assigns letters by hand that nobody picked up, and reports late ones",
            assigning::run,
        ))
        .schedule(Schedule::new(assigning::ASSIGN, "*/5 * * * *"))
        .subscriber(
            Subscriber::new("letters.presenter")
                .on(presenter::letter_moved)
                .on(presenter::museum_changed)
                .on(presenter::contests_changed)
                .when_lagged(presenter::refresh),
        )
        .subscriber(Subscriber::new("letters.leaving").on(leaving::member_left));
    let module = exhibit_page::declare(museum_page::declare(actions::declare(module)));
    let module = scan_page::declare(sheet_page::declare(board_page::declare(module)));
    let module = round_page::declare(courier_pages::declare(place_pages::declare(module)));
    let module = settings_page::declare(boxes::declare(people::declare(module)));
    let module = hidden_page::declare(drift_page::declare(module));
    let module = contest_page::declare(points_page::declare(module));
    pages_view::declare(letter_page::declare(desk::declare(module)))
}
