//! The open sockets of this instance, by account.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::limits::Limits;
use super::shard::Shards;
use super::socket::{CloseReason, Socket};
use crate::base::error::{Allowance, Error, Result};
use crate::base::ids::AccountId;
use crate::base::telemetry::refused;
use crate::engine::rate_limit::Rate;
use crate::engine::viewer::Viewer;

// Times an account may open all its sockets in a minute: a network that comes and goes.
const MAX_OPENINGS_PER_SOCKET: u32 = 4;
const OPENINGS_WINDOW: Duration = Duration::from_secs(60);
const CLOSE_POLL_INTERVAL: Duration = Duration::from_millis(10);
const FULL_ACCOUNT_RETRY: Duration = Duration::from_secs(30); // a guess: when a tab may be closed

pub(super) struct Registry {
    limits: Limits,
    sockets: Mutex<Sockets>,
    /// How often an account opens sockets: each opening asks the database what it may follow.
    openings: Rate<AccountId>,
    next_id: AtomicU64,
}

#[derive(Default)]
struct Sockets {
    open: usize,
    of: HashMap<AccountId, Vec<Arc<Socket>>>,
    /// The server is stopping: no more are taken in.
    closing: bool,
}

impl Sockets {
    fn report(&self) {
        metrics::gauge!("tidepool_sockets").set(self.open as f64);
    }
}

impl Registry {
    pub(super) fn new(limits: Limits) -> Self {
        let openings = u32::try_from(limits.sockets_per_account)
            .unwrap_or(u32::MAX)
            .saturating_mul(MAX_OPENINGS_PER_SOCKET);
        let sockets = Sockets::default();
        sockets.report(); // a metric that is absent until the first socket looks broken
        Self {
            limits,
            sockets: Mutex::new(sockets),
            openings: Rate::new(openings, OPENINGS_WINDOW),
            next_id: AtomicU64::new(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an opening.
    ///
    /// # Errors
    /// `TooMany` when the account opens sockets too often.
    pub(super) fn check_rate(&self, account: AccountId) -> Result<()> {
        match self.openings.check(&account) {
            Ok(_) => Ok(()),
            Err(error) => {
                refused("socket_openings");
                Err(error)
            }
        }
    }

    /// Takes in a socket.
    ///
    /// # Errors
    /// `Unavailable` when the server has all it may have or is stopping, `TooMany` when the account
    /// has.
    pub(super) fn open(&self, viewer: Viewer, shards: &Shards) -> Result<Arc<Socket>> {
        let mut sockets = self.lock();
        if sockets.closing || sockets.open >= self.limits.sockets {
            refused("sockets");
            return Err(Error::Unavailable);
        }
        let theirs = sockets.of.entry(viewer.account).or_default();
        if theirs.len() >= self.limits.sockets_per_account {
            refused("sockets_of_account");
            let limit = u32::try_from(self.limits.sockets_per_account).unwrap_or(u32::MAX);
            return Err(Error::TooMany(Allowance::used_up(
                limit,
                FULL_ACCOUNT_RETRY,
            )));
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let socket = Arc::new(Socket::new(id, viewer, shards.of(id).clone()));
        theirs.push(socket.clone());
        sockets.open += 1;
        sockets.report();
        Ok(socket)
    }

    /// Removes a socket.
    pub(super) fn close(&self, socket: &Socket) {
        let mut sockets = self.lock();
        let account = socket.viewer.account;
        if let Some(theirs) = sockets.of.get_mut(&account) {
            theirs.retain(|other| other.id != socket.id);
            if theirs.is_empty() {
                sockets.of.remove(&account);
            }
        }
        sockets.open -= 1;
        sockets.report();
    }

    pub(super) fn recheck(&self, account: AccountId) {
        for socket in self.lock().of.get(&account).into_iter().flatten() {
            socket.recheck();
        }
    }

    pub(super) fn recheck_all(&self) {
        for socket in self.lock().of.values().flatten() {
            socket.recheck();
        }
    }

    /// The accounts that have a socket open.
    pub(super) fn accounts(&self) -> Vec<AccountId> {
        self.lock().of.keys().copied().collect()
    }

    /// How many sockets an account has open.
    pub(super) fn count_of(&self, account: AccountId) -> usize {
        self.lock().of.get(&account).map_or(0, Vec::len)
    }

    /// Closes every socket and takes in no more. Waits until they are gone, at most `timeout`.
    pub(super) async fn close_all(&self, timeout: Duration) {
        {
            let mut sockets = self.lock();
            sockets.closing = true;
            for socket in sockets.of.values().flatten() {
                socket.close(CloseReason::Restart);
            }
        }
        let until = Instant::now() + timeout;
        while self.lock().open > 0 && Instant::now() < until {
            tokio::time::sleep(CLOSE_POLL_INTERVAL).await;
        }
    }

    /// Forgets accounts that have not opened sockets lately.
    pub(super) fn evict(&self) {
        self.openings.evict();
    }
}
