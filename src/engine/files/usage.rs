//! Storage quotas: how many bytes accounts and spaces use, and how many they may.

use crate::base::db::{Sql, Tx};
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
    let account_quota = quotas.map(|quotas| quotas.account);
    let account = ("account", owner.0, account_quota, "error-account-full");
    let space_quota = quotas.map(|quotas| quotas.space);
    let space = space.map(|space| ("space", space.0, space_quota, "error-space-full"));
    for (scope, id, quota, key) in [account].into_iter().chain(space) {
        const USE: &str = "INSERT INTO storage_used (scope, id, bytes) VALUES ($1, $2, $3) \
            ON CONFLICT (scope, id) DO UPDATE SET bytes = storage_used.bytes + $3 RETURNING bytes";
        let used: i64 = tx.scalar(USE, (scope, id, bytes)).await?;
        if quota.is_some_and(|quota| used > quota) {
            return Err(Error::Full(key));
        }
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
