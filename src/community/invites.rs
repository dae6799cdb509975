//! Invitations: links to join a space, or to read it as a guest, valid until they expire, are used
//! up or are revoked. One may give a role to who joins by it.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::json;
use sqlx::FromRow;

use super::access_store::hold_member;
use super::accounts::{self, Accounts, NewAccount};
use super::actor::{Actor, actor};
use super::audit::{self, Act};
use super::joining::{Joined, add_joined};
use super::permission_set::{DeclaredPermissions, PermissionSet};
use super::permissions::INVITE;
use super::standing::RoleId;
use super::{Access, Role, Scope, raid_mode, roles};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::secrets;
use crate::engine::Engine;
use crate::{id, text_enum};

id!(
    /// An invitation.
    InviteId
);

const MAX_OPEN: i64 = 100; // open invitations of one space
const MAX_USES: i64 = 10_000;
const MAX_TTL: Duration = Duration::from_secs(365 * 86_400);

/// What a link makes of people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum InviteKind {
    /// Members, with accounts.
    #[default]
    Member,
    /// Guests, who read for a day.
    Guest,
}

text_enum!(InviteKind {
    Member = "member",
    Guest = "guest",
});

/// The form of a new invitation. `None` means no limit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NewInvite {
    pub(super) kind: InviteKind,
    pub(super) most_uses: Option<i64>,
    pub(super) ttl: Option<Duration>,
    /// What who joins by it begins with.
    pub(super) role: Option<RoleId>,
}

/// An open invitation, as shown in the space's settings.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Invite {
    pub(super) id: InviteId,
    pub(super) code: String,
    pub(super) expires_at: Option<Micros>,
    pub(super) most_uses: Option<i64>,
    pub(super) uses: i64,
    pub(super) kind: InviteKind,
    /// The name of the role that it gives.
    pub(super) role: Option<String>,
}

impl Invite {
    pub(super) fn is_for_guests(&self) -> bool {
        self.kind == InviteKind::Guest
    }

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
    pub(super) kind: InviteKind,
}

impl Invitation {
    pub(super) fn is_for_guests(&self) -> bool {
        self.kind == InviteKind::Guest
    }
}

const OPEN: &str = "SELECT i.space_id, s.name AS space, a.name AS \"from\", i.kind FROM invites i \
    JOIN spaces s ON s.id = i.space_id JOIN accounts a ON a.id = i.created_by \
    WHERE i.code = $1 AND i.revoked_at IS NULL AND s.deleted_at IS NULL \
    AND (i.expires_at IS NULL OR i.expires_at > $2) \
    AND (i.most_uses IS NULL OR i.uses < i.most_uses)";

const READ: &str = "SELECT i.id, i.code, i.expires_at, i.most_uses, i.uses, i.kind, r.name AS role \
    FROM invites i LEFT JOIN roles r ON r.id = i.role_id \
    WHERE i.space_id = $1 AND i.revoked_at IS NULL \
    AND (i.expires_at IS NULL OR i.expires_at > $2) \
    AND (i.most_uses IS NULL OR i.uses < i.most_uses) \
    AND ($4 = 0 OR i.id = $4) ORDER BY i.id DESC LIMIT $3";

/// What one use of an invitation leads to.
#[derive(FromRow)]
pub(super) struct Used {
    pub(super) space_id: SpaceId,
    created_by: AccountId,
    role_id: Option<RoleId>,
}

/// Counts one use.
///
/// # Errors
/// `Conflict` when the link was used up, was revoked, has expired or is of another kind.
pub(super) async fn use_up(tx: &mut Tx, code: &str, kind: InviteKind) -> Result<Used> {
    const USE: &str = "UPDATE invites SET uses = uses + 1 WHERE code = $1 AND kind = $3 \
        AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) \
        AND (most_uses IS NULL OR uses < most_uses) AND NOT EXISTS (SELECT 1 FROM spaces s \
        WHERE s.id = invites.space_id AND s.deleted_at IS NOT NULL) \
        RETURNING space_id, created_by, role_id";
    let used: Option<Used> = tx.optional(USE, (code, Micros::now(), kind)).await?;
    used.ok_or(Error::Conflict("error-invite-over"))
}

