//! The presenter: turns each event of chat into a frame, as HTML for pages and as JSON for
//! programs.
//!
//! Frames are idempotent: a page that was rendered just after a change and then receives its frame
//! shows nothing twice, because a message is only appended where it is missing.

use std::sync::Arc;

use askama::Template;

use super::held::held_frame;
use super::message_html::{Body, body_html, fragment};
use super::model::Message;
use super::topics::{
    AttachmentsReady, HeldDecided, JoinsAdded, MessageDeleted, MessageEdited, MessageHeld,
    MessagePinned, MessagePosted, MessagePreviewed, MessageReacted, MessageVoted,
};
use super::typing::typing_started;
use super::views::QuoteView;
use super::{Chat, ROOM_FEED, markdown, mention_store, store};
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::base::locale::Lang;
use crate::community::ACCOUNT_FEED;
use crate::engine::bus::{Envelope, Event, Subscriber};
use crate::engine::fragments::Fragments;
use crate::engine::live::Content;
use crate::engine::partial::Partial;

/// Quotes of a message that change with it in open pages; older ones do when they are loaded again.
const MAX_QUOTES_UPDATED: i64 = 50;

pub(super) fn presenter() -> Subscriber<Chat> {
    Subscriber::new("chat.presenter")
        .on(message_posted)
        .on(message_edited)
        .on(message_deleted)
        .on(message_reacted)
        .on(message_voted)
        .on(message_pinned)
        .on(message_previewed)
        .on(attachments_ready)
        .on(joins_added)
        .on(typing_started)
        .on(message_held)
        .on(held_decided)
        .when_lagged(refresh_all)
}

/// After missed events: the messages are in the database, so clients refetch the logs of rooms
/// whose feed is behind it.
async fn refresh_all(chat: Chat, _missed: u64) {
    chat.engine.live.refresh_all(ROOM_FEED.pattern).await;
}

async fn message_posted(chat: &Chat, event: &MessagePosted, envelope: &Envelope) -> Result<()> {
    let rendered = chat.rendered(event.room, &event.message, envelope);
    let Some(rendered) = rendered.await? else {
        return Ok(());
    };
    let content = Content::of(event).inserts(event.message.id.0, rendered.insert());
    let feed = ROOM_FEED.name(event.room);
    chat.engine.live.publish_at(&feed, envelope, content);
    Ok(())
}

async fn message_edited(chat: &Chat, event: &MessageEdited, envelope: &Envelope) -> Result<()> {
    let MessageEdited { room, message } = event;
    let quotes = chat.quotes_of(*room, message).await?;
    chat.publish_update(event, envelope, *room, message, quotes)
        .await
}

async fn message_deleted(chat: &Chat, event: &MessageDeleted, envelope: &Envelope) -> Result<()> {
    let MessageDeleted { room, message } = event;
    let quotes = chat.quotes_of(*room, message).await?;
    chat.publish_update(event, envelope, *room, message, quotes)
        .await
}

async fn message_reacted(chat: &Chat, event: &MessageReacted, envelope: &Envelope) -> Result<()> {
    let MessageReacted { room, message } = event;
    chat.publish_update(event, envelope, *room, message, Vec::new())
        .await
}

async fn message_voted(chat: &Chat, event: &MessageVoted, envelope: &Envelope) -> Result<()> {
    let MessageVoted { room, message } = event;
    chat.publish_update(event, envelope, *room, message, Vec::new())
        .await
}

async fn message_pinned(chat: &Chat, event: &MessagePinned, envelope: &Envelope) -> Result<()> {
    let MessagePinned { room, message } = event;
    chat.publish_update(event, envelope, *room, message, Vec::new())
        .await
}

async fn message_previewed(
    chat: &Chat,
    event: &MessagePreviewed,
    envelope: &Envelope,
) -> Result<()> {
    let MessagePreviewed { room, message } = event;
    chat.publish_update(event, envelope, *room, message, Vec::new())
        .await
}

async fn attachments_ready(
    chat: &Chat,
    event: &AttachmentsReady,
    envelope: &Envelope,
) -> Result<()> {
    let AttachmentsReady { room, message } = event;
    chat.publish_update(event, envelope, *room, message, Vec::new())
        .await
}

async fn joins_added(chat: &Chat, event: &JoinsAdded, envelope: &Envelope) -> Result<()> {
    let JoinsAdded { room, message } = event;
    chat.publish_update(event, envelope, *room, message, Vec::new())
        .await
}

async fn message_held(chat: &Chat, event: &MessageHeld, envelope: &Envelope) -> Result<()> {
    let message = event.message.clone();
    let render = move |lang| held_frame(&message, lang).unwrap_or_default();
    let content = Content::of(event).html(render);
    let feed = ACCOUNT_FEED.name(event.account);
    chat.engine.live.publish_at(&feed, envelope, content);
    Ok(())
}

