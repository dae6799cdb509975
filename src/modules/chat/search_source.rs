//! What search finds of chat: messages, by their texts and the names and captions of their files.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sqlx::FromRow;

use super::attachment::Attachments;
use super::mention_targets::{Mentions, Target};
use super::model::MessageId;
use super::polls::Poll;
use super::topics::{MessageDeleted, MessageEdited, MessagePinned, MessagePosted};
use super::{Chat, markdown, store};
use crate::base::clock::Micros;
use crate::base::db::{Db, Sql};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::community::Room;
use crate::community::permissions::{READ, is_granted};
use crate::community::search_scope::{
    MENTIONS_ALL, by_author, in_conversation_of, in_room, in_space, mentions_account,
    mentions_group, mentions_role,
};
use crate::engine::bus::{Envelope, Subscriber};
use crate::engine::search::{Document, Facet, Found, SearchSource, StandIn};

const NAME: &str = "chat.message";

static EMPTY: String = String::new();

/// Messages with a link to the web.
const HAS_LINK: Facet = Facet::flag('l');
/// Messages with files.
const HAS_FILE: Facet = Facet::flag('f');
/// Messages with pictures.
const HAS_IMAGE: Facet = Facet::flag('i');
/// Messages that are pinned to their rooms.
const IS_PINNED: Facet = Facet::flag('k');

pub(super) fn source() -> SearchSource<Chat> {
    SearchSource::new(NAME, documents, before, found)
        .filter("link", HAS_LINK)
        .filter("file", HAS_FILE)
        .filter("image", HAS_IMAGE)
        .filter("pinned", IS_PINNED)
}

/// Has the index follow the changes of this instance; the other ones have theirs followed.
pub(super) fn subscriber() -> Subscriber<Chat> {
    Subscriber::new("chat.search")
        .on(async |chat: &Chat, _: &MessagePosted, of: &Envelope| follow(chat, of))
        .on(async |chat: &Chat, _: &MessageEdited, of: &Envelope| follow(chat, of))
        .on(async |chat: &Chat, _: &MessageDeleted, of: &Envelope| follow(chat, of))
        .on(async |chat: &Chat, _: &MessagePinned, of: &Envelope| follow(chat, of))
}

fn follow(chat: &Chat, envelope: &Envelope) -> Result<()> {
    if !envelope.is_remote {
        chat.engine.search.wake();
    }
    Ok(())
}

/// A message that can be found.
#[derive(FromRow)]
struct Row {
    id: MessageId,
    room_id: RoomId,
    /// Of a thread.
    parent_id: Option<RoomId>,
    space_id: Option<SpaceId>,
    /// Of a post; empty for others.
    title: String,
    author_id: AccountId,
    author_name: String,
    body: String,
    #[sqlx(try_from = "String")]
    files: Attachments,
    #[sqlx(try_from = "String")]
    poll: Poll,
    #[sqlx(try_from = "String")]
    mentions: Mentions,
    pinned_at: Option<Micros>,
    created_at: Micros,
}

impl Row {
    /// The room that says who reads it.
    fn governing(&self) -> RoomId {
        self.parent_id.unwrap_or(self.room_id)
    }

    /// The text without marks of formatting, the answers of its poll, and what its files are called.
    fn text(&self) -> String {
        let mut text = match self.title.is_empty() {
            true => markdown::to_text(&self.body),
            false => format!("{}\n{}", self.title, markdown::to_text(&self.body)),
        };
        let answers = self.poll.answers.iter().map(|answer| &answer.text);
        let files = self.files.0.iter();
        let names = files.flat_map(|file| match file.voice {
            Some(_) => [&EMPTY, &file.caption], // nobody named the file
            None => [&file.name, &file.caption],
        });
        for part in answers.chain(names).filter(|part| !part.is_empty()) {
            text.push_str(if text.is_empty() { "" } else { "\n" });
            text.push_str(part);
        }
        text
    }

    fn facets(&self, people: Option<&Vec<AccountId>>) -> Vec<Facet> {
        let mut facets = vec![in_room(self.room_id), by_author(self.author_id)];
        // What is in a thread is in its room, too, whose readers find it.
        facets.extend(self.parent_id.map(in_room));
        facets.extend(self.space_id.map(in_space));
        facets.extend(
            people
                .into_iter()
                .flatten()
                .map(|one| in_conversation_of(*one)),
        );
        let has_link = ["http://", "https://"]
            .iter()
            .any(|link| self.body.contains(link));
        let mut files = self.files.0.iter();
        let has_image = files.any(|file| file.media.starts_with("image/"));
        let flags = [
            (has_link, HAS_LINK),
            (!self.files.0.is_empty(), HAS_FILE),
            (has_image, HAS_IMAGE),
            (self.pinned_at.is_some(), IS_PINNED),
        ];
        facets.extend(
            flags
                .into_iter()
                .filter(|(has, _)| *has)
                .map(|(_, flag)| flag),
        );
        facets.extend(self.mentions.targets().map(|target| match target {
            Target::Account { id } => mentions_account(*id),
            Target::Role { id } => mentions_role(*id),
            Target::Group { id } => mentions_group(*id),
            Target::Here | Target::Room => MENTIONS_ALL,
        }));
        facets
    }
}

