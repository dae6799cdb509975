//! The SQL of mail digests.

use sqlx::FromRow;

use super::super::store::{Entry, unread_entries};
use super::Rhythm;
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{self, AccountId};
use crate::base::secrets;
use crate::engine::notices::NoticeId;

/// An account whose digest is due.
#[derive(FromRow)]
pub(super) struct Due {
    #[sqlx(rename = "account_id")]
    pub(super) account: AccountId,
    pub(super) every: Rhythm,
    /// Empty: UTC.
    pub(super) time_zone: String,
}

/// What the digest of an account is made with.
#[derive(FromRow)]
pub(super) struct Digest {
    pub(super) told_up_to: NoticeId,
    pub(super) token: String,
    pub(super) email: String,
    pub(super) language: Option<String>,
}

/// How often an account is mailed, if it is.
pub(in crate::modules::notices) async fn rhythm_of(
    db: &Db,
    account: AccountId,
) -> Result<Option<Rhythm>> {
    const READ: &str = "SELECT every FROM mail_digests WHERE account_id = $1";
    db.optional_scalar(READ, (account,)).await
}

/// Has an account mailed. Notices from before are not.
pub(super) async fn set(
    tx: &mut Tx,
    account: AccountId,
    every: Rhythm,
    next: Micros,
) -> Result<()> {
    const SET: &str = "INSERT INTO mail_digests (account_id, every, next_at, told_up_to, token) \
        VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (account_id) DO UPDATE SET every = $2, next_at = $3";
    let told_up_to = ids::first_at(Micros::now());
    let row = (account, every, next, told_up_to, secrets::token());
    tx.execute(SET, row).await.map(drop)
}

/// Has an account mailed no more.
pub(in crate::modules::notices) async fn erase(tx: &mut Tx, account: AccountId) -> Result<()> {
    const ERASE: &str = "DELETE FROM mail_digests WHERE account_id = $1";
    tx.execute(ERASE, (account,)).await.map(drop)
}

/// The same, by the token of its mails.
pub(super) async fn stop(tx: &mut Tx, token: &str) -> Result<()> {
    const STOP: &str = "DELETE FROM mail_digests WHERE token = $1";
    tx.execute(STOP, (token,)).await.map(drop)
}

/// Whose digests are due, the longest waiting first.
pub(super) async fn due(db: &Db, now: Micros, limit: usize) -> Result<Vec<Due>> {
    const READ: &str = "SELECT d.account_id, d.every, a.time_zone FROM mail_digests d \
        JOIN accounts a ON a.id = d.account_id WHERE d.next_at <= $1 \
        ORDER BY d.next_at LIMIT $2";
    db.all(READ, (now, limit as i64)).await
}

/// Sets when the next digest is due, unless that was done already. Returns whether it was not.
pub(super) async fn postpone(
    tx: &mut Tx,
    account: AccountId,
    now: Micros,
    next: Micros,
) -> Result<bool> {
    const SET: &str = "UPDATE mail_digests SET next_at = $3 \
        WHERE account_id = $1 AND next_at <= $2";
    Ok(tx.execute(SET, (account, now, next)).await? > 0)
}

pub(super) async fn find(db: &Db, account: AccountId) -> Result<Option<Digest>> {
    const READ: &str = "SELECT d.told_up_to, d.token, a.email, a.language FROM mail_digests d \
        JOIN accounts a ON a.id = d.account_id WHERE d.account_id = $1";
    db.optional(READ, (account,)).await
}

/// What stayed unread after a notice, newest first.
pub(super) async fn unread(
    db: &Db,
    account: AccountId,
    after: NoticeId,
    limit: usize,
) -> Result<Vec<Entry>> {
    const READ: &str = unread_entries!("r.notice_id > $2 ORDER BY r.notice_id DESC LIMIT $3");
    db.all(READ, (account, after, limit as i64)).await
}

/// Stores up to which notice an account was mailed.
pub(super) async fn set_told(tx: &mut Tx, account: AccountId, up_to: NoticeId) -> Result<()> {
    const SET: &str = "UPDATE mail_digests SET told_up_to = $2 WHERE account_id = $1";
    tx.execute(SET, (account, up_to)).await.map(drop)
}
