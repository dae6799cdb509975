//! Spaces: communities on this server, and their members.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::FromRow;

use super::access::lock_account;
use super::access_store::hold_member;
use super::accounts::require_row;
use super::actor::actor;
use super::audit::{self, Act};
use super::cache::StoreCache;
use super::member_roles::check_other_owner;
use super::names::check_name;
use super::permissions::{CREATE_SPACE, KICK, MANAGE_SPACE, READ};
use super::person::{MAX_LISTED, Person};
use super::sanctions::{self, SanctionKind};
use super::topics::{MemberLeft, SpaceChanged, SpaceCreated};
use super::{ACCOUNT_FEED, Access, Membership, SPACE_FEED, Scope, roles, rooms};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::engine::versions::Dependencies;

/// Spaces that an account belongs to: what the rail does not show cannot be found again.
const MAX_SPACES: i64 = 200;

/// A space.
#[derive(Clone, Debug, FromRow)]
pub struct Space {
    /// Unique on this server.
    pub id: SpaceId,
    /// The name, as shown.
    pub name: String,
    /// Until when raid mode lasts, if it was begun.
    #[sqlx(default)]
    pub raid_until: Option<Micros>,
    /// Whether its first room tells who has joined.
    #[sqlx(default)]
    pub tells_joins: bool,
}

/// The order of an account's spaces, of `members m` and `spaces s`: its own, then by name.
macro_rules! rail_order {
    () => {
        "ORDER BY m.rail_position IS NULL, m.rail_position, s.name, s.id"
    };
}
pub(super) use rail_order;

/// Inserts a space with a role of moderators in the caller's transaction.
pub(super) async fn insert(tx: &mut Tx, name: &str) -> Result<SpaceId> {
    let id = SpaceId::new();
    const INSERT: &str = "INSERT INTO spaces (id, name, created_at) VALUES ($1, $2, $3)";
    tx.execute(INSERT, (id, name, Micros::now())).await?;
    roles::insert_moderator(tx, id, "Moderator").await?;
    Ok(id)
}

/// Adds the owner of a new space in the caller's transaction.
///
/// # Errors
/// `Conflict` when the account belongs to 200 spaces.
pub(super) async fn add_owner(tx: &mut Tx, space: SpaceId, account: AccountId) -> Result<()> {
    add_member(tx, space, account, Membership::Owner, false)
        .await
        .map(drop)
}

/// Adds who joins, in the transaction of [`add_joined`](super::joining::add_joined); whether they
/// were no member before. Where a space has rules, members have yet to accept them.
///
/// # Errors
/// `Conflict` when the account belongs to 200 spaces.
pub(super) async fn add_joined_member(
    tx: &mut Tx,
    space: SpaceId,
    account: AccountId,
    is_guest: bool,
) -> Result<bool> {
    add_member(tx, space, account, Membership::Member, is_guest).await
}

async fn add_member(
    tx: &mut Tx,
    space: SpaceId,
    account: AccountId,
    role: Membership,
    is_guest: bool,
) -> Result<bool> {
    // Who leaves and comes back is still timed out.
    const INSERT: &str = "INSERT INTO members \
        (space_id, account_id, role, joined_at, guest, pending, timed_out_until) \
        VALUES ($1, $2, $3, $4, $5, (SELECT rules <> '' FROM spaces WHERE id = $1), (SELECT MAX(until) FROM sanctions WHERE space_id = $1 \
        AND account_id = $2 AND kind = 'time-out' AND ended_at IS NULL AND until > $4)) \
        ON CONFLICT DO NOTHING";
    const COUNT: &str = "SELECT COUNT(*) FROM members WHERE account_id = $1";
    lock_account(tx, account).await?;
    let count: i64 = tx.scalar(COUNT, (account,)).await?;
    if count >= MAX_SPACES {
        return Err(Error::Conflict("error-spaces-full"));
    }
    let row = (space, account, role, Micros::now(), is_guest);
    Ok(tx.execute(INSERT, row).await? > 0)
}

/// Takes an account out of a space and all its rooms in the caller's transaction. Its sockets are
/// checked again before they get another frame.
pub(super) async fn delete_member(
    tx: &mut Tx,
    engine: &Engine,
    by: AccountId,
    space: SpaceId,
    account: AccountId,
) -> Result<()> {
    const LEAVE: &str = "DELETE FROM members WHERE space_id = $1 AND account_id = $2";
    const LEAVE_ROOMS: &str = "DELETE FROM room_members WHERE account_id = $2 \
        AND room_id IN (SELECT id FROM rooms WHERE space_id = $1)";
    const REMEMBER: &str = "INSERT INTO former_members (space_id, account_id, left_at) \
        VALUES ($1, $2, $3) ON CONFLICT (space_id, account_id) DO UPDATE SET left_at = $3";
    tx.execute(REMEMBER, (space, account, Micros::now()))
        .await?;
    tx.execute(LEAVE, (space, account)).await?;
    tx.execute(LEAVE_ROOMS, (space, account)).await?;
    let (bus, origin) = (&engine.bus, Origin::new(by, Some(space)));
    let (feed, left) = (ACCOUNT_FEED.name(account), MemberLeft { space, account });
    bus.publish_on(tx, &[feed], origin, left).await?;
    // After the event, which invalidates the account's cached permissions.
    engine.live.recheck_after_commit(tx, vec![account]).await
}

/// The spaces of this server. Cheap to clone.
#[derive(Clone)]
pub struct Spaces {
    pub(super) engine: Engine,
    pub(super) access: Access,
    of_account: StoreCache<AccountId, Arc<Vec<Space>>>,
    /// The space that an account visited last: see [`Self::last_visited`].
    pub(super) last: StoreCache<AccountId, Option<SpaceId>>,
}

