//! `chat.release-held` and `chat.discard-held`: what moderators decide about held messages.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::attachment::{Attachment, Attachments};
use super::super::forum::Heading;

use super::super::held_model::{HeldId, HeldMessage, HeldState};
use super::super::mention_targets::NewMentions;
use super::super::model::{Forwarded, Message};
use super::super::reply::Reply;
use super::super::store::NewMessage;
use super::super::topics::{HeldChanged, HeldDecided, MessagePosted};
use super::super::{Chat, MODERATE, ROOM_FEED, held_store, mention_store, store, thread_store};
use super::delete_many::audited;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::community::audit::{self, Act};
use crate::community::{ACCOUNT_FEED, Room, Scope};
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(in super::super) struct HeldInput {
    held: HeldId,
}

/// Posts a held message as by its author, now.
pub(in super::super) async fn release(
    chat: Chat,
    viewer: Viewer,
    input: HeldInput,
) -> Result<Outcome> {
    let (by, context) = (viewer.account, chat.clone());
    let (held, room) = chat.moderated(by, input.held).await?;
    if room.rules.archived {
        return Err(Error::Conflict("error-room-archived"));
    }
    let html = chat.code_renderer.render(&held.body).await?;
    let new = chat
        .find_mentions(held.author, &room, &held.body, html.as_deref())
        .await?;
    chat.engine.live.ready_for(&ROOM_FEED.name(room.id)).await;
    let (id, space) = (room.id, held.space);
    let write = async move |tx: &mut Tx| {
        let held = held_store::find_in(tx, input.held).await?;
        if !held_store::decide(tx, held.id, HeldState::Released).await? {
            return Err(Error::Conflict("error-held-decided"));
        }
        record(tx, by, &held, &room, "message.released").await?;
        let message = context.post_held(tx, &held, html.as_deref(), &new).await?;
        publish_decided(tx, &context, by, &held, true).await?;
        Ok(message)
    };
    let access = &chat.community.access;
    let message = access
        .permitted_write(by, &MODERATE, Scope::Room(id), write)
        .await?;
    let next = format!("/spaces/{space}/held");
    Ok(Outcome::new(json!({ "message": message }), next))
}

/// Deletes a held message.
pub(in super::super) async fn discard(
    chat: Chat,
    viewer: Viewer,
    input: HeldInput,
) -> Result<Outcome> {
    let (by, context) = (viewer.account, chat.clone());
    let (held, room) = chat.moderated(by, input.held).await?;
    let (id, space) = (room.id, held.space);
    let write = async move |tx: &mut Tx| {
        let held = held_store::find_in(tx, input.held).await?;
        if !held_store::decide(tx, held.id, HeldState::Discarded).await? {
            return Err(Error::Conflict("error-held-decided"));
        }
        record(tx, by, &held, &room, "message.discarded").await?;
        context.release_held_files(tx, held.id).await?;
        publish_decided(tx, &context, by, &held, false).await
    };
    let access = &chat.community.access;
    access
        .permitted_protective_write(by, &MODERATE, Scope::Room(id), write)
        .await?;
    Ok(Outcome::new(Value::Null, format!("/spaces/{space}/held")))
}

impl Chat {
    /// A held message and its room, where the viewer moderates.
    ///
    /// # Errors
    /// `NotFound` or `Forbidden` for others.
    async fn moderated(
        &self,
        by: AccountId,
        id: HeldId,
    ) -> Result<(HeldMessage, std::sync::Arc<Room>)> {
        let held = held_store::find(&self.engine.db, id).await?;
        let access = &self.community.access;
        let room = access.permit_in_room(by, &MODERATE, held.room).await?;
        Ok((held, room))
    }

    /// Posts a held message in the transaction that releases it. If its author has posted under its
    /// key meanwhile, that message stays the only one.
    async fn post_held(
        &self,
        tx: &mut Tx,
        held: &HeldMessage,
        html: Option<&str>,
        new: &NewMentions,
    ) -> Result<Message> {
        let HeldMessage {
            room,
            author,
            author_name: name,
            key,
            body,
            ..
        } = held;
        let reply = match held.reply_to {
            // What it answers may be gone by now.
            Some(reply_to) => match store::reply_to(tx, *room, reply_to).await {
                Err(Error::Conflict(_)) => Reply::default(),
                found => found?,
            },
            None => Reply::default(),
        };
        let mentions = new.mentions.clone().answering(reply.author, *author);
        let new_message = NewMessage {
            room: *room,
            author: *author,
            author_name: name,
            key,
            body,
            html,
            mentions: &mentions,
            reply,
            poll: &held.poll,
            forwarded: Forwarded::default(),
        };
        let (mut message, is_new) = store::post(tx, new_message).await?;
        if !is_new {
            self.release_held_files(tx, held.id).await?;
            return Ok(message);
        }
        let mut files = Vec::new();
        for (file, caption) in held_store::take_files(tx, held.id).await? {
            held_store::attach(tx, file, message.id, *room).await?;
            let file = self.engine.files.file_in(tx, file).await?;
            let stored = held.files.0.iter().find(|one| one.id == file.id);
            let voice = stored.and_then(|one| one.voice.clone());
            files.push(Attachment::of(&file, caption).with_voice(voice)?);
        }
        message.files = Attachments(files);
        store::set_files(tx, message.id, &message.files).await?;
        self.schedule_poll_end(tx, &message).await?;
        self.add_preview_job(tx, &message).await?;
        mention_store::add(tx, *room, message.id, new).await?;
        if let Some(heading) = Heading::of_held(&held.title, &held.tags) {
            message.continues = false;
            let of = (message.id, *author);
            let thread = heading.insert(tx, *room, of).await?;
            for account in new.mentions.accounts() {
                thread_store::follow(tx, account, thread).await?;
            }
        }
        if self.is_thread(*room).await? {
            let followers = new.mentions.accounts().chain([*author]);
            thread_store::count_reply(tx, *room, message.id, followers).await?;
        }
        let event = MessagePosted {
            room: *room,
            message: message.clone(),
        };
        let (bus, feed) = (&self.engine.bus, ROOM_FEED.name(*room));
        let origin = Origin::new(*author, Some(held.space));
        bus.publish_to_followers(tx, &[feed], origin, event).await?;
        self.publish_mentions(tx, origin, *room, &new.mentions, false);
        self.publish_notices(tx, Some(held.space), &message, new)
            .await?;
        Ok(message)
    }
}

async fn record(
    tx: &mut Tx,
    by: AccountId,
    held: &HeldMessage,
    room: &Room,
    act: &'static str,
) -> Result<()> {
    let act = Act {
        space: room.space,
        actor: Some(by),
        act,
        subject: Some(held.author.0),
        name: "",
        before: audited(room, std::slice::from_ref(&held.body)),
        after: Value::Null,
    };
    audit::record(tx, act).await
}

async fn publish_decided(
    tx: &mut Tx,
    chat: &Chat,
    by: AccountId,
    held: &HeldMessage,
    is_released: bool,
) -> Result<()> {
    let event = HeldDecided {
        account: held.author,
        room: held.room,
        held: held.id,
        is_released,
    };
    let (bus, feed) = (&chat.engine.bus, ACCOUNT_FEED.name(held.author));
    let (space, origin) = (held.space, Origin::new(by, Some(held.space)));
    bus.publish_after_commit(tx, origin, HeldChanged { space });
    bus.publish_on(tx, &[feed], origin, event).await
}
