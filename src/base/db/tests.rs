use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;

use super::*;
use crate::base::error::Error;
use crate::base::settings::Profile;

/// A database in a temporary folder, which is deleted with it.
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
        let settings = Settings::of(Profile::Development, &folder);
        Self {
            db: Db::open(&settings).await.unwrap(),
            settings,
            folder,
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
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
            "SELECT id - 1048576000000000 FROM spaces ORDER BY rowid",
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
