//! Pictures that the server fetched itself, of which it keeps a small version alone.

use axum::body::Bytes;

use super::content_lock::ContentLock;
use super::picture_job::{digest_of, make_in_budget};
use super::store::{self, File, Picture};
use super::{FileId, Files, pictures, usage};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::engine::jobs::Failure;

/// A small version of a picture, without anything else of its file: at most 480 pixels wide and
/// high.
pub struct SmallPicture {
    bytes: Bytes,
    digest: String,
    media: &'static str,
    width: u32,
    height: u32,
}

/// Keeps contents from being deleted before their rows are written, until it is dropped.
#[must_use]
pub struct StoredPictures {
    _lock: ContentLock,
}

/// To whom and what a file belongs.
pub struct FileOwner<'a> {
    /// The name of its kind.
    pub kind: &'a str,
    /// What it is added to, as its kind understands it.
    pub target: i64,
    /// The account that it is charged to.
    pub owner: AccountId,
    /// The space that it is charged to.
    pub space: Option<SpaceId>,
}

impl Files {
    /// Makes the small version of a picture, within the server's memory for pictures. `None` for
    /// one that cannot be made, or would need more than all of that.
    ///
    /// # Errors
    /// When the server shuts down.
    pub async fn make_small_picture(
        &self,
        content: Vec<u8>,
        media: &str,
    ) -> Result<Option<SmallPicture>, Failure> {
        let made = match make_in_budget(self, content, media.to_owned(), false).await? {
            Ok(made) => made.small,
            Err(error) => {
                tracing::debug!(%error, "no small picture can be made");
                return Ok(None);
            }
        };
        let size = pictures::announced_size(&made.bytes, made.media);
        Ok(size.map(|(width, height)| SmallPicture {
            digest: digest_of(&made.bytes),
            bytes: made.bytes.into(),
            media: made.media,
            width,
            height,
        }))
    }

    /// Stores the contents of small pictures. Their files are added while the result is kept.
    ///
    /// # Errors
    /// When they cannot be stored.
    pub async fn store_small_pictures(
        &self,
        pictures: impl IntoIterator<Item = &SmallPicture>,
    ) -> Result<StoredPictures> {
        let pictures: Vec<_> = pictures.into_iter().collect();
        let digests = pictures.iter().map(|one| one.digest.clone()).collect();
        let lock = self.lock_contents(digests).await?;
        for picture in pictures {
            if !store::has_blob(&self.0.db, &picture.digest).await? {
                let bytes = picture.bytes.clone();
                self.0.blobs.put(&picture.digest, bytes).await?;
            }
        }
        Ok(StoredPictures { _lock: lock })
    }

    /// Adds the claimed file of a small picture, in the transaction that writes the row that refers
    /// to it. `None` when it does not fit the quotas.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_small_picture(
        &self,
        tx: &mut Tx,
        picture: &SmallPicture,
        of: FileOwner<'_>,
    ) -> Result<Option<File>> {
        let size = picture.bytes.len() as i64;
        if !usage::fits(tx, of.owner, of.space, size, self.quotas()).await? {
            return Ok(None);
        }
        usage::add(tx, of.owner, of.space, size, None).await?;
        store::add_blob(tx, &picture.digest, size, picture.media).await?;
        let file = File {
            id: FileId::new(),
            kind: of.kind.to_owned(),
            target: of.target,
            owner: of.owner,
            space: of.space,
            name: "preview".to_owned(),
            media: picture.media.to_owned(),
            size,
            digest: picture.digest.clone(),
            picture: Picture::Made,
            width: Some(picture.width.into()),
            height: Some(picture.height.into()),
            blur: None,
            small: Some(picture.digest.clone()),
            large: Some(picture.digest.clone()),
            animated: false,
            intact: false,
            is_claimed: true,
            charged: size,
            created_at: Micros::now(),
        };
        store::add_made(tx, &file).await?;
        Ok(Some(file))
    }

    /// As [`copy`](Self::copy), but `None` when the file is gone or its copy does not fit.
    ///
    /// # Errors
    /// The database's.
    pub async fn copy_if_fits(
        &self,
        tx: &mut Tx,
        id: FileId,
        of: FileOwner<'_>,
    ) -> Result<Option<File>> {
        let file = match store::file_in(tx, id).await {
            Err(Error::NotFound) => return Ok(None),
            file => file?,
        };
        let quotas = self.quotas();
        match usage::fits(tx, of.owner, of.space, file.charged, quotas).await? {
            true => {
                let copy = self.copy(tx, id, of.target, of.owner, of.space);
                copy.await.map(Some)
            }
            false => Ok(None),
        }
    }
}
