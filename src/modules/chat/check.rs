//! Looking for damage in the rows of messages: `tidepool check`.

use super::attachment::Attachments;
use super::checksum::Covered;
use super::model::MessageId;
use crate::base::clock::Micros;
use crate::base::db::{Db, Rule};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};

const MAX_LISTED: usize = 100;
const RULES: [Rule; 4] = [
    Rule {
        broken: "a message was changed before it was posted, or has no first revision",
        find: "SELECT CAST(id AS TEXT) FROM messages WHERE revision < 1 \
            OR edited_at < created_at - 86400000000 OR deleted_at < created_at - 86400000000 \
            OR edited_at > created_at + 3155760000000000 \
            OR deleted_at > created_at + 3155760000000000 LIMIT 50",
    },
    Rule {
        broken: "a deleted message has text, files or previews",
        find: "SELECT CAST(id AS TEXT) FROM messages WHERE deleted_at IS NOT NULL \
            AND (body <> '' OR files <> '' OR previews <> '') LIMIT 50",
    },
    Rule {
        broken: "a file is attached to a message of another room",
        find: "SELECT CAST(a.file_id AS TEXT) FROM attachments a \
            JOIN messages m ON m.id = a.message_id WHERE m.room_id <> a.room_id LIMIT 50",
    },
    Rule {
        broken: "somebody has read a message that was never posted in that room",
        find: "SELECT CAST(c.message_id AS TEXT) FROM chat_reads c WHERE NOT EXISTS \
            (SELECT 1 FROM messages m WHERE m.id = c.message_id AND m.room_id = c.room_id) \
            AND c.message_id <> 0 LIMIT 50",
    },
];

/// What of a message is checked.
#[derive(sqlx::FromRow)]
struct Row {
    id: MessageId,
    #[sqlx(rename = "room_id")]
    room: RoomId,
    #[sqlx(rename = "author_id")]
    author: AccountId,
    created_at: Micros,
    #[sqlx(rename = "client_key")]
    key: String,
    body: String,
    files: String,
    checksum: Option<i64>,
}

/// What is wrong with the rows of chat, in English: reads every message.
///
/// # Errors
/// When the database cannot be read.
pub async fn problems(db: &Db) -> Result<Vec<String>> {
    const NEXT: &str = "SELECT id, room_id, author_id, created_at, client_key, body, files, \
        checksum FROM messages WHERE id > $1 ORDER BY id LIMIT 1000";
    let mut problems = db.broken_rules(&RULES).await?;
    let mut after = MessageId(i64::MIN);
    loop {
        let rows: Vec<Row> = db.all(NEXT, (after,)).await?;
        let Some(last) = rows.last() else {
            return Ok(problems);
        };
        if last.id <= after {
            problems.push("messages are not in the order of their ids".to_owned());
            return Ok(problems);
        }
        after = last.id;
        problems.extend(rows.into_iter().filter_map(problem));
        if problems.len() >= MAX_LISTED {
            return Ok(problems);
        }
    }
}

fn problem(row: Row) -> Option<String> {
    let covered = Covered {
        id: row.id,
        room: row.room,
        author: row.author,
        created_at: row.created_at,
        key: &row.key,
        body: &row.body,
    };
    // Rows of an earlier version have none.
    if row.checksum.is_some_and(|sum| sum != covered.checksum()) {
        return Some(format!("message {} differs from its checksum", row.id));
    }
    let is_readable = Attachments::try_from(row.files).is_ok();
    (!is_readable).then(|| format!("the attachments of message {} cannot be read", row.id))
}
