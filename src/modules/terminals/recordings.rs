//! The SQL of recordings.

use super::model::TerminalId;
use super::store;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};

/// Stores a part of a recording, unless that was deleted meanwhile.
pub(super) async fn add(tx: &mut Tx, terminal: TerminalId, part: i64, lines: &str) -> Result<()> {
    // Nobody deletes it until this is stored.
    match store::lock(tx, terminal).await {
        Ok(row) if row.recorded => {}
        Ok(_) | Err(Error::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    }
    const ADD: &str = "INSERT INTO terminal_recordings (terminal_id, part, lines) \
        VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.execute(ADD, (terminal, part, lines)).await.map(drop)
}

/// Deletes the recording of a terminal, and what says that there is one.
pub(super) async fn delete(tx: &mut Tx, terminal: TerminalId) -> Result<()> {
    // First, so that nobody adds a part after the others are deleted.
    const FORGET: &str = "UPDATE terminals SET recorded = $2 WHERE id = $1";
    tx.execute(FORGET, (terminal, false)).await?;
    const DELETE: &str = "DELETE FROM terminal_recordings WHERE terminal_id = $1";
    tx.execute(DELETE, (terminal,)).await?;
    Ok(())
}

/// How many parts and bytes of a recording are stored.
pub(super) async fn stored(db: &Db, terminal: TerminalId) -> Result<(i64, i64)> {
    const READ: &str = "SELECT COALESCE(MAX(part), 0), COALESCE(SUM(OCTET_LENGTH(lines)), 0) \
        FROM terminal_recordings WHERE terminal_id = $1";
    db.one(READ, (terminal,)).await
}

/// The first part of a recording after another, with its number.
pub(super) async fn part(
    db: &Db,
    terminal: TerminalId,
    after: i64,
) -> Result<Option<(i64, String)>> {
    const READ: &str = "SELECT part, lines FROM terminal_recordings \
        WHERE terminal_id = $1 AND part > $2 ORDER BY part LIMIT 1";
    db.optional(READ, (terminal, after)).await
}
