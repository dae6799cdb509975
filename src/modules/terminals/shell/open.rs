//! Opening a shell in a room.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::core::Size;
use super::super::model::TerminalRow;
use super::super::open::OpenTerminal;
use super::super::store::{self, NewTerminal};
use super::super::{SHELL, Terminals};
use super::contained::shell;
use super::probe::probe;
use super::run::Shell;
use super::slots::Slot;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{RoomId, SpaceId};
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

/// Shells of one room at once.
pub(super) const MAX_SHELLS_PER_ROOM: i64 = 2;
/// Shells that one account has opened at once.
pub(super) const MAX_SHELLS_PER_ACCOUNT: i64 = 2;

pub(in crate::modules::terminals) fn declare(module: Module<Terminals>) -> Module<Terminals> {
    module.action(
        "terminals.open-shell",
        "Opens a contained shell on the server in a room",
        Class::Create,
        open_shell,
    )
}

#[derive(Deserialize)]
struct OpenShellInput {
    room: RoomId,
    /// Columns and rows, such as `80x24`.
    #[serde(default)]
    size: String,
}

/// The size that was chosen; for anything else the first that is offered.
fn size_of(size: &str) -> Size {
    match size {
        "80x24" => Size::new(80, 24),
        "132x43" => Size::new(132, 43),
        _ => Size::new(100, 30),
    }
}

async fn open_shell(
    terminals: Terminals,
    viewer: Viewer,
    input: OpenShellInput,
) -> Result<Outcome> {
    let (room, account) = (input.room, viewer.account);
    let access = &terminals.community.access;
    let found = access.permit_in_room(account, &SHELL, room).await?;
    if !terminals.has_shells() {
        return Err(Error::Conflict("error-shell-off"));
    }
    let slot = terminals.shells.take();
    let slot = slot.ok_or(Error::Full("error-shells-server"))?;
    probe(&terminals.engine.settings.data).await?;
    let new = NewTerminal {
        room,
        host: account,
        title: viewer.lang.t("terminals-shell").to_owned(),
        command: shell().to_owned(),
        takes_input: true,
        recorded: false,
        is_shell: true,
        takes_files: false,
        instance: terminals.engine.live.instance().to_owned(),
    };
    let space = found.space;
    let name = match found.rules.private {
        true => String::new(),
        false => found.name.clone(),
    };
    let write = async move |tx: &mut Tx| {
        let row = store::add(tx, &new).await?;
        store::check_shells(tx, &row, MAX_SHELLS_PER_ROOM, MAX_SHELLS_PER_ACCOUNT).await?;
        let act = Act {
            space,
            actor: Some(account),
            act: "shell.opened",
            subject: None,
            name: "",
            before: Value::Null,
            after: json!({ "room": name }),
        };
        audit::record(tx, act).await?;
        Ok(row)
    };
    let scope = Scope::Room(room);
    let row = access
        .permitted_write(account, &SHELL, scope, write)
        .await?;
    let id = row.id;
    terminals
        .begin_shell(row, size_of(&input.size), slot, space)
        .await?;
    let location = format!("/rooms/{room}/terminals/{id}");
    Ok(Outcome::new(
        json!({ "terminal": id.to_string() }),
        location,
    ))
}

impl Terminals {
    async fn begin_shell(
        &self,
        row: TerminalRow,
        size: Size,
        slot: Slot,
        space: Option<SpaceId>,
    ) -> Result<()> {
        let roles = store::roles(&self.engine.db, &row).await?;
        let (terminal, _) = self.open.add(OpenTerminal::new(&row, size, roles, None));
        let shell = match Shell::start(size, slot) {
            Ok(shell) => shell,
            Err(error) => {
                self.end_terminal(&terminal, None).await;
                return Err(Error::Internal(error));
            }
        };
        let (link, _) = terminal.attach(None, 0);
        self.publish_begun(&row).await;
        tokio::spawn(self.clone().present_repeatedly(terminal.clone()));
        tokio::spawn(self.clone().serve_shell(terminal, link, shell, space));
        Ok(())
    }
}
