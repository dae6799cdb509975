//! Fluent files: which messages they have, and what is wrong with them.

use std::collections::HashMap;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::resolver::errors::{ReferenceKind, ResolverError};
use fluent_bundle::{FluentError, FluentResource};
use unic_langid::LanguageIdentifier;

/// The ids of the messages in a Fluent file with the lines they start at (from 1). Fluent keeps
/// the first column for them: everything that belongs to a message is indented.
pub(super) fn message_ids(ftl: &str) -> impl Iterator<Item = (usize, &str)> {
    ftl.lines().enumerate().filter_map(|(index, line)| {
        let (id, _) = line.split_once('=')?;
        let id = id.trim_end_matches(' ');
        let is_id = id.starts_with(|c: char| c.is_ascii_alphabetic())
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        is_id.then_some((index + 1, id))
    })
}

/// What is wrong with a Fluent file, each with its line (from 1): syntax errors, ids used twice,
/// references to messages that do not exist. For the tests and for tools; the server shows what
/// it can.
pub fn problems(ftl: &str) -> Vec<(usize, String)> {
    let line_of = |position: usize| {
        let before = &ftl.as_bytes()[..position.min(ftl.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    };
    let mut list = Vec::new();
    let resource = FluentResource::try_new(ftl.to_owned()).unwrap_or_else(|(readable, errors)| {
        list.extend(
            errors
                .iter()
                .map(|error| (line_of(error.pos.start), error.to_string())),
        );
        readable
    });
    let mut bundle = FluentBundle::new_concurrent(vec![LanguageIdentifier::default()]);
    // Their errors are found again below, with a line.
    let _ = (bundle.add_builtins(), bundle.add_resource(resource));
    let mut seen = HashMap::new();
    for (line, id) in message_ids(ftl) {
        if let Some(first) = seen.insert(id, line) {
            list.push((line, format!("`{id}` is already on line {first}")));
        }
        let Some(pattern) = bundle.get_message(id).and_then(|message| message.value()) else {
            continue;
        };
        let mut errors = Vec::new();
        bundle.format_pattern(pattern, None, &mut errors);
        list.extend(
            errors
                .iter()
                .filter(|error| !is_missing_argument(error))
                .map(|error| (line, format!("`{id}`: {error}"))),
        );
    }
    list.sort();
    list
}

/// Whether formatting only lacked an argument, which is no mistake in the file.
fn is_missing_argument(error: &FluentError) -> bool {
    matches!(
        error,
        FluentError::ResolverError(ResolverError::Reference(ReferenceKind::Variable { .. }))
    )
}
