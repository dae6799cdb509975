//! The SQL of files and their contents, one function per query.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::media::Media;
use super::usage::Quotas;
use super::{FileId, pictures, usage};
use crate::base::clock::Micros;
use crate::base::db::{Db, Sql, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::text_enum;

/// Whether a file is a picture, and how far its processing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Picture {
    /// Not a picture.
    None,
    /// The job that removes its metadata has not finished; nobody may read it before.
    Waiting,
    /// Without metadata, unless its owner keeps it, and with a small and a large version.
    Made,
    /// It could not be decoded: it is offered as a download only.
    Failed,
}

text_enum!(Picture {
    None = "none",
    Waiting = "waiting",
    Made = "made",
    Failed = "failed",
});

/// The row of a complete file.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct File {
    /// Part of the file's URL, but no secret: permission is checked at every request.
    pub id: FileId,
    /// The name of its [`FileKind`](super::FileKind).
    pub kind: String,
    /// What it was added to: a number that its kind's module understands, such as a room's id.
    #[sqlx(rename = "place")]
    pub target: i64,
    /// The account that uploaded it.
    #[sqlx(rename = "owner_id")]
    pub owner: AccountId,
    /// The space against whose quota it counts.
    #[sqlx(rename = "space_id")]
    pub space: Option<SpaceId>,
    /// A normalized file name, safe to display and to save under.
    pub name: String,
    /// The media type, detected from the content.
    pub media: String,
    /// The size of the content, in bytes.
    pub size: i64,
    /// The BLAKE3 digest of the content, in hexadecimal.
    pub digest: String,
    /// Whether it is a picture, and how far its processing is.
    pub picture: Picture,
    /// The width of the picture, in pixels; what its head says until it is processed.
    pub width: Option<i64>,
    /// The height of the picture, in pixels; what its head says until it is processed.
    pub height: Option<i64>,
    /// A placeholder of a few pixels, as a `data:` URL.
    pub blur: Option<String>,
    /// The digest of the small version, at most 480 pixels wide and high.
    pub small: Option<String>,
    /// The digest of the large version, at most 1,600 pixels wide and high.
    pub large: Option<String>,
    /// Whether the picture moves: its content does, and its smaller versions show the first frame.
    pub animated: bool,
    /// Whether its owner chose that the content stays as it was uploaded, with its metadata.
    pub intact: bool,
    /// Whether something refers to the file, by [`Files::claim`](super::Files::claim).
    #[sqlx(rename = "kept")]
    pub is_claimed: bool,
    /// The bytes that count against the quotas: of the content and of its smaller versions.
    pub charged: i64,
    /// When its upload was complete.
    pub created_at: Micros,
}

impl File {
    /// How the file may be served: a picture that could not be decoded counts as `Other`.
    pub fn media(&self) -> Media {
        match (Media::from_name(&self.media), self.picture) {
            (Media::Picture(_), Picture::None | Picture::Failed) => Media::Other,
            (media, _) => media,
        }
    }

    /// Whether the small version shows a piece of the picture, because the picture is very long.
    pub fn is_cropped(&self) -> bool {
        let pixels = |side: Option<i64>| side.and_then(|side| u32::try_from(side).ok());
        match (pixels(self.width), pixels(self.height)) {
            (Some(width), Some(height)) => pictures::is_cropped(width, height),
            _ => false,
        }
    }

