//! The message that a message repeats from elsewhere.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::model::MessageId;
use crate::base::ids::AccountId;

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
    /// Whether the message is its author's own.
    pub fn is_none(&self) -> bool {
        self.from.is_none()
    }
}
