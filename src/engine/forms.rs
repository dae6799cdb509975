//! Refused forms: what was typed and what is wrong with it, for the page that shows the form again.

use std::sync::Arc;

use crate::base::error::{Error, FieldError};
use crate::base::locale::Lang;
use crate::engine::problem::words_of;

/// Bytes of a form without files, and of a field of one with files: the longest message, with every
/// byte of it escaped.
pub const MAX_FORM_BYTES: usize = 384 << 10;

/// The refused form that a page shows again; blank when the page is only visited. As an extractor
/// it never fails.
#[derive(Clone, Default)]
pub struct Form(Option<Arc<Refused>>);

struct Refused {
    action: String,
    values: Vec<(String, String)>,
    errors: Vec<FieldError>,
    problem: Option<String>,
    lang: Lang,
}

impl Form {
    /// A form for `action` that was refused with `error`. `body` is the form as it was sent; fields
    /// whose name contains `password` are left out.
    pub fn refused(action: &str, body: &[u8], error: &Error, lang: Lang) -> Self {
        let mut values: Vec<(String, String)> =
            serde_html_form::from_bytes(body).unwrap_or_default();
        values.retain(|(name, _)| !name.contains("password"));
        let (errors, problem) = match error {
            Error::Invalid(errors) if errors.iter().all(|e| e.field != "form") => {
                (errors.clone(), None)
            }
            other => (Vec::new(), Some(words_of(other, lang))),
        };
        Self(Some(Arc::new(Refused {
            action: action.to_owned(),
            values,
            errors,
            problem,
            lang,
        })))
    }

    /// Whether no form was refused: the page is only visited.
    pub fn is_blank(&self) -> bool {
        self.0.is_none()
    }

    /// The form of this action: blank when another form of the page was refused.
    pub fn of(&self, action: &str) -> Self {
        Self(self.0.clone().filter(|refused| refused.action == action))
    }

    /// What was typed into a field; empty when the form is blank.
    pub fn value(&self, field: &str) -> &str {
        self.or(field, "")
    }

    /// What was typed into a field, or `current` when the form is blank.
    pub fn or<'a>(&'a self, field: &str, current: &'a str) -> &'a str {
        match &self.0 {
            Some(refused) => refused
                .values
                .iter()
                .find(|(name, _)| name == field)
                .map_or("", |(_, value)| value),
            None => current,
        }
    }

    /// Whether the checkbox of this name and value was ticked, or `current` when the form is blank.
    pub fn ticked(&self, field: &str, value: &str, current: &bool) -> bool {
        match &self.0 {
            Some(refused) => refused
                .values
                .iter()
                .any(|(name, ticked)| name == field && ticked == value),
            None => *current,
        }
    }

    /// What is wrong with a field, in the viewer's language.
    pub fn error(&self, field: &str) -> Option<String> {
        let refused = self.0.as_ref()?;
        let error = refused.errors.iter().find(|error| error.field == field)?;
        Some(
            refused
                .lang
                .with(error.key, &[("limit", error.limit.into())]),
        )
    }

    /// What is wrong with the form as a whole, in the viewer's language.
    pub fn problem(&self) -> Option<&str> {
        self.0.as_ref()?.problem.as_deref()
    }
}
