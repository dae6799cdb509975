//! What the bucket answers to S3 requests.

use std::collections::{BTreeMap, HashMap};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Bucket, Fault, Inner};

fn xml(text: String) -> Response {
    (
        [(header::CONTENT_TYPE, "application/xml")],
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{text}"),
    )
        .into_response()
}

pub(super) async fn answer(State(bucket): State<Bucket>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let fault = bucket.inner.lock().expect("the bucket is whole").fault;
    match fault {
        Fault::Fails => {
            bucket.inner.lock().expect("the bucket is whole").refused += 1;
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        Fault::BucketMissing => return StatusCode::NOT_FOUND.into_response(),
        Fault::Stalls => std::future::pending::<()>().await,
        _ => {}
    }
    if !head
        .headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| {
            value
                .as_bytes()
                .starts_with(b"AWS4-HMAC-SHA256 Credential=key/")
        })
    {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Ok(mut body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Some(key) = head
        .uri
        .path()
        .strip_prefix("/tides")
        .map(|key| key.trim_start_matches('/').to_owned())
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let query: HashMap<String, String> =
        serde_html_form::from_str(head.uri.query().unwrap_or_default()).expect("a query");
    let is_broken = matches!(fault, Fault::Truncates | Fault::Shortens);
    if is_broken && head.method == Method::PUT {
        body.truncate(body.len() / 2);
    }
    let mut inner = bucket.inner.lock().expect("the bucket is whole");
    let upload = query.get("uploadId").cloned().unwrap_or_default();
    match head.method {
        Method::GET if key.is_empty() => list(&inner),
        Method::GET => match inner.objects.get(&key) {
            Some(content) => get(content, &head.headers, fault),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::HEAD => match inner.objects.get(&key) {
            Some(content) => (
                [
                    (header::CONTENT_LENGTH, content.len().to_string()),
                    (header::ETAG, tag()),
                    modified(),
                ],
                (),
            )
                .into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::PUT => {
            match query
                .get("partNumber")
                .and_then(|number| number.parse().ok())
            {
                Some(number) => match inner.parts.get_mut(&upload) {
                    Some(parts) => drop(parts.insert(number, body.into())),
                    None => return StatusCode::NOT_FOUND.into_response(),
                },
                None => drop(inner.objects.insert(key, body.into())),
            }
            [(header::ETAG, tag())].into_response()
        }
        Method::POST if query.contains_key("uploads") => {
            inner.begun += 1;
            let id = format!("parts-{}", inner.begun);
            inner.parts.insert(id.clone(), BTreeMap::new());
            let name = format!("<Bucket>tides</Bucket><Key>{key}</Key><UploadId>{id}</UploadId>");
            xml(format!(
                "<InitiateMultipartUploadResult>{name}</InitiateMultipartUploadResult>"
            ))
        }
        Method::POST if query.contains_key("uploadId") => {
            let Some(parts) = inner.parts.remove(&upload) else {
                return StatusCode::NOT_FOUND.into_response();
            };
            inner.completed += 1;
            let whole = parts.into_values().collect::<Vec<_>>().concat();
            inner.objects.insert(key.clone(), whole);
            if fault == Fault::FailsAfterCompleting {
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
            let name = format!(
                "<Bucket>tides</Bucket><Key>{key}</Key><ETag>{}</ETag>",
                tag()
            );
            xml(format!(
                "<CompleteMultipartUploadResult>{name}</CompleteMultipartUploadResult>"
            ))
        }
        Method::POST if query.contains_key("delete") => {
            let asked = String::from_utf8_lossy(&body).into_owned();
            let keys = asked
                .split("<Key>")
                .skip(1)
                .filter_map(|rest| rest.split_once("</Key>"))
                .map(|(key, _)| key.to_owned());
            let mut deleted = String::new();
            for key in keys {
                inner.objects.remove(&key);
                deleted.push_str(&format!("<Deleted><Key>{key}</Key></Deleted>"));
            }
            xml(format!("<DeleteResult>{deleted}</DeleteResult>"))
        }
        Method::DELETE if !upload.is_empty() => match inner.parts.remove(&upload) {
            Some(_) => StatusCode::NO_CONTENT.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
        Method::DELETE => {
            inner.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

fn tag() -> String {
    "\"whole\"".to_owned()
}

fn modified() -> (header::HeaderName, String) {
    (
        header::LAST_MODIFIED,
        "Thu, 01 Jan 2026 00:00:00 GMT".to_owned(),
    )
}

fn list(inner: &Inner) -> Response {
    let object = |(key, content): (&String, &Vec<u8>)| {
        let size = content.len();
        format!(
            "<Contents><Key>{key}</Key><LastModified>2020-01-01T00:00:00.000Z</LastModified>\
             <Size>{size}</Size></Contents>"
        )
    };
    let contents: String = inner.objects.iter().map(object).collect();
    xml(format!(
        "<ListBucketResult><Name>tides</Name><IsTruncated>false</IsTruncated>\
         {contents}</ListBucketResult>"
    ))
}

fn get(content: &[u8], headers: &HeaderMap, fault: Fault) -> Response {
    let size = content.len();
    let asked = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok()?.strip_prefix("bytes=")?.split_once('-'));
    let (from, to) = asked.map_or((0, size), |(from, to)| {
        (
            from.parse().expect("a number"),
            to.parse().map_or(size, |to: usize| (to + 1).min(size)),
        )
    });
    let part = &content[from.min(size)..to];
    let is_cut = matches!(fault, Fault::Truncates | Fault::Shortens);
    let sent = if is_cut { part.len() / 2 } else { part.len() };
    let announced = if fault == Fault::Shortens {
        sent
    } else {
        part.len()
    };
    let first = Bytes::copy_from_slice(&part[..sent]);
    let body = match fault {
        Fault::Truncates => {
            let gone = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "gone");
            Body::from_stream(futures_util::stream::iter([Ok(first), Err(gone)]))
        }
        _ => Body::from(first),
    };
    let range = format!("bytes {from}-{}/{size}", to.saturating_sub(1));
    let status = if asked.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let told = [
        (header::CONTENT_LENGTH, announced.to_string()),
        (header::CONTENT_RANGE, range),
        (header::ETAG, tag()),
        modified(),
    ];
    (status, told, body).into_response()
}
