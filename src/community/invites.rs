//! Invitations: links that let people in, until they expire, are used up or are taken back.

use std::time::Duration;

use sqlx::FromRow;

use super::accounts::{self, NewAccount, touched};
use super::topics::MemberJoined;
use super::{Community, Role, Scope, permissions, spaces};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::secrets;
use crate::engine::bus::Origin;
use crate::id;

id!(
    /// An invitation.
    InviteId
);

const MAX_OPEN: i64 = 100; // open invitations of one space
const MAX_USES: i64 = 10_000;
const MAX_LIFETIME: Duration = Duration::from_secs(365 * 86_400);

/// An open invitation, for those who may invite.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Invite {
    pub(super) id: InviteId,
    pub(super) code: String,
    pub(super) expires_at: Option<Micros>,
    pub(super) most_uses: Option<i64>,
    pub(super) uses: i64,
}

impl Invite {
    pub(super) fn uses_left(&self) -> Option<i64> {
        self.most_uses.map(|most| (most - self.uses).max(0))
    }
}

/// What someone with a link sees before they join.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Invitation {
    pub(super) space_id: SpaceId,
    pub(super) space: String,
    pub(super) from: String,
}

const OPEN: &str = "SELECT i.space_id, s.name AS space, a.name AS \"from\" FROM invites i JOIN spaces s ON s.id = i.space_id \
    JOIN accounts a ON a.id = i.created_by WHERE i.code = $1 AND i.revoked_at IS NULL AND (i.expires_at IS NULL OR i.expires_at > $2) \
    AND (i.most_uses IS NULL OR i.uses < i.most_uses)";

/// Counts one use. A link that was used up, taken back or expired in the meantime is refused.
async fn use_up(tx: &mut Tx, code: &str) -> Result<SpaceId> {
    const USE: &str = "UPDATE invites SET uses = uses + 1 WHERE code = $1 AND revoked_at IS NULL \
        AND (expires_at IS NULL OR expires_at > $2) AND (most_uses IS NULL OR uses < most_uses) RETURNING space_id";
    let space: Option<SpaceId> = tx.optional_scalar(USE, (code, Micros::now())).await?;
    space.ok_or(Error::Conflict("error-invite-over"))
}

impl Community {
    /// The invitation behind a link, while it is open.
    pub(super) async fn invitation(&self, code: &str) -> Result<Option<Invitation>> {
        self.0.engine.db.optional(OPEN, (code, Micros::now())).await
    }

    /// The open invitations of a space, newest first.
    pub(super) async fn invites_of(
        &self,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Vec<Invite>> {
        self.permit(account, &permissions::INVITE, Scope::Space(space))
            .await?;
        const READ: &str = "SELECT id, code, expires_at, most_uses, uses FROM invites WHERE space_id = $1 AND revoked_at IS NULL \
            AND (expires_at IS NULL OR expires_at > $2) AND (most_uses IS NULL OR uses < most_uses) ORDER BY id DESC LIMIT $3";
        self.0
            .engine
            .db
            .all(READ, (space, Micros::now(), MAX_OPEN))
            .await
    }

    /// Makes a link. No limit of uses or time where none is given.
    pub(super) async fn invite(
        &self,
        by: AccountId,
        space: SpaceId,
        most_uses: Option<i64>,
        lasts: Option<Duration>,
    ) -> Result<String> {
        self.permit(by, &permissions::INVITE, Scope::Space(space))
            .await?;
        Check::default()
            .that(
                most_uses.is_none_or(|uses| (1..=MAX_USES).contains(&uses)),
                "uses",
                "error-invite-uses",
                MAX_USES as usize,
            )
            .that(
                lasts.is_none_or(|lasts| lasts <= MAX_LIFETIME && !lasts.is_zero()),
                "expires",
                "error-invite-time",
                365,
            )
            .done()?;
        let code = secrets::short_token();
        let kept = code.clone();
        self.0.engine.db.write(async move |tx| {
            const COUNT: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM invites WHERE space_id = $1 AND revoked_at IS NULL \
                AND (expires_at IS NULL OR expires_at > $2) AND (most_uses IS NULL OR uses < most_uses) LIMIT $3)";
            let now = Micros::now();
            let open: i64 = tx.scalar(COUNT, (space, now, MAX_OPEN)).await?;
            if open >= MAX_OPEN {
                return Err(Error::Conflict("error-invites-full"));
            }
            const INSERT: &str = "INSERT INTO invites (id, space_id, code, created_by, created_at, expires_at, most_uses) VALUES ($1, $2, $3, $4, $5, $6, $7)";
            tx.execute(INSERT, (InviteId::new(), space, kept, by, now, lasts.map(|lasts| now.plus(lasts)), most_uses)).await?;
            Ok(())
        }).await?;
        Ok(code)
    }

    /// Takes a link back.
    pub(super) async fn revoke_invite(
        &self,
        by: AccountId,
        space: SpaceId,
        invite: InviteId,
    ) -> Result<()> {
        self.permit(by, &permissions::INVITE, Scope::Space(space))
            .await?;
        self.0
            .engine
            .db
            .write(async move |tx| {
                    const REVOKE: &str = "UPDATE invites SET revoked_at = $3 WHERE id = $1 AND space_id = $2 AND revoked_at IS NULL";
                    let done = tx.execute(REVOKE, (invite, space, Micros::now())).await?;
                    touched(done)
                })
            .await
    }

    /// Makes an account through a link and lets it into the space, all or nothing.
    pub(super) async fn join_as_new(
        &self,
        code: &str,
        mut new: NewAccount,
    ) -> Result<(AccountId, SpaceId)> {
        // Asked before the costly hash, and again inside the transaction, where it counts.
        self.invitation(code)
            .await?
            .ok_or(Error::Conflict("error-invite-over"))?;
        let mut check = Check::default();
        new.check(&mut check);
        check.done()?;
        let hash = self.0.passwords.hash(new.password.clone()).await?;
        let (code, community) = (code.to_owned(), self.clone());
        self.0
            .engine
            .db
            .write(async move |tx| {
                let space = use_up(tx, &code).await?;
                let account = accounts::insert(tx, &new, &hash).await?;
                spaces::add_member(tx, space, account, Role::Member).await?;
                tx.after_commit(move || community.joined(space, account, new.name));
                Ok((account, space))
            })
            .await
    }

    /// Lets an account that exists into the space of a link. Who belongs to it already uses nothing
    /// up.
    pub(super) async fn join(&self, code: &str, account: AccountId) -> Result<SpaceId> {
        let invitation = self
            .invitation(code)
            .await?
            .ok_or(Error::Conflict("error-invite-over"))?;
        if self.role(account, invitation.space_id).await?.is_some() {
            return Ok(invitation.space_id);
        }
        let name = self.account(account).await?.name.clone();
        let (code, community) = (code.to_owned(), self.clone());
        self.0
            .engine
            .db
            .write(async move |tx| {
                let space = use_up(tx, &code).await?;
                spaces::add_member(tx, space, account, Role::Member).await?;
                tx.after_commit(move || community.joined(space, account, name));
                Ok(space)
            })
            .await
    }

    fn joined(&self, space: SpaceId, account: AccountId, name: String) {
        self.0.engine.bus.publish(
            Origin::new(account, Some(space)),
            MemberJoined {
                space,
                account,
                name,
            },
        );
        // After the event, which ends what was cached of their rights.
        self.0.engine.live.recheck(account);
    }
}
