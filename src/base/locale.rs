//! The languages of the interface.
//!
//! Every language is a Fluent file compiled into the binary (`locales/<tag>.ftl`). English is the
//! source: a message another language lacks is shown in English, and a message English lacks is
//! a bug that the tests of this module find. Messages without arguments are formatted once, when
//! the tables are first needed, so showing one costs a hash and no allocation.
//!
//! Messages are plain text. Whoever puts them into a page escapes them, as the templates do.
//!
//! One more language is made up at load: the pseudo-locale, English with accents, longer, and
//! between `⟦` and `⟧`. A page shown in it and holding text without these marks has words that
//! cannot be translated.

mod negotiation;
mod pseudo;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::resolver::errors::{ReferenceKind, ResolverError};
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

use negotiation::negotiate;
use pseudo::disguise;

/// What the pseudo-locale is asked for by; nothing shorter or longer matches it.
pub const PSEUDO_TAG: &str = "qps-ploc";

/// Shown in place of a message that does not exist in any language.
pub const MISSING: &str = "⟨missing⟩";

/// Bytes of an Accept-Language header that are read.
const MAX_HEADER_BYTES: usize = 1024;

/// Entries of an Accept-Language header that are considered.
const MAX_HEADER_ENTRIES: usize = 16;

/// Everything known about a language before its file is read.
struct Source {
    /// The tag it is chosen by (BCP 47, as the file is named).
    code: &'static str,
    /// The tag written into pages.
    tag: &'static str,
    /// Its name in itself, for the settings.
    own_name: &'static str,
    /// The side a line starts at: `ltr` or `rtl`.
    dir: &'static str,
    /// Its messages.
    ftl: &'static str,
    /// Whether its words are to be disguised.
    pseudo: bool,
}

/// The languages compiled in: English first, then any others, the pseudo-locale last. Adding a
/// language is one entry here and one file in `locales`.
static SOURCES: [Source; 2] = [
    Source {
        code: "en",
        tag: "en",
        own_name: "English",
        dir: "ltr",
        ftl: include_str!("../../locales/en.ftl"),
        pseudo: false,
    },
    Source {
        code: PSEUDO_TAG,
        tag: "en-x-pseudo",
        own_name: "⟦Pseudo⟧",
        dir: "ltr",
        ftl: include_str!("../../locales/en.ftl"),
        pseudo: true,
    },
];

/// A language of the interface: a number, cheap to copy and to keep. The default is English.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Lang(u8);

