//! Parses any bytes as a form with files, in chunks of any size: nothing may panic or wait for ever,
//! texts and headers have to stay within their limit, and the chunks must make no difference.
#![no_main]
#![allow(dead_code)]

use std::io;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue};
use futures::executor::block_on;
use futures_util::stream;
use libfuzzer_sys::fuzz_target;

/// The limit of what is no content of files, in bytes: a small one, which a fuzzer reaches.
mod engine {
    pub mod forms {
        pub const MAX_FORM_BYTES: usize = 512;
    }
}
use engine::forms::MAX_FORM_BYTES;

#[path = "../../src/engine/files"]
mod files {
    pub mod multipart_body;

    use std::io;

    use axum::body::Bytes;
    use axum::http::HeaderMap;
    use futures_util::Stream;

    pub fn boundary(headers: &HeaderMap) -> Option<String> {
        multipart_body::parse_boundary(headers)
    }

    /// The names, file names and contents of the parts, as far as they can be read, and whether all
    /// of them were.
    pub async fn parts(
        body: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
        boundary: String,
    ) -> (Vec<(Option<String>, Option<String>, Vec<u8>)>, bool) {
        let (text_bytes, mut parts) = (multipart_body::TextBytes::default(), Vec::new());
        let mut form = multer::Multipart::new(text_bytes.clone().count(body), boundary);
        loop {
            let mut field = match form.next_field().await {
                Ok(Some(field)) => field,
                end => return (parts, end.is_ok()),
            };
            let name = field.name().map(str::to_owned);
            let file_name = field.file_name().map(str::to_owned);
            let mut content = Vec::new();
            loop {
                match field.chunk().await {
                    Ok(Some(piece)) => {
                        if file_name.is_some() {
                            text_bytes.subtract(piece.len());
                        }
                        content.extend_from_slice(&piece);
                    }
                    Ok(None) => break,
                    Err(_) => return (parts, false),
                }
            }
            parts.push((name, file_name, content));
        }
    }
}

const BOUNDARY: &str = "edge";

// The first byte is the size of the chunks, those up to a line break are a content type.
fuzz_target!(|input: &[u8]| {
    let Some((size, rest)) = input.split_first() else {
        return;
    };
    let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (kind, body) = rest.split_at(line);
    if let Ok(kind) = HeaderValue::from_bytes(kind) {
        let headers = HeaderMap::from_iter([(axum::http::header::CONTENT_TYPE, kind)]);
        files::boundary(&headers);
    }
    let body = [b"--edge\r\ncontent-disposition: form-data; name=", body].concat();
    let read = |size: usize| {
        let chunks = body.chunks(size.max(1)).map(Bytes::copy_from_slice);
        let chunks: Vec<io::Result<Bytes>> = chunks.map(Ok).collect();
        block_on(files::parts(stream::iter(chunks), BOUNDARY.to_owned()))
    };
    let (parts, is_whole) = read(usize::from(*size));
    let texts = parts.iter().filter(|(_, file_name, _)| file_name.is_none());
    let bytes: usize = texts.map(|(_, _, text)| text.len()).sum();
    // The last chunk may pass the limit.
    assert!(bytes <= MAX_FORM_BYTES + usize::from(*size).max(1));
    if is_whole {
        // In one piece, whatever its size: the limit counts what is asked for.
        let (at_once, is_whole) = read(body.len());
        assert!(is_whole && at_once == parts);
    }
});
