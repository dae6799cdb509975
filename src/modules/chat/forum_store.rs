//! The SQL of forum rooms.

use std::collections::HashMap;

use sqlx::FromRow;

use super::forum::TagId;
use super::model::MessageId;
use crate::base::db::{Db, Sql, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, RoomId};

/// A post of a forum room.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Post {
    #[sqlx(rename = "parent_id")]
    pub(super) room: RoomId,
    #[sqlx(rename = "room_id")]
    pub(super) thread: RoomId,
    #[sqlx(rename = "origin_id")]
    pub(super) message: MessageId,
    #[sqlx(rename = "name")]
    pub(super) title: String,
    #[sqlx(rename = "author_id")]
    pub(super) author: AccountId,
    pub(super) author_name: String,
    pub(super) body: String,
    is_deleted: bool,
    /// Replies that are not deleted.
    pub(super) replies: i64,
    /// The newest reply; the post itself before the first.
    #[sqlx(rename = "last_id")]
    pub(super) last: MessageId,
    #[sqlx(skip)]
    pub(super) tags: Vec<(TagId, String)>,
}

impl Post {
    /// One that was deleted is listed as long as it has replies.
    pub(super) fn is_listed(&self) -> bool {
        !self.is_deleted || self.replies > 0
    }
}

macro_rules! post_query {
    ($rest:literal) => {
        concat!(
            "SELECT t.parent_id, t.room_id, t.origin_id, r.name, m.author_id, \
             a.name AS author_name, m.body, (m.deleted_at IS NOT NULL) AS is_deleted, \
             t.replies, t.last_id FROM chat_threads t JOIN rooms r ON r.id = t.room_id \
             JOIN messages m ON m.id = t.origin_id JOIN accounts a ON a.id = m.author_id \
             WHERE t.is_post ",
            $rest
        )
    };
}

/// The posts of a room with this tag, or all, before a position, newest activity first.
pub(super) async fn posts(
    db: &Db,
    room: RoomId,
    (tag, before): (Option<TagId>, MessageId),
    limit: i64,
) -> Result<Vec<Post>> {
    const READ: &str = post_query!(
        "AND t.parent_id = $1 AND t.last_id < $2 \
         AND (m.deleted_at IS NULL OR t.replies > 0) AND ($3 = 0 OR EXISTS \
         (SELECT 1 FROM chat_post_tags pt WHERE pt.room_id = t.room_id AND pt.tag_id = $3)) \
         ORDER BY t.last_id DESC LIMIT $4"
    );
    let tag = tag.map_or(0, |tag| tag.0);
    let mut posts: Vec<Post> = db.all(READ, (room, before, tag, limit)).await?;
    add_tags(db, &mut posts).await?;
    Ok(posts)
}

/// The post whose thread this is.
pub(super) async fn post(db: &Db, thread: RoomId) -> Result<Option<Post>> {
    const READ: &str = post_query!("AND t.room_id = $1");
    let mut posts: Vec<Post> = db.all(READ, (thread,)).await?;
    add_tags(db, &mut posts).await?;
    Ok(posts.pop())
}

async fn add_tags(db: &Db, posts: &mut [Post]) -> Result<()> {
    const READ: Sql = Sql {
        sqlite: "SELECT pt.room_id, ta.id, ta.name FROM chat_post_tags pt \
            JOIN chat_tags ta ON ta.id = pt.tag_id WHERE pt.room_id IN \
            (SELECT CAST(value AS INTEGER) FROM json_each('[' || $1 || ']')) \
            ORDER BY ta.position, ta.id",
        postgres: "SELECT pt.room_id, ta.id, ta.name FROM chat_post_tags pt \
            JOIN chat_tags ta ON ta.id = pt.tag_id \
            WHERE pt.room_id = ANY (CAST(string_to_array($1, ',') AS BIGINT[])) \
            ORDER BY ta.position, ta.id",
    };
    if posts.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = posts.iter().map(|post| post.thread.to_string()).collect();
    let rows: Vec<(RoomId, TagId, String)> = db.all(READ, (ids.join(","),)).await?;
    let mut by_post: HashMap<RoomId, Vec<(TagId, String)>> = HashMap::new();
    for (post, tag, name) in rows {
        by_post.entry(post).or_default().push((tag, name));
    }
    for post in posts {
        post.tags = by_post.remove(&post.thread).unwrap_or_default();
    }
    Ok(())
}

/// The tags of a room, in their order.
pub(super) async fn tags(db: &Db, room: RoomId) -> Result<Vec<(TagId, String)>> {
    const READ: &str = "SELECT id, name FROM chat_tags WHERE room_id = $1 ORDER BY position, id";
    db.all(READ, (room,)).await
}

/// Has a post carry these tags, of those of its room.
pub(super) async fn set_tags(tx: &mut Tx, thread: RoomId, tags: &[TagId]) -> Result<()> {
    const CLEAR: &str = "DELETE FROM chat_post_tags WHERE room_id = $1";
    const SET: &str = "INSERT INTO chat_post_tags (room_id, tag_id) \
        SELECT t.room_id, ta.id FROM chat_threads t \
        JOIN chat_tags ta ON ta.room_id = t.parent_id WHERE t.room_id = $1 AND ta.id = $2";
    tx.execute(CLEAR, (thread,)).await?;
    for tag in tags {
        tx.execute(SET, (thread, *tag)).await?;
    }
    Ok(())
}

/// Gives a room these tags, in this order, in a transaction that has locked the room. A tag that
/// is named again stays on its posts; the names that it had before.
pub(super) async fn set_room_tags(
    tx: &mut Tx,
    room: RoomId,
    names: &[String],
) -> Result<Vec<String>> {
    const BEFORE: &str = "SELECT name FROM chat_tags WHERE room_id = $1 ORDER BY position, id";
    const DELETE: &str = "DELETE FROM chat_tags WHERE room_id = $1 AND name = $2";
    const SET: &str = "INSERT INTO chat_tags (id, room_id, name, position) \
        VALUES ($1, $2, $3, $4) ON CONFLICT (room_id, name) DO UPDATE SET position = $4";
    let before: Vec<String> = tx.scalars(BEFORE, (room,)).await?;
    for gone in before.iter().filter(|name| !names.contains(name)) {
        tx.execute(DELETE, (room, gone)).await?;
    }
    for (position, name) in (0_i64..).zip(names) {
        tx.execute(SET, (TagId::new(), room, name, position))
            .await?;
    }
    Ok(before)
}

/// Has the search look at a post again, whose title is part of its text.
pub(super) async fn search_anew(tx: &mut Tx, post: MessageId) -> Result<()> {
    const QUEUE: &str = "INSERT INTO search_queue (source, item) VALUES ('chat.message', $1)";
    tx.execute(QUEUE, (post,)).await.map(drop)
}
