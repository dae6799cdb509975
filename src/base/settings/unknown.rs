//! Names that no setting has, in `tidepool.toml` and in the environment: most often a misspelt
//! setting, whose limit would silently not be in force.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

use super::file::SettingsFile;

const PREFIX: &str = "TIDEPOOL_";
/// Variables that are no settings: where the settings are, and those that are never saved with
/// them.
const OTHER_VARIABLES: [&str; 5] = [
    "TIDEPOOL_DATA",
    "TIDEPOOL_LETTERS_PROMPTS_KEY",
    "TIDEPOOL_MAIL_PASSWORD",
    "TIDEPOOL_OIDC_CLIENT_SECRET",
    "TIDEPOOL_S3_SECRET_KEY",
];
/// Names less alike than this (Jaro-Winkler, 1 for the same) are no misspelling.
const MIN_SIMILARITY: f64 = 0.8;

/// Refuses a file with keys that no setting has. A file that does not exist has none.
///
/// # Errors
/// As [`read_table`].
pub(super) fn refuse_unknown_keys(path: &Path) -> Result<()> {
    let known: Vec<&str> = SettingsFile::names().map(|(key, _)| key).collect();
    read_table(path, "setting", &known).map(drop)
}

/// Reads a file of keys and values; empty when there is none. `noun` is what an error calls a key.
///
/// # Errors
/// When it is no TOML, which never quotes the file: it may hold secrets. When it has unknown keys:
/// names the file, each of them, and the nearest that exists.
pub(in crate::base) fn read_table(path: &Path, noun: &str, known: &[&str]) -> Result<toml::Table> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(toml::Table::new()),
        text => text.with_context(|| format!("{} cannot be read", path.display()))?,
    };
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let before = text.get(..start).unwrap_or_default();
        anyhow!(
            "{} is no TOML: {} in line {}",
            path.display(),
            error.message(),
            before.matches('\n').count() + 1
        )
    })?;
    let unknown = describe_unknown(table.keys().map(String::as_str), known);
    if !unknown.is_empty() {
        bail!(
            "{}: no {noun} is called {}",
            path.display(),
            unknown.join(", ")
        );
    }
    Ok(table)
}

/// Those of the variables that begin with `TIDEPOOL_` and that nothing reads.
pub(super) fn unknown_variables(names: impl Iterator<Item = OsString>) -> Vec<String> {
    let mut known: Vec<&str> = SettingsFile::names()
        .map(|(_, variable)| variable)
        .collect();
    known.extend(OTHER_VARIABLES);
    let names: Vec<String> = names
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| name.starts_with(PREFIX))
        .collect();
    describe_unknown(names.iter().map(String::as_str), &known)
}

/// The unknown names in quotes, each with the nearest known one if any is near.
fn describe_unknown<'a>(names: impl Iterator<Item = &'a str>, known: &[&str]) -> Vec<String> {
    let unknown = names.filter(|name| !known.contains(name));
    unknown
        .map(|name| match nearest(name, known) {
            Some(near) => format!("{name:?} (did you mean {near:?}?)"),
            None => format!("{name:?}"),
        })
        .collect()
}

fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let alike = known
        .iter()
        .map(|&known| (strsim::jaro_winkler(name, known), known));
    alike
        .filter(|(similarity, _)| *similarity >= MIN_SIMILARITY)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::super::{Flags, Settings};
    use super::*;

    /// The error of a server that starts with this file.
    fn refusal(name: &str, text: &str) -> String {
        let id = std::process::id();
        let folder = std::env::temp_dir().join(format!("tidepool-unknown-{id}-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("tidepool.toml"), text).unwrap();
        let flags = Flags {
            data: Some(folder.clone()),
            ..Flags::default()
        };
        let loaded = Settings::load(&flags).map_err(|error| format!("{error:#}"));
        std::fs::remove_dir_all(folder).unwrap();
        loaded.map_or_else(|error| error, |_| String::new())
    }

    #[test]
    fn unknown_key_is_refused_with_the_nearest() {
        let error = refusal("misspelt", "readers = 2\nmax_file_mb = 5\n");
        assert!(error.contains("\"max_file_mb\""), "{error}");
        assert!(error.contains("did you mean \"max_file_mib\"?"), "{error}");
        let error = refusal("nested", "[limits]\nreaders = 2\n");
        assert!(error.contains("\"limits\""), "{error}");
        assert_eq!(refusal("known", "readers = 2\n"), "");
    }

    #[test]
    fn wrong_type_is_refused_with_the_key() {
        for (case, text) in [("text", "readers = \"two\"\n"), ("range", "readers = -1\n")] {
            let error = refusal(case, text);
            assert!(error.contains("readers"), "{text}: {error}");
        }
    }

    #[test]
    fn unknown_variable_is_named_with_the_nearest() {
        let names = [
            "TIDEPOOL_HTTP",
            "TIDEPOOL_DATA",
            "TIDEPOOL_ADDRESS",
            "PATH",
            "TIDEPOOL_",
        ];
        let unknown = unknown_variables(names.map(OsString::from).into_iter());
        assert_eq!(unknown.len(), 2, "{unknown:?}");
        assert_eq!(
            unknown[0],
            "\"TIDEPOOL_HTTP\" (did you mean \"TIDEPOOL_HTTPS\"?)"
        );
    }
}
