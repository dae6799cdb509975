//! Forms with files (`multipart/form-data`, RFC 7578), for browsers without JavaScript. Each file
//! streams into the spool like an upload; the action gets the file's id as the field's value.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use futures_util::{Stream, StreamExt};

use super::FileId;
use super::multipart_body::{TextBytes, parse_boundary};
use super::send_permits::SendPermit;
use super::transfers::Transfers;
use super::upload_body::{Refusal, paced};
use super::upload_store::{self, Upload};
use super::uploads::UploadRequest;
use crate::base::error::{Error, Result};
use crate::engine::forms::MAX_FORM_BYTES;
use crate::engine::viewer::Viewer;

const MAX_FIELDS: usize = 200;
/// The field that says, before the files, that they stay as they are.
const INTACT_FIELD: &str = "intact";

fn malformed() -> Error {
    Error::field("form", "error-message-shape")
}

/// Reads a form, uploads its files as files of this kind, and returns it URL-encoded with the id of
/// each file as the value of its field. The field with the target has to come before the files, as
/// has `intact`, with any value for files that keep their metadata.
///
/// # Errors
/// `Invalid` when the form is malformed; those of an upload. Files uploaded before the error are
/// unclaimed and deleted by the sweep job.
pub(in crate::engine) async fn take_form(
    transfers: &Transfers,
    viewer: &Viewer,
    kind: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<u8>> {
    let permit = transfers.files.permit(viewer.account)?;
    let read = read_form(transfers, viewer, kind, headers, paced_body(body, &permit)).await;
    // What breaks off for lack of its permit seems malformed to the parser.
    read.map_err(|error| permit.check().err().unwrap_or(error))
}

fn paced_body(
    body: Body,
    permit: &SendPermit,
) -> impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<> {
    paced(body.into_data_stream(), permit)
}

async fn read_form(
    transfers: &Transfers,
    viewer: &Viewer,
    kind: &str,
    headers: &HeaderMap,
    body: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
) -> Result<Vec<u8>> {
    let boundary = parse_boundary(headers).ok_or_else(malformed)?;
    let files = &transfers.files;
    let max_bytes = files.max_bytes(kind)?;
    let content_length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    // The size of a file in a form is unknown before its end: until then the length of the whole
    // form counts against the quotas.
    let reserved = content_length.unwrap_or(max_bytes).min(max_bytes).max(1);
    let target_field = files.kind(kind)?.target_field;
    let text_bytes = TextBytes::default();
    let body = text_bytes.clone().count(body);
    let mut form = multer::Multipart::new(body, boundary);
    let mut fields: Vec<(String, String)> = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|error| refuse(&error))? {
        if fields.len() >= MAX_FIELDS {
            return Err(malformed());
        }
        let name = field.name().unwrap_or_default().to_owned();
        let Some(file_name) = field.file_name().map(str::to_owned) else {
            fields.push((name, read_text(field).await?));
            continue;
        };
        // Browsers send a file field in which nothing was chosen with an empty file name.
        if file_name.is_empty() {
            continue;
        }
        let target = fields
            .iter()
            .find(|(name, _)| name == target_field)
            .and_then(|(_, value)| value.parse().ok())
            .ok_or_else(malformed)?;
        let intact = fields
            .iter()
            .any(|(name, value)| name == INTACT_FIELD && !value.is_empty());
        let request = UploadRequest {
            kind: kind.to_owned(),
            target,
            name: file_name,
            size: reserved,
            intact,
        };
        let (transfers, viewer) = (transfers.clone(), viewer.clone());
        // In a task of its own, which goes on when the browser disconnects and this request is
        // cancelled: otherwise the reserved quota would stay taken until the upload expires.
        let text_bytes = text_bytes.clone();
        let content = field.inspect(move |piece| {
            text_bytes.subtract(piece.as_ref().map_or(0, Bytes::len));
        });
        let upload = tokio::spawn(async move {
            transfers
                .upload_form_file(&viewer, request, content.boxed())
                .await
        });
        let id = upload
            .await
            .map_err(|error| Error::Internal(error.into()))??;
        if let Some(id) = id {
            fields.push((name, id.to_string()));
        }
    }
    serde_html_form::to_string(&fields)
        .map(String::into_bytes)
        .map_err(|error| Error::Internal(error.into()))
}

async fn read_text(field: multer::Field<'_>) -> Result<String> {
    let value = field.bytes().await.map_err(|error| refuse(&error))?;
    String::from_utf8(value.into()).map_err(|_| malformed())
}

/// The error of a form that cannot be parsed: it is too large, or malformed.
fn refuse(error: &multer::Error) -> Error {
    let is_too_large = match error {
        multer::Error::StreamReadFailed(source) => source
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::FileTooLarge),
        _ => false,
    };
    if is_too_large {
        Error::TooLarge("error-form-large", MAX_FORM_BYTES as u64)
    } else {
        malformed()
    }
}

impl Transfers {
    /// Uploads a file of a form. Its size is unknown before its end, `request.size` bytes at most.
    /// Nothing when it is empty.
    async fn upload_form_file<S, E>(
        &self,
        viewer: &Viewer,
        request: UploadRequest,
        body: S,
    ) -> Result<Option<FileId>>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send + Unpin,
    {
        let upload = self.begin(viewer, request).await?;
        let (mut is_broken, mut refusal) = (false, Refusal::default());
        let sender = (viewer, self.rule(&upload.kind)?, upload.target);
        let body = self.while_permitted(sender, &mut refusal, body);
        let body = body.inspect(|piece| is_broken |= piece.is_err());
        let mut writer = self.files.0.spool.lock(&upload.id).await;
        let max_bytes = upload.size.unsigned_abs();
        let stored = match writer.append(0, max_bytes, None, Box::pin(body)).await {
            Ok(size) if size > 0 && !is_broken => {
                let (id, size) = (upload.id.clone(), i64::try_from(size).unwrap_or(i64::MAX));
                self.files
                    .0
                    .db
                    .write(async move |tx| upload_store::resize(tx, &id, size).await)
                    .await?;
                let resized = Upload {
                    size,
                    ..upload.clone()
                };
                self.files.store(&resized, &mut writer).await.map(Some)
            }
            Ok(_) => Ok(None),
            Err(Error::TooLarge(..)) => Err(Error::TooLarge(
                "error-file-large",
                self.files.max_bytes(&upload.kind)?,
            )),
            Err(error) => Err(error),
        };
        if !matches!(stored, Ok(Some(_))) {
            self.files.end_upload(&upload.id).await?;
        }
        refusal.check()?;
        if is_broken {
            Err(Error::field("form", "error-message-shape"))
        } else {
            stored
        }
    }
}
