//! What reminders keep of an account.

use serde_json::json;

use super::{MAX_REMINDERS, Reminders, store};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::personal_data::{DataPage, Erasure};

/// All reminders of an account: they are few.
pub(super) async fn export(
    reminders: Reminders,
    account: AccountId,
    _after: i64,
) -> Result<DataPage> {
    let all = store::of_account(&reminders.engine.db, account, MAX_REMINDERS).await?;
    let items = all
        .into_iter()
        .map(|one| json!({ "text": one.text, "href": one.href, "due_at": one.due_at.rfc3339() }));
    Ok(DataPage {
        items: items.collect(),
        next: None,
    })
}

/// Erases them.
pub(super) async fn erase(reminders: Reminders, erasure: Erasure) -> Result<bool> {
    let write = reminders
        .engine
        .db
        .write_queued(async move |tx| store::remove_all(tx, erasure.account).await);
    write.await?;
    Ok(false)
}
