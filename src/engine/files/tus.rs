//! Uploads over tus 1.0 (<https://tus.io/protocols/resumable-upload>): core, creation, termination,
//! checksum, expiration.
//!
//! `Upload-Metadata` names `filename`, and `kind` and `place` as modules declare them. The answer
//! to the last byte, and to every later `HEAD`, says the file's id in `Tidepool-File`.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get, on, options};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Files;
use super::checksum::Checksum;
use super::transfers::Transfers;
use super::upload_store::Upload;
use super::uploads::{UploadRequest, UploadState};
use crate::base::error::{Error, Result};
use crate::engine::viewer::Viewer;
use crate::engine::web::problem_response;

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
const MISMATCH: u16 = 460; // the protocol's own status: what came is not what its checksum says

fn name(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

/// `/uploads` and what is below it, and `/files`. A request may take as long as bytes come.
pub(in crate::engine) fn routes(transfers: Transfers) -> Router {
    let one = on(MethodFilter::HEAD, stand)
        .patch(append)
        .delete(end)
        .post(override_method);
    let uploads = Router::new()
        .route("/uploads", options(abilities).post(begin))
        .route("/uploads/{upload}", one)
        .layer(from_fn(speak))
        .layer(axum::extract::DefaultBodyLimit::disable());
    uploads
        .route("/files/{file}/{name}", get(super::serve::give))
        .with_state(transfers)
}

/// Answers in the one version there is, and refuses requests in another.
async fn speak(request: Request, next: Next) -> Response {
    let speaks = request.method() == Method::OPTIONS
        || request.headers().get("tus-resumable") == Some(&VERSION);
    let mut response = match speaks {
        true => next.run(request).await,
        false => (StatusCode::PRECONDITION_FAILED, [("tus-version", VERSION)]).into_response(),
    };
    response
        .headers_mut()
        .insert(name("tus-resumable"), VERSION);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn abilities(State(files): State<Files>) -> Response {
    let headers = [
        ("tus-version", VERSION),
        (
            "tus-extension",
            HeaderValue::from_static("creation,termination,checksum,expiration"),
        ),
        (
            "tus-checksum-algorithm",
            HeaderValue::from_static("sha1,sha256"),
        ),
        ("tus-max-size", (files.0.settings.max_file_mib << 20).into()),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// A value of `Upload-Metadata`: pairs of a key and its value in base64, with commas between.
fn metadata(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let mut pairs = headers
        .get("upload-metadata")?
        .to_str()
        .ok()?
        .split(',')
        .filter_map(|pair| pair.trim().split_once(' '));
    let (_, value) = pairs.find(|(key, _)| *key == wanted)?;
    String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()
}

async fn begin(
    State(transfers): State<Transfers>,
    viewer: Viewer,
    headers: HeaderMap,
) -> Result<Response> {
    let request = || {
        Some(UploadRequest {
            size: number(&headers, "upload-length")?,
            kind: metadata(&headers, "kind")?,
            place: metadata(&headers, "place")?.parse().ok()?,
            name: metadata(&headers, "filename")
                .or_else(|| metadata(&headers, "name"))
                .unwrap_or_default(),
        })
    };
    let Some(request) = request() else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    let upload = transfers.begin(&viewer, request).await?;
    let mut response = (
        StatusCode::CREATED,
        [(header::LOCATION, format!("/uploads/{}", upload.id))],
    )
        .into_response();
    expires(&upload, response.headers_mut());
    Ok(response)
}

fn expires(upload: &Upload, headers: &mut HeaderMap) {
    let at = chrono::DateTime::<chrono::Utc>::from_timestamp_micros(upload.expires_at.0)
        .unwrap_or_default();
    if let Ok(at) = HeaderValue::try_from(at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        headers.insert(name("upload-expires"), at);
    }
}

/// Where an upload stands, as headers.
fn state(state: &UploadState, status: StatusCode) -> Response {
    let UploadState { upload, offset } = state;
    let mut response = (status, [("upload-offset", HeaderValue::from(*offset))]).into_response();
    let headers = response.headers_mut();
    match upload.file {
        Some(file) => drop(headers.insert(name("tidepool-file"), file.0.into())),
        None => expires(upload, headers),
    }
    response
}

async fn stand(
    State(files): State<Files>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response> {
    let stands = files.upload_state(&viewer, &id).await?;
    let mut response = state(&stands, StatusCode::OK);
    response
        .headers_mut()
        .insert(name("upload-length"), stands.upload.size.into());
    Ok(response)
}

async fn append(
    State(transfers): State<Transfers>,
    viewer: Viewer,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    if headers
        .get(header::CONTENT_TYPE)
        .is_none_or(|kind| kind != "application/offset+octet-stream")
    {
        return Ok(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response());
    }
    let Some(offset) = number(&headers, "upload-offset") else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    let sum = match headers.get("upload-checksum").map(checksum) {
        Some(None) => return Ok(StatusCode::BAD_REQUEST.into_response()),
        Some(sum) => sum,
        None => None,
    };
    let (place, by) = (transfers.files.place()?, viewer.clone());
    // A task of its own: what was begun is ended, however early whoever sent it goes.
    let appended = tokio::spawn(async move {
        let _place = place;
        transfers
            .append(&by, &id, offset, sum, body.into_data_stream())
            .await
    });
    match appended
        .await
        .map_err(|error| Error::Internal(error.into()))?
    {
        Ok(stands) => Ok(state(&stands, StatusCode::NO_CONTENT)),
        Err(error @ Error::Conflict("error-checksum")) => {
            let status = StatusCode::from_u16(MISMATCH).unwrap_or(StatusCode::BAD_REQUEST);
            Ok(problem_response(status, &error, viewer.lang))
        }
        Err(error) => Err(error),
    }
}

fn checksum(header: &HeaderValue) -> Option<Checksum> {
    let (algorithm, sum) = header.to_str().ok()?.split_once(' ')?;
    let sum = STANDARD.decode(sum.trim()).ok()?;
    Checksum::new(algorithm, sum)
}

async fn end(
    State(files): State<Files>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    files.own(&viewer, &id).await?;
    // Whoever sends at the moment stops first.
    let _turn = files.0.spool.turn(&id).await;
    files.own(&viewer, &id).await?;
    files.end_upload(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// For clients whose network lets nothing but `POST` through.
async fn override_method(
    state: State<Transfers>,
    viewer: Viewer,
    id: Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    match headers
        .get("x-http-method-override")
        .map(HeaderValue::as_bytes)
    {
        Some(b"PATCH") => append(state, viewer, id, headers, body).await,
        Some(b"DELETE") => Ok(end(State(state.0.files), viewer, id).await?.into_response()),
        _ => Ok(StatusCode::METHOD_NOT_ALLOWED.into_response()),
    }
}
