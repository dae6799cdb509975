//! A shell that runs: what it writes goes to its terminal, what people type goes to it, until it
//! ends or has to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use anyhow::{Context, Result};
use pty_process::{OwnedReadPty, OwnedWritePty};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::super::Terminals;
use super::super::core::{Frame, Size};
use super::super::hello::Status;
use super::super::open::{Ended, OpenTerminal};
use super::contained::{launcher, path, shell};
use super::processes;
use super::slots::Slot;
use crate::base::ids::SpaceId;
use crate::base::process_usage::UsageMeter;
use crate::community::audit::{self, Act};

/// Without a key and without output a shell ends after this time.
const SHELL_IDLE_TIMEOUT: Duration = Duration::from_secs(30 * 60);
/// After this time every shell ends.
const MAX_SHELL_AGE: Duration = Duration::from_secs(12 * 3_600);
/// What a shell writes in a second. More waits, and the program with it.
const MAX_WRITTEN_PER_SECOND: usize = 2 << 20;
/// Memory of all processes of a shell, and what has to be left of the machine's in parts of a
/// hundred. A shell that takes more ends.
const MAX_SHELL_MEMORY: u64 = 1 << 30;
const MIN_FREE_PERCENT: u64 = 5;

/// Of a shell's processes, in a system's own measure: the server comes first.
const NICENESS: u8 = 5;
const READ_BYTES: usize = 16 << 10;
/// Between two looks at what a shell takes.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// Between two times that it is told what a shell takes.
const USAGE_INTERVAL: Duration = Duration::from_secs(5);
/// For output that is left once the program has ended.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A program on a PTY of the server.
pub(super) struct Shell {
    output: OwnedReadPty,
    input: OwnedWritePty,
    pub(super) child: Child,
    _slot: Slot,
}

impl Shell {
    /// Starts a contained shell. Called on a thread that lasts: when the thread that starts it
    /// ends, the kernel kills it.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn start(size: Size, slot: Slot) -> Result<Self> {
        let (pty, pts) = pty_process::open().context("cannot open a terminal")?;
        pty.resize(pty_process::Size::new(size.rows, size.cols))?;
        let (program, arguments) = launcher(slot.uid(), NICENESS);
        let command = pty_process::Command::new(program)
            .args(arguments)
            .arg(shell())
            .env_clear()
            .env("PATH", path())
            .current_dir("/")
            .kill_on_drop(true);
        let child = command.spawn(pts).context("cannot start a shell")?;
        let (output, input) = pty.into_split();
        Ok(Self {
            output,
            input,
            child,
            _slot: slot,
        })
    }
}

/// Why a shell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// By itself, with this code.
    Exit(i32),
    Idle,
    Age,
    Memory,
    /// Somebody ended it.
    Ended,
    /// Its host has lost the right to it.
    Refused,
}

impl Why {
    fn name(self) -> &'static str {
        match self {
            Self::Exit(_) => "exit",
            Self::Idle => "idle",
            Self::Age => "age",
            Self::Memory => "memory",
            Self::Ended => "ended",
            Self::Refused => "refused",
        }
    }
}

impl Terminals {
    /// Serves a shell until it has ended and nothing of it is left.
    pub(super) async fn serve_shell(
        self,
        terminal: Arc<OpenTerminal>,
        link: u64,
        mut shell: Shell,
        space: Option<SpaceId>,
    ) {
        let active = Activity::new();
        let pid = shell.child.id().unwrap_or_default();
        let mut reading = Box::pin(read_output(&terminal, shell.output, &active));
        let mut has_all = false;
        let why = tokio::select! {
            status = shell.child.wait() => {
                // What is in the terminal still comes.
                if !has_all {
                    drop(timeout(DRAIN_TIMEOUT, &mut reading).await);
                }
                Why::Exit(status.map_or(1, crate::base::exit_code::exit_code))
            }
            why = watch_bounds(pid, &active) => why,
            never = tell_usage(pid, &terminal) => never,
            ended = write_input(&terminal, link, shell.input, &active) => match ended {
                Ended::Refused => Why::Refused,
                _ => Why::Ended,
            },
            never = async {
                reading.as_mut().await;
                has_all = true;
                std::future::pending().await
            } => never,
        };
        drop(reading);
        processes::end(&mut shell.child).await;
        if let Why::Exit(code) = why {
            let position = terminal.read(|one| one.end());
            drop(terminal.apply(&Frame::Exit { position, code }).await);
        }
        self.note_shell_ended(&terminal, why, space).await;
        if !terminal.is_over() {
            self.end_terminal(&terminal, None).await;
        }
    }

