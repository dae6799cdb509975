//! What a post is made of, and who posts it: for `chat.post`, and for what posts by other ways.

use std::sync::Arc;

use serde::Deserialize;

use super::super::forum::Heading;
use super::super::model::{Message, MessageId};
use super::super::polls::Poll;
use super::super::scheduled_model::{Scheduled, ScheduledId};
use crate::base::ids::{AccountId, RoomId};
use crate::base::list::List;
use crate::base::locale::Lang;
use crate::engine::files::FileId;
use crate::engine::viewer::Viewer;

/// Files and captions that are read at all: of a few too many the author is told how many may be.
pub(super) const MAX_LISTED: usize = 100;
/// Characters of the name of a time zone.
const MAX_ZONE_CHARS: usize = 64;

#[derive(Deserialize)]
pub(in super::super) struct PostInput {
    pub(in super::super) room: RoomId,
    #[serde(default)]
    pub(in super::super) body: String,
    /// Files that the viewer uploaded for this room; at most ten.
    #[serde(default)]
    pub(super) files: List<FileId, MAX_LISTED>,
    /// Captions in the order of the files; there may be fewer.
    #[serde(default)]
    pub(super) captions: List<String, MAX_LISTED>,
    /// For each file nothing, or for a voice message `<milliseconds> <waveform>`; there may be fewer.
    #[serde(default)]
    pub(super) voices: List<String, MAX_LISTED>,
    /// Idempotency key chosen by the client: 8 to 64 letters, digits, `-` or `_`, unique among the
    /// author's posts.
    #[serde(default)]
    pub(in super::super) key: String,
    /// The message of this room that is answered.
    pub(super) reply_to: Option<MessageId>,
    /// Sent by forms without a key: the newest message their page shows.
    #[serde(default)]
    pub(super) seen: String,
    /// Of a post in a forum room, which comes by an action of its own.
    #[serde(skip)]
    pub(super) heading: Option<Heading>,
    /// The time zone of the author's browser, for a command that names a time.
    #[serde(default)]
    zone: String,
    /// What its readers choose between.
    #[serde(skip)]
    pub(super) poll: Poll,
    /// The scheduled message that it was, which has its files.
    #[serde(skip)]
    pub(super) scheduled: Option<ScheduledId>,
    /// The message that it repeats.
    #[serde(skip)]
    pub(super) forwarded: Option<Box<Message>>,
}

impl PostInput {
    /// A text for a room.
    pub(in super::super) fn of_text(room: RoomId, body: String, key: String) -> Self {
        Self {
            room,
            body,
            files: List::default(),
            captions: List::default(),
            voices: List::default(),
            reply_to: None,
            key,
            seen: String::new(),
            zone: String::new(),
            poll: Poll::default(),
            scheduled: None,
            forwarded: None,
            heading: None,
        }
    }

    /// A scheduled message whose time has come, with its files and their captions.
    pub(in super::super) fn of_scheduled(
        scheduled: &Scheduled,
        files: Vec<(FileId, String)>,
        key: String,
    ) -> Self {
        let (files, captions) = files.into_iter().unzip();
        Self {
            files: List::of(files),
            captions: List::of(captions),
            scheduled: Some(scheduled.id),
            ..Self::of_text(scheduled.room, scheduled.body.clone(), key)
        }
    }

    /// The same as a post of a forum room.
    pub(super) fn with_heading(self, heading: Heading) -> Self {
        let seen = format!("{}#{}", self.seen, heading.title);
        Self {
            seen,
            heading: Some(heading),
            ..self
        }
    }

    /// A poll for a room; `body` is its question.
    pub(in super::super) fn of_poll(
        room: RoomId,
        body: String,
        poll: Poll,
        key: String,
        seen: String,
    ) -> Self {
        Self {
            seen,
            poll,
            ..Self::of_text(room, body, key)
        }
    }

    /// A message that is forwarded to a room.
    pub(in super::super) fn of_forwarded(
        room: RoomId,
        forwarded: Message,
        key: String,
        seen: &str,
    ) -> Self {
        Self {
            seen: format!("{}/{seen}", forwarded.id),
            forwarded: Some(Box::new(forwarded)),
            ..Self::of_text(room, String::new(), key)
        }
    }

    /// Whether it has files.
    pub(in super::super) fn has_files(&self) -> bool {
        !self.files.is_empty()
    }

    /// The time zone of the author's browser, where it says that.
    pub(in super::super) fn time_zone(&self) -> String {
        self.zone.chars().take(MAX_ZONE_CHARS).collect()
    }
}

/// Who posts.
pub(in super::super) struct Author {
    pub(in super::super) account: AccountId,
    /// The name that others see.
    pub(in super::super) name: Arc<str>,
    /// The language of the answer.
    pub(in super::super) lang: Lang,
}

impl Author {
    pub(in super::super) fn of(viewer: &Viewer) -> Self {
        Self {
            account: viewer.account,
            name: viewer.name.clone(),
            lang: viewer.lang,
        }
    }
}
