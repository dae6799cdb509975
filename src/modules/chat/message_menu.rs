//! `/messages/{message}/menu`: everything that the viewer can do with a message. A page of its own
//! without scripts; with them its list opens beside the message.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use super::actions::permitted_message;
use super::actions::pin::pin_permission;
use super::model::{Message, MessageId};
use super::{Chat, MODERATE, POST, REACT, bookmark_store};
use crate::base::error::{Error, Result};
use crate::base::locale::Lang;
use crate::community::permissions::{Permission, READ, is_granted};
use crate::community::{Layout, Shell};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, Html, PageAnswer, Wants, app_page, icon_address};

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module.page(Audience::SignedIn, "/messages/{message}/menu", get(menu))
}

/// What can be done with a message.
#[derive(Template)]
#[template(path = "chat/menu.html")]
pub(super) struct MenuView {
    message: Message,
    is_own: bool,
    is_bookmarked: bool,
    may_answer: bool,
    may_react: bool,
    may_pin: bool,
    may_moderate: bool,
    lang: Lang,
}

impl MenuView {
    fn icon(&self, name: &str) -> String {
        icon_address(name)
    }
}

#[derive(Template)]
#[template(path = "chat/menu_page.html", blocks = ["app"])]
struct MenuPage {
    head: Head,
    shell: Shell,
    message: MessageId,
    menu: String,
}

#[derive(Deserialize)]
struct MenuQuery {
    /// `list`: without the page around it.
    only: Option<String>,
}

async fn menu(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
    Query(query): Query<MenuQuery>,
) -> Result<Response> {
    let (message, room) = permitted_message(&chat, &viewer, id, &READ).await?;
    if message.is_deleted() || !message.told.is_nothing() {
        return Err(Error::NotFound);
    }
    let may = async |permission: &Permission| {
        let access = &chat.community.access;
        let asked = access.permit_in_room(viewer.account, permission, room.id);
        is_granted(asked.await)
    };
    let view = MenuView {
        is_own: message.author == viewer.account,
        is_bookmarked: bookmark_store::has(&chat.engine.db, viewer.account, id).await?,
        may_answer: may(&POST).await?,
        may_react: may(&REACT).await?,
        may_pin: may(pin_permission(&room)).await?,
        may_moderate: may(&MODERATE).await?,
        message,
        lang: viewer.lang,
    };
    let menu = view.render().map_err(anyhow::Error::new)?;
    if query.only.is_some() {
        return Ok(Html(menu).into_response());
    }
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    let page: PageAnswer = app_page!(
        wants,
        MenuPage {
            head: chat
                .community
                .head(&viewer, viewer.lang.t("message-menu-title")),
            shell,
            message: id,
            menu,
        }
    )?;
    Ok(page.into_response())
}
