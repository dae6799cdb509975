//! What people do in rooms. Each function serves form, JSON and socket.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::attachments::NewAttachments;
use super::history::PageQuery;
use super::model::{self, Message, MessageId};
use super::topics::{MessageDeleted, MessageEdited, MessagePosted, TypingStarted};
use super::{Chat, attachments, store};
use crate::base::error::{Error, Result};
use crate::base::ids::RoomId;
use crate::community::{Permission, Room};
use crate::engine::actions::{Action, Class, Outcome};
use crate::engine::bus::Origin;
use crate::engine::files::FileId;
use crate::engine::module::Module;
use crate::engine::viewer::Viewer;

pub(super) fn declare(chat: &Chat, module: Module) -> Module {
    macro_rules! act {
        ($name:literal, $about:literal, $class:ident, $run:ident) => {{
            let chat = chat.clone();
            Action::new($name, $about, Class::$class, move |viewer, input| {
                $run(chat.clone(), viewer, input)
            })
        }};
    }
    module
        .action(
            act!(
                "chat.post",
                "Posts a message in a room; the same key posts once",
                Post,
                post
            )
            .with_files(attachments::KIND),
        )
        .action(act!("chat.edit", "Edits one's own message", Write, edit))
        .action(act!(
            "chat.delete",
            "Deletes a message: one's own, or another's with the right to",
            Write,
            delete
        ))
        .action(act!(
            "chat.type",
            "Says that one is writing in a room",
            Ephemeral,
            write_sign
        ))
        .action(act!(
            "chat.read",
            "Says that one has read a room up to a message",
            Ephemeral,
            read
        ))
        .action(act!(
            "chat.history",
            "Reads a page_query of a room's messages, with the cursor to follow from",
            Read,
            history
        ))
}

#[derive(Deserialize)]
struct Post {
    room: RoomId,
    #[serde(default)]
    body: String,
    /// Files of one's own, uploaded for this room, ten at most.
    #[serde(default)]
    files: Vec<FileId>,
    /// What they are, in their order; fewer or none will do.
    #[serde(default)]
    captions: Vec<String>,
    /// Chosen by the client, 8 to 64 letters, digits, `-` or `_`, unique among the author's posts.
    #[serde(default)]
    key: String,
    /// From a form without a key: the newest message its page shows.
    #[serde(default)]
    seen: String,
}

async fn post(chat: Chat, viewer: Viewer, input: Post) -> Result<Outcome> {
    let room = chat
        .community
        .permit_in_room(viewer.account, Permission::Post, input.room)
        .await?;
    let attachments = NewAttachments::new(input.files, input.captions)?;
    let body = model::body(&input.body, !attachments.is_empty())?;
    let key = model::client_key(&input.key, room.id, &input.seen, &body)?;
    let (bus, author, name, space, id) = (
        chat.engine.bus.clone(),
        viewer.account,
        viewer.name.clone(),
        room.space,
        room.id,
    );
    chat.engine.live.ready_for(&format!("room/{id}")).await;
    let (started, attaching) = (std::time::Instant::now(), chat.clone());
    let message = chat
        .engine
        .db
        .write(async move |tx| {
            let (mut message, fresh) = store::post(tx, id, author, &name, &key, &body).await?;
            if fresh {
                if !attachments.is_empty() {
                    message.files = attachments
                        .attach(&attaching, tx, id, message.id, author)
                        .await?;
                }
                let event = MessagePosted {
                    room: id,
                    message: message.clone(),
                };
                tx.after_commit(move || bus.publish(Origin::new(author, space), event));
            }
            Ok(message)
        })
        .await?;
    metrics::histogram!("tidepool_post_seconds").record(started.elapsed().as_secs_f64());
    // A key that was used in another room answers what it made there, and only to its author.
    done(&chat, &viewer, message).await
}

async fn done(chat: &Chat, viewer: &Viewer, message: Message) -> Result<Outcome> {
    let location = format!("/rooms/{}#m-{}", message.room, message.id);
    let result = json!({ "message": message });
    let answer = chat.answer(message, viewer.lang).await?;
    Ok(Outcome::new(result, location).fragment(answer))
}

/// A message and its room, for someone who may read it.
pub(super) async fn readable(
    chat: &Chat,
    viewer: &Viewer,
    id: MessageId,
    right: Permission,
) -> Result<(Message, Arc<Room>)> {
    let message = store::message(&chat.engine.db, id).await?;
    let room = chat
        .community
        .permit_in_room(viewer.account, right, message.room)
        .await?;
    Ok((message, room))
}

