//! The life of an upload: begun after all limits are checked, appended to, and turned into a file
//! when it is complete.

use std::time::Duration;

use axum::body::Bytes;
use futures_util::Stream;

use super::blobs::Blobs;
use super::checksum::Checksum;
use super::media::{Media, SNIFF_BYTES, normalize_name};
use super::pictures;
use super::send_permits::SendPermit;
use super::spool_writer::SpoolWriter;
use super::store::{self, File, Picture};
use super::transfers::Transfers;
use super::upload_body::{Refusal, paced};
use super::upload_store::{self, Upload};
use super::usage::{self, Quotas};
use super::{FileId, Files, picture_job};
use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::engine::jobs::NewJob;
use crate::engine::viewer::Viewer;

const MIB: u64 = 1 << 20;
/// Disk space that an upload must leave free for everything else, or its own size if that is less.
const MIN_FREE_BYTES: u64 = 64 * MIB;
const MAX_INCOMPLETE_UPLOADS_PER_ACCOUNT: i64 = 100;

/// The announcement of an upload.
pub(super) struct UploadRequest {
    pub(super) kind: String,
    pub(super) target: i64,
    pub(super) name: String,
    pub(super) size: u64,
    /// Whether the content stays as it is, with its metadata.
    pub(super) intact: bool,
}

/// An upload and the number of bytes that have arrived.
pub(super) struct UploadState {
    pub(super) upload: Upload,
    pub(super) offset: u64,
}

impl Transfers {
    /// Begins an upload. All limits are checked here, before the client sends a byte of content.
    pub(super) async fn begin(&self, viewer: &Viewer, request: UploadRequest) -> Result<Upload> {
        let rule = self.rule(&request.kind)?;
        let space = (rule.may_add)(viewer.clone(), request.target).await?;
        let files = &self.files;
        let max_bytes = files.max_bytes(&request.kind)?;
        if request.size > max_bytes {
            return Err(Error::TooLarge("error-file-large", max_bytes));
        }
        if request.size == 0 {
            return Err(Error::field("files", "error-file-empty"));
        }
        let size = i64::try_from(request.size).unwrap_or(i64::MAX);
        files.check_disk_space(request.size)?;
        usage::check_room(&files.0.db, space, size, files.quotas()).await?;
        let incomplete = upload_store::count_incomplete(&files.0.db, viewer.account).await?;
        if incomplete >= MAX_INCOMPLETE_UPLOADS_PER_ACCOUNT {
            return Err(Error::Conflict("error-too-many-uploads"));
        }
        let ttl = Duration::from_secs(files.0.settings.upload_hours * 3600);
        let upload = Upload {
            id: secrets::token(),
            kind: request.kind,
            target: request.target,
            owner: viewer.account,
            space,
            name: normalize_name(&request.name),
            size,
            intact: request.intact,
            file: None,
            expires_at: Micros::now().plus(ttl),
        };
        files.0.spool.create(&upload.id).await?;
        let (row, quotas) = (upload.clone(), files.quotas());
        if let Err(error) = files
            .0
            .db
            .write(async move |tx| upload_store::begin(tx, &row, quotas).await)
            .await
        {
            files.0.spool.delete(&upload.id).await?;
            return Err(error);
        }
        Ok(upload)
    }

