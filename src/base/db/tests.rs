use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;

use super::*;
use crate::base::error::Error;
use crate::base::settings::Profile;

mod rules;
mod writers;

/// The address of a PostgreSQL database in which a role may create others. Without it the tests run
/// on SQLite.
const DATABASE_VARIABLE: &str = "TIDEPOOL_TEST_DATABASE";

/// A database in a temporary folder, or on the PostgreSQL server of the tests; deleted with it.
pub(crate) struct Scratch {
    pub(crate) db: Db,
    pub(crate) settings: Settings,
    folder: PathBuf,
}

impl Scratch {
    pub(crate) async fn new() -> Self {
        let folder =
            std::env::temp_dir().join(format!("tidepool-{}", crate::base::secrets::short_token()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut settings = Settings::of(Profile::Development, &folder);
        if let Ok(server) = std::env::var(DATABASE_VARIABLE) {
            let name = format!("t_{}", hex(&crate::base::secrets::short_token()));
            on_server(&server, format!("CREATE DATABASE {name}")).await;
            let mut url = reqwest::Url::parse(&server).unwrap();
            url.set_path(&name);
            settings.database = url.into();
        }
        Self {
            db: Db::open(&settings).await.unwrap(),
            settings,
            folder,
        }
    }
}

impl Scratch {
    /// The database as a second server sees it, with writers of its own; the same handle where
    /// only one server can have it.
    pub(crate) async fn of_second_server(&self) -> Db {
        match &self.db {
            Db::Sqlite(_) => self.db.clone(),
            Db::Postgres(_) => Db::open(&self.settings).await.unwrap(),
        }
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

async fn on_server(server: &str, sql: String) {
    use sqlx::{AssertSqlSafe, Connection, PgConnection};
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some((_, name)) = self.settings.database.rsplit_once('/') {
            let (server, name) = (std::env::var(DATABASE_VARIABLE).unwrap(), name.to_owned());
            // A runtime of its own: a test's may be the one that is dropping this.
            let dropping = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(on_server(
                    &server,
                    format!("DROP DATABASE {name} WITH (FORCE)"),
                ));
            });
            drop(dropping.join());
        }
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

async fn insert(tx: &mut Tx, id: i64) -> Result<()> {
    // An id and the time that it holds: what a check of the database expects.
    const INSERT: &str = "INSERT INTO spaces (id, name, created_at) \
        VALUES ($1 + 1048576000000000, 'x', 1705067200000000)";
    tx.execute(INSERT, (id,)).await?;
    Ok(())
}

async fn count(db: &Db) -> i64 {
    db.scalar("SELECT COUNT(*) FROM spaces", ()).await.unwrap()
}

#[tokio::test]
async fn failing_write_of_a_group_fails_alone() {
    let scratch = Scratch::new().await;
    let writes = (0..200).map(|id| {
        scratch.db.write(async move |tx| {
            insert(tx, id).await?;
            match id % 10 {
                3 => Err(Error::Conflict("error-room-archived")),
                7 => panic!("a write panics"),
                _ => Ok(id),
            }
        })
    });
    let results = join_all(writes).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 160);
    assert_eq!(
        results
            .iter()
            .filter(|result| matches!(result, Err(Error::Conflict(_))))
            .count(),
        20
    );
    assert_eq!(count(&scratch.db).await, 160);
    assert!(Db::problems(&scratch.settings).await.unwrap().is_empty());
}

#[tokio::test]
async fn failed_statement_undoes_only_its_write() {
    let scratch = Scratch::new().await;
    let writes = [1, 1, 2].map(|id| scratch.db.write(async move |tx| insert(tx, id).await));
    let results = join_all(writes).await;
    assert!(results[0].is_ok() && results[1].is_err() && results[2].is_ok());
    assert_eq!(count(&scratch.db).await, 2);
}

#[tokio::test]
async fn after_commit_runs_in_order_before_results() {
    let scratch = Scratch::new().await;
    let seen: Arc<Mutex<Vec<i64>>> = Arc::default();
    let writes = (0..100).map(|id| {
        let (seen, mine) = (seen.clone(), seen.clone());
        let db = &scratch.db;
        async move {
            let keep = db
                .write(async move |tx| {
                    insert(tx, id).await?;
                    tx.after_commit(move || seen.lock().unwrap().push(id));
                    if id % 5 == 0 {
                        Err(Error::NotFound)
                    } else {
                        Ok(())
                    }
                })
                .await
                .is_ok();
            assert_eq!(
                mine.lock().unwrap().contains(&id),
                keep,
                "told exactly when it stands, before its caller hears"
            );
        }
    });
    join_all(writes).await;
    let order = seen.lock().unwrap().clone();
    let stored: Vec<i64> = scratch
        .db
        .scalars(
            Sql {
                sqlite: "SELECT id - 1048576000000000 FROM spaces ORDER BY rowid",
                postgres: "SELECT id - 1048576000000000 FROM spaces ORDER BY ctid",
            },
            (),
        )
        .await
        .unwrap();
    assert_eq!(order, stored);
}

#[tokio::test]
async fn reader_cannot_write_and_references_are_checked() {
    let scratch = Scratch::new().await;
    let written = scratch
        .db
        .execute(
            "INSERT INTO spaces (id, name, created_at) VALUES (9, 'x', 0)",
            (),
        )
        .await;
    assert!(written.is_err());
    const ORPHAN: &str =
        "INSERT INTO members (space_id, account_id, role, joined_at) VALUES (1, 2, 'member', 0)";
    let orphan = scratch.db.write(async |tx| {
        tx.execute(ORPHAN, ()).await?;
        Ok(())
    });
    assert!(orphan.await.is_err());
}

#[tokio::test]
async fn stopped_writer_refuses_and_leaves_no_log() {
    let scratch = Scratch::new().await;
    scratch
        .db
        .write(async move |tx| insert(tx, 1).await)
        .await
        .unwrap();
    scratch.db.close().await;
    assert!(matches!(
        scratch
            .db
            .write(async move |tx| { insert(tx, 2).await })
            .await,
        Err(Error::Unavailable)
    ));
    let log = scratch.folder.join("tidepool.sqlite-wal");
    assert!(!log.exists() || std::fs::metadata(log).unwrap().len() == 0);
}
