//! What chat has judged before it stores it, and what rules are tried on.

use super::attachment::Attachments;
use super::model::{self, MessageId};
use super::{Chat, markdown};
use crate::base::clock::Micros;
use crate::base::db::Sql;
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId, first_at};
use crate::community::Room;
use crate::engine::screening::{
    Draft, Finding, Judgement, StoredText, TextQuery, Verdict, check_refused,
};

/// The addresses that a message links to, as its HTML has them.
pub(super) fn links_in(body: &str) -> Vec<String> {
    // Most messages can have none.
    if !body.contains([':', '.', '&']) {
        return Vec::new();
    }
    let html = markdown::to_html(body);
    let links = html.split("<a href=\"").skip(1);
    links
        .filter_map(|rest| rest.split_once('"'))
        .map(|(link, _)| link.replace("&amp;", "&"))
        .collect()
}

impl Chat {
    /// Judges a message of a space; in direct conversations nothing is judged.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn judge(
        &self,
        author: AccountId,
        room: &Room,
        body: &str,
        files: usize,
        is_edit: bool,
    ) -> Result<Judgement> {
        let Some(space) = room.space else {
            return Ok(Judgement::default());
        };
        let draft = Draft {
            space,
            room: room.governing(),
            author,
            text: body,
            links: links_in,
            files,
            is_edit,
        };
        let mut judgement = self.engine.screening.judge(draft).await?;
        // Dots take more bytes than some letters.
        if let Verdict::Mask(masked) = &judgement.finding.verdict
            && model::body(masked, true).is_err()
        {
            judgement.finding.verdict = Verdict::Refuse("error-rule-words");
        }
        Ok(judgement)
    }

    /// Imposes the time-out of a finding on the author of a message.
    pub(super) async fn time_out_author(&self, author: AccountId, room: &Room, finding: &Finding) {
        let Some(space) = room.space else {
            return;
        };
        let time_out = self.engine.screening.time_out(space, author, finding);
        if let Err(error) = time_out.await {
            tracing::error!(%error, "the time-out of a rule was not imposed");
        }
    }

    /// The text of an edit once it is judged. An edit cannot wait: it is refused instead.
    ///
    /// # Errors
    /// `Invalid` when it is refused.
    pub(super) async fn screened_edit(
        &self,
        author: AccountId,
        room: &Room,
        body: String,
        files: usize,
    ) -> Result<String> {
        let judgement = self.judge(author, room, &body, files, true).await?;
        let mut finding = judgement.finding;
        if finding.verdict == Verdict::Hold {
            finding.verdict = Verdict::Refuse("error-edit-held");
        }
        self.time_out_author(author, room, &finding).await;
        check_refused(&finding.verdict, "body")?;
        Ok(match finding.verdict {
            Verdict::Mask(masked) => masked,
            _ => body,
        })
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: MessageId,
    room_id: RoomId,
    author_id: AccountId,
    author_name: String,
    body: String,
    files: String,
    created_at: Micros,
}

/// The newest messages of a space in rooms that the viewer reads, and in their threads, oldest
/// first.
pub(super) async fn recent_texts(chat: Chat, query: TextQuery) -> Result<Vec<StoredText>> {
    const READ: Sql = Sql {
        sqlite: "SELECT m.id, COALESCE(r.parent_id, r.id) AS room_id, m.author_id, \
            a.name AS author_name, m.body, m.files, m.created_at \
            FROM messages m JOIN accounts a ON a.id = m.author_id JOIN rooms r ON r.id = m.room_id \
            WHERE COALESCE(r.parent_id, r.id) IN \
            (SELECT CAST(value AS INTEGER) FROM json_each('[' || $1 || ']')) \
            AND m.id >= $2 AND m.deleted_at IS NULL AND m.told = '' \
            ORDER BY m.id DESC LIMIT $3",
        postgres: "SELECT m.id, COALESCE(r.parent_id, r.id) AS room_id, m.author_id, \
            a.name AS author_name, m.body, m.files, m.created_at \
            FROM messages m JOIN accounts a ON a.id = m.author_id JOIN rooms r ON r.id = m.room_id \
            WHERE COALESCE(r.parent_id, r.id) = ANY (CAST(string_to_array($1, ',') AS BIGINT[])) \
            AND m.id >= $2 AND m.deleted_at IS NULL AND m.told = '' \
            ORDER BY m.id DESC LIMIT $3",
    };
    let deps = chat.community.dependencies(query.viewer);
    let rooms = &chat.community.rooms;
    let rooms = rooms.open_in(&deps, query.viewer, query.space).await?;
    if rooms.is_empty() {
        return Ok(Vec::new());
    }
    let rooms: Vec<String> = rooms.iter().map(|room| room.id.to_string()).collect();
    let fields = (rooms.join(","), first_at(query.since), query.limit as i64);
    let rows: Vec<Row> = chat.engine.db.all(READ, fields).await?;
    let text = |row: Row| StoredText {
        id: row.id.0,
        room: row.room_id,
        author: row.author_id,
        author_name: row.author_name,
        text: row.body,
        links: links_in,
        files: Attachments::try_from(row.files).map_or(0, |files| files.0.len()),
        at: row.created_at,
        href: format!("/messages/{}", row.id),
    };
    Ok(rows.into_iter().rev().map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_however_they_are_written() {
        for (body, link) in [
            (
                "see https://evil.example/x?a=1&b=2",
                "https://evil.example/x?a=1&b=2",
            ),
            ("[x](https&#58;//evil.example)", "https://evil.example"),
            ("www.evil.example", "http://www.evil.example"),
            ("<https://evil.example>", "https://evil.example"),
        ] {
            assert_eq!(links_in(body), [link], "{body}");
        }
        assert!(links_in("nothing here. At all: `https://a.example`").is_empty());
    }
}
