//! Random tokens, and the file of the server's own secrets.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A token of 256 random bits in 43 characters that need no escapes in addresses.
pub fn token() -> String {
    random(32)
}

/// A token of 96 random bits in 16 characters, for links that people pass on.
pub fn short_token() -> String {
    random(12)
}

/// An id for a request, 16 hexadecimal digits: unique within a process, and almost certainly across
/// restarts. Not a secret; costs no system call.
pub fn request_id() -> String {
    static FIRST: LazyLock<u64> = LazyLock::new(|| getrandom::u64().unwrap_or_default());
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    // An odd step reaches every number before it repeats one; that of SplitMix64 makes neighbours
    // look different.
    let step = NUMBER
        .fetch_add(1, Ordering::Relaxed)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    format!("{:016x}", FIRST.wrapping_add(step))
}

fn random(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    // A predictable token would let anybody in.
    getrandom::fill(&mut buffer).expect("the system's random source answers");
    URL_SAFE_NO_PAD.encode(buffer)
}

/// SHA-256 of a token, which is stored in its place: a stolen backup signs nobody in.
pub fn digest(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// Compares in a time that does not depend on how much of `given` is right.
pub fn is_equal(given: &str, expected: &str) -> bool {
    Sha256::digest(given.as_bytes()) == Sha256::digest(expected.as_bytes())
}

/// The server's own secrets, `secrets.toml` in the data folder, mode 0600.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Bearer token of `GET /metrics`.
    pub metrics_token: String,
    /// The key of the S3 bucket's user, from TIDEPOOL_S3_SECRET_KEY or the file; empty without one.
    pub s3_secret_key: String,
}

impl Secrets {
    /// Reads the file, after creating it at the first start.
    ///
    /// # Errors
    /// When other users of the machine can read the file, or its token is too short.
    pub fn load(data: &Path) -> Result<Self> {
        let path = data.join("secrets.toml");
        if !path.exists() {
            let mut file = fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .with_context(|| format!("cannot create {}", path.display()))?;
            write!(
                file,
                "# Secrets of this server. Delete the file to have new ones made at a start.\n\
                 metrics_token = \"{}\"\n",
                token()
            )?;
            file.sync_all()?;
        }
        let mode = fs::metadata(&path)?.permissions().mode();
        ensure!(
            mode & 0o077 == 0,
            "{} can be read by others; run: chmod 600 {}",
            path.display(),
            path.display()
        );
        let text = fs::read_to_string(&path)?;
        let named = |wanted: &str| {
            let mut pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs
                .find(|(name, _)| name.trim() == wanted)
                .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        };
        let metrics_token = named("metrics_token").unwrap_or_else(token);
        let s3_secret_key = std::env::var("TIDEPOOL_S3_SECRET_KEY")
            .ok()
            .or_else(|| named("s3_secret_key"))
            .unwrap_or_default();
        ensure!(
            metrics_token.len() >= 16,
            "metrics_token in {} is too short",
            path.display()
        );
        Ok(Self {
            metrics_token,
            s3_secret_key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_digests_agree() {
        assert_ne!(token(), token());
        assert_eq!(token().len(), 43);
        assert_eq!(digest("a"), digest("a"));
        assert!(is_equal("abc", "abc") && !is_equal("abc", "abd"));
    }
}
