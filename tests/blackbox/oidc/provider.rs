//! A sign-in service for tests: issues codes for whoever is asked for, and signs as told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Html;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Who signs a token, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    Es256,
    Rs256,
    /// By another key under the name of the right one.
    Forged,
    /// By a key that is not published.
    Unknown,
    /// With the algorithm `none`.
    Unsigned,
}

struct Issued {
    claims: Value,
    signing: Signing,
    challenge: String,
}

struct Shared {
    issuer: String,
    key: EcdsaKeyPair,
    other: EcdsaKeyPair,
    rsa: RsaKeyPair,
    codes: Mutex<HashMap<String, Issued>>,
}

/// The service, on a port of this machine.
#[derive(Clone)]
pub struct Provider(Arc<Shared>);

fn ec_key() -> EcdsaKeyPair {
    let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).expect("a key")
}

/// The value of a field of an address or a form.
pub fn field(query: &str, name: &str) -> String {
    let url = format!("http://localhost?{query}");
    let url = reqwest::Url::parse(&url).expect("a query");
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map_or_else(String::new, |(_, value)| value.into_owned())
}

impl Provider {
    /// Starts the service.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let issuer = format!("http://{}", listener.local_addr().expect("an address"));
        let rsa = STANDARD.decode(RSA_KEY.concat()).expect("base64");
        let provider = Self(Arc::new(Shared {
            issuer,
            key: ec_key(),
            other: ec_key(),
            rsa: RsaKeyPair::from_der(&rsa).expect("a key"),
            codes: Mutex::default(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/authorize", get(authorize))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Issues a code for whoever was sent to `location`, with what `change` makes of the claims;
    /// the way back.
    pub fn sign_in(
        &self,
        location: &str,
        signing: Signing,
        change: impl FnOnce(&mut Value),
    ) -> String {
        let (address, query) = location.split_once('?').expect("a query");
        assert_eq!(address, format!("{}/authorize", self.0.issuer));
        assert_eq!(field(query, "response_type"), "code");
        assert_eq!(field(query, "code_challenge_method"), "S256");
        let back = field(query, "redirect_uri");
        assert!(back.ends_with("/sign-in/oidc/return"), "{back}");
        let now = std::time::UNIX_EPOCH.elapsed().expect("a clock").as_secs();
        let mut claims = json!({ "iss": self.0.issuer, "aud": field(query, "client_id"),
            "sub": "person-1", "exp": now + 300, "iat": now, "nonce": field(query, "nonce") });
        change(&mut claims);
        let state = field(query, "state");
        let issued = Issued {
            claims,
            signing,
            challenge: field(query, "code_challenge"),
        };
        let mut codes = self.0.codes.lock().expect("no panic");
        let code = format!("code-{}", codes.len());
        codes.insert(code.clone(), issued);
        format!("/sign-in/oidc/return?code={code}&state={state}")
    }

    fn token(&self, issued: &Issued) -> String {
        let (algorithm, key) = match issued.signing {
            Signing::Rs256 => ("RS256", "rsa"),
            Signing::Unknown => ("ES256", "other"),
            Signing::Unsigned => ("none", "ec"),
            Signing::Es256 | Signing::Forged => ("ES256", "ec"),
        };
        let head = json!({ "alg": algorithm, "kid": key, "typ": "JWT" });
        let message = [&head, &issued.claims]
            .map(|part| BASE64.encode(part.to_string()))
            .join(".");
        let random = SystemRandom::new();
        let by = |key: &EcdsaKeyPair| {
            let signature = key.sign(&random, message.as_bytes());
            signature.expect("a signature").as_ref().to_vec()
        };
        let signature = match issued.signing {
            Signing::Es256 => by(&self.0.key),
            Signing::Forged | Signing::Unknown => by(&self.0.other),
            Signing::Unsigned => Vec::new(),
            Signing::Rs256 => {
                let (key, bytes) = (&self.0.rsa, message.as_bytes());
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signature)
                    .expect("a signature");
                signature
            }
        };
        format!("{message}.{}", BASE64.encode(signature))
    }
}

async fn discovery(State(Provider(shared)): State<Provider>) -> Json<Value> {
    let issuer = &shared.issuer;
    Json(
        json!({ "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys") }),
    )
}

/// What a browser is sent to: a page with the way back.
async fn authorize(State(provider): State<Provider>, RawQuery(query): RawQuery) -> Html<String> {
    let query = query.unwrap_or_default();
    let location = format!("{}/authorize?{query}", provider.issuer());
    let back = provider.sign_in(&location, Signing::Es256, |_| ());
    let redirect = field(&query, "redirect_uri");
    let base = redirect
        .strip_suffix("/sign-in/oidc/return")
        .unwrap_or_default();
    let back = back.replace('&', "&amp;");
    Html(format!(
        "<!doctype html><link rel=icon href=\"data:,\">\
         <a id=continue href=\"{base}{back}\">Continue</a>"
    ))
}

async fn keys(State(Provider(shared)): State<Provider>) -> Json<Value> {
    let (x, y) = shared.key.public_key().as_ref()[1..].split_at(32);
    let rsa: PublicKeyComponents<Vec<u8>> = shared.rsa.public().into();
    Json(json!({ "keys": [
        { "kty": "oct", "kid": "ignored" },
        { "kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "x": BASE64.encode(x),
            "y": BASE64.encode(y) },
        { "kty": "RSA", "kid": "rsa", "n": BASE64.encode(rsa.n), "e": BASE64.encode(rsa.e) },
    ] }))
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    body: String,
) -> Result<Json<Value>, StatusCode> {
    let refused = StatusCode::BAD_REQUEST;
    let secret = format!("Basic {}", STANDARD.encode("tidepool:a+secret%26more"));
    let authorization = headers.get("authorization").ok_or(refused)?;
    let mut codes = provider.0.codes.lock().expect("no panic");
    let issued = codes.get_mut(&field(&body, "code")).ok_or(refused)?;
    let challenge = BASE64.encode(Sha256::digest(field(&body, "code_verifier")));
    if authorization != secret.as_str() || challenge != issued.challenge {
        return Err(refused);
    }
    // A code is used once.
    issued.challenge.clear();
    Ok(Json(
        json!({ "id_token": provider.token(issued), "token_type": "Bearer" }),
    ))
}

/// A key for tests only, PKCS #1 in base64.
const RSA_KEY: &[&str] = &[
    "MIIEoAIBAAKCAQEA1hZH3BjydQLg4DfZ7BfYZ1ec6P/xcIQs3ESuq7CfythNN+WddVCHmfgiI02BZErjudIhM068/J",
    "9La7MKtVdsNOgDT/0K1Xq99bBfJDeRq0YeFV+ZpICwH7dU9Vn2jOnUfav1heBryvBbJ+jFd5JFbK+PVUpSxESSW+4C",
    "Q+XsSqsV37QuvgTdaVl9Fpd3gj9gw0+ERGpDRGztSBgZme7j+qr7dL5TZqx5kpJCM/GVPR6GrinkBH/aadGaaPaSsp",
    "wjxTkU4/ttR/Ly4Sws9THfiy6OlElLugAQEDt61d6zW65X5NT3tC9hd5sgkU6vM2IWhNV1cRWyxSwy4GNqjsyI8QID",
    "AQABAoH/RpYt9YwFzhb5YdNkT86xAkeMW1bgriqKdVQY99nY/SOhX0VWrkZD7CuoIvN1uJRKra8+BmOrkeRzsjPQcm",
    "gArz+/3mi+6ohbtXqvEeBD0rdc7VTiqclK83jiT/KqzUMT2PX84Sm2/kpGYXbBXKcz0g2DT+TRhHOknN3Gmtx6AYmq",
    "YnqXNg1YbM/0GnFBeLBcsLu6cZtJ15Uva4FFmMq4Sf7FIaLF5GoreJQZAQYfet6E9CDtWdjbw4fhLQOnuyJ8g8w0Wu",
    "WrfIZX8uTyfrHj5m22x+Z6ZauIb9ASuh5aE8PsjyG4fGbZv8sObsOY/U11Qj7OsHxeuyUMgj58MXLpAoGBAPCGXFiz",
    "XYjmsF7bCM4XVDxccHIg6xpYWhwb9Z3UJLP+DMADxXbHk3qtUpTMvoc8MPJEG/aIsSCzyUoe8+fRhBc+gADxsarKIP",
    "de4jRvIX/0cJOptTokh+gc0iB3VCwm9oMKl7JU8hKzDE+9Kjdsq5nsthbWEYfqNIYm0gRXY1opAoGBAOPcd78vXTYx",
    "KxDmFf762UtIPj3/Nq0n1uRpX4DM9IiSLFZ9YSpXqbAVsW/aVZ3Dl+lZNNoiBQ1h/bD1f3ssdyZ3Bv8WtxBPe7q2NM",
    "iOdZ/vXPC0v1GlgbM6j2FYRd+Hfu5gngA9YTT/KqX0dvb+JI9nH+/W33m0dQNKZVVgMiGJAoGAOLl3TfP/OyosrjI6",
    "AWC/HP0wB7p7t9reZYKyimZdwZVIrIA3Mawfu+7kavNee8ZWRMyLS7kxDOVZs4FZRHLFFDZJOe/GVuEUpUJbVsJexC",
    "6B3lFHzE6RPsyNQdrinwcRXBZDcGtYK9DONoAGVMvsLIEG8JvLxqIVgQ3mud9iLwECgYAP/W2tze4VmneyNONARGwx",
    "Oz2a7ijxF8Wdu8NG75sNZmyUGTJTXVl8ENmlxsWRT6N+bZMm55JBMSozW9b5VtJ5sYqdJgPsshc1sAmeNVkNwydbgO",
    "OYICws3qQnKaGloQWIRuFvlN8Yb/uXL8OVa5o3Mf5sv0Bpcv9vHq5jwl9iOQKBgG140XariOJ+kDaZ9R44L7FUlSSB",
    "fTHN6xvg9tuN1yoPl/NupTMygc/c3sZA+nN4ekocdhCA4MUhxyxk2AkSufhcBBO9Ntu4CzQ1a3h7JYdcIBuq47YeM7",
    "HAXKHFV4iAQIhGoEGB/KnuGzrbrjTTFeGfjK1ItIDtcKEatGEwrLJd",
];
