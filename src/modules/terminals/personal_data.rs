//! What terminals keep of an account.

use serde_json::json;

use super::model::TerminalId;
use super::{Terminals, sent_file_store, store, tokens};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::personal_data::{DataPage, Erasure};

/// The terminals that an account has shared lately.
pub(super) async fn export(
    terminals: Terminals,
    account: AccountId,
    after: i64,
) -> Result<DataPage> {
    let rows = store::of_account(&terminals.engine.db, account, TerminalId(after)).await?;
    let next = rows.last().map(|row| row.id.0);
    let items = rows.iter().map(|row| {
        json!({
            "title": row.title,
            "command": row.command,
            "started_at": row.started_at.rfc3339(),
            "ended_at": row.ended_at.map(|at| at.rfc3339()),
            "exit_code": row.exit_code,
        })
    });
    Ok(DataPage {
        items: items.collect(),
        next,
    })
}

/// Erases them, with their recordings, the tokens, and what the account was in others' terminals.
pub(super) async fn erase(terminals: Terminals, erasure: Erasure) -> Result<bool> {
    let account = erasure.account;
    let files = terminals.engine.files.clone();
    let write = terminals.engine.db.write_queued(async move |tx| {
        sent_file_store::erase_account(&files, tx, account).await?;
        tokens::delete_all(tx, account).await?;
        store::erase_account(tx, account).await
    });
    write.await?;
    Ok(false)
}
