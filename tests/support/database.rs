//! The database of one test's server, and changes of its rows.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection};

use super::{Instance, Mode, Postgres, PostgresDatabase, TestServer, prepared_database};

/// A database that only one server uses.
pub enum Database {
    /// This file.
    Sqlite(PathBuf),
    /// A database of the cluster that the test program shares.
    Postgres(PostgresDatabase),
}

impl Database {
    /// A new empty one of the kind that this run is about. A file is in the server's data folder.
    pub fn empty(data: &Path) -> Self {
        match Mode::current() {
            Mode::Sqlite => Self::Sqlite(data.join("tidepool.sqlite")),
            Mode::Postgres | Mode::Cluster => Self::Postgres(Postgres::shared().create_database()),
        }
    }

    /// The same with the tables of the server.
    pub fn migrated(data: &Path) -> Self {
        match Mode::current() {
            Mode::Sqlite => {
                prepared_database::copy_file_to(data);
                Self::empty(data)
            }
            Mode::Postgres | Mode::Cluster => Self::Postgres(prepared_database::new_copy()),
        }
    }

    /// What `TIDEPOOL_DATABASE` is set to; nothing for a file.
    pub fn address(&self) -> Option<String> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(database) => Some(database.url()),
        }
    }

    /// What `--from` and `--to` of `tidepool copy-database` take.
    pub fn name(&self) -> String {
        let file = |path: &PathBuf| path.display().to_string();
        match self {
            Self::Sqlite(path) => file(path),
            Self::Postgres(database) => database.url(),
        }
    }

    /// A number that a statement reads, or none where its table is not there yet.
    pub async fn number(&self, sql: &str) -> Option<i64> {
        match self {
            Self::Sqlite(file) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
                let mut database = options.read_only(true).connect().await.ok()?;
                let read = sqlx::query_scalar(AssertSqlSafe(sql));
                let number = read.fetch_optional(&mut database).await;
                database.close().await.ok()?;
                number.ok()?
            }
            Self::Postgres(database) => database.try_execute(sql)?.parse().ok(),
        }
    }

    /// Whether the database refuses a statement beside the server.
    pub async fn refuses(&self, sql: &str) -> bool {
        match self {
            Self::Sqlite(file) => {
                let address = format!("sqlite://{}", file.display());
                let opened = SqliteConnection::connect(&address).await;
                let mut database = opened.expect("it opens");
                let done = sqlx::query(AssertSqlSafe(sql)).execute(&mut database).await;
                done.is_err()
            }
            Self::Postgres(database) => database.try_execute(sql).is_none(),
        }
    }

    /// Runs one statement beside the server; how many rows it changed.
    pub async fn execute(&self, sql: &str) -> u64 {
        match self {
            Self::Sqlite(file) => {
                assert!(file.exists(), "the database is there");
                let mut database =
                    SqliteConnection::connect(&format!("sqlite://{}", file.display()))
                        .await
                        .expect("it opens");
                let done = sqlx::query(AssertSqlSafe(sql))
                    .execute(&mut database)
                    .await
                    .expect("the statement succeeds");
                database.close().await.expect("it closes");
                done.rows_affected()
            }
            Self::Postgres(database) => {
                let tag = database.execute(sql);
                let count = tag.rsplit(' ').next().and_then(|count| count.parse().ok());
                count.unwrap_or_default()
            }
        }
    }
}

impl TestServer {
    /// Fails unless `tidepool check` finds nothing. What it says it cannot check is left out.
    #[track_caller]
    pub fn assert_undamaged(&self) {
        let check = self.run(&["check"]);
        let said = problems(&check.stdout);
        assert!(check.status.success() && said == ["ok"], "{check:?}");
    }

    /// The lines of what `tidepool check` finds; fails when it finds nothing.
    #[track_caller]
    pub fn damage(&self) -> Vec<String> {
        let check = self.run(&["check"]);
        assert!(!check.status.success(), "{check:?}");
        problems(&check.stdout)
    }

    /// Changes rows of a stopped server's database: for what only time or another program could do.
    pub async fn change_rows(&self, sql: &str) {
        let is_running = self.instances.iter().any(Instance::is_running);
        assert!(!is_running, "a running server's rows are its own");
        assert!(self.database.execute(sql).await > 0, "nothing changed");
    }

    /// Lets a stopped server's sessions have been used last in 1970.
    pub async fn age_sessions(&self) {
        let data = match self.database {
            Database::Sqlite(_) => "json_set(data, '$.data.seen', 0)",
            Database::Postgres(_) => "jsonb_set(data::jsonb, '{data,seen}', '0')::text",
        };
        self.change_rows(&format!("UPDATE sessions SET data = {data}"))
            .await;
    }

    /// Changes the schema beside the running server, as another program might.
    pub async fn change_schema(&self, sql: &str) {
        self.database.execute(sql).await;
    }

    /// The SQLite file, where the server has one.
    pub fn database_file(&self) -> Option<&Path> {
        match &self.database {
            Database::Sqlite(file) => Some(file),
            Database::Postgres(_) => None,
        }
    }
}

/// What `tidepool check` printed, without what it says it cannot check.
fn problems(printed: &[u8]) -> Vec<String> {
    let printed = String::from_utf8_lossy(printed);
    let lines = printed
        .lines()
        .filter(|line| !line.starts_with("not checked: "));
    lines.map(str::to_owned).collect()
}
