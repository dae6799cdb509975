//! The opening handshake (RFC 6455, section 4.2) and what is agreed on compression (RFC 7692,
//! section 7.1).

use axum::http::header::{
    ALLOW, CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

/// What the accepting side appends to the client's key (RFC 6455, section 1.3).
const SUFFIX: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Messages may be compressed; the largest window that the client can inflate with. None:
    /// compression was not agreed.
    pub deflate: Option<Window>,
}

/// A window of the client's: how far back a compressed message may refer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    bits: u8,
}

impl Window {
    /// What every client can inflate with unless it says otherwise: 32 KiB.
    pub const MAX_WINDOW_BYTES: Self = Self { bits: 15 };

    /// Whether a message of this many bytes, before compression, may be sent compressed to this
    /// client. No message refers further back than to its own first byte, so one compressed with a
    /// larger window is fine if it fits into this one; any other goes out as it is (RFC 7692,
    /// section 6, lets each message choose).
    pub fn takes(self, len: usize) -> bool {
        self == Self::MAX_WINDOW_BYTES || len <= 1 << self.bits
    }
}

/// Why a request was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a GET: 405.
    #[error("a websocket is asked for with GET")]
    Method,
    /// An ordinary request: 426.
    #[error("this address speaks websocket only")]
    NotAnUpgrade,
    /// A version other than 13, or none: 426.
    #[error("websocket version 13 is spoken here")]
    Version,
    /// Not HTTP/1.1, or no key of 16 bytes in base64: 400.
    #[error("this is not a websocket handshake")]
    Malformed,
}

impl Refused {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAnUpgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Malformed => StatusCode::BAD_REQUEST,
        }
    }

    /// The answer, without a body. A 405 says which method, a 426 which protocol and version would
    /// do.
    pub fn response(self) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        match self {
            Self::Method => drop(headers.insert(ALLOW, HeaderValue::from_static("GET"))),
            Self::NotAnUpgrade | Self::Version => {
                headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
            }
            Self::Malformed => {}
        }
        response
    }
}

/// Checks the request for an upgrade and makes the answer, 101 without a body, after which the
/// connection is a websocket. Who may connect, and from which origin, is for the caller to ask.
/// Subprotocols are not offered any.
///
/// # Errors
/// When it is not a handshake of RFC 6455, section 4.2.1. Compression offered in a way that cannot
/// be had is not an error: it is not agreed then.
pub fn accept(
    method: &Method,
    version: Version,
    headers: &HeaderMap,
) -> Result<(Response<()>, Agreed), Refused> {
    if method != Method::GET {
        return Err(Refused::Method);
    }
    if version != Version::HTTP_11 {
        return Err(Refused::Malformed);
    }
    if !lists(headers, UPGRADE, "websocket") || !lists(headers, CONNECTION, "upgrade") {
        return Err(Refused::NotAnUpgrade);
    }
    if only(headers, SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refused::Version);
    }
    let key = only(headers, SEC_WEBSOCKET_KEY).ok_or(Refused::Malformed)?;
    if BASE64_STANDARD.decode(key).map_or(0, |key| key.len()) != 16 {
        return Err(Refused::Malformed);
    }

    let offer = headers
        .get_all(SEC_WEBSOCKET_EXTENSIONS)
        .iter()
        .find_map(|line| acceptable_offer(line.to_str().ok()?));
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    answer.insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(SEC_WEBSOCKET_ACCEPT, visible(proof(key)));
    if let Some(offer) = offer {
        answer.insert(SEC_WEBSOCKET_EXTENSIONS, visible(offer.answer()));
    }
    Ok((
        response,
        Agreed {
            deflate: offer.map(|offer| offer.window.unwrap_or(Window::MAX_WINDOW_BYTES)),
        },
    ))
}

/// What shows that we understood the key (RFC 6455, section 4.2.2).
fn proof(key: &str) -> String {
    BASE64_STANDARD.encode(
        Sha1::new()
            .chain_update(key)
            .chain_update(SUFFIX)
            .finalize(),
    )
}

fn visible(value: String) -> HeaderValue {
    HeaderValue::try_from(value).expect("made of visible ASCII characters")
}

/// Whether a comma-separated header names the token, in any case.
fn lists(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let lines = headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case(token))
}

/// The value of a header that may be there only once (RFC 6455, section 11.3).
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut lines = headers.get_all(name).into_iter();
    let first = lines.next()?.to_str().ok()?.trim();
    lines.next().is_none().then_some(first)
}

/// An offer of permessage-deflate that we accept.
#[derive(Clone, Copy)]
struct Offer {
    /// What `server_max_window_bits` asks for.
    window: Option<Window>,
}

