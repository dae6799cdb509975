//! Who writes a text: what of them decides which rules act.

use crate::base::clock::Micros;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};
use crate::community::permissions::is_granted;
use crate::community::{RoleId, Scope};

use super::super::{EXEMPT, Moderation};

/// The author of a text.
#[derive(Clone, Debug)]
pub(super) struct Author {
    /// Whether no rule acts on them.
    pub(super) is_exempt: bool,
    pub(super) roles: Vec<RoleId>,
    /// Since when they are a member, and have an account: the later of both.
    pub(super) new_at: Micros,
}

impl Moderation {
    /// The author of a text in a space. When they came is read if a rule asks for it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn author(
        &self,
        account: AccountId,
        space: SpaceId,
        asks_when: bool,
    ) -> Result<Author> {
        const READ: &str = "SELECT m.joined_at, a.created_at FROM members m \
            JOIN accounts a ON a.id = m.account_id WHERE m.space_id = $1 AND m.account_id = $2";
        let access = &self.community.access;
        let exempt = access.permit(account, &EXEMPT, Scope::Space(space));
        let mut author = Author {
            is_exempt: is_granted(exempt.await)?,
            roles: Vec::new(),
            new_at: Micros(0),
        };
        if author.is_exempt {
            return Ok(author);
        }
        if let Some(member) = access.member(account, space).await? {
            author.roles = member.roles.to_vec();
        }
        if asks_when {
            let times: Option<(Micros, Micros)> =
                self.engine.db.optional(READ, (space, account)).await?;
            let times = times.map(|(joined, made)| joined.max(made));
            author.new_at = times.unwrap_or(Micros(0));
        }
        Ok(author)
    }
}
