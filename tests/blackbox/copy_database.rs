//! `tidepool copy-database`: everything arrives, in either kind of database, also after a kill.

use std::process::{Output, Stdio};

use serde_json::json;

use super::attachments::{post, put};
use super::damage::{dump, server_with_history};
use crate::only_in_modes;
use crate::support::{Database, Folder, POLL_INTERVAL, Postgres, TestServer, noise};

/// By how much positions of feeds are raised.
const GAP: i64 = 1 << 32;

/// Runs the copy with the server's program.
fn copy(server: &TestServer, from: &str, to: &str) -> Output {
    let mut command = server.command(&["copy-database", "--from", from, "--to", to]);
    command.output().expect("the command runs")
}

#[track_caller]
fn assert_equal(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(said.contains("all are equal"), "{said}");
}

/// What the copy complains of.
#[track_caller]
fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An empty database of the kind of this run.
fn empty_database() -> (Folder, Database) {
    let folder = Folder::new();
    let database = Database::empty(folder.path());
    (folder, database)
}

/// So many further messages of the first one's author, room and time, between existing ids.
async fn add_messages(server: &TestServer, count: u32) {
    let series = match server.database() {
        Database::Sqlite(_) => format!(
            "(WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) \
            SELECT n FROM s) AS s"
        ),
        Database::Postgres(_) => format!("generate_series(1, {count}) AS s (n)"),
    };
    let sql = format!(
        "INSERT INTO messages (id, room_id, author_id, client_key, body, revision, continues, \
        created_at) SELECT m.id + s.n, m.room_id, m.author_id, 'key ' || s.n, \
        'The tide ' || s.n, 1, s.n % 2 = 0, m.created_at FROM {series}, \
        (SELECT * FROM messages ORDER BY id LIMIT 1) AS m WHERE true"
    );
    server.change_rows(&sql).await;
}

/// Rows as text, but for what each database has of its own: its schema, its migrations' times, its
/// search index, and positions, which are raised.
async fn rows(path: &std::path::Path) -> Vec<String> {
    let mut rows = dump(path).await.expect("it can be read");
    let own = ["_sqlx_migrations", "feed_pos", "search_"];
    rows.retain(|row| !own.iter().any(|name| row.starts_with(name)));
    rows.sort();
    rows
}

const POSITIONS: &str = "SELECT CAST(SUM(position) AS BIGINT) FROM feed_positions";
const FEEDS: &str = "SELECT COUNT(*) FROM feed_positions";

