//! Asking the user something on their own terminal, over whatever the program shows there.
//!
//! While a question stands the program goes on, and everybody else sees its output; here it is drawn
//! anew once the question is answered. Keys are the program's, except the two that answer.

use std::io::{Write, stdout};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::Shared;
use crate::modules::terminals::core::Frame;

/// Who is typing is not asked: they would answer without having read.
const IDLE_TIME: Duration = Duration::from_secs(1);
/// Keys answer this long after the question is there.
const READ_TIME: Duration = Duration::from_millis(700);
/// Behind a question.
const KEYS: &str = " y/n ";
/// Between two looks whether the user still types.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);
/// For an answer. The server waits a little longer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

/// What brings a terminal in whatever state into that of a new one, but keeps what has scrolled
/// away: modes of keys and of the mouse, the alternate screen, margins, colours.
const RESTART: &str = "\x1b\\\x1b[?1049l\x1b[!p\x1b[?7h\x1b[?9;1000;1002;1003;1004;1005;1006;1015;\
    1016;2004l\x1b>\x1b(B\x1b[0m\x1b[H\x1b[2J";
/// The same, with which a screen begins: it would also forget what has scrolled away.
const RESET: &[u8] = b"\x1bc";

#[derive(Debug)]
struct State {
    last_key: Instant,
    shown: Option<Instant>,
    answer: Option<bool>,
}

/// Questions for the user, one at a time. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ask {
    shared: Shared,
    state: Arc<Mutex<State>>,
    answered: Arc<Notify>,
}

impl Ask {
    pub(super) fn new(shared: Shared) -> Self {
        Self {
            shared,
            state: Arc::new(Mutex::new(State {
                last_key: Instant::now(),
                shown: None,
                answer: None,
            })),
            answered: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the user what the program writes, unless a question stands, and passes it on.
    pub(super) fn write(&self, bytes: &[u8]) {
        // Held, so that what is shown here and what is drawn anew follow each other.
        let state = self.state();
        if state.shown.is_none() {
            let mut out = stdout().lock();
            drop(out.write_all(bytes).and_then(|()| out.flush()));
        }
        self.shared.change(|terminal| terminal.write(bytes));
    }

    /// Takes what the user typed. True when it answers a question, and is not for the program.
    pub(super) fn takes(&self, keys: &[u8]) -> bool {
        let mut state = self.state();
        let is_read = state
            .shown
            .is_some_and(|since| since.elapsed() >= READ_TIME);
        let answer = match keys {
            b"y" | b"Y" if is_read => Some(true),
            b"n" | b"N" if is_read => Some(false),
            _ => None,
        };
        state.last_key = Instant::now();
        if answer.is_some() {
            state.answer = answer;
            self.answered.notify_one();
        }
        answer.is_some()
    }

    /// Asks what is answered with `y` or `n`, once the user does not type. Without an answer in 90 seconds it is no.
    pub(super) async fn ask(&self, question: &str) -> bool {
        while self.state().last_key.elapsed() < IDLE_TIME {
            sleep(LOOK_INTERVAL).await;
        }
        self.show(question);
        let _shown = Shown(self);
        drop(timeout(ANSWER_TIMEOUT, self.answered.notified()).await);
        self.state().answer.take().unwrap_or(false)
    }

    fn show(&self, question: &str) {
        let mut state = self.state();
        state.shown = Some(Instant::now());
        state.answer = None;
        let size = self.shared.lock().size();
        // The keys are seen, whatever else has to be cut.
        let width = usize::from(size.cols).saturating_sub(KEYS.len() + 1);
        let line: String = question.chars().take(width).collect();
        let mut out = stdout().lock();
        let drawn = write!(
            out,
            "\x1b[!p\x1b[{};1H\x1b[2K\x1b[7m{line}{KEYS}\x1b[0m\x07",
            size.rows
        );
        drop(drawn.and_then(|()| out.flush()));
    }

    /// Draws the program's screen as it is now.
    fn redraw(&self) {
        let mut state = self.state();
        state.shown = None;
        let Frame::Snapshot { bytes, .. } = self.shared.lock().snapshot() else {
            return;
        };
        let screen = bytes.strip_prefix(RESET).unwrap_or(&bytes);
        let mut out = stdout().lock();
        let drawn = out.write_all(RESTART.as_bytes());
        drop(
            drawn
                .and_then(|()| out.write_all(screen))
                .and_then(|()| out.flush()),
        );
    }
}

/// A question stands until this is dropped, also when nobody waits for its answer any more.
struct Shown<'a>(&'a Ask);

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        self.0.redraw();
    }
}
