//! The cryptography of media, as str0m asks for it: DTLS by dimpl (`handshake.rs`), SRTP and hashes by
//! ring, and by `aes` the modes that ring does not offer.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use aes::cipher::{BlockCipherEncrypt, KeyInit, KeyIvInit, StreamCipher};
use aes::{Aes128, Aes256};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use ring::{digest, hmac};
use str0m::crypto::dtls::{
    DtlsCert, DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, DtlsVersion, ProtocolVersion,
};
use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, CryptoProvider,
    Sha1HmacProvider, Sha1Provider, Sha256Provider, SrtpProvider, SupportedAeadAes128Gcm,
    SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
};

use super::handshake;

/// Bytes of the tag that AES-GCM adds.
const TAG_BYTES: usize = 16;

/// What str0m is built with here.
pub fn provider() -> CryptoProvider {
    CryptoProvider {
        srtp_provider: &Srtp,
        sha1_hmac_provider: &Hashes,
        sha1_provider: &Hashes,
        sha256_provider: &Hashes,
        dtls_provider: &Dtls,
    }
}

/// A certificate signed by itself, as WebRTC has them: peers compare its fingerprint with the one
/// that the page brought.
///
/// # Errors
/// When no key can be made.
pub fn new_certificate() -> anyhow::Result<DtlsCert> {
    let key = rcgen::KeyPair::generate()?;
    let mut wanted = rcgen::CertificateParams::new(Vec::new())?;
    let name = &mut wanted.distinguished_name;
    name.push(rcgen::DnType::CommonName, "tidepool");
    let certificate = wanted.self_signed(&key)?;
    Ok(DtlsCert {
        certificate: certificate.der().to_vec(),
        private_key: key.serialize_der(),
    })
}

#[derive(Debug)]
struct Hashes;

impl Sha1HmacProvider for Hashes {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
        let mut context = hmac::Context::with_key(&key);
        payloads.iter().for_each(|payload| context.update(payload));
        filled(context.sign().as_ref())
    }
}

impl Sha1Provider for Hashes {
    fn sha1(&self, data: &[u8]) -> [u8; 20] {
        filled(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, data).as_ref())
    }
}

impl Sha256Provider for Hashes {
    fn sha256(&self, data: &[u8]) -> [u8; 32] {
        filled(digest::digest(&digest::SHA256, data).as_ref())
    }
}

/// An array of what a hash function gives, which has as many bytes.
fn filled<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[derive(Debug)]
struct Dtls;

impl DtlsProvider for Dtls {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        new_certificate().ok()
    }

    fn new_dtls(
        &self,
        cert: &DtlsCert,
        now: Instant,
        dtls_version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let mut config = dimpl::Config::builder()
            .with_crypto_provider(handshake::provider())
            // ICE has shown by then that the peer is where it says.
            .use_server_cookie(false);
        if let Some(mtu) = mtu {
            config = config.mtu(mtu);
        }
        let config = config.build();
        let config = config.map_err(|error| CryptoError::Other(error.to_string()))?;
        let (config, cert) = (Arc::new(config), cert.clone());
        let dtls = match dtls_version {
            DtlsVersion::Dtls13 => dimpl::Dtls::new_13(config, cert, now),
            DtlsVersion::Auto => dimpl::Dtls::new_auto(config, cert, now),
            _ => dimpl::Dtls::new_12(config, cert, now),
        };
        Ok(Box::new(DtlsSession(dtls)))
    }
}

struct DtlsSession(dimpl::Dtls);

impl fmt::Debug for DtlsSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DtlsSession")
    }
}

impl DtlsInstance for DtlsSession {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buf: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buf)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

#[derive(Debug)]
struct Srtp;

impl SrtpProvider for Srtp {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &Self
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Self
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Self
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        if let Ok(cipher) = Aes128::new_from_slice(key) {
            encrypt_block(&cipher, input, output);
        }
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        if let Ok(cipher) = Aes256::new_from_slice(key) {
            encrypt_block(&cipher, input, output);
        }
    }
}

fn encrypt_block<C>(cipher: &C, input: &[u8], output: &mut [u8])
where
    C: BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16>,
{
    let mut block = [0; 16];
    let length = input.len().min(16);
    block[..length].copy_from_slice(&input[..length]);
    let mut block = block.into();
    cipher.encrypt_block(&mut block);
    output[..16].copy_from_slice(&block);
}

impl SupportedAes128CmSha1_80 for Srtp {
    fn create_cipher(&self, key: [u8; 16], _encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        Box::new(CounterMode { key })
    }
}

impl SupportedAeadAes128Gcm for Srtp {
    fn create_cipher(&self, key: [u8; 16], _encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        Box::new(Gcm::new(&AES_128_GCM, &key))
    }
}

impl SupportedAeadAes256Gcm for Srtp {
    fn create_cipher(&self, key: [u8; 32], _encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        Box::new(Gcm::new(&AES_256_GCM, &key))
    }
}

/// AES in counter mode, for peers without AES-GCM.
struct CounterMode {
    key: [u8; 16],
}

impl fmt::Debug for CounterMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CounterMode")
    }
}

impl Aes128CmSha1_80Cipher for CounterMode {
    fn encrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        let mut cipher = ctr::Ctr128BE::<Aes128>::new(&self.key.into(), &(*iv).into());
        let output = &mut output[..input.len()];
        output.copy_from_slice(input);
        cipher.apply_keystream(output);
        Ok(())
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.encrypt(iv, input, output)
    }
}

