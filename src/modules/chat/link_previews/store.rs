//! The SQL of link previews: which links messages have, and the cache of pages.

use std::time::Duration;

use sqlx::FromRow;

use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{RoomId, SpaceId};
use crate::engine::files::FileId;
use crate::engine::jobs::JobId;
use crate::modules::chat::link_card::LinkPreviews;
use crate::modules::chat::model::MessageId;

/// How long a job may fetch a page before another one does.
const CLAIM_TTL: Duration = Duration::from_secs(60);

/// What is known of a page.
#[derive(Clone, FromRow)]
pub(super) struct CachedPage {
    /// JSON; empty for a page of which nothing can be shown.
    pub(super) page: String,
    /// The file of some message that has the picture.
    pub(super) file_id: Option<FileId>,
}

/// A page that is known and not too old, with its picture if it has one.
pub(super) async fn cached(db: &Db, url: &str) -> Result<Option<CachedPage>> {
    const READ: &str = "SELECT page, file_id FROM link_previews l WHERE url = $1 \
        AND expires_at > $2 AND (file_id IS NULL \
        OR EXISTS (SELECT 1 FROM files f WHERE f.id = l.file_id))";
    db.optional(READ, (url, Micros::now())).await
}

/// Takes the right to fetch a page that is not [`cached`]. Returns whether no other job has it.
pub(super) async fn claim(tx: &mut Tx, url: &str, job: JobId) -> Result<bool> {
    const CLAIM: &str = "INSERT INTO link_previews (url, page, expires_at, claimed_by, \
        claimed_until) VALUES ($1, '', 0, $2, $3) ON CONFLICT (url) DO UPDATE SET \
        claimed_by = $2, claimed_until = $3 \
        WHERE (link_previews.claimed_until <= $4 OR link_previews.claimed_by = $2) \
        AND (link_previews.expires_at <= $4 OR (link_previews.file_id IS NOT NULL \
        AND NOT EXISTS (SELECT 1 FROM files f WHERE f.id = link_previews.file_id)))";
    let now = Micros::now();
    let row = (url, job, now.plus(CLAIM_TTL), now);
    Ok(tx.execute(CLAIM, row).await? > 0)
}

/// Stores what was fetched by the job that has the right to, until it expires.
pub(super) async fn set_page(
    tx: &mut Tx,
    (url, job): (&str, JobId),
    (page, file): (&str, Option<FileId>),
    ttl: Duration,
) -> Result<()> {
    const SET: &str = "UPDATE link_previews SET page = $3, file_id = $4, expires_at = $5, \
        claimed_by = 0, claimed_until = 0 WHERE url = $1 AND claimed_by = $2";
    let expires_at = Micros::now().plus(ttl);
    let row = (url, job, page, file, expires_at);
    tx.execute(SET, row).await?;
    Ok(())
}

/// Deletes pages that expired, and the oldest beyond `max`.
pub(super) async fn sweep(tx: &mut Tx, max: i64) -> Result<()> {
    const EXPIRED: &str =
        "DELETE FROM link_previews WHERE expires_at <= $1 AND claimed_until <= $1";
    const OLDEST: &str = "DELETE FROM link_previews WHERE claimed_until <= $2 AND url IN \
        (SELECT url FROM link_previews ORDER BY expires_at DESC LIMIT 1000 OFFSET $1)";
    let now = Micros::now();
    tx.execute(EXPIRED, (now,)).await?;
    tx.execute(OLDEST, (max, now)).await?;
    Ok(())
}

/// Deletes what is known of a page that no message links to any more.
pub(super) async fn forget_unused(tx: &mut Tx, url: &str) -> Result<()> {
    const DELETE: &str = "DELETE FROM link_previews WHERE url = $1 \
        AND NOT EXISTS (SELECT 1 FROM message_links WHERE url = $1)";
    tx.execute(DELETE, (url,)).await?;
    Ok(())
}

/// Stores that a message has a link, and the file with its picture.
pub(super) async fn set_file(
    tx: &mut Tx,
    message: MessageId,
    url: &str,
    file: Option<FileId>,
) -> Result<()> {
    const SET: &str = "INSERT INTO message_links (message_id, url, file_id) VALUES ($1, $2, $3) \
        ON CONFLICT (message_id, url) DO UPDATE SET file_id = $3";
    tx.execute(SET, (message, url, file)).await?;
    Ok(())
}

/// Removes one link of a message. Returns its file.
pub(super) async fn remove_link(
    tx: &mut Tx,
    message: MessageId,
    url: &str,
) -> Result<Option<FileId>> {
    const DELETE: &str =
        "DELETE FROM message_links WHERE message_id = $1 AND url = $2 RETURNING file_id";
    let removed: Option<(Option<FileId>,)> = tx.optional(DELETE, (message, url)).await?;
    Ok(removed.and_then(|(file,)| file))
}

/// Removes the links of a message.
pub(super) async fn remove_links(
    tx: &mut Tx,
    message: MessageId,
) -> Result<Vec<(String, Option<FileId>)>> {
    const DELETE: &str = "DELETE FROM message_links WHERE message_id = $1 RETURNING url, file_id";
    tx.all(DELETE, (message,)).await
}

/// The links of a message that are stored.
pub(super) async fn links(tx: &mut Tx, message: MessageId) -> Result<Vec<String>> {
    let read = "SELECT url FROM message_links WHERE message_id = $1 ORDER BY url";
    tx.scalars(read, (message,)).await
}

pub(super) async fn set_previews(
    tx: &mut Tx,
    message: MessageId,
    previews: &LinkPreviews,
) -> Result<()> {
    const SET: &str = "UPDATE messages SET previews = $2 WHERE id = $1";
    tx.execute(SET, (message, previews.to_string())).await?;
    Ok(())
}

/// The space of a room, or of the room of a thread.
pub(super) async fn space_of(tx: &mut Tx, room: RoomId) -> Result<Option<SpaceId>> {
    const READ: &str = "SELECT COALESCE(r.space_id, p.space_id) FROM rooms r \
        LEFT JOIN rooms p ON p.id = r.parent_id WHERE r.id = $1";
    let found: Option<(Option<SpaceId>,)> = tx.optional(READ, (room,)).await?;
    Ok(found.and_then(|(space,)| space))
}
