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

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::resolver::errors::{ReferenceKind, ResolverError};
use fluent_bundle::{FluentArgs, FluentError, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

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
    Source { code: "en", tag: "en", own_name: "English", dir: "ltr", ftl: include_str!("../../locales/en.ftl"), pseudo: false },
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
        SOURCES.iter().filter(|source| !source.pseudo).map(|source| (source.code, source.own_name))
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
        let why = if self.has(key) { "takes arguments" } else { "does not exist" };
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
        let found = [self, Self::default()].into_iter().find_map(|lang| lang.table().format(key, Some(&values)));
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
        [self, Self::default()].into_iter().any(|lang| lang.table().bundle.has_message(key))
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
        let resource = FluentResource::try_new(source.ftl.to_owned()).unwrap_or_else(|(readable, errors)| {
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
            tracing::error!(lang = source.code, ?duplicates, "a language file has duplicates");
        }
        let mut table = Self { fixed: HashMap::new(), bundle, pseudo: source.pseudo };
        table.fixed = message_ids(source.ftl)
            .filter_map(|(_, key)| table.format(key, None).map(|result| (key, result)))
            .filter(|(_, (_, errors))| errors.is_empty())
            .map(|(key, (text, _))| (key.to_owned(), text.into_boxed_str()))
            .collect();
        table
    }

    /// Formats a message and lists what was wrong with it, or nothing if it does not exist.
    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> Option<(String, Vec<FluentError>)> {
        let message = self.bundle.get_message(key)?;
        let pattern = message.value()?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors);
        let text = if self.pseudo { format!("⟦{text}⟧") } else { text.into_owned() };
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

/// All languages, in the order of [`SOURCES`].
fn tables() -> &'static [Table] {
    static TABLES: OnceLock<Vec<Table>> = OnceLock::new();
    TABLES.get_or_init(|| load_all(&SOURCES))
}

/// Loads the languages; the first is English and fills the gaps of the others.
fn load_all(sources: &[Source]) -> Vec<Table> {
    let mut tables: Vec<Table> = sources.iter().map(Table::load).collect();
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
        let is_id =
            id.starts_with(|c: char| c.is_ascii_alphabetic()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        is_id.then_some((index + 1, id))
    })
}

/// See [`Lang::negotiate`].
fn negotiate(sources: &[Source], chosen: Option<&str>, accept_language: Option<&str>) -> Lang {
    chosen
        .and_then(|tag| find_language(sources, tag))
        .or_else(|| best_accepted(sources, accept_language.unwrap_or_default()))
        .unwrap_or_default()
}

/// The best match of an Accept-Language header: highest weight first, then the order written.
fn best_accepted(sources: &[Source], header: &str) -> Option<Lang> {
    let header = &header[..header.floor_char_boundary(MAX_HEADER_BYTES)];
    let mut wanted: Vec<(u16, &str)> = header.split(',').take(MAX_HEADER_ENTRIES).filter_map(parse_entry).collect();
    wanted.sort_by_key(|&(weight, _)| std::cmp::Reverse(weight));
    wanted.into_iter().find_map(|(_, tag)| find_language(sources, tag))
}

/// One entry of the header as (weight in thousandths, tag); nothing if malformed or refused.
fn parse_entry(entry: &str) -> Option<(u16, &str)> {
    let mut parts = entry.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let weight = match parts.next() {
        None => 1000,
        Some(parameter) => {
            let (name, value) = parameter.split_once('=')?;
            let value: f32 = value.trim().parse().ok()?;
            let is_weight = name.trim().eq_ignore_ascii_case("q") && (0.0..=1.0).contains(&value);
            // In range by the check, so the cast cannot saturate.
            is_weight.then_some((value * 1000.0) as u16)?
        }
    };
    (weight > 0 && parts.next().is_none()).then_some((weight, tag))
}

/// The language for a tag: itself, else with its last parts dropped (`en-GB` is served by `en`),
/// else a more special one (`pt` is served by `pt-BR`).
fn find_language(sources: &[Source], tag: &str) -> Option<Lang> {
    let position = |matches: &dyn Fn(&Source) -> bool| {
        let index = sources.iter().position(matches)?;
        u8::try_from(index).ok().map(Lang)
    };
    let mut wanted = tag;
    loop {
        let exact = |source: &Source| match source.pseudo {
            true => source.code == tag,
            false => source.code.eq_ignore_ascii_case(wanted),
        };
        if let Some(lang) = position(&exact) {
            return Some(lang);
        }
        match wanted.rsplit_once('-') {
            Some((shorter, _)) => wanted = shorter,
            None => break,
        }
    }
    position(&|source: &Source| {
        let primary = source.code.split('-').next().unwrap_or_default();
        !source.pseudo && primary.eq_ignore_ascii_case(wanted)
    })
}

