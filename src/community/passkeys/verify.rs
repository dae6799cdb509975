//! Verifying what a browser sends of a passkey: sections 7.1 (registration) and 7.2 (sign-in) of
//! <https://www.w3.org/TR/webauthn-2/>, for ES256 and EdDSA, with user verification.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ED25519, UnparsedPublicKey};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Bytes of the authenticator's data before the credential: digest, flags and counter.
const HEAD_BYTES: usize = 37;
const AAGUID_BYTES: usize = 16;
/// Of a credential's id, by the specification.
const MAX_CREDENTIAL_BYTES: usize = 1023;
const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const HAS_CREDENTIAL: u8 = 0x40;

/// The start of a COSE key of ES256, in the canonical form that authenticators have to use: map of
/// five, kty EC2, alg ES256, crv P-256, and the head of x.
const ES256_KEY: &[u8] = &[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 0x20];
/// Between x and y of it: the head of y.
const ES256_Y: &[u8] = &[0x22, 0x58, 0x20];
/// The start of a COSE key of EdDSA: map of four, kty OKP, alg EdDSA, crv Ed25519, the head of x.
const EDDSA_KEY: &[u8] = &[0xa4, 1, 1, 3, 0x27, 0x20, 6, 0x21, 0x58, 0x20];

/// How a passkey signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// Of the registry of COSE.
    pub(super) fn number(self) -> i64 {
        match self {
            Self::Es256 => -7,
            Self::EdDsa => -8,
        }
    }

    pub(super) fn from_number(number: i64) -> Option<Self> {
        [Self::Es256, Self::EdDsa]
            .into_iter()
            .find(|algorithm| algorithm.number() == number)
    }

    fn verify(self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256 => UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key)
                .verify(message, signature)
                .is_ok(),
            Self::EdDsa => UnparsedPublicKey::new(&ED25519, key)
                .verify(message, signature)
                .is_ok(),
        }
    }
}

/// Where the page is that a passkey was used on: `https://host:port`, by the request.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) origin: String,
    /// The host name, which the browser binds a passkey to.
    pub(super) rp_id: String,
}

/// A new passkey, as the browser sends it; all of it base64url.
#[derive(Deserialize)]
pub(super) struct Registration {
    client_data: String,
    authenticator_data: String,
}

/// A sign-in by a passkey, as the browser sends it; all of it base64url.
#[derive(Deserialize)]
pub(super) struct Assertion {
    pub(super) id: String,
    client_data: String,
    authenticator_data: String,
    signature: String,
}

/// A verified new passkey. The challenge is still to be checked, and used up.
#[derive(Debug)]
pub(super) struct NewPasskey {
    pub(super) id: String,
    pub(super) challenge: String,
    pub(super) algorithm: Algorithm,
    /// base64url, as [`Algorithm::verify`] takes it.
    pub(super) public_key: String,
    pub(super) sign_count: i64,
}

/// A verified signature. The challenge is still to be checked, and used up.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) challenge: String,
    pub(super) sign_count: i64,
}

#[derive(Deserialize)]
struct ClientData {
    r#type: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// The challenge of client data, if it is of this kind and page.
fn challenge(client_data: &[u8], kind: &str, origin: &Origin) -> Option<String> {
    let data: ClientData = serde_json::from_slice(client_data).ok()?;
    let is_ours = data.r#type == kind && data.origin == origin.origin && !data.cross_origin;
    is_ours.then_some(data.challenge)
}

/// Flags and counter of an authenticator's data, if it is for this host and its user was verified.
fn head(data: &[u8], origin: &Origin) -> Option<(u8, i64)> {
    let (digest, rest) = data.split_at_checked(32)?;
    let (&flags, rest) = rest.split_first()?;
    let count: [u8; 4] = rest.get(..4)?.try_into().ok()?;
    let is_ours = *digest == *Sha256::digest(origin.rp_id.as_bytes())
        && flags & USER_PRESENT != 0
        && flags & USER_VERIFIED != 0;
    is_ours.then(|| (flags, u32::from_be_bytes(count).into()))
}

/// The id and the rest of an authenticator's data, which begins with the key.
fn credential(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = data.get(HEAD_BYTES + AAGUID_BYTES..)?;
    let (length, rest) = rest.split_at_checked(2)?;
    let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
    let is_allowed = (1..=MAX_CREDENTIAL_BYTES).contains(&length);
    rest.split_at_checked(length).filter(|_| is_allowed)
}

/// The key at the start of these bytes: uncompressed point or 32 bytes, as `ring` takes it.
fn public_key(bytes: &[u8]) -> Option<(Algorithm, Vec<u8>)> {
    if let Some(rest) = bytes.strip_prefix(ES256_KEY) {
        let (x, rest) = rest.split_at_checked(32)?;
        let y = rest.strip_prefix(ES256_Y)?.get(..32)?;
        return Some((Algorithm::Es256, [&[4], x, y].concat()));
    }
    let x = bytes.strip_prefix(EDDSA_KEY)?.get(..32)?;
    Some((Algorithm::EdDsa, x.to_vec()))
}

impl Registration {
    /// The new passkey; `None` if anything of it is not as it has to be.
    pub(super) fn verify(&self, origin: &Origin) -> Option<NewPasskey> {
        let client_data = decode(&self.client_data)?;
        let challenge = challenge(&client_data, "webauthn.create", origin)?;
        let data = decode(&self.authenticator_data)?;
        let (flags, sign_count) = head(&data, origin)?;
        let (id, key) = credential(&data).filter(|_| flags & HAS_CREDENTIAL != 0)?;
        let (algorithm, key) = public_key(key)?;
        Some(NewPasskey {
            id: BASE64.encode(id),
            challenge,
            algorithm,
            public_key: BASE64.encode(key),
            sign_count,
        })
    }
}

impl Assertion {
    /// What was signed; `None` if it was not by this key, or anything of it is not as it has to be.
    pub(super) fn verify(
        &self,
        origin: &Origin,
        algorithm: Algorithm,
        public_key: &str,
    ) -> Option<Signed> {
        let client_data = decode(&self.client_data)?;
        let challenge = challenge(&client_data, "webauthn.get", origin)?;
        let mut message = decode(&self.authenticator_data)?;
        let (_, sign_count) = head(&message, origin)?;
        message.extend_from_slice(&Sha256::digest(&client_data));
        let (key, signature) = (decode(public_key)?, decode(&self.signature)?);
        let is_signed = algorithm.verify(&key, &message, &signature);
        is_signed.then_some(Signed {
            challenge,
            sign_count,
        })
    }
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};