impl Offer {
    /// Accepts it. That neither side carries its context over is ours to ask for whatever was
    /// offered (RFC 7692, section 7.1.1). We inflate any window, so the client's is not limited
    /// even if it lets us.
    fn answer(self) -> String {
        let mut answer =
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover".to_owned();
        if let Some(Window { bits }) = self.window {
            // Has to be confirmed (RFC 7692, section 7.1.2.1).
            answer += &format!("; server_max_window_bits={bits}");
        }
        answer
    }
}

/// The first offer of a header line that can be accepted.
fn acceptable_offer(line: &str) -> Option<Offer> {
    split_outside_quotes(line, ',').find_map(parse_offer)
}

/// Reads one offer. None if it is for another extension, or has a parameter that is unknown, there
/// twice or with a value that it must not have: such an offer has to be declined (RFC 7692, section
/// 7.1).
fn parse_offer(offer: &str) -> Option<Offer> {
    let mut parts = split_outside_quotes(offer, ';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return None;
    }
    let (mut window, mut seen) = (None, Vec::new());
    for parameter in parts {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(unquoted(value.trim_start()))),
            None => (parameter, None),
        };
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
        match (name, value) {
            (
                "server_no_context_takeover"
                | "client_no_context_takeover"
                | "client_max_window_bits",
                None,
            ) => {}
            ("client_max_window_bits", Some(value)) => drop(window_of(value)?),
            ("server_max_window_bits", Some(value)) => window = Some(window_of(value)?),
            _ => return None,
        }
    }
    Some(Offer { window })
}

/// 8 to 15, without leading zeros (RFC 7692, section 7.1.2).
fn window_of(value: &str) -> Option<Window> {
    let bits = value.parse().ok().filter(|bits| (8..=15).contains(bits))?;
    (!value.starts_with(['0', '+'])).then_some(Window { bits })
}

fn unquoted(value: &str) -> &str {
    value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value)
}

