//! Damage to what is stored is found by `tidepool check`, and by the nightly job.

use std::path::Path;

use sqlx::{AssertSqlSafe, Column, ConnectOptions, Connection, Row, SqliteConnection};

use super::attachments::{post, put};
use crate::sqlite_only;
use crate::support::{Folder, Person, TestServer, eventually, noise};

/// A server with some hundred messages, edited and deleted ones among them, and one that is stopped
/// so that all of it is in one file.
pub(super) async fn server_with_history() -> (TestServer, Person) {
    let server = TestServer::start().await;
    let ann = server.owner("ann").await;
    let bob = server.member("bob").await;
    ann.create_room("garden").await;
    ann.create_room("cellar").private().with(&[&bob]).await;
    ann.direct(&[&bob]).await;
    for number in 0..150 {
        let body = format!("The **{number}**th tide came in at {number} minutes past noon.");
        let message = ann.post("garden", &body).await;
        bob.post("cellar", &body).await;
        match number % 25 {
            3 => drop(
                ann.edit(&message, "Edited, and a little longer than it was before.")
                    .await,
            ),
            4 => drop(ann.delete(&message).await),
            _ => {}
        }
    }
    (server, ann)
}

/// Every row of every table, as text; nothing when the database cannot be read.
pub(super) async fn dump(path: &Path) -> Option<Vec<String>> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut database = options.read_only(true).connect().await.ok()?;
    let rows = dump_tables(&mut database).await.ok();
    drop(database.close().await);
    rows
}

async fn dump_tables(database: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
    let schema = "SELECT name || ' ' || COALESCE(sql, '') FROM sqlite_schema ORDER BY rowid";
    let mut all: Vec<String> = sqlx::query_scalar(schema).fetch_all(&mut *database).await?;
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *database).await?;
    for table in tables {
        let rows = format!("SELECT * FROM \"{table}\"");
        for row in sqlx::query(AssertSqlSafe(rows))
            .fetch_all(&mut *database)
            .await?
        {
            let values = row.columns().iter().map(|column| {
                let value = row.try_get_unchecked::<Vec<u8>, _>(column.ordinal());
                let number = row.try_get_unchecked::<i64, _>(column.ordinal());
                format!("{}={value:?}/{number:?}", column.name())
            });
            all.push(format!("{table}: {}", values.collect::<Vec<_>>().join(" ")));
        }
    }
    Ok(all)
}

#[tokio::test]
async fn flipped_bytes_of_the_database_are_found() {
    sqlite_only!("flips bytes of the database file");
    let flips: u64 = std::env::var("FLIPS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(24);
    let (mut server, _) = server_with_history().await;
    server.stop().await;
    let file = server.data().join("tidepool.sqlite");
    let whole = std::fs::read(&file).expect("the database");
    let before = dump(&file).await.expect("it can be read");
    // Much of the file belongs to nothing: every third flip is in what somebody wrote.
    let phrase = b"**th tide came in at";
    let starts = whole.windows(phrase.len()).enumerate();
    let starts: Vec<usize> = starts
        .filter(|(_, bytes)| bytes == phrase)
        .map(|(at, _)| at)
        .collect();
    let (mut found, mut harmless, mut unchecked, mut missed) = (0, 0, 0, Vec::new());
    for flip in 0..flips {
        let random = noise(16, flip);
        let number = u64::from_le_bytes(random[..8].try_into().expect("eight bytes"));
        let at = match flip % 3 {
            0 => starts[(number % starts.len() as u64) as usize] + random[9] as usize % 20,
            _ => (number % whole.len() as u64) as usize,
        };
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (random[8] % 8);
        let folder = Folder::new();
        let copy = folder.path().join("tidepool.sqlite");
        std::fs::create_dir_all(folder.path()).expect("a folder");
        std::fs::write(&copy, &damaged).expect("a copy");
        let path = folder.path().to_str().expect("a plain path").to_owned();
        if !server.run(&["check", "--data", &path]).status.success() {
            found += 1;
            continue;
        }
        match dump(&copy).await {
            Some(rows) if rows == before => harmless += 1,
            rows => {
                let rows = rows.unwrap_or_default();
                let other = rows.iter().find(|row| !before.contains(row));
                match other {
                    // Of accounts, sessions and settings only keys are compared.
                    Some(row) if !row.starts_with("messages: ") => unchecked += 1,
                    _ => missed.push(format!("byte {at}: {other:?}")),
                }
            }
        }
    }
    println!("of {flips} flips {found} are found, {harmless} change nothing, missed: {missed:#?}");
    assert!(missed.is_empty(), "{missed:#?}");
    assert!(found > 0 && found + harmless + unchecked == flips);
}

#[tokio::test]
async fn damaged_and_missing_files_are_found() {
    let (mut server, ann) = TestServer::start_with_owner().await;
    for (name, content) in [("a.txt", noise(5000, 1)), ("b.txt", noise(6000, 2))] {
        let file = put(&ann, "general", name, &content).await;
        post(&ann, "general", "", &[&file], &[]).await.done();
    }
    server.assert_undamaged();
    let contents = server.contents();
    let path = |name: &str| server.data().join("files").join(&name[..2]).join(name);
    let (flipped, missing) = (path(&contents[0]), path(&contents[1]));
    let whole = std::fs::read(&flipped).expect("a content");
    let mut content = whole.clone();
    content[2500] ^= 1;
    std::fs::write(&flipped, &content).expect("it is written");
    std::fs::remove_file(&missing).expect("it is deleted");
    let said = server.damage().join("\n");
    assert!(
        said.contains("is damaged") && said.contains("is missing"),
        "{said}"
    );
    assert!(said.contains("a.txt") && said.contains("b.txt"), "{said}");
    // One byte more, and one less.
    for length in [whole.len() + 1, whole.len() - 1] {
        let mut content = whole.clone();
        content.resize(length, 0);
        std::fs::write(&flipped, &content).expect("it is written");
        let problems = server.damage();
        assert_eq!(problems.len(), 2, "{problems:?}");
    }
    // The job of the night tells the host.
    server.stop().await;
    server
        .change_rows("UPDATE job_schedules SET next_at = 1")
        .await;
    server.start_again().await;
    eventually("the failed check on the host's page", || async {
        ann.page("/jobs").await.contains("is missing").then_some(())
    })
    .await;
    assert!(server.log().contains("damage was found"));
}

#[tokio::test]
async fn empty_and_foreign_database_files_are_found() {
    sqlite_only!("replaces the database file");
    let mut server = TestServer::start().await;
    server.stop().await;
    let file = server.data().join("tidepool.sqlite");
    for (content, said) in [
        (&b""[..], "is empty"),
        (b"not a database", "is no database"),
    ] {
        std::fs::write(&file, content).expect("it is written");
        assert!(server.damage().join("\n").contains(said));
    }
    std::fs::remove_file(&file).expect("it is deleted");
    assert!(!server.run(&["check"]).status.success());
}
