//! The SQL of uploads, one function per query.

use sqlx::FromRow;

use super::FileId;
use super::usage::{self, Quotas};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};

/// The row of an upload. It stays until it expires after the upload has become a file, so that a
/// client that missed the last answer can ask for the file's id.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Upload {
    /// A random token; it appears in the upload's URL.
    pub(super) id: String,
    pub(super) kind: String,
    #[sqlx(rename = "place")]
    pub(super) target: i64,
    #[sqlx(rename = "owner_id")]
    pub(super) owner: AccountId,
    #[sqlx(rename = "space_id")]
    pub(super) space: Option<SpaceId>,
    pub(super) name: String,
    /// The length announced by the client, in bytes.
    pub(super) size: i64,
    /// Whether its owner chose that the content stays as it is, with its metadata.
    pub(super) intact: bool,
    /// The file that the upload became.
    #[sqlx(rename = "file_id")]
    pub(super) file: Option<FileId>,
    pub(super) expires_at: Micros,
}

/// Adds an upload and counts its announced size against the quota of its account. A space is
/// charged when the upload becomes a file: what is only announced must not keep others from it.
///
/// # Errors
/// `Full` when the quota of its account is exceeded.
pub(super) async fn begin(tx: &mut Tx, upload: &Upload, quotas: Quotas) -> Result<()> {
    usage::add(tx, upload.owner, None, upload.size, Some(quotas)).await?;
    const BEGIN: &str = "INSERT INTO uploads (id, kind, place, owner_id, space_id, name, size, \
        expires_at, intact) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    tx.execute(
        BEGIN,
        (
            &upload.id,
            &upload.kind,
            upload.target,
            upload.owner,
            upload.space,
            &upload.name,
            upload.size,
            upload.expires_at,
            upload.intact,
        ),
    )
    .await?;
    Ok(())
}

/// The number of incomplete uploads of an account.
pub(super) async fn count_incomplete(db: &Db, owner: AccountId) -> Result<i64> {
    const COUNT: &str = "SELECT COUNT(*) FROM uploads WHERE owner_id = $1 AND file_id IS NULL";
    db.scalar(COUNT, (owner,)).await
}

pub(super) async fn get(db: &Db, id: &str) -> Result<Upload> {
    db.one("SELECT * FROM uploads WHERE id = $1", (id,)).await
}

/// Corrects the size of an upload that was announced larger than it is, and its owner's usage.
pub(super) async fn resize(tx: &mut Tx, id: &str, size: i64) -> Result<()> {
    let upload: Upload = tx.one("SELECT * FROM uploads WHERE id = $1", (id,)).await?;
    usage::add(tx, upload.owner, None, size - upload.size, None).await?;
    tx.execute("UPDATE uploads SET size = $2 WHERE id = $1", (id, size))
        .await?;
    Ok(())
}

/// Deletes an upload. Its usage is released unless it became a file.
pub(super) async fn end(tx: &mut Tx, id: &str) -> Result<()> {
    let upload: Option<Upload> = tx
        .optional("DELETE FROM uploads WHERE id = $1 RETURNING *", (id,))
        .await?;
    match upload {
        Some(Upload {
            file: None,
            owner,
            size,
            ..
        }) => usage::add(tx, owner, None, -size, None).await,
        _ => Ok(()),
    }
}

/// The ids of up to 1,000 expired uploads.
pub(super) async fn expired(db: &Db, now: Micros) -> Result<Vec<String>> {
    const EXPIRED: &str =
        "SELECT id FROM uploads WHERE expires_at <= $1 ORDER BY expires_at LIMIT 1000";
    db.scalars(EXPIRED, (now,)).await
}
