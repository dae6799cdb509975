//! The sharer of a terminal that this instance has: what they send, and what they are sent.

use std::time::Instant;

use tokio::task::yield_now;

use super::files::Outbox;
use super::{Ended, EndedCommand, OpenTerminal, Sharer};
use crate::modules::terminals::core::{Frame, Gap, NewScreen};
use crate::modules::terminals::tokens::Bearer;

/// Bytes of output that are drawn at once. Between two such pieces others have their turn.
const DRAWN_BYTES: usize = 4 << 10;

impl OpenTerminal {
    /// A sharer is here; one that was here before has to go. Returns the number of the connection
    /// and the position that output is expected from, if there is any. `bearer`: `None` for a
    /// shell. `input`: how much of what
    /// was typed has arrived there.
    pub(in crate::modules::terminals) fn attach(
        &self,
        bearer: Option<Bearer>,
        input: u64,
    ) -> (u64, Option<u64>) {
        self.change(|state| {
            state.next_link += 1;
            let link = state.next_link;
            state.sharer = Some(Sharer { link, bearer });
            state.away_since = None;
            state.input.begin_at(input);
            state.sharer_delay.forget_sent();
            state.outbox = Outbox::default();
            state.drop_refused_input();
            let end = state.terminal.end();
            (link, (end > 0).then_some(end))
        })
    }

    /// The connection of a sharer is lost.
    pub(in crate::modules::terminals) fn detach(&self, link: u64) {
        self.change(|state| {
            if state.sharer.as_ref().is_some_and(|one| one.link == link) {
                state.sharer = None;
                state.away_since = Some(Instant::now());
            }
        });
    }

    /// Why the sharer on a connection has to go, if they have to.
    pub(in crate::modules::terminals) fn sharer_ended(&self, link: u64) -> Option<Ended> {
        let state = self.state();
        state.over.or_else(|| {
            let is_here = state.sharer.as_ref().is_some_and(|one| one.link == link);
            (!is_here).then_some(Ended::Elsewhere)
        })
    }

    /// The token of the sharer who is connected.
    pub(in crate::modules::terminals) fn bearer(&self) -> Option<Bearer> {
        self.state().sharer.as_ref().and_then(|one| one.bearer)
    }

    /// Since when the sharer is away.
    pub(in crate::modules::terminals) fn away_since(&self) -> Option<Instant> {
        self.state().away_since
    }

    /// Takes a frame of the sharer's, in pieces. Returns the position that is acknowledged, and
    /// the commands that have ended in it.
    ///
    /// # Errors
    /// When output is missing: the sharer has to begin with the screen.
    pub(in crate::modules::terminals) async fn apply(
        &self,
        frame: &Frame,
    ) -> Result<(u64, Vec<EndedCommand>), Gap> {
        let mut commands = Vec::new();
        match frame {
            Frame::Output { position, bytes } => {
                let mut position = *position;
                for piece in bytes.chunks(DRAWN_BYTES) {
                    let output = Frame::Output {
                        position,
                        bytes: piece.to_vec(),
                    };
                    commands.extend(self.apply_at_once(&output)?);
                    position += piece.len() as u64;
                    yield_now().await;
                }
            }
            Frame::Snapshot {
                position,
                size,
                bytes,
            } => {
                let mut screen = NewScreen::new(*size);
                for piece in bytes.chunks(DRAWN_BYTES) {
                    screen.draw(piece);
                    yield_now().await;
                }
                commands = self.change(|state| {
                    if let Some(recorder) = &mut state.recorder {
                        recorder.note(&state.terminal, frame);
                    }
                    state.terminal.replace(*position, screen);
                    state.take_ended_commands()
                });
            }
            _ => commands = self.apply_at_once(frame)?,
        }
        Ok((self.read(|one| one.end()), commands))
    }

    fn apply_at_once(&self, frame: &Frame) -> Result<Vec<EndedCommand>, Gap> {
        self.change(|state| {
            if let Some(recorder) = &mut state.recorder {
                recorder.note(&state.terminal, frame);
            }
            state.terminal.apply(frame)?;
            Ok(state.take_ended_commands())
        })
    }

    /// Input for the sharer from a position on.
    pub(in crate::modules::terminals) fn input(&self, position: u64) -> (u64, Vec<u8>) {
        let mut state = self.state();
        let (from, bytes) = state.input.read(position);
        if !bytes.is_empty() {
            let end = from + bytes.len() as u64;
            state.sharer_delay.note_sent(end);
        }
        (from, bytes)
    }

    /// How long the way to the sharer and back takes, in ms.
    pub(in crate::modules::terminals) fn sharer_millis(&self) -> u32 {
        self.state().sharer_delay.millis()
    }

    /// Everything before a position of the input has arrived.
    pub(in crate::modules::terminals) fn ack_input(&self, position: u64) {
        self.change(|state| {
            state.input.ack(position);
            state.sharer_delay.note_arrived(position);
        });
    }
}
