//! Verification of ID tokens (OpenID Connect Core 1.0, section 3.1.3.7): RS256 and ES256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

/// Seconds by which the clocks of both servers may differ.
const CLOCK_SKEW_SECONDS: i64 = 60;
/// Of the provider's id of a person, by the specification.
const MAX_SUBJECT_BYTES: usize = 255;

/// A public key of the provider.
pub(super) struct Key {
    /// `kid`, by which a token names it.
    pub(super) id: String,
    material: Material,
}

enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point of P-256.
    P256(Vec<u8>),
}

#[derive(Deserialize)]
struct Jwk {
    kid: String,
    kty: String,
    #[serde(default, rename = "use")]
    usage: Option<String>,
    #[serde(default)]
    crv: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

impl Key {
    /// `None` for keys of other kinds, and those that do not sign or have no id.
    pub(super) fn from_jwk(jwk: &Value) -> Option<Self> {
        let jwk = Jwk::deserialize(jwk).ok()?;
        let decode = |text: &str| BASE64.decode(text).ok();
        let material = match (&*jwk.kty, &*jwk.crv) {
            ("RSA", _) => Material::Rsa {
                n: decode(&jwk.n)?,
                e: decode(&jwk.e)?,
            },
            ("EC", "P-256") => Material::P256([vec![4], decode(&jwk.x)?, decode(&jwk.y)?].concat()),
            _ => return None,
        };
        let signs = jwk.usage.is_none_or(|usage| usage == "sig");
        signs.then_some(Self {
            id: jwk.kid,
            material,
        })
    }

    /// The algorithm is the key's, never the token's choice: a token that names another is refused.
    fn is_signed(&self, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                algorithm == "RS256"
                    && key
                        .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
                        .is_ok()
            }
            Material::P256(point) => {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
                algorithm == "ES256" && key.verify(message, signature).is_ok()
            }
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

/// What a token has to say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// Seconds since 1970.
    pub(super) now: i64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Payload {
    iss: String,
    sub: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    nonce: String,
    #[serde(default)]
    email: Option<String>,
    /// Some providers send it as text.
    #[serde(default)]
    email_verified: Value,
    #[serde(default)]
    preferred_username: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

/// Who signed in, as the provider says.
#[derive(Debug)]
pub(super) struct Claims {
    pub(super) subject: String,
    /// Only one that the provider has verified.
    pub(super) email: Option<String>,
    /// Names that a new account may take, the best first.
    pub(super) names: Vec<String>,
}

fn part<T: for<'a> Deserialize<'a>>(text: &str) -> Option<T> {
    serde_json::from_slice(&BASE64.decode(text).ok()?).ok()
}

/// The key that a token says it is signed by.
pub(super) fn key_id(token: &str) -> Option<String> {
    let header: Header = part(token.split('.').next()?)?;
    Some(header.kid)
}

/// Who a token is about.
///
/// # Errors
/// What is wrong with it, without anything of it.
pub(super) fn verify(
    token: &str,
    keys: &[Key],
    expected: &Expected<'_>,
) -> Result<Claims, &'static str> {
    let (message, signature) = token.rsplit_once('.').ok_or("is no JWT")?;
    let (head, payload) = message.split_once('.').ok_or("is no JWT")?;
    let header: Header = part(head).ok_or("has no header as it should")?;
    let signature = BASE64.decode(signature).map_err(|_| "has no signature")?;
    let mut keys = keys.iter().filter(|key| key.id == header.kid).peekable();
    keys.peek().ok_or("is signed by an unknown key")?;
    if !keys.any(|key| key.is_signed(&header.alg, message.as_bytes(), &signature)) {
        return Err("has a wrong signature");
    }
    let claims: Payload = part(payload).ok_or("lacks a claim")?;
    let is_for_us = match &claims.aud {
        Audience::One(client) => client == expected.client_id,
        Audience::Several(clients) => {
            let is_party = clients.len() == 1 || claims.azp.is_some();
            is_party && clients.iter().any(|client| client == expected.client_id)
        }
    };
    let is_to_us = claims.azp.is_none_or(|azp| azp == expected.client_id);
    if claims.iss != expected.issuer {
        return Err("is of another issuer");
    }
    if !is_for_us || !is_to_us {
        return Err("is for another client");
    }
    if claims.exp <= (expected.now - CLOCK_SKEW_SECONDS) as f64 {
        return Err("has expired");
    }
    let latest = (expected.now + CLOCK_SKEW_SECONDS) as f64;
    if claims.nbf.is_some_and(|nbf| nbf > latest) {
        return Err("is not valid yet");
    }
    if claims.nonce != expected.nonce {
        return Err("is of another sign-in");
    }
    if claims.sub.is_empty() || claims.sub.len() > MAX_SUBJECT_BYTES {
        return Err("names nobody");
    }
    let verified = &claims.email_verified;
    let is_verified = verified == true || verified == "true";
    let names = [claims.preferred_username, claims.name];
    Ok(Claims {
        subject: claims.sub,
        email: claims.email.filter(|_| is_verified),
        names: names.into_iter().flatten().collect(),
    })
}
