//! What somebody sees who follows a link to a terminal: its screen, and nothing of the room.

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::open::Who;
use super::pages::SCREEN_TIMEOUT;
use super::views::GuestPage;
use super::watching::{WatchQuery, serve_socket};
use super::{MAX_GUESTS, Terminals};
use crate::base::error::{Error, Result};
use crate::base::locale::Lang;
use crate::engine::module::{Audience, Module};
use crate::engine::web::Html;

pub(super) fn declare(module: Module<Terminals>) -> Module<Terminals> {
    module
        .page(Audience::Anyone, "/terminals/links/{secret}", get(page))
        .page(
            Audience::Anyone,
            "/terminals/links/{secret}/watch",
            get(watch),
        )
}

async fn page(
    State(terminals): State<Terminals>,
    lang: Lang,
    Path(secret): Path<String>,
) -> Result<Response> {
    let (link, row) = terminals.find_by_link(&secret).await?;
    let text = terminals.screen_text(Who::Guest(link), &row);
    let text = tokio::time::timeout(SCREEN_TIMEOUT, text).await;
    let head = terminals.engine.pages.head(lang, None, row.title.clone());
    let page = GuestPage {
        head,
        secret,
        terminal: row.id,
        text: text.unwrap_or_default().unwrap_or_default(),
    };
    let mut response = Html::of(&page)?.into_response();
    for (name, value) in [
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "private, no-store"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

async fn watch(
    State(terminals): State<Terminals>,
    Path(secret): Path<String>,
    Query(query): Query<WatchQuery>,
    request: Request,
) -> Result<Response> {
    let (link, row) = terminals.find_by_link(&secret).await?;
    let place = terminals.guests.take(row.id, MAX_GUESTS);
    let place = place.ok_or(Error::Full("error-terminal-guests"))?;
    serve_socket(terminals, request, row, (Who::Guest(link), query), place)
}
