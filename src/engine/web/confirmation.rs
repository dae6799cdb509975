//! Asks before what cannot be undone.
//!
//! A form names its question in a field `ask`, and whom or what it is about in a field `about`. The
//! answer is a page with the question and a form of the same fields without these two, which does
//! it. Scripts show the question in a dialog instead (`assets/js/ask.js`). An `ask` protects from
//! mistakes, not from attackers: a request without it is done at once.

use askama::Template;

use super::head::{Head, Pages};
use super::html::Html;
use crate::base::error::Result;
use crate::base::locale::Lang;
use crate::engine::viewer::Viewer;

/// The texts of a question.
struct Question {
    title: String,
    text: &'static str,
    /// The button that does it.
    yes: &'static str,
}

impl Question {
    /// The question that a form names; nothing for an unknown one.
    fn find(ask: &str, about: &str, lang: Lang) -> Option<Self> {
        // Set apart from the direction of the text around it.
        let about = format!("\u{2068}{about}\u{2069}");
        let name = [("name", about.as_str().into())];
        let (title, text, yes) = match ask {
            "remove-member" => (
                lang.with("ask-remove-member", &name),
                lang.t("member-remove-hint"),
                lang.t("action-remove"),
            ),
            "delete-role" => (
                lang.with("ask-delete-role", &name),
                lang.t("role-delete-hint"),
                lang.t("role-delete-title"),
            ),
            "leave-space" => (
                lang.with("ask-leave-space", &name),
                lang.t("leave-hint"),
                lang.t("leave-title"),
            ),
            "archive-room" => (
                lang.with("ask-archive-room", &name),
                lang.t("archive-hint"),
                lang.t("archive-title"),
            ),
            "revoke-invite" => (
                lang.t("ask-revoke-invite").to_owned(),
                lang.t("ask-revoke-invite-text"),
                lang.t("invite-revoke"),
            ),
            "remove-emoji" => (
                lang.with("ask-remove-emoji", &name),
                lang.t("ask-remove-emoji-text"),
                lang.t("action-remove"),
            ),
            "remove-picture" => (
                lang.t("ask-remove-picture").to_owned(),
                lang.t("ask-remove-picture-text"),
                lang.t("action-remove"),
            ),
            "end-session" => (
                lang.with("ask-end-session", &name),
                lang.t("ask-end-session-text"),
                lang.t("session-end"),
            ),
            "end-other-sessions" => (
                lang.t("ask-end-other-sessions").to_owned(),
                lang.t("ask-end-session-text"),
                lang.t("sessions-end-others"),
            ),
            "cancel-job" => (
                lang.t("ask-cancel-job").to_owned(),
                lang.t("ask-discard-job-text"),
                lang.t("ask-cancel-job-yes"),
            ),
            "discard-job" => (
                lang.t("ask-discard-job").to_owned(),
                lang.t("ask-discard-job-text"),
                lang.t("action-discard"),
            ),
            _ => return None,
        };
        Some(Self { title, text, yes })
    }
}

#[derive(Template)]
#[template(path = "engine/confirmation.html")]
struct ConfirmationPage {
    head: Head,
    question: Question,
    action: String,
    fields: Vec<(String, String)>,
    /// Where one goes who keeps it.
    back: String,
}

/// The page that asks; nothing if the form does not ask, or names no question that there is.
/// `body` is the URL-encoded form of `action`, and `back` the path of the page that it is on.
///
/// # Errors
/// `Internal` when the template fails.
pub(super) fn confirmation(
    pages: &Pages,
    viewer: &Viewer,
    action: &str,
    body: &[u8],
    back: Option<String>,
) -> Result<Option<Html>> {
    let mut fields: Vec<(String, String)> = serde_html_form::from_bytes(body).unwrap_or_default();
    let value = |name: &str| {
        let found = fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.clone())
    };
    let (ask, about) = (value("ask").unwrap_or_default(), value("about"));
    let Some(question) = Question::find(&ask, &about.unwrap_or_default(), viewer.lang) else {
        return Ok(None);
    };
    fields.retain(|(name, _)| name != "ask" && name != "about");
    let mut head = pages.head(viewer.lang, None, question.title.clone());
    head.theme = viewer.theme;
    let page = ConfirmationPage {
        head,
        question,
        action: action.to_owned(),
        fields,
        back: back.unwrap_or_else(|| "/".to_owned()),
    };
    Ok(Some(Html::of(&page)?))
}
