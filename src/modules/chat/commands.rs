//! Commands in messages: runs them, lists them for the completion of `/`, and those of chat itself
//! that only change a text. Polls have theirs in `poll_pages.rs`.

use axum::Json;
use axum::extract::{Path, State};
use axum::routing::get;
use serde::Serialize;

use super::actions::post_input::PostInput;
use super::{Chat, POST, model};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::permissions::is_granted;
use crate::engine::actions::Outcome;
use crate::engine::commands::{Command, CommandAnswer, CommandCall, Written, parse};
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;

static SHRUG: Command = Command {
    name: "shrug",
    usage: "command-shrug-usage",
    about: "command-shrug",
    permission: None,
};
static ME: Command = Command {
    name: "me",
    usage: "command-me-usage",
    about: "command-me",
    permission: None,
};
static SPOILER: Command = Command {
    name: "spoiler",
    usage: "command-spoiler-usage",
    about: "command-spoiler",
    permission: None,
};

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::SignedIn, "/rooms/{room}/commands", get(commands))
        .command(&SHRUG, shrug)
        .command(&ME, me)
        .command(&SPOILER, spoiler)
}

/// The shrug of `/shrug`, escaped: an underscore and a backslash mean something in Markdown.
const SHRUG_TEXT: &str = r"¯\\\_(ツ)\_/¯";

async fn shrug(_: Chat, _: Viewer, call: CommandCall) -> Result<CommandAnswer> {
    let text = format!("{} {SHRUG_TEXT}", call.text);
    Ok(CommandAnswer::Post(text.trim_start().to_owned()))
}

async fn me(_: Chat, _: Viewer, call: CommandCall) -> Result<CommandAnswer> {
    marked(&call.text, "*")
}

async fn spoiler(_: Chat, _: Viewer, call: CommandCall) -> Result<CommandAnswer> {
    marked(&call.text, "||")
}

/// Each line between marks: they do not reach over the end of a paragraph.
fn marked(text: &str, mark: &str) -> Result<CommandAnswer> {
    if text.is_empty() {
        return Err(Error::field("body", "error-command-empty"));
    }
    let lines = text.lines().map(|line| match line.trim() {
        "" => String::new(),
        line => format!("{mark}{line}{mark}"),
    });
    Ok(CommandAnswer::Post(lines.collect::<Vec<_>>().join("\n")))
}

/// What is left to do with a post once it is known whether it is a command.
pub(super) enum Ran {
    Post(Box<PostInput>),
    Done(Outcome),
}

impl Chat {
    /// Runs the command that a post is, if it is one.
    ///
    /// # Errors
    /// `Invalid` for an unknown command, and for one with files that posts nothing; the command's.
    pub(super) async fn run_command(
        &self,
        viewer: &Viewer,
        mut input: Box<PostInput>,
    ) -> Result<Ran> {
        let (name, text) = match parse(&input.body) {
            Written::Text(text) => {
                if text.len() != input.body.len() {
                    input.body = text.to_owned();
                }
                return Ok(Ran::Post(input));
            }
            Written::Command(name, text) => (name, text.to_owned()),
        };
        let access = &self.community.access;
        access
            .permit_in_room(viewer.account, &POST, input.room)
            .await?;
        let Some(command) = self.engine.commands.find(name) else {
            return Err(Error::field("body", "error-no-command"));
        };
        if !input.key.is_empty() {
            // Stored by the command: it has the shape of a post's.
            model::client_key(&input.key, input.room, "", "")?;
        }
        let call = CommandCall {
            room: input.room,
            text,
            key: input.key.clone(),
            time_zone: input.time_zone(),
        };
        if input.has_files() && !is_text_command(command.command) {
            return Err(Error::field("body", "error-command-files"));
        }
        match command.run(viewer, call).await? {
            CommandAnswer::Post(text) => {
                input.body = text;
                Ok(Ran::Post(input))
            }
            CommandAnswer::Done(outcome) => Ok(Ran::Done(outcome)),
        }
    }
}

/// Whether a command only changes the text that it stands before, so that files can go with it.
fn is_text_command(command: &Command) -> bool {
    [&SHRUG, &ME, &SPOILER]
        .iter()
        .any(|one| one.name == command.name)
}

/// A command as the completion lists it.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    usage: String,
    about: String,
}

/// `GET /rooms/{room}/commands`: those that the viewer can use there.
async fn commands(
    State(chat): State<Chat>,
    viewer: Viewer,
    Path(room): Path<RoomId>,
) -> Result<Json<Vec<Listed>>> {
    let access = &chat.community.access;
    let room = access.permit_in_room(viewer.account, &POST, room).await?;
    let mut listed = Vec::new();
    for command in chat.engine.commands.all() {
        if let Some(permission) = command.permission {
            let asked = access.permit_in_room(viewer.account, permission, room.id);
            if !is_granted(asked.await)? {
                continue;
            }
        }
        listed.push(Listed {
            name: command.name,
            usage: match command.usage {
                "" => String::new(),
                usage => viewer.lang.t(usage).to_owned(),
            },
            about: viewer.lang.t(command.about).to_owned(),
        });
    }
    Ok(Json(listed))
}