    /// The digests of the file's content and of its smaller versions.
    pub(super) fn digests(&self) -> impl Iterator<Item = &str> {
        [Some(&self.digest), self.small.as_ref(), self.large.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }
}

/// Adds the file that an upload became, and the row of its content, and charges its space: its
/// account was charged when the upload began.
///
/// # Errors
/// `Full` when the quota of its space is exceeded, `NotFound` when the upload was deleted.
pub(super) async fn add(tx: &mut Tx, upload: &str, file: &File, quotas: Quotas) -> Result<()> {
    usage::add_to_space(tx, file.space, file.charged, Some(quotas)).await?;
    add_blob(tx, &file.digest, file.size, &file.media).await?;
    const ADD: &str = "INSERT INTO files (id, kind, place, owner_id, space_id, name, media, \
        size, digest, picture, kept, created_at, charged, intact, width, height) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, FALSE, $11, $12, $13, $14, $15)";
    tx.execute(
        ADD,
        (
            file.id,
            &file.kind,
            file.target,
            file.owner,
            file.space,
            &file.name,
            &file.media,
            file.size,
            &file.digest,
            file.picture,
            file.created_at,
            file.charged,
            file.intact,
            file.width,
            file.height,
        ),
    )
    .await?;
    let updated = tx
        .execute(
            "UPDATE uploads SET file_id = $2 WHERE id = $1 AND file_id IS NULL",
            (upload, file.id),
        )
        .await?;
    if updated == 0 {
        Err(Error::NotFound)
    } else {
        Ok(())
    }
}

/// Adds a claimed file of the content of another one. Its usage is charged by the caller.
pub(super) async fn add_copy(
    tx: &mut Tx,
    id: FileId,
    target: i64,
    owner: AccountId,
    space: Option<SpaceId>,
) -> Result<File> {
    const ADD: &str = "INSERT INTO files (id, place, owner_id, space_id, created_at, kept, kind, \
        name, media, size, digest, picture, charged, intact, width, height, blur, small, large, \
        animated) SELECT $2, $3, $4, $5, $6, TRUE, kind, name, media, size, digest, picture, \
        charged, intact, width, height, blur, small, large, animated FROM files WHERE id = $1 \
        RETURNING *";
    let row = (id, FileId::new(), target, owner, space, Micros::now());
    tx.one(ADD, row).await
}

/// Adds a claimed file whose pictures are made. Its usage is charged by the caller.
pub(super) async fn add_made(tx: &mut Tx, file: &File) -> Result<()> {
    const ADD: &str = "INSERT INTO files (id, kind, place, owner_id, space_id, name, media, \
        size, digest, picture, kept, created_at, charged, intact, width, height) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, TRUE, $11, $12, FALSE, $13, $14)";
    const VERSIONS: &str = "UPDATE files SET small = $2, large = $3 WHERE id = $1";
    let row = (
        file.id,
        &file.kind,
        file.target,
        file.owner,
        file.space,
        &file.name,
        &file.media,
        file.size,
        &file.digest,
        file.picture,
        file.created_at,
        file.charged,
        file.width,
        file.height,
    );
    tx.execute(ADD, row).await?;
    let versions = (file.id, &file.small, &file.large);
    tx.execute(VERSIONS, versions).await?;
    Ok(())
}

/// Adds the row of content that is stored. Does nothing when there is one.
pub(super) async fn add_blob(tx: &mut Tx, digest: &str, size: i64, media: &str) -> Result<()> {
    const BLOB: &str = "INSERT INTO blobs (digest, size, media, created_at) \
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.execute(BLOB, (digest, size, media, Micros::now()))
        .await?;
    Ok(())
}

/// Whether content has a row, which says that it is stored.
pub(super) async fn has_blob(db: &Db, digest: &str) -> Result<bool> {
    db.scalar(
        "SELECT EXISTS (SELECT 1 FROM blobs WHERE digest = $1)",
        (digest,),
    )
    .await
}

/// Size in bytes and media type of stored content.
pub(super) async fn blob_info(db: &Db, digest: &str) -> Result<(i64, Media)> {
    let (size, media): (i64, String) = db
        .one("SELECT size, media FROM blobs WHERE digest = $1", (digest,))
        .await?;
    Ok((size, Media::from_name(&media)))
}

/// Deletes the row of content that no file has. Returns whether there is no row now.
pub(super) async fn delete_blob_if_unused(tx: &mut Tx, digest: &str) -> Result<bool> {
    const DROP: &str = "DELETE FROM blobs WHERE digest = $1 AND NOT EXISTS (SELECT 1 FROM files \
        WHERE digest = $1) \
        AND NOT EXISTS (SELECT 1 FROM files WHERE small = $1) AND NOT EXISTS (SELECT 1 \
        FROM files WHERE large = $1)";
    tx.execute(DROP, (digest,)).await?;
    Ok(!tx
        .scalar::<bool>(
            "SELECT EXISTS (SELECT 1 FROM blobs WHERE digest = $1)",
            (digest,),
        )
        .await?)
}

const FILE: &str = "SELECT * FROM files WHERE id = $1";

pub(super) async fn file(db: &Db, id: FileId) -> Result<File> {
    db.one(FILE, (id,)).await
}

/// Like [`file`], within a transaction, until whose end the row stays as it is.
pub(super) async fn file_in(tx: &mut Tx, id: FileId) -> Result<File> {
    const HOLD: Sql = Sql {
        sqlite: FILE,
        postgres: "SELECT * FROM files WHERE id = $1 FOR NO KEY UPDATE",
    };
    tx.one(HOLD, (id,)).await
}

/// See [`super::Files::claim`].
pub(super) async fn claim(
    tx: &mut Tx,
    id: FileId,
    kind: &str,
    target: i64,
    owner: AccountId,
) -> Result<File> {
    const CLAIM: &str = "UPDATE files SET kept = TRUE \
        WHERE id = $1 AND kind = $2 AND place = $3 AND owner_id = $4 AND NOT kept RETURNING *";
    let claimed = tx.optional(CLAIM, (id, kind, target, owner)).await?;
    claimed.ok_or_else(|| Error::field("files", "error-file-gone"))
}

/// Deletes a file's row and releases its usage; returns the deleted row.
pub(super) async fn delete(tx: &mut Tx, id: FileId) -> Result<File> {
    let file: File = tx
        .one("DELETE FROM files WHERE id = $1 RETURNING *", (id,))
        .await?;
    usage::add(tx, file.owner, file.space, -file.charged, None).await?;
    Ok(file)
}

/// The ids of up to 1,000 unclaimed files that are older than this.
pub(super) async fn unclaimed(db: &Db, before: Micros) -> Result<Vec<FileId>> {
    const UNCLAIMED: &str =
        "SELECT id FROM files WHERE NOT kept AND created_at < $1 ORDER BY created_at LIMIT 1000";
    db.scalars(UNCLAIMED, (before,)).await
}

/// Deletes a file unless it was claimed meanwhile.
pub(super) async fn delete_unclaimed(tx: &mut Tx, id: FileId) -> Result<Option<File>> {
    const UNCLAIMED: Sql = Sql {
        sqlite: "SELECT id FROM files WHERE id = $1 AND NOT kept",
        postgres: "SELECT id FROM files WHERE id = $1 AND NOT kept FOR UPDATE",
    };
    let unclaimed: Option<FileId> = tx.optional_scalar(UNCLAIMED, (id,)).await?;
    match unclaimed {
        Some(_) => delete(tx, id).await.map(Some),
        None => Ok(None),
    }
}

/// Stores the result of processing a picture: digest and size of what is served replace
/// those of the original, and its charge that of the original in the usage.
///
/// # Errors
/// `NotFound` when the file was deleted meanwhile.
pub(super) async fn set_pictures(tx: &mut Tx, file: &File) -> Result<()> {
    const SET: &str = "UPDATE files SET digest = $2, size = $3, media = $4, picture = $5, \
        width = $6, height = $7, blur = $8, small = $9, large = $10, charged = $11, \
        animated = $12 WHERE id = $1";
    let original = file_in(tx, file.id).await?;
    let growth = file.charged - original.charged;
    usage::add(tx, file.owner, file.space, growth, None).await?;
    tx.execute(
        SET,
        (
            file.id,
            &file.digest,
            file.size,
            &file.media,
            file.picture,
            file.width,
            file.height,
            &file.blur,
            &file.small,
            &file.large,
            file.charged,
            file.animated,
        ),
    )
    .await?;
    Ok(())
}

/// Digest and size of the next 500 contents after a digest, in order.
pub(super) async fn blobs_after(db: &Db, digest: &str) -> Result<Vec<(String, i64)>> {
    const NEXT: &str = "SELECT digest, size FROM blobs WHERE digest > $1 ORDER BY digest LIMIT 500";
    db.all(NEXT, (digest,)).await
}

/// Digest and size of the 100 contents that were checked longest ago, before this.
pub(super) async fn blobs_checked_before(db: &Db, before: Micros) -> Result<Vec<(String, i64)>> {
    const OLDEST: &str = "SELECT digest, size FROM blobs WHERE checked_at < $1 \
        ORDER BY checked_at LIMIT 100";
    db.all(OLDEST, (before,)).await
}

pub(super) async fn set_checked(tx: &mut Tx, digest: &str, at: Micros) -> Result<()> {
    const SET: &str = "UPDATE blobs SET checked_at = $2 WHERE digest = $1";
    tx.execute(SET, (digest, at)).await?;
    Ok(())
}

/// Up to ten files that have this content, or a smaller version of it.
pub(super) async fn files_with(db: &Db, digest: &str) -> Result<Vec<(FileId, String)>> {
    const WITH: &str = "SELECT id, name FROM files WHERE digest = $1 UNION \
        SELECT id, name FROM files WHERE small = $1 UNION \
        SELECT id, name FROM files WHERE large = $1 LIMIT 10";
    db.all(WITH, (digest,)).await
}
