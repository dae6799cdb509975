//! `chat.forward`: repeats a message in another room.

use serde::Deserialize;

use super::super::Chat;
use super::super::model::MessageId;
use super::permitted_message;
use super::post::post_input;
use super::post_input::{Author, PostInput};
use super::react::check_markable;
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::permissions::READ;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(in super::super) struct ForwardInput {
    message: MessageId,
    /// Where to.
    room: RoomId,
    /// As that of `chat.post`; without it, and with the same `seen`, a message goes to a room once.
    #[serde(default)]
    key: String,
    /// As that of `chat.post`.
    #[serde(default)]
    seen: String,
}

/// Posts the text and the files of a message that the viewer reads, under the viewer's name.
pub(in super::super) async fn forward(
    chat: Chat,
    viewer: Viewer,
    input: ForwardInput,
) -> Result<Outcome> {
    let (message, _) = permitted_message(&chat, &viewer, input.message, &READ).await?;
    check_markable(&message)?;
    if !message.poll.is_none() {
        return Err(Error::Conflict("error-forward-poll"));
    }
    let post = PostInput::of_forwarded(input.room, message, input.key, &input.seen);
    let outcome = post_input(chat, Author::of(&viewer), post).await?;
    Ok(outcome.note(viewer.lang.t("forward-done").to_owned()))
}
