//! The encryption of push messages (RFC 8291): one record of `aes128gcm` (RFC 8188), that only the
//! browser which gave out the keys can read.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::{SecureRandom, SystemRandom};

/// Bytes of a public key: an uncompressed point of P-256.
pub(super) const PUBLIC_KEY_BYTES: usize = 65;
/// Bytes of the secret that a browser shares with who may send to it.
pub(super) const AUTH_BYTES: usize = 16;
/// The size of records that the header names; a message is one, and shorter.
const RECORD_BYTES: u32 = 4096;

/// A message could not be encrypted: the browser's key is no point of the curve.
#[derive(Debug, thiserror::Error)]
#[error("the keys of the device cannot be used")]
pub(super) struct KeyError;

impl From<ring::error::Unspecified> for KeyError {
    fn from(_: ring::error::Unspecified) -> Self {
        Self
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive<const N: usize>(from: &Prk, info: &[&[u8]]) -> Result<[u8; N], KeyError> {
    let mut derived = [0; N];
    from.expand(info, Length(N))?.fill(&mut derived)?;
    Ok(derived)
}

/// The keys of a browser's subscription.
pub(super) struct DeviceKeys<'a> {
    /// `p256dh`
    pub(super) public: &'a [u8],
    /// `auth`
    pub(super) auth: &'a [u8],
}

/// Encrypts a message for a browser.
///
/// # Errors
/// When its key is no point of the curve.
pub(super) fn encrypt(message: &[u8], device: &DeviceKeys<'_>) -> Result<Vec<u8>, KeyError> {
    let random = SystemRandom::new();
    let own = EphemeralPrivateKey::generate(&ECDH_P256, &random)?;
    let own_public = own.compute_public_key()?;
    let device_public = UnparsedPublicKey::new(&ECDH_P256, device.public);
    let mut salt = [0; 16];
    random.fill(&mut salt)?;
    let keys = agree_ephemeral(own, &device_public, |shared| {
        let shared = Salt::new(HKDF_SHA256, device.auth).extract(shared);
        let info: [&[u8]; 3] = [b"WebPush: info\0", device.public, own_public.as_ref()];
        let input: [u8; 32] = derive(&shared, &info)?;
        let keys = Salt::new(HKDF_SHA256, &salt).extract(&input);
        let key: [u8; 16] = derive(&keys, &[b"Content-Encoding: aes128gcm\0"])?;
        let nonce: [u8; 12] = derive(&keys, &[b"Content-Encoding: nonce\0"])?;
        Ok::<_, KeyError>((key, nonce))
    });
    let (key, nonce) = keys??;
    let mut record = message.to_vec();
    record.push(2); // the delimiter of the last record
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    let nonce = Nonce::assume_unique_for_key(nonce);
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record)?;
    let mut body = salt.to_vec();
    body.extend(RECORD_BYTES.to_be_bytes());
    body.push(PUBLIC_KEY_BYTES as u8);
    body.extend(own_public.as_ref());
    body.extend(record);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_off_the_curve_is_refused() {
        let device = DeviceKeys {
            public: &[4; PUBLIC_KEY_BYTES],
            auth: &[7; AUTH_BYTES],
        };
        assert!(encrypt(b"hello", &device).is_err());
    }
}
