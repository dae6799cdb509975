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
        let is_plain = ask
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let key = format!("ask-{ask}");
        if !is_plain || !lang.has(&format!("{key}-yes")) {
            return None;
        }
        let title = lang.with(&key, &name);
        let text = lang.t(&format!("{key}-text"));
        let yes = lang.t(&format!("{key}-yes"));
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
