//! Chat: messages in rooms and direct conversations, live, with history, unread marks and typing.

mod actions;
mod attachment;
mod attachment_store;
mod bookmark_store;
mod check;
mod checksum;
mod closed_room;
mod code_renderer;
mod commands;
mod daily_limits;
mod dividers;
mod emoji_list;
mod forum;
mod forum_pages;
mod forum_store;
mod forward_pages;
mod held;
mod held_marks;
mod held_model;
mod held_pages;
mod held_store;
mod history;
mod join_lines;
mod joined;
mod link_card;
mod link_previews;
mod links;
pub mod markdown;
mod mention_completion;
mod mention_counts;
mod mention_store;
pub mod mention_targets;
mod mentions;
mod message_html;
mod message_list;
mod message_menu;
mod model;
mod notices;
mod pages;
mod personal_data;
mod personal_marks;
mod poll_pages;
mod poll_store;
mod polls;
mod presenter;
mod reaction_pages;
mod reaction_store;
mod reactions;
mod read_all;
mod read_marks;
mod receipts;
mod reply;
mod report_target;
mod room_data;
mod room_header;
mod room_lines;
mod room_menu;
mod room_page;
mod scheduled;
mod scheduled_model;
mod scheduled_pages;
mod scheduled_store;
mod screening;
mod search_source;
mod seed;
mod select_page;
mod sidebar;
mod slow_mode;
mod store;
mod thread_line;
mod thread_pages;
mod thread_store;
mod threads;
mod told;
mod told_store;
mod topics;
mod typing;
mod unread;
mod version_pages;
mod versions;
mod views;
mod voice;
mod web_pages;

use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::community::permissions::{HeldBy, Permission, READ, ScopeKind, is_granted};
use crate::community::{Community, UNREAD_FEED};
use crate::engine::Engine;
use crate::engine::actions::Class;
use crate::engine::feed::Feed;
use crate::engine::module::Module;
use crate::engine::room_lines::LineTold;
use crate::engine::viewer::Viewer;
pub use check::problems;
use code_renderer::CodeRenderer;
use daily_limits::DailyLimits;
use join_lines::Joins;
use link_previews::LinkFetcher;
pub use seed::seed_begins;
use threads::DirtyThreads;
use unread::Unread;

/// To write messages in a room.
pub static POST: Permission = Permission {
    name: "chat.post",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: true,
    about: "Write messages",
};

/// To send files with messages.
pub static ATTACH: Permission = Permission {
    name: "chat.attach",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: true,
    about: "Send files with messages",
};

/// To begin threads.
pub static THREAD: Permission = Permission {
    name: "chat.thread",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: true,
    about: "Begin threads on messages",
};

/// To delete messages of others.
pub static MODERATE: Permission = Permission {
    name: "chat.moderate",
    scope: ScopeKind::Room,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Delete what others wrote",
};

/// To mention roles, groups, and everybody in a room.
pub static MENTION_EVERYONE: Permission = Permission {
    name: "chat.mention-everyone",
    scope: ScopeKind::Room,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Mention roles, groups, @here and @room",
};

/// To react to messages with emoji, also where only few write.
pub static REACT: Permission = Permission {
    name: "chat.react",
    scope: ScopeKind::Room,
    held_by: HeldBy::Members,
    adds_content: false,
    about: "React to messages",
};

/// To pin messages to a room.
pub static PIN: Permission = Permission {
    name: "chat.pin",
    scope: ScopeKind::Room,
    held_by: HeldBy::Moderators,
    adds_content: false,
    about: "Pin messages",
};

/// The messages of a room: one frame for each that is posted, edited or deleted.
pub const ROOM_FEED: Feed<RoomId> = Feed::new(
    "room/{room}",
    "Messages of a room as they are posted, edited and deleted",
);
/// Who is typing in a room. Ephemeral: a client that reconnects does not get old frames.
pub const TYPING_FEED: Feed<RoomId> =
    Feed::new("room/{room}/typing", "Who is writing in a room right now").ephemeral();

/// The chat module. Cheap to clone.
#[derive(Clone)]
pub struct Chat {
    engine: Engine,
    community: Community,
    unread: Unread,
    joins: Joins,
    code_renderer: CodeRenderer,
    daily_limits: DailyLimits,
    threads: DirtyThreads,
    /// While previews of links are on.
    link_fetcher: Option<LinkFetcher>,
}

