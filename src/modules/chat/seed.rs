//! The messages of a seeded community (`tidepool seed`): conversations of a few people at a time,
//! in every room, with answers, threads and reactions, over up to two years.

mod texts;

use std::collections::{HashMap, VecDeque};

use super::checksum::Covered;
use super::model::{CONTINUATION_WINDOW, MessageId};
use super::thread_store::Thread;
use super::{Chat, reaction_store, store, thread_store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{self, AccountId, RoomId};
use crate::community::{Language, SeededCommunity, SeededRoom, insert_thread};
use texts::{REACTIONS, message};

/// Messages of one transaction.
const BATCH_SEEDED: u64 = 1_000;
/// Messages of a room that others answer, and that people are behind.
const MAX_RECENT: usize = 100;
/// Microseconds between two messages.
const MAX_STEP: i64 = 90_000_000;
/// And between the first and the last one: two years.
const MAX_SPAN: i64 = 2 * 365 * 86_400_000_000;

/// Numbers that look random, and are the same in each run (`SplitMix64`, Steele and others, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `limit`, which is not zero.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of a list; the first ones more often, as words and people are.
    fn rather_early<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.early_index(all.len())]
    }

    fn early_index(&mut self, length: usize) -> usize {
        let (one, other) = (self.below(length), self.below(length));
        match self.one_in(3) {
            true => one,
            false => one.min(other),
        }
    }
}

/// A conversation: some messages of a few people in one room.
struct Conversation {
    room: RoomId,
    /// Whom it is among: accounts, and what they write in.
    people: Vec<(AccountId, Language)>,
    messages_left: usize,
    /// The room it goes back to, if it is in a thread.
    parent: Option<RoomId>,
}

/// A message that is about to be inserted.
struct Seed {
    id: MessageId,
    room: RoomId,
    author: AccountId,
    at: Micros,
    body: String,
    continues: bool,
    is_in_thread: bool,
    reply_to: Option<MessageId>,
    reactions: Vec<(AccountId, &'static str)>,
    /// Begins a thread with this number of replies.
    thread: Option<usize>,
}

/// Makes messages one after the other.
struct Seeder<'a> {
    community: &'a SeededCommunity,
    random: Random,
    step: i64,
    now: Micros,
    conversation: Option<Conversation>,
    /// The last author of each room, and when.
    last: HashMap<RoomId, (AccountId, Micros)>,
    /// The last messages of each room.
    recent: HashMap<RoomId, VecDeque<MessageId>>,
}

impl<'a> Seeder<'a> {
    fn room(&mut self) -> &'a SeededRoom {
        let rooms = &self.community.rooms;
        let total: usize = rooms.iter().map(|room| room.weight as usize).sum();
        let mut at = self.random.below(total);
        for room in rooms {
            match at.checked_sub(room.weight as usize) {
                Some(rest) => at = rest,
                None => return room,
            }
        }
        &rooms[0]
    }

    fn begin(&mut self) -> Conversation {
        let room = self.room();
        let count = 2 + self.random.below(4);
        let people = (0..count).map(|_| {
            let of = room.people[self.random.early_index(room.people.len())];
            let person = &self.community.people[of];
            // In a room of every language, most people write English.
            let language = match room.language.is_none() && !self.random.one_in(4) {
                true => Language::English,
                false => person.language,
            };
            (person.account, language)
        });
        Conversation {
            people: people.collect(),
            room: room.room,
            messages_left: 4 + self.random.below(30),
            parent: None,
        }
    }

    fn next(&mut self) -> Seed {
        self.now = Micros(self.now.0 + self.step);
        let mut conversation = match self.conversation.take() {
            Some(conversation) if conversation.messages_left > 0 => conversation,
            Some(Conversation {
                parent: Some(parent),
                people,
                ..
            }) => Conversation {
                room: parent,
                people,
                messages_left: 2 + self.random.below(6),
                parent: None,
            },
            _ => self.begin(),
        };
        conversation.messages_left -= 1;
        let room = conversation.room;
        let who = self.random.below(conversation.people.len());
        let (author, language) = conversation.people[who];
        let body = message(language, &mut self.random);
        let id = MessageId(ids::first_at(self.now));
        let window = CONTINUATION_WINDOW.as_micros() as i64;
        let last = self.last.insert(room, (author, self.now));
        let continues = last.is_some_and(|(by, at)| by == author && self.now.0 - at.0 < window);
        let recent = self.recent.entry(room).or_default();
        let answers = !recent.is_empty() && self.random.one_in(20);
        let reply_to = answers.then(|| recent[self.random.below(recent.len().min(5))]);
        recent.push_front(id);
        recent.truncate(MAX_RECENT);
        let mut reactions = Vec::new();
        while self.random.one_in(12) && reactions.len() < 4 {
            let (by, _) = conversation.people[self.random.below(conversation.people.len())];
            reactions.push((by, self.random.rather_early(&REACTIONS)));
        }
        let is_thread = conversation.parent.is_none() && self.random.one_in(120);
        let thread = is_thread.then(|| 2 + self.random.below(12));
        let is_in_thread = conversation.parent.is_some();
        self.conversation = Some(conversation);
        Seed {
            is_in_thread,
            id,
            room,
            author,
            at: self.now,
            body,
            continues: continues && reply_to.is_none(),
            reply_to,
            reactions,
            thread,
        }
    }
}

