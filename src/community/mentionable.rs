//! Whom a message in a room may mention: the people who read it, and for those who may mention many
//! at once its space's roles and groups. For the completion of `@`.

use std::collections::HashSet;

use serde::Serialize;

use super::find::Pattern;
use super::{Access, Community, Room};
use crate::base::error::Result;
use crate::base::ids::AccountId;

/// Entries of one answer.
const MAX_FOUND: usize = 8;
/// Bytes of a query; the rest is ignored.
const MAX_QUERY_BYTES: usize = 256;

/// What an entry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MentionableKind {
    /// A person.
    Account,
    /// A role of the space.
    Role,
    /// A group of the space.
    Group,
    /// `@here` or `@room`.
    Everyone,
}

/// Somebody or some people whom a message may mention.
#[derive(Clone, Debug, Serialize)]
pub struct Mentionable {
    /// What it stands for.
    pub kind: MentionableKind,
    /// What follows the `@`: a unique name.
    pub name: String,
    /// The name that is shown of a person, where it is another one.
    pub shown: Option<String>,
}

impl Mentionable {
    fn new(kind: MentionableKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            shown: None,
        }
    }
}

impl Community {
    /// Whom the text after an `@` may mean in a room, best first, at most eight: those of
    /// `speakers` come first. `many`: also roles, groups and everyone. Who may ask is for the
    /// caller to check.
    ///
    /// # Errors
    /// The database's.
    pub async fn mentionable(
        &self,
        room: &Room,
        query: &str,
        speakers: &[AccountId],
        many: bool,
    ) -> Result<Vec<Mentionable>> {
        let query = &query[..query.floor_char_boundary(MAX_QUERY_BYTES)];
        let pattern = Pattern::new(query);
        let access: &Access = &self.access;
        let readers = access.readers_of(room.id).await?;
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for account in speakers {
            if found.len() < MAX_FOUND && readers.contains(account) {
                self.add_person(&mut found, &mut seen, *account, &pattern)
                    .await?;
            }
        }
        match room.space {
            Some(space) => {
                let deps = self.engine().versions.dependencies();
                let index = self.people_indexes.of(&deps, space).await?;
                let among = |account: AccountId| readers.contains(&account);
                let people = index.find_among(&pattern, MAX_FOUND * 2, among);
                let people: Vec<AccountId> = people.into_iter().map(|(id, ..)| id).collect();
                for account in people {
                    self.add_person(&mut found, &mut seen, account, &pattern)
                        .await?;
                }
            }
            None => {
                for account in readers.iter() {
                    self.add_person(&mut found, &mut seen, *account, &pattern)
                        .await?;
                }
            }
        }
        found.truncate(MAX_FOUND);
        if many {
            let mut others = self.many_people(room, &pattern).await?;
            // People stay in view when much fits.
            found.truncate(MAX_FOUND.saturating_sub(others.len()).max(MAX_FOUND / 2));
            others.truncate(MAX_FOUND - found.len());
            found.extend(others);
        }
        Ok(found)
    }

    /// Adds a person whom the query fits, once.
    async fn add_person(
        &self,
        found: &mut Vec<Mentionable>,
        seen: &mut HashSet<AccountId>,
        account: AccountId,
        pattern: &Pattern,
    ) -> Result<()> {
        if !seen.insert(account) {
            return Ok(());
        }
        let account = self.accounts.get(account).await?;
        let fits = [&account.name, &account.user_name]
            .iter()
            .any(|name| pattern.rank(name).is_some());
        if fits {
            found.push(Mentionable {
                shown: account.other_name().map(|_| account.name.clone()),
                ..Mentionable::new(MentionableKind::Account, &account.user_name)
            });
        }
        Ok(())
    }

    /// The roles and groups of a room's space that the query fits, and the two words for everyone.
    async fn many_people(&self, room: &Room, pattern: &Pattern) -> Result<Vec<Mentionable>> {
        let mut found = Vec::new();
        let fits = |name: &str| pattern.rank(name).is_some();
        for name in ["here", "room"] {
            if fits(name) {
                found.push(Mentionable::new(MentionableKind::Everyone, name));
            }
        }
        let Some(space) = room.space else {
            return Ok(found);
        };
        let groups = self.groups.names(space).await?;
        for (kind, name) in groups.iter() {
            if fits(name) {
                found.push(Mentionable::new(*kind, name));
            }
        }
        Ok(found)
    }
}
