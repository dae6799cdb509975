//! The SQL of polls.

use sqlx::FromRow;

use super::model::MessageId;
use super::polls::{MAX_VOTERS_NAMED, Poll};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::AccountId;

/// Chooses an answer or takes that back; without `wanted` it does what was not so. Where one may
/// choose only one, another choice is taken back. Returns whether it is chosen now. The caller has
/// locked the message.
pub(super) async fn vote(
    tx: &mut Tx,
    (message, poll): (MessageId, &Poll),
    account: AccountId,
    answer: i64,
    wanted: Option<bool>,
) -> Result<bool> {
    const HAS: &str = "SELECT EXISTS (SELECT 1 FROM chat_votes \
        WHERE message_id = $1 AND account_id = $2 AND answer = $3)";
    const ADD: &str = "INSERT INTO chat_votes (message_id, account_id, answer, created_at) \
        VALUES ($1, $2, $3, $4)";
    const REMOVE: &str = "DELETE FROM chat_votes \
        WHERE message_id = $1 AND account_id = $2 AND answer = $3";
    const REMOVE_OTHERS: &str = "DELETE FROM chat_votes \
        WHERE message_id = $1 AND account_id = $2 AND answer <> $3";
    let has: bool = tx.scalar(HAS, (message, account, answer)).await?;
    let wanted = wanted.unwrap_or(!has);
    if wanted && !poll.is_multiple {
        tx.execute(REMOVE_OTHERS, (message, account, answer))
            .await?;
    }
    match (has, wanted) {
        (false, true) => {
            let row = (message, account, answer, Micros::now());
            tx.execute(ADD, row).await?;
        }
        (true, false) => {
            tx.execute(REMOVE, (message, account, answer)).await?;
        }
        _ => {}
    }
    Ok(wanted)
}

#[derive(FromRow)]
struct Row {
    answer: i64,
    account_id: AccountId,
    total: i64,
}

/// Counts the votes of a message anew, and stores how its poll is shown.
pub(super) async fn refresh(tx: &mut Tx, message: MessageId, poll: &mut Poll) -> Result<()> {
    const READ: &str = "SELECT answer, account_id, total FROM (SELECT answer, account_id, \
        COUNT(*) OVER (PARTITION BY answer) AS total, \
        ROW_NUMBER() OVER (PARTITION BY answer ORDER BY created_at, account_id) AS place \
        FROM chat_votes WHERE message_id = $1) v \
        WHERE place <= $2 ORDER BY answer, place";
    const VOTERS: &str = "SELECT COUNT(DISTINCT account_id) FROM chat_votes WHERE message_id = $1";
    let named = i64::try_from(MAX_VOTERS_NAMED).unwrap_or(i64::MAX);
    let rows: Vec<Row> = tx.all(READ, (message, named)).await?;
    for answer in &mut poll.answers {
        (answer.count, answer.by) = (0, Vec::new());
    }
    for row in rows {
        let place = usize::try_from(row.answer).ok();
        if let Some(answer) = place.and_then(|place| poll.answers.get_mut(place)) {
            answer.count = row.total;
            answer.by.push(row.account_id);
        }
    }
    poll.voters = tx.scalar(VOTERS, (message,)).await?;
    store(tx, message, poll).await
}

/// Stores how a poll is shown.
pub(super) async fn store(tx: &mut Tx, message: MessageId, poll: &Poll) -> Result<()> {
    const STORE: &str = "UPDATE messages SET poll = $2 WHERE id = $1";
    tx.execute(STORE, (message, poll.to_string())).await?;
    Ok(())
}

/// Who chose an answer, in the order in which they did.
pub(super) async fn people(
    db: &Db,
    message: MessageId,
    answer: i64,
    limit: usize,
) -> Result<Vec<(AccountId, String)>> {
    const READ: &str = "SELECT a.id, a.name FROM chat_votes v \
        JOIN accounts a ON a.id = v.account_id WHERE v.message_id = $1 AND v.answer = $2 \
        ORDER BY v.created_at, a.id LIMIT $3";
    db.all(READ, (message, answer, limit as i64)).await
}

/// Votes of an account after one message, with the answers' places.
pub(super) async fn of_account(
    db: &Db,
    account: AccountId,
    after: i64,
    limit: i64,
) -> Result<Vec<(MessageId, String, Micros)>> {
    const READ: &str = "SELECT v.message_id, string_agg(CAST(v.answer AS TEXT), ' '), \
        MIN(v.created_at) FROM chat_votes v WHERE v.account_id = $1 AND v.message_id > $2 \
        GROUP BY v.message_id ORDER BY v.message_id LIMIT $3";
    db.all(READ, (account, after, limit)).await
}

/// Removes all votes of an account in a poll.
pub(super) async fn remove_all(
    tx: &mut Tx,
    message: MessageId,
    account: AccountId,
    poll: &mut Poll,
) -> Result<()> {
    const REMOVE: &str = "DELETE FROM chat_votes WHERE message_id = $1 AND account_id = $2";
    tx.execute(REMOVE, (message, account)).await?;
    refresh(tx, message, poll).await
}