/// An argument of a message.
#[derive(Clone, PartialEq, Debug)]
pub enum Value<'a> {
    /// Text, shown as it is and never read as a message.
    Text(Cow<'a, str>),
    /// A whole number, which also selects a plural form. Exact up to 2^53.
    Number(i64),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Value<'_> {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<i32> for Value<'_> {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl<'a> From<&'a Value<'_>> for FluentValue<'a> {
    fn from(value: &'a Value<'_>) -> Self {
        match value {
            Value::Text(text) => FluentValue::from(text.as_ref()),
            Value::Number(number) => FluentValue::from(*number),
        }
    }
}

impl Lang {
    /// The language to answer in: the account's setting if it is one of ours, else the best match
    /// of the Accept-Language header, else English. Reads at most 1 KiB and 16 entries of the
    /// header and ignores what it cannot read.
    pub fn negotiate(chosen: Option<&str>, accept_language: Option<&str>) -> Self {
        negotiate(&SOURCES, chosen, accept_language)
    }

    /// Every language a member can choose, as (tag, its name in itself), English first.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        SOURCES
            .iter()
            .filter(|source| !source.pseudo)
            .map(|source| (source.code, source.own_name))
    }

    /// How many languages there are, the pseudo-locale among them.
    pub fn count() -> usize {
        SOURCES.len()
    }

    /// The language's number, below [`Lang::count`]: for tables by language.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The tag for a page's `lang` attribute, always valid BCP 47.
    pub fn tag(self) -> &'static str {
        self.source().tag
    }

    /// The side a line starts at, for a page's `dir` attribute: `ltr` or `rtl`.
    pub fn dir(self) -> &'static str {
        self.source().dir
    }

    /// A message without arguments. One that this language lacks is given in English; one that
    /// does not exist is logged and given as [`MISSING`] (and is a panic in debug builds).
    pub fn t(self, key: &str) -> &'static str {
        if let Some(text) = self.table().fixed.get(key) {
            return text;
        }
        let why = if self.has(key) {
            "takes arguments"
        } else {
            "does not exist"
        };
        tracing::error!(key, lang = self.tag(), why, "a message cannot be shown");
        debug_assert!(false, "the message `{key}` {why}");
        MISSING
    }

    /// A message with arguments. Falls back like [`Lang::t`]; an argument that is not given shows
    /// as its name.
    pub fn with(self, key: &str, args: &[(&'static str, Value<'_>)]) -> String {
        let mut values = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            values.set(*name, FluentValue::from(value));
        }
        let found = [self, Self::default()]
            .into_iter()
            .find_map(|lang| lang.table().format(key, Some(&values)));
        let Some((text, errors)) = found else {
            tracing::error!(key, lang = self.tag(), "a message does not exist");
            debug_assert!(false, "the message `{key}` does not exist");
            return MISSING.to_owned();
        };
        if !errors.is_empty() {
            tracing::warn!(key, lang = self.tag(), ?errors, "a message is incomplete");
        }
        text
    }

    /// Whether the message exists, in this language or in English.
    pub fn has(self, key: &str) -> bool {
        [self, Self::default()]
            .into_iter()
            .any(|lang| lang.table().bundle.has_message(key))
    }

    /// The keys of this language's own file, in its order.
    pub fn keys(self) -> impl Iterator<Item = &'static str> {
        message_ids(self.source().ftl).map(|(_, key)| key)
    }

    /// What was known before load. The number always comes from this table, so it is in range.
    fn source(self) -> &'static Source {
        SOURCES.get(usize::from(self.0)).unwrap_or(&SOURCES[0])
    }

    /// The messages, loaded on first use.
    fn table(self) -> &'static Table {
        let tables = tables();
        tables.get(usize::from(self.0)).unwrap_or(&tables[0])
    }
}

/// A language, loaded.
struct Table {
    /// Messages without arguments, ready to show; English where the language has none.
    fixed: HashMap<String, Box<str>>,
    /// All messages, for those with arguments.
    bundle: FluentBundle<FluentResource>,
    /// Whether what is formatted gets the marks of the pseudo-locale.
    pseudo: bool,
}

impl Table {
    /// Reads a language. Mistakes in the file cost the messages they are in and are logged.
    fn load(source: &Source) -> Self {
        let messages = source.messages();
        let resource =
            FluentResource::try_new(messages.clone()).unwrap_or_else(|(readable, errors)| {
                tracing::error!(lang = source.code, ?errors, "a language file has mistakes");
                readable
            });
        let plurals = if source.pseudo { "en" } else { source.code };
        let locale: LanguageIdentifier = plurals.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // The marks would be pasted along with a copied name; pages isolate names in markup.
        bundle.set_use_isolating(false);
        if source.pseudo {
            bundle.set_transform(Some(disguise));
        }
        let builtins = bundle.add_builtins().err();
        let duplicates = bundle.add_resource(resource).err();
        if builtins.is_some() || duplicates.is_some() {
            tracing::error!(
                lang = source.code,
                ?duplicates,
                "a language file has duplicates"
            );
        }
        let mut table = Self {
            fixed: HashMap::new(),
            bundle,
            pseudo: source.pseudo,
        };
        table.fixed = message_ids(&messages)
            .filter_map(|(_, key)| table.format(key, None).map(|result| (key, result)))
            .filter(|(_, (_, errors))| errors.is_empty())
            .map(|(key, (text, _))| (key.to_owned(), text.into_boxed_str()))
            .collect();
        table
    }

