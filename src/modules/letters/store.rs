//! The SQL of letters, one function per query.

use super::contests::DesignId;
use super::letter::{Letter, letter_columns};
use super::model::{Kind, LetterId, Signature, State, Way};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::jobs::JobId;

/// Letters of a page of a list.
pub(super) const MAX_LETTERS_ON_PAGE: i64 = 30;
/// Unread letters that are counted.
const MAX_UNREAD_COUNTED: i64 = 100;

/// A letter that is about to be written.
pub(super) struct NewLetter {
    pub(super) space: SpaceId,
    pub(super) author: AccountId,
    pub(super) recipient: Option<AccountId>,
    pub(super) recipient_name: String,
    pub(super) kind: Kind,
    pub(super) way: Way,
    pub(super) reply_to: Option<LetterId>,
    pub(super) thread: Option<LetterId>,
    pub(super) key: String,
}

/// What of a draft can change.
pub(super) struct DraftText {
    pub(super) body: String,
    pub(super) paper: &'static str,
    pub(super) signature: Signature,
    pub(super) pen_name: String,
    pub(super) opens_at: Option<Micros>,
    pub(super) closes: bool,
    /// One of [`STAMPS`](super::text::STAMPS), or empty.
    pub(super) stamp: &'static str,
    /// A design that won, or none.
    pub(super) envelope: Option<DesignId>,
}

const FIND: &str = concat!("SELECT ", letter_columns!(), "WHERE l.id = $1");

/// A letter.
///
/// # Errors
/// `NotFound`.
pub(super) async fn find(db: &Db, id: LetterId) -> Result<Letter> {
    db.one(FIND, (id,)).await
}

/// A letter in a transaction, which others that change it wait for.
///
/// # Errors
/// `NotFound`.
pub(super) async fn lock(tx: &mut Tx, id: LetterId) -> Result<Letter> {
    const LOCK: &str = "SELECT id FROM letters WHERE id = $1 FOR NO KEY UPDATE";
    tx.lock::<(i64,)>(LOCK, (id,)).await?;
    tx.one(FIND, (id,)).await
}

/// Adds a draft, or finds the one with its key.
pub(super) async fn add(tx: &mut Tx, new: &NewLetter, paper: &str) -> Result<(LetterId, bool)> {
    const ADD: &str = "INSERT INTO letters (id, space_id, author_id, recipient_id, \
        recipient_name, client_key, kind, way, state, paper, signature, reply_to, thread_id, \
        created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
        ON CONFLICT (author_id, client_key) DO NOTHING";
    const KNOWN: &str = "SELECT id FROM letters WHERE author_id = $1 AND client_key = $2";
    let id = LetterId::new();
    let row = (
        id,
        new.space,
        new.author,
        new.recipient,
        &new.recipient_name,
        &new.key,
        new.kind,
        new.way,
        State::Draft,
        paper,
        Signature::Own,
        new.reply_to,
        new.thread.unwrap_or(id),
        Micros::now(),
    );
    let is_new = tx.execute(ADD, row).await? > 0;
    let id = tx.scalar(KNOWN, (new.author, &new.key)).await?;
    Ok((id, is_new))
}

/// How many drafts an account has in a space.
pub(super) async fn count_drafts(tx: &mut Tx, author: AccountId, space: SpaceId) -> Result<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM letters \
        WHERE author_id = $1 AND space_id = $2 AND sealed_at IS NULL AND state = 'draft'";
    tx.scalar(COUNT, (author, space)).await
}

/// How many letters an account sealed in a space from a time on.
pub(super) async fn count_sealed(
    tx: &mut Tx,
    author: AccountId,
    space: SpaceId,
    since: Micros,
) -> Result<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM letters \
        WHERE author_id = $1 AND space_id = $2 AND sealed_at > $3";
    tx.scalar(COUNT, (author, space, since)).await
}

