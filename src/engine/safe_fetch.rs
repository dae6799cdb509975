//! Fetches what a member's text names, without giving its server a way into this machine or its
//! network (server-side request forgery). Every hop of a redirect is checked like the first
//! address, and the connection goes to the very address that was checked.

mod targets;
#[cfg(test)]
mod tests;

use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, LOCATION,
};
use reqwest::{Client, Response, Url};

pub use targets::{NotPublic, PublicResolver, Targets};

/// For one fetch: names, every redirect, and the body.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_REDIRECTS: usize = 4;
/// Bytes of a body, as it is sent and as it is decompressed.
const MAX_FETCHED_BYTES: usize = 1 << 20;
const MAX_FETCHED_URL_BYTES: usize = 2_048;
const USER_AGENT: &str = concat!("Tidepool/", env!("CARGO_PKG_VERSION"), " (link preview)");
/// What [`Content::Picture`] may be.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// What a fetch may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepts {
    /// A page, or a picture.
    PageOrPicture,
    /// A picture alone.
    Picture,
}

/// What was fetched. Nothing in it is to be trusted.
#[derive(Debug)]
pub struct Fetched {
    /// The address after redirects, to which links within a page are relative.
    pub url: Url,
    /// What it is, by its header and by its first bytes.
    pub content: Content,
    /// At most 1 MiB, decompressed: a picture whole, of a page the beginning.
    pub body: Vec<u8>,
}

/// What a body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// HTML, with the whole `Content-Type` header: it may name a charset.
    Page(String),
    /// A picture of this media type: PNG, JPEG, GIF or WebP. It is not decoded here.
    Picture(&'static str),
}

/// Why nothing was fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchProblem {
    /// Another scheme or port, with credentials, too long, or none at all.
    #[error("the address is not one to fetch from")]
    BadUrl,
    /// The address, or all those of the name, are not of the public internet.
    #[error("the address is not public")]
    NotPublic,
    /// More redirects than are followed, or one without an address.
    #[error("too many redirects, or one to nowhere")]
    BadRedirect,
    /// Another status than 200.
    #[error("the answer has status {0}")]
    BadStatus(u16),
    /// Neither a page nor a picture, or not what its header says.
    #[error("the answer is of a type that is not fetched")]
    WrongType,
    /// A picture of more than 1 MiB, before or after it is decompressed.
    #[error("the answer is too large")]
    TooLarge,
    /// Compressed in a way that was not asked for, or damaged.
    #[error("the answer cannot be decompressed")]
    BadEncoding,
    /// Not done within ten seconds.
    #[error("the answer took too long")]
    TimedOut,
    /// Everything else: no such name, no connection, a broken answer.
    #[error("it cannot be reached: {0}")]
    Unreachable(reqwest::Error),
}

impl From<reqwest::Error> for FetchProblem {
    fn from(error: reqwest::Error) -> Self {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
        while let Some(current) = cause {
            if current.is::<NotPublic>() {
                return Self::NotPublic;
            }
            cause = current.source();
        }
        Self::Unreachable(error)
    }
}

/// Fetches pages and pictures from public addresses. Cheap to clone. How many fetches run at once
/// is the caller's to bound: each holds up to 2 MiB.
#[derive(Clone)]
pub struct SafeFetch {
    client: Client,
    targets: Targets,
    timeout: Duration,
}

impl SafeFetch {
    /// A client that connects to these addresses.
    ///
    /// # Errors
    /// When the client cannot be made, such as without certificates of the system.
    pub fn new(targets: Targets) -> anyhow::Result<Self> {
        Self::with(PublicResolver::new(targets), targets, FETCH_TIMEOUT)
    }

