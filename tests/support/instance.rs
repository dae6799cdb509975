//! One process of the real binary.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::command::{command, free_port, signal};
use super::endpoints::Endpoint;
use super::{Folder, POLL_INTERVAL, WAIT_TIMEOUT, reaper};

/// A process with a data folder and a port of its own. Dropping it kills it.
pub struct Instance {
    folder: Folder,
    address: String,
    program: PathBuf,
    environment: Vec<(String, String)>,
    child: Option<Child>,
    /// Is told the first line of the process that is starting.
    first_line: Option<Receiver<String>>,
    log: Arc<Mutex<String>>,
    output: Arc<Mutex<String>>,
    is_running: Arc<AtomicBool>,
}

impl Instance {
    /// One that does not run yet, with these variables.
    pub fn new(program: &Path, folder: Folder, environment: Vec<(String, String)>) -> Self {
        Self {
            folder,
            address: new_address(),
            program: program.to_owned(),
            environment,
            child: None,
            first_line: None,
            log: Arc::default(),
            output: Arc::default(),
            is_running: Arc::default(),
        }
    }

    /// Whether it runs with this value of a variable.
    pub fn has_variable(&self, name: &str, value: &str) -> bool {
        let mut variables = self.environment.iter();
        variables.any(|(one, set)| one == name && set == value)
    }

    /// Starts the binary. [`Self::is_started`] waits for it.
    pub fn spawn(&mut self) {
        let mut command = command(&self.program);
        command
            .env("TIDEPOOL_PROFILE", "development")
            .env("TIDEPOOL_LOG", "info,memory_serve=warn")
            .env("TIDEPOOL_VOICE_PORT", "0")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("TIDEPOOL_ADDRESS", &self.address)
            .env("TIDEPOOL_DATA", self.folder.path());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        reaper::register(&child, "KILL");
        let log = self.log.clone();
        let mut errors = BufReader::new(child.stderr.take().expect("stderr is piped"));
        std::thread::spawn(move || {
            let mut line = String::new();
            while errors.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                log.lock().expect("the log is whole").push_str(&line);
                line.clear();
            }
        });
        let (started, first_line) = channel();
        let output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let lines = self.output.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let mut lines = lines.lock().expect("the output is whole");
                lines.push_str(&format!("{line}\n"));
                let _ = started.send(line);
            }
            let _ = started.send(String::new());
        });
        self.child = Some(child);
        self.first_line = Some(first_line);
    }

    /// Waits until the process says where it is. False when it ends instead.
    pub fn is_started(&mut self) -> bool {
        let first_line = self.first_line.take().expect("it is starting");
        let Ok(line) = first_line.recv_timeout(WAIT_TIMEOUT) else {
            self.end();
            panic!("no address within {WAIT_TIMEOUT:?}:\n{}", self.log());
        };
        if !line.starts_with("Tidepool is at http://") {
            self.wait();
            return false;
        }
        self.is_running.store(true, Ordering::Relaxed);
        true
    }

    /// Has another port from the next start on.
    pub fn change_port(&mut self) {
        self.address = new_address();
    }

    /// Its address, which says whether it runs.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            base: self.base().parse().expect("the base is an address"),
            is_running: self.is_running.clone(),
        }
    }

    /// Sets a variable from the next start on, or takes it away.
    pub fn set_variable(&mut self, name: &str, value: Option<String>) {
        self.environment.retain(|(other, _)| other != name);
        self.environment
            .extend(value.map(|value| (name.to_owned(), value)));
    }

    /// Where it answers: `http://127.0.0.1:PORT`.
    pub fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The binary.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its data folder.
    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    /// What it has written to stderr so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("the log is whole").clone()
    }

    /// What it has written to stdout so far.
    pub fn output(&self) -> String {
        self.output.lock().expect("the output is whole").clone()
    }

    /// Whether its process has been started and not been waited for.
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// The CPU time that the process has used, in steps of 10 ms.
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

    /// The most memory that the process has had resident, in bytes.
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the process has figures");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.split_whitespace().next());
        kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a peak") << 10
    }

    /// SIGTERM, and waits for the end. Fails unless the process exits with success.
    pub async fn stop(&mut self) {
        self.terminate();
        self.wait_for_success().await;
    }

    /// SIGTERM.
    pub fn terminate(&self) {
        signal(self.pid(), "TERM");
    }

    /// Waits for the end. Fails unless the process exits with success.
    pub async fn wait_for_success(&mut self) {
        let status = self.wait_for_end().await;
        assert!(
            status.success(),
            "the server ended with {status}:\n{}",
            self.log()
        );
    }

    /// Waits until the process has ended; kills it when it does not.
    async fn wait_for_end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            let child = self.child.as_mut().expect("the server runs");
            if child.try_wait().expect("it can be waited for").is_some() {
                return self.wait();
            }
            if Instant::now() > deadline {
                self.end();
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
        self.spawn();
        assert!(
            self.is_started(),
            "the server does not come back:\n{}",
            self.log()
        );
    }

    /// `tidepool <arguments>` on this instance's folder, database and address, to its end.
    pub fn run(&self, arguments: &[&str], environment: &[(String, String)]) -> Output {
        let mut command = command(&self.program);
        command
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .env("TIDEPOOL_ADDRESS", &self.address)
            .env("TIDEPOOL_DATA", self.folder.path());
        command.output().expect("the command runs")
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

    /// Kills it if it runs.
    pub fn end(&mut self) {
        if let Some(child) = self.child.as_mut() {
            let _ = child.kill();
            self.wait();
        }
    }

    fn wait(&mut self) -> ExitStatus {
        self.is_running.store(false, Ordering::Relaxed);
        let mut child = self.child.take().expect("the server runs");
        let status = child.wait().expect("it can be waited for");
        reaper::release(&child);
        status
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.end();
    }
}

fn new_address() -> String {
    format!("127.0.0.1:{}", free_port())
}
