//! Bans: an account may not come back to a space, nor anybody from the network it came from. They
//! are checked in the transaction of every join.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::FromRow;

use super::audit::{self, Act};
use super::permissions::BAN;
use super::sanctions::{self, SanctionKind, Sanctions, check_above, check_reason};
use super::topics::MemberBanned;
use super::{Scope, ban_cleanup, spaces};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::engine::bus::Origin;
use crate::engine::viewer::Address;
use crate::id;

id!(
    /// A ban.
    BanId
);

/// Bans that the page of a space lists at once.
pub(super) const MAX_ON_PAGE: i64 = 50;
/// Days of the longest ban that ends: ten years.
const MAX_BAN_DAYS: u64 = 3650;
/// Hours of messages that a ban may delete: a week.
const MAX_DELETED_HOURS: u64 = 168;

/// The form of a ban.
#[derive(Clone, Debug)]
pub(super) struct BanForm {
    pub(super) account: AccountId,
    pub(super) reason: String,
    /// Days until it ends; zero: never.
    pub(super) days: u64,
    /// Whether nobody may join from the account's network either.
    pub(super) with_network: bool,
    /// Hours back from now of which the account's messages are deleted.
    pub(super) delete_hours: u64,
}

/// A ban, for the list of a space. The network itself is shown to nobody.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Ban {
    pub(super) id: BanId,
    /// The name of the account.
    pub(super) name: String,
    pub(super) of_network: bool,
    /// The name of who banned it; `None` when their account is gone.
    pub(super) by: Option<String>,
    pub(super) reason: String,
    pub(super) at: Micros,
    pub(super) expires_at: Option<Micros>,
}

/// Why somebody is not in a space any more, for themselves.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Removal {
    pub(super) space_id: SpaceId,
    /// The name of the space.
    pub(super) space: String,
    pub(super) is_ban: bool,
    pub(super) reason: String,
    /// When the ban ends; `None`: never.
    pub(super) until: Option<Micros>,
}

/// Checks in a transaction that an account may join a space from a network.
///
/// # Errors
/// `Forbidden` when it is banned, or its network is.
pub(super) async fn check_join(
    tx: &mut Tx,
    space: SpaceId,
    account: AccountId,
    address: IpAddr,
) -> Result<()> {
    const FIND: &str = "SELECT \
        CAST(COALESCE(MAX(CASE WHEN network IS NULL THEN 2 ELSE 1 END), 0) AS BIGINT) \
        FROM bans WHERE space_id = $1 AND (expires_at IS NULL OR expires_at > $4) \
        AND ((network IS NULL AND account_id = $2) OR network = $3)";
    let network = Address(address).network().to_string();
    // A ban that is committed meanwhile has this wait, or waits for it and removes the member.
    super::access::lock_space(tx, space).await?;
    let found: i64 = tx
        .scalar(FIND, (space, account, network, Micros::now()))
        .await?;
    match found {
        0 => Ok(()),
        1 => Err(Error::Forbidden("error-network-banned")),
        _ => Err(Error::Forbidden("error-banned")),
    }
}

/// Whether an account that is no member now was one before, was sanctioned, or asked to join.
async fn was_seen(tx: &mut Tx, space: SpaceId, account: AccountId) -> Result<bool> {
    const FIND: &str = "SELECT EXISTS (SELECT 1 FROM former_members \
        WHERE space_id = $1 AND account_id = $2) OR EXISTS (SELECT 1 FROM sanctions \
        WHERE account_id = $2 AND space_id = $1) OR EXISTS (SELECT 1 FROM join_requests \
        WHERE account_id = $2 AND space_id = $1)";
    tx.scalar(FIND, (space, account)).await
}

const DELETE_OLD: &str = "DELETE FROM bans WHERE space_id = $1 AND ((account_id = $2 \
    AND network IS NULL) OR network = $3 OR expires_at <= $4)";
const INSERT: &str = "INSERT INTO bans (id, space_id, account_id, network, by_id, reason, at, \
    expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

