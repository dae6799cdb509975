//! Locks by name that all servers on a database share, for what is not in the database: files. They
//! are held by a connection of their own, outside of transactions.

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Db;
use super::connection::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, bounded};
use crate::base::error::{Error, Result};

/// Connections that hold locks at the same time; further ones wait.
const MAX_LOCK_CONNECTIONS: usize = 8;

/// Where connections for locks come from. Cheap to clone.
#[derive(Clone)]
pub(super) struct NamedLocks {
    options: PgConnectOptions,
    connections: Arc<Semaphore>,
}

/// Unlocks its names when it is dropped.
#[must_use]
pub struct NamedLock {
    /// PostgreSQL releases the locks when the connection ends. None for a database of one server.
    _connection: Option<(PgConnection, OwnedSemaphorePermit)>,
}

impl NamedLocks {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self {
            options,
            connections: Arc::new(Semaphore::new(MAX_LOCK_CONNECTIONS)),
        }
    }
}

impl Db {
    /// Waits for the locks of these names, which are in ascending order: whoever takes several
    /// takes them in the same order as everybody else. With a database of one server nothing is
    /// locked: the caller has a lock of its own process.
    ///
    /// # Errors
    /// `Unavailable` when another server holds one for longer than five seconds, or the database
    /// does not answer.
    pub async fn lock_names(&self, names: &[String]) -> Result<NamedLock> {
        const LOCK: &str = "SELECT pg_advisory_lock(hashtextextended($1, 0))";
        let Self::Postgres(postgres) = self else {
            return Ok(NamedLock { _connection: None });
        };
        let locks = &postgres.named_locks;
        let permit = locks.connections.clone().acquire_owned().await;
        let permit = permit.map_err(|_| Error::Unavailable)?;
        let mut connection = bounded(CONNECT_TIMEOUT, locks.options.connect()).await?;
        for name in names {
            let lock = sqlx::query(LOCK).bind(name).execute(&mut connection);
            bounded(ANSWER_TIMEOUT, lock).await?;
        }
        Ok(NamedLock {
            _connection: Some((connection, permit)),
        })
    }
}
