//! What messages said before they were edited.

use sqlx::FromRow;

use super::model::MessageId;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;

/// Earlier texts of one message, the newest ones; older ones go.
pub const MAX_VERSIONS: i64 = 50;

/// A text that a message had.
#[derive(FromRow)]
pub(super) struct Version {
    pub(super) body: String,
    /// When it was written.
    #[sqlx(rename = "written_at")]
    pub(super) at: Micros,
}

/// Keeps what a message says before `body` takes its place.
pub(super) async fn keep(tx: &mut Tx, id: MessageId, body: &str) -> Result<()> {
    const KEEP: &str = "INSERT INTO chat_versions (message_id, revision, body, written_at) \
        SELECT id, revision, body, COALESCE(edited_at, created_at) FROM messages \
        WHERE id = $1 AND deleted_at IS NULL AND body <> $2 \
        ON CONFLICT (message_id, revision) DO NOTHING";
    const DROP: &str = "DELETE FROM chat_versions WHERE message_id = $1 AND revision < \
        (SELECT MIN(revision) FROM (SELECT revision FROM chat_versions WHERE message_id = $1 \
        ORDER BY revision DESC LIMIT $2) newest)";
    tx.execute(KEEP, (id, body)).await?;
    tx.execute(DROP, (id, MAX_VERSIONS)).await?;
    Ok(())
}

/// The earlier texts of a message, newest first.
pub(super) async fn of(db: &Db, id: MessageId) -> Result<Vec<Version>> {
    const READ: &str = "SELECT body, written_at FROM chat_versions \
        WHERE message_id = $1 ORDER BY revision DESC";
    db.all(READ, (id,)).await
}
