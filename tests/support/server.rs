//! The real binary, started for one test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::{Answer, Folder, POLL_INTERVAL, Person, WAIT_TIMEOUT};

const BINARY: &str = env!("CARGO_BIN_EXE_tidepool");

/// A running server with a folder of its own. Dropping it kills it, and fails the test if anything
/// in it panicked.
pub struct TestServer {
    folder: Folder,
    address: String,
    overrides: Vec<(String, String)>,
    program: PathBuf,
    child: Option<Child>,
    log: Arc<Mutex<String>>,
    /// The first account, by whom members are invited.
    pub(super) owner: OnceLock<Person>,
}

impl TestServer {
    /// A fresh server.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A fresh server and its owner, Ann.
    pub async fn start_with_owner() -> (Self, Person) {
        let server = Self::start().await;
        let ann = server.owner("ann").await;
        (server, ann)
    }

    /// A fresh server with these environment variables.
    pub async fn with(overrides: &[(&str, &str)]) -> Self {
        Self::of(BINARY.into(), Folder::new(), overrides).await
    }

    /// A fresh server of one of the examples, which are servers with a module more.
    pub async fn example(name: &str) -> Self {
        Self::example_with(name, &[]).await
    }

    /// The same with these environment variables.
    pub async fn example_with(name: &str, overrides: &[(&str, &str)]) -> Self {
        Self::example_in(Folder::new(), name, overrides).await
    }

    /// The same with its data in this folder.
    pub async fn example_in(folder: Folder, name: &str, overrides: &[(&str, &str)]) -> Self {
        let built = Path::new(BINARY)
            .parent()
            .expect("the binary is in a folder")
            .join("examples")
            .join(name);
        Self::of(built, folder, overrides).await
    }

    async fn of(program: PathBuf, folder: Folder, overrides: &[(&str, &str)]) -> Self {
        let overrides = overrides
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut server = Self {
            folder,
            address: String::new(),
            overrides,
            program,
            child: None,
            log: Arc::default(),
            owner: OnceLock::new(),
        };
        for _ in 0..10 {
            server.address = format!("127.0.0.1:{}", free_port());
            if server.launch() {
                return server;
            }
        }
        panic!("no server starts:\n{}", server.log());
    }

