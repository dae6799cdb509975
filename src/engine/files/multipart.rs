//! Forms with files (`multipart/form-data`, RFC 7578), for browsers without JavaScript. Each file
//! streams into the spool like an upload; the action gets the file's id as the field's value.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;

use super::transfers::Transfers;
use super::uploads::UploadRequest;
use crate::base::error::{Error, Result};
use crate::engine::viewer::Viewer;

/// The largest text field, in bytes: the same as in a form without files.
const MAX_FIELD_BYTES: usize = 384 << 10;
const MAX_FIELDS: usize = 200;

fn boundary(headers: &HeaderMap) -> Option<String> {
    multer::parse_boundary(headers.get(header::CONTENT_TYPE)?.to_str().ok()?).ok()
}

fn malformed() -> Error {
    Error::field("form", "error-message-shape")
}

/// Reads a form, uploads its files as files of this kind, and returns it URL-encoded with the id of
/// each file as the value of its field. The field with the target has to come before the files.
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
    let boundary = boundary(headers).ok_or_else(malformed)?;
    let files = &transfers.files;
    let _permit = files.permit()?;
    let max_bytes = files.max_bytes(kind)?;
    let content_length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    // The size of a file in a form is unknown before its end: until then the length of the whole
    // form counts against the quotas.
    let reserved = content_length.unwrap_or(max_bytes).min(max_bytes).max(1);
    let target_field = files.kind(kind)?.target_field;
    let mut form = multer::Multipart::new(body.into_data_stream(), boundary);
    let mut fields: Vec<(String, String)> = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|_| malformed())? {
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
        let request = UploadRequest {
            kind: kind.to_owned(),
            target,
            name: file_name,
            size: reserved,
        };
        let (transfers, viewer) = (transfers.clone(), viewer.clone());
        // In a task of its own, which goes on when the browser disconnects and this request is
        // cancelled: otherwise the reserved quota would stay taken until the upload expires.
        let upload = tokio::spawn(async move {
            transfers
                .upload_form_file(&viewer, request, field.boxed())
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

async fn read_text(mut field: multer::Field<'_>) -> Result<String> {
    let mut value = Vec::new();
    while let Some(piece) = field.chunk().await.map_err(|_| malformed())? {
        value.extend_from_slice(&piece);
        if value.len() > MAX_FIELD_BYTES {
            return Err(Error::TooLarge("error-form-large", MAX_FIELD_BYTES as u64));
        }
    }
    String::from_utf8(value).map_err(|_| malformed())
}
