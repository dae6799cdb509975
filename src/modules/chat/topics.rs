//! The events chat publishes.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::held_model::{HeldId, HeldMessage};
use super::joined::Joined;
use super::link_card::{LinkPreview, LinkPreviews, PageText};
use super::model::{Message, MessageId};
use super::polls::{Answer, Poll};
use super::reactions::{Reaction, Reactions};
use super::told::Told;
use crate::base::clock::Micros;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::{event, id};

id!(
    /// The messages of a room, as a dependency of their own: they change far more often than the
    /// room, and must not invalidate what is cached of it and of the rights in it.
    RoomHistory
);

id!(
    /// What an account has read, as a dependency of its own, for the same reason.
    AccountReads
);

id!(
    /// The messages of an account that wait for a moderator, as a dependency of their own.
    OwnHeld
);

const CHANGED_AT: Micros = Micros(1_795_228_260_000_000); // in the examples

event! {
    /// A message was posted in a room.
    pub struct MessagePosted on "chat.message.posted" by room
        changes(room as RoomHistory) {
        /// The room it was posted in.
        room: RoomId = RoomId(12),
        /// The message.
        message: Message = Message::example(),
    }
}

event! {
    /// A message was edited by its author.
    pub struct MessageEdited on "chat.message.edited" by room
        changes(room as RoomHistory) {
        /// The room it was posted in.
        room: RoomId = RoomId(12),
        /// The message in its new revision.
        message: Message = Message {
            revision: 2,
            edited_at: Some(CHANGED_AT),
            ..Message::example()
        },
    }
}

event! {
    /// A message was deleted. It stays in the history, without text and attachments.
    pub struct MessageDeleted on "chat.message.deleted" by room
        changes(room as RoomHistory) {
        /// The room it was posted in.
        room: RoomId = RoomId(12),
        /// The message without its content.
        message: Message = Message {
            body: String::new(),
            revision: 2,
            deleted_at: Some(CHANGED_AT),
            ..Message::example()
        },
    }
}

event! {
    /// Somebody reacted to a message, or took that back.
    pub struct MessageReacted on "chat.message.reacted" by room
        changes(room as RoomHistory) {
        /// The room it was posted in.
        room: RoomId = RoomId(12),
        /// The message with its reactions.
        message: Message = Message {
            reactions: Reactions(vec![Reaction {
                emoji: "👍".into(),
                count: 1,
                by: vec![AccountId(8)],
            }]),
            ..Message::example()
        },
    }
}

event! {
    /// Somebody voted in a poll or took that back, or it ended.
    pub struct MessageVoted on "chat.message.voted" by room
        changes(room as RoomHistory) {
        /// The room it was posted in.
        room: RoomId = RoomId(12),
        /// The message with its poll.
        message: Message = Message {
            poll: Poll {
                answers: vec![Answer {
                    text: "Green tea".into(),
                    count: 1,
                    by: vec![AccountId(8)],
                }],
                voters: 1,
                ..Poll::default()
            },
            ..Message::example()
        },
    }
}

event! {
    /// A message was pinned to its room, or is not any more.
    pub struct MessagePinned on "chat.message.pinned" by room
        changes(room as RoomHistory) {
        /// The room it was posted in.
        room: RoomId = RoomId(12),
        /// The message.
        message: Message = Message {
            pinned_at: Some(CHANGED_AT),
            ..Message::example()
        },
    }
}

event! {
    /// Links of a message were previewed, or a preview was taken off.
    pub struct MessagePreviewed on "chat.message.previewed" by room
        changes(room as RoomHistory) {
        /// The room it was posted in.
        room: RoomId = RoomId(12),
        /// The message with its previews.
        message: Message = Message {
            previews: LinkPreviews(vec![LinkPreview {
                url: "https://example.org/tides".into(),
                page: PageText {
                    site: "example.org".into(),
                    title: "Tides of the week".into(),
                    ..PageText::default()
                },
                picture: None,
                dismissed: false,
            }]),
            ..Message::example()
        },
    }
}

event! {
    /// The pictures of an attachment were made, or could not be.
    pub struct AttachmentsReady on "chat.attachments.ready" by room
        changes(room as RoomHistory) {
        /// The room it was posted in.
        room: RoomId = RoomId(12),
        /// The message in its new revision.
        message: Message = Message { revision: 2, ..Message::example() },
    }
}

event! {
    /// More people joined a space soon after those whom a line in its first room names.
    pub struct JoinsAdded on "chat.joins.added" by room
        changes(room as RoomHistory) {
        /// The room with the line.
        room: RoomId = RoomId(12),
        /// The line in its new revision.
        message: Message = Message {
            revision: 2,
            body: String::new(),
            told: Told::Joined(Joined { count: 2, names: vec!["Ann".into(), "Bob".into()] }),
            ..Message::example()
        },
    }
}

id!(
    /// The messages of a space that wait for a moderator, as a dependency of their own.
    HeldInSpace
);

event! {
    /// A message of a space waits for a moderator, or waits no more.
    pub struct HeldChanged on "chat.held.changed" by space changes(space as HeldInSpace) {
        /// The space.
        space: SpaceId = SpaceId(3),
    }
}

event! {
    /// A message waits for a moderator. Only its author is told.
    pub struct MessageHeld on "chat.message.held" by account changes(account as OwnHeld) {
        /// The author.
        account: AccountId = AccountId(7),
        /// The message.
        message: HeldMessage = HeldMessage::example(),
    }
}

