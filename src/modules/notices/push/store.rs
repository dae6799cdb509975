//! The SQL of push.

use sqlx::FromRow;

use super::super::store::{is_unread, joined, of_list};
use crate::base::clock::Micros;
use crate::base::db::{Db, Sql, Tx};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::notices::NoticeId;
use crate::id;

id!(
    /// The subscription of a device.
    DeviceId
);

/// Where a device is sent to, and how it is encrypted for it.
#[derive(FromRow)]
pub(super) struct Device {
    pub(super) account_id: AccountId,
    pub(super) endpoint: String,
    pub(super) public_key: String,
    pub(super) auth: String,
    pub(super) language: Option<String>,
}

/// A device in the list of settings.
#[derive(FromRow)]
pub(in crate::modules::notices) struct ListedDevice {
    pub(in crate::modules::notices) id: DeviceId,
    /// As its session is called.
    pub(in crate::modules::notices) name: String,
    /// Whether it is the one that asks.
    pub(in crate::modules::notices) is_this: bool,
}

pub(in crate::modules::notices) async fn devices(
    db: &Db,
    account: AccountId,
    session: &str,
) -> Result<Vec<ListedDevice>> {
    const READ: &str = "SELECT d.id, s.device AS name, s.digest = $2 AS is_this \
        FROM push_devices d JOIN sessions s ON s.digest = d.session WHERE d.account_id = $1 \
        ORDER BY d.id LIMIT 100";
    db.all(READ, (account, session)).await
}

/// Adds the device of a session, or changes it: a session has one.
pub(super) async fn add(
    tx: &mut Tx,
    account: AccountId,
    session: &str,
    (endpoint, public_key, auth): (&str, &str, &str),
) -> Result<()> {
    const REMOVE: &str = "DELETE FROM push_devices WHERE session = $1 OR endpoint = $2";
    const ADD: &str = "INSERT INTO push_devices \
        (id, account_id, session, endpoint, public_key, auth, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    tx.execute(REMOVE, (session, endpoint)).await?;
    let row = (
        DeviceId::new(),
        account,
        session,
        endpoint,
        public_key,
        auth,
        Micros::now(),
    );
    tx.execute(ADD, row).await?;
    Ok(())
}

/// Removes a device of an account.
pub(super) async fn remove_own(tx: &mut Tx, account: AccountId, device: DeviceId) -> Result<()> {
    const REMOVE: &str = "DELETE FROM push_devices WHERE id = $1 AND account_id = $2";
    tx.execute(REMOVE, (device, account)).await?;
    Ok(())
}

/// Removes a device whose subscription has ended.
pub(super) async fn remove(tx: &mut Tx, device: DeviceId) -> Result<()> {
    const REMOVE: &str = "DELETE FROM push_devices WHERE id = $1";
    tx.execute(REMOVE, (device,)).await?;
    Ok(())
}

pub(super) async fn find(db: &Db, device: DeviceId) -> Result<Option<Device>> {
    const READ: &str = "SELECT d.account_id, d.endpoint, d.public_key, d.auth, a.language \
        FROM push_devices d JOIN accounts a ON a.id = d.account_id WHERE d.id = $1";
    db.optional(READ, (device,)).await
}

/// Those of these accounts that have a device.
pub(super) async fn with_devices(tx: &mut Tx, accounts: &[AccountId]) -> Result<Vec<AccountId>> {
    const READ: Sql = Sql {
        sqlite: concat!(
            "SELECT DISTINCT account_id FROM push_devices WHERE account_id IN ",
            of_list!(sqlite "$1")
        ),
        postgres: concat!(
            "SELECT DISTINCT account_id FROM push_devices WHERE account_id IN ",
            of_list!(postgres "$1")
        ),
    };
    match accounts.is_empty() {
        true => Ok(Vec::new()),
        false => tx.scalars(READ, (joined(accounts),)).await,
    }
}

/// The devices of these accounts for which a notice is still unread.
pub(super) async fn devices_to_tell(
    db: &Db,
    notice: NoticeId,
    accounts: &[AccountId],
) -> Result<Vec<(DeviceId, AccountId)>> {
    const READ: Sql = Sql {
        sqlite: concat!(
            "SELECT d.id, d.account_id FROM push_devices d JOIN notice_recipients r \
             ON r.account_id = d.account_id WHERE r.notice_id = $1 AND ",
            is_unread!(),
            " AND d.account_id IN ",
            of_list!(sqlite "$2")
        ),
        postgres: concat!(
            "SELECT d.id, d.account_id FROM push_devices d JOIN notice_recipients r \
             ON r.account_id = d.account_id WHERE r.notice_id = $1 AND ",
            is_unread!(),
            " AND d.account_id IN ",
            of_list!(postgres "$2")
        ),
    };
    match accounts.is_empty() {
        true => Ok(Vec::new()),
        false => db.all(READ, (notice, joined(accounts))).await,
    }
}
