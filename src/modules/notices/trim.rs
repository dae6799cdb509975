//! How long notices are kept: 90 days, and of an account the newest thousand. Every hour a job
//! deletes what is older.

use std::time::Duration;

use serde_json::Value;

use super::Notices;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{self, AccountId};
use crate::engine::jobs::{Failure, Run, Settled};

pub(super) const KIND: &str = "notices.trim";

const NOTICE_TTL: Duration = Duration::from_secs(90 * 86_400);
/// Notices that are kept of an account.
const MAX_NOTICES_KEPT: i64 = 1_000;
/// Notices, or accounts, of one transaction.
const BATCH_TRIMMED: i64 = 20;

pub(super) async fn delete_old(notices: Notices, run: Run, _: Value) -> Result<Settled, Failure> {
    let before = Micros(Micros::now().0 - NOTICE_TTL.as_micros() as i64);
    while notices.delete_before(ids::first_at(before)).await? {}
    for account in notices.with_too_many().await? {
        notices.trim_inbox(account).await?;
    }
    run.done()
}

impl Notices {
    /// Deletes some notices before an id. Returns whether there may be more.
    async fn delete_before(&self, id: i64) -> Result<bool> {
        const DELETE: &str = "DELETE FROM notices WHERE id IN \
            (SELECT id FROM notices WHERE id < $1 ORDER BY id LIMIT $2)";
        let write = async move |tx: &mut Tx| tx.execute(DELETE, (id, BATCH_TRIMMED)).await;
        Ok(self.engine.db.write_queued(write).await? > 0)
    }

    async fn with_too_many(&self) -> Result<Vec<AccountId>> {
        const READ: &str = "SELECT account_id FROM notice_recipients GROUP BY account_id \
            HAVING COUNT(*) > $1";
        self.engine.db.scalars(READ, (MAX_NOTICES_KEPT,)).await
    }

    async fn trim_inbox(&self, account: AccountId) -> Result<()> {
        const TRIM: &str = "DELETE FROM notice_recipients WHERE account_id = $1 \
            AND notice_id <= (SELECT notice_id FROM notice_recipients WHERE account_id = $1 \
            ORDER BY notice_id DESC LIMIT 1 OFFSET $2)";
        let row = (account, MAX_NOTICES_KEPT);
        let write = async move |tx: &mut Tx| tx.execute(TRIM, row).await;
        self.engine.db.write_queued(write).await?;
        Ok(())
    }
}
