//! The message that another one answers, as far as a quote shows it.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::attachment::Attachments;
use super::markdown;
use super::model::MessageId;
use super::voice::Voice;
use crate::base::ids::AccountId;
use crate::base::locale::Lang;

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
    /// The files of one without a text.
    #[sqlx(rename = "quoted_files", try_from = "String")]
    #[serde(default, skip_serializing_if = "QuotedFiles::is_empty")]
    pub files: QuotedFiles,
}

/// What a quote shows of files alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotedFiles {
    /// The first voice message among them.
    pub voice: Option<Voice>,
}

impl QuotedFiles {
    fn is_empty(&self) -> bool {
        self.voice.is_none()
    }
}

impl TryFrom<String> for QuotedFiles {
    type Error = serde_json::Error;

    fn try_from(stored: String) -> Result<Self, serde_json::Error> {
        let files = Attachments::try_from(stored)?;
        Ok(Self {
            voice: files.voice().cloned(),
        })
    }
}

impl Reply {
    /// Whether the message answers none.
    pub fn is_none(&self) -> bool {
        self.to.is_none()
    }

    /// The text in one line, without markup, or what stands for files alone.
    pub(super) fn excerpt(&self, lang: Lang) -> String {
        let text = self.text.as_deref().unwrap_or_default();
        let text = markdown::to_plain(text, SHOWN_CHARS);
        match (&self.files.voice, text.is_empty()) {
            (_, false) => text,
            (Some(voice), true) => voice.words(lang),
            (None, true) => lang.t("reply-to-file").to_owned(),
        }
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
         (q.deleted_at IS NOT NULL) AS quoted_deleted, \
         CASE WHEN q.body = '' THEN q.files ELSE '' END AS quoted_files"
    };
}

/// The message that `messages m` answers, as `q`, and its author as `qa`.
macro_rules! quoted_joins {
    () => {
        " LEFT JOIN messages q ON q.id = m.reply_to LEFT JOIN accounts qa ON qa.id = q.author_id "
    };
}
pub(super) use {quoted_columns, quoted_joins};
