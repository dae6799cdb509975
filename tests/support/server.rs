//! The real server, started for one test: its instances, its database and its folders.

use std::collections::BTreeSet;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::endpoints::{Endpoint, Endpoints};
use super::{Answer, Database, Folder, Instance, Mode, Nats, POLL_INTERVAL, Person, WAIT_TIMEOUT};

pub(super) const BINARY: &str = env!("CARGO_BIN_EXE_tidepool");

/// A running server with data of its own: one instance, or two in cluster mode. Dropping it kills
/// it, and fails the test if anything in it panicked.
pub struct TestServer {
    pub(super) instances: Vec<Instance>,
    /// Deleted after the instances have ended.
    pub(super) database: Database,
    /// The variables that name the database and what joins the instances.
    connections: Vec<(String, String)>,
    /// What people reach instead of the instances: a proxy in front of them.
    pub(super) front: Option<Endpoint>,
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

    /// A fresh server with its data in this folder.
    pub async fn start_in(folder: Folder) -> Self {
        Self::of(BINARY.into(), folder, &[]).await
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
        let mode = Mode::current();
        // An example has migrations of its own.
        let database = match program == Path::new(BINARY) {
            true => Database::migrated(folder.path()),
            false => Database::empty(folder.path()),
        };
        let mut connections = Vec::new();
        if let Some(address) = database.address() {
            connections.push(("TIDEPOOL_DATABASE".to_owned(), address));
        }
        if mode == Mode::Cluster {
            connections.push(("TIDEPOOL_NATS".to_owned(), Nats::shared().url()));
            connections.push(("TIDEPOOL_NATS_PREFIX".to_owned(), Nats::new_prefix()));
        }
        let overrides = overrides
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let environment: Vec<_> = connections.iter().cloned().chain(overrides).collect();
        let mut instances = vec![Instance::new(&program, folder, environment.clone())];
        for _ in 1..mode.instances() {
            let folder = Folder::new();
            share_files(instances[0].data(), folder.path());
            instances.push(Instance::new(&program, folder, environment.clone()));
        }
        Self::of_instances(instances, database, connections)
    }

    /// Starts these instances on this database.
    pub(super) fn of_instances(
        instances: Vec<Instance>,
        database: Database,
        connections: Vec<(String, String)>,
    ) -> Self {
        let mut server = Self {
            instances,
            database,
            connections,
            front: None,
            owner: OnceLock::new(),
        };
        server.start_on_free_ports();
        server
    }

    /// Starts all instances at once, so that they race for the migrations of an empty database
    /// (`Cluster` and the examples have one).
    fn start_on_free_ports(&mut self) {
        let mut waiting: Vec<_> = self.instances.iter_mut().collect();
        for _ in 0..10 {
            waiting.iter_mut().for_each(|instance| instance.spawn());
            waiting.retain_mut(|instance| !instance.is_started());
            if waiting.is_empty() {
                break;
            }
            waiting
                .iter_mut()
                .for_each(|instance| instance.change_port());
        }
        assert!(waiting.is_empty(), "no server starts:\n{}", self.log());
        if self.database_file().is_none() {
            let file = self.data().join("tidepool.sqlite");
            assert!(!file.exists(), "the server does not use PostgreSQL");
        }
    }

    /// How many instances it has.
    pub fn instances(&self) -> usize {
        self.instances.len()
    }

    /// One of the instances, to stop, kill or start it alone.
    pub fn instance(&mut self, number: usize) -> &mut Instance {
        &mut self.instances[number]
    }

