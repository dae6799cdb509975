//! The message that a message repeats from elsewhere.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::attachment::{Attachment, Attachments};
use super::model::{Message, MessageId};
use super::{Chat, attachment_store, store};
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::{AccountId, SpaceId};

/// Where a message was forwarded from, if it was. Its text and files are copies: they stay when the
/// other message changes or goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Forwarded {
    /// The message that was forwarded. Whoever may read that finds it.
    #[sqlx(rename = "forwarded_from")]
    pub from: Option<MessageId>,
    /// Who wrote it.
    #[sqlx(rename = "forwarded_author")]
    pub author: Option<AccountId>,
}

impl Forwarded {
    /// What is stored with a message that repeats another one, or none. Of one that was forwarded
    /// before, the first one is named.
    pub(super) fn of(message: Option<&Message>) -> Self {
        match message {
            Some(message) if !message.forwarded.is_none() => message.forwarded,
            Some(message) => Self {
                from: Some(message.id),
                author: Some(message.author),
            },
            None => Self::default(),
        }
    }

    /// Whether the message is its author's own.
    pub fn is_none(&self) -> bool {
        self.from.is_none()
    }
}

impl Chat {
    /// Copies the files of a message to another one that forwards it, in a space or a conversation.
    pub(super) async fn copy_files(
        &self,
        tx: &mut Tx,
        from: &Message,
        to: &Message,
        space: Option<SpaceId>,
    ) -> Result<Attachments> {
        if from.files.0.is_empty() {
            return Ok(Attachments::default());
        }
        let mut copies = Vec::new();
        for file in &from.files.0 {
            let (files, target) = (&self.engine.files, to.room.0);
            let copy = files.copy(tx, file.id, target, to.author, space).await?;
            attachment_store::insert(tx, copy.id, (to.id, to.room)).await?;
            copies.push(Attachment::of(&copy, file.caption.clone()));
        }
        let copies = Attachments(copies);
        store::set_files(tx, to.id, &copies).await?;
        Ok(copies)
    }
}
