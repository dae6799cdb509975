//! How many bytes accounts and spaces have used, and how many they may.

use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};

/// What accounts and spaces may use, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) account: i64,
    pub(super) space: i64,
}

/// Adds to what an account and its space have used, and refuses what is more than they may.
///
/// # Errors
/// `Full`.
pub(super) async fn add(
    tx: &mut Tx,
    owner: AccountId,
    space: Option<SpaceId>,
    bytes: i64,
    limits: Option<Limits>,
) -> Result<()> {
    let scopes = [(
        "account",
        owner.0,
        limits.map(|limits| limits.account),
        "error-account-full",
    )];
    let spaces = space.map(|space| {
        (
            "space",
            space.0,
            limits.map(|limits| limits.space),
            "error-space-full",
        )
    });
    for (scope, id, limit, key) in scopes.into_iter().chain(spaces) {
        const USE: &str = "INSERT INTO storage_used (scope, id, bytes) VALUES ($1, $2, $3) \
            ON CONFLICT (scope, id) DO UPDATE SET bytes = storage_used.bytes + $3 RETURNING bytes";
        let used: i64 = tx.scalar(USE, (scope, id, bytes)).await?;
        if limit.is_some_and(|limit| used > limit) {
            return Err(Error::Full(key));
        }
    }
    Ok(())
}