    use super::*;

    fn origin() -> Origin {
        Origin {
            origin: "https://chat.example".to_owned(),
            rp_id: "chat.example".to_owned(),
        }
    }

    fn data(rp_id: &str, flags: u8, count: u32, rest: &[u8]) -> Vec<u8> {
        let mut data = Sha256::digest(rp_id.as_bytes()).to_vec();
        data.push(flags);
        data.extend(count.to_be_bytes());
        data.extend(rest);
        data
    }

    fn client_data(kind: &str, origin: &str) -> Vec<u8> {
        format!(r#"{{"type":"{kind}","challenge":"abc","origin":"{origin}"}}"#).into_bytes()
    }

    fn registration(key: &[u8], flags: u8) -> Registration {
        let mut rest = vec![0; AAGUID_BYTES];
        rest.extend([0, 3, 7, 8, 9]);
        rest.extend(key);
        Registration {
            client_data: BASE64.encode(client_data("webauthn.create", "https://chat.example")),
            authenticator_data: BASE64.encode(data("chat.example", flags, 0, &rest)),
        }
    }

    /// An assertion of these parts, signed.
    fn assertion(data: &[u8], client: &[u8], sign: impl Fn(&[u8]) -> Vec<u8>) -> Assertion {
        let message = [data, &Sha256::digest(client)].concat();
        Assertion {
            id: "BwgJ".to_owned(),
            client_data: BASE64.encode(client),
            authenticator_data: BASE64.encode(data),
            signature: BASE64.encode(sign(&message)),
        }
    }

    #[test]
    fn es256_key_signs_in_with_what_it_registered() {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let point = pair.public_key().as_ref();
        let cose = [ES256_KEY, &point[1..33], ES256_Y, &point[33..]].concat();
        let new = registration(&cose, 0x45).verify(&origin()).unwrap();
        assert_eq!((&*new.id, &*new.challenge), ("BwgJ", "abc"));
        assert_eq!(new.algorithm, Algorithm::Es256);
        let sign = |message: &[u8]| pair.sign(&random, message).unwrap().as_ref().to_vec();
        let client = client_data("webauthn.get", "https://chat.example");
        let good = assertion(&data("chat.example", 5, 9, &[]), &client, sign);
        let verify = |one: &Assertion| one.verify(&origin(), new.algorithm, &new.public_key);
        assert_eq!(verify(&good).unwrap().sign_count, 9);
        let other_client = client_data("webauthn.get", "https://evil.example");
        let created = client_data("webauthn.create", "https://chat.example");
        for (case, data, client) in [
            ("other host", data("evil.example", 5, 9, &[]), &client),
            ("not verified", data("chat.example", 1, 9, &[]), &client),
            (
                "cut",
                data("chat.example", 5, 9, &[])[..30].to_vec(),
                &client,
            ),
            ("other page", data("chat.example", 5, 9, &[]), &other_client),
            ("other kind", data("chat.example", 5, 9, &[]), &created),
        ] {
            assert!(verify(&assertion(&data, client, sign)).is_none(), "{case}");
        }
        let mut forged = good;
        forged.authenticator_data = BASE64.encode(data("chat.example", 5, 10, &[]));
        assert!(verify(&forged).is_none(), "not what was signed");
    }

    #[test]
    fn ed25519_key_is_read_and_verified() {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        let cose = [EDDSA_KEY, pair.public_key().as_ref()].concat();
        let new = registration(&cose, 0x45).verify(&origin()).unwrap();
        assert_eq!(new.algorithm, Algorithm::EdDsa);
        let client = client_data("webauthn.get", "https://chat.example");
        let sign = |message: &[u8]| pair.sign(message).as_ref().to_vec();
        let good = assertion(&data("chat.example", 5, 0, &[]), &client, sign);
        let signed = good.verify(&origin(), new.algorithm, &new.public_key);
        assert!(signed.is_some());
    }

    #[test]
    fn damaged_registration_is_refused() {
        let cose = [ES256_KEY, &[1; 32], ES256_Y, &[2; 32]].concat();
        assert!(registration(&cose, 0x45).verify(&origin()).is_some());
        assert!(
            registration(&cose, 0x05).verify(&origin()).is_none(),
            "no credential"
        );
        assert!(
            registration(&cose, 0x41).verify(&origin()).is_none(),
            "not verified"
        );
        for length in 0..cose.len() {
            assert!(
                registration(&cose[..length], 0x45)
                    .verify(&origin())
                    .is_none()
            );
        }
    }
}
