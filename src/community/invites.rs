//! Invitations: links to join a space, valid until they expire, are used up or are revoked.

use std::net::IpAddr;
use std::time::Duration;

use sqlx::FromRow;

use super::accounts::{self, Accounts, NewAccount, require_row};
use super::permissions::INVITE;
use super::topics::MemberJoined;
use super::{ACCOUNT_FEED, Access, Membership, Scope, bans, raid_mode, spaces};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::secrets;
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::id;

id!(
    /// An invitation.
    InviteId
);

const MAX_OPEN: i64 = 100; // open invitations of one space
const MAX_USES: i64 = 10_000;
const MAX_TTL: Duration = Duration::from_secs(365 * 86_400);

/// An open invitation, as shown in the space's settings.
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

/// What somebody who opens a link sees before joining.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Invitation {
    pub(super) space_id: SpaceId,
    pub(super) space: String,
    pub(super) from: String,
}

const OPEN: &str = "SELECT i.space_id, s.name AS space, a.name AS \"from\" FROM invites i \
    JOIN spaces s ON s.id = i.space_id JOIN accounts a ON a.id = i.created_by \
    WHERE i.code = $1 AND i.revoked_at IS NULL \
    AND (i.expires_at IS NULL OR i.expires_at > $2) \
    AND (i.most_uses IS NULL OR i.uses < i.most_uses)";

/// Counts one use.
///
/// # Errors
/// `Conflict` when the link was used up, was revoked or has expired.
async fn use_up(tx: &mut Tx, code: &str) -> Result<SpaceId> {
    const USE: &str = "UPDATE invites SET uses = uses + 1 WHERE code = $1 AND revoked_at IS NULL \
        AND (expires_at IS NULL OR expires_at > $2) \
        AND (most_uses IS NULL OR uses < most_uses) RETURNING space_id";
    let space: Option<SpaceId> = tx.optional_scalar(USE, (code, Micros::now())).await?;
    space.ok_or(Error::Conflict("error-invite-over"))
}

/// The invitations of this server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Invites {
    pub(super) engine: Engine,
    pub(super) access: Access,
    pub(super) accounts: Accounts,
}

impl Invites {
    /// The invitation with this code, while it is open.
    pub(super) async fn find(&self, code: &str) -> Result<Option<Invitation>> {
        self.engine.db.optional(OPEN, (code, Micros::now())).await
    }

    /// The open invitations of a space, newest first.
    pub(super) async fn open_in(&self, account: AccountId, space: SpaceId) -> Result<Vec<Invite>> {
        const READ: &str = "SELECT id, code, expires_at, most_uses, uses FROM invites \
            WHERE space_id = $1 AND revoked_at IS NULL \
            AND (expires_at IS NULL OR expires_at > $2) \
            AND (most_uses IS NULL OR uses < most_uses) ORDER BY id DESC LIMIT $3";
        self.access
            .permit(account, &INVITE, Scope::Space(space))
            .await?;
        let db = &self.engine.db;
        db.all(READ, (space, Micros::now(), MAX_OPEN)).await
    }

    /// Creates an invitation and returns its code. `None` means no limit.
    ///
    /// # Errors
    /// `Invalid` for limits out of bounds, `Conflict` at 100 open invitations.
    pub(super) async fn create(
        &self,
        by: AccountId,
        space: SpaceId,
        most_uses: Option<i64>,
        ttl: Option<Duration>,
    ) -> Result<String> {
        check_limits(most_uses, ttl)?;
        let code = secrets::short_token();
        let inserted = code.clone();
        let insert = async move |tx: &mut Tx| {
            let now = Micros::now();
            if count_open(tx, space, now).await? >= MAX_OPEN {
                return Err(Error::Conflict("error-invites-full"));
            }
            const INSERT: &str = "INSERT INTO invites \
                (id, space_id, code, created_by, created_at, expires_at, most_uses) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)";
            let (id, expires_at) = (InviteId::new(), ttl.map(|ttl| now.plus(ttl)));
            let row = (id, space, inserted, by, now, expires_at, most_uses);
            tx.execute(INSERT, row).await?;
            Ok(())
        };
        self.access
            .permitted_write(by, &INVITE, Scope::Space(space), insert)
            .await?;
        Ok(code)
    }

