//! The SQL of mentions.

use std::collections::HashMap;

use super::mention_targets::{NewMentions, Target};
use super::model::{Message, MessageId};
use crate::base::db::{Db, Sql, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::community::{GroupId, RoleId};

/// The accounts with these names: a JSON list of names as they are compared.
pub(super) async fn accounts_named(db: &Db, names: &str) -> Result<Vec<(AccountId, String)>> {
    const READ: Sql = Sql {
        sqlite: "SELECT id, name_key FROM accounts \
            WHERE name_key IN (SELECT value FROM json_each($1))",
        postgres: "SELECT id, name_key FROM accounts WHERE name_key = ANY \
            (ARRAY(SELECT json_array_elements_text(CAST($1 AS json))))",
    };
    db.all(READ, (names,)).await
}

/// The roles of a space with these names.
pub(super) async fn roles_named(
    db: &Db,
    space: SpaceId,
    names: &str,
) -> Result<Vec<(RoleId, String)>> {
    const READ: Sql = Sql {
        sqlite: "SELECT id, name_key FROM roles WHERE space_id = $1 \
            AND name_key IN (SELECT value FROM json_each($2))",
        postgres: "SELECT id, name_key FROM roles WHERE space_id = $1 AND name_key = ANY \
            (ARRAY(SELECT json_array_elements_text(CAST($2 AS json))))",
    };
    db.all(READ, (space, names)).await
}

/// The groups of a space with these names.
pub(super) async fn groups_named(
    db: &Db,
    space: SpaceId,
    names: &str,
) -> Result<Vec<(GroupId, String)>> {
    const READ: Sql = Sql {
        sqlite: "SELECT id, name_key FROM mention_groups WHERE space_id = $1 \
            AND name_key IN (SELECT value FROM json_each($2))",
        postgres: "SELECT id, name_key FROM mention_groups WHERE space_id = $1 AND name_key = ANY \
            (ARRAY(SELECT json_array_elements_text(CAST($2 AS json))))",
    };
    db.all(READ, (space, names)).await
}

/// Stores whom a message mentions, in one statement. Nothing is asked for a message without.
pub(super) async fn add(
    tx: &mut Tx,
    room: RoomId,
    message: MessageId,
    new: &NewMentions,
) -> Result<()> {
    const ADD: Sql = Sql {
        sqlite: "INSERT INTO chat_mentions (kind, target_id, room_id, message_id) \
            SELECT json_extract(value, '$[0]'), \
            CAST(json_extract(value, '$[1]') AS INTEGER), $2, $3 \
            FROM json_each($1) WHERE TRUE ON CONFLICT DO NOTHING",
        postgres: "INSERT INTO chat_mentions (kind, target_id, room_id, message_id) \
            SELECT value->>0, CAST(value->>1 AS BIGINT), \
            CAST($2 AS BIGINT), CAST($3 AS BIGINT) \
            FROM json_array_elements(CAST($1 AS json)) ON CONFLICT DO NOTHING",
    };
    if new.mentions.is_empty() {
        return Ok(());
    }
    let row = |kind: &'static str, id: i64| (kind, id.to_string());
    let mut rows: Vec<(&str, String)> = Vec::new();
    for target in new.mentions.targets() {
        match target {
            Target::Account { id } => rows.push(row("account", id.0)),
            Target::Role { id } => rows.push(row("role", id.0)),
            Target::Group { id } => rows.push(row("group", id.0)),
            Target::Here => rows.extend(new.present.iter().map(|id| row("here", id.0))),
            Target::Room => rows.push(row("room", room.0)),
        }
    }
    let rows = serde_json::to_string(&rows).map_err(|error| Error::Internal(error.into()))?;
    tx.execute(ADD, (rows, room, message)).await?;
    Ok(())
}

/// Removes the mentions of a message. Returns how many rows there were.
pub(super) async fn remove(tx: &mut Tx, message: MessageId) -> Result<u64> {
    const REMOVE: &str = "DELETE FROM chat_mentions WHERE message_id = $1";
    tx.execute(REMOVE, (message,)).await
}

// `CROSS JOIN` has SQLite begin with what belongs to the account.

/// The messages that mention `who.id` in the room `who.room_id` after `who.seen`, as a union.
macro_rules! unread_mentions {
    () => {
        "SELECT x.message_id FROM chat_mentions x WHERE x.kind = 'account' \
         AND x.target_id = who.id AND x.room_id = who.room_id AND x.message_id > who.seen \
         UNION SELECT x.message_id FROM chat_mentions x WHERE x.kind = 'here' \
         AND x.target_id = who.id AND x.room_id = who.room_id AND x.message_id > who.seen \
         UNION SELECT x.message_id FROM chat_mentions x WHERE x.kind = 'room' \
         AND x.target_id = who.room_id AND x.room_id = who.room_id AND x.message_id > who.seen \
         UNION SELECT x.message_id FROM member_roles g CROSS JOIN chat_mentions x \
         WHERE x.kind = 'role' AND x.target_id = g.role_id \
         AND g.account_id = who.id AND g.space_id = who.space_id \
         AND x.room_id = who.room_id AND x.message_id > who.seen \
         UNION SELECT x.message_id FROM mention_group_members g \
         CROSS JOIN chat_mentions x \
         WHERE x.kind = 'group' AND x.target_id = g.group_id AND g.account_id = who.id \
         AND g.space_id = who.space_id AND x.room_id = who.room_id AND x.message_id > who.seen"
    };
}

macro_rules! count_unread {
    ($accounts:literal, $rooms:literal) => {
        concat!(
            "SELECT who.id, who.room_id, (SELECT COUNT(*) FROM (SELECT u.message_id FROM (",
            unread_mentions!(),
            ") u JOIN messages m ON m.id = u.message_id WHERE m.author_id <> who.id \
             AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = who.id \
             AND b.blocked_id = m.author_id) LIMIT 100) counted) \
             FROM (SELECT a.id AS id, r.id AS room_id, \
             COALESCE(r.space_id, p.space_id) AS space_id, \
             COALESCE(c.message_id, (me.joined_at / 1000 - 1704067200000) * 1048576, 0) AS seen \
             FROM accounts a JOIN rooms r ON ",
            $rooms,
            " LEFT JOIN rooms p ON p.id = r.parent_id \
             LEFT JOIN members me ON me.space_id = r.space_id AND me.account_id = a.id \
             LEFT JOIN chat_reads c ON c.room_id = r.id AND c.account_id = a.id WHERE ",
            $accounts,
            ") who"
        )
    };
}

/// How many unread messages mention each of these accounts in each of these rooms, at most
/// 100; also the accounts whom none mentions. Own messages and those of people whom an
/// account blocks or ignores do not count.
pub(super) async fn unread_counts(
    db: &Db,
    accounts: &[AccountId],
    rooms: &[RoomId],
) -> Result<Vec<(AccountId, RoomId, i64)>> {
    const READ: Sql = Sql {
        sqlite: count_unread!(
            "a.id IN (SELECT CAST(value AS INTEGER) FROM json_each('[' || $1 || ']'))",
            "r.id IN (SELECT CAST(value AS INTEGER) FROM json_each('[' || $2 || ']'))"
        ),
        postgres: count_unread!(
            "a.id = ANY (CAST(string_to_array($1, ',') AS BIGINT[]))",
            "r.id = ANY (CAST(string_to_array($2, ',') AS BIGINT[]))"
        ),
    };
    if accounts.is_empty() || rooms.is_empty() {
        return Ok(Vec::new());
    }
    let joined = |ids: Vec<String>| ids.join(",");
    let accounts = joined(accounts.iter().map(ToString::to_string).collect());
    let rooms = joined(rooms.iter().map(ToString::to_string).collect());
    db.all(READ, (accounts, rooms)).await
}

/// The unread mentions of one account in these rooms, where there are any.
pub(super) async fn unread_of(
    db: &Db,
    account: AccountId,
    rooms: &[RoomId],
) -> Result<HashMap<RoomId, i64>> {
    let counts = unread_counts(db, &[account], rooms).await?;
    let counts = counts.into_iter().filter(|(_, _, count)| *count > 0);
    Ok(counts.map(|(_, room, count)| (room, count)).collect())
}

/// The newest messages before a position that mention an account, with their rooms, newest first;
/// who may read each room is for the caller to check.
pub(super) async fn newest(
    db: &Db,
    account: AccountId,
    before: MessageId,
    limit: usize,
) -> Result<Vec<(MessageId, RoomId)>> {
    const READ: &str = "SELECT u.message_id, u.room_id FROM (\
        SELECT x.message_id, x.room_id FROM chat_mentions x \
        WHERE x.kind IN ('account', 'here') AND x.target_id = $1 AND x.message_id < $2 \
        UNION SELECT x.message_id, x.room_id FROM member_roles g CROSS JOIN chat_mentions x \
        WHERE x.kind = 'role' AND x.target_id = g.role_id \
        AND g.account_id = $1 AND x.message_id < $2 \
        UNION SELECT x.message_id, x.room_id FROM mention_group_members g \
        CROSS JOIN chat_mentions x \
        WHERE x.kind = 'group' AND x.target_id = g.group_id \
        AND g.account_id = $1 AND x.message_id < $2 \
        UNION SELECT x.message_id, x.room_id FROM members me CROSS JOIN rooms r \
        CROSS JOIN chat_mentions x WHERE r.space_id = me.space_id AND x.kind = 'room' \
        AND x.target_id = r.id AND me.account_id = $1 AND x.message_id < $2 \
        UNION SELECT x.message_id, x.room_id FROM chat_thread_followers f \
        CROSS JOIN chat_mentions x WHERE x.kind = 'room' AND x.target_id = f.room_id \
        AND f.account_id = $1 AND x.message_id < $2) u \
        JOIN messages m ON m.id = u.message_id WHERE m.author_id <> $1 \
        AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $1 \
        AND b.blocked_id = m.author_id) ORDER BY u.message_id DESC LIMIT $3";
    db.all(READ, (account, before, limit as i64)).await
}

/// These messages, newest first.
pub(super) async fn messages(db: &Db, ids: &[MessageId]) -> Result<Vec<Message>> {
    const READ: Sql = Sql {
        sqlite: "SELECT m.*, a.name AS author_name FROM messages m \
            JOIN accounts a ON a.id = m.author_id WHERE m.id IN \
            (SELECT CAST(value AS INTEGER) FROM json_each('[' || $1 || ']')) ORDER BY m.id DESC",
        postgres: "SELECT m.*, a.name AS author_name FROM messages m \
            JOIN accounts a ON a.id = m.author_id \
            WHERE m.id = ANY (CAST(string_to_array($1, ',') AS BIGINT[])) ORDER BY m.id DESC",
    };
    let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
    match ids.is_empty() {
        true => Ok(Vec::new()),
        false => db.all(READ, (ids.join(","),)).await,
    }
}

/// Who wrote in a room last, the last one first.
pub(super) async fn last_speakers(db: &Db, room: RoomId) -> Result<Vec<AccountId>> {
    // Of the last messages alone: the whole history is never looked through.
    const READ: &str = "SELECT author_id FROM (SELECT author_id, id FROM messages \
        WHERE room_id = $1 ORDER BY id DESC LIMIT 100) newest \
        GROUP BY author_id ORDER BY MAX(id) DESC LIMIT 30";
    db.scalars(READ, (room,)).await
}
