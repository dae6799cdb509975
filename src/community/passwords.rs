//! Passwords: Argon2id with 19 MiB and two passes (OWASP's first choice), off the async threads,
//! at most [`MAX_CONCURRENT`] at a time.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::base::error::{Error, Result};
use crate::base::telemetry::refused;

pub(super) const MIN_CHARS: usize = 10; // graphemes
/// Graphemes. Bounds the cost of hashing.
pub(super) const MAX_CHARS: usize = 256;
/// Bytes, of a password whose characters have several.
pub(super) const MAX_BYTES: usize = 4 * MAX_CHARS;
const MAX_CONCURRENT: usize = 2;
/// That are hashed or wait for it: a second of work.
const MAX_WAITING: usize = 64;

/// Hashes and verifies passwords. Cheap to clone.
#[derive(Clone)]
pub(super) struct Passwords {
    permits: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Verified when an account does not exist, so that the response takes as long.
    dummy_hash: Arc<str>,
}

impl Passwords {
    pub(super) fn new() -> Self {
        // Same cost parameters as real hashes. The result is ignored, so its password need not be
        // secret.
        let dummy_hash = concat!(
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$",
            "yJRTS54FbAhUjHbVzjVDuYhJYRSgXZIr4vOjUEsYlzA"
        );
        Self {
            permits: Arc::new(Semaphore::new(MAX_CONCURRENT)),
            queue: Arc::new(Semaphore::new(MAX_WAITING)),
            dummy_hash: dummy_hash.into(),
        }
    }

    pub(super) async fn hash(&self, password: String) -> Result<String> {
        self.blocking(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string())
                .map_err(|error| Error::Internal(anyhow::anyhow!("hashing a password: {error}")))
        })
        .await?
    }

    /// Whether the password matches the hash. Without a hash: `false`, after the same time.
    pub(super) async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let dummy_hash = self.dummy_hash.clone();
        self.blocking(move || {
            let known = hash.is_some();
            let text = hash.as_deref().unwrap_or(&dummy_hash);
            let Ok(parsed) = PasswordHash::new(text) else {
                return false;
            };
            Argon2::default()
                .verify_password(password.as_bytes(), &parsed)
                .is_ok()
                && known
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        // Refused at once when many wait: the last of them would wait for seconds.
        let _waiting = self.queue.try_acquire().map_err(|_| {
            refused("passwords");
            Error::Unavailable
        })?;
        let permit = self
            .permits
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Error::Unavailable)?;
        let done = spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await
            .map_err(|error| Error::Internal(anyhow::Error::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[tokio::test]
    async fn unknown_account_takes_as_long_as_known() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            passwords
                .verify("correct horse".into(), Some(hash.clone()))
                .await
                .unwrap()
        );
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..5 {
            for (which, hash) in [(0, Some(hash.clone())), (1, None)] {
                let started = Instant::now();
                assert!(!passwords.verify("wrong horse".into(), hash).await.unwrap());
                times[which].push(started.elapsed());
            }
        }
        let [known, unknown] = times.map(|mut t| {
            t.sort();
            t[2].as_secs_f64()
        });
        assert!(
            (0.3..3.0).contains(&(known / unknown)),
            "{known} against {unknown}"
        );
    }
}