/// Checks that somebody may have others begin with a role: one below their own, which grants
/// nothing that they do not hold.
fn check_may_give(declared: &DeclaredPermissions, actor: &Actor, role: &Role) -> Result<()> {
    actor.check_above(role.position)?;
    actor.check_holds(PermissionSet::default(), role.grants(declared))
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
        self.access
            .permit(account, &INVITE, Scope::Space(space))
            .await?;
        let db = &self.engine.db;
        let all = InviteId(0);
        db.all(READ, (space, Micros::now(), MAX_OPEN, all)).await
    }

    /// One of the open invitations of a space.
    ///
    /// # Errors
    /// `NotFound` when it is not open any more; those of [`open_in`](Self::open_in).
    pub(super) async fn get(
        &self,
        account: AccountId,
        space: SpaceId,
        invite: InviteId,
    ) -> Result<Invite> {
        self.access
            .permit(account, &INVITE, Scope::Space(space))
            .await?;
        let db = &self.engine.db;
        let found = db
            .optional(READ, (space, Micros::now(), MAX_OPEN, invite))
            .await?;
        found.ok_or(Error::NotFound)
    }

    /// The roles that an account may have others begin with, highest first.
    ///
    /// # Errors
    /// `NotFound` for who is no member.
    pub(super) async fn roles_to_give(
        &self,
        roles: &roles::Roles,
        by: AccountId,
        space: SpaceId,
    ) -> Result<Vec<Role>> {
        let member = self.access.member(by, space).await?;
        let member = member.ok_or(Error::NotFound)?;
        let (declared, rules) = (&self.access.declared, self.access.space_rules(space).await?);
        let actor = Actor {
            rank: rules.rank(&member),
            held: rules.held(declared, &member),
        };
        let mut all = roles.list(by, space).await?;
        all.retain(|role| check_may_give(declared, &actor, role).is_ok());
        Ok(all)
    }

    /// Creates an invitation; its id and code.
    ///
    /// # Errors
    /// `Invalid` for limits out of bounds, `Forbidden` for a role that is not below one's own,
    /// `Conflict` at 100 open invitations.
    pub(super) async fn create(
        &self,
        by: AccountId,
        space: SpaceId,
        new: NewInvite,
    ) -> Result<(InviteId, String)> {
        let (most_uses, ttl) = (new.most_uses, new.ttl);
        check_limits(most_uses, ttl)?;
        if new.kind == InviteKind::Guest && new.role.is_some() {
            return Err(Error::field("role", "error-guest-role"));
        }
        let code = secrets::short_token();
        let (inserted, id) = (code.clone(), InviteId::new());
        let declared = self.access.declared.clone();
        let insert = async move |tx: &mut Tx| {
            let now = Micros::now();
            if count_open(tx, space, now).await? >= MAX_OPEN {
                return Err(Error::Conflict("error-invites-full"));
            }
            let mut given = String::new();
            if let Some(role) = new.role {
                let role = roles::find(tx, space, role).await?;
                let actor = actor(tx, &declared, space, by).await?;
                check_may_give(&declared, &actor, &role)?;
                given = role.name;
            }
            const INSERT: &str = "INSERT INTO invites \
                (id, space_id, code, created_by, created_at, expires_at, most_uses, kind, role_id) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
            let expires_at = ttl.map(|ttl| now.plus(ttl));
            let row = (
                id, space, inserted, by, now, expires_at, most_uses, new.kind, new.role,
            );
            tx.execute(INSERT, row).await?;
            let after = json!({
                "kind": new.kind.as_str(),
                "uses": most_uses,
                "until": expires_at.map(Micros::rfc3339),
                "role": given,
            });
            record(tx, (space, by), "invitation.created", id, after).await
        };
        self.access
            .permitted_write(by, &INVITE, Scope::Space(space), insert)
            .await?;
        Ok((id, code))
    }

    /// Revokes an invitation.
    pub(super) async fn revoke(
        &self,
        by: AccountId,
        space: SpaceId,
        invite: InviteId,
    ) -> Result<()> {
        const REVOKE: &str = "UPDATE invites SET revoked_at = $3 \
            WHERE id = $1 AND space_id = $2 AND revoked_at IS NULL RETURNING uses";
        let revoke = async move |tx: &mut Tx| {
            let row = (invite, space, Micros::now());
            let uses: Option<i64> = tx.optional_scalar(REVOKE, row).await?;
            let after = json!({ "uses": uses.ok_or(Error::NotFound)? });
            record(tx, (space, by), "invitation.revoked", invite, after).await
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
        let (code, own) = (code.to_owned(), self.clone());
        let write = self.engine.db.write(async move |tx| {
            let used = use_up(tx, &code, InviteKind::Member).await?;
            let account = accounts::insert(tx, &new, &hash).await?;
            own.add(tx, &used, (account, new.name), address).await?;
            Ok((account, used.space_id))
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
        let (code, own) = (code.to_owned(), self.clone());
        let write = self.engine.db.write(async move |tx| {
            let used = use_up(tx, &code, InviteKind::Member).await?;
            own.add(tx, &used, (account, name), address).await?;
            Ok(used.space_id)
        });
        write.await
    }

    async fn add(
        &self,
        tx: &mut Tx,
        used: &Used,
        (account, name): (AccountId, String),
        address: IpAddr,
    ) -> Result<()> {
        let space = used.space_id;
        let role = self.role_to_give(tx, used).await?;
        let given = role.as_ref().map(|role| role.name.clone());
        let joined = Joined {
            space,
            account,
            name,
            address,
            is_guest: false,
            role: role.map(|role| role.id),
        };
        add_joined(tx, &self.engine, joined).await?;
        let Some(role) = given else {
            return Ok(());
        };
        let act = Act {
            space: Some(space),
            actor: Some(used.created_by),
            act: "member.role-given",
            subject: Some(account.0),
            name: "",
            before: json!(null),
            after: json!({ "role": role }),
        };
        audit::record(tx, act).await
    }

    /// The role of an invitation, if it is still there and whoever made the invitation may still
    /// give it.
    async fn role_to_give(&self, tx: &mut Tx, used: &Used) -> Result<Option<Role>> {
        let Some(role) = used.role_id else {
            return Ok(None);
        };
        let (declared, space) = (&self.access.declared, used.space_id);
        let role = match roles::find(tx, space, role).await {
            Err(Error::NotFound) => return Ok(None),
            found => found?,
        };
        let (member, rules) = match hold_member(tx, declared, space, used.created_by).await {
            Err(Error::NotFound) => return Ok(None),
            found => found?,
        };
        let actor = Actor {
            rank: rules.rank(&member),
            held: rules.held(declared, &member),
        };
        let may = check_may_give(declared, &actor, &role).is_ok();
        Ok(may.then_some(role))
    }
}

async fn record(
    tx: &mut Tx,
    (space, by): (SpaceId, AccountId),
    act: &'static str,
    invite: InviteId,
    mut after: serde_json::Value,
) -> Result<()> {
    if let Some(fields) = after.as_object_mut() {
        fields.retain(|_, value| !value.is_null() && value != "");
    }
    let act = Act {
        space: Some(space),
        actor: Some(by),
        act,
        subject: Some(invite.0),
        name: "",
        before: json!(null),
        after,
    };
    audit::record(tx, act).await
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
