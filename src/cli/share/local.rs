//! This side of a shared terminal: the user's keys and screen, and the program.

use std::io::{Read, stdin, stdout};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result};
use pty_process::{OwnedReadPty, OwnedWritePty};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::tcgetwinsize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Child;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::Shared;
use super::ask::Ask;
use crate::modules::terminals::core::Size;

const READ_BYTES: usize = 16 << 10;
/// Between two sizes while the window is dragged: the server takes 20 in a second.
const RESIZE_INTERVAL: Duration = Duration::from_millis(60);
/// Where neither input nor output is a terminal.
const DEFAULT_SIZE: Size = Size { cols: 80, rows: 24 };

/// The size of the user's terminal.
pub(super) fn size() -> Size {
    let found = tcgetwinsize(stdout()).or_else(|_| tcgetwinsize(stdin()));
    match found {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::new(size.ws_col, size.ws_row),
        _ => DEFAULT_SIZE,
    }
}

/// Passes on what the user types. Its thread ends with the process: nothing else ends a read of a
/// terminal.
pub(super) fn read_stdin(input: mpsc::Sender<Vec<u8>>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4_096];
        while let Ok(len) = stdin().read(&mut buffer) {
            if len == 0 || input.blocking_send(buffer[..len].to_vec()).is_err() {
                return;
            }
        }
    });
}

/// Shows what the program writes, here and to others, until it has closed its terminal.
pub(super) async fn read_output(mut pty: OwnedReadPty, ask: Ask) {
    let mut buffer = vec![0; READ_BYTES];
    // Reading fails once nothing has the terminal open any more.
    while let Ok(len @ 1..) = pty.read(&mut buffer).await {
        tokio::task::block_in_place(|| ask.write(&buffer[..len]));
    }
}

/// What the program is to get.
pub(super) struct Input {
    /// Of the user.
    pub(super) own: mpsc::Receiver<Vec<u8>>,
    /// Who takes those that answer a question.
    pub(super) ask: Ask,
    /// Of others.
    pub(super) typed: mpsc::UnboundedReceiver<Vec<u8>>,
    /// How many bytes of others it has got.
    pub(super) taken: watch::Sender<u64>,
    /// Whether it gets those at all.
    pub(super) takes_typed: bool,
}

/// Has the program get what is typed, here and by others, and follows the size of the user's
/// terminal.
pub(super) async fn write_input(mut pty: OwnedWritePty, mut input: Input, shared: Shared) {
    let Ok(mut resized) = signal(SignalKind::window_change()) else {
        return;
    };
    loop {
        let (bytes, is_own) = tokio::select! {
            Some(bytes) = input.own.recv() => (bytes, true),
            Some(bytes) = input.typed.recv() => (bytes, false),
            Some(()) = resized.recv() => {
                let size = size();
                drop(pty.resize(pty_process::Size::new(size.rows, size.cols)));
                shared.change(|terminal| terminal.resize(size));
                sleep(RESIZE_INTERVAL).await;
                continue;
            }
            else => return,
        };
        if is_own && input.ask.takes(&bytes) {
            continue;
        }
        if (is_own || input.takes_typed) && pty.write_all(&bytes).await.is_err() {
            return;
        }
        if !is_own {
            input
                .taken
                .send_modify(|taken| *taken += bytes.len() as u64);
        }
    }
}

/// Waits for the end of the program, which is told when the user's terminal or session goes.
pub(super) async fn wait(child: &mut Child) -> Result<ExitStatus> {
    let mut hangup = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        let passed = tokio::select! {
            status = child.wait() => return status.context("the program cannot be waited for"),
            _ = hangup.recv() => Signal::HUP,
            _ = terminate.recv() => Signal::TERM,
            _ = interrupt.recv() => Signal::INT,
        };
        let pid = child.id().and_then(|id| Pid::from_raw(id as i32));
        if let Some(pid) = pid {
            let _ = kill_process(pid, passed);
        }
    }
}