/// English made strange: every letter gets an accent and every vowel is doubled, which makes a
/// text about two fifths longer. Entities (`&amp;`) stay as they are. Only ever called on the
/// words of a message, never on its arguments.
fn disguise(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len() * 3);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let taken = entity_length(rest).unwrap_or(character.len_utf8());
        let (piece, after) = rest.split_at(taken);
        if taken > character.len_utf8() {
            out.push_str(piece);
        } else {
            let accented = accent(character);
            out.push(accented);
            if "aeiouyAEIOUY".contains(character) {
                out.push(accented);
            }
        }
        rest = after;
    }
    Cow::Owned(out)
}

/// The length in bytes of the HTML entity the text starts with, if it does.
fn entity_length(text: &str) -> Option<usize> {
    let name = text.strip_prefix('&')?;
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '#')?;
    (end > 0 && name[end..].starts_with(';')).then_some(end + 2)
}

/// A letter that looks like this one and is not it.
fn accent(character: char) -> char {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const ACCENTED: &str = "áƀçđéƒĝĥíĵķĺɱñóþɋŕšťúṽŵẋýžÁɃÇĐÉƑĜĤÍĴĶĹṀÑÓÞɊŔŠŤÚṼŴẊÝŽ";
    PLAIN.chars().zip(ACCENTED.chars()).find_map(|(plain, accented)| (plain == character).then_some(accented)).unwrap_or(character)
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
        list.extend(errors.iter().map(|error| (line_of(error.pos.start), error.to_string())));
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
        list.extend(errors.iter().filter(|error| !is_missing_argument(error)).map(|error| (line, format!("`{id}`: {error}"))));
    }
    list.sort();
    list
}

