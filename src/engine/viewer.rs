//! Who sent a request: the signed-in person, as far as the engine needs to know, and the address.
//! `web/request_context.rs` makes both extractors.

use std::net::IpAddr;
use std::sync::Arc;

use crate::base::ids::AccountId;
use crate::base::locale::Lang;

/// A signed-in person and the session they are signed in by. As an extractor it refuses requests
/// without one.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: Arc<str>,
    /// The session: the digest of its cookie, which is how sessions are stored.
    pub session: Arc<str>,
    /// Of their settings, else by `Accept-Language`.
    pub lang: Lang,
}

/// The address a request came from: the peer's, or what the proxy in front says when the settings
/// trust it.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

impl Address {
    /// The network that limits count by: an IPv4 address, or a /64 of IPv6, which is the least that
    /// one customer gets.
    pub fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(_) => self.0,
            IpAddr::V6(v6) => v6
                .to_ipv4_mapped()
                .map_or(IpAddr::V6((v6.to_bits() >> 64 << 64).into()), IpAddr::V4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_is_an_ipv4_address_or_64_bits_of_ipv6() {
        let network = |text: &str| Address(text.parse().unwrap()).network();
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