#[derive(Deserialize)]
struct Edit {
    message: MessageId,
    body: String,
}

async fn edit(chat: Chat, viewer: Viewer, input: Edit) -> Result<Outcome> {
    let (message, room) = readable(&chat, &viewer, input.message, Permission::Post).await?;
    if message.author != viewer.account {
        return Err(Error::Forbidden("error-not-your-message"));
    }
    if message.is_deleted() {
        return Err(Error::Conflict("error-message-deleted"));
    }
    let body = model::body(&input.body, !message.files.0.is_empty())?;
    let (bus, author, space) = (chat.engine.bus.clone(), viewer.account, room.space);
    let message = chat
        .engine
        .db
        .write(async move |tx| {
            let message = store::edit(tx, input.message, &body).await?;
            let event = MessageEdited {
                room: message.room,
                message: message.clone(),
            };
            tx.after_commit(move || bus.publish(Origin::new(author, space), event));
            Ok(message)
        })
        .await?;
    done(&chat, &viewer, message).await
}

#[derive(Deserialize)]
struct Delete {
    message: MessageId,
}

async fn delete(chat: Chat, viewer: Viewer, input: Delete) -> Result<Outcome> {
    let (message, room) = readable(&chat, &viewer, input.message, Permission::Read).await?;
    if message.author != viewer.account {
        chat.community
            .permit_in_room(viewer.account, Permission::Moderate, room.id)
            .await?;
    }
    let (bus, actor, space, taking) = (
        chat.engine.bus.clone(),
        viewer.account,
        room.space,
        chat.clone(),
    );
    let message = chat
        .engine
        .db
        .write(async move |tx| {
            let (message, fresh) = store::delete(tx, input.message).await?;
            if fresh {
                attachments::detach(&taking, tx, input.message).await?;
                let event = MessageDeleted {
                    room: message.room,
                    message: message.clone(),
                };
                tx.after_commit(move || bus.publish(Origin::new(actor, space), event));
            }
            Ok(message)
        })
        .await?;
    done(&chat, &viewer, message).await
}

#[derive(Deserialize)]
struct WriteSign {
    room: RoomId,
}

async fn write_sign(chat: Chat, viewer: Viewer, input: WriteSign) -> Result<Outcome> {
    let room = chat
        .community
        .permit_in_room(viewer.account, Permission::Post, input.room)
        .await?;
    let event = TypingStarted {
        room: room.id,
        account: viewer.account,
        name: viewer.name.to_string(),
    };
    chat.engine
        .bus
        .publish(Origin::new(viewer.account, room.space), event);
    Ok(Outcome::new(Value::Null, format!("/rooms/{}", input.room)))
}

#[derive(Deserialize)]
struct Read {
    room: RoomId,
    message: MessageId,
}

async fn read(chat: Chat, viewer: Viewer, input: Read) -> Result<Outcome> {
    let (message, _) = readable(&chat, &viewer, input.message, Permission::Read).await?;
    if message.room != input.room {
        return Err(Error::NotFound);
    }
    chat.mark_read(viewer.account, input.room, input.message)
        .await?;
    Ok(Outcome::new(Value::Null, format!("/rooms/{}", input.room)))
}

#[derive(Deserialize)]
struct History {
    room: RoomId,
    /// Messages before this one.
    before: Option<MessageId>,
    /// Messages after this one.
    after: Option<MessageId>,
}

async fn history(chat: Chat, viewer: Viewer, input: History) -> Result<Outcome> {
    let room = chat
        .community
        .permit_in_room(viewer.account, Permission::Read, input.room)
        .await?;
    // The cursor first: following from it brings everything that what is read here does not hold.
    let cursor = chat
        .engine
        .live
        .cursor(&format!("room/{}", room.id))
        .to_string();
    let page_query = match (input.before, input.after) {
        (None, None) => PageQuery::Newest,
        (Some(place), None) => PageQuery::Before(place),
        (None, Some(place)) => PageQuery::After(place),
        (Some(_), Some(_)) => return Err(Error::field("after", "error-message-shape")),
    };
    let (messages, more) = chat.messages(room.id, page_query).await?;
    Ok(Outcome::new(
        json!({ "messages": messages, "more": more, "cursor": cursor }),
        format!("/rooms/{}", room.id),
    ))
}
