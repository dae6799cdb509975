//! The life of an upload: begun after every limit is asked, appended to, and turned into a file
//! when it is whole.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::OwnedSemaphorePermit;

use super::blobs::Blobs;
use super::checksum::Checksum;
use super::media::{LOOKED_AT, Media, normalize_name};
use super::pictures;
use super::spool::Writing;
use super::store::{self, File, Picture};
use super::transfers::Transfers;
use super::upload_store::{self, Upload};
use super::usage::Limits;
use super::{FileId, Files, picture_job};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::secrets;
use crate::engine::jobs::NewJob;
use crate::engine::viewer::Viewer;

const MIB: u64 = 1 << 20;
const SPARE: u64 = 64 * MIB; // of the disk, that uploads leave to everything else
const ON_THEIR_WAY: i64 = 100; // uploads of one account

/// What someone wants to put where.
pub(super) struct UploadRequest {
    pub(super) kind: String,
    pub(super) place: i64,
    pub(super) name: String,
    pub(super) size: u64,
}

/// Where an upload stands.
pub(super) struct UploadState {
    pub(super) upload: Upload,
    pub(super) offset: u64,
}

impl Transfers {
    /// Begins an upload: every limit is asked before a byte comes.
    pub(super) async fn begin(&self, viewer: &Viewer, request: UploadRequest) -> Result<Upload> {
        let rule = self.rule(&request.kind)?;
        let space = (rule.may_add)(viewer.clone(), request.place).await?;
        let files = &self.files;
        let largest = files.largest(&request.kind)?;
        if request.size > largest {
            return Err(Error::TooLarge("error-file-large", largest));
        }
        if request.size == 0 {
            return Err(Error::field("files", "error-file-empty"));
        }
        files.has_room(request.size)?;
        if upload_store::count_of(&files.0.db, viewer.account).await? >= ON_THEIR_WAY {
            return Err(Error::Conflict("error-too-many-uploads"));
        }
        let settings = &files.0.settings;
        let mib = |limit: u64| i64::try_from(limit.saturating_mul(MIB)).unwrap_or(i64::MAX);
        let limits = Limits {
            account: mib(settings.max_files_mib_per_account),
            space: mib(settings.max_files_mib_per_space),
        };
        let upload = Upload {
            id: secrets::token(),
            kind: request.kind,
            place: request.place,
            owner: viewer.account,
            space,
            name: normalize_name(&request.name),
            size: i64::try_from(request.size).unwrap_or(i64::MAX),
            file: None,
            expires_at: Micros::now().plus(Duration::from_secs(settings.upload_hours * 3600)),
        };
        files.0.spool.create(&upload.id).await?;
        let kept = upload.clone();
        if let Err(error) = files
            .0
            .db
            .write(async move |tx| upload_store::begin(tx, &kept, limits).await)
            .await
        {
            files.0.spool.forget(&upload.id).await?;
            return Err(error);
        }
        Ok(upload)
    }

    /// Appends what comes at `offset`.
    ///
    /// # Errors
    /// `Conflict` when the upload does not stand there, or what came is not what its checksum says.
    pub(super) async fn append<S, E>(
        &self,
        viewer: &Viewer,
        id: &str,
        offset: u64,
        sum: Option<Checksum>,
        body: S,
    ) -> Result<UploadState>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    {
        self.files.own(viewer, id).await?;
        let mut writing = self.files.0.spool.turn(id).await;
        let upload = self.files.own(viewer, id).await?;
        let at = match upload.file {
            Some(_) => upload.size.unsigned_abs(),
            None => writing.length().await?,
        };
        if offset != at {
            return Err(Error::Conflict("error-upload-offset"));
        }
        if upload.file.is_some() {
            return Ok(UploadState { upload, offset });
        }
        // Rights are asked again for every piece: a day may lie between two.
        (self.rule(&upload.kind)?.may_add)(viewer.clone(), upload.place).await?;
        let offset = writing
            .append(offset, upload.size.unsigned_abs(), sum, body)
            .await?;
        self.files.advanced(upload, &mut writing, offset).await
    }

    /// Takes in a whole file whose size is known when it ends, `request.size` bytes at most.
    /// Nothing when it is empty.
    pub(super) async fn take_whole<S, E>(
        &self,
        viewer: &Viewer,
        request: UploadRequest,
        body: S,
    ) -> Result<Option<FileId>>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
    {
        let upload = self.begin(viewer, request).await?;
        let mut broken = None;
        let body = body.inspect(|piece| broken = broken.or(piece.is_err().then_some(())));
        let mut writing = self.files.0.spool.turn(&upload.id).await;
        let most = upload.size.unsigned_abs();
        let taken = match writing.append(0, most, None, Box::pin(body)).await {
            Ok(size) if size > 0 && broken.is_none() => {
                let (id, size) = (upload.id.clone(), i64::try_from(size).unwrap_or(i64::MAX));
                self.files
                    .0
                    .db
                    .write(async move |tx| upload_store::resize(tx, &id, size).await)
                    .await?;
                self.files
                    .store(
                        &Upload {
                            size,
                            ..upload.clone()
                        },
                        &mut writing,
                    )
                    .await
                    .map(Some)
            }
            Ok(_) => Ok(None),
            Err(Error::TooLarge(..)) => Err(Error::TooLarge(
                "error-file-large",
                self.files.largest(&upload.kind)?,
            )),
            Err(error) => Err(error),
        };
        if !matches!(taken, Ok(Some(_))) {
            self.files.end_upload(&upload.id).await?;
        }
        if broken.is_some() {
            Err(Error::field("form", "error-message-shape"))
        } else {
            taken
        }
    }
}

