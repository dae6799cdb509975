//! Giving files out: to who may see what they are part of, asked for every request.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::media::Media;
use super::store::{File, Picture};
use super::{FileId, Files};
use crate::base::error::{Error, Result};
use crate::engine::viewer::Viewer;

/// What a browser may do with a file that it opens by itself: nothing.
const SANDBOX: &str = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

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
    State(files): State<Files>,
    viewer: Viewer,
    Path((id, _)): Path<(FileId, String)>,
    Query(how): Query<How>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let file = files.file(id).await?;
    match file.kept {
        true => (files.kind(&file.kind)?.may_read)(viewer, file.clone()).await?,
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
    let tag = HeaderValue::try_from(format!("\"{}\"", &digest[..32.min(digest.len())]))
        .map_err(|error| Error::Internal(error.into()))?;
    let mut response = Response::new(Body::empty());
    let answer = response.headers_mut();
    answer.insert(header::ETAG, tag.clone());
    answer.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    answer.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(SANDBOX),
    );
    answer.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    let known = |name| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(|tags| {
                tags.split(',')
                    .any(|one| one.trim().as_bytes() == tag.as_bytes())
            })
    };
    if known(header::IF_NONE_MATCH) == Some(true) {
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
        .filter(|_| known(header::IF_RANGE) != Some(false));
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

impl Files {
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
