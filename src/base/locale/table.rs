//! The messages of each language, loaded.

use std::collections::HashMap;
use std::sync::OnceLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource};
use unic_langid::LanguageIdentifier;

use super::ftl::message_ids;
use super::languages::{SOURCES, Source};
use super::module_messages::added_messages;
use super::pseudo::accentuate;

/// A language, loaded.
pub(super) struct Table {
    /// Messages without arguments, formatted; in English where the language lacks one.
    pub(super) fixed: HashMap<String, Box<str>>,
    /// All messages, for those with arguments.
    pub(super) bundle: FluentBundle<FluentResource>,
    /// Whether messages get the marks of the pseudo-locale.
    is_pseudo: bool,
}

impl Table {
    /// Loads a language. A message with a mistake is left out, and the mistake is logged.
    pub(super) fn load(source: &Source) -> Self {
        let messages = messages_of(source);
        let resource =
            FluentResource::try_new(messages.clone()).unwrap_or_else(|(readable, errors)| {
                tracing::error!(lang = source.code, ?errors, "a language file has mistakes");
                readable
            });
        let plurals = if source.is_pseudo { "en" } else { source.code };
        let locale: LanguageIdentifier = plurals.parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // Isolating marks would be copied along with a name; pages isolate names in markup.
        bundle.set_use_isolating(false);
        if source.is_pseudo {
            bundle.set_transform(Some(accentuate));
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
            is_pseudo: source.is_pseudo,
        };
        table.fixed = message_ids(&messages)
            .filter_map(|(_, key)| table.format(key, None).map(|result| (key, result)))
            .filter(|(_, (_, errors))| errors.is_empty())
            .map(|(key, (text, _))| (key.to_owned(), text.into_boxed_str()))
            .collect();
        table
    }

    /// A message, formatted, and what was wrong with it; none if it does not exist.
    pub(super) fn format(
        &self,
        key: &str,
        args: Option<&FluentArgs<'_>>,
    ) -> Option<(String, Vec<FluentError>)> {
        let message = self.bundle.get_message(key)?;
        let pattern = message.value()?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, args, &mut errors);
        let text = if self.is_pseudo {
            format!("⟦{text}⟧")
        } else {
            text.into_owned()
        };
        Some((text, errors))
    }

    /// Adds the English messages without arguments that this language lacks.
    fn complete_from(&mut self, english: &Self) {
        for (key, text) in &english.fixed {
            if !self.bundle.has_message(key) {
                self.fixed.insert(key.clone(), text.clone());
            }
        }
    }
}

/// The loaded languages; loaded when the first message is looked up.
static TABLES: OnceLock<Vec<Table>> = OnceLock::new();

/// All languages, in the order of [`SOURCES`].
pub(super) fn tables() -> &'static [Table] {
    TABLES.get_or_init(|| load_all(&SOURCES))
}

/// Loads the languages. The first is English, in which the others get the messages they lack.
pub(super) fn load_all(sources: &[Source]) -> Vec<Table> {
    let mut tables: Vec<Table> = sources.iter().map(Table::load).collect();
    if let Some((english, others)) = tables.split_first_mut() {
        for table in others {
            table.complete_from(english);
        }
    }
    tables
}

/// The language's own messages and those that modules add to it.
fn messages_of(source: &Source) -> String {
    let mut messages = source.ftl.to_owned();
    let tag = if source.is_pseudo { "en" } else { source.code };
    for added in added_messages().iter().filter(|added| added.tag == tag) {
        messages.push('\n');
        messages.push_str(added.ftl);
    }
    messages
}
