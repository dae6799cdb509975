//! Reads any bytes as the headers of an upload: nothing may panic, and what was written must be read.
#![no_main]
#![allow(dead_code)]

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;

#[path = "../../src/engine/files"]
mod files {
    pub mod checksum;
    pub mod tus_headers;

    use axum::http::{HeaderMap, HeaderValue};

    pub fn number(headers: &HeaderMap) -> Option<u64> {
        tus_headers::parse_number(headers, "upload-length")
    }

    pub fn metadata(headers: &HeaderMap, key: &str) -> Option<String> {
        tus_headers::metadata(headers, key)
    }

    /// Whether the header is a checksum, and that of `body`.
    pub fn checksum(header: &HeaderValue, body: &[u8]) -> Option<bool> {
        tus_headers::parse_checksum(header).map(|mut checksum| {
            checksum.update(body);
            checksum.matches()
        })
    }
}

fn headers_of(metadata: HeaderValue, length: HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("upload-metadata", metadata);
    headers.insert("upload-length", length);
    headers
}

fuzz_target!(|input: &[u8]| {
    if let Ok(value) = HeaderValue::from_bytes(input) {
        let headers = headers_of(value.clone(), value.clone());
        if let Some(number) = files::number(&headers) {
            let digits = value.to_str().unwrap().trim_start_matches(['+', '0']);
            assert!(digits == number.to_string() || number == 0);
        }
        for key in ["filename", "kind", "place"] {
            let text = files::metadata(&headers, key);
            assert!(text.is_none_or(|text| text.len() <= input.len()));
        }
        files::checksum(&value, b"body");
    }
    let name = String::from_utf8_lossy(input);
    let pair = format!("kind ZG9j,filename {}", STANDARD.encode(name.as_bytes()));
    let headers = headers_of(HeaderValue::try_from(pair).unwrap(), 7.into());
    assert_eq!(
        files::metadata(&headers, "filename").as_deref(),
        Some(&*name)
    );
    assert_eq!(files::number(&headers), Some(7));
});
