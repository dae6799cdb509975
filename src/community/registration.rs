//! Accounts that strangers make for themselves, where the host allows it.

use std::net::IpAddr;

use serde_json::json;

use super::accounts::{self, NewAccount};
use super::audit::{self, Act};
use super::permissions::SET_REGISTRATION;
use super::{Community, Scope};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::AccountId;
use crate::base::security_log::SecurityEvent;

/// Accounts that strangers make in a day: a host notices before there are more.
const MAX_PER_DAY: i64 = 200;
const DAY_MICROS: i64 = 86_400_000_000;

const IS_OPEN: &str = "SELECT open_registration FROM installation";

impl Community {
    /// Whether anybody may make an account.
    pub(super) async fn is_registration_open(&self) -> Result<bool> {
        let open: Option<bool> = self.engine().db.optional_scalar(IS_OPEN, ()).await?;
        Ok(open == Some(true))
    }

    /// How many accounts strangers have made within a day, for the host.
    ///
    /// # Errors
    /// `Forbidden` for everybody else.
    pub(super) async fn registered_today(&self, by: AccountId) -> Result<i64> {
        self.access
            .permit(by, &SET_REGISTRATION, Scope::Server)
            .await?;
        let db = &self.engine().db;
        db.scalar(COUNT, (yesterday(),)).await
    }

    /// Says whether anybody may make an account. The host only.
    pub(super) async fn set_registration(&self, by: AccountId, is_open: bool) -> Result<()> {
        let write = async move |tx: &mut Tx| {
            const SET: &str = "UPDATE installation SET open_registration = $1";
            let before: bool = tx.scalar(IS_OPEN, ()).await?;
            tx.execute(SET, (is_open,)).await?;
            let act = Act {
                space: None,
                actor: Some(by),
                act: "server.registration-changed",
                subject: None,
                name: "",
                before: json!({ "open": before }),
                after: json!({ "open": is_open }),
            };
            audit::record(tx, act).await
        };
        self.access
            .permitted_write(by, &SET_REGISTRATION, Scope::Server, write)
            .await
    }

    /// Makes an account that belongs to no space yet.
    ///
    /// # Errors
    /// `Forbidden` where the host does not allow it, `Invalid`, `TooMany` past the limit of the
    /// network, `Conflict` after 200 accounts in a day.
    pub(super) async fn register(&self, mut new: NewAccount, address: IpAddr) -> Result<AccountId> {
        const CLOSED: Error = Error::Forbidden("error-registration-closed");
        if !self.is_registration_open().await? {
            return Err(CLOSED);
        }
        let mut check = Check::default();
        new.check("", &mut check);
        check.done()?;
        self.count_registration(address)
            .inspect_err(|_| SecurityEvent::LimitReached.record(None, address, "registrations"))?;
        let hash = self.accounts.hash_password(&new.password).await?;
        let write = self.engine().db.write(async move |tx| {
            const LOCK: &str = "SELECT one FROM installation FOR NO KEY UPDATE";
            const MARK: &str = "UPDATE accounts SET registered = TRUE WHERE id = $1";
            // Of two who make the last account of a day, the second waits here.
            tx.lock::<(i64,)>(LOCK, ()).await?;
            if !tx.scalar::<bool>(IS_OPEN, ()).await? {
                return Err(CLOSED);
            }
            let today: i64 = tx.scalar(COUNT, (yesterday(),)).await?;
            if today >= MAX_PER_DAY {
                return Err(Error::Conflict("error-registrations-full"));
            }
            let account = accounts::insert(tx, &new, &hash).await?;
            tx.execute(MARK, (account,)).await?;
            Ok(account)
        });
        let account = write.await?;
        SecurityEvent::AccountCreated.record(account, address, "registration");
        Ok(account)
    }
}

const COUNT: &str = "SELECT COUNT(*) FROM accounts WHERE registered AND created_at > $1";

fn yesterday() -> Micros {
    Micros(Micros::now().0 - DAY_MICROS)
}
