//! The host names that the server answers to. A page of another site whose name is pointed at this
//! server (DNS rebinding) would otherwise count as the server's own, and links would carry a forged
//! name.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, OnceLock, RwLock};

use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

use futures_util::future::BoxFuture;

use crate::base::error::Result;
use crate::base::settings::Settings;

/// The allowed host names. Cheap to clone.
#[derive(Clone)]
pub struct Hosts(Arc<Inner>);

struct Inner {
    /// The setting `hosts`, and the address that the server listens on.
    configured: Vec<String>,
    /// The host name of the setup; `None` until the server is set up, which allows every name.
    of_setup: RwLock<Option<String>>,
    /// The port that the server listens on.
    port: u16,
    /// Looks whether the setup was done at another server; unset where there is none.
    find: OnceLock<FindHost>,
}

/// Reads the host name of the setup, if it was done.
type FindHost = Box<dyn Fn() -> BoxFuture<'static, Result<Option<String>>> + Send + Sync>;

impl Hosts {
    /// Those of the settings.
    pub fn new(settings: &Settings) -> Self {
        let own = settings.address.ip().to_string();
        let configured = settings.hosts.iter().filter_map(|host| name_in(host));
        Self(Arc::new(Inner {
            configured: configured.chain([own]).collect(),
            of_setup: RwLock::default(),
            port: settings.address.port(),
            find: OnceLock::new(),
        }))
    }

    /// Allows, from now on, the name under which the server was set up, those of the settings, and
    /// addresses of the own machine and network; no others.
    pub fn restrict_to(&self, host_of_setup: &str) {
        if let Ok(mut host) = self.0.of_setup.write() {
            *host = Some(host_of_setup.to_owned());
        }
    }

    /// Has each request look for the host name of the setup, until it is found: the setup may be done
    /// at another server that shares the database, and no name may pass from then on.
    pub fn restrict_when_found(&self, find: FindHost) {
        let _ = self.0.find.set(find);
    }

    /// Restricts the names if the setup was done at another server. Before [`Self::allows`].
    pub(super) async fn refresh(&self) {
        let is_open = self.0.of_setup.read().is_ok_and(|host| host.is_none());
        let find = self.0.find.get().filter(|_| is_open);
        // While the database does not answer nothing else is answered either.
        if let Some(find) = find
            && let Ok(Some(host)) = find().await
        {
            self.restrict_to(&host);
        }
    }

    /// Whether the server answers to the host that a request names. Requests that name none, which
    /// no browser sends, are allowed.
    pub(super) fn allows(&self, headers: &HeaderMap, uri: &Uri) -> bool {
        // All of them: a proxy may go by another one than we do.
        let named = headers.get_all(header::HOST).iter();
        let named = named.map(|value| value.to_str().ok());
        let target = uri.authority().map(|authority| Some(authority.as_str()));
        named.chain(target).all(|host| {
            host.and_then(name_in)
                .is_some_and(|host| self.allows_name(&host))
        })
    }

    /// Whether a URL with `http` or `https` leads to this server: it has one of its names, and its
    /// port or that of a proxy before it. Addresses of the own network may be other machines'.
    pub fn is_own_url(&self, url: &str) -> bool {
        let Ok(url) = url.parse::<Uri>() else {
            return false;
        };
        let authority = url.authority().map(Authority::as_str).unwrap_or_default();
        let Some(host) = name_in(authority).filter(|_| !authority.contains('@')) else {
            return false;
        };
        let is_named = self.0.configured.contains(&host)
            || self
                .0
                .of_setup
                .read()
                .is_ok_and(|name| name.as_deref() == Some(host.as_str()));
        is_named
            && url
                .port_u16()
                .is_none_or(|port| [80, 443, self.0.port].contains(&port))
    }

    /// Whether the server answers to a name, in lower case and without a port.
    pub fn allows_name(&self, host: &str) -> bool {
        if is_local(host) || self.0.configured.iter().any(|allowed| allowed == host) {
            return true;
        }
        match self.0.of_setup.read() {
            Ok(of_setup) => of_setup.as_deref().is_none_or(|allowed| allowed == host),
            Err(_) => false,
        }
    }
}

/// The host that a request names, without its port; `None` without a valid one.
pub fn requested_host(headers: &HeaderMap) -> Option<String> {
    name_in(headers.get(header::HOST)?.to_str().ok()?)
}

/// Whether a request came from this machine itself: it names the own machine as its host, and no
/// proxy has passed it on. The peer's address is for the caller to check.
pub fn names_own_machine(parts: &Parts) -> bool {
    const PROXY_HEADERS: [&str; 5] = [
        "forwarded",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-real-ip",
    ];
    let is_own = requested_host(&parts.headers).is_some_and(|host| is_loopback(&host));
    is_own
        && PROXY_HEADERS
            .iter()
            .all(|name| !parts.headers.contains_key(*name))
}

/// The name in `host` or `host:port`, in lower case, without brackets and final dot.
fn name_in(authority: &str) -> Option<String> {
    // An address of IPv6 is also accepted without brackets, as people write it into settings.
    if let Ok(address) = authority.parse::<Ipv6Addr>() {
        return Some(address.to_string());
    }
    let authority: Authority = authority.parse().ok()?;
    let host = authority.host();
    let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

fn is_loopback(host: &str) -> bool {
    let address: Option<IpAddr> = host.parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// The own machine, and addresses of private networks: no foreign site can have these for a name.
fn is_local(host: &str) -> bool {
    is_loopback(host)
        || host.ends_with(".localhost")
        || match host.parse() {
            Ok(IpAddr::V4(v4)) => v4.is_private() || v4.is_link_local() || is_shared(v4.octets()),
            Ok(IpAddr::V6(v6)) => v6.is_unique_local() || v6.is_unicast_link_local(),
            Err(_) => false,
        }
}

/// 100.64.0.0/10 (RFC 6598), which overlay networks use.
fn is_shared([first, second, ..]: [u8; 4]) -> bool {
    first == 100 && second & 0b1100_0000 == 64
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::base::settings::Profile;

    fn allows(hosts: &Hosts, host: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        hosts.allows(&headers, &Uri::from_static("/"))
    }

    #[test]
    fn names_of_setup_settings_and_own_network_are_allowed() {
        let mut settings = Settings::of(Profile::Production, Path::new("."));
        settings.hosts = vec!["Chat.Example.org".into(), "203.0.113.7".into()];
        let hosts = Hosts::new(&settings);
        assert!(allows(&hosts, "anything.example"), "not set up yet");
        hosts.restrict_to("chat.lan");
        for host in [
            "chat.lan:8080",
            "CHAT.lan.",
            "chat.example.org",
            "203.0.113.7:80",
            "localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
            "192.168.1.4",
            "100.100.1.1",
            "[fd00::1]:8080",
        ] {
            assert!(allows(&hosts, host), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "203.0.113.8",
            "",
            "a b",
            "@",
        ] {
            assert!(!allows(&hosts, host), "{host}");
        }
        let forged = Uri::from_static("http://evil.example/");
        assert!(!hosts.allows(&HeaderMap::new(), &forged));
    }
}