impl Sanctions {
    /// Remembers from which network an account last signed in.
    pub(super) async fn note_network(&self, account: AccountId, address: IpAddr) -> Result<()> {
        const SET: &str = "UPDATE accounts SET last_network = $2 \
            WHERE id = $1 AND COALESCE(last_network, '') <> $2";
        let network = Address(address).network().to_string();
        let write = self.engine.db.write(async move |tx| {
            tx.execute(SET, (account, &network)).await?;
            Ok(())
        });
        write.await
    }

    /// Bans an account that is or was a member, and removes it. A former ban of it is replaced.
    /// What it wrote in the hours before is deleted by a job.
    ///
    /// # Errors
    /// `Invalid`; `Forbidden` for who stands as high as `by`; `NotFound` for an account that was
    /// never seen in the space: a ban must not tell the names of others.
    pub(super) async fn ban(&self, by: AccountId, space: SpaceId, form: BanForm) -> Result<()> {
        let reason = check_reason(&form.reason)?;
        if form.days > MAX_BAN_DAYS {
            return Err(Error::field("days", "error-ban-days"));
        }
        if form.delete_hours > MAX_DELETED_HOURS {
            return Err(Error::field("delete_hours", "error-message-shape"));
        }
        let (own, account) = (self.clone(), form.account);
        let write = async move |tx: &mut Tx| {
            const NETWORK: &str = "SELECT COALESCE(last_network, '') FROM accounts WHERE id = $1";
            let people = (by, space, account);
            let is_member = match check_above(tx, &own.access, people).await {
                Ok(_) => true,
                Err(Error::NotFound) if was_seen(tx, space, account).await? => false,
                Err(error) => return Err(error),
            };
            let network: Option<String> = tx.optional_scalar(NETWORK, (account,)).await?;
            let network = network.ok_or(Error::NotFound)?;
            let network = Some(network).filter(|text| form.with_network && !text.is_empty());
            let now = Micros::now();
            let length = Duration::from_secs(form.days * 86_400);
            let expires = (form.days > 0).then(|| now.plus(length));
            tx.execute(DELETE_OLD, (space, account, &network, now))
                .await?;
            let is_of_network = network.is_some();
            let networks = network.map(Some).into_iter().chain([None]);
            for network in networks {
                let id = BanId::new();
                let row = (id, space, account, network, by, &reason, now, expires);
                tx.execute(INSERT, row).await?;
            }
            sanctions::end(tx, SanctionKind::Ban, space, account).await?;
            sanctions::insert(tx, SanctionKind::Ban, people, &reason, expires).await?;
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "member.banned",
                subject: Some(account.0),
                name: "",
                before: Value::Null,
                after: json!({
                    "reason": reason,
                    "until": expires.map(Micros::rfc3339),
                    "address": is_of_network,
                }),
            };
            audit::record(tx, act).await?;
            if is_member {
                spaces::delete_member(tx, &own.engine, by, space, account).await?;
            }
            let hours = form.delete_hours;
            ban_cleanup::add_job(tx, &own.engine, people, hours).await?;
            let (bus, origin) = (&own.engine.bus, Origin::new(by, Some(space)));
            bus.publish_after_commit(tx, origin, MemberBanned { space, account });
            Ok(())
        };
        self.access
            .permitted_protective_write(by, &BAN, Scope::Space(space), write)
            .await
    }

    /// Lifts a ban.
    ///
    /// # Errors
    /// `NotFound` when the space has no such ban.
    pub(super) async fn lift_ban(&self, by: AccountId, space: SpaceId, ban: BanId) -> Result<()> {
        let write = async move |tx: &mut Tx| {
            const DELETE: &str = "DELETE FROM bans WHERE id = $1 AND space_id = $2 \
                RETURNING account_id, network IS NOT NULL";
            let row: Option<(AccountId, bool)> = tx.optional(DELETE, (ban, space)).await?;
            let (account, of_network) = row.ok_or(Error::NotFound)?;
            if !of_network {
                sanctions::end(tx, SanctionKind::Ban, space, account).await?;
            }
            let act = Act {
                space: Some(space),
                actor: Some(by),
                act: "member.unbanned",
                subject: Some(account.0),
                name: "",
                before: json!({ "address": of_network }),
                after: Value::Null,
            };
            audit::record(tx, act).await
        };
        self.access
            .permitted_write(by, &BAN, Scope::Space(space), write)
            .await
    }

    /// The bans of a space that are in force, newest first, before one of them: at most fifty.
    ///
    /// # Errors
    /// `Forbidden` without the permission to ban, `NotFound` for who is no member.
    pub(super) async fn bans(
        &self,
        viewer: AccountId,
        space: SpaceId,
        before: Option<BanId>,
    ) -> Result<Vec<Ban>> {
        const READ: &str = "SELECT b.id, a.name, b.network IS NOT NULL AS of_network, \
            m.name AS \"by\", b.reason, b.at, b.expires_at FROM bans b \
            JOIN accounts a ON a.id = b.account_id LEFT JOIN accounts m ON m.id = b.by_id \
            WHERE b.space_id = $1 AND b.id < $2 \
            AND (b.expires_at IS NULL OR b.expires_at > $3) ORDER BY b.id DESC LIMIT $4";
        let scope = Scope::Space(space);
        self.access.permit(viewer, &BAN, scope).await?;
        let before = before.map_or(i64::MAX, |ban| ban.0);
        let db = &self.engine.db;
        db.all(READ, (space, before, Micros::now(), MAX_ON_PAGE))
            .await
    }

    /// Why an account is not in a space any more, if it was banned or removed; for itself.
    pub(super) async fn removal(
        &self,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Option<Removal>> {
        const READ: &str = "SELECT s.id AS space_id, s.name AS space, n.kind = 'ban' AS is_ban, n.reason, n.until \
            FROM sanctions n JOIN spaces s ON s.id = n.space_id \
            WHERE n.account_id = $1 AND n.space_id = $2 AND n.kind <> 'time-out' \
            AND n.ended_at IS NULL AND (n.until IS NULL OR n.until > $3) \
            ORDER BY n.id DESC LIMIT 1";
        if self.access.member(account, space).await?.is_some() {
            return Ok(None);
        }
        let db = &self.engine.db;
        db.optional(READ, (account, space, Micros::now())).await
    }

    /// The page that tells an account that it is banned from a space; `None` when it is not.
    pub(super) async fn ban_page(
        &self,
        account: AccountId,
        space: SpaceId,
    ) -> Result<Option<String>> {
        let removal = self.removal(account, space).await?;
        let is_banned = removal.is_some_and(|removal| removal.is_ban);
        Ok(is_banned.then(|| format!("/spaces/{space}/closed")))
    }

    /// The page that tells an account that it is banned from the space of a room; `None` when it is
    /// not, and for rooms that not every member reads.
    ///
    /// # Errors
    /// The database's.
    pub async fn ban_page_of_room(
        &self,
        account: AccountId,
        room: RoomId,
    ) -> Result<Option<String>> {
        let removal = self.removal_of_room(account, room).await?;
        let is_banned = removal.is_some_and(|removal| removal.is_ban);
        Ok(is_banned.then(|| format!("/rooms/{room}/closed")))
    }

    /// As [`removal`](Self::removal), for the space of a room that every member may read: of others
    /// it does not tell that they are there.
    pub(super) async fn removal_of_room(
        &self,
        account: AccountId,
        room: RoomId,
    ) -> Result<Option<Removal>> {
        let room = match self.access.room(room).await {
            Ok(room) if !room.rules.may_exclude() => room,
            Ok(_) | Err(Error::NotFound) => return Ok(None),
            Err(error) => return Err(error),
        };
        match room.space {
            Some(space) => self.removal(account, space).await,
            None => Ok(None),
        }
    }
}
