//! What people do in a terminal, beside typing.

use serde::Deserialize;
use serde_json::{Value, json};

use super::guest_links::{self, GuestLinkId};
use super::model::{Role, TerminalId, TerminalRow};
use super::tokens::TokenId;
use super::views::rendered;
use super::{END_OTHERS, TYPE, Terminals, VIEW, baton_store, recordings, store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::Module;
use crate::engine::partial::Partial;
use crate::engine::permission::Permission;
use crate::engine::viewer::Viewer;

pub(super) fn declare(module: Module<Terminals>) -> Module<Terminals> {
    module
        .action(
            "terminals.set-role",
            "Lets somebody type in one's terminal, or only watch, or removes them",
            Class::Write,
            set_role,
        )
        .action(
            "terminals.raise-hand",
            "Asks to type in a terminal, or no longer",
            Class::Write,
            raise_hand,
        )
        .action(
            "terminals.lock",
            "Lets nobody but its host type in a terminal, or lets them again",
            Class::Write,
            lock,
        )
        .action(
            "terminals.end",
            "Ends the sharing of a terminal",
            Class::Write,
            end,
        )
        .action(
            "terminals.delete-recording",
            "Deletes the recording of one's terminal",
            Class::Write,
            delete_recording,
        )
        .action(
            "terminals.revoke-token",
            "Revokes a token that shares terminals",
            Class::Write,
            revoke_token,
        )
}

fn page_of(row: &TerminalRow) -> String {
    format!("/rooms/{}/terminals/{}", row.room, row.id)
}

/// What pages show of the people of a terminal after a change; the screen stays as it is.
pub(super) fn shown(
    terminals: &Terminals,
    viewer: &Viewer,
    row: &TerminalRow,
    result: Value,
) -> Outcome {
    let (terminals, lang, id) = (terminals.clone(), viewer.lang, row.id);
    Outcome::new(result, page_of(row)).fragment(async move {
        let people = terminals.people(id).await?.ok_or(Error::NotFound)?;
        let html = rendered(&people.view(lang))?;
        Ok(Partial::inner(format!("#terminal-people-{id}"), &html).to_string())
    })
}

/// Who may do something to a terminal.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum By {
    /// Its host.
    Host,
    /// Its host, or who may end those of others.
    Moderator,
    /// Who watches.
    Watcher,
    /// Its host, or who has the permission to type.
    Typist,
}

impl Terminals {
    /// Changes an open terminal in a transaction, for a viewer who may.
    pub(super) async fn change<F>(
        &self,
        viewer: &Viewer,
        id: TerminalId,
        by: By,
        change: F,
    ) -> Result<TerminalRow>
    where
        F: AsyncFnOnce(&mut Tx, &TerminalRow) -> Result<()> + Send + 'static,
    {
        let row = store::get(&self.engine.db, id).await?;
        let access = &self.community.access;
        access
            .permit_in_room(viewer.account, &VIEW, row.room)
            .await?;
        let account = viewer.account;
        let is_host = row.host == account;
        let permission: &'static Permission = match by {
            By::Host if !is_host => return Err(Error::Forbidden("error-terminal-host")),
            By::Moderator if !is_host => &END_OTHERS,
            By::Typist if !is_host => &TYPE,
            _ => &VIEW,
        };
        let write = async move |tx: &mut Tx| {
            let row = store::lock(tx, id).await?;
            if row.ended_at.is_some() {
                return Err(Error::Conflict("error-terminal-over"));
            }
            change(tx, &row).await?;
            store::get_in(tx, id).await
        };
        let scope = Scope::Room(row.room);
        let changed = match by {
            By::Moderator => {
                access
                    .permitted_protective_write(account, permission, scope, write)
                    .await?
            }
            _ => {
                access
                    .permitted_write(account, permission, scope, write)
                    .await?
            }
        };
        self.publish_changed(changed.id, changed.room);
        Ok(changed)
    }
}

#[derive(Deserialize)]
struct SetRoleInput {
    terminal: TerminalId,
    account: AccountId,
    /// `typist`, `viewer` or `removed`.
    role: String,
}

async fn set_role(terminals: Terminals, viewer: Viewer, input: SetRoleInput) -> Result<Outcome> {
    let SetRoleInput {
        terminal, account, ..
    } = input;
    let role = match input.role.as_str() {
        "typist" => Role::Typist,
        "viewer" => Role::Viewer,
        "removed" => Role::Removed,
        _ => return Err(Error::field("role", "error-message-shape")),
    };
    if role == Role::Typist {
        check_may_type(&terminals, &viewer, terminal, account).await?;
    }
    let change = async move |tx: &mut Tx, row: &TerminalRow| {
        if account == row.host {
            return Err(Error::Conflict("error-terminal-self"));
        }
        if role != Role::Typist {
            baton_store::release(tx, terminal, account).await?;
        }
        store::set_role(tx, terminal, account, role).await
    };
    let row = terminals
        .change(&viewer, terminal, By::Host, change)
        .await?;
    let result = json!({ "role": role });
    Ok(shown(&terminals, &viewer, &row, result))
}

