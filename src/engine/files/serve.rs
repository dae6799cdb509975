//! Serving files. Permission is checked at every request, by the rule of the file's kind.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::media::Media;
use super::store::{File, Picture};
use super::transfers::Transfers;
use super::{FileId, Files};
use crate::base::error::{Error, Result};
use crate::engine::viewer::Viewer;

/// The content security policy of a file that is opened as a document: no scripts, no origin.
const SANDBOX: &str = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; \
    sandbox; frame-ancestors 'none'";

/// How a file is wanted: the query of its address.
#[derive(Deserialize)]
pub struct ServeOptions {
    size: Option<Size>,
    /// Present without a value: `?save`.
    save: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Large,
}

/// `GET /files/<id>/<name>`, with `?size=small` or `large` for a picture, or `?save` for a
/// download. The name only makes the URL readable and is ignored.
pub(super) async fn serve(
    State(transfers): State<Transfers>,
    viewer: Viewer,
    Path((id, _)): Path<(FileId, String)>,
    Query(options): Query<ServeOptions>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let files = &transfers.files;
    let file = files.file(id).await?;
    match file.is_claimed {
        true => (transfers.rule(&file.kind)?.may_read)(viewer, file.clone()).await?,
        false if file.owner == viewer.account => {}
        false => return Err(Error::NotFound),
    }
    let answer = files.answer(&file, &options, &method, &headers, "private, no-cache");
    answer.await
}

/// A GIF of one transparent pixel.
const TRANSPARENT_PIXEL: &[u8; 43] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0\
    \x21\xf9\x04\x01\0\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b";

impl Files {
    /// Responds with the content of a file, or a range of it. The caller checks permission.
    ///
    /// # Errors
    /// `NotFound` for a picture that is not processed yet, and for a size that it does not have.
    pub async fn answer(
        &self,
        file: &File,
        options: &ServeOptions,
        method: &Method,
        headers: &HeaderMap,
        cache_control: &'static str,
    ) -> Result<Response> {
        // Until it is processed, a picture may say where it was taken.
        if file.picture == Picture::Waiting {
            return Err(Error::NotFound);
        }
        let (digest, size, media) = self.content(file, options.size).await?;
        let media = match options.save {
            Some(_) => Media::Other,
            None => media,
        };
        let tag = etag(&digest)?;
        let mut response = Response::new(Body::empty());
        let answer = response.headers_mut();
        insert_headers(answer, &tag, cache_control);
        answer.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if lists_tag(headers, header::IF_NONE_MATCH, &tag) == Some(true) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.name()));
        answer.insert(
            header::CONTENT_DISPOSITION,
            disposition(&file.name, media == Media::Other)?,
        );
        // `If-Range` with an older tag: the client has part of content that has changed since, so it
        // gets all of the new content (RFC 9110, section 13.1.5).
        let range = headers
            .get(header::RANGE)
            .filter(|_| lists_tag(headers, header::IF_RANGE, &tag) != Some(false));
        let (from, to) = match range.map(|range| parse_range(range, size)) {
            None | Some(ByteRange::All) => (0, size),
            Some(ByteRange::Part(from, to)) => {
                *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                let range = HeaderValue::try_from(format!("bytes {from}-{}/{size}", to - 1))
                    .map_err(|error| Error::Internal(error.into()))?;
                response.headers_mut().insert(header::CONTENT_RANGE, range);
                (from, to)
            }
            Some(ByteRange::Unsatisfiable) => {
                let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
                return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
            }
        };
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, (to - from).into());
        if method != Method::HEAD {
            *response.body_mut() = Body::from_stream(self.0.blobs.get(&digest, from, to).await?);
        }
        Ok(response)
    }

    /// Responds with the small version of a picture, or with one transparent pixel while there is
    /// none, so that an `<img>` is invisible instead of broken. For URLs that stay the same when
    /// the picture is replaced. The caller checks permission.
    ///
    /// # Errors
    /// When the database or the content store cannot be read.
    pub async fn small_picture(
        &self,
        id: Option<FileId>,
        cache_control: &'static str,
        headers: &HeaderMap,
    ) -> Result<Response> {
        let digest = match id {
            None => None,
            Some(id) => match self.file(id).await {
                Ok(file) => file.small.filter(|_| file.picture == Picture::Made),
                Err(Error::NotFound) => None,
                Err(error) => return Err(error),
            },
        };
        let tag = etag(digest.as_deref().unwrap_or("none"))?;
        let mut response = Response::new(Body::empty());
        insert_headers(response.headers_mut(), &tag, cache_control);
        if lists_tag(headers, header::IF_NONE_MATCH, &tag) == Some(true) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        let (media, size, body) = match digest {
            None => (
                "image/gif",
                TRANSPARENT_PIXEL.len() as u64,
                Body::from(TRANSPARENT_PIXEL.as_slice()),
            ),
            Some(digest) => {
                let (size, media) = super::store::blob_info(&self.0.db, &digest).await?;
                let size = size.unsigned_abs();
                let content = self.0.blobs.get(&digest, 0, size).await?;
                (media.name(), size, Body::from_stream(content))
            }
        };
        let answer = response.headers_mut();
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        answer.insert(header::CONTENT_LENGTH, size.into());
        *response.body_mut() = body;
        Ok(response)
    }

    /// Digest, size in bytes and media type of a file's content, or of a smaller version of it.
    async fn content(&self, file: &File, size: Option<Size>) -> Result<(String, u64, Media)> {
        let smaller = match size {
            Some(Size::Small) => file.small.as_ref(),
            Some(Size::Large) => file.large.as_ref(),
            None => return Ok((file.digest.clone(), file.size.unsigned_abs(), file.media())),
        };
        let digest = smaller.ok_or(Error::NotFound)?;
        let (bytes, media) = super::store::blob_info(&self.0.db, digest).await?;
        Ok((digest.clone(), bytes.unsigned_abs(), media))
    }
}

