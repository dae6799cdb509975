//! Commands that people write where they write messages: `/shrug`, `/poll`. Modules declare them
//! ([`Module::command`](crate::engine::module::Module::command)); what stores messages asks here
//! whether a text is one, and runs it instead.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::engine::actions::Outcome;
use crate::engine::permission::Permission;
use crate::engine::viewer::Viewer;

/// Bytes of a command's name.
const MAX_NAME_BYTES: usize = 32;

/// A command, as a module declares it.
#[derive(Debug)]
pub struct Command {
    /// What is written after the slash: `a-z` and `-`.
    pub name: &'static str,
    /// The key of what stands after it, such as `[question] | [answer] | [answer]`; empty when
    /// nothing does.
    pub usage: &'static str,
    /// The key of a sentence: what it does.
    pub about: &'static str,
    /// What one needs in the room to be offered it. The command checks its permissions itself.
    pub permission: Option<&'static Permission>,
}

/// A command that somebody wrote.
#[derive(Clone, Debug)]
pub struct CommandCall {
    /// Where: a room that its author may write in.
    pub room: RoomId,
    /// What stands after its name, without white space around it.
    pub text: String,
    /// The idempotency key that the author's client chose for the text; empty for a form without
    /// scripts. With the same key a command has its effect once.
    pub key: String,
    /// The time zone of the author's browser, where it says that.
    pub time_zone: String,
}

/// What becomes of a command.
pub enum CommandAnswer {
    /// This text is posted in its place.
    Post(String),
    /// It is done.
    Done(Outcome),
}

type Run =
    Arc<dyn Fn(Viewer, CommandCall) -> BoxFuture<'static, Result<CommandAnswer>> + Send + Sync>;

/// A command, bound to the state of its module.
#[derive(Clone)]
pub struct BoundCommand {
    /// Its declaration.
    pub command: &'static Command,
    run: Run,
}

impl BoundCommand {
    pub(in crate::engine) fn new<S, F, R>(command: &'static Command, state: &S, run: F) -> Self
    where
        S: Clone + Send + Sync + 'static,
        F: Fn(S, Viewer, CommandCall) -> R + Copy + Send + Sync + 'static,
        R: Future<Output = Result<CommandAnswer>> + Send + 'static,
    {
        let state = state.clone();
        let run: Run = Arc::new(move |viewer, call| run(state.clone(), viewer, call).boxed());
        Self { command, run }
    }

    /// Runs it.
    ///
    /// # Errors
    /// Those of the module.
    pub async fn run(&self, viewer: &Viewer, call: CommandCall) -> Result<CommandAnswer> {
        (self.run)(viewer.clone(), call).await
    }
}

/// The commands of all modules. Set at the start.
#[derive(Default)]
pub struct Commands(OnceLock<BTreeMap<&'static str, BoundCommand>>);

impl Commands {
    /// # Panics
    /// When two commands have the same name, or one that cannot be written: a mistake of the
    /// program.
    pub(super) fn set(&self, commands: Vec<BoundCommand>) {
        let mut by_name = BTreeMap::new();
        for bound in commands {
            let name = bound.command.name;
            assert!(is_name(name), "the command {name} cannot be written");
            let is_new = by_name.insert(name, bound).is_none();
            assert!(is_new, "the command {name} is declared twice");
        }
        let _ = self.0.set(by_name);
    }

    /// The command of this name.
    pub fn find(&self, name: &str) -> Option<&BoundCommand> {
        self.0.get()?.get(name)
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = &'static Command> {
        let all = self.0.get().into_iter().flatten();
        all.map(|(_, bound)| bound.command)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// What a text is.
#[derive(Debug, PartialEq, Eq)]
pub enum Written<'a> {
    /// A text to be posted. One that begins with two slashes is posted with one: so a text can
    /// begin like a command.
    Text(&'a str),
    /// A command: its name, and what stands after it.
    Command(&'a str, &'a str),
}

/// Reads a text. A slash begins a command where a name and then white space or the end follow it,
/// so that a path such as `/etc/hosts` is a text.
pub fn parse(text: &str) -> Written<'_> {
    let Some(rest) = text.strip_prefix('/') else {
        return Written::Text(text);
    };
    let (name, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if let Some(name) = name.strip_prefix('/')
        && is_name(name)
    {
        return Written::Text(rest);
    }
    match is_name(name) {
        true => Written::Command(name, after.trim()),
        false => Written::Text(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_after_the_slash_is_a_command() {
        for (text, written) in [
            ("/shrug", Written::Command("shrug", "")),
            ("/shrug  so it is \n", Written::Command("shrug", "so it is")),
            ("/poll\n茶？\n緑茶", Written::Command("poll", "茶？\n緑茶")),
            ("//shrug it off", Written::Text("/shrug it off")),
            (
                "/etc/hosts is a file",
                Written::Text("/etc/hosts is a file"),
            ),
            ("// a comment", Written::Text("// a comment")),
            ("//host/path", Written::Text("//host/path")),
            ("/", Written::Text("/")),
            ("/ shrug", Written::Text("/ shrug")),
            ("/1", Written::Text("/1")),
            ("/Über uns", Written::Text("/Über uns")),
            ("a /shrug", Written::Text("a /shrug")),
            ("", Written::Text("")),
        ] {
            assert_eq!(parse(text), written, "{text:?}");
        }
    }
}
