//! The costly parts of a DTLS handshake, by ring: the exchange of keys and the signatures. dimpl's
//! own take several milliseconds of the media thread for each who joins, in which nobody is heard.

use std::fmt;

use dimpl::crypto::rust_crypto::default_provider;
use dimpl::crypto::{
    ActiveKeyExchange, Buf, CryptoProvider, HashAlgorithm, KeyProvider, NamedGroup,
    SignatureAlgorithm, SignatureVerifier, SigningKey, SupportedKxGroup, cert_named_group,
};
use dimpl::{CryptoError, CryptoOperation};
use ring::agreement::{
    Algorithm, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral,
};
use ring::rand::SystemRandom;
use ring::signature::{self, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// dimpl's cryptography, with ring's where that is faster. Browsers use X25519 and P-256 alone.
pub fn provider() -> CryptoProvider {
    CryptoProvider {
        kx_groups: &[&Group::X25519, &Group::P256],
        signature_verification: &Verifier,
        key_provider: &Keys,
        ..default_provider()
    }
}

/// A group in which keys are exchanged.
#[derive(Clone, Copy, Debug)]
enum Group {
    X25519,
    P256,
}

impl Group {
    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::X25519 => &X25519,
            Self::P256 => &ECDH_P256,
        }
    }
}

impl SupportedKxGroup for Group {
    fn name(&self) -> NamedGroup {
        match self {
            Self::X25519 => NamedGroup::X25519,
            Self::P256 => NamedGroup::Secp256r1,
        }
    }

    fn start_exchange(&self, mut buf: Buf) -> Result<Box<dyn ActiveKeyExchange>, CryptoError> {
        let failed = |_| CryptoError::OperationFailed(CryptoOperation::StartKeyExchange);
        let random = SystemRandom::new();
        let secret = EphemeralPrivateKey::generate(self.algorithm(), &random).map_err(failed)?;
        let public = secret.compute_public_key().map_err(failed)?;
        buf.clear();
        buf.extend_from_slice(public.as_ref());
        Ok(Box::new(Exchange {
            group: *self,
            secret,
            public: buf,
        }))
    }
}

/// An exchange that has begun.
struct Exchange {
    group: Group,
    secret: EphemeralPrivateKey,
    public: Buf,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Exchange({:?})", self.group)
    }
}

impl ActiveKeyExchange for Exchange {
    fn pub_key(&self) -> &[u8] {
        &self.public
    }

    /// Fails for points that are none, and for those of X25519 that make no secret (RFC 7748,
    /// section 6.1).
    fn complete(self: Box<Self>, peer_pub: &[u8], out: &mut Buf) -> Result<(), CryptoError> {
        let group = self.group();
        let peer = UnparsedPublicKey::new(self.group.algorithm(), peer_pub);
        let agreed = agree_ephemeral(self.secret, &peer, |secret| {
            out.clear();
            out.extend_from_slice(secret);
        });
        agreed.map_err(|_| CryptoError::InvalidPublicKey(group))
    }

    fn group(&self) -> NamedGroup {
        self.group.name()
    }
}

/// Reads private keys: those of this server are of P-256.
#[derive(Debug)]
struct Keys;

impl KeyProvider for Keys {
    fn load_private_key(&self, key_der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key_der, &random);
        match pair {
            Ok(pair) => Ok(Box::new(Key(pair, random))),
            Err(_) => default_provider().key_provider.load_private_key(key_der),
        }
    }
}

/// A private key of P-256.
#[derive(Debug)]
struct Key(EcdsaKeyPair, SystemRandom);

impl SigningKey for Key {
    fn sign(
        &mut self,
        data: &[u8],
        hash_alg: HashAlgorithm,
        out: &mut Buf,
    ) -> Result<(), CryptoError> {
        let (group, hash) = (NamedGroup::Secp256r1, hash_alg);
        if hash != HashAlgorithm::SHA256 {
            return Err(CryptoError::SigningKeyUnsupportedHash { group, hash });
        }
        let signed = self.0.sign(&self.1, data);
        let signed = signed.map_err(|_| CryptoError::OperationFailed(CryptoOperation::Sign))?;
        out.clear();
        out.extend_from_slice(signed.as_ref());
        Ok(())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        HashAlgorithm::SHA256
    }

