//! What a sharer tells beside output: where the program is, and what becomes of files.

use std::sync::Arc;

use super::Terminals;
use super::hello::{MAX_NOTE_BYTES, SharerNote};
use super::open::OpenTerminal;
use super::sent_file_store::{FileState, SentFileId};
use crate::base::error::Result;
use crate::base::text::{limit_marks, normalize_optional_line};

/// Characters of the name that a file has on the sharer's machine.
const MAX_STORED_NAME_CHARS: usize = 120;

impl Terminals {
    /// Takes a note. False when it is none.
    pub(super) fn take_note(&self, terminal: &Arc<OpenTerminal>, note: &str) -> bool {
        if note.len() > MAX_NOTE_BYTES {
            return false;
        }
        let (terminals, terminal) = (self.clone(), terminal.clone());
        match serde_json::from_str(note) {
            Ok(SharerNote::Status(status)) => terminal.set_status(status.limited()),
            Ok(SharerNote::FileAnswer { file, takes }) => {
                let Ok(id) = file.parse::<SentFileId>() else {
                    return false;
                };
                if terminal.note_answer(id) {
                    tokio::spawn(async move {
                        let answered = terminals.file_answered(&terminal, id, takes).await;
                        warn(answered);
                    });
                }
            }
            Ok(SharerNote::FileEnd { file, stored_as }) => {
                let Ok(id) = file.parse::<SentFileId>() else {
                    return false;
                };
                if terminal.note_end(id) {
                    let name = limit_marks(&normalize_optional_line(
                        stored_as.as_deref().unwrap_or_default(),
                    ));
                    let name: String = name.chars().take(MAX_STORED_NAME_CHARS).collect();
                    let state = match stored_as {
                        Some(_) => FileState::Stored,
                        None => FileState::Failed,
                    };
                    tokio::spawn(async move {
                        warn(terminals.finish_file(&terminal, id, state, &name).await);
                    });
                }
            }
            Err(_) => return false,
        }
        true
    }
}

fn warn(done: Result<()>) {
    if let Err(error) = done {
        tracing::warn!(%error, "what became of a file for a sharer was not stored");
    }
}
