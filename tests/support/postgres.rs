//! PostgreSQL for tests: a cluster in a temporary folder, and a database for each server.

mod database;

use std::fs::File;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

pub use database::{DATABASE_PASSWORD, PostgresDatabase};
use database::{ROLE, psql, succeeded};

use super::command::{free_port, signal};
use super::{Folder, POLL_INTERVAL, WAIT_TIMEOUT, reaper};

/// A running PostgreSQL server. It ends with the test program at the latest.
pub struct Postgres {
    folder: Folder,
    programs: PathBuf,
    port: u16,
    settings: &'static [&'static str],
    child: Option<Child>,
}

/// Settings of a cluster that need not survive a crash of the machine.
const FAST: &[&str] = &[
    "fsync=off",
    "full_page_writes=off",
    "autovacuum=off",
    "checkpoint_timeout=1h",
];
/// Settings of a cluster that writes as a host's does.
const DURABLE: &[&str] = &["fsync=on"];

impl Postgres {
    /// The cluster that the servers of this test program share, without `fsync`.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(FAST))
    }

    /// A cluster for one test, which may stop it; with `fsync`.
    pub fn durable() -> Self {
        Self::start(DURABLE)
    }

    fn start(settings: &'static [&'static str]) -> Self {
        let mut postgres = Self {
            folder: Folder::new(),
            programs: find_programs(),
            port: 0,
            settings,
            child: None,
        };
        postgres.init();
        for _ in 0..10 {
            postgres.port = free_port();
            if postgres.launch() {
                postgres.query(
                    "postgres",
                    &format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{DATABASE_PASSWORD}'"),
                );
                return postgres;
            }
        }
        panic!("PostgreSQL does not start:\n{}", postgres.log());
    }

    /// Its main process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("PostgreSQL runs").id()
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The port it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A new empty database.
    pub fn create_database(&self) -> PostgresDatabase {
        self.create_from("template0")
    }

    /// A copy of a database of this cluster that nobody is connected to.
    pub fn copy_database(&self, original: &PostgresDatabase) -> PostgresDatabase {
        self.create_from(original.name())
    }

    fn create_from(&self, template: &str) -> PostgresDatabase {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tidepool_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let sql = format!("CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {template}");
        self.query("postgres", &sql);
        PostgresDatabase::new(name, self.programs.clone(), self.port)
    }

    /// Runs SQL as the superuser; what `psql` prints, without headers and alignment.
    pub fn query(&self, database: &str, sql: &str) -> String {
        let output = psql(&self.programs, self.port, "postgres", database, sql);
        succeeded(output, sql)
    }

    /// Ends it at once, as a crash would: connections break, the log is replayed at the next start.
    pub fn stop(&mut self) {
        let mut child = self.child.take().expect("PostgreSQL runs");
        signal(child.id(), "QUIT");
        child.wait().expect("it ends");
        reaper::release(&child);
    }

    /// Starts it again on the same port.
    pub fn start_again(&mut self) {
        assert!(
            self.launch(),
            "PostgreSQL does not come back:\n{}",
            self.log()
        );
    }

    fn init(&self) {
        let folder = self.folder.path();
        std::fs::create_dir_all(folder).expect("a folder can be made");
        if let Some((user, group)) = unprivileged_user() {
            chown(folder, Some(user), Some(group)).expect("the folder can be given away");
        }
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(folder, mode).expect("the folder can be closed");
        let mut command = self.command("initdb");
        command
            .args(["--username=postgres", "--auth=trust", "--no-sync"])
            .args(["--encoding=UTF8", "--no-instructions"])
            // As a host's own, which orders text otherwise than by bytes.
            .args([
                "--locale=C.UTF-8",
                "--locale-provider=icu",
                "--icu-locale=en",
            ])
            .arg("--pgdata")
            .arg(folder.join("data"));
        succeeded(command.output().expect("initdb runs"), "initdb");
    }

    /// Starts it and waits until it answers. False when it ends instead.
    fn launch(&mut self) -> bool {
        let folder = self.folder.path().to_owned();
        let log = File::create(folder.join("log")).expect("a log can be made");
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(folder.join("data"))
            .arg("-k")
            .arg(&folder)
            .args(["-p", &self.port.to_string()])
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log);
        let common = [
            "listen_addresses=127.0.0.1",
            "max_connections=500",
            "shared_buffers=64MB",
            "wal_level=minimal",
            "max_wal_senders=0",
            "jit=off",
        ];
        for setting in common.iter().chain(self.settings) {
            command.args(["-c", setting]);
        }
        let mut child = command.spawn().expect("postgres runs");
        // Its processes share memory that stays behind when it is killed.
        reaper::register(&child, "QUIT");
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            if child.try_wait().expect("it can be waited for").is_some() {
                reaper::release(&child);
                return false;
            }
            // Whether it is ours that answers at this port is known by its folder.
            let sql = "SHOW data_directory";
            let answer = psql(&self.programs, self.port, "postgres", "postgres", sql);
            if answer.status.success() && is_of_folder(&answer, &folder) {
                self.child = Some(child);
                return true;
            }
            assert!(Instant::now() < deadline, "no PostgreSQL:\n{}", self.log());
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// A program of PostgreSQL, as a user it is willing to run as.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = match unprivileged_user() {
            Some((user, group)) => {
                let mut command = Command::new("setpriv");
                command
                    .args([format!("--reuid={user}"), format!("--regid={group}")])
                    .args(["--clear-groups", "--"])
                    .arg(path);
                command
            }
            None => Command::new(path),
        };
        command.current_dir(self.folder.path());
        command
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.stop();
        }
    }
}

fn is_of_folder(answer: &Output, folder: &Path) -> bool {
    let stated = String::from_utf8_lossy(&answer.stdout);
    Path::new(stated.trim()) == folder.join("data")
}

/// The folder of the programs of the newest version that is installed as Debian does, or else of
/// the one whose `pg_config` is found first.
fn find_programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let newest = versions
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry)))
        .map(|(version, entry)| (version, entry.path().join("bin")))
        .filter(|(_, programs)| programs.join("postgres").exists())
        .max();
    if let Some((_, programs)) = newest {
        return programs;
    }
    let output = Command::new("pg_config").arg("--bindir").output();
    let output = output.expect("PostgreSQL is installed: tests/run does it");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// User and group to run as when we are root, as whom PostgreSQL refuses to run.
fn unprivileged_user() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8_lossy(&output.stdout).trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let user = id(&["-u", "postgres"]).expect("there is a user postgres");
    Some((
        user,
        id(&["-g", "postgres"]).expect("and a group of theirs"),
    ))
}
