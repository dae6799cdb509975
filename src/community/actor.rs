//! Who acts in a space: what they hold, and how high they stand. Nobody acts on a role or member as
//! high as themselves, nor grants what they do not hold.

use super::access_store::hold_member;
use super::permission_set::{DeclaredPermissions, PermissionSet};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};

/// What the one who acts holds, and how high they stand.
pub(super) struct Actor {
    pub(super) rank: i64,
    pub(super) held: PermissionSet,
}

/// Reads an actor in a transaction; locks the space's row.
///
/// # Errors
/// `NotFound` for an account that is no member.
pub(super) async fn actor(
    tx: &mut Tx,
    declared: &DeclaredPermissions,
    space: SpaceId,
    by: AccountId,
) -> Result<Actor> {
    let (member, rules) = hold_member(tx, declared, space, by).await?;
    Ok(Actor {
        rank: rules.rank(&member),
        held: rules.held(declared, &member),
    })
}

impl Actor {
    /// # Errors
    /// `Forbidden` for a role as high as the actor's own highest.
    pub(super) fn check_above(&self, position: i64) -> Result<()> {
        match position < self.rank {
            true => Ok(()),
            false => Err(Error::Forbidden("error-role-above")),
        }
    }

    /// # Errors
    /// `Forbidden` for a change of permissions that the actor does not hold.
    pub(super) fn check_holds(&self, before: PermissionSet, after: PermissionSet) -> Result<()> {
        let changed = before.without(after).with(after.without(before));
        match self.held.contains(changed) {
            true => Ok(()),
            false => Err(Error::Forbidden("error-role-grants")),
        }
    }
}