#[tokio::test]
async fn copy_to_other_database_and_back_is_equal() {
    only_in_modes!("needs a database of each kind", [Postgres]);
    let (mut server, ann) = server_with_history().await;
    let content = noise(5000, 1);
    let file = put(&ann, "garden", "shell.txt", &content).await;
    post(&ann, "garden", "A shell", &[&file], &["Found"])
        .await
        .done();
    let link = ann.invite().await;
    let shell = format!("/files/{file}/shell.txt");
    let mut socket = ann.following("room/garden").await;
    let said = ann.post("garden", "Before the move").await;
    let event = socket
        .expect("the post", |seen| {
            seen["event"]["message"]["id"] == said.id.as_str()
        })
        .await;
    let cursor = event["cursor"].as_str().expect("a cursor").to_owned();
    drop(socket);
    let garden = ann.history("garden").await;
    let cellar = ann.history("cellar").await;
    server.stop().await;

    // To SQLite.
    let in_sqlite = server.data().join("tidepool.sqlite");
    let folder = server.data().display().to_string();
    assert_equal(&copy(&server, &server.database().name(), &folder));
    let postgres = server.move_to(Database::Sqlite(in_sqlite.clone()));
    let raised = server
        .database()
        .number(POSITIONS)
        .await
        .expect("positions");
    let feeds = postgres.number(FEEDS).await.expect("feeds");
    assert!(feeds > 2, "{feeds}");
    assert_eq!(
        raised,
        postgres.number(POSITIONS).await.expect("positions") + feeds * GAP
    );
    server.start_again().await;
    server.assert_undamaged();
    assert_eq!(ann.history("garden").await, garden);
    assert_eq!(ann.history("cellar").await, cellar);
    assert_eq!(ann.fetch(&shell).await.body, content);
    let mut carl = server.visitor();
    assert_eq!(carl.join(&link, "carl").await.status, 200);
    // A page that was open before the move knows no number of now.
    let path = format!("/live/data?feed={}@{cursor}", ann.feed("room/garden"));
    ann.socket_at(&path).await.wait_for("refresh").await;
    server.stop().await;

    // To PostgreSQL, and once more to SQLite.
    let other = Database::Postgres(Postgres::shared().create_database());
    assert_equal(&copy(&server, &folder, &other.name()));
    let back = Folder::new();
    let path = back.path().display().to_string();
    assert_equal(&copy(&server, &other.name(), &path));
    let copied = rows(&back.path().join("tidepool.sqlite")).await;
    let original = rows(&in_sqlite).await;
    let differing = original
        .iter()
        .zip(&copied)
        .find(|(one, other)| one != other);
    assert!(original == copied, "{differing:?}");
    assert!(original.len() > 300, "{}", original.len());

    // The schema is the one that migrations make.
    const SCHEMA: &str = "SELECT conrelid::REGCLASS, conname, condeferrable, convalidated, \
        pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid <> 0 ORDER BY 1, 2";
    let (Database::Postgres(migrated), Database::Postgres(copied)) = (&postgres, &other) else {
        unreachable!("this runs on PostgreSQL");
    };
    let constraints = migrated.execute(SCHEMA);
    assert!(
        constraints.contains("FOREIGN KEY (picture)"),
        "{constraints}"
    );
    assert_eq!(copied.execute(SCHEMA), constraints);
    let tables = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'i') \
        AND relnamespace = 'public'::REGNAMESPACE ORDER BY 1";
    assert_eq!(copied.execute(tables), migrated.execute(tables));

    server.move_to(other);
    server.start_again().await;
    server.assert_undamaged();
    assert_eq!(ann.history("garden").await, garden);
    assert_eq!(ann.history("cellar").await, cellar);
    assert_eq!(ann.fetch(&shell).await.body, content);
    ann.post("garden", "After the move").await;
}

/// How many messages an unfinished copy has.
const PART: &str = "SELECT row_count FROM database_copy WHERE kind = 'table' \
    AND name = 'messages'";