impl Spaces {
    pub(super) fn new(engine: &Engine, access: &Access) -> Self {
        Self {
            of_account: StoreCache::of_lists(engine, |spaces| spaces.len()),
            last: StoreCache::new(engine),
            engine: engine.clone(),
            access: access.clone(),
        }
    }

    /// The spaces that an account belongs to, in its own order, at most 200. Adds what they depend
    /// on to `page`.
    pub async fn of(&self, page: &Dependencies, account: AccountId) -> Result<Arc<Vec<Space>>> {
        const IDS: &str = "SELECT space_id FROM members WHERE account_id = $1";
        const READ: &str = concat!(
            "SELECT s.id, s.name, s.raid_until FROM members m JOIN spaces s ON s.id = m.space_id \
             WHERE m.account_id = $1 AND s.deleted_at IS NULL ",
            rail_order!(),
            " LIMIT $2"
        );
        let load = async |deps: &Dependencies| {
            deps.add(account);
            let ids: Vec<SpaceId> = self.engine.db.scalars(IDS, (account,)).await?;
            ids.into_iter().for_each(|space| deps.add(space));
            Ok(Arc::new(
                self.engine.db.all(READ, (account, MAX_SPACES)).await?,
            ))
        };
        self.of_account.get_or_load_for(page, account, load).await
    }

    /// A space, for its members.
    ///
    /// # Errors
    /// `NotFound` for everybody else.
    pub async fn get(&self, account: AccountId, id: SpaceId) -> Result<Space> {
        const GET: &str = "SELECT id, name, tells_joins FROM spaces WHERE id = $1";
        self.access.permit(account, &READ, Scope::Space(id)).await?;
        self.engine.db.one(GET, (id,)).await
    }

    /// The members of a space by name, at most [`MAX_LISTED`].
    pub async fn members(&self, space: SpaceId) -> Result<Vec<Person>> {
        const READ: &str = "SELECT a.id, a.name, m.role FROM members m \
            JOIN accounts a ON a.id = m.account_id \
            WHERE m.space_id = $1 ORDER BY a.name_key LIMIT $2";
        self.engine.db.all(READ, (space, MAX_LISTED)).await
    }

    /// Creates a space with a room `general`, owned by `account`. Only the host may.
    pub(super) async fn create(&self, account: AccountId, name: &str) -> Result<SpaceId> {
        let mut check = Check::default();
        let name = check_name(name, "name", &mut check);
        check.done()?;
        let bus = self.engine.bus.clone();
        let create = async move |tx: &mut Tx| {
            let space = insert(tx, &name).await?;
            add_owner(tx, space, account).await?;
            rooms::insert_in_space(tx, space, "general", "", false).await?;
            let origin = Origin::new(account, Some(space));
            let owner = account;
            bus.publish_after_commit(tx, origin, SpaceCreated { space, owner });
            Ok(space)
        };
        self.access
            .permitted_write(account, &CREATE_SPACE, Scope::Server, create)
            .await
    }

    /// Renames a space.
    pub(super) async fn rename(
        &self,
        account: AccountId,
        space: SpaceId,
        name: &str,
    ) -> Result<()> {
        const RENAME: &str = "UPDATE spaces SET name = $2 WHERE id = $1";
        let mut check = Check::default();
        let name = check_name(name, "name", &mut check);
        check.done()?;
        let bus = self.engine.bus.clone();
        let rename = async move |tx: &mut Tx| {
            require_row(tx.execute(RENAME, (space, &name)).await?)?;
            let origin = Origin::new(account, Some(space));
            let feed = SPACE_FEED.name(space);
            let changed = SpaceChanged { space, name };
            bus.publish_on(tx, &[feed], origin, changed).await?;
            Ok(())
        };
        self.access
            .permitted_write(account, &MANAGE_SPACE, Scope::Space(space), rename)
            .await
    }

    /// Removes an account from a space and all its rooms: on its own wish, or by somebody who may
    /// remove members and stands above it. Its sockets are checked again before they get another
    /// frame.
    ///
    /// # Errors
    /// `Conflict` for the last owner: a space always has one. `Forbidden` for who stands as high.
    pub(super) async fn remove_member(
        &self,
        by: AccountId,
        space: SpaceId,
        account: AccountId,
        reason: &str,
    ) -> Result<()> {
        let reason = sanctions::check_reason(reason)?;
        let right = if by == account { &READ } else { &KICK };
        let (engine, declared) = (self.engine.clone(), self.access.declared.clone());
        let leave = async move |tx: &mut Tx| {
            let (member, rules) = hold_member(tx, &declared, space, account).await?;
            if by != account {
                let actor = actor(tx, &declared, space, by).await?;
                actor.check_above(rules.rank(&member))?;
                let act = Act {
                    space: Some(space),
                    actor: Some(by),
                    act: "member.removed",
                    subject: Some(account.0),
                    name: "",
                    before: Value::Null,
                    after: match reason.is_empty() {
                        true => Value::Null,
                        false => json!({ "reason": reason }),
                    },
                };
                audit::record(tx, act).await?;
                let kind = SanctionKind::Removal;
                sanctions::insert(tx, kind, (by, space, account), &reason, None).await?;
            }
            if member.is_owner {
                check_other_owner(tx, space, account).await?;
            }
            delete_member(tx, &engine, by, space, account).await
        };
        self.access
            .permitted_protective_write(by, right, Scope::Space(space), leave)
            .await
    }
}
