//! A running server with a data folder of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use serde_json::{Value, json};

use crate::Person;

/// A running server. Dropping it ends it, removes its data, and fails the test if it panicked.
pub struct TestServer {
    child: Child,
    data: PathBuf,
    base: String,
    log: Arc<Mutex<String>>,
    host: OnceLock<Person>,
}

impl TestServer {
    /// Starts a binary, such as `env!("CARGO_BIN_EXE_todo")`, on a free port.
    pub async fn start(program: &str) -> Self {
        Self::start_with(program, &[]).await
    }

    /// The same with settings, such as `("TIDEPOOL_MAX_REQUESTS", "10")`.
    pub async fn start_with(program: &str, settings: &[(&str, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("tidepool-testkit-{}-{number}", std::process::id());
        let data = std::env::temp_dir().join(name);
        let mut command = Command::new(program);
        // Whoever runs the tests may have settings of their own.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TIDEPOOL_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }
        let mut child = command
            .env("TIDEPOOL_PROFILE", "development")
            .envs(settings.iter().copied())
            .env("TIDEPOOL_ADDRESS", "127.0.0.1:0")
            .env("TIDEPOOL_DATA", &data)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let log = Arc::default();
        drain(child.stderr.take().expect("stderr is piped"), &log);
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("stdout is piped"));
        output.read_line(&mut line).expect("stdout can be read");
        // Read on: a closed pipe would make the server's next `println!` panic.
        drain(output, &log);
        let base = line.trim().strip_prefix("Tidepool is at ");
        let Some(base) = base.map(str::to_owned) else {
            let _ = child.kill();
            let _ = child.wait();
            let _ = std::fs::remove_dir_all(&data);
            panic!("{program} says no address:\n{}", text(&log));
        };
        let host = OnceLock::new();
        Self {
            child,
            data,
            base,
            log,
            host,
        }
    }

    /// What it has written to stdout and stderr so far, but for its address.
    pub fn log(&self) -> String {
        text(&self.log)
    }

    /// Someone without an account.
    pub fn visitor(&self) -> Person {
        Person::new(&self.base)
    }

    /// Sets the server up; this person runs it and owns its first space.
    pub async fn host(&self, name: &str) -> Person {
        let mut person = self.visitor();
        let mut fields = account_fields(name);
        fields["community"] = json!("Test");
        let made = person.submit("/setup", &fields).await.done();
        person.space = id(&made, "space");
        person.account = id(&made, "account");
        assert!(self.host.set(person.clone()).is_ok(), "there is one host");
        person
    }

    /// A member of the host's space, who joined by invitation.
    pub async fn member(&self, name: &str) -> Person {
        let host = self.host.get().expect("the host comes first");
        self.join(name, &host.space).await
    }

    /// Someone with an account, but in another space than everybody else.
    pub async fn outsider(&self, name: &str) -> Person {
        let host = self.host.get().expect("the host comes first");
        let fields = json!({ "name": format!("Space of {name}") });
        let made = host.act("community.create-space", fields).await.done();
        self.join(name, &id(&made, "space")).await
    }

    async fn join(&self, name: &str, space: &str) -> Person {
        let host = self.host.get().expect("the host comes first");
        let invite = host.act("community.invite", json!({ "space": space }));
        let link = id(&invite.await.done(), "link");
        let mut person = self.visitor();
        let made = person.submit(&link, &account_fields(name)).await.done();
        person.account = id(&made, "account");
        person.space = space.to_owned();
        person
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
        let log = text(&self.log);
        if std::thread::panicking() {
            eprintln!("--- the server's log:\n{log}---");
        } else {
            assert!(!log.contains("panicked"), "the server panicked:\n{log}");
        }
    }
}

/// Copies what the server writes, so that it never waits for a reader.
fn drain(stream: impl Read + Send + 'static, log: &Arc<Mutex<String>>) {
    let log = log.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push_str(&line);
            log.push('\n');
        }
    });
}

fn text(log: &Mutex<String>) -> String {
    log.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn account_fields(name: &str) -> Value {
    let email = format!("{name}@example.org");
    json!({ "name": name, "email": email, "password": "correct horse battery" })
}

fn id(answer: &Value, field: &str) -> String {
    let value = answer[field].as_str();
    value
        .unwrap_or_else(|| panic!("no {field} in {answer}"))
        .to_owned()
}