/// Starts a copy and kills it once it has some messages.
async fn kill_in_the_middle(server: &TestServer, from: &str, target: &Database) {
    let mut command = server.command(&["copy-database", "--from", from, "--to", &target.name()]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = command.spawn().expect("it starts");
    loop {
        let has_ended = running.try_wait().expect("it can be waited for").is_some();
        if has_ended || target.number(PART).await.is_some() {
            break;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    running.kill().expect("it can be killed");
    running.wait().expect("it ends");
}

#[tokio::test]
async fn killed_copy_goes_on_and_finds_a_changed_row() {
    let (mut server, _ann) = server_with_history().await;
    server.stop().await;
    add_messages(&server, 60_000).await;
    let from = server.database().name();
    // On a busy machine the kill may come after the last message.
    let mut attempts = 0;
    let (folder, target) = loop {
        let (folder, target) = empty_database();
        kill_in_the_middle(&server, &from, &target).await;
        let part = target.number(PART).await;
        if part.is_some_and(|part| part < 60_000) {
            break (folder, target);
        }
        attempts += 1;
        assert!(attempts < 10, "no kill hits the middle");
    };
    let to = target.name();
    // In one statement: PostgreSQL may still be committing what it was sent.
    const LACKING: &str = "SELECT row_count - (SELECT COUNT(*) FROM messages) \
        FROM database_copy WHERE kind = 'table' AND name = 'messages'";
    let lacking = target.number(LACKING).await;
    assert_eq!(lacking, Some(0), "progress is stored with its rows");

    // Nobody takes a part for the whole.
    let mut unfinished = server.command(&[]);
    unfinished
        .env("TIDEPOOL_ADDRESS", "127.0.0.1:0")
        .env("TIDEPOOL_DATA", folder.path());
    if let Some(address) = target.address() {
        unfinished.env("TIDEPOOL_DATABASE", address);
    }
    let refused = refusal(&unfinished.output().expect("it runs"));
    assert!(refused.contains("unfinished copy"), "{refused}");

    const ONE: &str = "body = 'The tide 7'";
    let change = format!("UPDATE messages SET body = 'The ebb' WHERE {ONE}");
    assert_eq!(target.execute(&change).await, 1);
    let output = copy(&server, &from, &to);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        said.contains("differs in body") && said.contains("rows that differ: 1,"),
        "{said}"
    );
    let change = "UPDATE messages SET body = 'The tide 7' WHERE body = 'The ebb'";
    assert_eq!(target.execute(change).await, 1);
    assert_equal(&copy(&server, &from, &to));
    const COUNT: &str = "SELECT COUNT(*) FROM messages";
    assert_eq!(
        target.number(COUNT).await,
        server.database().number(COUNT).await
    );
    assert_eq!(target.number(PART).await, None);
}

#[tokio::test]
async fn copy_needs_stopped_server_and_empty_target() {
    let mut server = TestServer::start().await;
    server.owner("ann").await;
    let (_folder, target) = empty_database();
    let (from, to) = (server.database().name(), target.name());
    let refused = refusal(&copy(&server, &from, &to));
    assert!(refused.contains("stop it first"), "{refused}");
    let refused = refusal(&copy(&server, &to, &from));
    assert!(!refused.is_empty());
    server.stop().await;
    assert_equal(&copy(&server, &from, &to));
    let refused = refusal(&copy(&server, &from, &to));
    assert!(refused.contains("not empty"), "{refused}");
    let refused = refusal(&copy(&server, &from, &from));
    assert!(refused.contains("the same"), "{refused}");
    server
        .change_rows("DELETE FROM _sqlx_migrations WHERE version = 16")
        .await;
    let (_folder, target) = empty_database();
    let refused = refusal(&copy(&server, &from, &target.name()));
    assert!(refused.contains("earlier version"), "{refused}");
}

#[tokio::test]
async fn tables_of_outside_modules_are_copied() {
    let mut server = TestServer::example("counter").await;
    let ann = server.owner("ann").await;
    ann.act("counter.add", json!({ "space": ann.space }))
        .await
        .done();
    server.stop().await;
    let (_folder, target) = empty_database();
    let (from, to) = (server.database().name(), target.name());
    // The program without the module knows nothing of its tables.
    let plain = std::process::Command::new(env!("CARGO_BIN_EXE_tidepool"))
        .args(["copy-database", "--from", &from, "--to", &to])
        .output()
        .expect("it runs");
    let refused = refusal(&plain);
    assert!(refused.contains("module counter"), "{refused}");
    assert_equal(&copy(&server, &from, &to));
    assert_eq!(target.number("SELECT value FROM counters").await, Some(1));
}

#[tokio::test]
async fn text_with_nul_is_named_not_lost() {
    only_in_modes!("needs a database of each kind", [Postgres]);
    let (mut server, ann) = TestServer::start_with_owner().await;
    ann.post("general", "a body").await;
    server.stop().await;
    let folder = server.data().display().to_string();
    assert_equal(&copy(&server, &server.database().name(), &folder));
    let file = server.data().join("tidepool.sqlite");
    server.move_to(Database::Sqlite(file));
    server
        .change_rows("UPDATE messages SET body = 'a' || char(0) || 'b'")
        .await;
    let target = Database::Postgres(Postgres::shared().create_database());
    let refused = refusal(&copy(&server, &folder, &target.name()));
    assert!(
        refused.contains("messages (id ") && refused.contains("column body"),
        "{refused}"
    );
    server
        .change_rows("UPDATE messages SET body = 'a body'")
        .await;
    assert_equal(&copy(&server, &folder, &target.name()));
}

#[tokio::test]
async fn backup_raises_positions_of_feeds() {
    crate::sqlite_only!("pg_dump makes the other kind of backup");
    let (mut server, ann) = TestServer::start_with_owner().await;
    ann.post("general", "one").await;
    server.stop().await;
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).expect("a folder can be made");
    let file = folder.path().join("tidepool.sqlite");
    let path = file.display().to_string();
    assert!(server.run(&["backup", &path]).status.success());
    let backup = Database::Sqlite(file);
    let feeds = server.database().number(FEEDS).await.expect("feeds");
    let positions = server
        .database()
        .number(POSITIONS)
        .await
        .expect("positions");
    assert!(feeds > 0);
    assert_eq!(
        backup.number(POSITIONS).await,
        Some(positions + feeds * GAP)
    );
    let path = folder.path().display().to_string();
    assert!(server.run(&["check", "--data", &path]).status.success());
}
