//! Every key that templates and code use exists, and every key is used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::super::Lang;
use super::super::ftl::message_ids;

/// Keys put together at run time (`format!("role-{name}")` and the like) start with one of
/// these and count as used.
const DYNAMIC_PREFIXES: &[&str] = &[
    "act-",
    "audit-allowed",
    "audit-asks-again",
    "audit-denied",
    "audit-for-guests",
    "audit-guests-may-stay",
    "audit-new-password",
    "audit-open",
    "reminder-",
    "report-reason-",
    "report-state-",
    "moderation-heading",
    "rule-",
    "ask-",
    "bookmarks-none",
    "mentions-none",
    "pins-none",
    "appeal-state-",
    "audit-kind-",
    "case-outcome-",
    "closed-",
    "mode-",
    "color-",
    "command-",
    "conversation-closed-notice",
    "count-letters",
    "count-mentions",
    "count-notices",
    "field-quiet-",
    "inbox-heading",
    "line-",
    "notice-",
    "permission-",
    "poll-",
    "presence-",
    "room-announcement-notice",
    "room-archived-notice",
    "room-no-writing-notice",
    "room-read-only-notice",
    "guest-stay-link",
    "space-rules-read-link",
    "sanction-",
    "search-help-",
    "search-no-",
    "search-",
    "status-ends-",
    "tab-",
    "time-out-",
];

/// A key as used in a template or in code.
struct Use {
    key: String,
    place: String,
    with_arguments: bool,
}

#[test]
fn every_used_key_exists_and_every_key_is_used() {
    let english = Lang::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let uses: Vec<Use> = files(&root.join("templates"), "html")
        .into_iter()
        .chain(files(&root.join("src"), "rs"))
        .flat_map(|path| uses_in(&path))
        .collect();
    let mut mistakes = Vec::new();
    for used in &uses {
        let Use { key, place, .. } = used;
        if !english.has(key) {
            mistakes.push(format!("{place}: `{key}` is not in en.ftl"));
        } else if !used.with_arguments && !english.table().fixed.contains_key(key.as_str()) {
            mistakes.push(format!("{place}: `{key}` takes arguments"));
        }
    }
    mistakes.extend(unused_keys(&uses));
    assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
}

/// The keys of the English file that nothing refers to.
fn unused_keys(uses: &[Use]) -> Vec<String> {
    let used: BTreeSet<&str> = uses.iter().map(|used| used.key.as_str()).collect();
    let ftl = Lang::default().source().ftl;
    message_ids(ftl)
        .filter(|(_, key)| !used.contains(key))
        .filter(|(_, key)| {
            !DYNAMIC_PREFIXES
                .iter()
                .any(|prefix| key.starts_with(prefix))
        })
        .filter(|(_, key)| !ftl.contains(&format!("{{ {key} }}")))
        .map(|(line, key)| format!("en.ftl:{line}: `{key}` is not used"))
        .collect()
}

/// All files below a folder that have this extension, without tests.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).expect("a folder");
    for path in entries.map(|entry| entry.expect("readable folder").path()) {
        if path.ends_with("tests.rs") || path.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    found
}

fn uses_in(path: &Path) -> Vec<Use> {
    let content = fs::read_to_string(path).expect("readable source");
    let is_rust = path.extension().is_some_and(|end| end == "rs");
    let name = path.display().to_string();
    uses_in_text(&content, is_rust)
        .into_iter()
        .map(|(line, key, with_arguments)| Use {
            key,
            place: format!("{name}:{line}"),
            with_arguments,
        })
        .collect()
}

/// The (line, key, with arguments) of every call in a text. Tests and comments do not count.
fn uses_in_text(content: &str, is_rust: bool) -> Vec<(usize, String, bool)> {
    let mut code = content.to_owned();
    if is_rust {
        code.truncate(code.find("#[cfg(test)]\nmod tests {").unwrap_or(code.len()));
        let is_comment = |line: &&str| line.trim_start().starts_with("//");
        code = code
            .lines()
            .map(|line| if is_comment(&line) { "" } else { line })
            .collect::<Vec<_>>()
            .join("\n");
    }
    let calls = [(".t(", false), (".with(", true), ("key!(", true)];
    let mut found = Vec::new();
    for (call, with_arguments) in calls {
        for (start, _) in code.match_indices(call) {
            // The key may be on the line after the parenthesis.
            let Some(after) = code[start + call.len()..].trim_start().strip_prefix('"') else {
                continue;
            };
            let key = after.split('"').next().unwrap_or_default();
            let line = code[..start].matches('\n').count() + 1;
            found.push((line, key.to_owned(), with_arguments));
        }
    }
    if is_rust {
        // Errors carry their key to where it is shown, so any such literal is a use.
        found.extend(error_keys(&code));
    }
    found.sort();
    found.dedup();
    found
}

/// The (line, key, with arguments) of every literal that looks like the key of an error.
fn error_keys(code: &str) -> impl Iterator<Item = (usize, String, bool)> + '_ {
    code.match_indices("\"error-").filter_map(|(start, _)| {
        let key = code[start + 1..].split('"').next()?;
        let is_key = key
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let line = code[..start].matches('\n').count() + 1;
        // A prefix to build a key from ends in a dash.
        (is_key && !key.ends_with('-')).then(|| (line, key.to_owned(), true))
    })
}

#[test]
fn uses_in_code_and_templates_are_found() {
    let code = r#"a.t("one") // b.t("two")
/// c.t("no")
key!( "three")
d.with(
  "four", &[])
e.t(name) spot("no")
#[cfg(test)]
mod tests { f.t("no") }"#;
    let keys: BTreeMap<_, _> = uses_in_text(code, true)
        .into_iter()
        .map(|(line, key, _)| (key, line))
        .collect();
    let expected = [("four", 4), ("one", 1), ("three", 3), ("two", 1)];
    assert!(
        keys.iter()
            .map(|(key, line)| (key.as_str(), *line))
            .eq(expected)
    );
    let errors = "Conflict(\"error-x-1\") \"error-\" \"error-no {}\"";
    assert_eq!(
        uses_in_text(errors, true),
        [(1, "error-x-1".to_owned(), true)]
    );
    let template = "{{ lang.t(\"a\") }} {{ lang.with(\"b\", &args) }}";
    assert_eq!(uses_in_text(template, false).len(), 2);
}
