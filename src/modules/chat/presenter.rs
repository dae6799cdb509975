//! The presenter: what each event of chat looks like on a page and to a program. The same event
//! gives both.
//!
//! Every frame can be applied to a page that holds its change already, so a page that was read a
//! moment after the change and then catches up shows nothing twice: a message is only appended
//! where it is not yet.

use std::sync::Arc;

use super::Chat;
use super::history::{Body, body_html, fragment};
use super::model::Message;
use super::topics::{
    AttachmentsReady, MessageDeleted, MessageEdited, MessagePosted, TypingStarted,
};
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::engine::bus::{Envelope, Subscriber};
use crate::engine::fragments::Fragments;
use crate::engine::live::Content;

pub(super) fn presenter(chat: &Chat) -> Subscriber {
    let (present, lagged) = (chat.clone(), chat.clone());
    Subscriber::new("chat.presenter", move |event| {
        let chat = present.clone();
        async move { chat.present(&event).await }
    })
    .on::<MessagePosted>()
    .on::<MessageEdited>()
    .on::<MessageDeleted>()
    .on::<AttachmentsReady>()
    .on::<TypingStarted>()
    .when_lagged(move |_| {
        // What was missed is in the store. Which rooms it was in nobody knows, so every followed
        // log is read again.
        lagged.engine.live.refresh_all("room/");
        async {}
    })
}

impl Chat {
    async fn present(&self, event: &Envelope) -> Result<()> {
        if let Some(typing) = event.get::<TypingStarted>() {
            self.typing(typing);
            return Ok(());
        }
        let (room, message, posted) = if let Some(MessagePosted { room, message }) = event.get() {
            (*room, message, true)
        } else if let Some(MessageEdited { room, message }) = event.get() {
            (*room, message, false)
        } else if let Some(MessageDeleted { room, message }) = event.get() {
            (*room, message, false)
        } else if let Some(AttachmentsReady { room, message }) = event.get() {
            (*room, message, false)
        } else {
            return Ok(());
        };
        let feed = format!("room/{room}");
        if !self.engine.live.is_followed(&feed) {
            return Ok(());
        }
        let shown = Shown {
            fragments: self.engine.fragments.clone(),
            body: body_html(self, message).await?,
            message: Arc::new(message.clone()),
        };
        let content = Content::new(event.topic.name, event.json());
        let (id, shown) = (message.id.0, Arc::new(shown));
        let arriving = shown.clone();
        let arrives = move |lang| {
            format!(
                "{}{}",
                appended(room, &arriving.message, &arriving.html(lang)),
                settled(room, &arriving.message)
            )
        };
        let content = if posted {
            content.inserts(id, arrives)
        } else {
            content.updates(
                id,
                move |lang| replaced(&shown.message, &shown.html(lang)),
                arrives,
            )
        };
        self.engine.live.publish(&feed, content);
        Ok(())
    }

    /// Shows that someone is writing. Pages forget it by themselves.
    fn typing(&self, event: &TypingStarted) {
        let TypingStarted {
            room,
            account,
            name,
        } = event;
        let mark = format!(
            "<span data-typing=\"{account}\"><bdi>{}</bdi></span>",
            escape(name)
        );
        // Where they stand already the mark begins anew; else it is added.
        let html = format!(
            "<hx-partial hx-target=\"#typing-{room} [data-typing='{account}']\" hx-swap=\"outerHTML\">{mark}</hx-partial>\
             <hx-partial hx-target=\"#typing-{room}:not(:has([data-typing='{account}']))\" hx-swap=\"beforeend\">{mark}</hx-partial>"
        );
        self.engine.live.publish(
            &format!("room/{room}/typing"),
            Content::of(event).html(move |_| html.clone()),
        );
    }

    /// The frame of a post as its author's page gets it in answer, so that it need not wait for the
    /// feed.
    pub(super) async fn answer(
        &self,
        message: Message,
        lang: crate::base::locale::Lang,
    ) -> Result<impl FnOnce() -> String + Send + 'static> {
        let body = body_html(self, &message).await?;
        let fragments = self.engine.fragments.clone();
        Ok(move || {
            let html = fragment(&fragments, &message, &body, lang);
            let placed = if message.revision == 1 {
                appended(message.room, &message, &html)
            } else {
                replaced(&message, &html)
            };
            placed + &settled(message.room, &message)
        })
    }
}

struct Shown {
    fragments: Fragments,
    message: Arc<Message>,
    body: Body,
}

impl Shown {
    fn html(&self, lang: crate::base::locale::Lang) -> Arc<str> {
        fragment(&self.fragments, &self.message, &self.body, lang)
    }
}

/// To the end of a log that reaches the present and does not hold it yet.
fn appended(room: RoomId, message: &Message, html: &str) -> String {
    format!(
        "<hx-partial hx-target=\"#log-{room}[data-live]:not(:has(#m-{}))\" hx-swap=\"beforeend\">{html}</hx-partial>",
        message.id
    )
}

fn replaced(message: &Message, html: &str) -> String {
    format!(
        "<hx-partial hx-target=\"#m-{}\" hx-swap=\"outerMorph\">{html}</hx-partial>",
        message.id
    )
}

/// What a post ends: the author's waiting copy, and their writing mark.
fn settled(room: RoomId, message: &Message) -> String {
    format!(
        "<hx-partial hx-target=\"[data-pending='{}']\" hx-swap=\"delete\"></hx-partial>\
         <hx-partial hx-target=\"#typing-{room} [data-typing='{}']\" hx-swap=\"delete\"></hx-partial>",
        message.key, message.author
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
