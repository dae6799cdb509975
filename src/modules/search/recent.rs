//! The last searches of an account, for itself alone.

use serde_json::{Value, json};

use super::SearchPages;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::personal_data::{DataPage, Erasure};

/// Searches that are kept of an account.
const MAX_RECENT: i64 = 10;

impl SearchPages {
    /// The last searches, the newest first.
    pub(super) async fn recent(&self, account: AccountId) -> Result<Vec<String>> {
        const READ: &str = "SELECT query FROM recent_searches WHERE account_id = $1 \
            ORDER BY searched_at DESC, query LIMIT $2";
        self.engine.db.scalars(READ, (account, MAX_RECENT)).await
    }

    /// Keeps a search.
    pub(super) async fn keep(&self, account: AccountId, query: &str) -> Result<()> {
        const KEEP: &str = "INSERT INTO recent_searches (account_id, query, searched_at) \
            VALUES ($1, $2, $3) ON CONFLICT (account_id, query) DO UPDATE SET searched_at = $3";
        const FORGET: &str = "DELETE FROM recent_searches WHERE account_id = $1 AND query NOT IN \
            (SELECT query FROM recent_searches WHERE account_id = $1 \
            ORDER BY searched_at DESC LIMIT $2)";
        let query = query.trim().to_owned();
        let write = self
            .engine
            .db
            .write_for(account.0, async move |tx: &mut Tx| {
                tx.execute(KEEP, (account, query, Micros::now())).await?;
                tx.execute(FORGET, (account, MAX_RECENT)).await?;
                Ok(())
            });
        write.await
    }

    /// Forgets all of them.
    pub(super) async fn clear_recent(&self, account: AccountId) -> Result<()> {
        const CLEAR: &str = "DELETE FROM recent_searches WHERE account_id = $1";
        let write = self.engine.db.write_protective(async move |tx: &mut Tx| {
            tx.execute(CLEAR, (account,)).await?;
            Ok(())
        });
        write.await
    }
}

pub(super) async fn export(
    search: SearchPages,
    account: AccountId,
    _after: i64,
) -> Result<DataPage> {
    let items = search.recent(account).await?.into_iter();
    let items: Vec<Value> = items.map(|query| json!({ "query": query })).collect();
    Ok(DataPage { items, next: None })
}

pub(super) async fn erase(search: SearchPages, erasure: Erasure) -> Result<bool> {
    search.clear_recent(erasure.account).await?;
    Ok(false)
}
