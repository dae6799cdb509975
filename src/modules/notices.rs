//! Notices: who is told of what modules publish (`engine/notices.rs`), the inbox of each account,
//! the number of its unread notices in every open page, and the settings of all that.

mod actions;
mod app;
mod badge;
mod deliver;
mod digest;
mod inbox;
mod level_pages;
mod personal_data;
mod push;
mod quiet_hours;
mod recipients;
mod settings_page;
mod store;
mod trim;

use crate::base::ids::AccountId;
use crate::community::{Community, UNREAD_FEED};
use crate::engine::Engine;
use crate::engine::actions::Class;
use crate::engine::bus::Subscriber;
use crate::engine::feed::Feed;
use crate::engine::jobs::{JobKind, Schedule};
use crate::engine::module::Module;
use crate::engine::notices::InboxesChanged;
use crate::event;
use badge::Badges;
use push::PushClient;

event! {
    /// The inbox of an account changed; published on its own feeds, in batches.
    pub struct InboxChanged on "notices.inbox.changed" by account changes() {
        /// Whose inbox.
        account: AccountId = AccountId(7),
        /// Its unread notices; 100 stands for more, too.
        unread: i64 = 2,
        /// The newest unread notice that may draw attention: it came outside of quiet hours, and
        /// when the account wanted to be disturbed. `0`: none.
        newest: i64 = 3_179_046_911_541_248,
    }
}

/// Frames stored of an inbox: a refetch is cheap.
const MAX_INBOX_FRAMES: usize = 32;

/// That an inbox changed.
const INBOX_FEED: Feed<AccountId> =
    Feed::new("account/{account}/inbox", "That one person's inbox changed")
        .volatile()
        .max_frames(MAX_INBOX_FRAMES);

/// The notices module. Cheap to clone.
#[derive(Clone)]
pub struct Notices {
    engine: Engine,
    community: Community,
    badges: Badges,
    push: PushClient,
}

impl Notices {
    /// Creates the module's state.
    pub fn new(community: &Community) -> Self {
        Self {
            engine: community.engine().clone(),
            community: community.clone(),
            badges: Badges::default(),
            push: PushClient::new(&community.engine().settings),
        }
    }
}

/// What the module declares to the engine.
pub fn module() -> Module<Notices> {
    let module = Module::new("notices")
        .delivers_notices()
        .publishes::<InboxesChanged>()
        .publishes::<InboxChanged>()
        .feed(INBOX_FEED, |_, viewer, account| async move {
            Ok(viewer.account == account)
        })
        .nav(badge::nav)
        .on_rejoin(UNREAD_FEED, badge::present)
        .on_rejoin(INBOX_FEED, badge::present)
        .subscriber(Subscriber::new("notices.badges").on(badge::inboxes_changed))
        .task(deliver::follow)
        .task(badge::flush)
        .job(JobKind::new(
            trim::KIND,
            "Deletes old notices",
            trim::delete_old,
        ))
        .schedule(Schedule::new(trim::KIND, "17 * * * *"))
        .personal_data("notices", personal_data::export, personal_data::erase)
        .scope_data(personal_data::erase_scope)
        .stylesheet("css/notices.css")
        .script("js/notices.js")
        .action(
            "notices.read",
            "Marks one of one's notices as read",
            Class::Write,
            actions::read,
        )
        .action(
            "notices.read-all",
            "Marks all of one's notices as read",
            Class::Write,
            actions::read_all,
        )
        .action(
            "notices.set-level",
            "Chooses what one is told of in a room, or in the rooms of a space",
            Class::Write,
            actions::set_level,
        )
        .action(
            "notices.set-quiet-hours",
            "Sets the hours in which nothing draws one's attention",
            Class::Write,
            actions::set_quiet_hours,
        );
    let module = app::declare(digest::declare(push::declare(module)));
    settings_page::declare(level_pages::declare(inbox::declare(module)))
}
