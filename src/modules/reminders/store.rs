//! The SQL of reminders.

use super::{NewReminder, Reminder, ReminderId};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::engine::jobs::JobId;

/// Has other transactions wait that add to the reminders of an account.
pub(super) async fn lock(tx: &mut Tx, account: AccountId) -> Result<()> {
    const LOCK: &str = "SELECT id FROM accounts WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK, (account,)).await.map(drop)
}

/// Adds a reminder, or finds the one with its key. The flag says whether it is new.
pub(super) async fn add(
    tx: &mut Tx,
    account: AccountId,
    new: &NewReminder,
) -> Result<(Reminder, bool)> {
    const ADD: &str = "INSERT INTO reminders (id, account_id, client_key, text, href, due_at) \
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (account_id, client_key) DO NOTHING";
    const FIND: &str = "SELECT * FROM reminders WHERE account_id = $1 AND client_key = $2";
    let row = (
        ReminderId::new(),
        account,
        &new.key,
        &new.text,
        &new.href,
        new.due_at,
    );
    let is_new = tx.execute(ADD, row).await? > 0;
    Ok((tx.one(FIND, (account, &new.key)).await?, is_new))
}

/// How many reminders of an account wait.
pub(super) async fn count(tx: &mut Tx, account: AccountId) -> Result<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM reminders WHERE account_id = $1";
    tx.scalar(COUNT, (account,)).await
}

/// The reminders of an account, the next one first, after one of them.
pub(super) async fn of_account(db: &Db, account: AccountId, limit: i64) -> Result<Vec<Reminder>> {
    const READ: &str = "SELECT * FROM reminders WHERE account_id = $1 ORDER BY due_at, id LIMIT $2";
    db.all(READ, (account, limit)).await
}

/// Takes a reminder out, if it is still there and its time has come.
pub(super) async fn take(tx: &mut Tx, id: ReminderId) -> Result<Option<Reminder>> {
    const TAKE: &str = "DELETE FROM reminders WHERE id = $1 AND due_at <= $2 RETURNING *";
    // The clocks of two instances differ a little.
    let now = Micros::now().plus(std::time::Duration::from_secs(5));
    tx.optional(TAKE, (id, now)).await
}

/// Stores which job tells of a reminder.
pub(super) async fn set_job(tx: &mut Tx, id: ReminderId, job: JobId) -> Result<()> {
    const SET: &str = "UPDATE reminders SET job_id = $2 WHERE id = $1";
    tx.execute(SET, (id, job)).await?;
    Ok(())
}

/// Removes a reminder of an account. Returns the job that would have told of it.
///
/// # Errors
/// `NotFound` when it is not there.
pub(super) async fn remove(tx: &mut Tx, account: AccountId, id: ReminderId) -> Result<JobId> {
    const REMOVE: &str = "DELETE FROM reminders WHERE id = $1 AND account_id = $2 RETURNING job_id";
    tx.scalar(REMOVE, (id, account)).await
}

/// Removes all reminders of an account.
pub(super) async fn remove_all(tx: &mut Tx, account: AccountId) -> Result<()> {
    const REMOVE: &str = "DELETE FROM reminders WHERE account_id = $1";
    tx.execute(REMOVE, (account,)).await?;
    Ok(())
}
