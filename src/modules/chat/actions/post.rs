//! `chat.post`: posts a message in a room.

use std::time::Instant;

use serde_json::json;

use super::super::attachment::Attachments;
use super::super::attachment_store::NewAttachments;
use super::super::commands::Ran;
use super::super::forum::Heading;
use super::super::held::held_frame;
use super::super::held_model::{HeldId, HeldMessage, HeldState};
use super::super::mention_targets::NewMentions;
use super::super::model::{Message, MessageId};
use super::super::polls::Poll;
use super::super::reply::Reply;
use super::super::store::NewMessage;
use super::super::topics::MessagePosted;
use super::super::{
    ATTACH, Chat, POST, ROOM_FEED, held_store, mention_store, model, store, thread_store,
};
use super::outcome;
use super::post_input::{Author, PostInput};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::community::Scope;
use crate::community::blocks::check_open;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::screening::{Finding, Verdict, check_refused};
use crate::engine::viewer::Viewer;

/// What became of a post, and what was found of it.
enum Posted {
    Message(Box<Message>, Finding),
    Held(Box<HeldMessage>, Finding),
    Refused(Finding),
}

/// The outcome of a post that waits for a moderator.
fn held_outcome(held: HeldMessage, lang: Lang) -> Outcome {
    let (id, room) = (held.id, held.room);
    let result = json!({ "held": {
        "id": id, "room": room, "key": held.key, "expires_at": held.expires_at().rfc3339(),
    } });
    let location = format!("/rooms/{room}#h-{id}");
    Outcome::new(result, location).fragment(async move { held_frame(&held, lang) })
}

/// What rules judge of a message: its text, with the answers of its poll.
fn with_answers(body: &str, poll: &Poll) -> String {
    match poll.is_none() {
        true => body.to_owned(),
        false => format!("{body}\n{}", poll.lines()),
    }
}

/// What a rule masked, as the text and the poll that it was made of.
///
/// # Errors
/// `Invalid` when it has not as many lines.
fn masked_parts(masked: &str, mut poll: Poll) -> Result<(String, Poll)> {
    if poll.is_none() {
        return Ok((masked.to_owned(), poll));
    }
    let mut rest = masked;
    for answer in poll.answers.iter_mut().rev() {
        let (before, text) = rest
            .rsplit_once('\n')
            .ok_or_else(|| Error::field("body", "error-rule-words"))?;
        answer.text = text.to_owned();
        rest = before;
    }
    Ok((rest.to_owned(), poll))
}

impl Chat {
    /// Who wrote the message that a post answers, unless it answers none.
    ///
    /// # Errors
    /// `Conflict` when it is not in this room, or is deleted.
    async fn find_answered(
        &self,
        room: RoomId,
        reply_to: Option<MessageId>,
    ) -> Result<Option<AccountId>> {
        let Some(id) = reply_to else { return Ok(None) };
        let found = match store::message(&self.engine.db, id).await {
            Err(Error::NotFound) => None,
            found => Some(found?),
        };
        let answered = found.filter(|message| message.room == room && !message.is_deleted());
        match answered {
            Some(message) => Ok(Some(message.author)),
            None => Err(Error::Conflict("error-reply-gone")),
        }
    }
}

/// Posts once per key, however often it is sent. What begins with a slash may be a command.
pub(in super::super) async fn post(
    chat: Chat,
    viewer: Viewer,
    input: PostInput,
) -> Result<Outcome> {
    match chat.run_command(&viewer, Box::new(input)).await? {
        Ran::Post(input) => post_input(chat, Author::of(&viewer), *input).await,
        Ran::Done(outcome) => Ok(outcome),
    }
}

