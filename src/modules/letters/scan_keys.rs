//! The keys of scans: what a phone sends again is not done again.

use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::AccountId;

/// Keys of scans are kept so long, in microseconds: 30 days.
const SCAN_TIME: i64 = 30 * 86_400_000_000;

/// Whether a scan with this key was done already.
pub(super) async fn is_recorded(tx: &mut Tx, by: AccountId, key: &str) -> Result<bool> {
    const READ: &str = "SELECT EXISTS (SELECT 1 FROM letter_scans \
        WHERE account_id = $1 AND client_key = $2)";
    tx.scalar(READ, (by, key)).await
}

/// Records a scan, in the transaction that does what it says.
pub(super) async fn record(tx: &mut Tx, by: AccountId, key: &str) -> Result<()> {
    const ADD: &str = "INSERT INTO letter_scans (account_id, client_key, at) \
        VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.execute(ADD, (by, key, Micros::now())).await?;
    Ok(())
}

/// Deletes keys of long ago.
pub(super) async fn forget(tx: &mut Tx, now: Micros) -> Result<()> {
    const DELETE: &str = "DELETE FROM letter_scans WHERE at < $1";
    tx.execute(DELETE, (now.0 - SCAN_TIME,)).await?;
    Ok(())
}
