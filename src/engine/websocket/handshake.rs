//! The opening handshake (RFC 6455, section 4.2) and what is agreed on compression (RFC 7692,
//! section 7.1).

#[cfg(test)]
mod tests;

use axum::http::header::{
    ALLOW, CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};

use super::deflate_offer::{Window, acceptable_offer};

/// The GUID that the server appends to the client's key (RFC 6455, section 1.3).
const KEY_GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Messages may be compressed; the largest window that the client can inflate with. None:
    /// compression was not agreed.
    pub deflate: Option<Window>,
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
/// connection is a websocket. Who may connect, and from which origin, is for the caller to check.
/// No subprotocol is offered.
///
/// # Errors
/// When it is not a handshake of RFC 6455, section 4.2.1. Compression offered in a way that is not
/// supported is no error: it is not agreed then.
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
    if !contains_token(headers, UPGRADE, "websocket")
        || !contains_token(headers, CONNECTION, "upgrade")
    {
        return Err(Refused::NotAnUpgrade);
    }
    if single_value(headers, SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refused::Version);
    }
    let key = single_value(headers, SEC_WEBSOCKET_KEY).ok_or(Refused::Malformed)?;
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
    answer.insert(SEC_WEBSOCKET_ACCEPT, header_value(accept_value(key)));
    if let Some(offer) = offer {
        answer.insert(SEC_WEBSOCKET_EXTENSIONS, header_value(offer.answer()));
    }
    Ok((
        response,
        Agreed {
            deflate: offer.map(|offer| offer.window.unwrap_or(Window::MAX)),
        },
    ))
}

/// The value of `Sec-WebSocket-Accept` for a client's key (RFC 6455, section 4.2.2).
fn accept_value(key: &str) -> String {
    BASE64_STANDARD.encode(
        Sha1::new()
            .chain_update(key)
            .chain_update(KEY_GUID)
            .finalize(),
    )
}

fn header_value(value: String) -> HeaderValue {
    HeaderValue::try_from(value).expect("made of visible ASCII characters")
}

/// Whether a comma-separated header contains the token, ignoring case.
fn contains_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let lines = headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case(token))
}

/// The value of a header that may occur only once (RFC 6455, section 11.3).
fn single_value(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let mut lines = headers.get_all(name).into_iter();
    let first = lines.next()?.to_str().ok()?.trim();
    lines.next().is_none().then_some(first)
}
