//! Giving roles and the space itself to members, and taking them back.

use serde_json::json;

use super::access_store::hold_member;
use super::actor::actor;
use super::audit::{self, Act};
use super::permissions::{MANAGE_ROLES, Membership, READ};
use super::roles::{Roles, find};
use super::standing::RoleId;
use super::topics::MemberChanged;
use super::{ACCOUNT_FEED, Scope};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::Engine;
use crate::engine::bus::Origin;

const GIVE: &str = "INSERT INTO member_roles (space_id, account_id, role_id) \
    VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const TAKE: &str = "DELETE FROM member_roles \
    WHERE space_id = $1 AND account_id = $2 AND role_id = $3";

impl Roles {
    /// Gives a role to a member, or takes it back. Members below `by` only, and oneself.
    ///
    /// # Errors
    /// `Forbidden` for a role or member as high as `by`, `NotFound` for who is no member.
    pub(super) async fn give(
        &self,
        by: AccountId,
        space: SpaceId,
        account: AccountId,
        role: RoleId,
        give: bool,
    ) -> Result<()> {
        let roles = self.clone();
        let write = async move |tx: &mut Tx| {
            let declared = &roles.access.declared;
            let actor = actor(tx, declared, space, by).await?;
            let (member, rules) = hold_member(tx, declared, space, account).await?;
            let role = find(tx, space, role).await?;
            actor.check_above(role.position)?;
            if account != by {
                actor.check_above(rules.rank(&member))?;
            }
            if member.is_guest {
                return Err(Error::Conflict("error-guest-role"));
            }
            let statement = if give { GIVE } else { TAKE };
            if tx.execute(statement, (space, account, role.id)).await? == 0 {
                return Ok(());
            }
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: if give {
                    "member.role-given"
                } else {
                    "member.role-taken"
                },
                subject: Some(account.0),
                name: "",
                before: json!(null),
                after: json!({ "role": role.name }),
            };
            audit::record(tx, act).await?;
            publish_member(tx, &roles.engine, by, space, account).await
        };
        self.access
            .permitted_protective_write(by, &MANAGE_ROLES, Scope::Space(space), write)
            .await
    }

    /// Gives oneself a role that members choose, or drops it.
    ///
    /// # Errors
    /// `NotFound` for a role that is not chosen by oneself, `Forbidden` for guests and such.
    pub(super) async fn choose(
        &self,
        account: AccountId,
        space: SpaceId,
        role: RoleId,
        take: bool,
    ) -> Result<()> {
        let roles = self.clone();
        let write = async move |tx: &mut Tx| {
            let declared = &roles.access.declared;
            let (member, _) = hold_member(tx, declared, space, account).await?;
            let role = find(tx, space, role).await?;
            if let Some(why) = member.restriction(crate::base::clock::Micros::now()) {
                return Err(Error::Forbidden(why));
            }
            // Its grants may have grown since it was offered.
            if !role.self_chosen || !declared.by_members().contains(role.grants(declared)) {
                return Err(Error::NotFound);
            }
            let statement = if take { GIVE } else { TAKE };
            if tx.execute(statement, (space, account, role.id)).await? == 0 {
                return Ok(());
            }
            publish_member(tx, &roles.engine, account, space, account).await
        };
        self.access
            .permitted_protective_write(account, &READ, Scope::Space(space), write)
            .await
    }

    /// Makes a member an owner, or an owner a member again. Owners only.
    ///
    /// # Errors
    /// `Forbidden` for others, `Conflict` for the last owner and for guests, `NotFound` for who is
    /// no member.
    pub(super) async fn set_owner(
        &self,
        by: AccountId,
        space: SpaceId,
        account: AccountId,
        is_owner: bool,
    ) -> Result<()> {
        let roles = self.clone();
        let write = async move |tx: &mut Tx| {
            const SET: &str =
                "UPDATE members SET role = $3 WHERE space_id = $1 AND account_id = $2";
            let declared = &roles.access.declared;
            // Both hold the space's row: two owners who act against each other take turns.
            let (actor, _) = hold_member(tx, declared, space, by).await?;
            let (member, _) = hold_member(tx, declared, space, account).await?;
            if !actor.is_owner {
                return Err(Error::Forbidden("error-owners-only"));
            }
            if member.is_guest {
                return Err(Error::Conflict("error-guest-role"));
            }
            if member.is_owner == is_owner {
                return Ok(());
            }
            if !is_owner {
                check_other_owner(tx, space, account).await?;
            }
            let role = match is_owner {
                true => Membership::Owner,
                false => Membership::Member,
            };
            tx.execute(SET, (space, account, role)).await?;
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: if is_owner {
                    "member.made-owner"
                } else {
                    "member.unmade-owner"
                },
                subject: Some(account.0),
                name: "",
                before: json!(null),
                after: json!(null),
            };
            audit::record(tx, act).await?;
            publish_member(tx, &roles.engine, by, space, account).await
        };
        self.access
            .permitted_protective_write(by, &READ, Scope::Space(space), write)
            .await
    }
}

/// Checks that a space has another owner than this one. The space's row is locked.
///
/// # Errors
/// `Conflict`.
pub(super) async fn check_other_owner(
    tx: &mut Tx,
    space: SpaceId,
    account: AccountId,
) -> Result<()> {
    const OTHER: &str = "SELECT EXISTS (SELECT 1 FROM members \
        WHERE space_id = $1 AND account_id <> $2 AND role = 'owner')";
    match tx.scalar(OTHER, (space, account)).await? {
        true => Ok(()),
        false => Err(Error::Conflict("error-owner-stays")),
    }
}

/// Publishes that a member's rights changed, and has their sockets checked again.
pub(super) async fn publish_member(
    tx: &mut Tx,
    engine: &Engine,
    by: AccountId,
    space: SpaceId,
    account: AccountId,
) -> Result<()> {
    let (feed, origin) = (ACCOUNT_FEED.name(account), Origin::new(by, Some(space)));
    let changed = MemberChanged { space, account };
    engine.bus.publish_on(tx, &[feed], origin, changed).await?;
    // After the event, which invalidates the account's cached permissions.
    engine.live.recheck_after_commit(tx, vec![account]).await
}
