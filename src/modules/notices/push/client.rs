//! Requests to push services. Their addresses come from browsers: only `https` on public addresses,
//! without redirects. A name is resolved once, and the connection goes to what was checked.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url};

use super::PUSH_TIMEOUT;
use crate::base::error::{Error, Result};
use crate::base::public_address::is_public;
use crate::base::settings::Settings;

/// Bytes of the address of a subscription.
const MAX_ENDPOINT_BYTES: usize = 1_024;

/// Sends to push services. Cheap to clone.
#[derive(Clone)]
pub(in crate::modules::notices) struct PushClient {
    client: Option<Client>,
    /// Whether `http` and addresses of the own machine are allowed, for tests.
    is_local: bool,
}

/// Resolves names to public addresses only.
struct PublicResolver {
    is_local: bool,
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_local = self.is_local;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found
                .filter(|address| is_local || is_public(address.ip()))
                .collect();
            match public.is_empty() {
                true => Err("it has no public address".into()),
                false => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

impl PushClient {
    pub(in crate::modules::notices) fn new(settings: &Settings) -> Self {
        let is_local = settings.push_to_loopback;
        // Fails where it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PUSH_TIMEOUT)
            .https_only(!is_local)
            .no_proxy()
            .dns_resolver(Arc::new(PublicResolver { is_local }))
            .build()
            .inspect_err(|error| tracing::error!(%error, "no client for push"));
        Self {
            client: client.ok(),
            is_local,
        }
    }

    /// The address of a subscription, if it may be sent to. A name is looked up only then.
    ///
    /// # Errors
    /// `Invalid` for other addresses.
    pub(super) fn endpoint(&self, text: &str) -> Result<Url> {
        let refused = || Error::field("endpoint", "error-push-endpoint");
        if text.len() > MAX_ENDPOINT_BYTES {
            return Err(refused());
        }
        let url = Url::parse(text).map_err(|_| refused())?;
        let is_https = url.scheme() == "https" || (self.is_local && url.scheme() == "http");
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']');
        let is_private = literal
            .parse::<IpAddr>()
            .is_ok_and(|address| !self.is_local && !is_public(address));
        let has_user = !url.username().is_empty() || url.password().is_some();
        match !is_https || host.is_empty() || is_private || has_user {
            true => Err(refused()),
            false => Ok(url),
        }
    }

    /// Sends an encrypted message. Returns the status of the answer, whose body is not read.
    ///
    /// # Errors
    /// When the push service cannot be reached, or has no public address.
    pub(super) async fn send(
        &self,
        endpoint: Url,
        authorization: &str,
        body: Vec<u8>,
    ) -> anyhow::Result<u16> {
        let client = self.client.as_ref();
        let client = client.ok_or_else(|| anyhow::anyhow!("there is no client for push"))?;
        let request = client
            .post(endpoint)
            .header("authorization", authorization)
            .header("content-encoding", "aes128gcm")
            .header("content-type", "application/octet-stream")
            .header("ttl", "86400")
            .header("urgency", "high")
            .body(body);
        Ok(request.send().await?.status().as_u16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_on_own_networks_are_refused() {
        let client = |is_local| PushClient {
            client: None,
            is_local,
        };
        for text in [
            "http://push.example.org/a",
            "https://127.0.0.1/a",
            "https://2130706433/a",
            "https://0x7f.1/a",
            "https://0177.0.0.1/a",
            "https://[::1]/a",
            "https://[::ffff:10.0.0.1]/a",
            "https://169.254.169.254/a",
            "https://ann@push.example.org/a",
            "ftp://push.example.org/a",
            "https:///",
            "push",
        ] {
            assert!(client(false).endpoint(text).is_err(), "{text}");
        }
        let long = format!(
            "https://push.example.org/{}",
            "a".repeat(MAX_ENDPOINT_BYTES)
        );
        assert!(client(false).endpoint(&long).is_err());
        assert!(client(false).endpoint("https://push.example.org/a").is_ok());
        assert!(client(true).endpoint("http://127.0.0.1:9/a").is_ok());
    }

    #[tokio::test]
    async fn name_of_own_machine_is_not_resolved() {
        let name = || "localhost".parse::<Name>().unwrap();
        let resolve = |is_local| PublicResolver { is_local }.resolve(name());
        assert!(resolve(false).await.is_err());
        assert!(resolve(true).await.is_ok());
    }
}