event! {
    /// A moderator released or discarded a message that waited. Only its author is told.
    pub struct HeldDecided on "chat.held.decided" by account changes(account as OwnHeld) {
        /// The author.
        account: AccountId = AccountId(7),
        /// The room it was written in.
        room: RoomId = RoomId(12),
        /// The held message.
        held: HeldId = HeldId(3_179_046_911_541_248),
        /// Whether it was posted.
        is_released: bool = true,
    }
}

event! {
    /// What a message shows of its thread has changed: there is another reply, or one was deleted.
    /// Published at most once a second for a thread.
    pub struct ThreadChanged on "chat.thread.changed" by room
        changes(room as RoomHistory, thread) {
        /// The room of the message.
        room: RoomId = RoomId(12),
        /// The message that the thread grew from.
        message: MessageId = MessageId(3_179_046_911_541_248),
        /// The thread's own room.
        thread: RoomId = RoomId(13),
        /// Replies that are not deleted.
        replies: i64 = 3,
        /// The newest reply.
        last: MessageId = MessageId(3_179_046_911_541_250),
        /// Whether there is a reply that was not told yet.
        is_replied: bool = true,
        /// Whether the message itself was edited or deleted.
        is_root_changed: bool = false,
    }
}

event! {
    /// A thread got another name.
    pub struct ThreadRenamed on "chat.thread.renamed" by thread {
        /// The thread's own room.
        thread: RoomId = RoomId(13),
        /// Its name.
        name: String = "Frost".into(),
    }
}

event! {
    /// A forum room got other tags.
    pub struct TagsChanged on "chat.tags.changed" by room
        changes(room as RoomHistory) {
        /// The room.
        room: RoomId = RoomId(12),
    }
}

event! {
    /// An account began or ceased to follow a thread.
    pub struct ThreadFollowed on "chat.thread.followed" by account
        changes(account as AccountReads) {
        /// Who follows.
        account: AccountId = AccountId(7),
        /// The thread's own room.
        thread: RoomId = RoomId(13),
    }
}

event! {
    /// Someone is writing in a room. Not stored.
    pub struct TypingStarted on "chat.typing.started" by room changes() {
        /// The room.
        room: RoomId = RoomId(12),
        /// Who is writing.
        account: AccountId = AccountId(7),
        /// Their name.
        name: String = "Ann".into(),
        /// Milliseconds after which the mark expires, unless the event is repeated.
        ttl_ms: u64 = 6_000,
    }
}

/// The newest messages of a room.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewestPost {
    /// The room.
    pub room: RoomId,
    /// The last message.
    pub message: MessageId,
    /// Who posted since the last event; one who posted alone has read it.
    pub authors: Vec<AccountId>,
}

event! {
    /// Messages were posted in these rooms on one instance of the server; published in batches, so
    /// that the others can mark them as unread.
    pub struct RoomsPosted on "chat.rooms.posted" by batch changes() {
        /// The number of the batch.
        batch: u64 = 7,
        /// At most two authors of each.
        rooms: Vec<NewestPost> = vec![NewestPost {
            room: RoomId(12),
            message: MessageId(3_179_046_911_541_248),
            authors: vec![AccountId(7)],
        }],
    }
}

event! {
    /// Messages that mention people were posted in a room, or do so no more.
    pub struct MentionsChanged on "chat.mentions.changed" by room changes() {
        /// The room.
        room: RoomId = RoomId(12),
        /// Whom they mention by name; empty: anybody who reads the room.
        accounts: Vec<AccountId> = vec![AccountId(8)],
        /// Whether some were removed.
        removed: bool = false,
    }
}

/// The unread messages of a room that mention an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MentionCount {
    /// The room.
    pub room: RoomId,
    /// How many; 100 stands for more, too.
    pub count: i64,
}

event! {
    /// An account has unread messages in these rooms; published on its own feed, in batches.
    pub struct UnreadChanged on "chat.unread.changed" by account
        changes(account as AccountReads) {
        /// Whose unread marks changed.
        account: AccountId = AccountId(7),
        /// The rooms with unread messages.
        rooms: Vec<RoomId> = vec![RoomId(12)],
        /// Threads that it follows, with unread replies.
        threads: Vec<RoomId> = vec![RoomId(13)],
        /// Rooms whose number of unread mentions has changed.
        mentions: Vec<MentionCount> = vec![MentionCount { room: RoomId(12), count: 1 }],
    }
}

event! {
    /// An account has read several rooms to their ends at once.
    pub struct RoomsRead on "chat.rooms.read" by account
        changes(account as AccountReads) {
        /// Who read.
        account: AccountId = AccountId(7),
        /// The rooms with their last messages, at most two thousand.
        rooms: Vec<ReadRoom> = vec![ReadRoom {
            room: RoomId(12),
            message: MessageId(3_179_046_911_541_248),
        }],
    }
}

/// A room that was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct ReadRoom {
    /// The room.
    #[sqlx(rename = "room_id")]
    pub room: RoomId,
    /// Its last message.
    #[sqlx(rename = "message_id")]
    pub message: MessageId,
}

event! {
    /// An account has read a room up to a message, on one of its devices.
    pub struct RoomRead on "chat.room.read" by account
        changes(account as AccountReads) {
        /// Who read.
        account: AccountId = AccountId(7),
        /// The room.
        room: RoomId = RoomId(12),
        /// The last message that was read.
        message: MessageId = MessageId(3_179_046_911_541_248),
    }
}
