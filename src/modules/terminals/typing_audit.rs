//! Who has typed how much: never what.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Terminals;
use super::open::OpenTerminal;
use super::store;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::community::audit::{self, Act};

/// Adds what was typed since the last time to the log of the space, one entry for each person, and
/// to the numbers that the terminal's page shows. In direct conversations, which have no log, only
/// to those.
pub(super) async fn note(terminals: &Terminals, terminal: &Arc<OpenTerminal>) {
    let typed: Vec<(AccountId, u64)> = terminal.take_typed().into_iter().collect();
    if typed.is_empty() {
        return;
    }
    if let Err(error) = store_typed(terminals, terminal, typed).await {
        tracing::warn!(%error, "what was typed in a terminal was not noted");
    }
}

async fn store_typed(
    terminals: &Terminals,
    terminal: &Arc<OpenTerminal>,
    typed: Vec<(AccountId, u64)>,
) -> Result<()> {
    let access = &terminals.community.access;
    let room = match access
        .permit_in_room(terminal.host, &super::VIEW, terminal.room)
        .await
    {
        Ok(room) => Some(room),
        Err(error) if error.is_passing() => return Err(error),
        // The room or the host's rights are gone, and with them nothing that was typed.
        Err(Error::NotFound) => None,
        Err(_) => None,
    };
    let space = room.as_ref().and_then(|room| room.space);
    let name = room.filter(|room| !room.rules.private);
    let name = name.map(|room| room.name.clone()).unwrap_or_default();
    let (id, title) = (terminal.id, terminal.title.clone());
    let write = terminals.engine.db.write_queued(async move |tx| {
        for (account, bytes) in typed {
            store::add_typed(tx, id, account, bytes as i64).await?;
            let Some(space) = space else {
                continue;
            };
            let act = Act {
                space: Some(space),
                actor: Some(account),
                act: "terminal.typed",
                subject: None,
                name: &title,
                before: Value::Null,
                after: json!({ "bytes": bytes, "room": name }),
            };
            audit::record(tx, act).await?;
        }
        Ok(())
    });
    write.await
}
