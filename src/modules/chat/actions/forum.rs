//! `chat.new-post` and `chat.set-tags`: posts of forum rooms, and the tags of a room.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::forum::{Heading, TagId, tags_of_form};
use super::super::topics::TagsChanged;
use super::super::{Chat, ROOM_FEED, forum_store};
use super::post::post_input;
use super::post_input::{Author, MAX_LISTED, PostInput};
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::base::list::List;
use crate::community::Scope;
use crate::community::audit::{self, Act};
use crate::community::permissions::MANAGE_ROOMS;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(in super::super) struct NewPostInput {
    /// At most 100 characters.
    title: String,
    /// Tags of the room; at most five.
    #[serde(default)]
    tags: List<TagId, MAX_LISTED>,
    /// The text and the files, as those of `chat.post`.
    #[serde(flatten)]
    message: PostInput,
}

/// Posts in a forum room; the same key posts once.
pub(in super::super) async fn new_post(
    chat: Chat,
    viewer: Viewer,
    input: NewPostInput,
) -> Result<Outcome> {
    let heading = Heading::new(&input.title, input.tags.into_vec())?;
    // What looks like a command is text here: commands write messages, which a forum does not take.
    let by = Author::of(&viewer);
    post_input(chat, by, input.message.with_heading(heading)).await
}

#[derive(Deserialize)]
pub(in super::super) struct TagsInput {
    room: RoomId,
    /// One in each line: at most 20 of at most 20 characters.
    #[serde(default)]
    tags: String,
}

/// Gives a forum room its tags. One that is named again stays on its posts.
pub(in super::super) async fn set_tags(
    chat: Chat,
    viewer: Viewer,
    input: TagsInput,
) -> Result<Outcome> {
    let access = &chat.community.access;
    let (by, id) = (viewer.account, input.room);
    let room = access.permit_in_room(by, &MANAGE_ROOMS, id).await?;
    if !room.is_forum() {
        return Err(Error::Conflict("error-not-a-forum"));
    }
    let names = tags_of_form(&input.tags)?;
    let bus = chat.engine.bus.clone();
    let write = async move |tx: &mut Tx| {
        let before = forum_store::set_room_tags(tx, id, &names).await?;
        let (name, private) = (room.name.as_str(), room.rules.private);
        let told = |tags: &[String]| match private {
            true => Value::Null,
            false => json!({ "tags": tags.join(", ") }),
        };
        let act = Act {
            space: room.space,
            actor: Some(by),
            act: "room.tags-changed",
            subject: Some(id.0),
            name: if private { "" } else { name },
            before: told(&before),
            after: told(&names),
        };
        audit::record(tx, act).await?;
        let (feed, event) = (ROOM_FEED.name(id), TagsChanged { room: id });
        bus.publish_to_followers(tx, &[feed], Origin::new(by, room.space), event)
            .await
    };
    access
        .permitted_write(by, &MANAGE_ROOMS, Scope::Room(id), write)
        .await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{id}")))
}
