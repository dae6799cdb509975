//! The files' SQL, one function a question.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::media::Media;
use super::{FileId, usage};
use crate::base::clock::Micros;
use crate::base::db::{Db, Tx};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};

/// Whether there are pictures of a file to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[sqlx(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Picture {
    /// It is none.
    None,
    /// They are being made.
    Waiting,
    /// They are there.
    Made,
    /// None can be made of it: it can only be saved.
    Failed,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct File {
    /// Its id.
    pub id: FileId,
    /// Which module's.
    pub kind: String,
    /// Where it is, as its kind counts places.
    pub place: i64,
    /// Who put it there.
    #[sqlx(rename = "owner_id")]
    pub owner: AccountId,
    /// The space it counts in.
    #[sqlx(rename = "space_id")]
    pub space: Option<SpaceId>,
    /// Its name, fit to be shown and to be saved under.
    pub name: String,
    /// Its media type, found from its content.
    pub media: String,
    /// Its size in bytes.
    pub size: i64,
    /// Digest of its content.
    pub digest: String,
    /// Whether there are pictures of it.
    pub picture: Picture,
    /// Width of the picture, in pixels.
    pub width: Option<i64>,
    /// Height of the picture, in pixels.
    pub height: Option<i64>,
    /// A few pixels of it, as a data address.
    pub blur: Option<String>,
    /// Digest of the small picture, 480 pixels at most.
    pub small: Option<String>,
    /// Digest of the large picture, 1,600 pixels at most.
    pub large: Option<String>,
    /// Whether something refers to it.
    pub kept: bool,
    /// When it was whole.
    pub created_at: Micros,
}

impl File {
    /// How a browser may be given it.
    pub fn media(&self) -> Media {
        match (Media::stored(&self.media), self.picture) {
            (Media::Picture(_), Picture::None | Picture::Failed) => Media::Other,
            (media, _) => media,
        }
    }

    /// The digests of all its contents.
    pub(super) fn digests(&self) -> impl Iterator<Item = &str> {
        [Some(&self.digest), self.small.as_ref(), self.large.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
    }
}

/// An upload became a file.
pub(super) async fn add(tx: &mut Tx, upload: &str, file: &File) -> Result<()> {
    blob(tx, &file.digest, file.size, &file.media).await?;
    const ADD: &str = "INSERT INTO files (id, kind, place, owner_id, space_id, name, media, \
        size, digest, picture, kept, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, FALSE, $11)";
    tx.execute(
        ADD,
        (
            file.id,
            &file.kind,
            file.place,
            file.owner,
            file.space,
            &file.name,
            &file.media,
            file.size,
            &file.digest,
            file.picture,
            file.created_at,
        ),
    )
    .await?;
    let marked = tx
        .execute(
            "UPDATE uploads SET file_id = $2 WHERE id = $1 AND file_id IS NULL",
            (upload, file.id),
        )
        .await?;
    // It was ended meanwhile.
    if marked == 0 {
        Err(Error::NotFound)
    } else {
        Ok(())
    }
}

/// Content is stored.
pub(super) async fn blob(tx: &mut Tx, digest: &str, size: i64, media: &str) -> Result<()> {
    const BLOB: &str = "INSERT INTO blobs (digest, size, media, created_at) \
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.execute(BLOB, (digest, size, media, Micros::now()))
        .await?;
    Ok(())
}

/// Whether content is stored.
pub(super) async fn has_blob(db: &Db, digest: &str) -> Result<bool> {
    db.scalar(
        "SELECT EXISTS (SELECT 1 FROM blobs WHERE digest = $1)",
        (digest,),
    )
    .await
}

/// Size and media of stored content.
pub(super) async fn blob_of(db: &Db, digest: &str) -> Result<(i64, Media)> {
    let (size, media): (i64, String) = db
        .one("SELECT size, media FROM blobs WHERE digest = $1", (digest,))
        .await?;
    Ok((size, Media::stored(&media)))
}

/// Content that no file has is no longer stored. Whether that is so.
pub(super) async fn drop_blob(tx: &mut Tx, digest: &str) -> Result<bool> {
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

/// A file.
pub(super) async fn file(db: &Db, id: FileId) -> Result<File> {
    db.one(FILE, (id,)).await
}

/// The same in a transaction.
pub(super) async fn file_in(tx: &mut Tx, id: FileId) -> Result<File> {
    tx.one(FILE, (id,)).await
}

/// See [`super::Files::keep`].
pub(super) async fn claim(
    tx: &mut Tx,
    id: FileId,
    kind: &str,
    place: i64,
    owner: AccountId,
) -> Result<File> {
    const KEEP: &str = "UPDATE files SET kept = TRUE \
        WHERE id = $1 AND kind = $2 AND place = $3 AND owner_id = $4 AND NOT kept RETURNING *";
    let kept = tx.optional(KEEP, (id, kind, place, owner)).await?;
    kept.ok_or_else(|| Error::field("files", "error-file-gone"))
}

/// Deletes a file's row. The file as it was.
pub(super) async fn delete(tx: &mut Tx, id: FileId) -> Result<File> {
    let file: File = tx
        .one("DELETE FROM files WHERE id = $1 RETURNING *", (id,))
        .await?;
    usage::add(tx, file.owner, file.space, -file.size, None).await?;
    Ok(file)
}

/// Files that nothing refers to and that are older than this, a thousand at most.
pub(super) async fn unkept(db: &Db, before: Micros) -> Result<Vec<FileId>> {
    const UNKEPT: &str =
        "SELECT id FROM files WHERE NOT kept AND created_at < $1 ORDER BY created_at LIMIT 1000";
    db.scalars(UNKEPT, (before,)).await
}

/// Deletes a file unless something refers to it by now.
pub(super) async fn delete_unkept(tx: &mut Tx, id: FileId) -> Result<Option<File>> {
    let unkept: Option<i64> = tx
        .optional_scalar("SELECT 1 FROM files WHERE id = $1 AND NOT kept", (id,))
        .await?;
    match unkept {
        Some(_) => delete(tx, id).await.map(Some),
        None => Ok(None),
    }
}

/// A file's pictures as they were made; the digest is that of the picture made anew.
pub(super) async fn set_pictures(tx: &mut Tx, file: &File) -> Result<()> {
    const SET: &str = "UPDATE files SET digest = $2, size = $3, media = $4, picture = $5, \
        width = $6, height = $7, blur = $8, small = $9, large = $10 WHERE id = $1";
    let was = file_in(tx, file.id).await?;
    usage::add(tx, file.owner, file.space, file.size - was.size, None).await?;
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
        ),
    )
    .await?;
    Ok(())
}
