//! Pages about reactions: who reacted to a message, and a form to react without scripts.

use askama::Template;
use axum::extract::{Path, State};
use axum::routing::get;

use super::actions::permitted_message;
use super::model::{Message, MessageId};
use super::{Chat, REACT, markdown, reaction_store};
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::community::permissions::READ;
use crate::community::{Layout, Room, Shell};
use crate::engine::forms::Form;
use crate::engine::module::{Audience, Module};
use crate::engine::viewer::Viewer;
use crate::engine::web::{Head, PageAnswer, Wants, app_page};

/// People listed for one emoji; the others are counted.
const MAX_LISTED: usize = 200;
/// Emoji that the form offers; any other can be written.
const OFFERED: [&str; 12] = [
    "👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀", "✅", "🔥", "👏", "👎",
];

pub(super) fn declare(module: Module<Chat>) -> Module<Chat> {
    module
        .page(Audience::SignedIn, "/messages/{message}/react", get(react))
        .page(
            Audience::SignedIn,
            "/messages/{message}/reactions",
            get(reactions),
        )
}

#[derive(Template)]
#[template(path = "chat/react.html", blocks = ["app"])]
struct ReactPage {
    head: Head,
    shell: Shell,
    form: Form,
    message: MessageId,
    offered: &'static [&'static str],
}

/// One emoji with the people who chose it.
struct Chosen {
    emoji: String,
    people: Vec<(AccountId, String)>,
    /// How many more there are.
    others: i64,
}

#[derive(Template)]
#[template(path = "chat/reactions.html", blocks = ["app"])]
struct ReactionsPage {
    head: Head,
    shell: Shell,
    message: MessageId,
    chosen: Vec<Chosen>,
}

async fn shell(layout: &Layout, viewer: &Viewer, room: &Room) -> Result<Shell> {
    let here = format!("/rooms/{}", room.id);
    layout.shell(viewer, room.space, &here).await
}

fn check_is_there(message: &Message) -> Result<()> {
    match message.is_deleted() || !message.told.is_nothing() {
        true => Err(Error::NotFound),
        false => Ok(()),
    }
}

async fn react(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
    form: Form,
) -> Result<PageAnswer> {
    let (message, room) = permitted_message(&chat, &viewer, id, &REACT).await?;
    check_is_there(&message)?;
    let title = viewer.lang.t("react-title");
    app_page!(
        wants,
        ReactPage {
            head: chat.community.head(&viewer, title),
            shell: shell(&layout, &viewer, &room).await?,
            form,
            message: id,
            offered: &OFFERED,
        }
    )
}

async fn reactions(
    State(chat): State<Chat>,
    layout: Layout,
    viewer: Viewer,
    wants: Wants,
    Path(id): Path<MessageId>,
) -> Result<PageAnswer> {
    let (message, room) = permitted_message(&chat, &viewer, id, &READ).await?;
    check_is_there(&message)?;
    let emoji = chat.community.emoji.in_room(room.id).await?;
    let mut chosen = Vec::new();
    for reaction in &message.reactions.0 {
        let (db, sign) = (&chat.engine.db, &reaction.emoji);
        let people = reaction_store::people(db, id, sign, MAX_LISTED).await?;
        let listed = i64::try_from(people.len()).unwrap_or(0);
        chosen.push(Chosen {
            emoji: markdown::emoji_html(sign, &emoji),
            people,
            others: (reaction.count - listed).max(0),
        });
    }
    let title = viewer.lang.t("reactions-title");
    app_page!(
        wants,
        ReactionsPage {
            head: chat.community.head(&viewer, title),
            shell: shell(&layout, &viewer, &room).await?,
            message: id,
            chosen,
        }
    )
}
