//! Pages about polls: the form of a new one, and who chose what. `/poll` makes one from a text.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::actions::permitted_message;
use super::actions::post::post_input;
use super::actions::post_input::{Author, PostInput};
use super::model::{Message, MessageId};
use super::polls::{self, MAX_ANSWERS};
use super::{Chat, MODERATE, POST, poll_store};
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::community::permissions::{READ, is_granted};
use crate::community::{Layout, Shell};
use crate::engine::commands::{Command, CommandAnswer, CommandCall};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// People listed for one answer; the others are counted.
const MAX_LISTED: usize = 200;
/// Hours that the form offers for a poll to be open, with the keys of their words.
const HOURS: [(&str, &str); 5] = [
    ("", "poll-open"),
    ("1", "poll-hour"),
    ("24", "poll-day"),
    ("72", "poll-days"),
    ("168", "poll-week"),
];

static POLL: Command = Command {
    name: "poll",
    usage: "command-poll-usage",
    about: "command-poll",
    permission: None,
};

/// Posts a poll in place of `/poll question | answer | answer`.
async fn command(chat: Chat, viewer: Viewer, call: CommandCall) -> Result<CommandAnswer> {
    let (question, poll) = polls::parse(&call.text)?;
    let post = PostInput::of_poll(call.room, question, poll, call.key, String::new());
    post_input(chat, Author::of(&viewer), post)
        .await
        .map(CommandAnswer::Done)
}

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .command(&POLL, command)
        .page(Audience::SignedIn, "/rooms/{room}/poll", get(new_poll))
        .page(Audience::SignedIn, "/messages/{message}/votes", get(votes))
}

#[derive(Template)]
#[template(path = "chat/poll_form.html", blocks = ["app"])]
struct PollForm {
    head: Head,
    shell: Shell,
    form: Form,
    room: RoomId,
    hours: &'static [(&'static str, &'static str)],
    /// The answers as they were sent, and empty ones up to the most there may be.
    answers: Vec<String>,
    /// Makes two polls of the same words two, and one that is sent twice one.
    seen: MessageId,
}

async fn new_poll(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(room): Path<RoomId>,
    form: Form,
) -> Result<PageAnswer> {
    let access = &chat.community.access;
    let room = access.permit_in_room(viewer.account, &POST, room).await?;
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    let head = chat.community.head(&viewer, viewer.lang.t("poll-title"));
    let sent = form.of("chat.poll");
    let mut answers: Vec<_> = sent.values("answers").map(str::to_owned).collect();
    answers.resize(MAX_ANSWERS, String::new());
    app_page!(
        wants,
        PollForm {
            head,
            shell,
            form,
            room: room.id,
            hours: &HOURS,
            answers,
            seen: MessageId::new(),
        }
    )
}

/// One answer with the people who chose it.
struct Chosen {
    text: String,
    count: i64,
    people: Vec<(AccountId, String)>,
    /// How many more there are.
    others: i64,
}

#[derive(Template)]
#[template(path = "chat/votes.html", blocks = ["app"])]
struct VotesPage {
    head: Head,
    shell: Shell,
    form: Form,
    message: Message,
    chosen: Vec<Chosen>,
    may_end: bool,
}

async fn votes(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
    form: Form,
) -> Result<PageAnswer> {
    let (message, room) = permitted_message(&chat, &viewer, id, &READ).await?;
    if message.poll.is_none() {
        return Err(Error::NotFound);
    }
    let mut chosen = Vec::new();
    for (place, answer) in (0_i64..).zip(&message.poll.answers) {
        let people = poll_store::people(&chat.engine.db, id, place, MAX_LISTED).await?;
        let listed = i64::try_from(people.len()).unwrap_or(0);
        chosen.push(Chosen {
            text: answer.text.clone(),
            count: answer.count,
            people,
            others: (answer.count - listed).max(0),
        });
    }
    let permission = match message.author == viewer.account {
        true => &POST,
        false => &MODERATE,
    };
    let access = &chat.community.access;
    let may = access.permit_in_room(viewer.account, permission, room.id);
    let may_end = !message.poll.is_ended && is_granted(may.await)?;
    let here = format!("/rooms/{}", room.id);
    let shell = layout.shell(&viewer, room.space, &here).await?;
    let head = chat.community.head(&viewer, viewer.lang.t("votes-title"));
    app_page!(
        wants,
        VotesPage {
            head,
            shell,
            form,
            message,
            chosen,
            may_end,
        }
    )
}
