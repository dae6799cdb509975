//! What every upgrade to a WebSocket has in common: the check of its origin, and the stream under
//! an upgraded connection.

use axum::http::{HeaderMap, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;

use super::client_stream::ClientStream;

/// The stream under an upgraded connection, deregistered from the runtime that served its request,
/// and the bytes that were read with the handshake.
pub(in crate::engine) fn into_std_stream(
    upgraded: Upgraded,
) -> Option<(std::net::TcpStream, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<ClientStream>>().ok()?;
    Some((
        parts.io.into_inner().into_inner().into_std().ok()?,
        parts.read_buf.to_vec(),
    ))
}

/// Browsers send cookies also with sockets that other sites open, but always with `Origin`.
/// Programs send none.
pub(in crate::engine) fn is_same_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let (Ok(origin), Some(Ok(host))) = (
        origin.to_str(),
        headers.get(header::HOST).map(|host| host.to_str()),
    ) else {
        return false;
    };
    origin
        .split_once("://")
        .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
}