    async fn note_shell_ended(&self, terminal: &OpenTerminal, why: Why, space: Option<SpaceId>) {
        let (subject, after) = (Some(terminal.host.0), json!({ "why": why.name() }));
        let write = self.engine.db.write_queued(async move |tx| {
            let act = Act {
                space,
                actor: None,
                act: "shell.ended",
                subject,
                name: "",
                before: Value::Null,
                after,
            };
            audit::record(tx, act).await
        });
        if let Err(error) = write.await {
            tracing::warn!(%error, "the end of a shell was not noted");
        }
    }
}

/// When somebody typed or the program wrote last.
struct Activity {
    since: Instant,
    last: AtomicU64,
}

impl Activity {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            last: AtomicU64::new(0),
        }
    }

    fn note(&self) {
        self.last.store(self.since.elapsed().as_secs(), Relaxed);
    }

    fn idle(&self) -> Duration {
        let last = Duration::from_secs(self.last.load(Relaxed));
        self.since.elapsed().saturating_sub(last)
    }
}

/// Passes on what the program writes, until nothing has its terminal open any more.
async fn read_output(terminal: &OpenTerminal, mut pty: OwnedReadPty, active: &Activity) {
    const SECOND: Duration = Duration::from_secs(1);
    let mut buffer = vec![0; READ_BYTES];
    let (mut since, mut written) = (Instant::now(), 0);
    while let Ok(len @ 1..) = pty.read(&mut buffer).await {
        active.note();
        let position = terminal.read(|one| one.end());
        let bytes = buffer[..len].to_vec();
        if terminal
            .apply(&Frame::Output { position, bytes })
            .await
            .is_err()
        {
            return;
        }
        written += len;
        if written > MAX_WRITTEN_PER_SECOND {
            sleep_until(since + SECOND).await;
        }
        if since.elapsed() >= SECOND {
            (since, written) = (Instant::now(), 0);
        }
    }
}

/// Has the program get what people type, until the terminal is over.
async fn write_input(
    terminal: &OpenTerminal,
    link: u64,
    mut pty: OwnedWritePty,
    active: &Activity,
) -> Ended {
    let mut changes = terminal.changes();
    let writing = async {
        let mut changes = terminal.changes();
        let mut sent = 0;
        loop {
            changes.mark_unchanged();
            let (position, bytes) = terminal.input(sent);
            sent = position + bytes.len() as u64;
            if !bytes.is_empty() {
                active.note();
                if pty.write_all(&bytes).await.is_err() {
                    return;
                }
                terminal.ack_input(sent);
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    };
    let ending = async {
        loop {
            changes.mark_unchanged();
            if let Some(ended) = terminal.sharer_ended(link) {
                return ended;
            }
            if changes.changed().await.is_err() {
                return Ended::Over;
            }
        }
    };
    tokio::select! {
        ended = ending => ended,
        // A program that has ended takes nothing more, which its own end tells.
        ended = async { writing.await; std::future::pending().await } => ended,
    }
}

/// Tells again and again what a shell takes.
async fn tell_usage(pid: u32, terminal: &OpenTerminal) -> Why {
    let measure = move |meter: Option<UsageMeter>| {
        let mut meter = meter.unwrap_or_else(|| UsageMeter::new(pid));
        let usage = meter.read();
        (meter, usage)
    };
    let mut meter = None;
    loop {
        sleep(USAGE_INTERVAL).await;
        let last = meter.take();
        let Ok((used, usage)) = tokio::task::spawn_blocking(move || measure(last)).await else {
            continue;
        };
        meter = Some(used);
        if let Some(usage) = usage {
            let status = Status {
                cpu_percent: Some(usage.cpu_percent),
                memory_mib: Some(usage.memory >> 20),
                ..Status::default()
            };
            terminal.set_status(status.limited());
        }
    }
}

/// Waits until a shell takes more than it may.
async fn watch_bounds(pid: u32, active: &Activity) -> Why {
    loop {
        sleep(LOOK_INTERVAL).await;
        if active.since.elapsed() > MAX_SHELL_AGE {
            return Why::Age;
        }
        if active.idle() > SHELL_IDLE_TIMEOUT {
            return Why::Idle;
        }
        let is_short = processes::free_memory().is_some_and(|free| free < MIN_FREE_PERCENT);
        if is_short || processes::memory(pid).await > MAX_SHELL_MEMORY {
            return Why::Memory;
        }
    }
}
