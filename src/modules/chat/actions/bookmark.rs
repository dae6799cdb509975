//! `chat.bookmark` and `chat.unbookmark`: messages that somebody keeps for themselves. Nobody else
//! learns of it.

use serde::Deserialize;
use serde_json::json;

use super::super::model::MessageId;
use super::super::{Chat, bookmark_store};
use super::permitted_message;
use super::react::check_markable;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::community::Scope;
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(in super::super) struct BookmarkInput {
    message: MessageId,
}

pub(in super::super) async fn bookmark(
    chat: Chat,
    viewer: Viewer,
    input: BookmarkInput,
) -> Result<Outcome> {
    let (message, room) = permitted_message(&chat, &viewer, input.message, &READ).await?;
    check_markable(&message)?;
    let (account, id) = (viewer.account, message.id);
    let write = async move |tx: &mut Tx| bookmark_store::add(tx, account, id).await;
    let access = &chat.community.access;
    access
        .permitted_write(account, &READ, Scope::Room(room.id), write)
        .await?;
    let result = json!({ "bookmarked": true });
    Ok(Outcome::new(result, format!("/messages/{id}")))
}

/// Also of a message that one may not read any more.
pub(in super::super) async fn unbookmark(
    chat: Chat,
    viewer: Viewer,
    input: BookmarkInput,
) -> Result<Outcome> {
    let (account, id) = (viewer.account, input.message);
    let remove = chat
        .engine
        .db
        .write(async move |tx: &mut Tx| bookmark_store::remove(tx, account, id).await);
    remove.await?;
    Ok(Outcome::new(json!({ "bookmarked": false }), "/bookmarks"))
}
