//! Forms that come back: what was typed and what was wrong with it, for the page that shows the
//! form again.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::base::error::{Error, FieldError};
use crate::base::locale::Lang;
use crate::engine::web::words_of;

/// A refused form on its way back to its page. Empty on a page that is simply visited.
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
    /// A form for `action` that was refused with `error`. Passwords are not carried back.
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

    /// Whether the page is simply visited.
    pub fn is_blank(&self) -> bool {
        self.0.is_none()
    }

    /// The form of this action: empty when another form of the page was refused.
    pub fn of(&self, action: &str) -> Self {
        Self(self.0.clone().filter(|refused| refused.action == action))
    }

    /// What was typed into a field.
    pub fn value(&self, field: &str) -> &str {
        self.or(field, "")
    }

    /// What was typed into a field, or `current` on a first visit.
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

    /// Whether a box of this name and value was ticked, or is `current`ly on a first visit.
    pub fn ticked(&self, field: &str, value: &str, current: &bool) -> bool {
        match &self.0 {
            Some(refused) => refused
                .values
                .iter()
                .any(|(name, ticked)| name == field && ticked == value),
            None => *current,
        }
    }

    /// What is wrong with a field.
    pub fn error(&self, field: &str) -> Option<String> {
        let refused = self.0.as_ref()?;
        let error = refused.errors.iter().find(|error| error.field == field)?;
        Some(
            refused
                .lang
                .with(error.key, &[("limit", error.limit.into())]),
        )
    }

    /// What is wrong with the form as a whole.
    pub fn problem(&self) -> Option<&str> {
        self.0.as_ref()?.problem.as_deref()
    }
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}
