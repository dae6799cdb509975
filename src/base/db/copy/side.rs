//! One of the two databases of a copy: where it is, and a connection that keeps servers away from
//! it.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, SqliteConnection};

use super::super::query::Row;
use super::super::{checkpoint, instance, postgres, sqlite};
use crate::base::data_folder;
use crate::base::settings::database::without_password;

/// What `--from` and `--to` name.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// The file, which need not exist.
    Sqlite(PathBuf),
    Postgres(String),
}

/// A database with a connection. Its locks are held as long as it exists.
pub(super) enum Side {
    Sqlite {
        connection: SqliteConnection,
        /// The lock of the data folder.
        _lock: Option<File>,
    },
    Postgres(PgConnection),
}

/// What a server calls its file.
const FILE_NAME: &str = "tidepool.sqlite";

impl Address {
    /// An address of PostgreSQL, or a path: of the file, or of the data folder that holds it.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            ensure!(
                !without_password(text).is_empty(),
                "an address cannot be read"
            );
            return Ok(Self::Postgres(text.to_owned()));
        }
        ensure!(!text.contains("://"), "an address begins with postgres://");
        let path = std::path::absolute(text).with_context(|| format!("no path: {text:?}"))?;
        let is_file = path.extension().is_some_and(|end| end == "sqlite") && !path.is_dir();
        let is_file = is_file || path.is_file();
        let path = if is_file { path } else { path.join(FILE_NAME) };
        // The same file under two names is the same database.
        Ok(Self::Sqlite(path.canonicalize().unwrap_or(path)))
    }

    /// What it is called in messages and in the record of the copy: without a password.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgres(address) => without_password(address),
        }
    }

    /// Opens a database for reading all of it in one state.
    ///
    /// # Errors
    /// When there is none, or a server is running on it.
    pub(super) async fn open_source(&self) -> anyhow::Result<Side> {
        const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let mut side = match self {
            Self::Sqlite(path) => {
                ensure!(path.is_file(), "there is no database {}", path.display());
                let _lock = lock(path)?;
                let connection = sqlite::read_options(path).connect().await;
                let connection = connection.with_context(|| self.cannot_open())?;
                Side::Sqlite { connection, _lock }
            }
            Self::Postgres(address) => Side::Postgres(self.connect(address).await?),
        };
        side.run(side.pick("BEGIN", SNAPSHOT)).await?;
        Ok(side)
    }

    /// Opens a database for writing, which is made if it is a file.
    ///
    /// # Errors
    /// When it cannot be opened or made, or a server is running on it.
    pub(super) async fn open_target(&self) -> anyhow::Result<Side> {
        Ok(match self {
            Self::Sqlite(path) => {
                data_folder::create(path.parent().context("a file is in a folder")?)?;
                let _lock = lock(path)?;
                let connection = sqlite::open_for_copy(path).await;
                let connection = connection.with_context(|| self.cannot_open())?;
                Side::Sqlite { connection, _lock }
            }
            Self::Postgres(address) => {
                let mut connection = self.connect(address).await?;
                postgres::check_server(&mut connection).await?;
                Side::Postgres(connection)
            }
        })
    }

    async fn connect(&self, address: &str) -> anyhow::Result<PgConnection> {
        // Limits that a host has set for all sessions are not meant for this one.
        const NO_LIMITS: &str = "SET statement_timeout = 0; SET lock_timeout = 0; \
            SET idle_in_transaction_session_timeout = 0";
        let connection = postgres::connect_to(address).await;
        let mut connection = connection.with_context(|| self.cannot_open())?;
        let is_alone = instance::exclude_servers(&mut connection).await?;
        let name = self.name();
        ensure!(
            is_alone,
            "a server or another copy is running on {name}; stop it first"
        );
        sqlx::raw_sql(NO_LIMITS).execute(&mut connection).await?;
        Ok(connection)
    }

    fn cannot_open(&self) -> String {
        format!("cannot open {}", self.name())
    }
}

/// The lock of the data folder that the file is in. A file of another name, such as a backup, is in
/// no data folder.
fn lock(file: &Path) -> anyhow::Result<Option<File>> {
    let folder = file.parent().filter(|_| file.ends_with(FILE_NAME));
    let lock = folder.map(data_folder::lock).transpose();
    lock.map_err(|error| anyhow!("{error:#}; stop it first"))
}

impl Side {
    /// What this database needs of two.
    pub(super) fn pick<T>(&self, sqlite: T, postgres: T) -> T {
        match self {
            Self::Sqlite { .. } => sqlite,
            Self::Postgres(_) => postgres,
        }
    }

    /// Runs statements without parameters.
    pub(super) async fn run(&mut self, sql: &str) -> sqlx::Result<()> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite { connection, .. } => sql.execute(connection).await.map(drop),
            Self::Postgres(connection) => sql.execute(connection).await.map(drop),
        }
    }

    /// The rows of a statement without parameters.
    pub(super) async fn all<T: Row>(&mut self, sql: &str) -> sqlx::Result<Vec<T>> {
        let sql = AssertSqlSafe(sql);
        match self {
            Self::Sqlite { connection, .. } => sqlx::query_as(sql).fetch_all(connection).await,
            Self::Postgres(connection) => sqlx::query_as(sql).fetch_all(connection).await,
        }
    }

    /// The number that a statement without parameters reads.
    pub(super) async fn number(&mut self, sql: &str) -> sqlx::Result<i64> {
        let rows: Vec<(i64,)> = self.all(sql).await?;
        rows.first()
            .map(|(number,)| *number)
            .ok_or(sqlx::Error::RowNotFound)
    }

    /// Whether it has a table of this plain name.
    pub(super) async fn has_table(&mut self, name: &'static str) -> sqlx::Result<bool> {
        let sqlite = format!("SELECT COUNT(*) FROM sqlite_schema WHERE name = '{name}'");
        let postgres = format!("SELECT COUNT(to_regclass('{name}'))");
        Ok(self.number(&self.pick(sqlite, postgres)).await? > 0)
    }

    /// Closes it. SQLite's log is moved into its file before.
    pub(super) async fn close(self, wrote: bool) -> sqlx::Result<()> {
        match self {
            Self::Sqlite {
                mut connection,
                _lock,
            } => {
                if wrote {
                    checkpoint::truncate(&mut connection).await?;
                }
                connection.close().await
            }
            Self::Postgres(connection) => connection.close().await,
        }
    }
}
