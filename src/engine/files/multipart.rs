//! Forms with files (`multipart/form-data`), for browsers without scripts: each file streams into
//! the spool as an upload does, and the form goes on with the file's id in its place.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use futures_util::StreamExt;

use super::transfers::Transfers;
use super::uploads::UploadRequest;
use crate::base::error::{Error, Result};
use crate::engine::viewer::Viewer;

const MAX_FIELD_BYTES: usize = 384 << 10; // bytes, as of a form without files
const FIELDS: usize = 200;

/// Whether a body is such a form.
fn boundary(headers: &HeaderMap) -> Option<String> {
    multer::parse_boundary(headers.get(header::CONTENT_TYPE)?.to_str().ok()?).ok()
}

/// Takes in a form with files of this kind: its fields as an ordinary form, with the ids of the
/// files under their names. Nothing when it is an ordinary form. The field that names the place
/// comes before the files.
///
/// # Errors
/// As of an upload; files that came before the error are swept later.
pub(in crate::engine) async fn take_form(
    transfers: &Transfers,
    viewer: &Viewer,
    kind: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Vec<u8>> {
    let shape = || Error::field("form", "error-message-shape");
    let boundary = boundary(headers).ok_or_else(shape)?;
    let files = &transfers.files;
    let _place = files.place()?;
    let largest = files.largest(kind)?;
    let sent = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let mut form = multer::Multipart::new(body.into_data_stream(), boundary);
    let mut fields: Vec<(String, String)> = Vec::new();
    while let Some(mut field) = form.next_field().await.map_err(|_| shape())? {
        if fields.len() >= FIELDS {
            return Err(shape());
        }
        let name = field.name().unwrap_or_default().to_owned();
        let Some(file_name) = field.file_name().map(str::to_owned) else {
            let mut value = Vec::new();
            while let Some(piece) = field.chunk().await.map_err(|_| shape())? {
                value.extend_from_slice(&piece);
                if value.len() > MAX_FIELD_BYTES {
                    return Err(Error::TooLarge("error-form-large", MAX_FIELD_BYTES as u64));
                }
            }
            fields.push((name, String::from_utf8(value).map_err(|_| shape())?));
            continue;
        };
        // A field for files in which none was chosen.
        if file_name.is_empty() {
            continue;
        }
        let place_name = files.kind(kind)?.place;
        let place = fields
            .iter()
            .find(|(name, _)| name == place_name)
            .and_then(|(_, value)| value.parse().ok())
            .ok_or_else(shape)?;
        // How large it is nobody says beforehand: it counts as all that is sent until it is known.
        let most = sent.unwrap_or(largest).min(largest).max(1);
        let request = UploadRequest {
            kind: kind.to_owned(),
            place,
            name: file_name,
            size: most,
        };
        let (taking, by) = (transfers.clone(), viewer.clone());
        // A task of its own: what was begun is ended, and its room free again, however early the
        // browser goes.
        let taken =
            tokio::spawn(async move { taking.take_whole(&by, request, field.boxed()).await });
        if let Some(id) = taken
            .await
            .map_err(|error| Error::Internal(error.into()))??
        {
            fields.push((name, id.to_string()));
        }
    }
    serde_html_form::to_string(&fields)
        .map(String::into_bytes)
        .map_err(|error| Error::Internal(error.into()))
}
