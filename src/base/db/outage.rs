//! Whether PostgreSQL answers. While it does not, reads and writes fail at once instead of each
//! waiting for its own attempt to connect; one task keeps trying and ends the outage.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::Connection;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::Notify;

use super::connection::{CONNECT_TIMEOUT, bounded};

/// Between two attempts to reach the server.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

/// Whether the server is down. Cheap to clone.
#[derive(Clone)]
pub(super) struct Outage(Arc<State>);

struct State {
    is_down: AtomicBool,
    /// When the last connection was lost.
    lost_at: Mutex<Option<Instant>>,
    began: Notify,
}

impl Outage {
    /// Not down; starts the task that ends outages, which runs as long as the process.
    pub(super) fn watch(options: PgConnectOptions) -> Self {
        let state = Arc::new(State {
            is_down: AtomicBool::new(false),
            lost_at: Mutex::default(),
            began: Notify::new(),
        });
        tokio::spawn(end_outages(state.clone(), options));
        Self(state)
    }

    /// # Errors
    /// While the server is down.
    pub(super) fn check(&self) -> sqlx::Result<()> {
        match self.0.is_down.load(Ordering::Acquire) {
            false => Ok(()),
            true => Err(lost()),
        }
    }

    /// Begins an outage if this error says that the server does not answer.
    pub(super) fn note<T>(&self, result: sqlx::Result<T>) -> sqlx::Result<T> {
        if let Err(error) = &result
            && is_lost(error)
        {
            *self.lost_at() = Some(Instant::now());
            if !self.0.is_down.swap(true, Ordering::AcqRel) {
                tracing::warn!(%error, "the database does not answer; trying again until it does");
                self.0.began.notify_one();
            }
        }
        result
    }

    /// Whether a connection of this age is from before the last outage: the server it was made to
    /// may be gone.
    pub(super) fn is_stale(&self, age: Duration) -> bool {
        let lost_at = *self.lost_at();
        lost_at.is_some_and(|at| at.elapsed() < age)
    }

    fn lost_at(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0
            .lost_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn end_outages(state: Arc<State>, options: PgConnectOptions) {
    loop {
        state.began.notified().await;
        let began = Instant::now();
        loop {
            match bounded(CONNECT_TIMEOUT, options.connect()).await {
                Ok(connection) => {
                    drop(bounded(CONNECT_TIMEOUT, connection.close()).await);
                    break;
                }
                Err(_) => tokio::time::sleep(RETRY_INTERVAL).await,
            }
        }
        state.is_down.store(false, Ordering::Release);
        tracing::info!(
            seconds = began.elapsed().as_secs_f64(),
            "the database answers again"
        );
    }
}

/// The error of a statement without a connection to run on.
pub(super) fn lost() -> sqlx::Error {
    sqlx::Error::Io(ErrorKind::NotConnected.into())
}

/// Whether an error ends its connection: network, TLS and protocol errors, and a server that shuts
/// down, starts, has no room for another connection or has become read-only.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            // Class 08: connection exceptions; 25P03: idle in a transaction for too long.
            code.starts_with("08")
                || [
                    "57P01", "57P02", "57P03", "57P05", "53300", "25006", "25P03",
                ]
                .contains(&&*code)
        }),
        _ => false,
    }
}