    /// Appends a body to an upload at `offset`.
    ///
    /// # Errors
    /// `Conflict` when the upload has another offset, or the body does not match its checksum;
    /// `Full` when the space or the disk has no room; `Unavailable` when the permit was taken back.
    pub(super) async fn append<S, E>(
        &self,
        viewer: &Viewer,
        id: &str,
        offset: u64,
        checksum: Option<Checksum>,
        permit: &SendPermit,
        body: S,
    ) -> Result<UploadState>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    {
        // Checked before locking as well: locking interrupts the owner's running append.
        self.files.own_upload(viewer, id).await?;
        let mut writer = self.files.0.spool.lock(id).await;
        let upload = self.files.own_upload(viewer, id).await?;
        let current = match upload.file {
            Some(_) => upload.size.unsigned_abs(),
            None => writer.length().await?,
        };
        if offset != current {
            return Err(Error::Conflict("error-upload-offset"));
        }
        if upload.file.is_some() {
            return Ok(UploadState { upload, offset });
        }
        // Permission is checked for every body: an upload may be resumed a day later.
        let rule = self.rule(&upload.kind)?;
        (rule.may_add)(viewer.clone(), upload.target).await?;
        // So is the disk, which others may have filled since.
        let missing = upload.size.unsigned_abs() - offset;
        self.files.check_disk_space(missing)?;
        let (db, quotas) = (&self.files.0.db, self.files.quotas());
        usage::check_room(db, upload.space, upload.size, quotas).await?;
        let mut refusal = Refusal::default();
        let sender = (viewer, rule, upload.target);
        let body = self.while_permitted(sender, &mut refusal, paced(body, permit));
        let size = upload.size.unsigned_abs();
        let appended = writer.append(offset, size, checksum, body).await;
        refusal.check()?;
        if !matches!(appended, Ok(offset) if offset == size) {
            permit.check()?;
        }
        self.files
            .store_if_complete(upload, &mut writer, appended?)
            .await
    }
}

impl Files {
    /// The largest file of a kind, in bytes: the lower of the kind's and the settings' limit.
    pub(super) fn max_bytes(&self, kind: &str) -> Result<u64> {
        Ok(self
            .kind(kind)?
            .max_bytes
            .min(self.0.settings.max_file_mib.saturating_mul(MIB)))
    }

    pub(super) fn quotas(&self) -> Quotas {
        let bytes = |mib: u64| i64::try_from(mib.saturating_mul(MIB)).unwrap_or(i64::MAX);
        Quotas {
            account: bytes(self.0.settings.max_files_mib_per_account),
            space: bytes(self.0.settings.max_files_mib_per_space),
        }
    }

    fn check_disk_space(&self, size: u64) -> Result<()> {
        match Blobs::free_bytes(&self.0.settings.data) {
            Some(free) if free < size.saturating_add(MIN_FREE_BYTES.min(size)) => {
                Err(Error::Full("error-disk-full"))
            }
            _ => Ok(()),
        }
    }

    /// Reads an upload of the viewer.
    ///
    /// # Errors
    /// `NotFound`, also when it is another account's or expired.
    pub(super) async fn own_upload(&self, viewer: &Viewer, id: &str) -> Result<Upload> {
        let upload = upload_store::get(&self.0.db, id).await?;
        if upload.owner != viewer.account || upload.expires_at <= Micros::now() {
            return Err(Error::NotFound);
        }
        Ok(upload)
    }

    /// The state of an upload of the viewer. Stores the upload if it is complete and a crash, or a
    /// full disk, kept it from being stored.
    pub(super) async fn upload_state(&self, viewer: &Viewer, id: &str) -> Result<UploadState> {
        let upload = self.own_upload(viewer, id).await?;
        if upload.file.is_some() {
            let offset = upload.size.unsigned_abs();
            return Ok(UploadState { upload, offset });
        }
        let mut writer = self.0.spool.lock(id).await;
        // Read again: the upload may have been completed while this waited for the lock.
        let upload = self.own_upload(viewer, id).await?;
        if upload.file.is_some() {
            let offset = upload.size.unsigned_abs();
            return Ok(UploadState { upload, offset });
        }
        let offset = writer.length().await?;
        self.store_if_complete(upload, &mut writer, offset).await
    }

    /// Takes the permit that a request needs while it sends a body.
    ///
    /// # Errors
    /// As [`SendPermits::take`](super::send_permits::SendPermits::take).
    pub(super) fn permit(&self, account: AccountId) -> Result<SendPermit> {
        self.0.send_permits.take(account)
    }