/// Splits at a separator, but not inside a quoted string (RFC 6455, section 9.1).
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |next| {
        let literal = std::mem::take(&mut escaped);
        match next {
            '"' if !literal => quoted = !quoted,
            '\\' if quoted && !literal => escaped = true,
            _ => {}
        }
        next == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const BOTH: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    fn request(changes: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "server.example.com"),
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-version", "13"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static(KEY));
        for (name, _) in changes {
            headers.remove(*name);
        }
        for (name, value) in changes {
            if !value.is_empty() {
                headers.append(*name, HeaderValue::from_str(value).unwrap());
            }
        }
        headers
    }

    fn ask(changes: &[(&'static str, &str)]) -> Result<(Response<()>, Agreed), Refused> {
        accept(&Method::GET, Version::HTTP_11, &request(changes))
    }

    #[test]
    fn the_rfcs_example_is_accepted() {
        let (response, agreed) = ask(&[]).unwrap();
        assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(response.headers()["upgrade"], "websocket");
        assert_eq!(response.headers()["connection"], "upgrade");
        assert_eq!(
            response.headers()["sec-websocket-accept"],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert!(!response.headers().contains_key("sec-websocket-extensions"));
        assert_eq!(agreed, Agreed { deflate: None });
    }

    #[test]
    fn tokens_are_found_in_lists_and_in_any_case() {
        assert!(
            ask(&[
                ("upgrade", "h2c, WebSocket"),
                ("connection", "keep-alive, UPGRADE")
            ])
            .is_ok()
        );
        assert!(ask(&[("connection", "keep-alive"), ("connection", "upgrade")]).is_ok());
    }

    #[test]
    fn what_is_not_a_handshake_is_refused() {
        for (changes, refused) in [
            (&[("upgrade", "")] as &[_], Refused::NotAnUpgrade),
            (&[("upgrade", "h2c")], Refused::NotAnUpgrade),
            (&[("connection", "close")], Refused::NotAnUpgrade),
            (&[("connection", "upgraded")], Refused::NotAnUpgrade),
            (&[("sec-websocket-version", "")], Refused::Version),
            (&[("sec-websocket-version", "8")], Refused::Version),
            (
                &[
                    ("sec-websocket-version", "13"),
                    ("sec-websocket-version", "8"),
                ],
                Refused::Version,
            ),
            (&[("sec-websocket-key", "")], Refused::Malformed),
            (&[("sec-websocket-key", "c2hvcnQ=")], Refused::Malformed),
            (
                &[("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZSE=")],
                Refused::Malformed,
            ), // 17 bytes
            (
                &[("sec-websocket-key", "not base64 of anything..")],
                Refused::Malformed,
            ),
            (
                &[("sec-websocket-key", KEY), ("sec-websocket-key", KEY)],
                Refused::Malformed,
            ),
        ] {
            assert_eq!(ask(changes).unwrap_err(), refused, "{changes:?}");
        }
        assert_eq!(
            accept(&Method::POST, Version::HTTP_11, &request(&[])).unwrap_err(),
            Refused::Method
        );
        assert_eq!(
            accept(&Method::GET, Version::HTTP_10, &request(&[])).unwrap_err(),
            Refused::Malformed
        );
    }

    #[test]
    fn a_refusal_says_what_would_do() {
        assert_eq!(Refused::Method.response().headers()["allow"], "GET");
        for refused in [Refused::Version, Refused::NotAnUpgrade] {
            assert_eq!(refused.response().status(), 426);
            assert_eq!(refused.response().headers()["sec-websocket-version"], "13");
        }
        assert_eq!(Refused::Malformed.response().status(), 400);
    }

    /// What is offered, what is answered (nothing: declined) and the window in bits.
    #[test]
    fn compression_is_negotiated() {
        let narrow = |bits: u8| format!("{BOTH}; server_max_window_bits={bits}");
        for (offered, answered, bits) in [
            ("permessage-deflate", BOTH.to_owned(), 15),
            (
                "permessage-deflate; client_max_window_bits",
                BOTH.to_owned(),
                15,
            ),
            (
                "permessage-deflate; client_max_window_bits=9",
                BOTH.to_owned(),
                15,
            ),
            (
                "permessage-deflate;client_max_window_bits = \"15\" ; server_no_context_takeover",
                BOTH.to_owned(),
                15,
            ),
            (
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                BOTH.to_owned(),
                15,
            ),
            ("permessage-deflate; server_max_window_bits=8", narrow(8), 8),
            (
                "permessage-deflate; server_max_window_bits=\"10\"",
                narrow(10),
                10,
            ),
            (
                "permessage-deflate; server_max_window_bits=15",
                narrow(15),
                15,
            ),
            (
                "x-webkit-deflate-frame, permessage-deflate",
                BOTH.to_owned(),
                15,
            ),
            (
                "x-odd; of=\"a, permessage-deflate; \\\", b\", permessage-deflate; server_max_window_bits=9",
                narrow(9),
                9,
            ),
            (
                "permessage-deflate; unknown, permessage-deflate; server_max_window_bits=12",
                narrow(12),
                12,
            ),
            (
                "permessage-deflate; server_max_window_bits=7, permessage-deflate",
                BOTH.to_owned(),
                15,
            ),
            ("", String::new(), 0),
            ("permessage-bzip2", String::new(), 0),
            ("permessage-deflate; unknown", String::new(), 0),
            ("permessage-deflate;", String::new(), 0),
            (
                "permessage-deflate; server_max_window_bits",
                String::new(),
                0,
            ),
            (
                "permessage-deflate; server_max_window_bits=7",
                String::new(),
                0,
            ),
            (
                "permessage-deflate; server_max_window_bits=16",
                String::new(),
                0,
            ),
            (
                "permessage-deflate; server_max_window_bits=08",
                String::new(),
                0,
            ),
            (
                "permessage-deflate; server_max_window_bits=+9",
                String::new(),
                0,
            ),
            (
                "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
                String::new(),
                0,
            ),
            (
                "permessage-deflate; client_max_window_bits=16",
                String::new(),
                0,
            ),
            (
                "permessage-deflate; client_max_window_bits=",
                String::new(),
                0,
            ),
            (
                "permessage-deflate; server_no_context_takeover=1",
                String::new(),
                0,
            ),
            (
                "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
                String::new(),
                0,
            ),
        ] {
            let (response, agreed) = ask(&[("sec-websocket-extensions", offered)]).unwrap();
            let answer = response
                .headers()
                .get("sec-websocket-extensions")
                .map_or("", |answer| answer.to_str().unwrap());
            assert_eq!(answer, answered, "{offered}");
            assert_eq!(
                agreed.deflate.map_or(0, |window| window.bits),
                bits,
                "{offered}"
            );
        }
    }

    #[test]
    fn offers_may_be_on_several_lines() {
        let lines = [
            ("sec-websocket-extensions", "permessage-deflate; odd"),
            ("sec-websocket-extensions", "permessage-deflate"),
        ];
        assert_eq!(
            ask(&lines).unwrap().1.deflate,
            Some(Window::MAX_WINDOW_BYTES)
        );
    }

    #[test]
    fn a_narrow_window_takes_what_fits_into_it() {
        let narrow = Window { bits: 9 };
        assert!(narrow.takes(512) && !narrow.takes(513));
        assert!(Window::MAX_WINDOW_BYTES.takes(1 << 20));
    }
}
