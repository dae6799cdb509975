//! The message that another one answers, as far as a quote shows it.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::markdown;
use super::model::MessageId;
use crate::base::ids::AccountId;

/// Characters of it that are shown, in one line.
const SHOWN_CHARS: usize = 140;

/// What a message answers: nothing, or another message of its room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub struct Reply {
    /// The message that is answered.
    #[sqlx(rename = "reply_to")]
    pub to: Option<MessageId>,
    /// Who wrote that; `None` once its room's history is gone.
    #[sqlx(rename = "quoted_author")]
    pub author: Option<AccountId>,
    /// The author's name.
    #[sqlx(rename = "quoted_name")]
    pub author_name: Option<String>,
    /// The beginning of its Markdown; empty once it is deleted, and for files alone.
    #[sqlx(rename = "quoted_text")]
    pub text: Option<String>,
    /// Grows with every change of it.
    #[sqlx(rename = "quoted_revision")]
    pub revision: Option<i64>,
    /// Whether it is deleted.
    #[sqlx(rename = "quoted_deleted")]
    pub is_deleted: Option<bool>,
}

impl Reply {
    /// Whether the message answers none.
    pub fn is_none(&self) -> bool {
        self.to.is_none()
    }

    /// The text in one line, without markup.
    pub(super) fn excerpt(&self) -> String {
        let text = self.text.as_deref().unwrap_or_default();
        markdown::to_plain(text, SHOWN_CHARS)
    }

    /// Whether nothing is left to quote.
    pub(super) fn is_gone(&self) -> bool {
        self.author.is_none() || self.is_deleted == Some(true)
    }
}

/// The columns of a [`Reply`] of `messages m`, which [`quoted_joins`] brings.
macro_rules! quoted_columns {
    () => {
        "q.author_id AS quoted_author, qa.name AS quoted_name, \
         substr(q.body, 1, 300) AS quoted_text, q.revision AS quoted_revision, \
         (q.deleted_at IS NOT NULL) AS quoted_deleted"
    };
}

/// The message that `messages m` answers, as `q`, and its author as `qa`.
macro_rules! quoted_joins {
    () => {
        " LEFT JOIN messages q ON q.id = m.reply_to LEFT JOIN accounts qa ON qa.id = q.author_id "
    };
}
pub(super) use {quoted_columns, quoted_joins};
