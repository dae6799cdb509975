//! What the tests themselves stand on: PostgreSQL and NATS servers that leave nothing behind.

mod proxies;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::only_in_modes;
use crate::support::{Folder, Nats, Postgres, TestServer, eventually};

/// The test that holds servers, as the test program calls it.
const HOLDER: &str = "blackbox::test_ground::servers_are_held_until_the_program_is_killed";

#[tokio::test]
#[ignore = "started and killed by the test below"]
async fn servers_are_held_until_the_program_is_killed() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path()).expect("a folder can be made");
    let server = TestServer::start().await;
    let postgres = Postgres::durable();
    let nats = Nats::start();
    let held = [
        format!("process {}", server.pid()),
        format!("process {}", postgres.pid()),
        format!("process {}", nats.pid()),
        format!("folder {}", folder.path().display()),
        format!("folder {}", server.data().display()),
        format!("folder {}", postgres.folder().display()),
        "all".to_owned(),
    ];
    // Past the capture of output.
    let _ = std::io::stdout().write_all(held.join("\n").as_bytes());
    let _ = std::io::stdout().write_all(b"\n");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn killed_test_program_leaves_nothing_behind() {
    only_in_modes!("needs PostgreSQL and NATS", [Postgres, Cluster]);
    let mut program = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", HOLDER, "--ignored"])
        // It starts the database server by itself.
        .env("TIDEPOOL_TEST_MODE", "sqlite")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs again");
    let output = BufReader::new(program.stdout.take().expect("stdout is piped"));
    let lines = output.lines().map_while(Result::ok);
    let held: Vec<_> = lines.take_while(|line| line != "all").collect();
    program.kill().expect("it can be killed");
    program.wait().expect("it ends");
    let mut found = 0;
    for line in &held {
        if let Some(pid) = line.strip_prefix("process ") {
            found += 1;
            eventually("end of a process", async || (!is_alive(pid)).then_some(())).await;
        }
        if let Some(folder) = line.strip_prefix("folder ") {
            found += 1;
            let folder = Path::new(folder);
            eventually("end of a folder", async || (!folder.exists()).then_some(())).await;
        }
    }
    assert_eq!(found, 6, "{held:?}");
}

#[tokio::test]
async fn database_of_each_server_is_its_own() {
    only_in_modes!("needs PostgreSQL", [Postgres, Cluster]);
    let (one, other) = (
        Postgres::shared().create_database(),
        Postgres::shared().create_database(),
    );
    one.execute("CREATE TABLE pebbles (size BIGINT)");
    other.execute("CREATE TABLE pebbles (size BIGINT)");
    assert_eq!(
        one.execute("INSERT INTO pebbles VALUES (1), (2)"),
        "INSERT 0 2"
    );
    assert_eq!(one.execute("UPDATE pebbles SET size = 3"), "UPDATE 2");
    assert_eq!(other.execute("SELECT COUNT(*) FROM pebbles"), "0");
    let name = one.name().to_owned();
    drop(one);
    let sql = format!("SELECT COUNT(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(Postgres::shared().query("postgres", &sql), "0");
}

#[tokio::test]
async fn restarted_database_server_keeps_what_was_committed() {
    only_in_modes!("needs PostgreSQL", [Postgres, Cluster]);
    let mut postgres = Postgres::durable();
    let database = postgres.create_database();
    database.execute("CREATE TABLE pebbles (size BIGINT)");
    database.execute("INSERT INTO pebbles VALUES (1)");
    postgres.stop();
    postgres.start_again();
    assert_eq!(database.execute("SELECT size FROM pebbles"), "1");
    assert_eq!(postgres.query("postgres", "SHOW fsync"), "on");
}

/// Whether a process runs. One that has ended and is not waited for does not.
fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    !state.is_empty() && !state.starts_with('Z')
}