/// Posts a text that is no command.
pub(in super::super) async fn post_input(
    chat: Chat,
    by: Author,
    input: PostInput,
) -> Result<Outcome> {
    let room = chat
        .community
        .access
        .permit_in_room(by.account, &POST, input.room)
        .await?;
    Chat::check_form(room.is_forum(), input.heading.as_ref())?;
    let (files, captions) = (input.files.into_vec(), input.captions.into_vec());
    let attachments =
        NewAttachments::new(files, captions, &input.voices)?.of_scheduled(input.scheduled);
    let forwarded = input.forwarded;
    let has_forwarded_files = forwarded
        .as_ref()
        .is_some_and(|one| !one.files.0.is_empty());
    if !attachments.is_empty() || has_forwarded_files {
        let access = &chat.community.access;
        access.permit_in_room(by.account, &ATTACH, room.id).await?;
    }
    let body = match &forwarded {
        Some(message) => message.body.clone(),
        None => model::body(&input.body, !attachments.is_empty())?,
    };
    let answered = chat.find_answered(room.id, input.reply_to).await?;
    let seen = match input.reply_to {
        Some(reply_to) => format!("{}/{reply_to}", input.seen),
        None => input.seen,
    };
    let poll = input.poll;
    let text = with_answers(&body, &poll);
    let key = model::client_key(&input.key, room.id, &seen, &text)?;
    let slow_mode = chat.slow_mode(by.account, &room).await?;
    let files = attachments.len() + forwarded.as_ref().map_or(0, |one| one.files.0.len());
    let mut heading = input.heading;
    // A title is judged with the text: it is one line, and the text begins after the next one.
    let judged = match &heading {
        Some(heading) => format!("{}\n\n{text}", heading.title),
        None => text,
    };
    let judgement = chat.judge(by.account, &room, &judged, files, false).await?;
    let (stored, poll) = match (&judgement.finding.verdict, &mut heading) {
        (Verdict::Mask(masked), Some(heading)) => {
            let (title, text) = masked.split_once("\n\n").unwrap_or((masked, ""));
            title.clone_into(&mut heading.title);
            (text.to_owned(), poll)
        }
        (Verdict::Mask(masked), None) => masked_parts(masked, poll)?,
        _ => (body.clone(), poll),
    };
    let html = chat.code_renderer.render(&stored).await?;
    let mut new = match &forwarded {
        // Whoever it mentions was called when it was written.
        Some(_) => NewMentions::default(),
        None => {
            let found = chat.find_mentions(by.account, &room, &stored, html.as_deref());
            found.await?
        }
    };
    new.mentions = new.mentions.answering(answered, by.account);
    // Backpressure: posts faster than the shards send would evict frames from the feed's log
    // before subscribers got them.
    chat.engine.live.ready_for(&ROOM_FEED.name(room.id)).await;
    let (author, name, id, started) = (by.account, by.name, room.id, Instant::now());
    let (origin, context) = (Origin::new(author, room.space), chat.clone());
    let (space, governing) = (room.space, room.governing());
    let is_post = heading.is_some();
    let write = async move |tx: &mut Tx| {
        let heading = heading.as_ref();
        if space.is_none() {
            check_open(tx, governing).await?;
        }
        let mut finding = Finding::default();
        if let (Some(space), false) = (space, judgement.is_empty()) {
            let (is_posted, held) = held_store::find_posted(tx, author, &key).await?;
            match held {
                Some((_, HeldState::Discarded)) => {
                    return Err(Error::Conflict("error-held-discarded"));
                }
                Some((held, _)) => {
                    let held = held_store::find_in(tx, held).await?;
                    return Ok(Posted::Held(Box::new(held), finding));
                }
                None => {}
            }
            if !is_posted {
                let screening = &context.engine.screening;
                finding = screening.count(tx, space, author, judgement).await?;
            }
            match finding.verdict {
                // Stored, so that what was counted stays counted.
                Verdict::Refuse(_) | Verdict::Wait(_) => return Ok(Posted::Refused(finding)),
                Verdict::Hold if forwarded.is_some() => {
                    return Err(Error::Conflict("error-forward-held"));
                }
                Verdict::Hold => {
                    let limits = context.daily_limits;
                    limits.count_post(tx, author, &body).await?;
                    slow_mode.count_post(tx, governing, author).await?;
                    let held = HeldMessage {
                        id: HeldId(0),
                        space,
                        room: id,
                        author,
                        author_name: name.to_string(),
                        key,
                        body,
                        title: heading.map_or_else(String::new, |one| one.title.clone()),
                        tags: heading.map_or_else(String::new, Heading::tags_text),
                        reply_to: input.reply_to,
                        poll,
                        files: Attachments::default(),
                        created_at: Micros(0),
                    };
                    let held = context.hold(tx, held, attachments, &finding.rule).await?;
                    return Ok(Posted::Held(Box::new(held), finding));
                }
                Verdict::Pass | Verdict::Mask(_) => {}
            }
        }
        let reply = match input.reply_to {
            Some(reply_to) => store::reply_to(tx, id, reply_to).await?,
            None => Reply::default(),
        };
        let (mut message, is_new) = {
            let message = NewMessage {
                room: id,
                author,
                author_name: &name,
                key: &key,
                body: &stored,
                html: html.as_deref(),
                mentions: &new.mentions,
                reply,
                poll: &poll,
                forwarded: forwarded
                    .as_ref()
                    .map(|message| message.forwarded_on())
                    .unwrap_or_default(),
            };
            store::post(tx, message).await?
        };
        if is_new {
            let limits = context.daily_limits;
            limits.count_post(tx, author, &message.body).await?;
            slow_mode.count_post(tx, governing, author).await?;
            message.files = attachments
                .attach(&context, tx, id, message.id, author)
                .await?;
            if let Some(forwarded) = &forwarded {
                message.files = context.copy_files(tx, forwarded, &message, space).await?;
            }
            context.schedule_poll_end(tx, &message).await?;
            context.add_preview_job(tx, &message).await?;
            mention_store::add(tx, id, message.id, &new).await?;
            if let Some(heading) = heading {
                message.continues = false;
                let of = (message.id, author);
                let thread = heading.insert(tx, id, of).await?;
                for account in new.mentions.accounts() {
                    thread_store::follow(tx, account, thread).await?;
                }
            }
            if governing != id {
                let followers = new.mentions.accounts().chain([author]);
                thread_store::count_reply(tx, id, message.id, followers).await?;
            }
            let event = MessagePosted {
                room: id,
                message: message.clone(),
            };
            let (bus, feed) = (&context.engine.bus, ROOM_FEED.name(id));
            bus.publish_to_followers(tx, &[feed], origin, event).await?;
            context.publish_mentions(tx, origin, id, &new.mentions, false);
            context.publish_notices(tx, space, &message, &new).await?;
        }
        Ok(Posted::Message(Box::new(message), finding))
    };
    let access = &chat.community.access;
    let posted = access
        .permitted_write(author, &POST, Scope::Room(id), write)
        .await?;
    metrics::histogram!("tidepool_post_seconds").record(started.elapsed().as_secs_f64());
    let (Posted::Message(_, finding) | Posted::Held(_, finding) | Posted::Refused(finding)) =
        &posted;
    chat.time_out_author(author, &room, finding).await;
    let message = match posted {
        Posted::Message(message, _) => *message,
        Posted::Held(held, _) => return Ok(held_outcome(*held, by.lang)),
        Posted::Refused(finding) => {
            check_refused(&finding.verdict, "body")?;
            return Err(Error::field("body", "error-rule-words"));
        }
    };
    if is_post {
        let thread = thread_store::of_message(&chat.engine.db, message.id).await?;
        let thread = thread.ok_or(Error::NotFound)?.room;
        let result = json!({ "message": message, "thread": thread });
        return Ok(Outcome::new(result, format!("/rooms/{thread}")));
    }
    // A key that was used in another room returns the message it made there. Keys belong to their
    // author, so nobody else can read it.
    Ok(outcome(chat, by.lang, message))
}