impl Chat {
    /// Makes messages for a community, the oldest first. Calls `progress` with how many there are.
    ///
    /// # Errors
    /// The database's.
    pub async fn seed(
        &self,
        community: &SeededCommunity,
        count: u64,
        progress: impl Fn(u64),
    ) -> Result<()> {
        let step = (MAX_SPAN / (count.max(1) as i64)).min(MAX_STEP);
        let mut seeder = Seeder {
            community,
            random: Random(count),
            step,
            now: seed_begins(count),
            conversation: None,
            last: HashMap::new(),
            recent: HashMap::new(),
        };
        let mut made = 0;
        while made < count {
            let mut batch = Vec::new();
            while made < count && (batch.len() as u64) < BATCH_SEEDED {
                let seed = seeder.next();
                made += 1;
                let thread = seed.thread;
                batch.push(seed);
                // A thread gets a room of its own before its replies are made.
                if thread.is_some() {
                    break;
                }
            }
            let threads = self
                .engine
                .db
                .write(async move |tx| insert(tx, batch).await);
            for (parent, thread, replies) in threads.await? {
                if let Some(conversation) = &mut seeder.conversation {
                    conversation.parent = Some(parent);
                    conversation.room = thread;
                    conversation.messages_left = replies;
                }
            }
            progress(made);
        }
        self.seed_read_marks(community, &mut seeder).await
    }

    /// Most people have read most rooms to their ends.
    async fn seed_read_marks(
        &self,
        community: &SeededCommunity,
        seeder: &mut Seeder<'_>,
    ) -> Result<()> {
        let mut marks = Vec::new();
        for room in &community.rooms {
            let Some(recent) = seeder.recent.get(&room.room) else {
                continue;
            };
            for of in &room.people {
                let behind = match seeder.random.one_in(4) {
                    true => seeder.random.below(recent.len()),
                    false => 0,
                };
                marks.push((community.people[*of].account, room.room, recent[behind]));
            }
        }
        let write = self.engine.db.write(async move |tx: &mut Tx| {
            for (account, room, read) in marks {
                store::mark_read(tx, account, room, read).await?;
            }
            Ok(())
        });
        write.await
    }
}

/// When a community with so many messages began.
pub fn seed_begins(count: u64) -> Micros {
    let count = i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    let step = (MAX_SPAN / count).min(MAX_STEP);
    Micros(Micros::now().0 - step.saturating_mul(count + 2))
}

/// Inserts messages. Returns the threads that were begun: the room, its thread, and its replies.
async fn insert(tx: &mut Tx, seeds: Vec<Seed>) -> Result<Vec<(RoomId, RoomId, usize)>> {
    const INSERT: &str = "INSERT INTO messages (id, room_id, author_id, client_key, body, \
        reply_to, revision, checksum, continues, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8, $9)";
    const COUNT: &str = "UPDATE chat_threads SET replies = replies + 1, last_id = $2 \
        WHERE room_id = $1";
    let mut threads = Vec::new();
    for seed in seeds {
        let key = format!("seed-{}", seed.id);
        let checksum = Covered {
            id: seed.id,
            room: seed.room,
            author: seed.author,
            created_at: seed.at,
            key: &key,
            body: &seed.body,
        }
        .checksum();
        let row = (
            seed.id,
            seed.room,
            seed.author,
            &key,
            &seed.body,
            seed.reply_to,
            checksum,
            seed.continues,
            seed.at,
        );
        tx.execute(INSERT, row).await?;
        if seed.is_in_thread {
            tx.execute(COUNT, (seed.room, seed.id)).await?;
        }
        for (account, emoji) in &seed.reactions {
            reaction_store::set(tx, seed.id, *account, emoji, Some(true)).await?;
        }
        if !seed.reactions.is_empty() {
            reaction_store::refresh(tx, seed.id).await?;
        }
        if let Some(replies) = seed.thread {
            let name: String = seed.body.chars().take(60).collect();
            let room =
                insert_thread(tx, seed.room, name.lines().next().unwrap_or_default()).await?;
            let thread = Thread {
                room,
                parent: seed.room,
                origin: seed.id,
                begun_by: seed.author,
                is_post: false,
                replies: 0,
                last: MessageId(0),
            };
            thread_store::insert(tx, &thread).await?;
            thread_store::follow(tx, seed.author, room).await?;
            threads.push((seed.room, room, replies));
        }
    }
    Ok(threads)
}
