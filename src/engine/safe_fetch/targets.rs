//! Which addresses the server connects to when a member or a browser named them, and the resolver
//! that hands over no others. A name is resolved once for each connection, which goes to what was
//! checked: there is no second look-up that could answer differently.

#[cfg(test)]
use std::net::Ipv4Addr;
use std::net::{IpAddr, SocketAddr};
#[cfg(test)]
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Host;

use crate::base::public_address::is_public;

/// Where connections may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    /// Public addresses.
    Public,
    /// The own machine and network, too: for a test's double of a service, by a setting.
    Any,
    /// Public addresses, and one of a test's server that stands for a public one.
    #[cfg(test)]
    PublicOr(Ipv4Addr, u16),
}

impl Targets {
    /// Whether a connection may go to this address.
    pub fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Any => true,
            #[cfg(test)]
            Self::PublicOr(double, _) => is_public(address) || address == double,
        }
    }

    /// Whether the host of a URL is a name, which the resolver checks, or an address that is
    /// allowed. No resolver is asked about addresses. The parser of URLs has brought decimal, octal
    /// and hexadecimal ones into the usual form.
    pub fn allows_host(self, url: &Url) -> bool {
        match url.host() {
            Some(Host::Domain(name)) => !name.is_empty(),
            Some(Host::Ipv4(address)) => self.allows(address.into()),
            Some(Host::Ipv6(address)) => self.allows(address.into()),
            None => false,
        }
    }

    /// Whether web pages are fetched from this port: other services may understand a request, too.
    pub fn allows_port(self, port: u16) -> bool {
        match self {
            Self::Public => matches!(port, 80 | 443),
            Self::Any => true,
            #[cfg(test)]
            Self::PublicOr(_, double) => matches!(port, 80 | 443) || port == double,
        }
    }
}

/// All addresses of a name are such as no connection may go to.
#[derive(Debug, thiserror::Error)]
#[error("it has no public address")]
pub struct NotPublic;

/// Resolves names to allowed addresses only. The others of a name are left out, not a reason to
/// refuse it: networks with DNS64 add an address of their own to every name.
pub struct PublicResolver {
    targets: Targets,
    #[cfg(test)]
    lookup: Option<FakeLookup>,
}

/// What a name resolves to, in a test.
#[cfg(test)]
pub(super) type FakeLookup = Arc<dyn Fn(&str) -> Vec<IpAddr> + Send + Sync>;

impl PublicResolver {
    /// A resolver that asks the system.
    pub fn new(targets: Targets) -> Self {
        Self {
            targets,
            #[cfg(test)]
            lookup: None,
        }
    }

    #[cfg(test)]
    pub(super) fn with_lookup(targets: Targets, lookup: FakeLookup) -> Self {
        let lookup = Some(lookup);
        Self { targets, lookup }
    }
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let targets = self.targets;
        #[cfg(test)]
        if let Some(lookup) = &self.lookup {
            let found = lookup(name.as_str()).into_iter();
            let found = found.map(|address| SocketAddr::new(address, 0));
            let allowed = allowed(targets, found);
            return Box::pin(async move { allowed });
        }
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            allowed(targets, found)
        })
    }
}

fn allowed(
    targets: Targets,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Addrs, Box<dyn std::error::Error + Send + Sync>> {
    let allowed: Vec<_> = found
        .filter(|address| targets.allows(address.ip()))
        .collect();
    match allowed.is_empty() {
        true => Err(NotPublic.into()),
        false => Ok(Box::new(allowed.into_iter())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn name_of_own_machine_is_not_resolved() {
        let name = || "localhost".parse::<Name>().unwrap();
        let resolve = |targets| PublicResolver::new(targets).resolve(name());
        assert!(resolve(Targets::Public).await.is_err());
        assert!(resolve(Targets::Any).await.is_ok());
    }
}
