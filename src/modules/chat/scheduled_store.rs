//! The SQL of scheduled messages.

use super::scheduled_model::{Scheduled, ScheduledId};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};
use crate::engine::files::FileId;
use crate::engine::jobs::JobId;

/// Has other transactions wait that add to the scheduled messages of an account.
pub(super) async fn lock(tx: &mut Tx, account: AccountId) -> Result<()> {
    const LOCK: &str = "SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK, (account,)).await.map(drop)
}

/// Adds a message, or finds the one with its key. The flag says whether it is new.
pub(super) async fn add(
    tx: &mut Tx,
    account: AccountId,
    room: RoomId,
    (key, body): (&str, &str),
    due_at: Micros,
) -> Result<(Scheduled, bool)> {
    const ADD: &str = "INSERT INTO chat_scheduled \
        (id, account_id, room_id, client_key, body, due_at) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account_id, client_key) DO NOTHING";
    const FIND: &str = "SELECT * FROM chat_scheduled WHERE account_id = $1 AND client_key = $2";
    let row = (ScheduledId::new(), account, room, key, body, due_at);
    let is_new = tx.execute(ADD, row).await? > 0;
    Ok((tx.one(FIND, (account, key)).await?, is_new))
}

/// Changes the text and the time of a message, which waits again then. `None` when it is not the
/// account's, or was posted meanwhile.
pub(super) async fn change(
    tx: &mut Tx,
    account: AccountId,
    id: ScheduledId,
    body: &str,
    due_at: Micros,
) -> Result<Option<Scheduled>> {
    const CHANGE: &str = "UPDATE chat_scheduled SET body = $3, due_at = $4, problem = '' \
        WHERE id = $1 AND account_id = $2 RETURNING *";
    tx.optional(CHANGE, (id, account, body, due_at)).await
}

/// The job that posts a message, if one was added.
pub(super) async fn job(tx: &mut Tx, id: ScheduledId) -> Result<Option<JobId>> {
    const READ: &str = "SELECT job_id FROM chat_scheduled WHERE id = $1 AND job_id IS NOT NULL";
    tx.optional_scalar(READ, (id,)).await
}

/// Stores which job posts a message.
pub(super) async fn set_job(tx: &mut Tx, id: ScheduledId, job: JobId) -> Result<()> {
    const SET: &str = "UPDATE chat_scheduled SET job_id = $2 WHERE id = $1";
    tx.execute(SET, (id, job)).await?;
    Ok(())
}

/// Gives a message another time.
pub(super) async fn postpone(tx: &mut Tx, id: ScheduledId, due_at: Micros) -> Result<()> {
    const POSTPONE: &str = "UPDATE chat_scheduled SET due_at = $2 WHERE id = $1";
    tx.execute(POSTPONE, (id, due_at)).await?;
    Ok(())
}

/// Notes why a message was not posted.
pub(super) async fn fail(tx: &mut Tx, id: ScheduledId, problem: &str) -> Result<()> {
    const FAIL: &str = "UPDATE chat_scheduled SET problem = $2 WHERE id = $1";
    tx.execute(FAIL, (id, problem)).await?;
    Ok(())
}

/// How many messages of an account are scheduled.
pub(super) async fn count(tx: &mut Tx, account: AccountId) -> Result<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM chat_scheduled WHERE account_id = $1";
    tx.scalar(COUNT, (account,)).await
}

/// A scheduled message, if it is still there.
pub(super) async fn find(db: &Db, id: ScheduledId) -> Result<Option<Scheduled>> {
    const READ: &str = "SELECT * FROM chat_scheduled WHERE id = $1";
    db.optional(READ, (id,)).await
}

/// The scheduled messages of an account, the next one first.
pub(super) async fn of_account(db: &Db, account: AccountId, limit: i64) -> Result<Vec<Scheduled>> {
    const READ: &str =
        "SELECT * FROM chat_scheduled WHERE account_id = $1 ORDER BY due_at, id LIMIT $2";
    db.all(READ, (account, limit)).await
}

/// Removes a message of an account. Returns the files that it still had, or `None` when it was not
/// there.
pub(super) async fn remove(
    tx: &mut Tx,
    account: AccountId,
    id: ScheduledId,
) -> Result<Option<Vec<FileId>>> {
    const FILES: &str = "DELETE FROM chat_scheduled_files WHERE scheduled_id = $1 \
        AND EXISTS (SELECT 1 FROM chat_scheduled WHERE id = $1 AND account_id = $2) \
        RETURNING file_id";
    const REMOVE: &str = "DELETE FROM chat_scheduled WHERE id = $1 AND account_id = $2";
    let files = tx.scalars(FILES, (id, account)).await?;
    let is_removed = tx.execute(REMOVE, (id, account)).await? > 0;
    Ok(is_removed.then_some(files))
}

/// Some of the messages of an account, or those for a room.
pub(super) async fn some_of(
    db: &Db,
    account: Option<AccountId>,
    room: Option<RoomId>,
    limit: i64,
) -> Result<Vec<(ScheduledId, AccountId)>> {
    const OF_ACCOUNT: &str = "SELECT id, account_id FROM chat_scheduled \
        WHERE account_id = $1 LIMIT $2";
    const OF_ROOM: &str = "SELECT id, account_id FROM chat_scheduled WHERE room_id = $1 LIMIT $2";
    match (account, room) {
        (Some(account), _) => db.all(OF_ACCOUNT, (account, limit)).await,
        (None, room) => db.all(OF_ROOM, (room, limit)).await,
    }
}

/// Adds claimed files to a message, behind those it has.
pub(super) async fn add_files(
    tx: &mut Tx,
    id: ScheduledId,
    files: &[(FileId, String)],
) -> Result<()> {
    const NEXT: &str = "SELECT COALESCE(MAX(position) + 1, 0) FROM chat_scheduled_files \
        WHERE scheduled_id = $1";
    const ADD: &str = "INSERT INTO chat_scheduled_files \
        (file_id, scheduled_id, position, caption) VALUES ($1, $2, $3, $4)";
    let next: i64 = tx.scalar(NEXT, (id,)).await?;
    for (position, (file, caption)) in (next..).zip(files) {
        tx.execute(ADD, (*file, id, position, caption)).await?;
    }
    Ok(())
}

/// Takes a file from a message. Returns whether it had it.
pub(super) async fn take_file(tx: &mut Tx, id: ScheduledId, file: FileId) -> Result<bool> {
    const TAKE: &str = "DELETE FROM chat_scheduled_files WHERE scheduled_id = $1 AND file_id = $2";
    Ok(tx.execute(TAKE, (id, file)).await? > 0)
}

/// How many files a message has.
pub(super) async fn count_files(tx: &mut Tx, id: ScheduledId) -> Result<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM chat_scheduled_files WHERE scheduled_id = $1";
    tx.scalar(COUNT, (id,)).await
}

/// The files of a message in order, with their captions.
pub(super) async fn files(db: &Db, id: ScheduledId) -> Result<Vec<(FileId, String)>> {
    const READ: &str = "SELECT file_id, caption FROM chat_scheduled_files \
        WHERE scheduled_id = $1 ORDER BY position";
    db.all(READ, (id,)).await
}
