//! `/messages/{message}/history`: what a message said before it was edited, for who reads the room.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::actions::permitted_message;
use super::model::{Message, MessageId};
use super::versions::Version;
use super::{Chat, versions};
use crate::base::error::{Error, Result};
use crate::community::permissions::READ;
use crate::community::{Layout, Shell};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module.page(
        Audience::SignedIn,
        "/messages/{message}/history",
        get(history),
    )
}

#[derive(Template)]
#[template(path = "chat/versions.html", blocks = ["app"])]
struct VersionsPage {
    head: Head,
    shell: Shell,
    message: Arc<Message>,
    /// Newest first, without the present text.
    versions: Vec<Version>,
}

async fn history(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
) -> Result<PageAnswer> {
    let (message, room) = permitted_message(&chat, &viewer, id, &READ).await?;
    if message.is_deleted() || !message.told.is_nothing() {
        return Err(Error::NotFound);
    }
    let versions = versions::of(&chat.engine.db, id).await?;
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    app_page!(
        wants,
        VersionsPage {
            head: chat
                .community
                .head(&viewer, viewer.lang.t("versions-title")),
            shell,
            message: Arc::new(message),
            versions,
        }
    )
}
