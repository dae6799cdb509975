//! Uploads over tus 1.0 (<https://tus.io/protocols/resumable-upload>): core, creation, termination,
//! checksum, expiration.
//!
//! `Upload-Metadata` has the keys `filename`, `kind` (of file, declared by a module) and `place`
//! (the target), and `intact` for content that stays as it is. The response to the last byte, and to
//! every later `HEAD`, has the file's id in `Tidepool-File`.

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, get, on, options};

use super::Files;
use super::transfers::Transfers;
use super::tus_headers::{metadata, parse_checksum, parse_number};
use super::upload_store::Upload;
use super::uploads::{UploadRequest, UploadState};
use crate::base::error::{Error, Result};
use crate::engine::viewer::Viewer;
use crate::engine::web::problem_response;

const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");
/// The status "Checksum Mismatch", which only tus defines.
const CHECKSUM_MISMATCH: u16 = 460;

fn name(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

/// The routes of `/uploads` and `/files`.
pub(in crate::engine) fn routes(transfers: Transfers) -> Router {
    let upload = on(MethodFilter::HEAD, head)
        .patch(append)
        .delete(end)
        .post(override_method);
    let uploads = Router::new()
        .route("/uploads", options(describe_server).post(begin))
        .route("/uploads/{upload}", upload)
        .layer(from_fn(check_version))
        // The size of an upload is checked against its own limits.
        .layer(axum::extract::DefaultBodyLimit::disable());
    uploads
        .route("/files/{file}/{name}", get(super::serve::serve))
        .with_state(transfers)
}

/// Refuses requests in another version of the protocol, and adds the version to every response.
async fn check_version(request: Request, next: Next) -> Response {
    let is_supported = request.method() == Method::OPTIONS
        || request.headers().get("tus-resumable") == Some(&VERSION);
    let mut response = match is_supported {
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

/// `OPTIONS`: versions, extensions and limits of the server.
async fn describe_server(State(files): State<Files>) -> Response {
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

async fn begin(
    State(transfers): State<Transfers>,
    viewer: Viewer,
    headers: HeaderMap,
) -> Result<Response> {
    let request = || {
        Some(UploadRequest {
            size: parse_number(&headers, "upload-length")?,
            kind: metadata(&headers, "kind")?,
            target: metadata(&headers, "place")?.parse().ok()?,
            name: metadata(&headers, "filename")
                .or_else(|| metadata(&headers, "name"))
                .unwrap_or_default(),
            intact: metadata(&headers, "intact").is_some(),
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
    insert_expiry(&upload, response.headers_mut());
    Ok(response)
}

fn insert_expiry(upload: &Upload, headers: &mut HeaderMap) {
    let at = chrono::DateTime::<chrono::Utc>::from_timestamp_micros(upload.expires_at.0)
        .unwrap_or_default();
    if let Ok(at) = HeaderValue::try_from(at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
        headers.insert(name("upload-expires"), at);
    }
}

/// A response with the state of an upload in its headers.
fn state_response(state: &UploadState, status: StatusCode) -> Response {
    let UploadState { upload, offset } = state;
    let mut response = (status, [("upload-offset", HeaderValue::from(*offset))]).into_response();
    let headers = response.headers_mut();
    match upload.file {
        Some(file) => drop(headers.insert(name("tidepool-file"), file.0.into())),
        None => insert_expiry(upload, headers),
    }
    response
}

async fn head(
    State(files): State<Files>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<Response> {
    let state = files.upload_state(&viewer, &id).await?;
    let mut response = state_response(&state, StatusCode::OK);
    response
        .headers_mut()
        .insert(name("upload-length"), state.upload.size.into());
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
    let Some(offset) = parse_number(&headers, "upload-offset") else {
        return Ok(StatusCode::BAD_REQUEST.into_response());
    };
    let checksum = match headers.get("upload-checksum").map(parse_checksum) {
        Some(None) => return Ok(StatusCode::BAD_REQUEST.into_response()),
        Some(checksum) => checksum,
        None => None,
    };
    let (permit, owner) = (transfers.files.permit(viewer.account)?, viewer.clone());
    // In a task of its own, which goes on when the client disconnects and this request is
    // cancelled: bytes that arrived are written, and a complete upload is stored.
    let appended = tokio::spawn(async move {
        let body = body.into_data_stream();
        transfers
            .append(&owner, &id, offset, checksum, &permit, body)
            .await
    });
    match appended
        .await
        .map_err(|error| Error::Internal(error.into()))?
    {
        Ok(state) => Ok(state_response(&state, StatusCode::NO_CONTENT)),
        Err(error @ Error::Conflict("error-checksum")) => {
            let status = StatusCode::from_u16(CHECKSUM_MISMATCH).unwrap_or(StatusCode::BAD_REQUEST);
            Ok(problem_response(status, &error, viewer.lang))
        }
        Err(error) => Err(error),
    }
}

async fn end(
    State(files): State<Files>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Result<StatusCode> {
    files.own_upload(&viewer, &id).await?;
    // Interrupts a running append, which would write to the deleted file.
    let _writer = files.0.spool.lock(&id).await;
    files.own_upload(&viewer, &id).await?;
    files.end_upload(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `X-HTTP-Method-Override`, for clients behind proxies that only let `POST` through.
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
