//! PostgreSQL and NATS of their own for a bench, on free ports of the loopback.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use sqlx::{Connection, PgConnection};

use crate::process::Folder;

const PATIENCE: Duration = Duration::from_secs(20);

/// Both, until it is dropped.
pub struct Ground {
    processes: Vec<Child>,
    /// The address of an empty database.
    pub database: String,
    /// The address of NATS.
    pub nats: String,
    _folder: Folder,
}

impl Ground {
    /// Starts them. PostgreSQL writes as a host's does.
    pub async fn start() -> Result<Self> {
        let folder = Folder::new()?;
        let (programs, data) = (postgres_programs()?, folder.path().join("postgres"));
        let (port, nats_port) = (free_port()?, free_port()?);
        std::fs::create_dir(&data)?;
        if rustix::process::geteuid().is_root() {
            run(Command::new("chown")
                .arg("postgres")
                .args([&data, folder.path()]))?;
        }
        let arguments = ["--username=tidepool", "--auth=trust", "--encoding=UTF8"];
        let mut initdb = as_postgres(&programs.join("initdb"));
        run(initdb.args(arguments).arg("-D").arg(&data))?;
        let mut postgres = as_postgres(&programs.join("postgres"));
        postgres.arg("-D").arg(&data).arg("-k").arg(&data);
        postgres.args(["-c", "listen_addresses=127.0.0.1", "-p", &port.to_string()]);
        let mut nats = Command::new("nats-server");
        nats.args(["--addr", "127.0.0.1", "--port", &nats_port.to_string()]);
        let mut ground = Self {
            processes: Vec::new(),
            database: format!("postgres://tidepool@127.0.0.1:{port}/postgres"),
            nats: format!("nats://127.0.0.1:{nats_port}"),
            _folder: folder,
        };
        for command in [&mut postgres, &mut nats] {
            let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
            ground.processes.push(quiet.stderr(Stdio::null()).spawn()?);
        }
        ground.wait().await?;
        Ok(ground)
    }

    async fn wait(&self) -> Result<()> {
        let started = Instant::now();
        while PgConnection::connect(&self.database).await.is_err() {
            ensure!(started.elapsed() < PATIENCE, "PostgreSQL does not start");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// A new database.
    pub async fn create_database(&self, name: &'static str) -> Result<String> {
        let mut connection = PgConnection::connect(&self.database).await?;
        let create = format!("CREATE DATABASE {name} TEMPLATE template0");
        sqlx::query(sqlx::AssertSqlSafe(create))
            .execute(&mut connection)
            .await?;
        Ok(self.database.replace("/postgres", &format!("/{name}")))
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // A child of `setpriv` is the program itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// PostgreSQL does not run as root.
fn as_postgres(program: &Path) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    command.arg(program);
    command
}

/// Those of the newest version.
fn postgres_programs() -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is missing")?;
    let mut versions: Vec<_> = versions.flatten().map(|entry| entry.path()).collect();
    versions.sort();
    Ok(versions.pop().context("no version")?.join("bin"))
}

fn run(command: &mut Command) -> Result<()> {
    let done = command.output()?;
    if !done.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(())
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
