//! `/rooms/{room}/terminals/{terminal}/links`: the links by which people without an account watch a
//! terminal, for its host. A new one is shown once, by the answer to the form that makes it.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::guest_links::{self, GuestLinkId};
use super::model::{TerminalId, TerminalRow};
use super::views::LinksPage;
use super::{LINK, Terminals, store};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::{Layout, Scope};
use crate::engine::actions::{Class, Outcome, decode_form};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{PageAnswer, Wants, app_page, show_error_in};

pub(super) fn declare(module: Module<Terminals>) -> Module<Terminals> {
    module
        .page(
            Audience::SignedIn,
            "/rooms/{room}/terminals/{terminal}/links",
            get(list).post(create),
        )
        .action(
            "terminals.revoke-link",
            "Revokes a link to one's terminal for people without an account",
            Class::Write,
            revoke,
        )
}

impl Terminals {
    /// The terminal, if the viewer is its host and may have links to it.
    async fn find_own(&self, viewer: &Viewer, room: RoomId, id: TerminalId) -> Result<TerminalRow> {
        let row = self.find(viewer, room, id).await?;
        if row.host != viewer.account {
            return Err(Error::Forbidden("error-terminal-host"));
        }
        let access = &self.community.access;
        access.permit_in_room(viewer.account, &LINK, room).await?;
        Ok(row)
    }

    async fn create_link(&self, viewer: &Viewer, row: &TerminalRow, ttl: &str) -> Result<String> {
        let ttl = guest_links::ttl(ttl)?;
        let (secret, digest) = guest_links::new_secret();
        let (id, account) = (row.id, viewer.account);
        let write = async move |tx: &mut Tx| {
            let row = store::lock(tx, id).await?;
            if row.host != account {
                return Err(Error::Forbidden("error-terminal-host"));
            }
            if row.ended_at.is_some() {
                return Err(Error::Conflict("error-terminal-over"));
            }
            guest_links::add(tx, id, &digest, ttl).await
        };
        let access = &self.community.access;
        let scope = Scope::Room(row.room);
        access.permitted_write(account, &LINK, scope, write).await?;
        let origin = self.community.public_origin().await?;
        Ok(format!("{origin}/terminals/links/{secret}"))
    }
}

type Place = Path<(RoomId, TerminalId)>;

async fn list(
    State(terminals): State<Terminals>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    form: Form,
    Path((room, id)): Place,
) -> Result<PageAnswer> {
    let row = terminals.find_own(&viewer, room, id).await?;
    page(&terminals, (&layout, &viewer), wants, &row, (form, None)).await
}

async fn page(
    terminals: &Terminals,
    (layout, viewer): (&Layout, &Viewer),
    wants: Wants,
    row: &TerminalRow,
    (form, link): (Form, Option<String>),
) -> Result<PageAnswer> {
    let access = &terminals.community.access;
    let found = access
        .permit_in_room(viewer.account, &LINK, row.room)
        .await?;
    let here = format!("/rooms/{}", row.room);
    let mut shell = layout.shell(viewer, found.space, &here).await?;
    shell.above.clear();
    let title = viewer.lang.t("terminal-links");
    app_page!(
        wants,
        LinksPage {
            head: terminals.community.head(viewer, title),
            shell,
            form,
            room: row.room,
            terminal: row.id,
            title: row.title.clone(),
            links: guest_links::of_terminal(&terminals.engine.db, row.id).await?,
            link,
        }
    )
}

#[derive(Deserialize)]
struct CreateForm {
    ttl: String,
}

async fn create(
    State(terminals): State<Terminals>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path((room, id)): Place,
    body: Bytes,
) -> Result<Response> {
    let row = terminals.find_own(&viewer, room, id).await?;
    let done = async {
        let CreateForm { ttl } = decode_form(&body)?;
        terminals.create_link(&viewer, &row, &ttl).await
    }
    .await;
    let of = (&layout, &viewer);
    match done {
        Ok(link) if wants == Wants::Json => {
            let answer = axum::Json(json!({ "link": link }));
            Ok(([(header::CACHE_CONTROL, "no-store")], answer).into_response())
        }
        Ok(link) => {
            let shown = (Form::default(), Some(link));
            let page = page(&terminals, of, wants, &row, shown).await?;
            Ok(([(header::CACHE_CONTROL, "no-store")], page).into_response())
        }
        Err(error) if wants == Wants::Page => {
            let form = Form::refused("link", &body, &error, viewer.lang);
            let page = page(&terminals, of, wants, &row, (form, None)).await?;
            Ok(show_error_in(page, &error))
        }
        Err(error) => Err(error),
    }
}

#[derive(Deserialize)]
struct RevokeInput {
    terminal: TerminalId,
    link: GuestLinkId,
}

async fn revoke(terminals: Terminals, viewer: Viewer, input: RevokeInput) -> Result<Outcome> {
    let row = terminals
        .revoke_link(&viewer, input.terminal, input.link)
        .await?;
    let location = format!("/rooms/{}/terminals/{}/links", row.room, row.id);
    Ok(Outcome::new(json!({ "revoked": true }), location))
}
