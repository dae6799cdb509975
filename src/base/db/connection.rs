//! What a transaction runs on: a connection to either database.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection as _, PgConnection, SqliteConnection};

use super::checkpoint;
use super::outage::{Outage, is_lost, lost};

/// For a connection to be established, TLS and authentication included.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// For a statement to be answered, sent over the network. The server ends it earlier by itself, see
/// `STATEMENT_TIMEOUT`: this one is for a server that is gone without a word.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// A connection that writes.
pub(super) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(Box<Link>),
}

/// A connection to PostgreSQL that is made again after it was lost.
pub(super) struct Link {
    options: PgConnectOptions,
    outage: Outage,
    connection: Option<PgConnection>,
}

impl Link {
    /// Not connected yet.
    pub(super) fn new(options: PgConnectOptions, outage: Outage) -> Self {
        Self {
            options,
            outage,
            connection: None,
        }
    }

    /// Connects, unless it is connected or the server is known to be down.
    ///
    /// # Errors
    /// Why it cannot; at once while the server is down.
    pub(super) async fn connect(&mut self) -> sqlx::Result<&mut PgConnection> {
        if self.connection.is_none() {
            self.outage.check()?;
            let connected = bounded(CONNECT_TIMEOUT, self.options.connect()).await;
            self.connection = Some(self.outage.note(connected)?);
        }
        self.get()
    }

    /// The connection, on which a transaction is open.
    ///
    /// # Errors
    /// When it was lost: the transaction is, too.
    pub(super) fn get(&mut self) -> sqlx::Result<&mut PgConnection> {
        self.connection.as_mut().ok_or_else(lost)
    }

    /// Closes the connection if this error says that it is of no more use.
    pub(super) fn note<T>(&mut self, result: sqlx::Result<T>) -> sqlx::Result<T> {
        if result.as_ref().is_err_and(is_lost) {
            self.connection = None;
        }
        self.outage.note(result)
    }
}

impl Connection {
    /// Runs statements without parameters, in one message.
    pub(super) async fn run(&mut self, sql: &'static str) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(connection) => sqlx::query(sql).execute(connection).await.map(drop),
            Self::Postgres(link) => {
                let ran = sqlx::raw_sql(sql).execute(link.get()?);
                let ran = bounded(ANSWER_TIMEOUT, ran).await.map(drop);
                link.note(ran)
            }
        }
    }

    /// Runs the statements of a migration, which may take longer than others.
    pub(super) async fn run_script(&mut self, sql: &'static str) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(sql).execute(connection).await.map(drop),
            Self::Postgres(link) => {
                let connection = link.get()?;
                let no_limit = sqlx::raw_sql("SET LOCAL statement_timeout = 0");
                no_limit.execute(&mut *connection).await?;
                let ran = sqlx::raw_sql(sql).execute(connection).await.map(drop);
                link.note(ran)
            }
        }
    }

    /// Begins a transaction, after connecting if need be.
    pub(super) async fn begin(&mut self) -> sqlx::Result<()> {
        let Self::Postgres(link) = self else {
            return self.run("BEGIN IMMEDIATE").await;
        };
        const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
        let was_connected = link.connection.is_some();
        link.connect().await?;
        match self.run(BEGIN).await {
            // It was lost while it was idle, such as by a restart: nothing has run yet.
            Err(error) if was_connected && is_lost(&error) => {
                let Self::Postgres(link) = self else {
                    return Err(error);
                };
                link.connect().await?;
                self.run(BEGIN).await
            }
            begun => begun,
        }
    }

    /// Ends the connection. SQLite's log is moved into its file before.
    pub(super) async fn close(self) {
        match self {
            Self::Sqlite(mut connection) => {
                if let Err(error) = checkpoint::truncate(&mut connection).await {
                    tracing::warn!(
                        %error, "the log was not moved into the file; the next start will"
                    );
                }
                drop(connection.close().await);
            }
            Self::Postgres(link) => {
                if let Some(connection) = link.connection {
                    drop(bounded(CONNECT_TIMEOUT, connection.close()).await);
                }
            }
        }
    }
}

/// What `work` returns, or an error of the connection after this time.
pub(super) async fn bounded<T>(
    timeout: Duration,
    work: impl Future<Output = sqlx::Result<T>>,
) -> sqlx::Result<T> {
    let result = tokio::time::timeout(timeout, work).await;
    result.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
}
