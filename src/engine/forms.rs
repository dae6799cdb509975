//! Refused forms: the submitted values and their errors, for the page that shows the form again.

use std::sync::Arc;

use crate::base::error::{Error, FieldError};
use crate::base::locale::Lang;
use crate::engine::problem::words_of;

/// The largest form without files, and the largest text field of a form with files, in bytes: room
/// for the longest message with every byte percent-encoded.
pub const MAX_FORM_BYTES: usize = 384 << 10;

/// The refused form that a page shows again; blank when the page was merely requested. As an
/// extractor it never fails.
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
    /// A form for `action` that was refused with `error`. `body` is the URL-encoded form; fields
    /// whose name contains `password` are dropped, so that no page repeats a password.
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

    /// Whether no form was refused.
    pub fn is_blank(&self) -> bool {
        self.0.is_none()
    }

    /// The form of this action: blank when another form of the page was refused.
    pub fn of(&self, action: &str) -> Self {
        Self(self.0.clone().filter(|refused| refused.action == action))
    }

    /// The submitted value of a field; empty when the form is blank.
    pub fn value(&self, field: &str) -> &str {
        self.or(field, "")
    }

    /// The submitted value of a field, or `current` when the form is blank.
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

    /// The submitted values of a field that may be repeated, in order; none when the form is blank.
    pub fn values<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.0.iter().flat_map(|refused| &refused.values);
        values
            .filter(move |(name, _)| name == field)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the checkbox of this name and value was ticked; `current` when the form is blank.
    pub fn ticked(&self, field: &str, value: &str, current: &bool) -> bool {
        match &self.0 {
            Some(refused) => refused
                .values
                .iter()
                .any(|(name, ticked)| name == field && ticked == value),
            None => *current,
        }
    }

    /// The error of a field, in the viewer's language.
    pub fn error(&self, field: &str) -> Option<String> {
        let refused = self.0.as_ref()?;
        let error = refused.errors.iter().find(|error| error.field == field)?;
        Some(
            refused
                .lang
                .with(error.key, &[("limit", error.limit.into())]),
        )
    }

    /// The error of the form as a whole, in the viewer's language.
    pub fn problem(&self) -> Option<&str> {
        self.0.as_ref()?.problem.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &[u8]) -> Form {
        let error = Error::field("choice", "error-form");
        Form::refused("polls.add", body, &error, Lang::default())
    }

    #[test]
    fn repeated_field_has_every_value_in_order() {
        let form = refused(b"choice=tea&other=x&choice=&choice=caf%C3%A9");
        let values: Vec<_> = form.values("choice").collect();
        assert_eq!(values, ["tea", "", "caf\u{e9}"]);
        assert_eq!(form.value("choice"), "tea");
        assert_eq!(form.values("missing").count(), 0);
        assert_eq!(Form::default().values("choice").count(), 0);
    }

    #[test]
    fn passwords_are_not_repeated() {
        assert_eq!(
            refused(b"password=a&password=b").values("password").count(),
            0
        );
    }
}