    /// Revokes an invitation.
    pub(super) async fn revoke(
        &self,
        by: AccountId,
        space: SpaceId,
        invite: InviteId,
    ) -> Result<()> {
        const REVOKE: &str = "UPDATE invites SET revoked_at = $3 \
            WHERE id = $1 AND space_id = $2 AND revoked_at IS NULL";
        let revoke = async move |tx: &mut Tx| {
            require_row(tx.execute(REVOKE, (invite, space, Micros::now())).await?)
        };
        self.access
            .permitted_protective_write(by, &INVITE, Scope::Space(space), revoke)
            .await
    }

    /// Creates an account through an invitation and adds it to the space, in one transaction.
    pub(super) async fn join_as_new(
        &self,
        code: &str,
        mut new: NewAccount,
        address: IpAddr,
    ) -> Result<(AccountId, SpaceId)> {
        // Checked before the expensive hash, and again inside the transaction, where it counts.
        let invitation = self.find(code).await?;
        let invitation = invitation.ok_or(Error::Conflict("error-invite-over"))?;
        raid_mode::check_open(&self.engine.db, invitation.space_id).await?;
        let mut check = Check::default();
        new.check(&invitation.space, &mut check);
        check.done()?;
        let hash = self.accounts.hash_password(&new.password).await?;
        let (code, engine) = (code.to_owned(), self.engine.clone());
        let write = self.engine.db.write(async move |tx| {
            let space = use_up(tx, &code).await?;
            let account = accounts::insert(tx, &new, &hash).await?;
            add_joined(tx, engine, space, account, new.name, address).await?;
            Ok((account, space))
        });
        write.await
    }

    /// Adds an existing account to the space of an invitation. For a member it counts no use.
    pub(super) async fn join(
        &self,
        code: &str,
        account: AccountId,
        address: IpAddr,
    ) -> Result<SpaceId> {
        let invitation = self.find(code).await?;
        let space = invitation
            .ok_or(Error::Conflict("error-invite-over"))?
            .space_id;
        if self.access.member(account, space).await?.is_some() {
            return Ok(space);
        }
        let name = self.accounts.get(account).await?.name.clone();
        let (code, engine) = (code.to_owned(), self.engine.clone());
        let write = self.engine.db.write(async move |tx| {
            let space = use_up(tx, &code).await?;
            add_joined(tx, engine, space, account, name, address).await?;
            Ok(space)
        });
        write.await
    }
}

fn check_limits(most_uses: Option<i64>, ttl: Option<Duration>) -> Result<()> {
    let uses_fit = most_uses.is_none_or(|uses| (1..=MAX_USES).contains(&uses));
    let ttl_fits = ttl.is_none_or(|ttl| ttl <= MAX_TTL && !ttl.is_zero());
    Check::default()
        .that(uses_fit, "uses", "error-invite-uses", MAX_USES as usize)
        .that(ttl_fits, "expires", "error-invite-time", 365)
        .done()
}

/// The number of open invitations of a space, counted up to [`MAX_OPEN`].
async fn count_open(tx: &mut Tx, space: SpaceId, now: Micros) -> Result<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM invites \
        WHERE space_id = $1 AND revoked_at IS NULL \
        AND (expires_at IS NULL OR expires_at > $2) \
        AND (most_uses IS NULL OR uses < most_uses) LIMIT $3) AS found";
    tx.scalar(COUNT, (space, now, MAX_OPEN)).await
}

/// Adds a member and publishes it after the commit.
///
/// # Errors
/// `Forbidden` for who is banned, `Conflict` for who belongs to 200 spaces, and in raid mode.
async fn add_joined(
    tx: &mut Tx,
    engine: Engine,
    space: SpaceId,
    account: AccountId,
    name: String,
    address: IpAddr,
) -> Result<()> {
    bans::check_join(tx, space, account, address).await?;
    raid_mode::check_join(tx, space).await?;
    spaces::add_member(tx, space, account, Membership::Member).await?;
    raid_mode::count_join(tx, &engine, space).await?;
    let joined = MemberJoined {
        space,
        account,
        name,
    };
    let (feed, origin) = (
        ACCOUNT_FEED.name(account),
        Origin::new(account, Some(space)),
    );
    engine.bus.publish_on(tx, &[feed], origin, joined).await?;
    // After the event, which invalidates the account's cached permissions.
    engine.live.recheck_after_commit(tx, vec![account]).await
}