    /// Starts the binary and waits until it says where it is. False when it ends instead.
    fn launch(&mut self) -> bool {
        let mut command = command(&self.program);
        command
            .env("TIDEPOOL_PROFILE", "development")
            .env("TIDEPOOL_LOG", "info,memory_serve=warn");
        command.envs(self.overrides.iter().map(|(name, value)| (name, value)));
        command
            .env("TIDEPOOL_ADDRESS", &self.address)
            .env("TIDEPOOL_DATA", self.folder.path());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let log = self.log.clone();
        let mut errors = BufReader::new(child.stderr.take().expect("stderr is piped"));
        std::thread::spawn(move || {
            let mut line = String::new();
            while errors.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                log.lock().expect("the log is whole").push_str(&line);
                line.clear();
            }
        });
        let (started, first_line) = std::sync::mpsc::channel();
        let mut output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = output.read_line(&mut line);
            let _ = started.send(line);
            // Read on: a closed pipe would make the server's next `println!` panic.
            let _ = std::io::copy(&mut output, &mut std::io::sink());
        });
        let Ok(line) = first_line.recv_timeout(WAIT_TIMEOUT) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("no address within {WAIT_TIMEOUT:?}:\n{}", self.log());
        };
        if !line.starts_with("Tidepool is at http://") {
            let _ = child.wait();
            return false;
        }
        self.child = Some(child);
        true
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its data folder.
    pub fn data(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// What it has written to stderr so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("the log is whole").clone()
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// The CPU time that the server's process has used, in steps of 10 ms.
    pub fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid()));
        let stat = stat.expect("the process has figures");
        // The name in parentheses may hold anything; the fields begin after it.
        let fields = stat.rsplit_once(')').expect("a name").1;
        let mut fields = fields
            .split_whitespace()
            .skip(11)
            .flat_map(str::parse::<u64>);
        let (user, system) = (fields.next(), fields.next());
        Duration::from_millis((user.expect("user time") + system.expect("system time")) * 10)
    }

    /// The most memory that the server's process has had resident, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the process has figures");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.split_whitespace().next());
        kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a peak") << 10
    }

    /// SIGTERM, and waits for the end. Fails unless the server exits with success.
    pub async fn stop(&mut self) {
        signal(self.pid(), "TERM");
        let status = self.wait_for_end().await;
        assert!(
            status.success(),
            "the server ended with {status}:\n{}",
            self.log()
        );
    }

    /// Waits until the process has ended; kills it when it does not.
    async fn wait_for_end(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the server runs");
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            if let Some(status) = child.try_wait().expect("it can be waited for") {
                return status;
            }
            if Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                panic!("no end within {WAIT_TIMEOUT:?}:\n{}", self.log());
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// SIGKILL: nothing is flushed or finished.
    pub async fn kill(&mut self) {
        let child = self.child.as_mut().expect("the server runs");
        child.kill().expect("it can be killed");
        self.wait_for_end().await;
    }

    /// Starts it again on the same port and folder.
    pub async fn start_again(&mut self) {
        assert!(
            self.launch(),
            "the server does not come back:\n{}",
            self.log()
        );
    }

    /// Stops it as an update would, and starts it again.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// `tidepool <arguments>` on this server's folder and address, to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = command(&self.program);
        command
            .args(arguments)
            .env("TIDEPOOL_ADDRESS", &self.address)
            .env("TIDEPOOL_DATA", self.folder.path());
        command.output().expect("the command runs")
    }

    /// Changes rows of a stopped server's database: for what only time or another program could do.
    pub async fn change_rows(&self, sql: &'static str) {
        use sqlx::{Connection, SqliteConnection};
        assert!(self.child.is_none(), "a running server's rows are its own");
        let file = self.data().join("tidepool.sqlite");
        assert!(file.exists(), "the database is there");
        let mut database = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
            .await
            .expect("it opens");
        let done = sqlx::query(sql)
            .execute(&mut database)
            .await
            .expect("the rows change");
        assert!(done.rows_affected() > 0, "nothing changed");
        database.close().await.expect("it closes");
    }

    /// The bearer token of `/metrics`.
    pub fn metrics_token(&self) -> String {
        let secrets =
            std::fs::read_to_string(self.data().join("secrets.toml")).expect("there are secrets");
        let line = secrets
            .lines()
            .find(|line| line.starts_with("metrics_token"))
            .expect("the token is among them");
        line.split('"').nth(1).expect("it is quoted").to_owned()
    }

    /// The value of a counter or gauge, written as in the Prometheus text; 0 while it has not been
    /// counted.
    pub async fn metric(&self, name: &str) -> f64 {
        let request = self
            .visitor()
            .web()
            .get(format!("{}/metrics", self.base()))
            .bearer_auth(self.metrics_token());
        let page = Answer::of(request.send().await.expect("the server answers"))
            .await
            .expect(200);
        let line = page
            .body
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("metrics are numbers"))
    }

    /// Waits until a metric satisfies a condition.
    pub async fn metric_reaches(&self, name: &str, condition: impl Fn(f64) -> bool) -> f64 {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            let value = self.metric(name).await;
            if condition(value) {
                return value;
            }
            assert!(Instant::now() < deadline, "{name} stays {value}");
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let log = self.log();
        if std::thread::panicking() {
            let lines: Vec<_> = log.lines().collect();
            eprintln!(
                "--- the server said, at last:\n{}\n---",
                lines[lines.len().saturating_sub(40)..].join("\n")
            );
        } else {
            assert!(
                !log.contains("panicked"),
                "something in the server panicked:\n{log}"
            );
        }
    }
}

/// The program, untouched by the settings of whoever runs the tests.
pub(super) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIDEPOOL_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    command
}

fn signal(pid: u32, name: &str) {
    let done = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status()
        .expect("kill runs");
    assert!(done.success(), "SIG{name} reaches {pid}");
}

/// A port nobody listens on, below those the kernel gives to outgoing connections: nothing can take
/// it while a server restarts.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + ((std::process::id() % 1_000) as u16 * 20 + number) % 20_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
