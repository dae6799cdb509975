//! The PostgreSQL arm: a pool that reads, and several writers, each with a connection of its own.
//! Several servers may share one database.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection as _, PgConnection, PgPool};

use super::connection::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, Connection, Link, bounded};
use super::copy::unfinished;
use super::instance;
use super::named_lock::NamedLocks;
use super::outage::Outage;
use super::reserve::Reserve;
use super::writer::{Batching, Writer};
use super::{MAX_PREPARED_STATEMENTS, Tx};
use crate::base::settings::Settings;
use crate::base::settings::database::without_password;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// For a read to wait for a connection of the pool.
const READER_TIMEOUT: Duration = Duration::from_secs(3);
/// The oldest version whose SQL is used.
const MIN_VERSION: i32 = 15;
/// Settings of each connection, in milliseconds. No statement takes longer than the first; none
/// waits longer than the second for a row that another transaction has locked; a server that
/// vanished in a transaction keeps its locks no longer than the third.
const SESSION: [(&str, &str); 3] = [
    ("statement_timeout", "10000"),
    ("lock_timeout", "5000"),
    ("idle_in_transaction_session_timeout", "20000"),
];

/// A pool that reads, and writers by key.
pub struct Postgres {
    pub(super) readers: Readers,
    pub(super) writers: Vec<Writer>,
    pub(super) named_locks: NamedLocks,
}

/// The pool that reads.
pub(super) struct Readers {
    pool: PgPool,
    outage: Outage,
}

impl Readers {
    /// # Errors
    /// While the server is down.
    pub(super) fn pool(&self) -> sqlx::Result<&PgPool> {
        self.outage.check()?;
        Ok(&self.pool)
    }

    /// Runs a read for as long as a server may take to answer.
    pub(super) async fn bounded<T>(
        &self,
        work: impl Future<Output = sqlx::Result<T>>,
    ) -> sqlx::Result<T> {
        self.outage.note(bounded(ANSWER_TIMEOUT, work).await)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }
}

impl Postgres {
    /// Connects, and runs the migrations that are new to the database. Of several servers that
    /// start at once one runs them, and the others wait for it.
    pub(super) async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let options = options(&settings.database)?;
        let mut connection = connect(settings).await?;
        check_server(&mut connection).await?;
        let is_unfinished = sqlx::query_scalar::<_, bool>("SELECT to_regclass($1) IS NOT NULL")
            .bind(unfinished::TABLE)
            .fetch_one(&mut connection);
        ensure!(!is_unfinished.await?, unfinished::REFUSAL);
        // Takes an advisory lock.
        MIGRATIONS
            .run(&mut connection)
            .await
            .context("a migration failed; nothing was started")?;
        connection.close().await?;
        let options = options.options(SESSION);
        let outage = Outage::watch(options.clone());
        instance::hold_number(options.clone()).await?;
        let batching = Batching::of(settings);
        let writers: std::io::Result<Vec<_>> = (0..settings.write_shards)
            .map(|_| {
                let link = Link::new(options.clone(), outage.clone());
                let tx = Tx::new(Connection::Postgres(Box::new(link)), Reserve::none());
                Writer::start(tx, batching)
            })
            .collect();
        Ok(Self {
            named_locks: NamedLocks::new(options.clone()),
            readers: readers(settings.readers, options, outage),
            writers: writers?,
        })
    }

    /// Connects for reading. Runs no migration; there is no writer.
    pub(super) async fn open_read_only(settings: &Settings) -> anyhow::Result<Self> {
        let options = options(&settings.database)?;
        connect(settings).await?.close().await?;
        let outage = Outage::watch(options.clone());
        Ok(Self {
            named_locks: NamedLocks::new(options.clone()),
            readers: readers(1, options, outage),
            writers: Vec::new(),
        })
    }

    /// The writer of a key: always the same one, so that the writes of a key commit in their order.
    pub(super) fn writer(&self, key: i64) -> Option<&Writer> {
        const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 / φ: Fibonacci hashing
        let hash = key.cast_unsigned().wrapping_mul(GOLDEN) >> 32;
        let count = self.writers.len().max(1);
        self.writers
            .get(usize::try_from(hash).unwrap_or_default() % count)
    }

    /// Runs `pg_dump`, which makes a file for `pg_restore`. The password goes through the
    /// environment: everybody on the machine can read a command line.
    pub(super) async fn backup(settings: &Settings, to: &Path) -> anyhow::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut command = std::process::Command::new("pg_dump");
        let url = without_password(&settings.database);
        command.args(["--format=custom", "--no-owner", "--dbname", &url]);
        if let Some(password) = password_in(&settings.database) {
            command.env("PGPASSWORD", password);
        }
        let file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)?;
        command.stdout(file);
        let ended = tokio::task::spawn_blocking(move || command.status()).await?;
        let failure = match ended {
            Ok(status) if status.success() => return Ok(()),
            Ok(status) => format!("pg_dump ended with {status}"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => format!(
                "pg_dump is not installed here; on a machine that has it, run: \
                pg_dump --format=custom --no-owner --file=BACKUP '{url}'"
            ),
            Err(error) => format!("pg_dump cannot be run: {error}"),
        };
        drop(std::fs::remove_file(to));
        bail!(failure)
    }
}

/// The password that an address holds.
fn password_in(address: &str) -> Option<String> {
    let url = reqwest::Url::parse(address).ok()?;
    let in_query = url.query_pairs().find(|(name, _)| name == "password");
    let in_query = in_query.map(|(_, value)| value.into_owned());
    url.password().map(percent_decoded).or(in_query)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn readers(count: u32, options: PgConnectOptions, outage: Outage) -> Readers {
    let of_pool = outage.clone();
    let pool = PgPoolOptions::new()
        .max_connections(count)
        .acquire_timeout(READER_TIMEOUT)
        // A round trip for each read. Connections that an outage may have ended are told by age.
        .test_before_acquire(false)
        .before_acquire(move |_, about| {
            let is_fresh = !of_pool.is_stale(about.age);
            Box::pin(async move { Ok(is_fresh) })
        })
        .connect_lazy_with(options.options([("default_transaction_read_only", "on")]));
    Readers { pool, outage }
}

/// A connection without limits of time.
pub(super) async fn connect(settings: &Settings) -> anyhow::Result<PgConnection> {
    connect_to(&settings.database).await
}

/// The same to an address.
pub(super) async fn connect_to(address: &str) -> anyhow::Result<PgConnection> {
    bounded(CONNECT_TIMEOUT, options(address)?.connect())
        .await
        .context("cannot connect to the database")
}

fn options(address: &str) -> anyhow::Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(address)
        // The error may quote the address, which holds a password.
        .map_err(|_| {
            anyhow::anyhow!("the database's address is not like postgres://user@host/name")
        })?;
    Ok(options
        .application_name("tidepool")
        .statement_cache_capacity(MAX_PREPARED_STATEMENTS)
        .disable_statement_logging())
}

/// Checks what the server can be asked before anything is written to it.
pub(super) async fn check_server(connection: &mut PgConnection) -> anyhow::Result<()> {
    const ABOUT: &str = "SELECT current_setting('server_version_num')::INT / 10000, \
        current_setting('server_encoding')";
    let (version, encoding): (i32, String) = sqlx::query_as(ABOUT).fetch_one(connection).await?;
    ensure!(
        version >= MIN_VERSION,
        "the database is PostgreSQL {version}; it has to be {MIN_VERSION} or newer"
    );
    ensure!(
        encoding == "UTF8",
        "the database's encoding is {encoding}; it has to be UTF8"
    );
    Ok(())
}