    /// Stores an upload if all its bytes have arrived. A complete upload is reported as such only
    /// once it is stored. Ends the upload when it can never be stored.
    async fn store_if_complete(
        &self,
        upload: Upload,
        writer: &mut SpoolWriter,
        offset: u64,
    ) -> Result<UploadState> {
        if offset < upload.size.unsigned_abs() {
            return Ok(UploadState { upload, offset });
        }
        match self.store(&upload, writer).await {
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

    /// Turns a complete upload into a file: stores its content, then its rows.
    pub(super) async fn store(&self, upload: &Upload, writer: &mut SpoolWriter) -> Result<FileId> {
        let size = upload.size.unsigned_abs();
        let quotas = self.quotas();
        let room = usage::check_room(&self.0.db, upload.space, upload.size, quotas).await;
        if let Err(error) = room {
            writer.truncate(size - 1).await?; // as below
            return Err(error);
        }
        let (digest, head) = if upload.intact {
            writer.digest(size, SNIFF_BYTES).await?
        } else {
            writer.digest_without_metadata(size, SNIFF_BYTES).await?
        };
        let file = self.new_file(upload, digest.clone(), &head)?;
        // Held until the row is written, so that nobody deletes the content before it.
        let _guard = self.lock_contents(vec![digest.clone()]).await?;
        if !store::has_blob(&self.0.db, &digest).await?
            && let Err(error) = self.0.blobs.put_file(&digest, writer.path(), size).await
        {
            // Without its last byte the upload is incomplete: the client sends that again, and with
            // it tries to store the file again.
            writer.truncate(size - 1).await?;
            return Err(error);
        }
        let (id, upload_id, jobs) = (file.id, upload.id.clone(), self.0.jobs.clone());
        let add = self.0.db.write_queued(async move |tx| {
            store::add(tx, &upload_id, &file, quotas).await?;
            if file.picture == Picture::Waiting {
                let job = NewJob::new(picture_job::PICTURE, &file.id).account(file.owner);
                jobs.add(tx, job).await?;
            }
            Ok(())
        });
        add.await?;
        self.0.spool.delete(&upload.id).await?;
        Ok(id)
    }

    /// The row of the file that a complete upload becomes, whose content begins with `head`.
    ///
    /// # Errors
    /// `Invalid` when the kind takes only pictures and this is none.
    fn new_file(&self, upload: &Upload, digest: String, head: &[u8]) -> Result<File> {
        let media = Media::sniff(head);
        let kind = self.kind(&upload.kind)?;
        let size = upload.size.unsigned_abs();
        let is_picture = matches!(media, Media::Picture(_)) && size <= pictures::MAX_PICTURE_BYTES;
        if kind.pictures_only && !is_picture {
            return Err(Error::field("files", "error-file-picture"));
        }
        let picture = if is_picture {
            Picture::Waiting
        } else {
            Picture::None
        };
        // So that pages can reserve its space while it is processed.
        let pixels = is_picture
            .then(|| pictures::announced_size(head, media.name()))
            .flatten();
        Ok(File {
            id: FileId::new(),
            kind: upload.kind.clone(),
            target: upload.target,
            owner: upload.owner,
            space: upload.space,
            name: upload.name.clone(),
            media: media.name().to_owned(),
            size: upload.size,
            charged: upload.size,
            digest,
            picture,
            width: pixels.map(|(width, _)| width.into()),
            height: pixels.map(|(_, height)| height.into()),
            blur: None,
            small: None,
            large: None,
            animated: false,
            intact: upload.intact,
            is_claimed: false,
            created_at: Micros::now(),
        })
    }

    /// Deletes an upload and its spool file. The file that it may have become stays.
    pub(super) async fn end_upload(&self, id: &str) -> Result<()> {
        let owned = id.to_owned();
        self.0
            .db
            .write_queued(async move |tx| upload_store::end(tx, &owned).await)
            .await?;
        self.0.spool.delete(id).await
    }
}
