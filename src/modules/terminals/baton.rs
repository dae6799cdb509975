//! One person types at a time: the baton that says who. Its holder passes it on or puts it down, the
//! host takes it, and it is free once its holder has left.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::Terminals;
use super::actions::{By, check_may_type, shown};
use super::baton_store;
use super::model::{TerminalId, TerminalRow};
use super::open::OpenTerminal;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

pub(super) fn declare(module: Module<Terminals>) -> Module<Terminals> {
    module
        .action(
            "terminals.one-at-a-time",
            "Has one person type at a time in one's terminal, or everybody who may",
            Class::Write,
            one_at_a_time,
        )
        .action(
            "terminals.take-baton",
            "Takes the keyboard of a terminal in which one person types at a time",
            Class::Write,
            take_baton,
        )
        .action(
            "terminals.pass-baton",
            "Passes the keyboard of such a terminal to somebody, or puts it down",
            Class::Write,
            pass_baton,
        )
}

#[derive(Deserialize)]
struct OneAtATimeInput {
    terminal: TerminalId,
    /// `yes` has one person type at a time, anything else everybody who may.
    #[serde(default)]
    on: String,
}

async fn one_at_a_time(
    terminals: Terminals,
    viewer: Viewer,
    input: OneAtATimeInput,
) -> Result<Outcome> {
    let is_on = input.on == "yes";
    let change = async move |tx: &mut Tx, row: &TerminalRow| match row.one_at_a_time == is_on {
        true => Ok(()),
        false => baton_store::set_mode(tx, row, is_on).await,
    };
    let row = terminals
        .change(&viewer, input.terminal, By::Host, change)
        .await?;
    let result = json!({ "oneAtATime": is_on });
    Ok(shown(&terminals, &viewer, &row, result))
}

fn check_mode(row: &TerminalRow) -> Result<()> {
    match row.one_at_a_time {
        true => Ok(()),
        false => Err(Error::Conflict("error-terminal-no-turns")),
    }
}

#[derive(Deserialize)]
struct TakeInput {
    terminal: TerminalId,
}

/// The host takes it from whoever has it; others take one that is free.
async fn take_baton(terminals: Terminals, viewer: Viewer, input: TakeInput) -> Result<Outcome> {
    let account = viewer.account;
    let change = async move |tx: &mut Tx, row: &TerminalRow| {
        check_mode(row)?;
        if !baton_store::is_typist(tx, row, account).await? {
            return Err(Error::Forbidden("error-terminal-no-typist"));
        }
        let is_free = row.baton.is_none_or(|holder| holder == account);
        match is_free || row.host == account {
            true => baton_store::give(tx, row.id, Some(account)).await,
            false => Err(Error::Conflict("error-terminal-baton-held")),
        }
    };
    let row = terminals
        .change(&viewer, input.terminal, By::Typist, change)
        .await?;
    Ok(shown(&terminals, &viewer, &row, json!({ "taken": true })))
}

#[derive(Deserialize)]
struct PassInput {
    terminal: TerminalId,
    /// To whom; without somebody it is put down.
    account: Option<AccountId>,
}

/// Its holder and the host pass it on.
async fn pass_baton(terminals: Terminals, viewer: Viewer, input: PassInput) -> Result<Outcome> {
    let (account, to) = (viewer.account, input.account);
    if let Some(to) = to {
        check_may_type(&terminals, &viewer, input.terminal, to).await?;
    }
    let change = async move |tx: &mut Tx, row: &TerminalRow| {
        check_mode(row)?;
        if row.host != account && row.baton != Some(account) {
            return Err(Error::Forbidden("error-terminal-not-holder"));
        }
        match to {
            Some(to) if !baton_store::is_typist(tx, row, to).await? => {
                Err(Error::Conflict("error-terminal-typist"))
            }
            to => baton_store::give(tx, row.id, to).await,
        }
    };
    let row = terminals
        .change(&viewer, input.terminal, By::Watcher, change)
        .await?;
    Ok(shown(&terminals, &viewer, &row, json!({ "passed": true })))
}

impl Terminals {
    /// Frees the baton of a terminal of this instance whose holder has left.
    pub(super) async fn release_of_absent(&self, terminal: &Arc<OpenTerminal>) {
        let Some(holder) = terminal.absent_holder() else {
            return;
        };
        let id = terminal.id;
        let release = async move |tx: &mut Tx| baton_store::release(tx, id, holder).await;
        match self.engine.db.write_queued(release).await {
            Ok(_) => self.publish_changed(id, terminal.room),
            Err(error) => tracing::warn!(%error, "the baton of a terminal was not freed"),
        }
    }
}
