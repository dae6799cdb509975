//! The rows of uploads on their way.

use sqlx::FromRow;

use super::FileId;
use super::usage::{self, Limits};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};

/// An upload on its way.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Upload {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) place: i64,
    #[sqlx(rename = "owner_id")]
    pub(super) owner: AccountId,
    #[sqlx(rename = "space_id")]
    pub(super) space: Option<SpaceId>,
    pub(super) name: String,
    pub(super) size: i64,
    #[sqlx(rename = "file_id")]
    pub(super) file: Option<FileId>,
    pub(super) expires_at: Micros,
}

/// Begins an upload, counting all of it.
///
/// # Errors
/// `Full` when it is more than its account or space may keep.
pub(super) async fn begin(tx: &mut Tx, upload: &Upload, limits: Limits) -> Result<()> {
    usage::add(tx, upload.owner, upload.space, upload.size, Some(limits)).await?;
    const BEGIN: &str = "INSERT INTO uploads (id, kind, place, owner_id, space_id, name, size, \
        expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    tx.execute(
        BEGIN,
        (
            &upload.id,
            &upload.kind,
            upload.place,
            upload.owner,
            upload.space,
            &upload.name,
            upload.size,
            upload.expires_at,
        ),
    )
    .await?;
    Ok(())
}

/// How many uploads an account has on their way.
pub(super) async fn count_of(db: &Db, owner: AccountId) -> Result<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM uploads WHERE owner_id = $1 AND file_id IS NULL";
    db.scalar(COUNT, (owner,)).await
}

/// An upload.
pub(super) async fn get(db: &Db, id: &str) -> Result<Upload> {
    db.one("SELECT * FROM uploads WHERE id = $1", (id,)).await
}

/// An upload is smaller than it was said to be.
pub(super) async fn resize(tx: &mut Tx, id: &str, size: i64) -> Result<()> {
    let upload: Upload = tx.one("SELECT * FROM uploads WHERE id = $1", (id,)).await?;
    usage::add(tx, upload.owner, upload.space, size - upload.size, None).await?;
    tx.execute("UPDATE uploads SET size = $2 WHERE id = $1", (id, size))
        .await?;
    Ok(())
}

/// Ends an upload that is not whole, or forgets one that is. What it counted is free again unless
/// it became a file.
pub(super) async fn end(tx: &mut Tx, id: &str) -> Result<()> {
    let upload: Option<Upload> = tx
        .optional("DELETE FROM uploads WHERE id = $1 RETURNING *", (id,))
        .await?;
    match upload {
        Some(Upload {
            file: None,
            owner,
            space,
            size,
            ..
        }) => usage::add(tx, owner, space, -size, None).await,
        _ => Ok(()),
    }
}

/// Uploads whose time is over, a thousand at most.
pub(super) async fn expired(db: &Db, now: Micros) -> Result<Vec<String>> {
    const EXPIRED: &str =
        "SELECT id FROM uploads WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000";
    db.scalars(EXPIRED, (now,)).await
}
