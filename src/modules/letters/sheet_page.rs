//! A sheet of stickers, to print on A4.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::get;

use super::stickers::{self, SheetId, Sticker};
use super::{Letters, codes};
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::community::permissions::READ;
use crate::community::{Layout, Scope, Shell, qr_svg, request_origin};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Letters>) -> Module<Letters> {
    module.page(Audience::SignedIn, "/letters/sheets/{sheet}", get(sheet))
}

#[derive(Template)]
#[template(path = "letters/sheet.html", blocks = ["app"])]
struct SheetPage {
    head: Head,
    shell: Shell,
    space: SpaceId,
    /// The code, the QR code as an `<svg>`, and whether it is on a letter already.
    stickers: Vec<(String, String, bool)>,
}

/// `GET /letters/sheets/{sheet}`: stickers to print on A4.
async fn sheet(
    State(letters): State<Letters>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    headers: HeaderMap,
    Path(id): Path<SheetId>,
) -> Result<PageAnswer> {
    let (sheet, all) = stickers::sheet(&letters.engine.db, id).await?;
    let (space, access) = (sheet.space_id, &letters.community.access);
    let scope = Scope::Space(space);
    access.permit(viewer.account, &READ, scope).await?;
    if !letters.may_print(viewer.account, space).await? {
        return Err(Error::NotFound);
    }
    let origin = request_origin(&letters.community, &headers);
    let view = |sticker: Sticker| {
        let qr = qr_svg(&format!("{origin}/l/{}", sticker.code)).unwrap_or_default();
        (codes::shown(&sticker.code), qr, sticker.letter_id.is_some())
    };
    let here = format!("/spaces/{space}/letters/board");
    app_page!(
        wants,
        SheetPage {
            head: letters
                .community
                .head(&viewer, viewer.lang.t("letters-sheet")),
            shell: layout.shell(&viewer, Some(space), &here).await?,
            space,
            stickers: all.into_iter().map(view).collect(),
        }
    )
}
