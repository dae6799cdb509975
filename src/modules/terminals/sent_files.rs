//! Files for the folder of a shared terminal: somebody who may type offers one, the sharer is asked
//! on their own terminal, and only when they take it do its bytes go to their machine.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use super::actions::{By, shown};
use super::hello::ServerNote;
use super::model::{TerminalId, TerminalRow};
use super::open::OpenTerminal;
use super::sent_file_store::{self as store, FileState, SentFileId};
use super::{TYPE, Terminals, baton_store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, SpaceId};
use crate::base::list::List;
use crate::engine::actions::{Class, Outcome};
use crate::engine::files::{File, FileId, FileKind};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

/// The file kind. Its target is a terminal.
const KIND: &str = "terminals.file";
/// Bytes of one file.
const MAX_FILE_BYTES: u64 = 16_777_216;
/// Files that are offered at once.
const MAX_FILES_AT_ONCE: usize = 4;
/// Files that one instance has in memory, on their way to sharers.
const MAX_FILES_IN_MEMORY: usize = 4;

static IN_MEMORY: Semaphore = Semaphore::const_new(MAX_FILES_IN_MEMORY);

pub(super) fn declare(module: Module<Terminals>) -> Module<Terminals> {
    let about = "A file for the folder of a shared terminal";
    let kind = FileKind::new(KIND, about, "terminal", may_add, may_read);
    module
        .files(kind.max_bytes(MAX_FILE_BYTES))
        .action_with_files(
            "terminals.send-file",
            "Offers files to who shares a terminal, for its folder",
            Class::Create,
            KIND,
            send_file,
        )
}

async fn may_add(terminals: Terminals, viewer: Viewer, terminal: i64) -> Result<Option<SpaceId>> {
    let id = TerminalId(terminal);
    let row = super::store::get(&terminals.engine.db, id).await?;
    let row = terminals.find(&viewer, row.room, id).await?;
    check_open(&row)?;
    let access = &terminals.community.access;
    let room = match row.host == viewer.account {
        true => access.permit_in_room(viewer.account, &super::VIEW, row.room),
        false => access.permit_in_room(viewer.account, &TYPE, row.room),
    };
    Ok(room.await?.space)
}

/// Nobody reads them here but who has offered one: they are for the sharer's machine.
async fn may_read(_: Terminals, viewer: Viewer, file: File) -> Result<()> {
    match file.owner == viewer.account {
        true => Ok(()),
        false => Err(Error::NotFound),
    }
}

fn check_open(row: &TerminalRow) -> Result<()> {
    match row.takes_files {
        _ if row.ended_at.is_some() => Err(Error::Conflict("error-terminal-over")),
        true => Ok(()),
        false => Err(Error::Conflict("error-terminal-no-files")),
    }
}

#[derive(Deserialize)]
struct SendFileInput {
    terminal: TerminalId,
    #[serde(default)]
    files: List<FileId, MAX_FILES_AT_ONCE>,
}

async fn send_file(terminals: Terminals, viewer: Viewer, input: SendFileInput) -> Result<Outcome> {
    let files = input.files.into_vec();
    let (account, engine_files) = (viewer.account, terminals.engine.files.clone());
    let change = async move |tx: &mut Tx, row: &TerminalRow| {
        check_open(row)?;
        if !baton_store::is_typist(tx, row, account).await? {
            return Err(Error::Forbidden("error-terminal-no-typist"));
        }
        if files.is_empty() {
            return Err(Error::field("files", "error-terminal-file-none"));
        }
        for file in files {
            let claimed = engine_files
                .claim(tx, file, KIND, row.id.0, account)
                .await?;
            store::add(tx, row, &claimed).await?;
        }
        Ok(())
    };
    let row = terminals
        .change(&viewer, input.terminal, By::Typist, change)
        .await?;
    Ok(shown(&terminals, &viewer, &row, json!({ "offered": true })))
}

impl Terminals {
    /// Asks the sharer of a terminal of this instance for what was offered, and takes back what
    /// they did not answer.
    pub(super) async fn check_files(&self, terminal: &Arc<OpenTerminal>) -> Result<()> {
        if terminal.is_shell {
            return Ok(());
        }
        let waiting = store::waiting(&self.engine.db, terminal.id).await?;
        for one in &waiting {
            let is_lost = one.state() == FileState::Taking && !terminal.takes(one.id);
            if is_lost {
                self.finish_file(terminal, one.id, FileState::Failed, "")
                    .await?;
            } else if one.is_unanswered() {
                self.finish_file(terminal, one.id, FileState::Unanswered, "")
                    .await?;
            } else if one.state() == FileState::Asked && !terminal.has_offered(one.id) {
                let by = self.community.accounts.get(one.account).await?;
                let note = ServerNote::FileOffer {
                    file: one.id.to_string(),
                    name: one.name.clone(),
                    size: one.size.unsigned_abs(),
                    by: by.name.clone(),
                };
                terminal.offer(one.id, note);
            }
        }
        let still: Vec<SentFileId> = waiting.iter().map(|one| one.id).collect();
        terminal.withdraw_others(&still);
        Ok(())
    }

    /// The sharer has answered.
    pub(super) async fn file_answered(
        &self,
        terminal: &Arc<OpenTerminal>,
        id: SentFileId,
        takes: bool,
    ) -> Result<()> {
        if !takes {
            return self.finish_file(terminal, id, FileState::Refused, "").await;
        }
        if !terminal.accept(id) {
            return Ok(());
        }
        let of = terminal.id;
        let take = async move |tx: &mut Tx| store::take(tx, of, id).await;
        let Some(file) = self.engine.db.write_queued(take).await? else {
            return Ok(());
        };
        self.publish_changed(terminal.id, terminal.room);
        let permit = IN_MEMORY.acquire().await;
        let permit = permit.map_err(|error| Error::Internal(error.into()))?;
        let file = self.engine.files.file(file).await?;
        let content = self.engine.files.read(&file).await?;
        terminal.begin_file(id, content, permit);
        Ok(())
    }

    /// A file has arrived, or will not.
    pub(super) async fn finish_file(
        &self,
        terminal: &Arc<OpenTerminal>,
        id: SentFileId,
        state: FileState,
        stored_as: &str,
    ) -> Result<()> {
        let (files, stored_as) = (self.engine.files.clone(), stored_as.to_owned());
        let finish =
            async move |tx: &mut Tx| store::finish(&files, tx, id, state, &stored_as).await;
        // Stored first: what is no more on its way and not finished is taken for lost.
        let finished = self.engine.db.write_queued(finish).await;
        terminal.end_file(id);
        if finished? {
            self.publish_changed(terminal.id, terminal.room);
        }
        Ok(())
    }

    /// The last files of a terminal, with the names of who offered them.
    pub(super) async fn sent_files(
        &self,
        id: TerminalId,
    ) -> Result<Vec<(store::SentFile, String)>> {
        let mut files = Vec::new();
        for file in store::last(&self.engine.db, id).await? {
            let account: AccountId = file.account;
            let name = self.name_of(account).await?.unwrap_or_default();
            files.push((file, name));
        }
        Ok(files)
    }
}
