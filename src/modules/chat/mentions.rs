//! Mentions: whom the text of a message calls by `@name`.
//!
//! Names are resolved once, when a message is stored, to people who can read its room, and for
//! those who may, to roles, groups, `@here` and `@room`. What is found is stored with the message
//! for those who render it, and in rows of its own (`mention_store.rs`) for those who count.

use std::collections::{HashMap, HashSet};

use super::mention_targets::{Mention, Mentions, NewMentions, Target};
use super::model::MessageId;
use super::topics::MentionsChanged;
use super::{Chat, MENTION_EVERYONE, markdown, mention_store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::community::Room;
use crate::community::permissions::is_granted;
use crate::engine::bus::Origin;

/// Present people whom `@here` is stored for one by one; for more it stands for the whole room.
const MAX_PRESENT: usize = 5_000;

/// Finds the names in a text: for each sign those that may be meant, longest first.
async fn names_in(body: &str, html: Option<&str>) -> Result<Vec<Vec<String>>> {
    let (body, html) = (body.to_owned(), html.map(str::to_owned));
    // Where names are is decided in the HTML, in which they are marked later: not in code.
    let find = move || {
        let html = html.unwrap_or_else(|| markdown::to_html(&body));
        markdown::mentioned_names(&html)
    };
    let found = tokio::task::spawn_blocking(find).await;
    found.map_err(|error| Error::Internal(anyhow::Error::new(error)))
}

impl Chat {
    /// Whom a text mentions that its author is about to store in a room. A text without `@` costs
    /// nothing.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn find_mentions(
        &self,
        author: AccountId,
        room: &Room,
        body: &str,
        html: Option<&str>,
    ) -> Result<NewMentions> {
        if !body.contains('@') {
            return Ok(NewMentions::default());
        }
        let names = names_in(body, html).await?;
        if names.is_empty() {
            return Ok(NewMentions::default());
        }
        let access = &self.community.access;
        let asked = access.permit_in_room(author, &MENTION_EVERYONE, room.id);
        let many = is_granted(asked.await)?;
        let readers = access.readers_of(room.id).await?;
        let known = self.known_names(&names, room, many).await?;
        let mut found: Vec<Mention> = Vec::new();
        for sign in names {
            let target = sign.into_iter().find_map(|name| {
                let targets = known.get(&name)?.iter();
                let mut targets = targets.filter(|target| match target {
                    Target::Account { id } => readers.contains(id),
                    _ => many,
                });
                let target = targets.next()?.clone();
                Some(Mention { name, target })
            });
            if let Some(mention) = target
                && !found.contains(&mention)
            {
                found.push(mention);
            }
        }
        let mut mentions: Mentions = found.into_iter().collect();
        let mut present = Vec::new();
        if mentions.targets().any(|target| *target == Target::Here) {
            present = self.community.present.among(&readers);
            present.retain(|account| *account != author);
            if present.len() > MAX_PRESENT {
                present.clear();
                for mention in &mut mentions.0 {
                    if mention.target == Target::Here {
                        mention.target = Target::Room;
                    }
                }
            }
        }
        Ok(NewMentions { mentions, present })
    }

    /// Whom these names may stand for, in order of preference: the two words for everyone, people,
    /// roles, groups.
    async fn known_names(
        &self,
        names: &[Vec<String>],
        room: &Room,
        many: bool,
    ) -> Result<HashMap<String, Vec<Target>>> {
        let db = &self.engine.db;
        let all: HashSet<&str> = names.iter().flatten().map(String::as_str).collect();
        let all: Vec<&str> = all.into_iter().collect();
        let all = serde_json::to_string(&all).map_err(|error| Error::Internal(error.into()))?;
        let mut known: HashMap<String, Vec<Target>> = HashMap::from([
            ("here".to_owned(), vec![Target::Here]),
            ("room".to_owned(), vec![Target::Room]),
        ]);
        for (id, name) in mention_store::accounts_named(db, &all).await? {
            known.entry(name).or_default().push(Target::Account { id });
        }
        if let (Some(space), true) = (room.space, many) {
            for (id, name) in mention_store::roles_named(db, space, &all).await? {
                known.entry(name).or_default().push(Target::Role { id });
            }
            for (id, name) in mention_store::groups_named(db, space, &all).await? {
                known.entry(name).or_default().push(Target::Group { id });
            }
        }
        Ok(known)
    }

    /// Publishes after the commit that a message's mentions were added or removed.
    pub(super) fn publish_mentions(
        &self,
        tx: &mut Tx,
        origin: Origin,
        room: RoomId,
        mentions: &Mentions,
        removed: bool,
    ) {
        if mentions.is_empty() {
            return;
        }
        let mut accounts: Vec<_> = mentions.accounts().collect();
        if accounts.len() < mentions.0.len() {
            accounts.clear();
        }
        let event = MentionsChanged {
            room,
            accounts,
            removed,
        };
        self.engine.bus.publish_after_commit(tx, origin, event);
    }

    /// Removes the rows of a deleted message's mentions, and who was told of it.
    pub(super) async fn drop_mentions(
        &self,
        tx: &mut Tx,
        origin: Origin,
        room: RoomId,
        message: MessageId,
        mentions: &Mentions,
    ) -> Result<()> {
        self.engine.notices.withdraw(tx, message.0).await?;
        if !mentions.is_empty() {
            mention_store::remove(tx, message).await?;
            self.publish_mentions(tx, origin, room, mentions, true);
        }
        Ok(())
    }
}