/// Saves the text of a draft under its next revision.
pub(super) async fn save(tx: &mut Tx, id: LetterId, text: &DraftText) -> Result<i64> {
    const SAVE: &str = "UPDATE letters SET body = $2, paper = $3, signature = $4, pen_name = $5, \
        opens_at = $6, closes = $7, stamp = $8, envelope_id = $9, revision = revision + 1 \
        WHERE id = $1 AND state = 'draft' RETURNING revision";
    let row = (
        id,
        &text.body,
        text.paper,
        text.signature,
        &text.pen_name,
        text.opens_at,
        text.closes,
        text.stamp,
        text.envelope,
    );
    tx.scalar(SAVE, row).await
}

/// Deletes a draft.
///
/// # Errors
/// `NotFound` when it is not there, or sealed.
pub(super) async fn discard(tx: &mut Tx, author: AccountId, id: LetterId) -> Result<()> {
    const DELETE: &str = "DELETE FROM letters WHERE id = $1 AND author_id = $2 AND state = 'draft'";
    match tx.execute(DELETE, (id, author)).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// Stores the state of a letter, and when it got there.
pub(super) async fn set_state(tx: &mut Tx, id: LetterId, state: State, at: Micros) -> Result<()> {
    const SET: &str = "UPDATE letters SET state = $2, \
        sealed_at = CASE WHEN $2 = 'sealed' THEN $3 ELSE sealed_at END, \
        delivered_at = CASE WHEN $2 = 'delivered' THEN $3 ELSE delivered_at END, \
        read_at = CASE WHEN $2 = 'read' THEN $3 ELSE read_at END, \
        suggested = CASE WHEN $2 = 'sealed' THEN '' ELSE suggested END, \
        bag_id = CASE WHEN $2 = 'in_transit' THEN bag_id ELSE NULL END, \
        assigned_to = CASE WHEN $2 = 'posted' THEN assigned_to ELSE NULL END WHERE id = $1";
    tx.execute(SET, (id, state.as_str(), at)).await?;
    Ok(())
}

/// Stores when a letter leaves and arrives, and the job that moves it.
pub(super) async fn set_voyage(
    tx: &mut Tx,
    id: LetterId,
    (departs_at, arrives_at): (Micros, Micros),
    sent_from: &str,
) -> Result<()> {
    const SET: &str =
        "UPDATE letters SET departs_at = $2, arrives_at = $3, sent_from = $4 WHERE id = $1";
    tx.execute(SET, (id, departs_at, arrives_at, sent_from))
        .await?;
    Ok(())
}

/// Stores which job moves a letter.
pub(super) async fn set_job(tx: &mut Tx, id: LetterId, job: Option<JobId>) -> Result<()> {
    const SET: &str = "UPDATE letters SET job_id = $2 WHERE id = $1";
    tx.execute(SET, (id, job)).await?;
    Ok(())
}

/// Takes a letter down, or brings it back.
pub(super) async fn set_hidden(tx: &mut Tx, id: LetterId, at: Option<Micros>) -> Result<()> {
    const SET: &str = "UPDATE letters SET hidden_at = $2 WHERE id = $1";
    tx.execute(SET, (id, at)).await?;
    Ok(())
}

/// Where a page of a list begins: after the letter of this time and id.
pub(super) type Before = (i64, i64);
/// Before the first.
pub(super) const FIRST: Before = (i64::MAX, i64::MAX);

/// The letters that an account received in a space, the latest first.
pub(super) async fn received(
    db: &Db,
    account: AccountId,
    space: SpaceId,
    (at, id): Before,
) -> Result<Vec<Letter>> {
    const READ: &str = concat!(
        "SELECT ",
        letter_columns!(),
        "WHERE l.recipient_id = $1 AND l.space_id = $2 AND l.delivered_at IS NOT NULL \
         AND l.hidden_at IS NULL AND l.state IN ('delivered', 'read', 'replied') \
         AND (l.delivered_at < $3 OR (l.delivered_at = $3 AND l.id < $4)) \
         ORDER BY l.delivered_at DESC, l.id DESC LIMIT $5"
    );
    let key = (account, space, at, id, MAX_LETTERS_ON_PAGE + 1);
    db.all(READ, key).await
}

/// The letters that an account sealed in a space, the latest first.
pub(super) async fn sent(
    db: &Db,
    account: AccountId,
    space: SpaceId,
    (at, id): Before,
) -> Result<Vec<Letter>> {
    const READ: &str = concat!(
        "SELECT ",
        letter_columns!(),
        "WHERE l.author_id = $1 AND l.space_id = $2 AND l.sealed_at IS NOT NULL \
         AND (l.sealed_at < $3 OR (l.sealed_at = $3 AND l.id < $4)) \
         ORDER BY l.sealed_at DESC, l.id DESC LIMIT $5"
    );
    let key = (account, space, at, id, MAX_LETTERS_ON_PAGE + 1);
    db.all(READ, key).await
}

/// The drafts of an account in a space, the newest first: they are few.
pub(super) async fn drafts(db: &Db, account: AccountId, space: SpaceId) -> Result<Vec<Letter>> {
    const READ: &str = concat!(
        "SELECT ",
        letter_columns!(),
        "WHERE l.author_id = $1 AND l.space_id = $2 AND l.sealed_at IS NULL \
         AND l.state = 'draft' ORDER BY l.id DESC LIMIT $3"
    );
    db.all(READ, (account, space, super::drafts::MAX_DRAFTS))
        .await
}

/// The open letters of a space, the latest first.
pub(super) async fn open(db: &Db, space: SpaceId, (at, id): Before) -> Result<Vec<Letter>> {
    const READ: &str = concat!(
        "SELECT ",
        letter_columns!(),
        "WHERE l.kind = 'open' AND l.space_id = $1 AND l.delivered_at IS NOT NULL \
         AND l.hidden_at IS NULL \
         AND (l.delivered_at < $2 OR (l.delivered_at = $2 AND l.id < $3)) \
         ORDER BY l.delivered_at DESC, l.id DESC LIMIT $4"
    );
    db.all(READ, (space, at, id, MAX_LETTERS_ON_PAGE + 1)).await
}

/// The letters of a correspondence, the oldest first; who may see which is for the caller.
pub(super) async fn thread(db: &Db, thread: LetterId) -> Result<Vec<Letter>> {
    const READ: &str = concat!(
        "SELECT ",
        letter_columns!(),
        "WHERE l.thread_id = $1 AND l.state <> 'draft' ORDER BY l.id DESC LIMIT $2"
    );
    let mut found: Vec<Letter> = db.all(READ, (thread, MAX_LETTERS_ON_PAGE)).await?;
    found.reverse();
    Ok(found)
}

/// How many letters wait unopened for an account in a space, up to a hundred.
pub(super) async fn count_unread(db: &Db, account: AccountId, space: SpaceId) -> Result<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM (SELECT 1 AS one FROM letters \
        WHERE recipient_id = $1 AND space_id = $2 AND state = 'delivered' \
        AND hidden_at IS NULL LIMIT $3) few";
    db.scalar(COUNT, (account, space, MAX_UNREAD_COUNTED)).await
}

/// The people with whom an account exchanged letters under their own names, the latest first.
pub(super) async fn correspondents(
    db: &Db,
    account: AccountId,
    space: SpaceId,
) -> Result<Vec<AccountId>> {
    const READ: &str = "SELECT other FROM (\
        SELECT recipient_id AS other, sealed_at AS at FROM letters WHERE author_id = $1 \
        AND space_id = $2 AND recipient_name = '' AND recipient_id <> $1 \
        AND sealed_at IS NOT NULL AND way <> 'drift' \
        UNION ALL SELECT author_id AS other, delivered_at AS at FROM letters \
        WHERE recipient_id = $1 AND space_id = $2 AND signature = 'own' AND author_id <> $1 \
        AND (way <> 'drift' OR state = 'replied') \
        AND delivered_at IS NOT NULL) letters_of GROUP BY other ORDER BY MAX(at) DESC LIMIT 12";
    db.scalars(READ, (account, space)).await
}
