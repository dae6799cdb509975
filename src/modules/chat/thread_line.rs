//! The line at a message that shows its thread: the number of replies and the time of the last.

use askama::Template;

use super::model::MessageId;
use crate::base::clock::Micros;
use crate::base::ids::{self, RoomId};
use crate::base::locale::Lang;
use crate::engine::partial::Partial;
use crate::engine::web::icon_address;

/// What a thread is called whose message has no text.
pub(super) const UNTITLED: &str = "…";

/// What a message shows of its thread.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ThreadLine {
    pub(super) message: MessageId,
    pub(super) thread: RoomId,
    pub(super) replies: i64,
    pub(super) last: MessageId,
}

#[derive(Template)]
#[template(path = "chat/thread_line.html")]
struct LineView {
    message: MessageId,
    thread: RoomId,
    replies: i64,
    last: MessageId,
    lang: Lang,
}

impl ThreadLine {
    /// The line, in a language.
    pub(super) fn html(&self, lang: Lang) -> String {
        let view = LineView {
            message: self.message,
            thread: self.thread,
            replies: self.replies,
            last: self.last,
            lang,
        };
        // Writing strings into a string does not fail.
        view.render().unwrap_or_default()
    }

    /// What brings the line of a message up to date, on pages that show the message.
    pub(super) fn frame(&self, lang: Lang) -> String {
        let message = self.message;
        if self.replies == 0 {
            return Partial::delete(format!("#t-{message}")).to_string();
        }
        let html = self.html(lang);
        let present = format!("#t-{message}");
        let absent = format!("#m-{message} > .main:not(:has(#t-{message}))");
        format!(
            "{}{}",
            Partial::replace(present, &html),
            Partial::append(absent, &html)
        )
    }
}

impl LineView {
    fn icon(&self) -> String {
        icon_address("thread")
    }

    fn words(&self) -> String {
        let count = [("count", self.replies.into())];
        self.lang.with("thread-replies", &count)
    }

    fn at(&self) -> Micros {
        ids::time_of(self.last.0)
    }
}
