//! Errors as text for people and as JSON for API clients.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::base::error::Error;
use crate::base::locale::Lang;

/// Waits of an hour and more are told in hours.
const HOUR: Duration = Duration::from_secs(3600);

/// An error as API clients get it, on sockets and over HTTP.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// That of [`Error::code`]; `docs/live.md` lists all of them.
    pub code: &'static str,
    /// What happened and what to do, in the viewer's language.
    pub message: Cow<'static, str>,
    /// For `invalid`: from the name of a field to a sentence.
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
        Error::ForbiddenWith(key, arguments) => {
            let arguments = arguments.iter();
            let arguments: Vec<_> = arguments
                .map(|(name, value)| (*name, value.as_str().into()))
                .collect();
            lang.with(key, &arguments)
        }
        Error::WrongHost => lang.t("error-wrong-host").to_owned(),
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
        Error::TooMany(left) if left.wait >= HOUR => {
            let hours = left.wait.as_secs().div_ceil(HOUR.as_secs());
            lang.with("error-too-many-hours", &[("hours", hours.into())])
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

/// Converts an error for API clients, with messages in this language.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::error::Allowance;

    /// One error of each kind: a chain whose `match` does not compile without a new kind.
    fn errors() -> impl Iterator<Item = Error> {
        std::iter::successors(Some(Error::NotFound), |error| {
            Some(match error {
                Error::NotFound => Error::SignInFirst,
                Error::SignInFirst => Error::Forbidden(""),
                Error::Forbidden(_) | Error::ForbiddenWith(..) => Error::WrongHost,
                Error::WrongHost => Error::Invalid(Vec::new()),
                Error::Invalid(_) => Error::TooLarge("", 0),
                Error::TooLarge(..) => Error::Full(""),
                Error::Full(_) => Error::Conflict(""),
                Error::Conflict(_) => Error::TooMany(Allowance::used_up(1, Duration::ZERO)),
                Error::TooMany(_) => Error::Unavailable,
                Error::Unavailable => Error::Internal(anyhow::anyhow!("")),
                Error::Internal(_) => return None,
            })
        })
    }

    #[test]
    fn documented_codes_are_those_of_the_errors() {
        let docs = include_str!("../../docs/live.md");
        let (_, section) = docs.split_once("## Errors\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let documented: Vec<&str> = section
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .filter_map(|row| {
                row.rsplit_once(" | ")
                    .map(|(code_and_status, _)| code_and_status)
            })
            .collect();
        let row = |error: Error| format!("{}` | {}", error.code(), error.status().as_u16());
        assert_eq!(documented, errors().map(row).collect::<Vec<_>>());
    }

    #[test]
    fn retry_after_is_told_for_errors_that_pass() {
        for error in errors() {
            let is_told = retry_after(&error).is_some();
            let passes = matches!(error, Error::TooMany(_) | Error::Unavailable);
            assert_eq!(is_told, passes, "{}", error.code());
        }
    }
}
