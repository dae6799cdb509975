//! Whom the text of a message mentions, as it is stored with the message.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::ids::AccountId;
use crate::community::{GroupId, RoleId};

/// Mentions of one message; the other names stay text.
pub const MAX_MENTIONS: usize = 20;
/// Whom a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Target {
    /// One person.
    Account {
        /// The account.
        id: AccountId,
    },
    /// Who has a role.
    Role {
        /// The role.
        id: RoleId,
    },
    /// Who is in a group.
    Group {
        /// The group.
        id: GroupId,
    },
    /// Readers of the room who were present.
    Here,
    /// Readers of the room.
    Room,
}

/// A name in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// The name as names are compared.
    pub name: String,
    /// Whom it stands for.
    #[serde(flatten)]
    pub target: Target,
}

/// The mentions of a message, at most [`MAX_MENTIONS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mentions(pub(super) Vec<Mention>);

impl Mentions {
    /// Whether nobody is mentioned.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whom a name stands for, given as names are compared.
    pub(super) fn get(&self, name: &str) -> Option<&Target> {
        let found = self.0.iter().find(|mention| mention.name == name);
        found.map(|mention| &mention.target)
    }

    /// Also calls the author of the message that is answered, if that is somebody else.
    pub(super) fn answering(mut self, answered: Option<AccountId>, by: AccountId) -> Self {
        if let Some(id) = answered.filter(|answered| *answered != by) {
            let name = String::new(); // no name in the text
            self.0.insert(
                0,
                Mention {
                    name,
                    target: Target::Account { id },
                },
            );
        }
        self
    }

    /// The mentions of this text and of another one.
    pub(super) fn with(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// Bytes of the longest name.
    pub(super) fn longest(&self) -> usize {
        let lengths = self.0.iter().map(|mention| mention.name.len());
        lengths.max().unwrap_or(0)
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = &Target> {
        self.0.iter().map(|mention| &mention.target)
    }

    /// The people who are mentioned by their own names.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.targets().filter_map(|target| match target {
            Target::Account { id } => Some(*id),
            _ => None,
        })
    }
}

impl FromIterator<Mention> for Mentions {
    fn from_iter<T: IntoIterator<Item = Mention>>(all: T) -> Self {
        Self(all.into_iter().take(MAX_MENTIONS).collect())
    }
}

/// As stored: JSON, or nothing.
impl fmt::Display for Mentions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return Ok(());
        }
        f.write_str(&serde_json::to_string(&self.0).map_err(|_| fmt::Error)?)
    }
}

impl TryFrom<String> for Mentions {
    type Error = serde_json::Error;

    fn try_from(stored: String) -> Result<Self, Self::Error> {
        match stored.is_empty() {
            true => Ok(Self::default()),
            false => serde_json::from_str(&stored).map(Self),
        }
    }
}

/// The mentions of a text that is about to be stored.
#[derive(Clone, Default)]
pub(super) struct NewMentions {
    pub(super) mentions: Mentions,
    /// Whom `@here` stands for.
    pub(super) present: Vec<AccountId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_mentions_are_read_back() {
        let mention = |name: &str, target| Mention {
            name: name.into(),
            target,
        };
        let mentions: Mentions = [
            mention("anna", Target::Account { id: AccountId(7) }),
            mention("room", Target::Room),
        ]
        .into_iter()
        .collect();
        assert_eq!(Mentions::try_from(mentions.to_string()).unwrap(), mentions);
        assert_eq!(
            Mentions::try_from(String::new()).unwrap(),
            Mentions::default()
        );
        assert_eq!(Mentions::default().to_string(), "");
    }
}
