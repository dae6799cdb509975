//! Requests to push services. Their addresses come from browsers: only `https` on public addresses,
//! without redirects. A name is resolved once, and the connection goes to what was checked.

use std::sync::Arc;

use reqwest::{Client, Url};

use super::PUSH_TIMEOUT;
use crate::base::error::{Error, Result};
use crate::base::settings::Settings;
use crate::engine::safe_fetch::{PublicResolver, Targets};

/// Bytes of the address of a subscription.
const MAX_ENDPOINT_BYTES: usize = 1_024;

/// Sends to push services. Cheap to clone.
#[derive(Clone)]
pub(in crate::modules::notices) struct PushClient {
    client: Option<Client>,
    /// With any target, for tests, `http` is allowed, too.
    targets: Targets,
}

impl PushClient {
    pub(in crate::modules::notices) fn new(settings: &Settings) -> Self {
        let targets = match settings.push_to_loopback {
            true => Targets::Any,
            false => Targets::Public,
        };
        // Fails where it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PUSH_TIMEOUT)
            .https_only(targets == Targets::Public)
            .no_proxy()
            .dns_resolver(Arc::new(PublicResolver::new(targets)))
            .build()
            .inspect_err(|error| tracing::error!(%error, "no client for push"));
        Self {
            client: client.ok(),
            targets,
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
        let is_https =
            url.scheme() == "https" || (self.targets == Targets::Any && url.scheme() == "http");
        let has_user = !url.username().is_empty() || url.password().is_some();
        match !is_https || !self.targets.allows_host(&url) || has_user {
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
        // Its address is what the device is known by: it is not for the log.
        let answer = request.send().await.map_err(reqwest::Error::without_url)?;
        Ok(answer.status().as_u16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_on_own_networks_are_refused() {
        let client = |targets| PushClient {
            client: None,
            targets,
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
            assert!(client(Targets::Public).endpoint(text).is_err(), "{text}");
        }
        let long = format!(
            "https://push.example.org/{}",
            "a".repeat(MAX_ENDPOINT_BYTES)
        );
        assert!(client(Targets::Public).endpoint(&long).is_err());
        assert!(
            client(Targets::Public)
                .endpoint("https://push.example.org/a")
                .is_ok()
        );
        assert!(
            client(Targets::Any)
                .endpoint("http://127.0.0.1:9/a")
                .is_ok()
        );
    }
}
