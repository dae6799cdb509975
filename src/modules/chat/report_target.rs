//! Messages as what can be reported: to the moderators of the space, or, of a direct conversation,
//! to the host.

use super::Chat;
use super::actions::permitted_message;
use super::model::MessageId;
use crate::base::error::{Error, Result};
use crate::community::permissions::READ;
use crate::engine::reportable::{Reported, Target};
use crate::engine::viewer::Viewer;

/// # Errors
/// `NotFound` for who does not read the message, and for one that is deleted or that nobody wrote.
pub(super) async fn message(chat: Chat, viewer: Viewer, target: Target) -> Result<Reported> {
    let id = MessageId(target.id);
    let (message, room) = permitted_message(&chat, &viewer, id, &READ).await?;
    if message.is_deleted() || !message.told.is_nothing() {
        return Err(Error::NotFound);
    }
    let files = message.files.0.iter();
    let files = files.map(|file| {
        let name = match &file.voice {
            Some(voice) => voice.words(viewer.lang),
            None => file.name.clone(),
        };
        match file.caption.as_str() {
            "" => name,
            caption => format!("{name}: {caption}"),
        }
    });
    let body = std::iter::once(message.body.clone()).chain(files);
    let lines: Vec<_> = body.filter(|line| !line.is_empty()).collect();
    Ok(Reported {
        space: room.space,
        room: Some(room.id),
        author: message.author,
        shown_author: None,
        excerpt: lines.join("\n"),
        href: format!("/messages/{id}"),
        at: Some(message.created_at),
    })
}