    fn with(resolver: PublicResolver, targets: Targets, timeout: Duration) -> anyhow::Result<Self> {
        // Fails where it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // A proxy would resolve the name itself, to what was not checked.
            .no_proxy()
            // Bodies are decompressed here, where their size is bounded.
            .no_gzip()
            .no_brotli()
            .no_deflate()
            .no_zstd()
            // A connection is to what was checked for this fetch.
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(resolver))
            .build()?;
        Ok(Self {
            client,
            targets,
            timeout,
        })
    }

    /// Fetches a picture of at most 1 MiB, or as much of a page, within 10 seconds: what describes
    /// a page stands in its head.
    ///
    /// # Errors
    /// [`FetchProblem`], for whatever is not fetched.
    pub async fn get(&self, url: &str, accepts: Accepts) -> Result<Fetched, FetchProblem> {
        let fetched = tokio::time::timeout(self.timeout, self.follow(url, accepts)).await;
        let fetched = fetched.unwrap_or(Err(FetchProblem::TimedOut));
        if let Err(problem) = &fetched {
            tracing::debug!(url, %problem, "not fetched");
        }
        fetched
    }

    async fn follow(&self, url: &str, accepts: Accepts) -> Result<Fetched, FetchProblem> {
        let mut url = Url::parse(url).map_err(|_| FetchProblem::BadUrl)?;
        for _ in 0..=MAX_REDIRECTS {
            self.check_url(&url)?;
            let request = self.client.get(url.clone());
            let request = request
                .header(ACCEPT, "text/html,application/xhtml+xml,image/*;q=0.9")
                .header(ACCEPT_ENCODING, "gzip");
            let response = request.send().await?;
            match response.status().as_u16() {
                200 => return read(url, response, accepts).await,
                301 | 302 | 303 | 307 | 308 => {
                    let target = header(&response, LOCATION);
                    let target = target.ok_or(FetchProblem::BadRedirect)?;
                    url = url.join(&target).map_err(|_| FetchProblem::BadRedirect)?;
                }
                status => return Err(FetchProblem::BadStatus(status)),
            }
        }
        Err(FetchProblem::BadRedirect)
    }

    fn check_url(&self, url: &Url) -> Result<(), FetchProblem> {
        let is_web = matches!(url.scheme(), "http" | "https");
        let has_user = !url.username().is_empty() || url.password().is_some();
        let port = url.port_or_known_default();
        let is_port_allowed = port.is_some_and(|port| self.targets.allows_port(port));
        if !is_web || has_user || !is_port_allowed || url.as_str().len() > MAX_FETCHED_URL_BYTES {
            return Err(FetchProblem::BadUrl);
        }
        match self.targets.allows_host(url) {
            true => Ok(()),
            false => Err(FetchProblem::NotPublic),
        }
    }
}

fn header(response: &Response, name: HeaderName) -> Option<String> {
    let value = response.headers().get(name)?.to_str().ok()?;
    Some(value.to_owned())
}

async fn read(url: Url, mut response: Response, accepts: Accepts) -> Result<Fetched, FetchProblem> {
    let content_type = header(&response, CONTENT_TYPE).unwrap_or_default();
    let media = content_type.split(';').next().unwrap_or_default();
    let media = media.trim().to_ascii_lowercase();
    let is_page = accepts == Accepts::PageOrPicture
        && matches!(media.as_str(), "text/html" | "application/xhtml+xml");
    // Before a byte of the body is read.
    if !is_page && !PICTURES.contains(&media.as_str()) {
        return Err(FetchProblem::WrongType);
    }
    let is_gzip = match header(&response, CONTENT_ENCODING).as_deref() {
        None | Some("" | "identity") => false,
        Some("gzip" | "x-gzip") => true,
        Some(_) => return Err(FetchProblem::BadEncoding),
    };
    let mut body = Vec::new();
    let mut is_whole = true;
    while let Some(chunk) = response.chunk().await? {
        let left = MAX_FETCHED_BYTES - body.len();
        if chunk.len() > left {
            body.extend_from_slice(&chunk[..left]);
            is_whole = false;
            break;
        }
        body.extend_from_slice(&chunk);
    }
    drop(response);
    if is_gzip {
        is_whole &= decompress(&mut body, is_whole)?;
    }
    if !is_whole && !is_page {
        return Err(FetchProblem::TooLarge);
    }
    let content = match is_page {
        true if is_text(&body) => Content::Page(content_type),
        true => return Err(FetchProblem::WrongType),
        false => Content::Picture(picture_type(&body).ok_or(FetchProblem::WrongType)?),
    };
    Ok(Fetched { url, content, body })
}

/// Decompresses a body, of which the end may be missing, up to the limit. Returns whether that was
/// all of it.
fn decompress(body: &mut Vec<u8>, is_whole: bool) -> Result<bool, FetchProblem> {
    let compressed = std::mem::take(body);
    // One byte more tells a body that is too large from one that just fits.
    let read = flate2::read::MultiGzDecoder::new(compressed.as_slice())
        .take(MAX_FETCHED_BYTES as u64 + 1)
        .read_to_end(body);
    match read {
        Err(error) if is_whole || error.kind() != ErrorKind::UnexpectedEof => {
            return Err(FetchProblem::BadEncoding);
        }
        _ => {}
    }
    let fits = body.len() <= MAX_FETCHED_BYTES;
    body.truncate(MAX_FETCHED_BYTES);
    Ok(fits)
}

/// Whether the first bytes are of a text in some charset, and not of a known binary format.
fn is_text(body: &[u8]) -> bool {
    let is_utf16 = body.starts_with(&[0xff, 0xfe]) || body.starts_with(&[0xfe, 0xff]);
    let is_markup = infer::get(body).is_none_or(|kind| kind.mime_type().starts_with("text/"));
    is_markup && (is_utf16 || !body.iter().take(1_024).any(|byte| *byte == 0))
}

fn picture_type(body: &[u8]) -> Option<&'static str> {
    let kind = infer::get(body)?.mime_type();
    PICTURES.into_iter().find(|picture| *picture == kind)
}