/// The messages of these ids that can be found, in no order.
async fn read(db: &Db, ids: &[i64]) -> Result<Vec<Row>> {
    const READ: Sql = Sql {
        sqlite: "SELECT m.id, m.room_id, r.parent_id, \
            COALESCE(r.space_id, p.space_id) AS space_id, \
            COALESCE(tr.name, '') AS title, m.author_id, \
            a.name AS author_name, m.body, m.files, m.poll, m.mentions, m.pinned_at, \
            m.created_at \
            FROM messages m JOIN rooms r ON r.id = m.room_id \
            LEFT JOIN rooms p ON p.id = r.parent_id \
            LEFT JOIN chat_threads t ON t.origin_id = m.id AND t.is_post \
            LEFT JOIN rooms tr ON tr.id = t.room_id \
            JOIN accounts a ON a.id = m.author_id WHERE m.id IN \
            (SELECT CAST(value AS INTEGER) FROM json_each('[' || $1 || ']')) \
            AND m.deleted_at IS NULL AND m.told = ''",
        postgres: "SELECT m.id, m.room_id, r.parent_id, \
            COALESCE(r.space_id, p.space_id) AS space_id, \
            COALESCE(tr.name, '') AS title, m.author_id, \
            a.name AS author_name, m.body, m.files, m.poll, m.mentions, m.pinned_at, \
            m.created_at \
            FROM messages m JOIN rooms r ON r.id = m.room_id \
            LEFT JOIN rooms p ON p.id = r.parent_id \
            LEFT JOIN chat_threads t ON t.origin_id = m.id AND t.is_post \
            LEFT JOIN rooms tr ON tr.id = t.room_id \
            JOIN accounts a ON a.id = m.author_id \
            WHERE m.id = ANY (CAST(string_to_array($1, ',') AS BIGINT[])) \
            AND m.deleted_at IS NULL AND m.told = ''",
    };
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    match ids.is_empty() {
        true => Ok(Vec::new()),
        false => db.all(READ, (ids.join(","),)).await,
    }
}

async fn documents(chat: Chat, ids: Vec<i64>) -> Result<Vec<Document>> {
    const PEOPLE: &str = "SELECT account_id FROM room_members WHERE room_id = $1";
    let db = &chat.engine.db;
    let rows = read(db, &ids).await?;
    let mut people: HashMap<RoomId, Vec<AccountId>> = HashMap::new();
    for row in rows.iter().filter(|row| row.space_id.is_none()) {
        if let Entry::Vacant(entry) = people.entry(row.governing()) {
            entry.insert(db.scalars(PEOPLE, (row.governing(),)).await?);
        }
    }
    let documents = tokio::task::spawn_blocking(move || {
        let documents = rows.iter().map(|row| Document {
            id: row.id.0,
            text: row.text(),
            facets: row.facets(people.get(&row.governing())),
        });
        documents.collect()
    });
    Ok(documents.await.map_err(anyhow::Error::new)?)
}

impl Chat {
    /// The title of a room for an account; of a thread with that of its room.
    async fn place(&self, account: AccountId, room: &Room) -> Result<String> {
        let (access, rooms) = (&self.community.access, &self.community.rooms);
        let title = rooms.title(account, room).await?;
        let Some(parent) = room.parent else {
            return Ok(title);
        };
        let parent = access.permit_in_room(account, &READ, parent).await?;
        let of_parent = rooms.title(account, &parent).await?;
        Ok(format!("{of_parent} › {title}"))
    }
}

async fn before(chat: Chat, id: i64, limit: usize) -> Result<Vec<i64>> {
    store::before_of_all(&chat.engine.db, MessageId(id), limit).await
}

/// What an account may see of these messages.
pub(super) async fn found(chat: Chat, account: AccountId, ids: Vec<i64>) -> Result<Vec<Found>> {
    let access = &chat.community.access;
    let mut rows = read(&chat.engine.db, &ids).await?;
    let mut places: HashMap<RoomId, Option<String>> = HashMap::new();
    for row in &rows {
        if let Entry::Vacant(entry) = places.entry(row.room_id) {
            let place = match access.permit_in_room(account, &READ, row.room_id).await {
                Ok(room) => Some(chat.place(account, &room).await?),
                Err(error) => {
                    is_granted(Err::<(), _>(error))?;
                    None
                }
            };
            entry.insert(place);
        }
    }
    rows.retain(|row| matches!(places.get(&row.room_id), Some(Some(_))));
    let found = tokio::task::spawn_blocking(move || {
        let found = rows.into_iter().map(|row| Found {
            id: row.id.0,
            author: row.author_id,
            place: {
                let room = places.get(&row.room_id).cloned().flatten();
                let room = room.unwrap_or_default();
                match row.title.as_str() {
                    "" => room,
                    title => format!("{room} › {title}"),
                }
            },
            is_direct: row.space_id.is_none(),
            href: format!("/messages/{}", row.id),
            at: row.created_at,
            text: row.text(),
            stand_in: row.files.voice().map(|voice| StandIn {
                key: "voice-words",
                time: voice.time(),
            }),
            author_name: row.author_name,
        });
        found.collect()
    });
    Ok(found.await.map_err(anyhow::Error::new)?)
}