impl Chat {
    /// Creates the module's state for the rooms of this community.
    pub fn new(community: &Community) -> Self {
        Self {
            engine: community.engine().clone(),
            community: community.clone(),
            unread: Unread::default(),
            threads: DirtyThreads::default(),
            joins: Joins::default(),
            code_renderer: CodeRenderer::default(),
            daily_limits: DailyLimits::new(&community.engine().settings),
            link_fetcher: LinkFetcher::new(&community.engine().settings),
        }
    }
}

/// What the module declares to the engine.
pub fn module() -> Module<Chat> {
    let module = Module::new("chat")
        .publishes::<topics::MessagePosted>()
        .publishes::<topics::MessageEdited>()
        .publishes::<topics::MessageDeleted>()
        .publishes::<topics::MessageReacted>()
        .publishes::<topics::MessageVoted>()
        .publishes::<topics::MessagePinned>()
        .publishes::<topics::MessagePreviewed>()
        .publishes::<topics::MessageHeld>()
        .publishes::<topics::HeldDecided>()
        .publishes::<topics::AttachmentsReady>()
        .publishes::<topics::JoinsAdded>()
        .publishes::<LineTold>()
        .publishes::<topics::TypingStarted>()
        .publishes::<topics::ThreadChanged>()
        .publishes::<topics::ThreadRenamed>()
        .publishes::<topics::ThreadFollowed>()
        .publishes::<topics::TagsChanged>()
        .publishes::<topics::RoomsPosted>()
        .publishes::<topics::UnreadChanged>()
        .publishes::<topics::RoomRead>()
        .publishes::<topics::RoomsRead>()
        .publishes::<topics::MentionsChanged>()
        .permission(&POST)
        .permission(&ATTACH)
        .permission(&THREAD)
        .permission(&MODERATE)
        .permission(&MENTION_EVERYONE)
        .permission(&REACT)
        .permission(&PIN)
        .feed(ROOM_FEED, may_follow_room)
        .feed(TYPING_FEED, may_follow_room)
        .files(attachment_store::kind())
        .search(search_source::source())
        .notice_kinds(notices::KINDS, search_source::found)
        .personal_data("messages", personal_data::export, personal_data::erase)
        .scope_data(room_data::erase)
        .personal_data(
            "held_messages",
            personal_data::export_held,
            personal_data::erase_held,
        )
        .personal_data(
            "followed_threads",
            personal_data::export_threads,
            personal_data::erase_threads,
        )
        .personal_data(
            "reactions",
            personal_marks::export_reactions,
            personal_marks::erase_reactions,
        )
        .personal_data(
            "votes",
            personal_marks::export_votes,
            personal_marks::erase_votes,
        )
        .personal_data(
            "scheduled_messages",
            personal_data::export_scheduled,
            personal_data::erase_scheduled,
        )
        .personal_data(
            "bookmarks",
            personal_marks::export_bookmarks,
            personal_marks::erase_bookmarks,
        )
        .job(actions::poll::end_poll_job())
        .job(scheduled::job())
        .notice_kind(&scheduled::NOT_POSTED)
        .texts(screening::recent_texts)
        .stylesheet("css/chat.css")
        .stylesheet("css/composer.css")
        .stylesheet("css/conversation.css")
        .account_style(views::account_style)
        .script("js/chat.js")
        .nav(sidebar::nav)
        .on_rejoin(UNREAD_FEED, unread::present)
        .subscriber(presenter::presenter())
        .subscriber(room_header::subscriber())
        .subscriber(unread::subscriber())
        .subscriber(threads::subscriber())
        .subscriber(search_source::subscriber())
        .subscriber(join_lines::subscriber())
        .subscriber(room_lines::subscriber())
        .removes_content(actions::delete_many::remove_content)
        .reportable("message", report_target::message)
        .task(unread::flush)
        .task(threads::announce)
        .task(join_lines::write_lines)
        .task(held::expire_held);
    let module = link_previews::declare(module);
    let module = message_list::declare(mention_completion::declare(pages::declare(module)));
    let module = message_menu::declare(reaction_pages::declare(version_pages::declare(module)));
    let module = scheduled_pages::declare(forward_pages::declare(module));
    let module = poll_pages::declare(commands::declare(receipts::declare(module)));
    let module = room_menu::declare(thread_pages::declare(forum_pages::declare(module)));
    declare_actions(held_marks::declare(held_pages::declare(
        web_pages::declare(module),
    )))
}

