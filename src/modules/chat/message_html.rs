//! A message as HTML: its body from Markdown, and the fragment that pages and frames share.

use std::sync::Arc;

use askama::Template;

use super::model::{Message, MessageId};
use super::{Chat, markdown};
use crate::base::error::{Error, Result};
use crate::base::locale::Lang;
use crate::community::{EmojiSet, Face};
use crate::engine::fragments::{Fragments, Key};
use crate::engine::web::icon_address;

/// One message. Identical for every viewer of one language, so that it can be cached and published.
#[derive(Template)]
#[template(path = "chat/message.html")]
pub(super) struct MessageView<'a> {
    pub(super) message: &'a Message,
    pub(super) face: Face,
    pub(super) body: &'a str,
    pub(super) emoji_only: bool,
    pub(super) lang: Lang,
}

impl MessageView<'_> {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

/// Part of the cache key. Its number is raised whenever the template's input changes.
const TEMPLATE: &str = "chat.message.4";

pub(super) fn key(lang: Lang, id: MessageId, revision: i64, emoji: &EmojiSet) -> Key {
    Key {
        template: TEMPLATE,
        lang,
        id: id.0,
        revision,
        variant: emoji.version(),
    }
}

/// A message's body as HTML, with the emoji it was rendered with: they are part of the cache key.
#[derive(Clone)]
pub(super) struct Body {
    html: Arc<str>,
    emoji: Arc<EmojiSet>,
}

impl Body {
    /// Rendered once per revision and set of emoji, and shared by the author's response, the frame
    /// and pages.
    fn render(fragments: &Fragments, message: &Message, emoji: Arc<EmojiSet>) -> Self {
        let key = Key {
            template: "chat.body",
            lang: Lang::negotiate(None, None), // the same in every language
            id: message.id.0,
            revision: message.revision,
            variant: emoji.version(),
        };
        let html = fragments.render(key, || match &message.html {
            Some(stored) => markdown::with_emoji(stored, &emoji),
            None => markdown::with_emoji(&markdown::to_html(&message.body), &emoji),
        });
        Self { html, emoji }
    }
}

/// Bytes of Markdown that are rendered on an async thread: a millisecond.
const MAX_INLINE_BYTES: usize = 2 << 10;

/// Runs `render` at once, or on a blocking thread when it would delay other tasks.
async fn run<T: Send + 'static>(
    bytes: usize,
    render: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    if bytes <= MAX_INLINE_BYTES {
        return Ok(render());
    }
    tokio::task::spawn_blocking(render)
        .await
        .map_err(|error| Error::Internal(anyhow::Error::new(error)))
}

/// Renders the fragments of these messages that are not cached.
pub(super) async fn render_all(
    fragments: Fragments,
    rows: Vec<Message>,
    emoji: Arc<EmojiSet>,
    lang: Lang,
) -> Result<Vec<(MessageId, Arc<str>)>> {
    let bytes = rows.iter().map(|row| row.body.len()).sum();
    let render = move || {
        let body = |row: &Message| Body::render(&fragments, row, emoji.clone());
        rows.iter()
            .map(|row| (row.id, fragment(&fragments, row, &body(row), lang)))
            .collect()
    };
    run(bytes, render).await
}

/// A message's body as HTML.
pub(super) async fn body_html(chat: &Chat, message: &Message) -> Result<Body> {
    let emoji = chat.community.emoji.in_room(message.room).await?;
    let fragments = chat.engine.fragments.clone();
    if message.body.len() <= MAX_INLINE_BYTES {
        return Ok(Body::render(&fragments, message, emoji));
    }
    let (bytes, message) = (message.body.len(), message.clone());
    run(bytes, move || Body::render(&fragments, &message, emoji)).await
}

/// The message's fragment, rendered from its body's HTML unless it is cached.
pub(super) fn fragment(
    fragments: &Fragments,
    message: &Message,
    body: &Body,
    lang: Lang,
) -> Arc<str> {
    let key = key(lang, message.id, message.revision, &body.emoji);
    fragments.render(key, || {
        let view = MessageView {
            message,
            body: &body.html,
            lang,
            face: Face::of(message.author, &message.author_name),
            emoji_only: markdown::is_emoji_only(&message.body),
        };
        // Writing strings into a string does not fail.
        view.render().unwrap_or_default()
    })
}