impl Files {
    /// The largest file of a kind, in bytes.
    pub(super) fn largest(&self, kind: &str) -> Result<u64> {
        Ok(self
            .kind(kind)?
            .largest
            .min(self.0.settings.max_file_mib.saturating_mul(MIB)))
    }

    /// Refuses what does not fit on the disk.
    fn has_room(&self, size: u64) -> Result<()> {
        match Blobs::free(&self.0.settings.data) {
            Some(free) if free < size.saturating_add(SPARE.min(size)) => {
                Err(Error::Full("error-disk-full"))
            }
            _ => Ok(()),
        }
    }

    /// One's own upload.
    pub(super) async fn own(&self, viewer: &Viewer, id: &str) -> Result<Upload> {
        let upload = upload_store::get(&self.0.db, id).await?;
        if upload.owner != viewer.account || upload.expires_at <= Micros::now() {
            return Err(Error::NotFound);
        }
        Ok(upload)
    }

    /// How far one's upload has come. One that is whole and was not stored when the server ended is
    /// stored now.
    pub(super) async fn upload_state(&self, viewer: &Viewer, id: &str) -> Result<UploadState> {
        let upload = self.own(viewer, id).await?;
        if upload.file.is_some() {
            let offset = upload.size.unsigned_abs();
            return Ok(UploadState { upload, offset });
        }
        let mut writing = self.0.spool.turn(id).await;
        let upload = self.own(viewer, id).await?; // it may have become whole while we waited
        if upload.file.is_some() {
            let offset = upload.size.unsigned_abs();
            return Ok(UploadState { upload, offset });
        }
        let offset = writing.length().await?;
        self.advanced(upload, &mut writing, offset).await
    }

    /// A place among those who send at once.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit> {
        self.0.spool.place()
    }

    /// Stores an upload that is whole: one that is said to be is stored.
    async fn advanced(
        &self,
        upload: Upload,
        writing: &mut Writing,
        offset: u64,
    ) -> Result<UploadState> {
        if offset < upload.size.unsigned_abs() {
            return Ok(UploadState { upload, offset });
        }
        match self.store(&upload, writing).await {
            Ok(file) => Ok(UploadState {
                upload: Upload {
                    file: Some(file),
                    ..upload
                },
                offset,
            }),
            Err(error) => {
                if !error.is_passing() && !matches!(error, Error::Full(_)) {
                    self.end_upload(&upload.id).await?;
                }
                Err(error)
            }
        }
    }

    async fn store(&self, upload: &Upload, writing: &mut Writing) -> Result<FileId> {
        let size = upload.size.unsigned_abs();
        let (digest, beginning) = writing.digest(size, LOOKED_AT).await?;
        let media = Media::of(&beginning);
        let kind = self.kind(&upload.kind)?;
        let is_picture = matches!(media, Media::Picture(_)) && size <= pictures::MAX_PICTURE_BYTES;
        if kind.pictures_only && !is_picture {
            return Err(Error::field("files", "error-file-picture"));
        }
        let picture = if is_picture {
            Picture::Waiting
        } else {
            Picture::None
        };
        let file = File {
            id: FileId::new(),
            kind: upload.kind.clone(),
            place: upload.place,
            owner: upload.owner,
            space: upload.space,
            name: upload.name.clone(),
            media: media.name().to_owned(),
            size: upload.size,
            digest: digest.clone(),
            picture,
            width: None,
            height: None,
            blur: None,
            small: None,
            large: None,
            kept: false,
            created_at: Micros::now(),
        };
        // From the question whether it is stored to the row that needs it, nobody may delete it.
        let _turn = self.0.contents.wait(digest.clone()).await;
        if !store::has_blob(&self.0.db, &digest).await?
            && let Err(error) = self.0.blobs.put_file(&digest, writing.path(), size).await
        {
            // The last byte counts as not received, so that whoever sent it sends it again and it
            // is tried again.
            writing.cut(size - 1).await?;
            return Err(error);
        }
        let (id, upload_id, jobs) = (file.id, upload.id.clone(), self.0.jobs.clone());
        let add = self.0.db.write_queued(async move |tx| {
            store::add(tx, &upload_id, &file).await?;
            if file.picture == Picture::Waiting {
                jobs.add(tx, NewJob::new(picture_job::PICTURE, &file.id))
                    .await?;
            }
            Ok(())
        });
        add.await?;
        self.0.spool.forget(&upload.id).await?;
        Ok(id)
    }

    /// Ends an upload: what came of it is deleted. A file that it became stays.
    pub(super) async fn end_upload(&self, id: &str) -> Result<()> {
        let owned = id.to_owned();
        self.0
            .db
            .write_queued(async move |tx| upload_store::end(tx, &owned).await)
            .await?;
        self.0.spool.forget(id).await
    }
}
