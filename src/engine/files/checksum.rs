//! What the bytes of one request have to come to: the checksum extension of tus.

use sha1::{Digest, Sha1};
use sha2::Sha256;

/// A checksum and the bytes that came so far.
pub(super) struct Checksum {
    wanted: Vec<u8>,
    hasher: Hasher,
}

enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// The checksum of an algorithm by its name in the protocol; nothing for one that is not
    /// supported.
    pub(super) fn new(algorithm: &str, wanted: Vec<u8>) -> Option<Self> {
        let hasher = match algorithm {
            "sha1" => Hasher::Sha1(Sha1::new()),
            "sha256" => Hasher::Sha256(Sha256::new()),
            _ => return None,
        };
        Some(Self { wanted, hasher })
    }

    pub(super) fn update(&mut self, piece: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha1(hasher) => hasher.update(piece),
            Hasher::Sha256(hasher) => hasher.update(piece),
        }
    }

    /// Whether what came is what was wanted.
    pub(super) fn matches(self) -> bool {
        match self.hasher {
            Hasher::Sha1(hasher) => hasher.finalize().as_slice() == self.wanted,
            Hasher::Sha256(hasher) => hasher.finalize().as_slice() == self.wanted,
        }
    }
}
