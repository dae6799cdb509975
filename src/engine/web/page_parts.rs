//! Pages in parts: what is the same for many readers is rendered and compressed once, and stitched
//! into each one's page.
//!
//! Both compressions allow it. A gzip body (RFC 1952) is a sequence of deflate blocks: every piece
//! ends with a sync flush on a byte boundary, and the checksums of pieces combine. A brotli body
//! (RFC 7932) is a sequence of meta-blocks: the encoder's "catable" streams refer neither to what
//! precedes them nor to the built-in dictionary.

use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};

use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::base::secrets;
use crate::engine::versions::{Dependencies, Snapshot};

/// CacheTag in a rendered template for a part. Nobody who writes here can guess it.
static MARK: LazyLock<String> = LazyLock::new(|| format!("<!--{}:", secrets::short_token()));
static NEXT: AtomicU64 = AtomicU64::new(1);

/// How hard compression tries.
#[derive(Clone, Copy)]
struct Effort {
    brotli: i32,
    deflate: u32,
}

const FOR_MANY: Effort = Effort {
    brotli: 4,
    deflate: 6,
};
const FOR_ONE: Effort = Effort {
    brotli: 2,
    deflate: 3,
};
const BROTLI_WINDOW: i32 = 18; // bits: 256 KiB, more than a page

/// A piece of HTML and its compressed forms, each made on first need.
///
/// In a template, `{{ part }}` stands for it; the page that is made of the template has to name
/// it.
pub struct Part {
    id: u64,
    /// Empty for a composed part.
    html: String,
    /// What a composed part is made of, in order: parts that are not composed.
    pieces: Vec<Arc<Self>>,
    effort: Effort,
    digest: u64,
    brotli: OnceLock<Vec<u8>>,
    deflated: OnceLock<(Vec<u8>, Crc)>,
}

impl Part {
    /// A part of many pages: the same for everybody who may see it.
    pub fn new(html: String) -> Arc<Self> {
        Self::with(html, FOR_MANY).into()
    }

    /// A part of one reader's page.
    pub fn for_one(html: String) -> Arc<Self> {
        Self::with(html, FOR_ONE).into()
    }

    /// A part in whose template `named` parts stand. When one of them changes the others keep their
    /// compressed forms.
    ///
    /// # Errors
    /// `Internal` when a part stands in it that is not named.
    pub fn composed(rendered: &str, named: &[Arc<Self>]) -> Result<Arc<Self>> {
        let pieces = split(rendered, named, FOR_MANY)?;
        let part = Self::with(String::new(), FOR_MANY);
        Ok(Arc::new(Self { pieces, ..part }))
    }

    fn with(html: String, effort: Effort) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(html.as_bytes());
        let (id, digest) = (NEXT.fetch_add(1, Ordering::Relaxed), hasher.finish());
        Self {
            id,
            html,
            pieces: Vec::new(),
            effort,
            digest,
            brotli: OnceLock::new(),
            deflated: OnceLock::new(),
        }
    }

    /// The HTML itself.
    pub fn html(&self) -> &str {
        &self.html
    }

    fn brotli(&self) -> &[u8] {
        self.brotli.get_or_init(|| {
            let parameters = BrotliEncoderParams {
                quality: self.effort.brotli,
                lgwin: BROTLI_WINDOW,
                size_hint: self.html.len(),
                catable: true,
                appendable: true,
                byte_align: true,
                bare_stream: true,
                use_dictionary: false,
                ..BrotliEncoderParams::default()
            };
            let mut compressed = Vec::with_capacity(self.html.len() / 4);
            // Reading from memory and writing to it cannot fail.
            let _ = brotli::BrotliCompress(&mut self.html.as_bytes(), &mut compressed, &parameters);
            compressed
        })
    }

    fn deflated(&self) -> &(Vec<u8>, Crc) {
        self.deflated.get_or_init(|| {
            let html = self.html.as_bytes();
            let mut compress = Compress::new(Compression::new(self.effort.deflate), false);
            let mut compressed = Vec::with_capacity(html.len() / 2 + 64);
            loop {
                let taken = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
                // The only error is a misuse of the stream, which this is not.
                let _ = compress.compress_vec(&html[taken..], &mut compressed, FlushCompress::Sync);
                // Room left over means that the flush is done.
                if compressed.len() < compressed.capacity() {
                    break;
                }
                compressed.reserve(html.len() / 4 + 64);
            }
            let mut crc = Crc::new();
            crc.update(html);
            (compressed, crc)
        })
    }

    /// Bytes it takes in memory, compressed forms included, roughly.
    pub(super) fn weight(&self) -> usize {
        // Pieces are weighed where they are cached.
        self.html.len() * 3 / 2 + 256 + self.pieces.len() * 8
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}-->", *MARK, self.id)
    }
}

