//! `/terminals`: all open terminals of the server, for the host, who can end each.

use axum::extract::State;
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::actions::ended_act;
use super::model::TerminalId;
use super::views::OperatePage;
use super::{OPERATE, Terminals, store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::community::audit;
use crate::community::{Layout, Scope};
use crate::engine::actions::{Class, Outcome};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Terminals>) -> Module<Terminals> {
    module
        .page(Audience::SignedIn, "/terminals", get(page))
        .action(
            "terminals.operate-end",
            "Ends the sharing of any terminal, for who runs the server",
            Class::Write,
            end,
        )
}

async fn page(
    State(terminals): State<Terminals>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
) -> Result<PageAnswer> {
    let access = &terminals.community.access;
    access
        .permit(viewer.account, &OPERATE, Scope::Server)
        .await?;
    let shell = layout.shell(&viewer, None, "/terminals").await?;
    let mut all = Vec::new();
    for row in store::all_open(&terminals.engine.db).await? {
        all.push(terminals.shown_one(row).await?);
    }
    let head = terminals
        .community
        .head(&viewer, viewer.lang.t("terminals-operate-title"));
    app_page!(
        wants,
        OperatePage {
            head,
            shell,
            all,
            is_off: !terminals.engine.settings.terminals,
        }
    )
}

#[derive(Deserialize)]
struct EndInput {
    terminal: TerminalId,
}

async fn end(terminals: Terminals, viewer: Viewer, input: EndInput) -> Result<Outcome> {
    let (id, actor) = (input.terminal, viewer.account);
    let write = async move |tx: &mut Tx| {
        let row = store::lock(tx, id).await?;
        if !store::end(tx, id, None).await? {
            return Err(Error::Conflict("error-terminal-over"));
        }
        audit::record(tx, ended_act(None, actor, &row)).await?;
        Ok(row)
    };
    let access = &terminals.community.access;
    let row = access
        .permitted_protective_write(actor, &OPERATE, Scope::Server, write)
        .await?;
    if let Some(open) = terminals.open.get(id) {
        terminals.end_terminal(&open, None).await;
    }
    terminals.publish_changed(id, row.room);
    Ok(Outcome::new(json!({ "ended": true }), "/terminals"))
}
