//! The SQL of files that people offer to a sharer.

use std::time::Duration;

use sqlx::FromRow;

use super::model::{TerminalId, TerminalRow};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::engine::files::{File, FileId, Files};
use crate::id;

id!(
    /// A file that somebody offers to a sharer.
    SentFileId
);

/// Files of one terminal that are offered or on their way at once.
const MAX_SENT_FILES: i64 = 4;
/// Files of one terminal that its page shows, the last ones.
const SHOWN_FILES: i64 = 5;
/// For a sharer to answer.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);
/// For a file that its sharer takes to arrive.
const TAKING_TIMEOUT: Duration = Duration::from_secs(900);
/// How long it is known what became of one.
const SENT_FILE_TTL: Duration = Duration::from_secs(24 * 3_600);

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileState {
    /// The sharer was asked.
    Asked,
    /// They take it, and it is on its way.
    Taking,
    /// It is in their folder.
    Stored,
    /// They do not take it.
    Refused,
    /// They gave no answer.
    Unanswered,
    /// It did not arrive.
    Failed,
}

impl FileState {
    const ALL: [Self; 6] = [
        Self::Asked,
        Self::Taking,
        Self::Stored,
        Self::Refused,
        Self::Unanswered,
        Self::Failed,
    ];

    /// The name in the database.
    fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Taking => "taking",
            Self::Stored => "stored",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
            Self::Failed => "failed",
        }
    }
}

/// A file, as it is stored.
#[derive(Clone, Debug, FromRow)]
pub(super) struct SentFile {
    pub(super) id: SentFileId,
    #[sqlx(rename = "account_id")]
    pub(super) account: AccountId,
    pub(super) name: String,
    pub(super) size: i64,
    state: String,
    /// The name under which it is in the sharer's folder; may be empty.
    pub(super) stored_as: String,
    pub(super) created_at: Micros,
}

impl SentFile {
    pub(super) fn state(&self) -> FileState {
        let mut all = FileState::ALL.into_iter();
        let found = all.find(|state| state.name() == self.state);
        found.unwrap_or(FileState::Failed)
    }

    /// Whether the sharer has had their time to answer.
    pub(super) fn is_unanswered(&self) -> bool {
        let age = Micros::now().since(self.created_at);
        self.state() == FileState::Asked && age > ANSWER_TIMEOUT
    }
}

/// Offers a file that its owner has uploaded.
///
/// # Errors
/// `Full` past [`MAX_SENT_FILES`].
pub(super) async fn add(tx: &mut Tx, terminal: &TerminalRow, file: &File) -> Result<()> {
    const COUNT: &str = "SELECT COUNT(*) FROM terminal_sent_files \
        WHERE terminal_id = $1 AND file_id IS NOT NULL";
    if tx.scalar::<i64>(COUNT, (terminal.id,)).await? >= MAX_SENT_FILES {
        return Err(Error::Full("error-terminal-files"));
    }
    const ADD: &str = "INSERT INTO terminal_sent_files \
        (id, terminal_id, account_id, file_id, name, size, state, stored_as, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8)";
    let row = (
        SentFileId::new(),
        terminal.id,
        file.owner,
        file.id,
        &file.name,
        file.size,
        FileState::Asked.name(),
        Micros::now(),
    );
    tx.execute(ADD, row).await?;
    Ok(())
}

/// The last files of a terminal, the newest first.
pub(super) async fn last(db: &Db, terminal: TerminalId) -> Result<Vec<SentFile>> {
    const LAST: &str = "SELECT * FROM terminal_sent_files WHERE terminal_id = $1 \
        ORDER BY id DESC LIMIT $2";
    db.all(LAST, (terminal, SHOWN_FILES)).await
}

/// The files of a terminal that have neither arrived nor failed, in their order.
pub(super) async fn waiting(db: &Db, terminal: TerminalId) -> Result<Vec<SentFile>> {
    const WAITING: &str = "SELECT * FROM terminal_sent_files \
        WHERE terminal_id = $1 AND file_id IS NOT NULL ORDER BY id LIMIT 16";
    db.all(WAITING, (terminal,)).await
}

/// The sharer takes a file of their terminal. `None` when it is not offered any more.
pub(super) async fn take(
    tx: &mut Tx,
    terminal: TerminalId,
    id: SentFileId,
) -> Result<Option<FileId>> {
    const TAKE: &str = "UPDATE terminal_sent_files SET state = $3 \
        WHERE id = $1 AND terminal_id = $2 AND state = $4 RETURNING file_id";
    let (taking, asked) = (FileState::Taking.name(), FileState::Asked.name());
    tx.optional_scalar(TAKE, (id, terminal, taking, asked))
        .await
}

/// A file has arrived or will not, and is released. False when that was so already.
pub(super) async fn finish(
    files: &Files,
    tx: &mut Tx,
    id: SentFileId,
    state: FileState,
    stored_as: &str,
) -> Result<bool> {
    const FIND: &str =
        "SELECT file_id FROM terminal_sent_files WHERE id = $1 AND file_id IS NOT NULL";
    const FINISH: &str = "UPDATE terminal_sent_files \
        SET file_id = NULL, state = $2, stored_as = $3 WHERE id = $1";
    let Some(file): Option<FileId> = tx.optional_scalar(FIND, (id,)).await? else {
        return Ok(false);
    };
    tx.execute(FINISH, (id, state.name(), stored_as)).await?;
    match files.release(tx, file).await {
        // With its owner.
        Ok(()) | Err(Error::NotFound) => Ok(true),
        Err(error) => Err(error),
    }
}

/// Releases files that did not arrive in time or whose terminal has ended, and forgets old ones.
pub(super) async fn sweep(files: &Files, tx: &mut Tx) -> Result<()> {
    const FIND: &str = "SELECT id FROM terminal_sent_files WHERE file_id IS NOT NULL \
        AND (created_at < $1 OR NOT EXISTS (SELECT 1 FROM terminals \
        WHERE terminals.id = terminal_id AND ended_at IS NULL)) LIMIT 100";
    const DELETE: &str = "DELETE FROM terminal_sent_files WHERE id IN (SELECT id \
        FROM terminal_sent_files WHERE created_at < $1 AND file_id IS NULL LIMIT 100)";
    let before = |ttl: Duration| Micros(Micros::now().0 - ttl.as_micros() as i64);
    let late: Vec<SentFileId> = tx.scalars(FIND, (before(TAKING_TIMEOUT),)).await?;
    for id in late {
        finish(files, tx, id, FileState::Failed, "").await?;
    }
    tx.execute(DELETE, (before(SENT_FILE_TTL),)).await?;
    Ok(())
}

/// Forgets the files that an account has offered, and releases them.
pub(super) async fn erase_account(files: &Files, tx: &mut Tx, account: AccountId) -> Result<()> {
    const FIND: &str = "SELECT id FROM terminal_sent_files \
        WHERE account_id = $1 AND file_id IS NOT NULL";
    const DELETE: &str = "DELETE FROM terminal_sent_files WHERE account_id = $1";
    let waiting: Vec<SentFileId> = tx.scalars(FIND, (account,)).await?;
    for id in waiting {
        finish(files, tx, id, FileState::Failed, "").await?;
    }
    tx.execute(DELETE, (account,)).await?;
    Ok(())
}