impl askama::filters::HtmlSafe for Part {}

/// How a body is compressed on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    /// The best that the browser takes (RFC 9110, section 12.5.3).
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let takes = |name: &str| {
            headers
                .get_all(header::ACCEPT_ENCODING)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|list| list.split(','))
                .any(|one| {
                    let mut of = one.split(';');
                    let named = of
                        .next()
                        .is_some_and(|coding| coding.trim().eq_ignore_ascii_case(name));
                    named
                        && !of.any(|weight| {
                            weight
                                .trim()
                                .strip_prefix("q=")
                                .is_some_and(|q| q.parse() == Ok(0.0))
                        })
                })
        };
        match () {
            () if takes("br") => Self::Brotli,
            () if takes("gzip") => Self::Gzip,
            () => Self::Identity,
        }
    }

    fn name(self) -> Option<HeaderValue> {
        match self {
            Self::Brotli => Some(HeaderValue::from_static("br")),
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            Self::Identity => None,
        }
    }
}

/// A page: parts in order, some of them shared with other pages. As an answer it waits for
/// [`finish`].
pub struct Page {
    parts: Vec<Arc<Part>>,
    tag: HeaderValue,
}

impl Page {
    /// A rendered template in which `named` parts stand.
    ///
    /// # Errors
    /// `Internal` when a part stands in it that is not named.
    pub fn new(rendered: &str, named: &[Arc<Part>]) -> Result<Self> {
        let parts = split(rendered, named, FOR_ONE)?;
        let mut hasher = DefaultHasher::new();
        for part in &parts {
            hasher.write_u64(part.digest);
        }
        // Weak, because the same page leaves here under several compressions.
        let tag = HeaderValue::try_from(format!("W/\"{:016x}\"", hasher.finish()))
            .map_err(|error| Error::Internal(error.into()))?;
        Ok(Self { parts, tag })
    }

    fn body(&self, coding: Coding) -> Bytes {
        match coding {
            Coding::Brotli => self.as_brotli().into(),
            Coding::Gzip => self.as_gzip().into(),
            Coding::Identity => self
                .parts
                .iter()
                .map(|part| part.html())
                .collect::<String>()
                .into(),
        }
    }

    fn as_brotli(&self) -> Vec<u8> {
        // The window's size in four bits (RFC 7932, section 9.1), and an empty meta-block that
        // fills up the byte.
        let mut body = vec![((BROTLI_WINDOW - 17) as u8) << 1 | 1 | 0b11 << 5, 0];
        for part in &self.parts {
            body.extend_from_slice(part.brotli());
        }
        body.push(0b11); // the last meta-block, empty
        body
    }

    fn as_gzip(&self) -> Vec<u8> {
        let mut body = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
        let mut crc = Crc::new();
        for part in &self.parts {
            let (deflated, of_part) = part.deflated();
            body.extend_from_slice(deflated);
            crc.combine(of_part);
        }
        body.extend([0b11, 0]); // the last block, empty
        body.extend(crc.sum().to_le_bytes());
        body.extend(crc.amount().to_le_bytes());
        body
    }
}

/// Cuts a rendered template into its own pieces and the parts that stand in it.
fn split(rendered: &str, named: &[Arc<Part>], effort: Effort) -> Result<Vec<Arc<Part>>> {
    let own = |html: &str| Arc::new(Part::with(html.to_owned(), effort));
    let mut parts = Vec::with_capacity(2 * named.len() + 1);
    let mut texts = rendered.split(MARK.as_str());
    parts.push(own(texts.next().unwrap_or_default()));
    for text in texts {
        let found = text.split_once("-->").and_then(|(id, rest)| {
            let id: u64 = id.parse().ok()?;
            Some((named.iter().find(|part| part.id == id)?, rest))
        });
        let Some((part, rest)) = found else {
            return Err(anyhow::anyhow!("a page does not name a part of it").into());
        };
        if part.pieces.is_empty() {
            parts.push(part.clone());
        } else {
            parts.extend(part.pieces.iter().cloned());
        }
        parts.push(own(rest));
    }
    parts.retain(|part| !part.html.is_empty());
    Ok(parts)
}

/// A page on its way out, whose body is made once it is known what the browser takes and has.
#[derive(Clone)]
struct Unfinished(Arc<Page>);

/// What an answer was made from, and for whom: on the answer's way out.
#[derive(Clone)]
pub(super) struct CacheTag {
    pub(super) snapshot: Snapshot,
    pub(super) account: AccountId,
}

