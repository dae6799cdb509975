//! Room shells: terminals whose program runs on the server, always contained. What a sharer's
//! socket is for other terminals, a PTY is for these (`run.rs`); everything behind it is the same.

mod contained;
mod open;
mod probe;
mod processes;
mod run;
mod slots;

pub(super) use open::declare;
pub(super) use slots::Slots;

use super::Terminals;

impl Terminals {
    /// Whether shells may be opened on this server at all.
    pub(super) fn has_shells(&self) -> bool {
        let settings = &self.engine.settings;
        settings.terminals && settings.room_shells
    }

    /// Says in the log what is missing for shells, once, where the host has switched them on.
    pub(super) async fn check_shells(self) {
        if !self.has_shells() {
            return;
        }
        match probe::probe(&self.engine.settings.data).await {
            Ok(()) => tracing::info!("room shells are contained"),
            Err(missing) => tracing::error!(
                missing = missing.key(),
                "room shells are refused: they could not be contained"
            ),
        }
    }
}
