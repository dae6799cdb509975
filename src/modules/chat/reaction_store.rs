//! The SQL of reactions.

use sqlx::FromRow;

use super::model::MessageId;
use super::reactions::{MAX_NAMED, Reaction, Reactions};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::AccountId;

/// Adds or removes a reaction; without `wanted` it does what it was not. Returns whether anything
/// changed, and whether the reaction is there now. The caller has locked the message.
pub(super) async fn set(
    tx: &mut Tx,
    message: MessageId,
    account: AccountId,
    emoji: &str,
    wanted: Option<bool>,
) -> Result<(bool, bool)> {
    const HAS: &str = "SELECT EXISTS (SELECT 1 FROM chat_reactions \
        WHERE message_id = $1 AND emoji = $2 AND account_id = $3)";
    const ADD: &str = "INSERT INTO chat_reactions (message_id, emoji, account_id, created_at) \
        VALUES ($1, $2, $3, $4)";
    const REMOVE: &str = "DELETE FROM chat_reactions \
        WHERE message_id = $1 AND emoji = $2 AND account_id = $3";
    let has: bool = tx.scalar(HAS, (message, emoji, account)).await?;
    let wanted = wanted.unwrap_or(!has);
    match (has, wanted) {
        (false, true) => {
            let row = (message, emoji, account, Micros::now());
            tx.execute(ADD, row).await?;
        }
        (true, false) => {
            tx.execute(REMOVE, (message, emoji, account)).await?;
        }
        _ => return Ok((false, wanted)),
    }
    Ok((true, wanted))
}

#[derive(FromRow)]
struct Row {
    emoji: String,
    account_id: AccountId,
    total: i64,
}

/// Stores with a message how its reactions are shown.
pub(super) async fn refresh(tx: &mut Tx, message: MessageId) -> Result<Reactions> {
    const READ: &str = "SELECT emoji, account_id, total FROM (SELECT emoji, account_id, \
        COUNT(*) OVER (PARTITION BY emoji) AS total, \
        MIN(created_at) OVER (PARTITION BY emoji) AS first, \
        ROW_NUMBER() OVER (PARTITION BY emoji ORDER BY created_at, account_id) AS place \
        FROM chat_reactions WHERE message_id = $1) r \
        WHERE place <= $2 ORDER BY first, emoji, place";
    const STORE: &str = "UPDATE messages SET reactions = $2 WHERE id = $1";
    let rows: Vec<Row> = tx.all(READ, (message, MAX_NAMED as i64)).await?;
    let mut all: Vec<Reaction> = Vec::new();
    for row in rows {
        match all.last_mut() {
            Some(last) if last.emoji == row.emoji => last.by.push(row.account_id),
            _ => all.push(Reaction {
                emoji: row.emoji,
                count: row.total,
                by: vec![row.account_id],
            }),
        }
    }
    let reactions = Reactions(all);
    tx.execute(STORE, (message, reactions.to_string())).await?;
    Ok(reactions)
}

/// Who reacted to a message with an emoji, in the order in which they did, from one on.
pub(super) async fn people(
    db: &Db,
    message: MessageId,
    emoji: &str,
    limit: usize,
) -> Result<Vec<(AccountId, String)>> {
    const READ: &str = "SELECT a.id, a.name FROM chat_reactions r \
        JOIN accounts a ON a.id = r.account_id WHERE r.message_id = $1 AND r.emoji = $2 \
        ORDER BY r.created_at, a.id LIMIT $3";
    db.all(READ, (message, emoji, limit as i64)).await
}

/// Messages that an account reacted to, after one of them, with when it did.
pub(super) async fn of_account(
    db: &Db,
    account: AccountId,
    after: i64,
    limit: i64,
) -> Result<Vec<(MessageId, String, Micros)>> {
    const READ: &str = "SELECT r.message_id, string_agg(r.emoji, ' '), MIN(r.created_at) \
        FROM chat_reactions r WHERE r.account_id = $1 AND r.message_id > $2 \
        GROUP BY r.message_id ORDER BY r.message_id LIMIT $3";
    db.all(READ, (account, after, limit)).await
}

/// Removes all reactions of an account to a message.
pub(super) async fn remove_all(
    tx: &mut Tx,
    message: MessageId,
    account: AccountId,
) -> Result<Reactions> {
    const REMOVE: &str = "DELETE FROM chat_reactions WHERE message_id = $1 AND account_id = $2";
    tx.execute(REMOVE, (message, account)).await?;
    refresh(tx, message).await
}