/// A page as an answer.
pub struct PageAnswer {
    page: Page,
    cache_tag: Option<CacheTag>,
}

impl PageAnswer {
    /// A template in which `parts` may stand.
    ///
    /// # Errors
    /// `Internal` when the template fails, or when a part stands in it that is not among these.
    pub fn of(template: &impl Template, parts: &[Arc<Part>]) -> Result<Self> {
        Ok(Self {
            page: Page::new(&rendered(template)?, parts)?,
            cache_tag: None,
        })
    }

    /// A part alone.
    ///
    /// # Errors
    /// None; the type is that of [`Self::of`].
    pub fn of_part(part: &Arc<Part>) -> Result<Self> {
        Ok(Self {
            page: Page::new(&part.to_string(), std::slice::from_ref(part))?,
            cache_tag: None,
        })
    }

    /// The answer is fresh for this account until one of these changes. All that it was made from
    /// has to be among them, and to have been named before it was read.
    pub fn depends_on(self, deps: &Dependencies, account: AccountId) -> Self {
        Self {
            cache_tag: Some(CacheTag {
                snapshot: deps.snapshot(),
                account,
            }),
            ..self
        }
    }
}

/// A template's text.
pub(super) fn rendered(template: &impl Template) -> Result<String> {
    template
        .render()
        .map_err(|error| Error::Internal(anyhow::Error::new(error).context("a template failed")))
}

/// Whether a part stands in a rendered template.
pub(super) fn has_parts(rendered: &str) -> bool {
    rendered.contains(MARK.as_str())
}

impl IntoResponse for PageAnswer {
    fn into_response(self) -> Response {
        let Self { page, cache_tag } = self;
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(header::ETAG, page.tag.clone());
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        );
        headers.insert(
            header::VARY,
            HeaderValue::from_static("accept-encoding, accept-language, cookie, hx-request"),
        );
        if let Some(cache_tag) = cache_tag {
            response.extensions_mut().insert(cache_tag);
        }
        response.extensions_mut().insert(Unfinished(Arc::new(page)));
        response
    }
}

/// Makes the body of a page in parts, as the browser takes it.
pub(super) fn finish(coding: Coding, mut response: Response) -> Response {
    if let Some(Unfinished(page)) = response.extensions_mut().remove::<Unfinished>() {
        if let Some(name) = coding.name() {
            response
                .headers_mut()
                .insert(header::CONTENT_ENCODING, name);
        }
        let body = page.body(coding);
        response
            .headers_mut()
            // A router inside may have written that of nothing.
            .insert(header::CONTENT_LENGTH, body.len().into());
        *response.body_mut() = Body::from(body);
    }
    response
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
    fn a_part_stands_where_the_template_has_it() {
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
    fn the_tag_is_that_of_what_is_shown() {
        let page = |text: &str| Page::new(text, &[]).unwrap().tag;
        assert_eq!(page("x"), page("x"));
        assert_ne!(page("x"), page("y"));
        let part = || Part::new("part".into());
        let (one, other) = (part(), part());
        assert_eq!(
            Page::new(&one.to_string(), std::slice::from_ref(&one))
                .unwrap()
                .tag,
            Page::new(&other.to_string(), std::slice::from_ref(&other))
                .unwrap()
                .tag
        );
    }

    #[test]
    fn the_coding_is_the_best_that_is_taken() {
        for (accepts, coding) in [
            ("gzip, deflate, br, zstd", Coding::Brotli),
            ("gzip;q=1.0, br;q=0", Coding::Gzip),
            ("GZIP", Coding::Gzip),
            ("deflate", Coding::Identity),
            ("", Coding::Identity),
        ] {
            let headers = HeaderMap::from_iter([(
                header::ACCEPT_ENCODING,
                HeaderValue::from_static(accepts),
            )]);
            assert_eq!(Coding::of(&headers), coding, "{accepts}");
        }
        assert_eq!(Coding::of(&HeaderMap::new()), Coding::Identity);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn stitched_bodies_are_the_page(texts in prop::collection::vec("(<li>[a-z]{0,9} the)?\\PC{0,200}", 0..9), times in 1..40_usize) {
            let parts: Vec<_> = texts.iter().map(|text| Part::new(text.repeat(times))).collect();
            let rendered: String = parts.iter().map(|part| format!("{part}the rest")).collect();
            let page = Page::new(&rendered, &parts).unwrap();
            let expected: String = texts.iter().map(|text| text.repeat(times) + "the rest").collect();
            for coding in [Coding::Brotli, Coding::Gzip, Coding::Identity] {
                prop_assert_eq!(&whole(&page, coding), &expected);
            }
        }
    }
}