/// The entity tag: 128 bits of the digest.
fn etag(digest: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(format!("\"{}\"", &digest[..32.min(digest.len())]))
        .map_err(|error| Error::Internal(error.into()))
}

/// Whether a header lists this entity tag; nothing if the request does not have the header.
fn lists_tag(headers: &HeaderMap, name: HeaderName, tag: &HeaderValue) -> Option<bool> {
    let tags = headers.get(name)?.to_str().ok()?;
    Some(
        tags.split(',')
            .any(|one| one.trim().as_bytes() == tag.as_bytes()),
    )
}

/// Inserts the headers of every response, which a 304 has to repeat (RFC 9110, section 15.4.5).
fn insert_headers(answer: &mut HeaderMap, tag: &HeaderValue, cache_control: &'static str) {
    answer.insert(header::ETAG, tag.clone());
    for (name, value) in [
        (header::CACHE_CONTROL, cache_control),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        answer.insert(name, HeaderValue::from_static(value));
    }
}

/// A requested range of bytes, with an exclusive end.
#[derive(Debug, PartialEq, Eq)]
enum ByteRange {
    All,
    Part(u64, u64),
    Unsatisfiable,
}

/// Parses `Range` with a single range (RFC 9110, section 14.2). A header with several ranges, or an
/// invalid one, is ignored, which the RFC allows.
fn parse_range(range: &HeaderValue, size: u64) -> ByteRange {
    let parse = || {
        let (from, to) = range
            .to_str()
            .ok()?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        let (from, to) = (from.trim(), to.trim());
        if from.is_empty() {
            let last: u64 = to.parse().ok()?;
            return Some(if last == 0 {
                None
            } else {
                Some((size.saturating_sub(last), size))
            });
        }
        let from: u64 = from.parse().ok()?;
        let to = if to.is_empty() {
            size
        } else {
            to.parse::<u64>().ok()?.saturating_add(1).min(size)
        };
        Some(Some((from, to)).filter(|(from, to)| from < to))
    };
    match parse() {
        None => ByteRange::All,
        Some(Some((from, to))) if from < size => ByteRange::Part(from, to),
        Some(_) => ByteRange::Unsatisfiable,
    }
}

/// `Content-Disposition` (RFC 6266) with the name in ASCII, and in full in the encoding of RFC
/// 8187.
fn disposition(name: &str, is_download: bool) -> Result<HeaderValue> {
    let ascii: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !"\"\\%".contains(c) || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .collect();
    let mut full = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                full.push(char::from(byte))
            }
            other => full.push_str(&format!("%{other:02X}")),
        }
    }
    let kind = if is_download { "attachment" } else { "inline" };
    HeaderValue::try_from(format!(
        "{kind}; filename=\"{ascii}\"; filename*=UTF-8''{full}"
    ))
    .map_err(|error| Error::Internal(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_is_parsed_ignored_or_refused() {
        for (range, expected) in [
            ("bytes=0-", ByteRange::Part(0, 100)),
            ("bytes=10-19", ByteRange::Part(10, 20)),
            ("bytes=90-1000", ByteRange::Part(90, 100)),
            ("bytes=-5", ByteRange::Part(95, 100)),
            ("bytes=-500", ByteRange::Part(0, 100)),
            ("bytes=100-", ByteRange::Unsatisfiable),
            ("bytes=-0", ByteRange::Unsatisfiable),
            ("bytes=20-10", ByteRange::Unsatisfiable),
            ("bytes=0-1,5-6", ByteRange::All),
            ("items=0-1", ByteRange::All),
            ("bytes=a-b", ByteRange::All),
        ] {
            assert_eq!(
                parse_range(&HeaderValue::from_static(range), 100),
                expected,
                "{range}"
            );
        }
    }

    #[test]
    fn file_name_is_escaped_in_disposition() {
        let header = disposition("a\"b\\ ü.png", true).unwrap();
        assert_eq!(
            header.to_str().unwrap(),
            "attachment; filename=\"a_b_ _.png\"; filename*=UTF-8''a%22b%5C%20%C3%BC.png"
        );
    }
}
