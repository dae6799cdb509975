//! Looking for damage in the database: its structure, the references between rows, and rules that
//! hold for every table. Modules check their own rows, see [`Rule`]. What PostgreSQL leaves to be
//! checked: `check_postgres.rs`.

use std::path::Path;

use anyhow::Context;
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};
use tokio::runtime::Handle;

use super::sqlite::{MIGRATIONS, read_options};
use super::{Db, Sql, check_postgres};
use crate::base::error::Result;
use crate::base::settings::Settings;

/// Problems of a kind that are listed. More would not help to decide what to do.
pub(super) const MAX_LISTED: usize = 100;
/// What every SQLite file starts with.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What is true of every row of a table.
pub struct Rule {
    /// What the rows that break it do, such as `a message is longer than messages may be`.
    pub broken: &'static str,
    /// A statement that returns the ids of rows which break the rule, as text, at most some dozen.
    pub find: &'static str,
}

impl Db {
    /// What is wrong with the database of a stopped or running server, in English; empty when
    /// nothing is. Reads all of an SQLite file.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn problems(settings: &Settings) -> anyhow::Result<Vec<String>> {
        if !settings.database.is_empty() {
            return check_postgres::problems(settings).await;
        }
        let path = settings.data.join("tidepool.sqlite");
        if let Some(problem) = file_problem(&path)? {
            return Ok(vec![problem]);
        }
        let opened = read_options(&path).connect().await;
        let mut connection = opened.with_context(|| format!("cannot open {}", path.display()))?;
        let found = match read_problems(&mut connection).await {
            Ok(found) => found,
            // Damage to the schema shows as an error, not as a result.
            Err(error) => vec![format!("the database cannot be read: {error}")],
        };
        drop(connection.close().await);
        Ok(found)
    }

    /// What [`problems`](Self::problems) does not look at, in English.
    pub fn unchecked(settings: &Settings) -> Option<&'static str> {
        const UNCHECKED: &str = "not checked: PostgreSQL's own files; pg_amcheck checks these";
        (!settings.database.is_empty()).then_some(UNCHECKED)
    }

    /// Bytes that the database takes on its disk, without its log.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn size(&self) -> Result<u64> {
        const SIZE: Sql = Sql {
            sqlite: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
            postgres: "SELECT pg_database_size(current_database())",
        };
        let size: i64 = self.scalar(SIZE, ()).await?;
        Ok(size.unsigned_abs())
    }

    /// The rows that break one of these rules, as problems in English.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn broken_rules(&self, rules: &[Rule]) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        for rule in rules {
            let rows: Vec<String> = self.scalars(rule.find, ()).await?;
            if !rows.is_empty() {
                problems.push(format!("{}: {}", rule.broken, rows.join(", ")));
            }
        }
        Ok(problems)
    }
}

