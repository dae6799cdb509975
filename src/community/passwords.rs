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
/// The same of known devices, in a queue of their own.
const MAX_WAITING_OF_DEVICES: usize = 32;

/// Whose password is hashed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// On a device on which the account has signed in before: goes before all strangers but those
    /// whose passwords are being hashed, so that they keep no member out.
    KnownDevice,
    Stranger,
}

/// Hashes and verifies passwords. Cheap to clone.
#[derive(Clone)]
pub(super) struct Passwords {
    permits: Arc<Semaphore>,
    /// As many as there are permits. Strangers ask for a permit only with one of these, so that a
    /// known device finds no stranger before it in the queue for permits.
    permits_of_strangers: Arc<Semaphore>,
    queue_of_strangers: Arc<Semaphore>,
    queue_of_devices: Arc<Semaphore>,
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
            permits_of_strangers: Arc::new(Semaphore::new(MAX_CONCURRENT)),
            queue_of_strangers: Arc::new(Semaphore::new(MAX_WAITING)),
            queue_of_devices: Arc::new(Semaphore::new(MAX_WAITING_OF_DEVICES)),
            dummy_hash: dummy_hash.into(),
        }
    }

    pub(super) async fn hash(&self, password: String) -> Result<String> {
        self.blocking(Sender::Stranger, move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string())
                .map_err(|error| Error::Internal(anyhow::anyhow!("hashing a password: {error}")))
        })
        .await?
    }

    /// Whether the password matches the hash. Without a hash: `false`, after the same time.
    pub(super) async fn verify(
        &self,
        sender: Sender,
        password: String,
        hash: Option<String>,
    ) -> Result<bool> {
        let dummy_hash = self.dummy_hash.clone();
        self.blocking(sender, move || {
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
        sender: Sender,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let queue = match sender {
            Sender::KnownDevice => &self.queue_of_devices,
            Sender::Stranger => &self.queue_of_strangers,
        };
        // Refused at once when many wait: the last of them would wait for seconds.
        let _waiting = queue.try_acquire().map_err(|_| {
            refused("passwords");
            Error::Unavailable
        })?;
        let permit_of_strangers = match sender {
            Sender::KnownDevice => None,
            Sender::Stranger => {
                let permits = self.permits_of_strangers.clone();
                let permit = permits.acquire_owned().await;
                Some(permit.map_err(|_| Error::Unavailable)?)
            }
        };
        let permit = self
            .permits
            .clone()
            .acquire_owned()
            .await
            .map_err(|_| Error::Unavailable)?;
        let done = spawn_blocking(move || {
            let _permits = (permit, permit_of_strangers);
            work()
        });
        done.await
            .map_err(|error| Error::Internal(anyhow::Error::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::sync::mpsc::channel;
    use std::time::Instant;

    use futures_util::FutureExt;
    use futures_util::future::join_all;

    #[tokio::test]
    async fn known_device_goes_before_waiting_strangers() {
        let passwords = Passwords::new();
        let order = Arc::new(Mutex::new(Vec::new()));
        let (running, end) = ((0..MAX_CONCURRENT), channel::<()>());
        let (release, blocked) = (end.0, Arc::new(Mutex::new(end.1)));
        // Those that run hold all permits until they are released, one after the other.
        let mut strangers: Vec<_> = running
            .map(|_| {
                let blocked = blocked.clone();
                let work = move || blocked.lock().unwrap().recv().unwrap();
                passwords.blocking(Sender::Stranger, work).boxed()
            })
            .collect();
        let push = |sender| {
            let order = order.clone();
            passwords.blocking(sender, move || order.lock().unwrap().push(sender))
        };
        strangers.extend((MAX_CONCURRENT..MAX_WAITING).map(|_| push(Sender::Stranger).boxed()));
        let mut strangers = Box::pin(join_all(strangers));
        assert!((&mut strangers).now_or_never().is_none());
        assert!(push(Sender::Stranger).await.is_err(), "their queue is full");
        let mut device = Box::pin(push(Sender::KnownDevice));
        assert!((&mut device).now_or_never().is_none());
        release.send(()).unwrap();
        // One permit is free: whoever gets it is the only one who runs.
        let (device, _) = tokio::join!(device, async {
            while order.lock().unwrap().is_empty() {
                let _ = (&mut strangers).now_or_never();
                tokio::task::yield_now().await;
            }
            assert!(order.lock().unwrap()[0] == Sender::KnownDevice);
            release.send(()).unwrap();
        });
        device.unwrap();
        strangers.await;
        assert_eq!(
            order.lock().unwrap().len(),
            MAX_WAITING - MAX_CONCURRENT + 1
        );
    }

    #[tokio::test]
    async fn unknown_account_takes_as_long_as_known() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(
            passwords
                .verify(Sender::Stranger, "correct horse".into(), Some(hash.clone()))
                .await
                .unwrap()
        );
        // The shortest of each: what else runs here only makes a hash take longer.
        let mut shortest = [f64::INFINITY; 2];
        for _ in 0..50 {
            for (which, hash) in [(0, Some(hash.clone())), (1, None)] {
                let started = Instant::now();
                let verified = passwords.verify(Sender::Stranger, "wrong horse".into(), hash);
                assert!(!verified.await.unwrap());
                shortest[which] = started.elapsed().as_secs_f64().min(shortest[which]);
            }
            if (0.7..1.4).contains(&(shortest[0] / shortest[1])) {
                return;
            }
        }
        panic!("{} against {} seconds", shortest[0], shortest[1]);
    }
}
