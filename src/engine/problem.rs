//! Errors in words, for people and for programs.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::base::error::Error;
use crate::base::locale::Lang;

/// An error as programs see it, on sockets and over HTTP.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// `not_found`, `sign_in_first`, `forbidden`, `invalid`, `conflict`, `too_many`, `unavailable`
    /// or `internal`.
    pub code: &'static str,
    /// The same for people, in their language.
    pub message: Cow<'static, str>,
    /// For `invalid`: field name to sentence.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub fields: serde_json::Map<String, Value>,
    /// For `too_many` and `unavailable`: seconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
}

/// What happened and what to do, in one or two sentences.
pub fn words_of(error: &Error, lang: Lang) -> String {
    match error {
        Error::NotFound => lang.t("error-not-found").to_owned(),
        Error::SignInFirst => lang.t("error-sign-in-first").to_owned(),
        Error::Forbidden(key) | Error::Conflict(key) | Error::Full(key) => lang.t(key).to_owned(),
        Error::TooLarge(key, limit) => lang.with(
            key,
            &[("limit", crate::base::bytes_in_words(*limit).into())],
        ),
        Error::Invalid(fields) => {
            let sentences: Vec<_> = fields
                .iter()
                .map(|field| lang.with(field.key, &[("limit", field.limit.into())]))
                .collect();
            sentences.join(" ")
        }
        Error::TooMany(left) => {
            lang.with("error-too-many", &[("seconds", seconds(left.wait).into())])
        }
        Error::Unavailable => lang.t("error-unavailable").to_owned(),
        Error::Internal(_) => lang.t("error-internal").to_owned(),
    }
}

/// Whole seconds, rounded up.
pub(super) fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Seconds after which the same request may succeed; none where it has to be changed.
pub(super) fn retry_after(error: &Error) -> Option<u64> {
    match error {
        Error::TooMany(left) => Some(seconds(left.wait).max(1)),
        Error::Unavailable => Some(1),
        _ => None,
    }
}

/// Words an error for programs.
pub fn problem(error: &Error, lang: Lang) -> Problem {
    let fields = match error {
        Error::Invalid(fields) => fields
            .iter()
            .map(|field| {
                (
                    field.field.to_owned(),
                    lang.with(field.key, &[("limit", field.limit.into())])
                        .into(),
                )
            })
            .collect(),
        _ => serde_json::Map::new(),
    };
    Problem {
        code: error.code(),
        message: Cow::Owned(words_of(error, lang)),
        fields,
        retry_after: retry_after(error),
    }
}