/// Whether formatting only lacked an argument, which is no mistake in the file.
fn is_missing_argument(error: &FluentError) -> bool {
    matches!(error, FluentError::ResolverError(ResolverError::Reference(ReferenceKind::Variable { .. })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Keys put together at run time (`format!("role-{name}")` and the like) start with one of
    /// these and count as used.
    const DYNAMIC_PREFIXES: &[&str] = &["presence-"];

    const TEST_FTL: &str = "\
# A comment = not a message
hello = Hello
tea = Tea & cake &amp; more
greet = Hello, { $name }!
uses = { $count ->
    [one] { $count } use
   *[other] { $count } uses
}
brand = { -name } rocks
-name = Tidepool
long =
    First line
    Second line
";

    const fn source(code: &'static str, ftl: &'static str) -> Source {
        Source { code, tag: code, own_name: code, dir: "ltr", ftl, pseudo: false }
    }

    fn fixed<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
        table.fixed.get(key).map(AsRef::as_ref)
    }

    fn formatted(table: &Table, key: &str, args: &[(&'static str, Value<'_>)]) -> String {
        let mut values = FluentArgs::new();
        for (name, value) in args {
            values.set(*name, FluentValue::from(value));
        }
        let (text, errors) = table.format(key, Some(&values)).expect("exists");
        assert!(errors.is_empty(), "{errors:?}");
        text
    }

    #[test]
    fn every_file_is_sound() {
        for source in &SOURCES {
            let problems = problems(source.ftl);
            assert!(problems.is_empty(), "{}.ftl: {problems:#?}", source.code);
            assert!(source.tag.parse::<LanguageIdentifier>().is_ok() || source.pseudo);
            assert!(matches!(source.dir, "ltr" | "rtl"));
        }
    }

    #[test]
    fn every_translation_has_an_original() {
        let english: BTreeSet<_> = Lang::default().keys().collect();
        for source in &SOURCES {
            for (line, key) in message_ids(source.ftl) {
                assert!(english.contains(key), "{}.ftl:{line}: `{key}`", source.code);
            }
        }
    }

    #[test]
    fn mistakes_are_found_with_their_line() {
        assert_eq!(problems(TEST_FTL), []);
        let lines = |ftl| problems(ftl).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        assert_eq!(lines("good = yes\nbad { = no\nmore = yes\n"), [2]);
        assert_eq!(lines("a = 1\nb = 2\n\na = 3\n"), [4]);
        assert_eq!(lines("a = 1\nb = { missing }\n"), [2]);
        assert_eq!(lines("a = 1\nb = { -missing }\n"), [2]);
        assert_eq!(lines("a = { $x ->\n  [one] 1\n }\nb = 2\n").len(), 1);
        assert_eq!(lines("a = { b }\nb = { a }\n"), [1, 2]);
    }

    #[test]
    fn a_broken_file_keeps_its_good_messages() {
        let table = Table::load(&source("en", "good = yes\nbad { = no\nmore = too\nmore = 2\n"));
        assert_eq!(fixed(&table, "good"), Some("yes"));
        assert_eq!(fixed(&table, "more"), Some("too"));
        assert_eq!(fixed(&table, "bad"), None);
    }

    #[test]
    fn messages_without_arguments_are_ready() {
        let table = Table::load(&source("en", TEST_FTL));
        assert_eq!(fixed(&table, "hello"), Some("Hello"));
        assert_eq!(fixed(&table, "brand"), Some("Tidepool rocks"));
        assert_eq!(fixed(&table, "long"), Some("First line\nSecond line"));
        assert_eq!(fixed(&table, "greet"), None, "takes an argument");
        assert_eq!(fixed(&table, "uses"), None, "selects by an argument");
    }

    #[test]
    fn arguments_are_set_without_marks() {
        let table = Table::load(&source("en", TEST_FTL));
        assert_eq!(formatted(&table, "greet", &[("name", "Ana".into())]), "Hello, Ana!");
        let name = String::from("{ $count } <b>");
        let args = [("name", Value::from(&name))];
        assert_eq!(formatted(&table, "greet", &args), "Hello, { $count } <b>!");
        for (count, text) in [(0, "0 uses"), (1, "1 use"), (2, "2 uses"), (1000, "1000 uses")] {
            assert_eq!(formatted(&table, "uses", &[("count", Value::from(count))]), text);
        }
        assert_eq!(formatted(&table, "uses", &[("count", 1_usize.into())]), "1 use");
        assert_eq!(formatted(&table, "uses", &[("count", 1_u64.into())]), "1 use");
    }

    #[test]
    fn plurals_follow_the_language() {
        static POLISH: &str = "uses = { $count ->\n    [one] a\n    [few] b\n   *[many] c\n }\n";
        let table = Table::load(&source("pl", POLISH));
        for (count, form) in [(1, "a"), (3, "b"), (5, "c"), (22, "b")] {
            assert_eq!(formatted(&table, "uses", &[("count", count.into())]), form);
        }
    }

    #[test]
    fn english_fills_the_gaps() {
        let sources = [source("en", TEST_FTL), source("de", "hello = Hallo\n")];
        let tables = load_all(&sources);
        assert_eq!(fixed(&tables[1], "hello"), Some("Hallo"));
        assert_eq!(fixed(&tables[1], "brand"), Some("Tidepool rocks"));
    }

    #[test]
    fn the_compiled_in_languages_answer() {
        let english = Lang::default();
        assert_eq!(english.t("app-name"), "Tidepool");
        assert_eq!((english.tag(), english.dir()), ("en", "ltr"));
        assert!(english.has("app-name") && !english.has("no-such-key"));
        assert!(Lang::all().eq([("en", "English")]));
        let pseudo = Lang::negotiate(Some(PSEUDO_TAG), None);
        assert_eq!(pseudo.tag(), "en-x-pseudo");
        assert!(pseudo.t("app-name").starts_with('⟦'));
    }

    #[cfg(debug_assertions)]
    #[test]
    #[should_panic(expected = "does not exist")]
    fn an_unknown_key_is_noticed() {
        Lang::default().t("no-such-key");
    }

    #[test]
    fn the_setting_wins_over_the_header() {
        static SOURCES: [Source; 4] =
            [source("en", ""), source("de", ""), source("pt-BR", ""), Source { pseudo: true, ..source(PSEUDO_TAG, "") }];
        fn tag(chosen: Option<&str>, header: Option<&str>) -> &'static str {
            let Lang(index) = negotiate(&SOURCES, chosen, header);
            SOURCES[usize::from(index)].code
        }
        assert_eq!(tag(Some("de"), Some("en")), "de");
        assert_eq!(tag(Some("xx"), Some("de")), "de");
        assert_eq!(tag(None, None), "en");
        for (header, expected) in [
            ("de", "de"),
            ("DE-at", "de"),
            ("de-DE-1996", "de"),
            ("pt", "pt-BR"),
            ("pt-PT", "pt-BR"),
            ("fr, de;q=0.8, en;q=0.9", "en"),
            ("fr;q=1.0 , en ; q=0.5 , de; q=0.75", "de"),
            ("de;q=0, en;q=0.1", "en"),
            ("de;q=2", "en"),
            ("de;q=x", "en"),
            ("de;q", "en"),
            ("de;v=1", "en"),
            ("de;q=NaN", "en"),
            ("de;q=-1", "en"),
            ("de;q=1;q=1", "en"),
            (",,;;=,  ,de", "de"),
            ("*", "en"),
            ("", "en"),
            ("-", "en"),
            ("d\u{e9}", "en"),
            ("deu", "en"),
            ("qps-ploc", "qps-ploc"),
            ("qps-ploc-x", "en"),
            ("qps-PLOC", "en"),
            ("qps", "en"),
        ] {
            assert_eq!(tag(None, Some(header)), expected, "{header:?}");
        }
        let late = format!("{}de", "xx,".repeat(MAX_HEADER_ENTRIES));
        assert_eq!(tag(None, Some(&late)), "en");
        assert_eq!(tag(None, Some(&"é".repeat(1_000_000))), "en");
        assert_eq!(tag(None, Some(&"a-".repeat(1_000_000))), "en");
    }

    #[test]
    fn the_pseudo_locale_changes_words_only() {
        let table = Table::load(&Source { pseudo: true, ..source(PSEUDO_TAG, TEST_FTL) });
        assert_eq!(fixed(&table, "hello"), Some("⟦Ĥééĺĺóó⟧"));
        assert_eq!(fixed(&table, "tea"), Some("⟦Ťééáá & çááķéé &amp; ɱóóŕéé⟧"));
        let greeting = formatted(&table, "greet", &[("name", "Ana &amp".into())]);
        assert_eq!(greeting, "⟦Ĥééĺĺóó, Ana &amp!⟧");
        assert_eq!(formatted(&table, "uses", &[("count", 1.into())]), "⟦1 úúšéé⟧");
    }

    #[test]
    fn the_pseudo_locale_is_longer() {
        let plain = "There is nothing here. You may not do that. Please wait a moment.";
        let share = disguise(plain).chars().count() * 100 / plain.len();
        assert!((125..=150).contains(&share), "{share} %");
    }

    /// A key as used in a template or in code.
    struct Use {
        key: String,
        place: String,
        with_arguments: bool,
    }

    #[test]
    fn every_key_used_in_templates_exists() {
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
        // Before there are pages nothing is used yet.
        if root.join("templates").is_dir() {
            mistakes.extend(unused_keys(&uses));
        }
        assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
    }

    /// The keys of the English file that nothing refers to.
    fn unused_keys(uses: &[Use]) -> Vec<String> {
        let used: BTreeSet<&str> = uses.iter().map(|used| used.key.as_str()).collect();
        let ftl = Lang::default().source().ftl;
        message_ids(ftl)
            .filter(|(_, key)| !used.contains(key))
            .filter(|(_, key)| !DYNAMIC_PREFIXES.iter().any(|prefix| key.starts_with(prefix)))
            .filter(|(_, key)| !ftl.contains(&format!("{{ {key} }}")))
            .map(|(line, key)| format!("en.ftl:{line}: `{key}` is not used"))
            .collect()
    }

    /// All files below a folder whose name ends so; none if there is no such folder.
    fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(folder) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for path in entries.map(|entry| entry.expect("readable folder").path()) {
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
            .map(|(line, key, with_arguments)| Use { key, place: format!("{name}:{line}"), with_arguments })
            .collect()
    }

    /// The (line, key, with arguments) of every call in a text. Tests and comments do not count.
    fn uses_in_text(content: &str, is_rust: bool) -> Vec<(usize, String, bool)> {
        let mut code = content.to_owned();
        if is_rust {
            code.truncate(code.find("#[cfg(test)]\nmod ").unwrap_or(code.len()));
            let is_comment = |line: &&str| line.trim_start().starts_with("//");
            code = code.lines().map(|line| if is_comment(&line) { "" } else { line }).collect::<Vec<_>>().join("\n");
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
            let is_key = key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            let line = code[..start].matches('\n').count() + 1;
            // A prefix to build a key from ends in a dash.
            (is_key && !key.ends_with('-')).then(|| (line, key.to_owned(), true))
        })
    }

    #[test]
    fn uses_are_found() {
        let code = "a.t(\"one\") // b.t(\"two\")\n/// c.t(\"no\")\nkey!( \"three\")\nd.with(\n  \
                    \"four\", &[])\ne.t(name) spot(\"no\")\n#[cfg(test)]\nmod tests { f.t(\"no\") }";
        let keys: BTreeMap<_, _> = uses_in_text(code, true).into_iter().map(|(line, key, _)| (key, line)).collect();
        let expected = [("four", 4), ("one", 1), ("three", 3), ("two", 1)];
        assert!(keys.iter().map(|(key, line)| (key.as_str(), *line)).eq(expected));
        let errors = "Conflict(\"error-x-1\") \"error-\" \"error-no {}\"";
        assert_eq!(uses_in_text(errors, true), [(1, "error-x-1".to_owned(), true)]);
        let template = "{{ lang.t(\"a\") }} {{ lang.with(\"b\", &args) }}";
        assert_eq!(uses_in_text(template, false).len(), 2);
    }
}
