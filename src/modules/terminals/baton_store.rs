//! The SQL of the baton: who types in a terminal in which one person does at a time.

use super::model::{Role, TerminalId, TerminalRow};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::AccountId;

/// Has one person type at a time, beginning with its host, or everybody again who may.
pub(super) async fn set_mode(tx: &mut Tx, row: &TerminalRow, is_on: bool) -> Result<()> {
    const SET: &str =
        "UPDATE terminals SET one_at_a_time = $2, baton_account_id = $3 WHERE id = $1";
    let holder = is_on.then_some(row.host);
    tx.execute(SET, (row.id, is_on, holder)).await?;
    Ok(())
}

/// Gives the baton to somebody, whose raised hand is answered, or to nobody.
pub(super) async fn give(
    tx: &mut Tx,
    terminal: TerminalId,
    holder: Option<AccountId>,
) -> Result<()> {
    const GIVE: &str = "UPDATE terminals SET baton_account_id = $2 WHERE id = $1";
    const LOWER: &str = "UPDATE terminal_people SET raised_hand = $3 \
        WHERE terminal_id = $1 AND account_id = $2";
    tx.execute(GIVE, (terminal, holder)).await?;
    if let Some(holder) = holder {
        tx.execute(LOWER, (terminal, holder, false)).await?;
    }
    Ok(())
}

/// Frees the baton if somebody holds it. False when they do not.
pub(super) async fn release(tx: &mut Tx, terminal: TerminalId, holder: AccountId) -> Result<bool> {
    const RELEASE: &str = "UPDATE terminals SET baton_account_id = NULL \
        WHERE id = $1 AND baton_account_id = $2";
    Ok(tx.execute(RELEASE, (terminal, holder)).await? > 0)
}

/// Whether somebody was let type, or is the host.
pub(super) async fn is_typist(tx: &mut Tx, row: &TerminalRow, account: AccountId) -> Result<bool> {
    if row.host == account {
        return Ok(true);
    }
    const IS_TYPIST: &str = "SELECT EXISTS (SELECT 1 FROM terminal_people \
        WHERE terminal_id = $1 AND account_id = $2 AND role = $3)";
    tx.scalar(IS_TYPIST, (row.id, account, Role::Typist.name()))
        .await
}
