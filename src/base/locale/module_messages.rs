//! Messages that modules from outside bring.

use std::sync::OnceLock;

use fluent_bundle::FluentResource;

use super::Lang;
use super::ftl::message_ids;

static ADDED: OnceLock<Vec<ModuleMessages>> = OnceLock::new();

/// Messages that a module adds to the catalogue of a language.
#[derive(Clone, Copy, Debug)]
pub struct ModuleMessages {
    /// The module: each key begins with its name and `-`.
    pub module: &'static str,
    /// The language, such as `en`.
    pub tag: &'static str,
    /// The messages in Fluent's syntax.
    pub ftl: &'static str,
}

impl ModuleMessages {
    pub(super) fn check(&self) -> Result<(), String> {
        let Self { module, tag, ftl } = self;
        if !Lang::all().any(|(known, _)| known == *tag) {
            let known: Vec<_> = Lang::all().map(|(known, _)| known).collect();
            return Err(format!(
                "module {module} has messages in {tag}, which no page is in; pages are in: {}",
                known.join(", ")
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

/// Adds the messages of modules from outside, once, before any message is looked up.
///
/// # Errors
/// For a language that pages are not in, text that cannot be read, or a key that does not begin
/// with its module's name; also when called a second time, or after a message was looked up.
pub fn add_messages(messages: Vec<ModuleMessages>) -> Result<(), String> {
    messages.iter().try_for_each(ModuleMessages::check)?;
    ADDED
        .set(messages)
        .map_err(|_| "messages are added once, before the first is looked up".to_owned())
}

/// All that were added. None can be added after this was called.
pub(super) fn added_messages() -> &'static [ModuleMessages] {
    ADDED.get_or_init(Vec::new)
}