    fn supported_hash_algorithms(&self) -> &[HashAlgorithm] {
        &[HashAlgorithm::SHA256]
    }
}

/// Checks signatures: of P-256 with SHA-256, as all browsers make them, by ring.
#[derive(Debug)]
struct Verifier;

impl SignatureVerifier for Verifier {
    fn verify_signature(
        &self,
        cert_der: &[u8],
        data: &[u8],
        signature: &[u8],
        hash_alg: HashAlgorithm,
        sig_alg: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        let group = cert_named_group(cert_der);
        let is_usual = (group.ok(), hash_alg, sig_alg)
            == (
                Some(NamedGroup::Secp256r1),
                HashAlgorithm::SHA256,
                SignatureAlgorithm::ECDSA,
            );
        if !is_usual {
            let others = default_provider().signature_verification;
            return others.verify_signature(cert_der, data, signature, hash_alg, sig_alg);
        }
        let certificate =
            Certificate::from_der(cert_der).map_err(|_| CryptoError::CertificateParseFailed)?;
        let key = certificate.tbs_certificate().subject_public_key_info();
        let key = key.subject_public_key.as_bytes();
        let key = key.ok_or(CryptoError::InvalidSubjectPublicKey)?;
        let key = signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_ASN1, key);
        key.verify(data, signature)
            .map_err(|_| CryptoError::SignatureVerificationFailed {
                signature: sig_alg,
                hash: hash_alg,
                group: NamedGroup::Secp256r1,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::super::crypto::new_certificate;
    use super::*;

    fn shared(ours: Box<dyn ActiveKeyExchange>, theirs: &[u8]) -> Result<Buf, CryptoError> {
        let mut secret = Buf::new();
        ours.complete(theirs, &mut secret)?;
        Ok(secret)
    }

    #[test]
    fn keys_are_exchanged_with_the_other_implementation() {
        for ours in provider().kx_groups {
            let theirs = default_provider().kx_groups.iter();
            let theirs = theirs.copied().find(|group| group.name() == ours.name());
            let theirs = theirs.expect("both have it").start_exchange(Buf::new());
            let theirs = theirs.expect("begins");
            let ours = ours.start_exchange(Buf::new()).expect("begins");
            let (our_key, their_key) = (ours.pub_key().to_vec(), theirs.pub_key().to_vec());
            let secrets = (shared(ours, &their_key), shared(theirs, &our_key));
            let (Ok(one), Ok(other)) = secrets else {
                panic!("no secret");
            };
            assert!(!one.is_empty() && one[..] == other[..]);
        }
    }

    #[test]
    fn point_that_is_none_makes_no_secret() {
        for group in provider().kx_groups {
            for wrong in [&[][..], &[0; 32], &[4; 65]] {
                let ours = group.start_exchange(Buf::new()).expect("begins");
                assert!(shared(ours, wrong).is_err(), "{group:?} {wrong:?}");
            }
        }
    }

    #[test]
    fn signature_is_checked_by_both_implementations() {
        let certificate = new_certificate().expect("a certificate");
        let key = Keys.load_private_key(&certificate.private_key);
        let (mut key, mut signed) = (key.expect("a key"), Buf::new());
        let (hash, ecdsa) = (HashAlgorithm::SHA256, SignatureAlgorithm::ECDSA);
        key.sign(b"tide", hash, &mut signed).expect("signs");
        let verifiers = [provider(), default_provider()].map(|one| one.signature_verification);
        for verifier in verifiers {
            let check = |data: &[u8]| {
                verifier.verify_signature(&certificate.certificate, data, &signed, hash, ecdsa)
            };
            assert!(check(b"tide").is_ok());
            assert!(check(b"ebb").is_err());
        }
    }
}