/// What is wrong with a file that SQLite would take for an empty database, or not open.
fn file_problem(path: &Path) -> anyhow::Result<Option<String>> {
    use std::io::Read;
    let file = std::fs::File::open(path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    let mut start = Vec::new();
    file.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(match start.as_slice() {
        start if start == MAGIC => None,
        [] => Some("the database file is empty".to_owned()),
        _ => Some("the database file is no database".to_owned()),
    })
}

async fn read_problems(connection: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let mut found: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(100)")
        .fetch_all(&mut *connection)
        .await?;
    found.retain(|line| line != "ok");
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    .fetch_all(&mut *connection)
    .await?;
    if tables.is_empty() {
        found.push("the database has no tables".to_owned());
    }
    found.extend(migration_problems(connection).await?);
    found.extend(orphans(connection).await?);
    for table in tables.iter().filter(|table| is_plain_name(table)) {
        found.extend(broken_columns(connection, table).await?);
    }
    found.truncate(MAX_LISTED);
    Ok(found)
}

/// Version, name, success and checksum of a migration that ran.
pub(super) type Applied = (i64, String, bool, Vec<u8>);
pub(super) const APPLIED: &str =
    "SELECT version, description, success, checksum FROM _sqlx_migrations";

/// Migrations that ran, and what they made, other than this version's. A database of another
/// version is compared as far as both have migrations in common.
async fn migration_problems(connection: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let applied: Vec<Applied> = sqlx::query_as(APPLIED).fetch_all(&mut *connection).await?;
    let (mut found, is_same_version) = differing_migrations(&MIGRATIONS, &applied);
    if is_same_version {
        found.extend(schema_problems(connection).await?);
    }
    Ok(found)
}

/// How the migrations that ran differ from this version's, and whether these are all of them.
pub(super) fn differing_migrations(ours: &Migrator, applied: &[Applied]) -> (Vec<String>, bool) {
    let mut found = Vec::new();
    let mut equal = 0;
    for migration in ours.iter() {
        let version = migration.version;
        match applied.iter().find(|(applied, ..)| *applied == version) {
            Some((_, about, true, checksum))
                if *about == migration.description && *checksum == *migration.checksum =>
            {
                equal += 1;
            }
            Some(_) => found.push(format!("migration {version} is not that of this version")),
            None => {}
        }
    }
    let is_same_version = equal == ours.iter().count();
    if !is_same_version && applied.len() > equal + found.len() {
        found.push("a migration ran that this version does not know".to_owned());
    }
    (found, is_same_version)
}

const SCHEMA: &str = "SELECT type, name, tbl_name, COALESCE(sql, '') FROM sqlite_schema";

/// Type, name, table and statement of a table or an index.
type Made = (String, String, String, String);

/// Tables and indexes other than those that the migrations make in an empty database.
async fn schema_problems(connection: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    // A task of its own: the compiler cannot prove that the migrator's future is `Send` here.
    let expected = tokio::task::spawn_blocking(|| Handle::current().block_on(expected_schema()));
    let expected = expected.await.map_err(|_| sqlx::Error::WorkerCrashed)??;
    let found: Vec<Made> = sqlx::query_as(SCHEMA).fetch_all(connection).await?;
    let differing = expected.iter().filter(|made| !found.contains(made));
    let describe = |(kind, name, ..): &Made| format!("the {kind} {name} is not of this version");
    Ok(differing.map(describe).collect())
}

async fn expected_schema() -> sqlx::Result<Vec<Made>> {
    let in_memory = SqliteConnectOptions::new().in_memory(true);
    let mut fresh = in_memory.connect().await?;
    MIGRATIONS.run(&mut fresh).await?;
    sqlx::query_as(SCHEMA).fetch_all(&mut fresh).await
}

async fn orphans(connection: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let orphans: Vec<(String, Option<i64>, String, i64)> =
        sqlx::query_as("PRAGMA foreign_key_check")
            .fetch_all(connection)
            .await?;
    let describe = |(table, row, parent, _): (String, Option<i64>, String, i64)| {
        let row = row.unwrap_or_default();
        format!("{table} row {row} points to a row of {parent} that is not there")
    };
    Ok(orphans.into_iter().map(describe).collect())
}

/// Rows of a table with values that are not of their column's type, or could not have been stored
/// when they say.
async fn broken_columns(
    connection: &mut SqliteConnection,
    table: &str,
) -> sqlx::Result<Vec<String>> {
    let columns: Vec<(String, String)> =
        sqlx::query_as("SELECT name, type FROM pragma_table_info($1)")
            .bind(table)
            .fetch_all(&mut *connection)
            .await?;
    let mut found = Vec::new();
    for (column, kind) in columns.iter().filter(|(column, _)| is_plain_name(column)) {
        let Some(broken) = broken_value(column, kind) else {
            continue;
        };
        let sql = format!("SELECT COUNT(*) FROM \"{table}\" WHERE {broken}");
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut *connection)
            .await?;
        if count > 0 {
            found.push(format!(
                "{count} rows of {table} have an impossible {column}"
            ));
        }
    }
    let has = |name: &str, kind: &str| columns.iter().any(|(n, k)| n == name && k == kind);
    if has("id", "BIGINT") && has("created_at", "BIGINT") {
        found.extend(ids_of_other_times(connection, table).await?);
    }
    Ok(found)
}

/// The condition for a value that its column cannot have. Text is compared with itself as read by
/// `printf`, which ends at a NUL: none is ever stored.
fn broken_value(column: &str, kind: &str) -> Option<String> {
    // Microseconds: from 2024, where ids begin, to 2302, where they end.
    const TIMES: &str = "BETWEEN 1704067200000000 AND 10500000000000000";
    let is = format!("\"{column}\" IS NOT NULL AND");
    Some(match kind {
        "BIGINT" if column == "created_at" => {
            format!("{is} (typeof(\"{column}\") <> 'integer' OR \"{column}\" NOT {TIMES})")
        }
        "BIGINT" => format!("{is} typeof(\"{column}\") <> 'integer'"),
        "BOOLEAN" => format!("{is} \"{column}\" NOT IN (0, 1)"),
        "TEXT" => {
            format!("{is} (typeof(\"{column}\") <> 'text' OR instr(\"{column}\", char(0)) > 0)")
        }
        _ => return None,
    })
}

/// Ids hold the time at which they were made. They never are behind it, and ahead of it only where
/// the clock was set back, see [`ids`](crate::base::ids).
async fn ids_of_other_times(
    connection: &mut SqliteConnection,
    table: &str,
) -> sqlx::Result<Option<String>> {
    let sql = count_ids_of_other_times(table);
    let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(connection)
        .await?;
    Ok((count > 0).then(|| format!("{count} rows of {table} have an id of another time")))
}

pub(super) fn count_ids_of_other_times(table: &str) -> String {
    format!(
        "SELECT COUNT(*) FROM \"{table}\" WHERE \
        (id / 1048576 + 1704067200000) * 1000 NOT BETWEEN created_at - 60000000 \
        AND created_at + 86400000000"
    )
}

/// Names that come from migrations: a damaged schema may hold anything.
pub(super) fn is_plain_name(name: &str) -> bool {
    name.bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}
