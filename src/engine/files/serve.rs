//! Giving files out: to who may see what they are part of, asked for every request.

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

/// What a browser may do with a file that it opens by itself: nothing.
const SANDBOX: &str = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; \
    sandbox; frame-ancestors 'none'";

#[derive(Deserialize)]
pub(super) struct How {
    size: Option<Size>,
    save: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Large,
}

/// `GET /files/<id>/<name>`, with `?size=small` or `large` for a picture, or `?save`. The name is
/// for people.
pub(super) async fn give(
    State(transfers): State<Transfers>,
    viewer: Viewer,
    Path((id, _)): Path<(FileId, String)>,
    Query(how): Query<How>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let files = &transfers.files;
    let file = files.file(id).await?;
    match file.kept {
        true => (transfers.rule(&file.kind)?.may_read)(viewer, file.clone()).await?,
        false if file.owner == viewer.account => {}
        false => return Err(Error::NotFound),
    }
    // What came is shown to nobody: it may hold more than the picture, such as where it was taken.
    if file.picture == Picture::Waiting {
        return Err(Error::NotFound);
    }
    let (digest, size, media) = files.chosen(&file, how.size).await?;
    let media = if how.save.is_some() {
        Media::Other
    } else {
        media
    };
    let tag = etag(&digest)?;
    let mut response = Response::new(Body::empty());
    let answer = response.headers_mut();
    insert_headers(answer, &tag, "private, no-cache");
    answer.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if lists_tag(&headers, header::IF_NONE_MATCH, &tag) == Some(true) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Ok(response);
    }
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(media.name()));
    answer.insert(
        header::CONTENT_DISPOSITION,
        disposition(&file.name, media == Media::Other)?,
    );
    // A range of what has changed meanwhile is not what was asked for.
    let ranged = headers
        .get(header::RANGE)
        .filter(|_| lists_tag(&headers, header::IF_RANGE, &tag) != Some(false));
    let (from, to) = match ranged.map(|range| range_of(range, size)) {
        None | Some(Ranged::All) => (0, size),
        Some(Ranged::Part(from, to)) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let range = HeaderValue::try_from(format!("bytes {from}-{}/{size}", to - 1))
                .map_err(|error| Error::Internal(error.into()))?;
            response.headers_mut().insert(header::CONTENT_RANGE, range);
            (from, to)
        }
        Some(Ranged::Outside) => {
            let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
    };
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, (to - from).into());
    if method != Method::HEAD {
        *response.body_mut() = Body::from_stream(files.0.blobs.get(&digest, from, to).await?);
    }
    Ok(response)
}

/// One transparent pixel: a GIF.
const TRANSPARENT_PIXEL: &[u8; 43] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\0\0\0\
    \x21\xf9\x04\x01\0\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b";

impl Files {
    /// Answers with the small picture made of a file, or with one transparent pixel while there is
    /// none: an `<img>` of it is then invisible. Its address can stay the same when the file is
    /// replaced. Whether the reader may see it is for the caller to ask.
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
                let (size, media) = super::store::blob_of(&self.0.db, &digest).await?;
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

    /// The content that is asked for: digest, size in bytes and media.
    async fn chosen(&self, file: &File, size: Option<Size>) -> Result<(String, u64, Media)> {
        let pictured = match size {
            Some(Size::Small) => file.small.as_ref(),
            Some(Size::Large) => file.large.as_ref(),
            None => return Ok((file.digest.clone(), file.size.unsigned_abs(), file.media())),
        };
        let digest = pictured.ok_or(Error::NotFound)?;
        let (bytes, media) = super::store::blob_of(&self.0.db, digest).await?;
        Ok((digest.clone(), bytes.unsigned_abs(), media))
    }
}

/// The entity tag of content with this digest.
fn etag(digest: &str) -> Result<HeaderValue> {
    HeaderValue::try_from(format!("\"{}\"", &digest[..32.min(digest.len())]))
        .map_err(|error| Error::Internal(error.into()))
}

/// Whether a header of a request lists this entity tag, if the request has it.
fn lists_tag(headers: &HeaderMap, name: HeaderName, tag: &HeaderValue) -> Option<bool> {
    let tags = headers.get(name)?.to_str().ok()?;
    Some(
        tags.split(',')
            .any(|one| one.trim().as_bytes() == tag.as_bytes()),
    )
}

/// What every answer says, a 304 included.
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

/// What is asked for of so many bytes.
#[derive(Debug, PartialEq, Eq)]
enum Ranged {
    All,
    Part(u64, u64),
    Outside,
}

/// One range (RFC 9110, section 14). Several at once, and what is not understood, get all of it.
fn range_of(range: &HeaderValue, size: u64) -> Ranged {
    let asked = || {
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
    match asked() {
        None => Ranged::All,
        Some(Some((from, to))) if from < size => Ranged::Part(from, to),
        Some(_) => Ranged::Outside,
    }
}

/// How a file is to be taken and what it is called (RFC 6266), in ASCII and in full.
fn disposition(name: &str, save: bool) -> Result<HeaderValue> {
    let plain: String = name
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
    let kind = if save { "attachment" } else { "inline" };
    HeaderValue::try_from(format!(
        "{kind}; filename=\"{plain}\"; filename*=UTF-8''{full}"
    ))
    .map_err(|error| Error::Internal(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_one_stretch_or_all_or_refused() {
        for (range, gets) in [
            ("bytes=0-", Ranged::Part(0, 100)),
            ("bytes=10-19", Ranged::Part(10, 20)),
            ("bytes=90-1000", Ranged::Part(90, 100)),
            ("bytes=-5", Ranged::Part(95, 100)),
            ("bytes=-500", Ranged::Part(0, 100)),
            ("bytes=100-", Ranged::Outside),
            ("bytes=-0", Ranged::Outside),
            ("bytes=20-10", Ranged::Outside),
            ("bytes=0-1,5-6", Ranged::All),
            ("items=0-1", Ranged::All),
            ("bytes=a-b", Ranged::All),
        ] {
            assert_eq!(
                range_of(&HeaderValue::from_static(range), 100),
                gets,
                "{range}"
            );
        }
    }

    #[test]
    fn a_name_cannot_leave_its_header() {
        let header = disposition("a\"b\\ ü.png", true).unwrap();
        assert_eq!(
            header.to_str().unwrap(),
            "attachment; filename=\"a_b_ _.png\"; filename*=UTF-8''a%22b%5C%20%C3%BC.png"
        );
    }
}
