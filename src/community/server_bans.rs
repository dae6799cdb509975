//! Bans of the whole server, by the host: a suspended account cannot sign in, and from a banned
//! network nothing is answered. The networks are a cached set, which an event makes stale.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::FromRow;

use super::access::lock_account;
use super::audit::{self, Act};
use super::cache::StoreCache;
use super::networks::{Network, NetworkSet};
use super::permissions::MANAGE_SERVER;
use super::sanctions::check_reason;
use super::topics::{BannedNetworks, ServerBansChanged};
use super::{Access, Community, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::engine::Engine;
use crate::engine::bus::Origin;
use crate::engine::versions::Dependencies;
use crate::id;

id!(
    /// A ban of the whole server.
    ServerBanId
);

/// Bans that the host's page lists at once.
pub(super) const MAX_ON_PAGE: i64 = 50;
/// Networks that are banned at the same time.
const MAX_BANNED_NETWORKS: i64 = 1000;
/// Days of the longest ban that ends: ten years.
const MAX_BAN_DAYS: u64 = 3650;

/// A ban of the whole server, for the host.
#[derive(Clone, Debug, FromRow)]
pub(super) struct ServerBan {
    pub(super) id: ServerBanId,
    /// The name of the suspended account; `None` for a network.
    pub(super) name: Option<String>,
    pub(super) network: Option<String>,
    pub(super) reason: String,
    pub(super) at: Micros,
    pub(super) expires_at: Option<Micros>,
}

impl ServerBan {
    /// Whom or what it bans.
    pub(super) fn what(&self) -> &str {
        let what = self.name.as_deref().or(self.network.as_deref());
        what.unwrap_or_default()
    }
}

/// Why the host bans, and for how long.
#[derive(Clone, Debug)]
pub(super) struct ServerBanForm {
    pub(super) reason: String,
    /// Days until it ends; zero: never.
    pub(super) days: u64,
}

impl ServerBanForm {
    /// The reason as it is stored, and when the ban ends.
    fn check(&self) -> Result<(String, Option<Micros>)> {
        let reason = check_reason(&self.reason)?;
        if reason.is_empty() {
            return Err(Error::field("reason", "error-reason-empty"));
        }
        if self.days > MAX_BAN_DAYS {
            return Err(Error::field("days", "error-ban-days"));
        }
        let length = Duration::from_secs(self.days * 86_400);
        let expires = (self.days > 0).then(|| Micros::now().plus(length));
        Ok((reason, expires))
    }
}

/// The banned networks. Cheap to clone.
#[derive(Clone)]
pub(super) struct ServerBans {
    engine: Engine,
    networks: StoreCache<(), Arc<NetworkSet>>,
}

impl ServerBans {
    pub(super) fn new(engine: &Engine) -> Self {
        Self {
            engine: engine.clone(),
            networks: StoreCache::new(engine),
        }
    }

    /// Whether requests from an address are refused. Reads nothing while no ban changes.
    pub(super) async fn refuses(&self, address: IpAddr) -> Result<bool> {
        const READ: &str = "SELECT network, expires_at FROM server_bans WHERE network IS NOT NULL";
        let load = async |deps: &Dependencies| {
            deps.add(BannedNetworks(0));
            let rows: Vec<(String, Option<Micros>)> = self.engine.db.all(READ, ()).await?;
            let mut set = NetworkSet::default();
            for (network, until) in rows {
                if let Some(network) = Network::parse(&network) {
                    set.insert(network, until);
                }
            }
            Ok(Arc::new(set))
        };
        let networks = self.networks.get_or_load((), load).await?;
        Ok(networks.contains(address, Micros::now()))
    }

    /// # Errors
    /// `Forbidden` for an address of a banned network.
    pub(super) async fn check(&self, address: IpAddr) -> Result<()> {
        match self.refuses(address).await? {
            true => Err(Error::Forbidden("error-network-refused")),
            false => Ok(()),
        }
    }
}

const INSERT: &str = "INSERT INTO server_bans \
    (id, account_id, network, by_id, reason, at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";

impl Community {
    /// Checks that an account is not suspended: for who has just proved to be its owner, and before
    /// something is done in its name without a session.
    ///
    /// # Errors
    /// `Forbidden` with the reason and the end of the suspension.
    pub async fn check_not_suspended(&self, account: AccountId) -> Result<()> {
        const READ: &str = "SELECT reason, expires_at FROM server_bans \
            WHERE account_id = $1 AND (expires_at IS NULL OR expires_at > $2)";
        let db = &self.engine().db;
        let found: Option<(String, Option<Micros>)> =
            db.optional(READ, (account, Micros::now())).await?;
        let Some((reason, until)) = found else {
            return Ok(());
        };
        let reason = ("reason", format!("\u{2068}{reason}\u{2069}"));
        Err(match until {
            Some(until) => {
                let until = format!("{} {} UTC", until.date(), until.clock());
                Error::ForbiddenWith("error-suspended-until", vec![reason, ("until", until)])
            }
            None => Error::ForbiddenWith("error-suspended", vec![reason]),
        })
    }

    /// Suspends an account: its sessions end on every instance, and nobody signs in to it. A former
    /// suspension of it is replaced. With `with_network`, the network that it last signed in from
    /// is banned for as long.
    ///
    /// # Errors
    /// `Forbidden` for everybody but the host, `Conflict` for the host's own account, `Invalid`,
    /// `NotFound` when there is no such account.
    pub(super) async fn suspend(
        &self,
        (by, address): (AccountId, IpAddr),
        account: AccountId,
        form: &ServerBanForm,
        with_network: bool,
    ) -> Result<()> {
        let (reason, expires) = form.check()?;
        let own = self.clone();
        let write = async move |tx: &mut Tx| {
            const NETWORK: &str = "SELECT COALESCE(last_network, '') FROM accounts \
                WHERE id = $1 AND deleted_at IS NULL";
            const DELETE: &str = "DELETE FROM server_bans WHERE account_id = $1";
            if own.access.is_host(account).await? {
                return Err(Error::Conflict("error-host-suspended"));
            }
            lock_account(tx, account).await?;
            let network: Option<String> = tx.optional_scalar(NETWORK, (account,)).await?;
            let network = Network::parse(&network.ok_or(Error::NotFound)?);
            tx.execute(DELETE, (account,)).await?;
            let nowhere: Option<&str> = None;
            let id = ServerBanId::new();
            let row = (id, account, nowhere, by, &reason, Micros::now(), expires);
            tx.execute(INSERT, row).await?;
            if let (true, Some(network)) = (with_network, network) {
                let ban = (network, reason.as_str(), expires);
                own.insert_network(tx, (by, address), ban).await?;
            }
            let act = Act {
                space: None,
                actor: Some(by),
                act: "account.suspended",
                subject: Some(account.0),
                name: "",
                before: Value::Null,
                after: json!({ "reason": reason, "until": expires.map(Micros::rfc3339),
                    "address": with_network && network.is_some() }),
            };
            audit::record(tx, act).await?;
            // Last, with the check of sockets after all events.
            own.sessions.end_all_but(tx, account, "", "suspended").await
        };
        self.access
            .permitted_protective_write(by, &MANAGE_SERVER, Scope::Server, write)
            .await
    }

    /// Bans a network.
    ///
    /// # Errors
    /// As [`suspend`](Self::suspend); `Conflict` for the network that the host uses now, and when
    /// there are a thousand.
    pub(super) async fn ban_network(
        &self,
        (by, address): (AccountId, IpAddr),
        network: &str,
        form: &ServerBanForm,
    ) -> Result<()> {
        let network = Network::parse(network).ok_or(Error::field("network", "error-network"))?;
        let (reason, expires) = form.check()?;
        let own = self.clone();
        let write = async move |tx: &mut Tx| {
            let ban = (network, reason.as_str(), expires);
            own.insert_network(tx, (by, address), ban).await?;
            let name = network.to_string();
            let act = Act {
                space: None,
                actor: Some(by),
                act: "network.banned",
                subject: None,
                name: &name,
                before: Value::Null,
                after: json!({ "reason": reason, "until": expires.map(Micros::rfc3339) }),
            };
            audit::record(tx, act).await
        };
        self.access
            .permitted_protective_write(by, &MANAGE_SERVER, Scope::Server, write)
            .await
    }

    /// Inserts the ban of a network in place of a former one, and deletes bans that are over.
    async fn insert_network(
        &self,
        tx: &mut Tx,
        (by, address): (AccountId, IpAddr),
        (network, reason, expires): (Network, &str, Option<Micros>),
    ) -> Result<()> {
        const DELETE: &str = "DELETE FROM server_bans WHERE network = $1 OR expires_at <= $2";
        const COUNT: &str = "SELECT COUNT(*) FROM server_bans WHERE network IS NOT NULL";
        if network.contains(address) {
            return Err(Error::Conflict("error-network-own"));
        }
        let (id, now, name) = (ServerBanId::new(), Micros::now(), network.to_string());
        tx.execute(DELETE, (&name, now)).await?;
        let count: i64 = tx.scalar(COUNT, ()).await?;
        if count >= MAX_BANNED_NETWORKS {
            return Err(Error::Conflict("error-networks-full"));
        }
        let nobody: Option<AccountId> = None;
        let row = (id, nobody, name, by, reason, now, expires);
        tx.execute(INSERT, row).await?;
        self.tell_server_bans(tx, by);
        // After the event, which makes the cached networks stale.
        self.engine().live.recheck_all_after_commit(tx).await
    }

    fn tell_server_bans(&self, tx: &mut Tx, by: AccountId) {
        let (bus, origin) = (&self.engine().bus, Origin::new(by, None));
        bus.publish_after_commit(tx, origin, ServerBansChanged { server: 0 });
    }

    /// Lifts a ban of the whole server.
    ///
    /// # Errors
    /// `Forbidden` for everybody but the host, `NotFound` when there is no such ban.
    pub(super) async fn lift_server_ban(&self, by: AccountId, ban: ServerBanId) -> Result<()> {
        let own = self.clone();
        let write = async move |tx: &mut Tx| {
            const DELETE: &str = "DELETE FROM server_bans WHERE id = $1 \
                RETURNING account_id, network";
            let row: Option<(Option<AccountId>, Option<String>)> =
                tx.optional(DELETE, (ban,)).await?;
            let (account, network) = row.ok_or(Error::NotFound)?;
            let act = Act {
                space: None,
                actor: Some(by),
                act: match account {
                    Some(_) => "account.restored",
                    None => "network.unbanned",
                },
                subject: account.map(|account| account.0),
                name: network.as_deref().unwrap_or_default(),
                before: Value::Null,
                after: Value::Null,
            };
            audit::record(tx, act).await?;
            own.tell_server_bans(tx, by);
            Ok(())
        };
        self.access
            .permitted_write(by, &MANAGE_SERVER, Scope::Server, write)
            .await
    }

    /// The bans of the whole server that are in force, newest first, before one of them.
    ///
    /// # Errors
    /// `Forbidden` for everybody but the host.
    pub(super) async fn server_bans(
        &self,
        viewer: AccountId,
        before: Option<ServerBanId>,
    ) -> Result<Vec<ServerBan>> {
        const READ: &str = "SELECT b.id, a.name, b.network, b.reason, b.at, b.expires_at \
            FROM server_bans b LEFT JOIN accounts a ON a.id = b.account_id \
            WHERE b.id < $1 AND (b.expires_at IS NULL OR b.expires_at > $2) \
            ORDER BY b.id DESC LIMIT $3";
        let access: &Access = &self.access;
        access.permit(viewer, &MANAGE_SERVER, Scope::Server).await?;
        let before = before.map_or(i64::MAX, |ban| ban.0);
        let db = &self.engine().db;
        db.all(READ, (before, Micros::now(), MAX_ON_PAGE)).await
    }

    /// The account with this name, for the host.
    ///
    /// # Errors
    /// `Invalid` when there is none.
    pub(super) async fn account_named(&self, name: &str) -> Result<AccountId> {
        const FIND: &str = "SELECT id FROM accounts WHERE name_key = $1 AND deleted_at IS NULL";
        let key = super::names::name_key(name.trim().trim_start_matches('@'));
        let found = self.engine().db.optional_scalar(FIND, (key,)).await?;
        found.ok_or(Error::field("name", "error-account-unknown"))
    }
}
