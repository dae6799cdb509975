//! A database of one server, and the role that owns it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The role that servers sign in as; it owns their databases and is no superuser.
pub const ROLE: &str = "tidepool";

/// Its password. The cluster trusts everyone, because checking a password costs tens of
/// milliseconds, but no log may contain it.
pub const DATABASE_PASSWORD: &str = "seaweed-and-salt";

/// A database of one test's server, deleted when dropped.
pub struct PostgresDatabase {
    name: String,
    programs: PathBuf,
    port: u16,
}

impl PostgresDatabase {
    /// One that exists already, on the cluster at this port.
    pub(super) fn new(name: String, programs: PathBuf, port: u16) -> Self {
        Self {
            name,
            programs,
            port,
        }
    }

    /// Its address, as `TIDEPOOL_DATABASE` takes it.
    pub fn url(&self) -> String {
        self.url_at(self.port)
    }

    /// The same through a proxy at another port.
    pub fn url_at(&self, port: u16) -> String {
        let name = &self.name;
        format!("postgres://{ROLE}:{DATABASE_PASSWORD}@127.0.0.1:{port}/{name}")
    }

    /// Its name in the cluster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs one statement as the server's role; what `psql` prints, such as `UPDATE 3`.
    pub fn execute(&self, sql: &str) -> String {
        succeeded(psql(&self.programs, self.port, ROLE, &self.name, sql), sql)
    }

    /// The same, or nothing when it fails.
    pub fn try_execute(&self, sql: &str) -> Option<String> {
        let output = psql(&self.programs, self.port, ROLE, &self.name, sql);
        let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(printed)
    }

    /// `psql` on this database: what it reads from stdin are statements.
    pub fn session(&self) -> Command {
        session(&self.programs, self.port, ROLE, &self.name)
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        // The cluster may have ended before.
        let _ = psql(&self.programs, self.port, "postgres", "postgres", &sql);
    }
}

/// Runs SQL with `psql` as this role.
pub fn psql(programs: &Path, port: u16, role: &str, database: &str, sql: &str) -> Output {
    let mut command = session(programs, port, role, database);
    let command = command.args(["--command", sql]);
    command.output().expect("psql runs")
}

/// `psql` as this role: what it reads from stdin are statements.
fn session(programs: &Path, port: u16, role: &str, database: &str) -> Command {
    let mut command = Command::new(programs.join("psql"));
    command
        .args(["-X", "--no-align", "--tuples-only", "--no-password"])
        .args(["--set=ON_ERROR_STOP=1", "--host=127.0.0.1"])
        .args([format!("--port={port}"), format!("--username={role}")])
        .arg(format!("--dbname={database}"));
    command
}

/// What a program printed; fails with what it complained of unless it succeeded.
pub fn succeeded(output: Output, what: &str) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
