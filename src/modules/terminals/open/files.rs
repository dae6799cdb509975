//! What a sharer is sent beside input: offers of files, and those that they take.

use std::collections::{BTreeSet, VecDeque};

use tokio::sync::SemaphorePermit;

use super::{OpenTerminal, State};
use crate::modules::terminals::core::Frame;
use crate::modules::terminals::hello::ServerNote;
use crate::modules::terminals::sent_file_store::SentFileId;

/// Bytes of a file in one frame.
const FILE_PIECE_BYTES: usize = 16 << 10;

/// A file on its way to the sharer.
struct OnItsWay {
    id: SentFileId,
    content: Vec<u8>,
    sent: usize,
    _permit: SemaphorePermit<'static>,
}

/// What waits for the sharer's connection. A new one begins with nothing.
#[derive(Default)]
pub(super) struct Outbox {
    notes: VecDeque<ServerNote>,
    offered: BTreeSet<SentFileId>,
    accepted: BTreeSet<SentFileId>,
    /// Those of which the sharer has said whether they take them, and what became of them.
    answered: BTreeSet<SentFileId>,
    ended: BTreeSet<SentFileId>,
    file: Option<OnItsWay>,
}

/// The next thing for a sharer beside input.
pub(in crate::modules::terminals) enum ForSharer {
    Note(ServerNote),
    /// A piece of a file.
    Piece(Frame),
}

impl OpenTerminal {
    /// Whether a file was offered on this connection.
    pub(in crate::modules::terminals) fn has_offered(&self, id: SentFileId) -> bool {
        self.state().outbox.offered.contains(&id)
    }

    /// Whether this is the sharer's first answer about a file that was offered: each costs a write.
    pub(in crate::modules::terminals) fn note_answer(&self, id: SentFileId) -> bool {
        let mut state = self.state();
        state.outbox.offered.contains(&id) && state.outbox.answered.insert(id)
    }

    /// Whether this is the first that the sharer says of what became of a file that they take.
    pub(in crate::modules::terminals) fn note_end(&self, id: SentFileId) -> bool {
        let mut state = self.state();
        state.outbox.accepted.contains(&id) && state.outbox.ended.insert(id)
    }

    /// Offers a file, if the sharer is connected.
    pub(in crate::modules::terminals) fn offer(&self, id: SentFileId, note: ServerNote) {
        self.change(|state| {
            if state.sharer.is_some() && state.outbox.offered.insert(id) {
                state.outbox.notes.push_back(note);
            }
        });
    }

    /// Takes back offers of other files than these.
    pub(in crate::modules::terminals) fn withdraw_others(&self, still: &[SentFileId]) {
        let is_other = |id: &&SentFileId| !still.contains(id);
        let others = |state: &State| -> Vec<SentFileId> {
            let offered = state.outbox.offered.iter();
            offered.filter(is_other).copied().collect()
        };
        if others(&self.state()).is_empty() {
            return;
        }
        self.change(|state| {
            for id in others(state) {
                state.outbox.offered.remove(&id);
                state.outbox.accepted.remove(&id);
                state.outbox.answered.remove(&id);
                state.outbox.ended.remove(&id);
                let file = id.to_string();
                let note = ServerNote::FileWithdrawn { file };
                state.outbox.notes.push_back(note);
            }
        });
    }

    /// The sharer takes a file that was offered. False when they cannot now.
    pub(in crate::modules::terminals) fn accept(&self, id: SentFileId) -> bool {
        let mut state = self.state();
        let is_first = state.outbox.accepted.is_empty();
        is_first && state.outbox.offered.contains(&id) && state.outbox.accepted.insert(id)
    }

    /// Whether the sharer takes a file on this connection.
    pub(in crate::modules::terminals) fn takes(&self, id: SentFileId) -> bool {
        self.state().outbox.accepted.contains(&id)
    }

    /// Sends a file that the sharer takes.
    pub(in crate::modules::terminals) fn begin_file(
        &self,
        id: SentFileId,
        content: Vec<u8>,
        permit: SemaphorePermit<'static>,
    ) {
        self.change(|state| {
            if state.outbox.accepted.contains(&id) {
                state.outbox.file = Some(OnItsWay {
                    id,
                    content,
                    sent: 0,
                    _permit: permit,
                });
            }
        });
    }

    /// Nothing more of a file is sent. It is not forgotten that it was offered.
    pub(in crate::modules::terminals) fn end_file(&self, id: SentFileId) {
        let mut state = self.state();
        state.outbox.accepted.remove(&id);
        state.outbox.file.take_if(|file| file.id == id);
    }

    /// The next thing for the sharer beside input.
    pub(in crate::modules::terminals) fn next_for_sharer(&self) -> Option<ForSharer> {
        let mut state = self.state();
        if let Some(note) = state.outbox.notes.pop_front() {
            return Some(ForSharer::Note(note));
        }
        let file = state.outbox.file.as_mut()?;
        let end = file.content.len().min(file.sent + FILE_PIECE_BYTES);
        let piece = Frame::FilePiece {
            position: file.sent as u64,
            bytes: file.content[file.sent..end].to_vec(),
        };
        file.sent = end;
        if end == file.content.len() {
            state.outbox.file = None;
        }
        Some(ForSharer::Piece(piece))
    }
}
