//! Storage quotas: how many bytes accounts and spaces use, and how many they may.

use crate::base::db::{Db, Sql, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};

/// The quota of each account and each space, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Quotas {
    pub(super) account: i64,
    pub(super) space: i64,
}

/// Adds `bytes`, which may be negative, to the usage of an account and a space.
///
/// # Errors
/// `Full` when the usage exceeds a quota; the transaction has to be rolled back then. Without
/// quotas nothing is refused.
pub(super) async fn add(
    tx: &mut Tx,
    owner: AccountId,
    space: Option<SpaceId>,
    bytes: i64,
    quotas: Option<Quotas>,
) -> Result<()> {
    let quota = quotas.map(|quotas| quotas.account);
    if use_bytes(tx, ("account", owner.0), bytes, quota).await? {
        return Err(Error::Full("error-account-full"));
    }
    add_to_space(tx, space, bytes, quotas).await
}

/// The same of a space alone.
///
/// # Errors
/// `Full` as [`add`].
pub(super) async fn add_to_space(
    tx: &mut Tx,
    space: Option<SpaceId>,
    bytes: i64,
    quotas: Option<Quotas>,
) -> Result<()> {
    let Some(space) = space else {
        return Ok(());
    };
    let quota = quotas.map(|quotas| quotas.space);
    match use_bytes(tx, ("space", space.0), bytes, quota).await? {
        true => Err(Error::Full("error-space-full")),
        false => Ok(()),
    }
}

/// Whether a quota is exceeded with `bytes` more.
async fn use_bytes(
    tx: &mut Tx,
    (scope, id): (&'static str, i64),
    bytes: i64,
    quota: Option<i64>,
) -> Result<bool> {
    const USE: &str = "INSERT INTO storage_used (scope, id, bytes) VALUES ($1, $2, $3) \
        ON CONFLICT (scope, id) DO UPDATE SET bytes = storage_used.bytes + $3 RETURNING bytes";
    let used: i64 = tx.scalar(USE, (scope, id, bytes)).await?;
    Ok(quota.is_some_and(|quota| used > quota))
}

/// Whether a space has room for `bytes` more by now. Others may take it until they are charged.
///
/// # Errors
/// `Full` when it has none.
pub(super) async fn check_room(
    db: &Db,
    space: Option<SpaceId>,
    bytes: i64,
    quotas: Quotas,
) -> Result<()> {
    const USED: &str = "SELECT bytes FROM storage_used WHERE scope = 'space' AND id = $1";
    let Some(space) = space else {
        return Ok(());
    };
    let used: Option<i64> = db.optional_scalar(USED, (space,)).await?;
    if used.unwrap_or(0).saturating_add(bytes) > quotas.space {
        return Err(Error::Full("error-space-full"));
    }
    Ok(())
}

/// Whether `bytes` more fit the quotas of an account and a space. Fewer bytes always do, also where
/// a quota was lowered.
pub(super) async fn fits(
    tx: &mut Tx,
    owner: AccountId,
    space: Option<SpaceId>,
    bytes: i64,
    quotas: Quotas,
) -> Result<bool> {
    const USED: Sql = Sql {
        sqlite: "SELECT bytes FROM storage_used WHERE scope = $1 AND id = $2",
        postgres: "SELECT bytes FROM storage_used WHERE scope = $1 AND id = $2 FOR UPDATE",
    };
    if bytes <= 0 {
        return Ok(true);
    }
    let account = ("account", owner.0, quotas.account);
    let space = space.map(|space| ("space", space.0, quotas.space));
    for (scope, id, quota) in [account].into_iter().chain(space) {
        let used: Option<i64> = tx.optional_scalar(USED, (scope, id)).await?;
        if used.unwrap_or(0).saturating_add(bytes) > quota {
            return Ok(false);
        }
    }
    Ok(true)
}