/// Whether somebody has the permission to type where a terminal is, or is its host.
///
/// # Errors
/// `Forbidden` when they have not; those of reading.
pub(super) async fn check_may_type(
    terminals: &Terminals,
    viewer: &Viewer,
    terminal: TerminalId,
    account: AccountId,
) -> Result<()> {
    let row = store::get(&terminals.engine.db, terminal).await?;
    let access = &terminals.community.access;
    access
        .permit_in_room(viewer.account, &VIEW, row.room)
        .await?;
    if row.host == account {
        return Ok(());
    }
    let may_type = access.permit_in_room(account, &TYPE, row.room).await;
    may_type
        .map(drop)
        .map_err(|error| match error.is_passing() {
            true => error,
            false => Error::Forbidden("error-terminal-typist"),
        })
}

#[derive(Deserialize)]
struct RaiseHandInput {
    terminal: TerminalId,
    /// `yes` raises it, anything else takes it down.
    #[serde(default)]
    raised: String,
}

async fn raise_hand(
    terminals: Terminals,
    viewer: Viewer,
    input: RaiseHandInput,
) -> Result<Outcome> {
    let (account, is_raised) = (viewer.account, input.raised == "yes");
    let change = async move |tx: &mut Tx, row: &TerminalRow| {
        store::raise_hand(tx, row.id, account, is_raised).await
    };
    let row = terminals
        .change(&viewer, input.terminal, By::Watcher, change)
        .await?;
    let result = json!({ "raised": is_raised });
    Ok(shown(&terminals, &viewer, &row, result))
}

#[derive(Deserialize)]
struct LockInput {
    terminal: TerminalId,
    /// `yes` locks it, anything else opens it.
    #[serde(default)]
    locked: String,
}

async fn lock(terminals: Terminals, viewer: Viewer, input: LockInput) -> Result<Outcome> {
    let locked = input.locked == "yes";
    let change =
        async move |tx: &mut Tx, row: &TerminalRow| store::set_locked(tx, row.id, locked).await;
    let row = terminals
        .change(&viewer, input.terminal, By::Host, change)
        .await?;
    let result = json!({ "locked": locked });
    Ok(shown(&terminals, &viewer, &row, result))
}

#[derive(Deserialize)]
struct TerminalInput {
    terminal: TerminalId,
}

async fn end(terminals: Terminals, viewer: Viewer, input: TerminalInput) -> Result<Outcome> {
    let row = terminals
        .end_by(&viewer, input.terminal, By::Moderator)
        .await?;
    let location = format!("/rooms/{}/terminals", row.room);
    Ok(Outcome::new(json!({ "ended": true }), location))
}

impl Terminals {
    /// Revokes a link to one's terminal: who watches by it is sent away within a second.
    pub(super) async fn revoke_link(
        &self,
        viewer: &Viewer,
        id: TerminalId,
        link: GuestLinkId,
    ) -> Result<TerminalRow> {
        let change =
            async move |tx: &mut Tx, row: &TerminalRow| guest_links::delete(tx, row.id, link).await;
        self.change(viewer, id, By::Host, change).await
    }

    /// Ends a terminal, and writes down who did it if it was not its host.
    async fn end_by(&self, viewer: &Viewer, id: TerminalId, by: By) -> Result<TerminalRow> {
        let access = &self.community.access;
        let room = store::get(&self.engine.db, id).await?.room;
        let found = access.permit_in_room(viewer.account, &VIEW, room).await?;
        let (space, actor) = (found.space, viewer.account);
        let change = async move |tx: &mut Tx, row: &TerminalRow| {
            store::end(tx, id, None).await?;
            if row.host == actor && !row.is_shell {
                return Ok(());
            }
            audit::record(tx, ended_act(space, actor, row)).await
        };
        let row = self.change(viewer, id, by, change).await?;
        if let Some(open) = self.open.get(id) {
            self.end_terminal(&open, None).await;
        }
        Ok(row)
    }
}

/// The entry of the log about a terminal that somebody else ended.
pub(super) fn ended_act(
    space: Option<crate::base::ids::SpaceId>,
    actor: AccountId,
    row: &TerminalRow,
) -> Act<'_> {
    Act {
        space,
        actor: Some(actor),
        act: "terminal.ended",
        subject: Some(row.host.0),
        name: "",
        before: Value::Null,
        after: json!({ "terminal": row.title }),
    }
}

async fn delete_recording(
    terminals: Terminals,
    viewer: Viewer,
    input: TerminalInput,
) -> Result<Outcome> {
    let row = store::get(&terminals.engine.db, input.terminal).await?;
    if row.host != viewer.account {
        terminals.find(&viewer, row.room, row.id).await?;
        return Err(Error::Forbidden("error-terminal-host"));
    }
    let id = row.id;
    let write = terminals
        .engine
        .db
        .write_protective(async move |tx| recordings::delete(tx, id).await);
    write.await?;
    if let Some(open) = terminals.open.get(id) {
        open.stop_recording();
    }
    terminals.publish_changed(row.id, row.room);
    Ok(Outcome::new(json!({ "deleted": true }), page_of(&row)))
}

#[derive(Deserialize)]
struct RevokeInput {
    token: TokenId,
}

async fn revoke_token(terminals: Terminals, viewer: Viewer, input: RevokeInput) -> Result<Outcome> {
    terminals.revoke_token(viewer.account, input.token).await?;
    Ok(Outcome::new(
        json!({ "revoked": true }),
        "/account/terminals",
    ))
}