fn declare_actions(module: Module<Chat>) -> Module<Chat> {
    module
        .action_with_files(
            "chat.post",
            "Posts a message in a room; the same key posts once",
            Class::Post,
            attachment_store::KIND,
            actions::post::post,
        )
        .action_with_files(
            "chat.new-post",
            "Posts in a forum room, with a title and tags; the same key posts once",
            Class::Post,
            attachment_store::KIND,
            actions::forum::new_post,
        )
        .action(
            "chat.set-tags",
            "Gives a forum room its tags",
            Class::Write,
            actions::forum::set_tags,
        )
        .action(
            "chat.edit",
            "Edits one's own message",
            Class::Write,
            actions::edit::edit,
        )
        .action(
            "chat.delete",
            "Deletes a message: one's own, or another's with the right to",
            Class::Write,
            actions::delete::delete,
        )
        .action(
            "chat.delete-many",
            "Deletes several messages at once, or the last ones of a member",
            Class::Write,
            actions::delete_many::delete_many,
        )
        .action(
            "chat.thread",
            "Begins the thread of a message, or finds the one that it has; may post a reply",
            Class::Post,
            actions::thread::begin,
        )
        .action(
            "chat.follow-thread",
            "Hears of a thread's replies, or no more",
            Class::Write,
            actions::thread::follow,
        )
        .action(
            "chat.rename-thread",
            "Gives a thread another name: who began it, or manages rooms",
            Class::Write,
            actions::thread::rename,
        )
        .action(
            "chat.react",
            "Reacts to a message with an emoji, or takes that back",
            Class::Write,
            actions::react::react,
        )
        .action(
            "chat.poll",
            "Posts a poll in a room; the same key posts once",
            Class::Post,
            actions::poll::poll,
        )
        .action(
            "chat.vote",
            "Chooses an answer of a poll, or takes that back",
            Class::Write,
            actions::poll::vote,
        )
        .action(
            "chat.end-poll",
            "Ends a poll: one's own, or another's with the right to moderate",
            Class::Write,
            actions::poll::end_poll,
        )
        .action(
            "chat.forward",
            "Repeats a message with its files in another room",
            Class::Post,
            actions::forward::forward,
        )
        .action_with_files(
            "chat.schedule",
            "Keeps a message to be posted at a time, or changes one",
            Class::Write,
            attachment_store::KIND,
            actions::schedule::schedule,
        )
        .action(
            "chat.cancel-scheduled",
            "Removes a message that would be posted at a time",
            Class::Write,
            actions::schedule::cancel,
        )
        .action(
            "chat.send-scheduled",
            "Posts a message now that would be posted at a time",
            Class::Post,
            actions::schedule::send_now,
        )
        .action(
            "chat.pin",
            "Pins a message to its room",
            Class::Write,
            actions::pin::pin,
        )
        .action(
            "chat.unpin",
            "Takes a message off those pinned to its room",
            Class::Write,
            actions::pin::unpin,
        )
        .action(
            "chat.dismiss-preview",
            "Takes the previews of links off a message: one's own, or another's with the right to",
            Class::Write,
            actions::dismiss_preview::dismiss_preview,
        )
        .action(
            "chat.bookmark",
            "Keeps a message among one's own bookmarks",
            Class::Write,
            actions::bookmark::bookmark,
        )
        .action(
            "chat.unbookmark",
            "Removes a bookmark",
            Class::Write,
            actions::bookmark::unbookmark,
        )
        .action(
            "chat.release-held",
            "Posts a message that a rule has held, as by its author",
            Class::Write,
            actions::decide_held::release,
        )
        .action(
            "chat.discard-held",
            "Deletes a message that a rule has held",
            Class::Write,
            actions::decide_held::discard,
        )
        .action(
            "chat.type",
            "Says that one is writing in a room",
            Class::Ephemeral,
            typing::start_typing,
        )
        .action(
            "chat.read",
            "Says that one has read a room up to a message",
            Class::Ephemeral,
            read_marks::read,
        )
        .action(
            "chat.read-all",
            "Marks everything as read, or all of a space",
            Class::Write,
            read_all::read_all,
        )
        .action(
            "chat.history",
            "Reads a page of a room's messages, with the cursor to follow from",
            Class::Read,
            history::history,
        )
}

async fn may_follow_room(chat: Chat, viewer: Viewer, room: RoomId) -> Result<bool> {
    is_granted(
        chat.community
            .access
            .permit_in_room(viewer.account, &READ, room)
            .await,
    )
}

/// Makes new ids greater than that of the newest stored message, even if the clock was set back.
/// Called at boot.
///
/// # Errors
/// When the database cannot be read.
pub async fn resume_ids(db: &crate::base::db::Db) -> Result<()> {
    if let Some(newest) = store::newest_of_all(db).await? {
        crate::base::ids::at_least(newest.0);
    }
    Ok(())
}