    /// Formats a message and lists what was wrong with it, or nothing if it does not exist.
    fn format(
        &self,
        key: &str,
        args: Option<&FluentArgs<'_>>,
    ) -> Option<(String, Vec<FluentError>)> {
        let message = self.bundle.get_message(key)?;
        let pattern = message.value()?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors);
        let text = if self.pseudo {
            format!("⟦{text}⟧")
        } else {
            text.into_owned()
        };
        Some((text, errors))
    }

    /// Fills the gaps of a language with the English messages without arguments.
    fn complete_from(&mut self, english: &Self) {
        for (key, text) in &english.fixed {
            if !self.bundle.has_message(key) {
                self.fixed.insert(key.clone(), text.clone());
            }
        }
    }
}

/// Messages of modules from outside: the module, the language, and Fluent text.
static ADDED: OnceLock<Vec<Added>> = OnceLock::new();

/// Messages that a module adds to the catalogue of a language.
#[derive(Clone, Copy, Debug)]
pub struct Added {
    /// The module, with whose name and `-` each key begins.
    pub module: &'static str,
    /// The language, such as `en`.
    pub tag: &'static str,
    /// The messages in Fluent's syntax.
    pub ftl: &'static str,
}

impl Added {
    fn check(&self) -> Result<(), String> {
        let Self { module, tag, ftl } = self;
        if !Lang::all().any(|(known, _)| known == *tag) {
            return Err(format!(
                "module {module} has messages in {tag}, which no page is in"
            ));
        }
        FluentResource::try_new((*ftl).to_owned())
            .map_err(|(_, errors)| format!("the messages of module {module}: {errors:?}"))?;
        let prefix = format!("{module}-");
        match message_ids(ftl).find(|(_, key)| !key.starts_with(&prefix)) {
            Some((line, key)) => Err(format!("line {line}: {key} does not begin with {prefix}")),
            None => Ok(()),
        }
    }
}

/// Takes the messages of modules from outside, once, before any message is looked up.
///
/// # Errors
/// For a language that pages are not in, text that cannot be read, or a key that does not begin
/// with its module's name; also when called a second time, or after a message was looked up.
pub fn add_messages(added: Vec<Added>) -> Result<(), String> {
    added.iter().try_for_each(Added::check)?;
    if TABLES.get().is_some() {
        return Err("messages are added before the first is looked up".to_owned());
    }
    ADDED
        .set(added)
        .map_err(|_| "messages are added once".to_owned())
}

impl Source {
    /// The language's own messages and those that modules add.
    fn messages(&self) -> String {
        let mut messages = self.ftl.to_owned();
        let language = if self.pseudo { "en" } else { self.code };
        let added = ADDED.get().into_iter().flatten();
        for added in added.filter(|added| added.tag == language) {
            messages.push('\n');
            messages.push_str(added.ftl);
        }
        messages
    }
}

/// The loaded languages, from the first message that is looked up.
static TABLES: OnceLock<Vec<Table>> = OnceLock::new();

/// All languages, in the order of [`SOURCES`].
fn tables() -> &'static [Table] {
    TABLES.get_or_init(|| load_all(&SOURCES))
}

/// Loads the languages; the first is English and fills the gaps of the others.
fn load_all(deps: &[Source]) -> Vec<Table> {
    let mut tables: Vec<Table> = deps.iter().map(Table::load).collect();
    if let Some((english, others)) = tables.split_first_mut() {
        for table in others {
            table.complete_from(english);
        }
    }
    tables
}

/// The ids of the messages in a Fluent file with the lines they start at (from 1). Fluent keeps
/// the first column for them: everything that belongs to a message is indented.
fn message_ids(ftl: &str) -> impl Iterator<Item = (usize, &str)> {
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
    // Both report at most what the loops below find with a line.
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