/// AES-GCM with keys of either length.
struct Gcm(LessSafeKey);

impl fmt::Debug for Gcm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gcm")
    }
}

impl Gcm {
    fn new(algorithm: &'static Algorithm, key: &[u8]) -> Self {
        // The callers' arrays have the length of the algorithm's keys.
        let key = UnboundKey::new(algorithm, key).expect("a key of the algorithm's length");
        Self(LessSafeKey::new(key))
    }

    fn seal(&self, iv: [u8; 12], aad: &[u8], input: &[u8], output: &mut [u8]) -> Sealed {
        let (text, rest) = output.split_at_mut(input.len());
        text.copy_from_slice(input);
        let nonce = Nonce::assume_unique_for_key(iv);
        let sealed = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(aad), text);
        let tag = sealed.map_err(|_| CryptoError::Other("AES-GCM seals nothing".into()))?;
        rest[..TAG_BYTES].copy_from_slice(tag.as_ref());
        Ok(())
    }

    fn open(
        &self,
        iv: [u8; 12],
        aads: &[&[u8]],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let joined;
        let aad = match aads {
            [one] => *one,
            several => {
                joined = several.concat();
                &joined
            }
        };
        let wrong = || CryptoError::Other("AES-GCM opens nothing".into());
        let length = input.len().checked_sub(TAG_BYTES).ok_or_else(wrong)?;
        let (text, tag) = input.split_at(length);
        let tag = ring::aead::Tag::try_from(tag).map_err(|_| wrong())?;
        let output = output.get_mut(..length).ok_or_else(wrong)?;
        output.copy_from_slice(text);
        let nonce = Nonce::assume_unique_for_key(iv);
        let opened = self
            .0
            .open_in_place_separate_tag(nonce, Aad::from(aad), tag, output, 0..);
        opened.map(|text| text.len()).map_err(|_| wrong())
    }
}

type Sealed = Result<(), CryptoError>;

macro_rules! gcm_cipher {
    ($cipher:ident) => {
        impl $cipher for Gcm {
            fn encrypt(
                &mut self,
                iv: &[u8; 12],
                aad: &[u8],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<(), CryptoError> {
                self.seal(*iv, aad, input, output)
            }

            fn decrypt(
                &mut self,
                iv: &[u8; 12],
                aads: &[&[u8]],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<usize, CryptoError> {
                self.open(*iv, aads, input, output)
            }
        }
    };
}

gcm_cipher!(AeadAes128GcmCipher);
gcm_cipher!(AeadAes256GcmCipher);

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3711, appendix B.3: the first session key of a master key.
    #[test]
    fn block_of_key_derivation_is_that_of_the_standard() {
        let key = [
            0xE1, 0xF9, 0x7A, 0x0D, 0x3E, 0x01, 0x8B, 0xE0, 0xD6, 0x4F, 0xA3, 0x2C, 0x06, 0xDE,
            0x41, 0x39,
        ];
        let input = [
            0x0E, 0xC6, 0x75, 0xAD, 0x49, 0x8A, 0xFE, 0xEB, 0xB6, 0x96, 0x0B, 0x3A, 0xAB, 0xE6,
            0x00, 0x00,
        ];
        let mut output = [0; 16];
        Srtp.srtp_aes_128_ecb_round(&key, &input, &mut output);
        let expected = [
            0xC6, 0x1E, 0x7A, 0x93, 0x74, 0x4F, 0x39, 0xEE, 0x10, 0x73, 0x4A, 0xFE, 0x3F, 0xF7,
            0xA0, 0x87,
        ];
        assert_eq!(output, expected);
    }

    /// RFC 3711, appendix B.2: the keystream of AES in counter mode.
    #[test]
    fn counter_mode_is_that_of_the_standard() {
        let key = [
            0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF,
            0x4F, 0x3C,
        ];
        let iv = [
            0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA, 0xFB, 0xFC, 0xFD, 0,
            0,
        ];
        let mut output = [0; 16];
        let mut cipher = CounterMode { key };
        cipher
            .encrypt(&iv, &[0; 16], &mut output)
            .expect("encrypts");
        let expected = [
            0xE0, 0x3E, 0xAD, 0x09, 0x35, 0xC9, 0x5E, 0x80, 0xE1, 0x66, 0xB1, 0x6D, 0xD9, 0x2B,
            0x4E, 0xB4,
        ];
        assert_eq!(output, expected);
    }

    #[test]
    fn gcm_opens_only_what_it_sealed() {
        let mut cipher = SupportedAeadAes128Gcm::create_cipher(&Srtp, [7; 16], true);
        let mut sealed = [0; 20];
        let header = [1; 12];
        cipher
            .encrypt(&[3; 12], &header, b"tide", &mut sealed)
            .expect("seals");
        let mut opened = [0; 4];
        let length = cipher.decrypt(&[3; 12], &[&header], &sealed, &mut opened);
        assert_eq!((length.ok(), &opened), (Some(4), b"tide"));
        sealed[0] ^= 1;
        assert!(
            cipher
                .decrypt(&[3; 12], &[&header], &sealed, &mut opened)
                .is_err()
        );
        assert!(
            cipher
                .decrypt(&[3; 12], &[&header], &[0; 3], &mut opened)
                .is_err()
        );
    }
}
