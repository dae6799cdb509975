//! The languages of the interface.
//!
//! Every language is a Fluent file compiled into the binary (`locales/<tag>.ftl`, listed in
//! `locale/languages.rs`). English is the source: a message another language lacks is shown in
//! English, and a message English lacks is a bug that the tests of this module find. Messages
//! without arguments are formatted once, when the tables are first needed, so showing one costs a
//! hash and no allocation.
//!
//! Messages are plain text. Whoever puts them into a page escapes them, as the templates do.
//!
//! One more language is generated at load: the pseudo-locale, English with accents, longer, and
//! between `⟦` and `⟧`. A page shown in it that has text without these marks has words that cannot
//! be translated.

mod ftl;
mod languages;
mod module_messages;
mod negotiation;
mod pseudo;
mod table;
#[cfg(test)]
mod tests;
mod value;

use fluent_bundle::{FluentArgs, FluentValue};

use ftl::message_ids;
pub use ftl::problems;
use languages::{SOURCES, Source};
pub use module_messages::{ModuleMessages, add_messages};
use negotiation::negotiate;
use table::{Table, tables};
pub use value::Value;

/// The tag that chooses the pseudo-locale; nothing shorter or longer does.
pub const PSEUDO_TAG: &str = "qps-ploc";

/// Shown in place of a message that exists in no language.
pub const MISSING: &str = "⟨missing⟩";

/// A language of the interface, by its index in `SOURCES`. The default is English.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Lang(u8);

impl Lang {
    /// The language to answer in: `chosen` (the account's setting) if it is one of ours, else the
    /// best match of the Accept-Language header, else English. Reads at most 1 KiB and 16 entries
    /// of the header and ignores what it cannot read.
    pub fn negotiate(chosen: Option<&str>, accept_language: Option<&str>) -> Self {
        negotiate(&SOURCES, chosen, accept_language)
    }

    /// Every language that an account can choose, as (tag, its name in itself), English first.
    pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
        SOURCES
            .iter()
            .filter(|source| !source.is_pseudo)
            .map(|source| (source.code, source.own_name))
    }

    /// Number of languages, the pseudo-locale among them.
    pub fn count() -> usize {
        SOURCES.len()
    }

    /// Below [`Lang::count`]: for tables by language.
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

    /// As compiled in. Every `Lang` is made from an index of `SOURCES`, so it is in range.
    fn source(self) -> &'static Source {
        SOURCES.get(usize::from(self.0)).unwrap_or(&SOURCES[0])
    }

    /// The messages, loaded on first use.
    fn table(self) -> &'static Table {
        let tables = tables();
        tables.get(usize::from(self.0)).unwrap_or(&tables[0])
    }
}
