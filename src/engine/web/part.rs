//! Parts of pages: HTML that is the same for many readers, rendered and compressed once, and
//! stitched into each one's page.
//!
//! Both compressions allow it. A gzip body (RFC 1952) is a sequence of deflate blocks: every piece
//! ends with a sync flush on a byte boundary, and the checksums of pieces combine. A brotli body
//! (RFC 7932) is a sequence of meta-blocks: the encoder's "catable" streams refer neither to what
//! precedes them nor to the built-in dictionary.

use std::fmt;
use std::hash::{DefaultHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use brotli::enc::BrotliEncoderParams;
use flate2::{Compress, Compression, Crc, FlushCompress};

use crate::base::error::Result;
use crate::base::secrets;

/// Where a part is placed in a rendered template: this, its id, and `-->`. Random, so that no text
/// from a member can place a part.
static PLACEHOLDER: LazyLock<String> = LazyLock::new(|| format!("<!--{}:", secrets::short_token()));
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Compression levels.
#[derive(Clone, Copy)]
pub(super) struct Effort {
    brotli: i32,
    deflate: u32,
}

impl Effort {
    /// For what is compressed once and sent to many readers.
    const SHARED: Self = Self {
        brotli: 4,
        deflate: 6,
    };
    /// For what is compressed for one reader.
    pub(super) const SINGLE: Self = Self {
        brotli: 2,
        deflate: 3,
    };
}

/// Bits: 256 KiB, more than a page. All parts of a page share it, so it is the same for all.
pub(super) const BROTLI_WINDOW: i32 = 18;

/// A piece of HTML and its compressed forms, each made when it is first needed.
///
/// `{{ part }}` places it in a template; the page that is made of the template has to be given the
/// part.
pub struct Part {
    id: u64,
    /// Empty for a composed part.
    html: String,
    /// What a composed part consists of, in order: parts that are not composed.
    pieces: Vec<Arc<Self>>,
    effort: Effort,
    /// Of the HTML, for entity tags.
    digest: u64,
    brotli: OnceLock<Vec<u8>>,
    deflated: OnceLock<(Vec<u8>, Crc)>,
}

impl Part {
    /// A part that is the same for everybody who may see it, compressed well.
    pub fn new(html: String) -> Arc<Self> {
        Self::with(html, Effort::SHARED).into()
    }

    /// A part of one reader's page, compressed fast.
    pub fn for_one(html: String) -> Arc<Self> {
        Self::with(html, Effort::SINGLE).into()
    }

    /// A part whose template places the parts of `placed`. When one of them changes the others keep
    /// their compressed forms.
    ///
    /// # Errors
    /// `Internal` when the template places a part that is not among `placed`.
    pub fn composed(rendered: &str, placed: &[Arc<Self>]) -> Result<Arc<Self>> {
        let pieces = split(rendered, placed, Effort::SHARED)?;
        let part = Self::with(String::new(), Effort::SHARED);
        Ok(Arc::new(Self { pieces, ..part }))
    }

    fn with(html: String, effort: Effort) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(html.as_bytes());
        let (id, digest) = (NEXT_ID.fetch_add(1, Ordering::Relaxed), hasher.finish());
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

    /// The HTML; empty for a composed part.
    pub fn html(&self) -> &str {
        &self.html
    }

    pub(super) fn digest(&self) -> u64 {
        self.digest
    }

    /// Meta-blocks of a brotli stream, without its header and its end.
    pub(super) fn brotli(&self) -> &[u8] {
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

    /// Deflate blocks up to a sync flush, and the checksum of the HTML.
    pub(super) fn deflated(&self) -> &(Vec<u8>, Crc) {
        self.deflated.get_or_init(|| {
            let html = self.html.as_bytes();
            let mut compress = Compress::new(Compression::new(self.effort.deflate), false);
            let mut compressed = Vec::with_capacity(html.len() / 2 + 64);
            loop {
                let taken = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
                // The only error is a misuse of the stream, which this is not.
                let _ = compress.compress_vec(&html[taken..], &mut compressed, FlushCompress::Sync);
                // The flush is complete when it did not fill the buffer.
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

    /// Estimate of the memory it takes, in bytes, compressed forms included.
    pub(super) fn weight(&self) -> usize {
        // Pieces are counted where they are cached.
        self.html.len() * 3 / 2 + 256 + self.pieces.len() * 8
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}-->", *PLACEHOLDER, self.id)
    }
}

impl askama::filters::HtmlSafe for Part {}

/// Whether a rendered template places a part.
pub(super) fn has_parts(rendered: &str) -> bool {
    rendered.contains(PLACEHOLDER.as_str())
}

/// Cuts a rendered template into its own HTML, compressed with `effort`, and the parts it places.
///
/// # Errors
/// `Internal` when it places a part that is not among `placed`.
pub(super) fn split(
    rendered: &str,
    placed: &[Arc<Part>],
    effort: Effort,
) -> Result<Vec<Arc<Part>>> {
    let own = |html: &str| Arc::new(Part::with(html.to_owned(), effort));
    let mut parts = Vec::with_capacity(2 * placed.len() + 1);
    let mut texts = rendered.split(PLACEHOLDER.as_str());
    parts.push(own(texts.next().unwrap_or_default()));
    for text in texts {
        let found = text.split_once("-->").and_then(|(id, rest)| {
            let id: u64 = id.parse().ok()?;
            Some((placed.iter().find(|part| part.id == id)?, rest))
        });
        let Some((part, rest)) = found else {
            return Err(
                anyhow::anyhow!("a template places a part that its page was not given").into(),
            );
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
