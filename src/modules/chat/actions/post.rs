//! `chat.post`: posts a message in a room.

use std::time::Instant;

use serde::Deserialize;

use super::super::attachment_store::NewAttachments;
use super::super::topics::MessagePosted;
use super::super::{ATTACH, Chat, POST, ROOM_FEED, mention_store, model, store};
use super::outcome;
use crate::base::db::Tx;
use crate::base::error::Result;
use crate::base::ids::RoomId;
use crate::base::list::List;
use crate::community::Scope;
use crate::community::blocks::check_open;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::files::FileId;
use crate::engine::viewer::Viewer;

/// Files and captions that are read at all: of a few too many the author is told how many may be.
const MAX_LISTED: usize = 100;

#[derive(Deserialize)]
pub(in super::super) struct PostInput {
    room: RoomId,
    #[serde(default)]
    body: String,
    /// Files that the viewer uploaded for this room; at most ten.
    #[serde(default)]
    files: List<FileId, MAX_LISTED>,
    /// Captions in the order of the files; there may be fewer.
    #[serde(default)]
    captions: List<String, MAX_LISTED>,
    /// Idempotency key chosen by the client: 8 to 64 letters, digits, `-` or `_`, unique among the
    /// author's posts.
    #[serde(default)]
    key: String,
    /// Sent by forms without a key: the newest message their page shows.
    #[serde(default)]
    seen: String,
}

/// Posts once per key, however often it is sent.
pub(in super::super) async fn post(
    chat: Chat,
    viewer: Viewer,
    input: PostInput,
) -> Result<Outcome> {
    let room = chat
        .community
        .access
        .permit_in_room(viewer.account, &POST, input.room)
        .await?;
    let attachments = NewAttachments::new(input.files.into_vec(), input.captions.into_vec())?;
    if !attachments.is_empty() {
        let access = &chat.community.access;
        access
            .permit_in_room(viewer.account, &ATTACH, room.id)
            .await?;
    }
    let body = model::body(&input.body, !attachments.is_empty())?;
    let key = model::client_key(&input.key, room.id, &input.seen, &body)?;
    let slow_mode = chat.slow_mode(viewer.account, &room).await?;
    let html = chat.code_renderer.render(&body).await?;
    let new = chat
        .find_mentions(viewer.account, &room, &body, html.as_deref())
        .await?;
    // Backpressure: posts faster than the shards send would evict frames from the feed's log
    // before subscribers got them.
    chat.engine.live.ready_for(&ROOM_FEED.name(room.id)).await;
    let (author, name, id, started) =
        (viewer.account, viewer.name.clone(), room.id, Instant::now());
    let (origin, context) = (Origin::new(author, room.space), chat.clone());
    let is_direct = room.space.is_none();
    let write = async move |tx: &mut Tx| {
        if is_direct {
            check_open(tx, id).await?;
        }
        let (mut message, is_new) = {
            let text = (body.as_str(), html.as_deref());
            store::post(tx, id, author, &name, &key, text, &new.mentions).await?
        };
        if is_new {
            let limits = context.daily_limits;
            limits.count_post(tx, author, &message.body).await?;
            slow_mode.count_post(tx, id, author).await?;
            message.files = attachments
                .attach(&context, tx, id, message.id, author)
                .await?;
            mention_store::add(tx, id, message.id, &new).await?;
            let event = MessagePosted {
                room: id,
                message: message.clone(),
            };
            let (bus, feed) = (&context.engine.bus, ROOM_FEED.name(id));
            bus.publish_to_followers(tx, &[feed], origin, event).await?;
            context.publish_mentions(tx, origin, id, &new.mentions, false);
        }
        Ok(message)
    };
    let access = &chat.community.access;
    let message = access
        .permitted_write(author, &POST, Scope::Room(id), write)
        .await?;
    metrics::histogram!("tidepool_post_seconds").record(started.elapsed().as_secs_f64());
    // A key that was used in another room returns the message it made there. Keys belong to their
    // author, so nobody else can read it.
    Ok(outcome(chat, &viewer, message))
}
