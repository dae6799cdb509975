//! What others need to review a sanction: which one is in force, who may judge whom, and taking it
//! back together with the decision.

use serde_json::{Value, json};
use sqlx::FromRow;

use super::access_store::hold_member;
use super::actor::actor;
use super::audit::{self, Act};
use super::member_roles::publish_member;
use super::permissions::{BAN, KICK, TIME_OUT};
use super::sanctions::{self, Sanction, SanctionId, SanctionKind, Sanctions};
use super::{Permission, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};

/// A sanction that is in force, for whom it was imposed on and for who reviews it.
#[derive(Clone, Debug, FromRow)]
pub struct SanctionInForce {
    /// Unique on this server.
    pub id: SanctionId,
    kind: SanctionKind,
    /// The name of the space.
    pub space: String,
    /// Why; empty if no reason was given.
    pub reason: String,
    /// When it was imposed.
    pub at: Micros,
    /// `None`: has no end.
    pub until: Option<Micros>,
}

impl SanctionInForce {
    /// The message key of its name.
    pub fn label(&self) -> &'static str {
        Sanction::label_of(self.kind)
    }
}

const IN_FORCE: &str = "SELECT n.id, n.kind, s.name AS space, n.reason, n.at, n.until \
    FROM sanctions n JOIN spaces s ON s.id = n.space_id \
    WHERE n.account_id = $1 AND n.space_id = $2 AND n.ended_at IS NULL \
    AND (n.until IS NULL OR n.until > $3) \
    AND (n.kind = 'time-out') = EXISTS (SELECT 1 FROM members m \
    WHERE m.space_id = n.space_id AND m.account_id = n.account_id) ORDER BY n.id DESC LIMIT 1";

impl Sanctions {
    /// The sanction that keeps an account out of a space, or silent in it; for the account itself.
    ///
    /// # Errors
    /// The database's.
    pub async fn in_force(
        &self,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Option<SanctionInForce>> {
        let db = &self.engine.db;
        let values = (account, space, Micros::now());
        db.optional(IN_FORCE, values).await
    }

    /// The same in a transaction, in which nobody else changes it.
    ///
    /// # Errors
    /// The database's.
    pub async fn hold_in_force(
        &self,
        tx: &mut Tx,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Option<SanctionInForce>> {
        super::access::lock_space(tx, space).await?;
        let values = (account, space, Micros::now());
        tx.optional(IN_FORCE, values).await
    }

    /// A sanction by its id, in force or not; for who reviews it.
    ///
    /// # Errors
    /// `NotFound` when the space has no such sanction.
    pub async fn sanction(&self, space: SpaceId, id: SanctionId) -> Result<SanctionInForce> {
        const READ: &str = "SELECT n.id, n.kind, s.name AS space, n.reason, n.at, n.until \
            FROM sanctions n JOIN spaces s ON s.id = n.space_id \
            WHERE n.id = $1 AND n.space_id = $2";
        self.engine.db.one(READ, (id, space)).await
    }

    /// Whether somebody may judge what an account did in a space: nobody judges themselves or who
    /// stands as high, but owners one another, and everybody those who are no members.
    ///
    /// # Errors
    /// The database's.
    pub async fn may_judge(
        &self,
        by: AccountId,
        space: SpaceId,
        account: AccountId,
    ) -> Result<bool> {
        let Some(own) = self.access.member(by, space).await? else {
            return Ok(false);
        };
        let Some(member) = self.access.member(account, space).await? else {
            return Ok(true);
        };
        let rules = self.access.space_rules(space).await?;
        let is_above = rules.rank(&member) < rules.rank(&own);
        Ok(by != account && (is_above || own.is_owner))
    }

    /// As [`may_judge`](Self::may_judge), in a transaction. The space's row is locked.
    ///
    /// # Errors
    /// `Forbidden` for who may not.
    pub async fn check_may_judge(
        &self,
        tx: &mut Tx,
        (by, space, account): (AccountId, SpaceId, AccountId),
    ) -> Result<()> {
        if by == account {
            return Err(Error::Forbidden("error-judge-self"));
        }
        let declared = &self.access.declared;
        let (own, _) = hold_member(tx, declared, space, by).await?;
        let actor = actor(tx, declared, space, by).await?;
        match hold_member(tx, declared, space, account).await {
            Ok((member, rules)) if !own.is_owner => actor.check_above(rules.rank(&member)),
            Ok(_) | Err(Error::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes a sanction back: ends the time-out, lifts the bans of the account and of its network.
    /// `settle` runs first, in the same transaction, and decides whether it is done.
    ///
    /// # Errors
    /// `NotFound` when the space has no such sanction, `Forbidden` without the permission to
    /// impose one, or for who may not judge the account; those of `settle`.
    pub async fn take_back(
        &self,
        by: AccountId,
        space: SpaceId,
        id: SanctionId,
        settle: impl AsyncFnOnce(&mut Tx) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        const READ: &str = "SELECT kind, account_id FROM sanctions WHERE id = $1 AND space_id = $2";
        let row: Option<(SanctionKind, AccountId)> =
            self.engine.db.optional(READ, (id, space)).await?;
        let (kind, account) = row.ok_or(Error::NotFound)?;
        let permission: &'static Permission = match kind {
            SanctionKind::TimeOut => &TIME_OUT,
            SanctionKind::Removal => &KICK,
            SanctionKind::Ban => &BAN,
        };
        let own = self.clone();
        let write = async move |tx: &mut Tx| {
            let people = (by, space, account);
            own.check_may_judge(tx, people).await?;
            settle(tx).await?;
            own.end_in(tx, kind, people).await
        };
        self.access
            .permitted_protective_write(by, permission, Scope::Space(space), write)
            .await
    }

    async fn end_in(
        &self,
        tx: &mut Tx,
        kind: SanctionKind,
        (by, space, account): (AccountId, SpaceId, AccountId),
    ) -> Result<()> {
        const FREE: &str = "UPDATE members SET timed_out_until = NULL \
            WHERE space_id = $1 AND account_id = $2 AND timed_out_until IS NOT NULL";
        const LIFT: &str = "DELETE FROM bans WHERE space_id = $1 AND account_id = $2";
        sanctions::end(tx, kind, space, account).await?;
        let done = match kind {
            SanctionKind::TimeOut => tx.execute(FREE, (space, account)).await?,
            SanctionKind::Ban => tx.execute(LIFT, (space, account)).await?,
            SanctionKind::Removal => 0,
        };
        if done == 0 {
            return Ok(());
        }
        let act = Act {
            space: Some(space),
            actor: Some(by),
            act: match kind {
                SanctionKind::TimeOut => "member.time-out-ended",
                _ => "member.unbanned",
            },
            subject: Some(account.0),
            name: "",
            before: Value::Null,
            after: json!({}),
        };
        audit::record(tx, act).await?;
        match kind {
            SanctionKind::TimeOut => publish_member(tx, &self.engine, by, space, account).await,
            _ => Ok(()),
        }
    }
}
