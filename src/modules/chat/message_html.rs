//! A message as HTML: its body from Markdown, and the fragment that pages and frames share.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use askama::Template;

use super::links::open_outside_in_tabs;
use super::mention_targets::Mentions;
use super::model::{Message, MessageId};
use super::thread_line::ThreadLine;
use super::{Chat, markdown, thread_store};
use crate::base::db::Db;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::{Community, EmojiSet, Face, RoomNames};
use crate::engine::fragments::{Fragments, Key};
use crate::engine::web::{Hosts, icon_address};

/// One message. Identical for every viewer of one language, so that it can be cached and published.
#[derive(Template)]
#[template(path = "chat/message.html")]
pub(super) struct MessageView<'a> {
    pub(super) message: &'a Message,
    pub(super) face: Face,
    pub(super) body: &'a str,
    pub(super) emoji_only: bool,
    pub(super) thread: Option<&'a ThreadLine>,
    pub(super) lang: Lang,
}

impl MessageView<'_> {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

/// Part of the cache key. Its number is raised whenever the template's input changes.
const TEMPLATE: &str = "chat.message.7";

/// What names in the messages of a room stand for.
#[derive(Clone)]
pub(super) struct Names {
    emoji: Arc<EmojiSet>,
    rooms: Arc<RoomNames>,
    /// Those who are mentioned.
    people: Arc<HashMap<AccountId, String>>,
    /// The threads of the messages.
    threads: Arc<HashMap<MessageId, ThreadLine>>,
    /// How often accounts were renamed: a fragment shows its author's name.
    renames: u64,
}

impl Names {
    /// The names that can be used in a room: they depend on its space.
    pub(super) async fn in_room(community: &Community, room: RoomId) -> Result<Self> {
        Ok(Self {
            renames: community.accounts.renames(),
            emoji: community.emoji.in_room(room).await?,
            rooms: community.rooms.names_in(room).await?,
            people: Arc::default(),
            threads: Arc::default(),
        })
    }

    /// With the names of the people who are mentioned.
    pub(super) async fn with_people<'a>(
        mut self,
        community: &Community,
        mentions: impl Iterator<Item = &'a Mentions>,
    ) -> Result<Self> {
        let mut people = HashMap::new();
        for account in mentions.flat_map(Mentions::accounts) {
            match community.accounts.get(account).await {
                Ok(found) => drop(people.insert(account, found.name.clone())),
                Err(Error::NotFound) => {} // shown as it was written
                Err(error) => return Err(error),
            }
        }
        self.people = Arc::new(people);
        Ok(self)
    }

    /// With the threads of these messages.
    pub(super) async fn with_threads(
        mut self,
        db: &Db,
        messages: impl Iterator<Item = MessageId>,
    ) -> Result<Self> {
        self.threads = Arc::new(thread_store::lines(db, messages).await?);
        Ok(self)
    }

    /// The names of these people, as part of the cache key of what shows them.
    fn hash_people(&self, mentions: &Mentions, hasher: &mut DefaultHasher) {
        for account in mentions.accounts() {
            self.people.get(&account).hash(hasher);
        }
    }

    /// Part of the cache key of whatever is rendered with these names.
    fn version(&self) -> u64 {
        self.emoji.version() ^ self.rooms.version().rotate_left(1) ^ self.renames.rotate_left(2)
    }

    /// A message's HTML, with its names replaced.
    fn resolve(&self, html: &str, mentions: &Mentions) -> String {
        let html = markdown::with_mentions(html, mentions, &self.people);
        let html = markdown::with_emoji(&html, &self.emoji);
        markdown::with_room_links(&html, &self.rooms)
    }
}

/// `author` is the name that is shown, which may change, as may those of who is mentioned.
pub(super) fn key(
    lang: Lang,
    (id, revision): (MessageId, i64),
    names: &Names,
    author: &str,
    mentions: &Mentions,
) -> Key {
    let mut hasher = DefaultHasher::new();
    author.hash(&mut hasher);
    names.threads.get(&id).hash(&mut hasher);
    names.hash_people(mentions, &mut hasher);
    Key {
        template: TEMPLATE,
        lang,
        id: id.0,
        revision,
        variant: names.version() ^ hasher.finish(),
    }
}

/// A message's body as HTML, with the names it was rendered with: they are part of the cache key.
#[derive(Clone)]
pub(super) struct Body {
    html: Arc<str>,
    names: Names,
}

impl Body {
    /// For where the message's thread is shown itself.
    pub(super) fn without_thread(&mut self) {
        self.names.threads = Arc::default();
    }

    /// Rendered once per revision and set of names, and shared by the author's response, the frame
    /// and pages.
    fn render(fragments: &Fragments, message: &Message, names: Names, hosts: &Hosts) -> Self {
        let mut hasher = DefaultHasher::new();
        names.hash_people(&message.mentions, &mut hasher);
        let key = Key {
            template: "chat.body",
            lang: Lang::negotiate(None, None), // the same in every language
            id: message.id.0,
            revision: message.revision,
            variant: names.version() ^ hasher.finish(),
        };
        let html = fragments.render(key, || {
            let html = match &message.html {
                Some(stored) => names.resolve(stored, &message.mentions),
                None => names.resolve(&markdown::to_html(&message.body), &message.mentions),
            };
            open_outside_in_tabs(&html, hosts).into_owned()
        });
        Self { html, names }
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
    (fragments, hosts): (Fragments, Hosts),
    rows: Vec<Message>,
    names: Names,
    lang: Lang,
) -> Result<Vec<(MessageId, Arc<str>)>> {
    let bytes = rows.iter().map(|row| row.body.len()).sum();
    let render = move || {
        let body = |row: &Message| Body::render(&fragments, row, names.clone(), &hosts);
        rows.iter()
            .map(|row| (row.id, fragment(&fragments, row, &body(row), lang)))
            .collect()
    };
    run(bytes, render).await
}

/// A message's body as HTML.
pub(super) async fn body_html(chat: &Chat, message: &Message) -> Result<Body> {
    let names = Names::in_room(&chat.community, message.room).await?;
    let mentions = std::iter::once(&message.mentions);
    let names = names.with_people(&chat.community, mentions).await?;
    let own = std::iter::once(message.id);
    let names = names.with_threads(&chat.engine.db, own).await?;
    let (fragments, hosts) = (chat.engine.fragments.clone(), chat.engine.hosts.clone());
    if message.body.len() <= MAX_INLINE_BYTES {
        return Ok(Body::render(&fragments, message, names, &hosts));
    }
    let (bytes, message) = (message.body.len(), message.clone());
    let render = move || Body::render(&fragments, &message, names, &hosts);
    run(bytes, render).await
}

/// The message's fragment, rendered from its body's HTML unless it is cached.
pub(super) fn fragment(
    fragments: &Fragments,
    message: &Message,
    body: &Body,
    lang: Lang,
) -> Arc<str> {
    let author = &message.author_name;
    let version = (message.id, message.revision);
    let key = key(lang, version, &body.names, author, &message.mentions);
    fragments.render(key, || {
        let view = MessageView {
            message,
            body: &body.html,
            lang,
            face: Face::of(message.author, &message.author_name),
            emoji_only: markdown::is_emoji_only(&message.body),
            thread: body.names.threads.get(&message.id),
        };
        // Writing strings into a string does not fail.
        view.render().unwrap_or_default()
    })
}
