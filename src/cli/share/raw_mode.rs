//! The user's own terminal hands on every key while a program is shared.

use std::io::stdin;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Restores the terminal when it is dropped, also by a panic.
pub(super) struct RawMode(Option<Termios>);

impl RawMode {
    /// Hands on every key from now on, if the input is a terminal.
    pub(super) fn enter() -> Self {
        let Ok(before) = tcgetattr(stdin()) else {
            return Self(None);
        };
        let mut raw = before.clone();
        raw.make_raw();
        match tcsetattr(stdin(), OptionalActions::Now, &raw) {
            Ok(()) => Self(Some(before)),
            Err(_) => Self(None),
        }
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // What was typed ahead is for the shell that follows.
            let _ = tcsetattr(stdin(), OptionalActions::Drain, before);
        }
    }
}
