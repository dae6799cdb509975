//! The headers of tus: numbers, metadata and checksums.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checksum::Checksum;

/// The number in a header; `None` without the header, or when it is no number.
pub(super) fn parse_number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}

/// A value of `Upload-Metadata`, which is a list of `key base64(value)` separated by commas. An
/// empty value may be left out.
pub(super) fn metadata(headers: &HeaderMap, wanted: &str) -> Option<String> {
    let mut pairs = headers
        .get("upload-metadata")?
        .to_str()
        .ok()?
        .split(',')
        .map(|pair| pair.trim().split_once(' ').unwrap_or((pair.trim(), "")));
    let (_, value) = pairs.find(|(key, _)| *key == wanted)?;
    String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()
}

/// Parses `Upload-Checksum`: an algorithm and the checksum in Base64.
pub(super) fn parse_checksum(header: &HeaderValue) -> Option<Checksum> {
    let (algorithm, checksum) = header.to_str().ok()?.split_once(' ')?;
    let checksum = STANDARD.decode(checksum.trim()).ok()?;
    Checksum::new(algorithm, checksum)
}
