//! The address of a client: the peer's, or the one that the proxy in front reports.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};

/// The address that limits count by. Behind a proxy it is the last entry of `X-Forwarded-For`,
/// which the proxy appends; the entries before it come from the client and prove nothing. When the
/// last one is no address it is the proxy's own: all such clients share one limit, and none
/// chooses its own.
pub(super) fn find_client_address<B>(request: &Request<B>, behind_proxy: bool) -> Option<IpAddr> {
    let peer: Option<&ConnectInfo<SocketAddr>> = request.extensions().get();
    let peer = peer.map(|info| info.0.ip());
    if !behind_proxy {
        return peer;
    }
    forwarded_address(request.headers()).or(peer)
}

fn forwarded_address(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?;
    parse_entry(last.to_str().ok()?.rsplit(',').next()?.trim())
}

/// `192.0.2.1`, `2001:db8::1` or `[2001:db8::1]`, the first and the last also with a port, as Azure
/// and HAProxy write them.
fn parse_entry(entry: &str) -> Option<IpAddr> {
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(address) = entry.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    let address = entry.strip_prefix('[')?.strip_suffix(']')?;
    Some(IpAddr::V6(address.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_of(values: &[&str]) -> String {
        let mut request = Request::new(());
        let peer = SocketAddr::from(([127, 0, 0, 1], 9));
        request.extensions_mut().insert(ConnectInfo(peer));
        for value in values {
            let value = value.parse().unwrap();
            request.headers_mut().append("x-forwarded-for", value);
        }
        let address = find_client_address(&request, true).unwrap();
        assert_eq!(
            find_client_address(&request, false),
            Some(peer.ip()),
            "nobody is believed without a proxy"
        );
        address.to_string()
    }

    #[test]
    fn last_forwarded_entry_is_the_client_with_or_without_port() {
        for (values, address) in [
            (&["192.0.2.1"][..], "192.0.2.1"),
            (&["6.6.6.6, 192.0.2.1"], "192.0.2.1"),
            (&["6.6.6.6", "192.0.2.1"], "192.0.2.1"),
            (&["6.6.6.6:1,192.0.2.1:50123"], "192.0.2.1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["[2001:db8::1]:50123"], "2001:db8::1"),
        ] {
            assert_eq!(address_of(values), address, "{values:?}");
        }
    }

    #[test]
    fn malformed_forwarded_entry_counts_as_the_proxy() {
        for value in [
            "",
            "unknown",
            "6.6.6.6,",
            "6.6.6.6, x",
            "192.0.2.1:",
            "192.0.2.1:x",
            "[192.0.2.1]",
            "[2001:db8::1",
            "2001:db8::1]:1",
            "192.0.2.1 6.6.6.6",
            "\"192.0.2.1\"",
            "192.0.2.300",
        ] {
            assert_eq!(address_of(&["6.6.6.6", value]), "127.0.0.1", "{value:?}");
        }
    }
}