    /// Where one person's requests go: to the proxy, or to the instances by turns.
    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints::new(match &self.front {
            Some(front) => vec![front.clone()],
            None => self.instances.iter().map(Instance::endpoint).collect(),
        })
    }

    /// Where the first instance answers: `http://127.0.0.1:PORT`.
    pub fn base(&self) -> String {
        self.instances[0].base()
    }

    /// Host and port of the first instance.
    pub fn address(&self) -> &str {
        self.instances[0].address()
    }

    /// The data folder of the first instance; the others share its files.
    pub fn data(&self) -> &Path {
        self.instances[0].data()
    }

    /// What the instances have written to stderr so far, one after the other.
    pub fn log(&self) -> String {
        self.instances.iter().map(Instance::log).collect()
    }

    /// The process of the first instance.
    pub fn pid(&self) -> u32 {
        self.instances[0].pid()
    }

    /// The CPU time that the instances have used, in steps of 10 ms.
    pub fn cpu_time(&self) -> Duration {
        self.instances.iter().map(Instance::cpu_time).sum()
    }

    /// The most memory that the processes have had resident, in bytes.
    pub fn peak_memory(&self) -> u64 {
        self.instances.iter().map(Instance::peak_memory).sum()
    }

    /// SIGTERM, and waits for the end. Fails unless every instance exits with success.
    pub async fn stop(&mut self) {
        self.instances.iter().for_each(Instance::terminate);
        for instance in &mut self.instances {
            instance.wait_for_success().await;
        }
    }

    /// SIGKILL: nothing is flushed or finished.
    pub async fn kill(&mut self) {
        for instance in &mut self.instances {
            instance.kill().await;
        }
    }

    /// Starts it again on the same ports and folders.
    pub async fn start_again(&mut self) {
        self.instances.iter_mut().for_each(Instance::spawn);
        for instance in &mut self.instances {
            let is_started = instance.is_started();
            assert!(is_started, "no server comes back:\n{}", instance.log());
        }
    }

    /// Stops it as an update would, and starts it again.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Has a stopped server use another database from the next start on; the one before.
    pub fn move_to(&mut self, database: Database) -> Database {
        const VARIABLE: &str = "TIDEPOOL_DATABASE";
        let address = database.address();
        for instance in &mut self.instances {
            assert!(
                !instance.is_running(),
                "a running server keeps its database"
            );
            instance.set_variable(VARIABLE, address.clone());
        }
        self.connections.retain(|(name, _)| name != VARIABLE);
        let variable = address.map(|address| (VARIABLE.to_owned(), address));
        self.connections.extend(variable);
        std::mem::replace(&mut self.database, database)
    }

    /// The database, for tests of what is stored.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The first instance's program, to be run with these arguments beside the server.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = super::command::command(self.instances[0].program());
        command.args(arguments);
        command
    }

    /// `tidepool <arguments>` on the first instance's folder, database and address, to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.instances[0].run(arguments, &self.connections)
    }

    /// The bearer token of the first instance's `/metrics`.
    pub fn metrics_token(&self) -> String {
        self.instances[0].metrics_token()
    }

    /// The value of a counter or gauge, written as in the Prometheus text, summed over the
    /// instances that run; 0 while it has not been counted.
    pub async fn metric(&self, name: &str) -> f64 {
        let mut sum = 0.0;
        for instance in self.instances.iter().filter(|one| one.is_running()) {
            let request = self
                .visitor()
                .web()
                .get(format!("{}/metrics", instance.base()))
                .bearer_auth(instance.metrics_token());
            let page = Answer::of(request.send().await.expect("the server answers"))
                .await
                .expect(200);
            let line = page
                .body
                .lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            sum += line.map_or(0.0, |value| {
                value.parse::<f64>().expect("metrics are numbers")
            });
        }
        sum
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
        // Before the database is dropped, and before what they said last is read.
        self.instances.iter_mut().for_each(Instance::end);
        let log = self.log();
        if std::thread::panicking() {
            for instance in &self.instances {
                let log = instance.log();
                let lines: Vec<_> = log.lines().collect();
                let (earlier, last) = lines.split_at(lines.len().saturating_sub(40));
                // Each kind once, without its time and its request.
                let kind = |line: &str| line.split_once(' ').map(|(_, rest)| rest.to_owned());
                let errors = earlier.iter().filter(|line| line.contains("ERROR"));
                let kinds = errors.filter_map(|line| kind(line.split(" request=").next()?));
                let errors: Vec<_> = kinds.collect::<BTreeSet<_>>().into_iter().collect();
                eprintln!(
                    "--- the server's earlier errors:\n{}\n--- the server said, at last:\n{}\n---",
                    errors.join("\n"),
                    last.join("\n")
                );
            }
        } else {
            assert!(
                !log.contains("panicked"),
                "something in the server panicked:\n{log}"
            );
        }
    }
}

/// Lets a second instance keep files where the first does, as a host's shared volume would.
pub(super) fn share_files(first: &Path, other: &Path) {
    let mut private = std::fs::DirBuilder::new();
    private.recursive(true).mode(0o700);
    private.create(other).expect("a folder can be made");
    for name in ["files", "uploads"] {
        private
            .create(first.join(name))
            .expect("a folder can be made");
        std::os::unix::fs::symlink(first.join(name), other.join(name)).expect("a link can be made");
    }
}
