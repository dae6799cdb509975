//! A message as HTML: its body from Markdown, and the fragment that pages and frames share.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use askama::Template;

use super::links::open_outside_in_tabs;
use super::mention_targets::Mentions;
use super::model::{Message, MessageId};
use super::reactions::MAX_NAMED_IN_TITLE;
use super::store::Stub;
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
    pub(super) names: &'a Names,
    pub(super) lang: Lang,
}

impl MessageView<'_> {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }

    /// An emoji as HTML: text, or the picture of a space's own.
    fn emoji(&self, emoji: &str) -> String {
        markdown::emoji_html(emoji, &self.names.emoji)
    }

    /// What a bar of its poll as long as can be stands for.
    fn most_votes(&self) -> i64 {
        self.message.poll.voters.max(1)
    }

    /// The name of who wrote what this message repeats.
    fn first_author(&self) -> Option<&str> {
        self.names.person(self.message.forwarded.author?)
    }

    /// Who chose something, in words.
    fn who(&self, by: &[AccountId], count: i64) -> String {
        let named = by.iter().take(MAX_NAMED_IN_TITLE);
        let names: Vec<&str> = named.filter_map(|id| self.names.person(*id)).collect();
        let others = count - i64::try_from(names.len()).unwrap_or(0);
        let names = names.join(", ");
        match others {
            0 => names,
            others => {
                let words = [("names", names.as_str().into()), ("count", others.into())];
                self.lang.with("reaction-and-others", &words)
            }
        }
    }
}

/// Part of the cache key. Its number is raised whenever the template's input changes.
const TEMPLATE: &str = "chat.message.11";

/// What names in the messages of a room stand for.
#[derive(Clone, Default)]
pub(super) struct Names {
    emoji: Arc<EmojiSet>,
    rooms: Arc<RoomNames>,
    /// Those who are mentioned, and who reacted.
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

    /// With the names of the people whom these fragments name.
    pub(super) async fn with_people<'a>(
        mut self,
        community: &Community,
        shown: impl Iterator<Item = &'a Stub>,
    ) -> Result<Self> {
        let mut people = HashMap::new();
        for account in shown.flat_map(Stub::named) {
            if people.contains_key(&account) {
                continue;
            }
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

    /// The name of somebody who is named.
    fn person(&self, account: AccountId) -> Option<&str> {
        self.people.get(&account).map(String::as_str)
    }

    /// The names of these people, as part of the cache key of what shows them.
    fn hash_people(&self, of: impl Iterator<Item = AccountId>, hasher: &mut DefaultHasher) {
        for account in of {
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

/// `author` is the name that is shown, which may change, as may those of who is named.
pub(super) fn key(lang: Lang, stub: &Stub, names: &Names, author: &str) -> Key {
    let mut hasher = DefaultHasher::new();
    author.hash(&mut hasher);
    names.threads.get(&stub.id).hash(&mut hasher);
    names.hash_people(stub.named(), &mut hasher);
    (
        &stub.reactions,
        &stub.poll,
        &stub.previews,
        stub.pinned_at,
        stub.quoted_revision,
    )
        .hash(&mut hasher);
    Key {
        template: TEMPLATE,
        lang,
        id: stub.id.0,
        revision: stub.revision,
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
        names.hash_people(message.mentions.accounts(), &mut hasher);
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
    let stub = Stub::of(message);
    let one = std::iter::once(&stub);
    let names = names.with_people(&chat.community, one).await?;
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
    let key = key(lang, &Stub::of(message), &body.names, &message.author_name);
    fragments.render(key, || {
        let view = MessageView {
            message,
            body: &body.html,
            names: &body.names,
            lang,
            face: Face::of(message.author, &message.author_name),
            emoji_only: markdown::is_emoji_only(&message.body),
            thread: body.names.threads.get(&message.id),
        };
        // Writing strings into a string does not fail.
        view.render().unwrap_or_default()
    })
}