/// What was released stands in the log; of what was discarded its author is told until they leave
/// the page.
async fn held_decided(chat: &Chat, event: &HeldDecided, envelope: &Envelope) -> Result<()> {
    let (held, is_released) = (event.held, event.is_released);
    let render = move |lang: Lang| match is_released {
        true => Partial::delete(format!("#h-{held}")).to_string(),
        false => {
            let note = format!("<p role=\"status\">{}</p>", lang.t("held-discarded-note"));
            Partial::inner(format!("#h-{held} .held-note"), &note).to_string()
        }
    };
    let content = Content::of(event).html(render);
    let feed = ACCOUNT_FEED.name(event.account);
    chat.engine.live.publish_at(&feed, envelope, content);
    Ok(())
}

impl Chat {
    async fn publish_update<E: Event>(
        &self,
        event: &E,
        envelope: &Envelope,
        room: RoomId,
        message: &Message,
        quotes: Vec<Message>,
    ) -> Result<()> {
        let Some(rendered) = self.rendered(room, message, envelope).await? else {
            return Ok(());
        };
        let updated = rendered.clone();
        let mut others = Vec::new();
        for answer in &quotes {
            let rendered = self.render(answer.clone()).await?;
            let event = MessageEdited {
                room,
                message: answer.clone(),
            };
            let (insert, message) = (rendered.insert(), rendered.clone());
            let change = move |lang| morphed(&message.message, &message.html(lang));
            others.push(Content::of(&event).updates(answer.id.0, change, insert));
        }
        let update = move |lang| {
            let message = morphed(&updated.message, &updated.html(lang));
            let quotes = quotes.iter().map(|one| quote_frame(one, lang));
            quotes.fold(message, |frame, quote| frame + &quote)
        };
        let content = Content::of(event).updates(message.id.0, update, rendered.insert());
        let content = content.also(others);
        let feed = ROOM_FEED.name(room);
        self.engine.live.publish_at(&feed, envelope, content);
        Ok(())
    }

    /// The newest messages that quote one, while anybody follows the room.
    async fn quotes_of(&self, room: RoomId, message: &Message) -> Result<Vec<Message>> {
        let db = &self.engine.db;
        if !self.engine.live.is_followed(&ROOM_FEED.name(room)) {
            return Ok(Vec::new());
        }
        let replies = store::replies_to(db, message.id, MAX_QUOTES_UPDATED).await?;
        mention_store::messages(db, &replies).await
    }

    /// A message rendered for frames; `None` while nobody follows its room.
    async fn rendered(
        &self,
        room: RoomId,
        message: &Message,
        envelope: &Envelope,
    ) -> Result<Option<Rendered>> {
        if !self.engine.live.is_followed(&ROOM_FEED.name(room)) {
            return Ok(None);
        }
        let mut message = message.clone();
        // Highlighted code is stored and does not travel. A newer revision has an event of its own.
        if envelope.is_remote && markdown::needs_highlighting(&message.body) {
            let stored = store::message(&self.engine.db, message.id).await?;
            if stored.revision != message.revision {
                return Ok(Some(self.render(stored).await?));
            }
            message.html = stored.html;
        }
        Ok(Some(self.render(message).await?))
    }

    async fn render(&self, message: Message) -> Result<Rendered> {
        Ok(Rendered {
            fragments: self.engine.fragments.clone(),
            body: body_html(self, &message).await?,
            message: Arc::new(message),
        })
    }

    /// The frame of a message for the response to its author, whose page need not wait for the
    /// feed.
    pub(super) async fn message_frame(&self, message: &Message, lang: Lang) -> Result<String> {
        let body = body_html(self, message).await?;
        let html = fragment(&self.engine.fragments, message, &body, lang);
        Ok(if message.revision == 1 {
            appended(message, &html)
        } else {
            morphed(message, &html)
        })
    }

    /// The frame of a message that was marked with something, for the response to who did it.
    pub(super) async fn updated_frame(&self, message: &Message, lang: Lang) -> Result<String> {
        let body = body_html(self, message).await?;
        let html = fragment(&self.engine.fragments, message, &body, lang);
        Ok(morphed(message, &html))
    }
}

#[derive(Clone)]
struct Rendered {
    fragments: Fragments,
    message: Arc<Message>,
    body: Body,
}

impl Rendered {
    fn html(&self, lang: Lang) -> Arc<str> {
        fragment(&self.fragments, &self.message, &self.body, lang)
    }

    fn insert(&self) -> impl Fn(Lang) -> String + Send + Sync + 'static {
        let rendered = self.clone();
        move |lang| appended(&rendered.message, &rendered.html(lang))
    }
}

/// Appends to a log that reaches the present and does not hold the message yet. Also removes the
/// author's pending copy and typing mark.
fn appended(message: &Message, html: &str) -> String {
    let Message {
        id,
        room,
        author,
        key,
        ..
    } = message;
    format!(
        "{}{}{}",
        Partial::append(format!("#log-{room}[data-live]:not(:has(#m-{id}))"), html),
        Partial::delete(format!("[data-pending='{key}']")),
        Partial::delete(format!("#typing-{room} [data-typing='{author}']"))
    )
}

/// What a message quotes, as it is now.
fn quote_frame(message: &Message, lang: Lang) -> String {
    // Writing strings into a string does not fail.
    let html = QuoteView { message, lang }.render().unwrap_or_default();
    Partial::morph(format!("#q-{}", message.id), &html).to_string()
}

fn morphed(message: &Message, html: &str) -> String {
    Partial::morph(format!("#m-{}", message.id), html).to_string()
}
