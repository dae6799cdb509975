//! Pages in parts: stitched together, in each content coding, from parts that are compressed
//! already.

use std::hash::{DefaultHasher, Hasher};
use std::sync::Arc;

use axum::http::HeaderValue;
use bytes::Bytes;
use flate2::Crc;

use super::content_coding::Coding;
use super::part::{BROTLI_WINDOW, Effort, Part, split};
use crate::base::error::{Error, Result};

/// A page: parts in order, some of them shared with other pages.
pub(super) struct Page {
    parts: Vec<Arc<Part>>,
    etag: HeaderValue,
}

impl Page {
    /// A page of a rendered template that places the parts of `placed`.
    ///
    /// # Errors
    /// `Internal` when it places a part that is not among them.
    pub(super) fn new(rendered: &str, placed: &[Arc<Part>]) -> Result<Self> {
        let parts = split(rendered, placed, Effort::SINGLE)?;
        let mut hasher = DefaultHasher::new();
        for part in &parts {
            hasher.write_u64(part.digest());
        }
        // Weak: the same page is sent in several content codings.
        let etag = HeaderValue::try_from(format!("W/\"{:016x}\"", hasher.finish()))
            .map_err(|error| Error::Internal(error.into()))?;
        Ok(Self { parts, etag })
    }

    /// The entity tag, of the HTML of all parts.
    pub(super) fn etag(&self) -> &HeaderValue {
        &self.etag
    }

    pub(super) fn body(&self, coding: Coding) -> Bytes {
        match coding {
            Coding::Brotli => self.brotli().into(),
            Coding::Gzip => self.gzip().into(),
            Coding::Identity => self
                .parts
                .iter()
                .map(|part| part.html())
                .collect::<String>()
                .into(),
        }
    }

    fn brotli(&self) -> Vec<u8> {
        // The window's size in four bits (RFC 7932, section 9.1), and an empty meta-block to reach
        // a byte boundary.
        let mut body = vec![((BROTLI_WINDOW - 17) as u8) << 1 | 1 | 0b11 << 5, 0];
        for part in &self.parts {
            body.extend_from_slice(part.brotli());
        }
        body.push(0b11); // the last meta-block, empty
        body
    }

    fn gzip(&self) -> Vec<u8> {
        let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        let mut crc = Crc::new();
        for part in &self.parts {
            let (deflated, part_crc) = part.deflated();
            body.extend_from_slice(deflated);
            crc.combine(part_crc);
        }
        body.extend([0b11, 0]); // the last block, empty
        body.extend(crc.sum().to_le_bytes());
        body.extend(crc.amount().to_le_bytes());
        body
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use proptest::prelude::*;

    use super::*;

    fn whole(page: &Page, coding: Coding) -> String {
        let body = page.body(coding);
        let mut text = String::new();
        match coding {
            Coding::Brotli => drop(
                brotli::Decompressor::new(&body[..], 4096)
                    .read_to_string(&mut text)
                    .unwrap(),
            ),
            Coding::Gzip => drop(
                flate2::read::GzDecoder::new(&body[..])
                    .read_to_string(&mut text)
                    .unwrap(),
            ),
            Coding::Identity => text = String::from_utf8(body.to_vec()).unwrap(),
        }
        text
    }

    #[test]
    fn parts_are_where_the_template_places_them() {
        let (log, pane) = (
            Part::new("<ol>log</ol>".into()),
            Part::new("<ul>people</ul>".into()),
        );
        let page = Page::new(
            &format!("<main>{log}</main>{pane}"),
            &[pane.clone(), log.clone()],
        )
        .unwrap();
        for coding in [Coding::Brotli, Coding::Gzip, Coding::Identity] {
            assert_eq!(
                whole(&page, coding),
                "<main><ol>log</ol></main><ul>people</ul>"
            );
        }
        assert!(Page::new(&format!("{log}"), &[pane]).is_err());
    }

    #[test]
    fn etag_changes_with_the_html_only() {
        let page = |text: &str| Page::new(text, &[]).unwrap().etag;
        assert_eq!(page("x"), page("x"));
        assert_ne!(page("x"), page("y"));
        let part = || Part::new("part".into());
        let (one, other) = (part(), part());
        assert_eq!(
            Page::new(&one.to_string(), std::slice::from_ref(&one))
                .unwrap()
                .etag,
            Page::new(&other.to_string(), std::slice::from_ref(&other))
                .unwrap()
                .etag
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 64,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn stitched_bodies_are_the_page(
            texts in prop::collection::vec("(<li>[a-z]{0,9} the)?\\PC{0,200}", 0..9),
            times in 1..40_usize,
        ) {
            let texts: Vec<_> = texts.iter().map(|text| text.repeat(times)).collect();
            let parts: Vec<_> = texts.iter().cloned().map(Part::new).collect();
            let rendered: String = parts.iter().map(|part| format!("{part}the rest")).collect();
            let page = Page::new(&rendered, &parts).unwrap();
            let expected: String = texts.into_iter().map(|text| text + "the rest").collect();
            for coding in [Coding::Brotli, Coding::Gzip, Coding::Identity] {
                prop_assert_eq!(&whole(&page, coding), &expected);
            }
        }
    }
}
