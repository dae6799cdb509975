//! The sender of a request: the signed-in account, as far as the engine needs it, and the address.
//! `web/request_context.rs` implements the extractors.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::base::error::Result;
use crate::base::ids::AccountId;
use crate::base::locale::Lang;

/// A signed-in account and its session. As an extractor it refuses requests that are not signed in.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The account that is signed in.
    pub account: AccountId,
    /// The name that others see.
    pub name: Arc<str>,
    /// The digest of the session's cookie, which identifies the session in the database.
    pub session: Arc<str>,
    /// The address that the request came from, or the socket was opened from.
    pub address: IpAddr,
    /// The language of the account's settings, else of `Accept-Language`.
    pub lang: Lang,
    /// The colours that the account chose.
    pub theme: Theme,
    /// Whether this is a guest, who reads under a name for a day and changes nothing.
    pub is_guest: bool,
}

/// Which colours an account chose for its pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Those of the device.
    #[default]
    Device,
    /// Light, whatever the device prefers.
    Light,
    /// Dark, whatever the device prefers.
    Dark,
}

impl Theme {
    /// By its name; that of the device for any other.
    pub fn from_name(name: &str) -> Self {
        match name {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Device,
        }
    }

    /// The name that style sheets select by; none for that of the device.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Device => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

/// Says whether a viewer's session still exists. It fails when the session could not be read.
pub(in crate::engine) type SessionCheck =
    Arc<dyn Fn(Viewer) -> BoxFuture<'static, Result<bool>> + Send + Sync>;

/// The address that a request came from: the peer's, or the one that a proxy reports if the
/// settings trust it.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

impl Address {
    /// The network by which limits count: an IPv4 address, or a /64 of IPv6, the least that
    /// providers assign to one customer.
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
    fn network_is_ipv4_address_or_ipv6_prefix() {
        let network = |text: &str| Address(text.parse().unwrap()).network();
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff::9"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
