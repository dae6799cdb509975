//! What is fetched of the provider: its discovery document, its keys, and tokens for a code.
//! Nothing is fetched unless a host configured a provider and somebody signs in with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, RequestBuilder, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::id_token::{Claims, Expected, Key, key_id, verify};
use crate::base::clock::Micros;
use crate::base::secrets;
use crate::base::settings::{Settings, is_oidc_address};

/// A whole request to the provider.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(10);
/// Of an answer of the provider.
const MAX_PROVIDER_BYTES: usize = 256 * 1024;
/// How long the discovery document and the keys are used.
const PROVIDER_TTL: Duration = Duration::from_secs(3600);
/// Keys are not fetched again for an unknown one within this time.
const KEYS_INTERVAL: Duration = Duration::from_secs(60);

/// The service that people sign in with, as configured.
pub(in crate::community) struct Provider {
    pub(super) issuer: String,
    client_id: String,
    client_secret: String,
    client: Client,
    cached: Mutex<Option<Cached>>,
}

#[derive(Clone)]
struct Cached {
    at: Instant,
    keys_at: Instant,
    document: Arc<Document>,
    keys: Arc<Vec<Key>>,
}

/// The parts of a discovery document that are used.
#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// What a sign-in is bound to, from its start to its end.
pub(super) struct Bound<'a> {
    pub(super) nonce: &'a str,
    pub(super) verifier: &'a str,
    pub(super) redirect_uri: &'a str,
}

impl Provider {
    /// The configured provider; `None` without one.
    pub(in crate::community) fn from_settings(settings: &Settings) -> Option<Self> {
        if settings.oidc_issuer.is_empty() {
            return None;
        }
        // Fails where it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PROVIDER_TIMEOUT)
            .https_only(settings.oidc_issuer.starts_with("https:"))
            .build()
            .inspect_err(|error| tracing::error!(%error, "no client for OpenID Connect"));
        Some(Self {
            issuer: settings.oidc_issuer.clone(),
            client_id: settings.oidc_client_id.clone(),
            client_secret: settings.oidc_client_secret.clone(),
            client: client.ok()?,
            cached: Mutex::default(),
        })
    }

    /// The address at the provider that somebody signs in at.
    ///
    /// # Errors
    /// When the provider cannot be reached, or describes itself wrongly.
    pub(super) async fn authorization(&self, state: &str, bound: &Bound<'_>) -> Result<String> {
        let cached = self.cached().await?;
        let mut url = Url::parse(&cached.document.authorization_endpoint)?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", bound.redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", state)
            .append_pair("nonce", bound.nonce)
            // A digest in base64url, as S256 is defined (RFC 7636).
            .append_pair("code_challenge", &secrets::digest(bound.verifier))
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Who signed in, for the code that the provider sent them back with.
    ///
    /// # Errors
    /// When the provider cannot be reached or refuses the code, or its token is not verified.
    pub(super) async fn exchange(&self, code: &str, bound: &Bound<'_>) -> Result<Claims> {
        let cached = self.cached().await?;
        let methods = &cached.document.token_endpoint_auth_methods_supported;
        let is_post = !methods.is_empty()
            && !methods.iter().any(|method| method == "client_secret_basic")
            || self.client_secret.is_empty();
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", bound.redirect_uri),
            ("code_verifier", bound.verifier),
        ];
        if is_post {
            fields.push(("client_id", &self.client_id));
            if !self.client_secret.is_empty() {
                fields.push(("client_secret", &self.client_secret));
            }
        }
        let mut request = self
            .client
            .post(&cached.document.token_endpoint)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(encode(&fields));
        if !is_post {
            let [id, secret] = [&self.client_id, &self.client_secret].map(|text| escape(text));
            request = request.basic_auth(id, Some(secret));
        }
        let tokens: Tokens = fetch(request).await.context("the token endpoint")?;
        let keys = self.keys_for(&tokens.id_token, cached).await?;
        let expected = Expected {
            issuer: &self.issuer,
            client_id: &self.client_id,
            nonce: bound.nonce,
            now: Micros::now().0 / 1_000_000,
        };
        verify(&tokens.id_token, &keys, &expected).map_err(|why| anyhow!("the ID token: {why}"))
    }

    async fn cached(&self) -> Result<Cached> {
        let cached = self.lock().clone();
        if let Some(cached) = cached.filter(|cached| cached.at.elapsed() < PROVIDER_TTL) {
            return Ok(cached);
        }
        let issuer = self.issuer.trim_end_matches('/');
        let address = format!("{issuer}/.well-known/openid-configuration");
        let document = fetch(self.client.get(address)).await;
        let document: Document = document.context("the discovery document")?;
        ensure!(
            document.issuer == self.issuer,
            "the discovery document is of another issuer than oidc_issuer"
        );
        let addresses = [
            &document.authorization_endpoint,
            &document.token_endpoint,
            &document.jwks_uri,
        ];
        ensure!(
            addresses.into_iter().all(|address| self.may_use(address)),
            "the discovery document names an address that is not https"
        );
        let keys = self.fetch_keys(&document.jwks_uri).await?;
        let now = Instant::now();
        let cached = Cached {
            at: now,
            keys_at: now,
            document: Arc::new(document),
            keys,
        };
        *self.lock() = Some(cached.clone());
        Ok(cached)
    }

    /// Plain http only where the issuer itself is on this machine.
    fn may_use(&self, address: &str) -> bool {
        let is_plain = self.issuer.starts_with("http:");
        is_oidc_address(address) && (is_plain || address.starts_with("https:"))
    }

    /// The keys, fetched again if the token names one that is not among them: providers replace
    /// theirs.
    async fn keys_for(&self, id_token: &str, mut cached: Cached) -> Result<Arc<Vec<Key>>> {
        let id = key_id(id_token).ok_or(anyhow!("the ID token names no key"))?;
        let is_known = cached.keys.iter().any(|key| key.id == id);
        if !is_known && cached.keys_at.elapsed() >= KEYS_INTERVAL {
            cached.keys = self.fetch_keys(&cached.document.jwks_uri).await?;
            cached.keys_at = Instant::now();
            *self.lock() = Some(cached.clone());
        }
        Ok(cached.keys)
    }

    async fn fetch_keys(&self, address: &str) -> Result<Arc<Vec<Key>>> {
        let keys = fetch(self.client.get(address)).await;
        let Keys { keys } = keys.context("the provider's keys")?;
        // Those of other kinds are no error: they sign something else.
        let keys = keys.into_iter().filter_map(|key| Key::from_jwk(&key));
        Ok(Arc::new(keys.collect()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Cached>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `a=1&b=2`, escaped as forms are.
fn encode(fields: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://localhost").expect("a constant address");
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

/// As RFC 6749 has id and secret before they are sent by basic authentication.
fn escape(text: &str) -> String {
    encode(&[("", text)]).trim_start_matches('=').to_owned()
}

/// JSON of at most [`MAX_PROVIDER_BYTES`]. Errors never quote it: it may hold tokens.
async fn fetch<T: DeserializeOwned>(request: RequestBuilder) -> Result<T> {
    let mut response = request.header("accept", "application/json").send().await?;
    let status = response.status();
    ensure!(status.is_success(), "answered {status}");
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        ensure!(
            body.len() + chunk.len() <= MAX_PROVIDER_BYTES,
            "answered more than {MAX_PROVIDER_BYTES} bytes"
        );
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| anyhow!("answered something else than it should"))
}
