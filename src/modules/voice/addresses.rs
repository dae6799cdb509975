//! Where browsers reach the media server: what the settings say, or else the host of the page and
//! this machine's own address.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::base::public_address::is_public;
use crate::engine::web::Hosts;

/// Addresses that a browser is told of.
const MAX_ADDRESSES: usize = 8;
/// Bytes of a host's name.
const MAX_HOST_BYTES: usize = 253;
/// Names that are looked up at once. For further ones the machine's own address has to do.
static LOOKUPS: Semaphore = Semaphore::const_new(8);
/// How long a name may take to be looked up.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// The addresses for who has the page of a host open.
pub(super) async fn announced(
    configured: &[String],
    host: &str,
    hosts: &Hosts,
    port: u16,
) -> Vec<SocketAddr> {
    let mut found = BTreeSet::new();
    if configured.is_empty() {
        found.extend(own_address());
        // No other names are looked up because a page says so.
        if hosts.allows_name(&host.to_ascii_lowercase()) {
            found.extend(look_up(host).await);
        }
    }
    for name in configured.iter().take(MAX_ADDRESSES) {
        found.extend(look_up(name).await);
    }
    let usable = found
        .into_iter()
        .filter(|ip| !ip.is_unspecified() && !ip.is_multicast());
    usable
        .take(MAX_ADDRESSES)
        .map(|ip| SocketAddr::new(ip, port))
        .collect()
}

/// Says at the start that others may need an address that only the host of this server knows.
pub(super) fn warn_of_private_address() {
    if let Some(address) = own_address().filter(|ip| !is_public(*ip)) {
        tracing::warn!(
            %address,
            "voice: this machine's own address is private; people outside of its network reach \
             voice if the host of the page leads here, or by what voice_addresses names"
        );
    }
}

async fn look_up(host: &str) -> Vec<IpAddr> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = host.parse::<IpAddr>() {
        return vec![ip.to_canonical()];
    }
    if host.is_empty() || host.len() > MAX_HOST_BYTES {
        return Vec::new();
    }
    // One that does not answer holds a thread, and does not end with the wait for it.
    let Ok(_place) = LOOKUPS.try_acquire() else {
        return Vec::new();
    };
    match timeout(LOOKUP_TIMEOUT, lookup_host((host, 0))).await {
        Ok(Ok(found)) => found.map(|address| address.ip().to_canonical()).collect(),
        _ => Vec::new(),
    }
}

/// The address that this machine has towards others, of which the system knows without asking
/// anybody.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    // Of documentation (RFC 5737): connecting a UDP socket sends nothing.
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::settings::{Profile, Settings};

    fn hosts() -> Hosts {
        Hosts::new(&Settings::of(
            Profile::Production,
            std::path::Path::new("data"),
        ))
    }

    #[tokio::test]
    async fn name_that_is_not_the_servers_is_not_looked_up() {
        let hosts = hosts();
        hosts.restrict_to("chat.example.org");
        let own = announced(&[], "", &hosts, 3478).await;
        assert_eq!(announced(&[], "203.0.113.5", &hosts, 3478).await, own);
    }

    #[tokio::test]
    async fn configured_addresses_are_announced_and_no_others() {
        let configured = ["198.51.100.7".to_owned(), "[2001:db8::7]".to_owned()];
        let found = announced(&configured, "192.0.2.9", &hosts(), 3478).await;
        let expected: Vec<SocketAddr> = ["198.51.100.7:3478", "[2001:db8::7]:3478"]
            .iter()
            .map(|address| address.parse().expect("an address"))
            .collect();
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn host_of_the_page_is_announced_when_nothing_is_configured() {
        let found = announced(&[], "203.0.113.5", &hosts(), 3478).await;
        assert!(found.contains(&"203.0.113.5:3478".parse().expect("an address")));
        let nothing = announced(&[], &"a".repeat(300), &hosts(), 3478).await;
        assert!(nothing.len() <= 1);
    }
}
