//! `chat.poll`, `chat.vote` and `chat.end-poll`: polls are made, voted in and ended.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::model::{Message, MessageId};
use super::super::polls::Poll;
use super::super::topics::MessageVoted;
use super::super::{Chat, MODERATE, POST, REACT, ROOM_FEED, poll_store, store};
use super::permitted_message;
use super::post::post_input;
use super::post_input::{Author, PostInput};
use super::react::{OnOff, check_markable, check_takes_reactions};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId, SpaceId};
use crate::base::list::List;
use crate::community::Scope;
use crate::community::blocks::check_open;
use crate::engine::actions::Outcome;
use crate::engine::bus::Origin;
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::viewer::Viewer;

/// Answers that are read at all: of a few too many the author is told how many may be.
const MAX_LISTED: usize = 50;

#[derive(Deserialize)]
pub(in super::super) struct PollInput {
    room: RoomId,
    /// The question.
    #[serde(default)]
    body: String,
    /// Two to ten, in order; empty ones are left out.
    #[serde(default)]
    answers: List<String, MAX_LISTED>,
    /// `yes` to let everybody choose several.
    #[serde(default)]
    multiple: String,
    /// Hours that it is open; without them until it is ended.
    #[serde(default)]
    hours: String,
    /// As that of `chat.post`.
    #[serde(default)]
    key: String,
    /// As that of `chat.post`.
    #[serde(default)]
    seen: String,
}

/// Posts a poll.
pub(in super::super) async fn poll(
    chat: Chat,
    viewer: Viewer,
    input: PollInput,
) -> Result<Outcome> {
    let duration = match input.hours.trim() {
        "" => None,
        hours => {
            let hours: u32 = hours
                .parse()
                .map_err(|_| Error::field("hours", "error-message-shape"))?;
            Some(Duration::from_secs(u64::from(hours) * 3_600)).filter(|one| !one.is_zero())
        }
    };
    let poll = Poll::new(input.answers.iter(), input.multiple == "yes", duration)?;
    let post = PostInput::of_poll(input.room, input.body, poll, input.key, input.seen);
    post_input(chat, Author::of(&viewer), post).await
}

#[derive(Deserialize)]
pub(in super::super) struct VoteInput {
    message: MessageId,
    /// The place of the answer, from 0 on.
    answer: usize,
    /// `yes` or `no`; without it the answer is chosen if it is not, or else taken back.
    on: Option<OnOff>,
}

/// Chooses an answer of a poll, or takes that back.
pub(in super::super) async fn vote(
    chat: Chat,
    viewer: Viewer,
    input: VoteInput,
) -> Result<Outcome> {
    let (found, room) = permitted_message(&chat, &viewer, input.message, &REACT).await?;
    check_takes_reactions(&room)?;
    let (account, context) = (viewer.account, chat.clone());
    let (space, governing) = (room.space, room.governing());
    let write = async move |tx: &mut Tx| {
        if space.is_none() {
            check_open(tx, governing).await?;
        }
        let mut message = locked_poll(tx, found.id).await?;
        if message.poll.answers.get(input.answer).is_none() {
            return Err(Error::field("answer", "error-message-shape"));
        }
        let answer = i64::try_from(input.answer).unwrap_or(i64::MAX);
        let wanted = input.on.map(|on| on == OnOff::Yes);
        let poll = (message.id, &message.poll);
        let is_on = poll_store::vote(tx, poll, account, answer, wanted).await?;
        let before = message.poll.clone();
        poll_store::refresh(tx, message.id, &mut message.poll).await?;
        if message.poll != before {
            context.publish_vote(tx, account, space, &message).await?;
        }
        Ok((message, is_on))
    };
    let access = &chat.community.access;
    let (message, is_on) = access
        .permitted_write(account, &REACT, Scope::Room(room.id), write)
        .await?;
    voted(chat, &viewer, message, json!(is_on))
}

#[derive(Deserialize)]
pub(in super::super) struct EndPollInput {
    message: MessageId,
}

/// Ends a poll: its author may, and who moderates the room.
pub(in super::super) async fn end_poll(
    chat: Chat,
    viewer: Viewer,
    input: EndPollInput,
) -> Result<Outcome> {
    let found = store::message(&chat.engine.db, input.message).await?;
    let permission = match found.author == viewer.account {
        true => &POST,
        false => &MODERATE,
    };
    let (found, room) = permitted_message(&chat, &viewer, found.id, permission).await?;
    let (account, space, context) = (viewer.account, room.space, chat.clone());
    let write = async move |tx: &mut Tx| context.end_poll(tx, account, space, found.id).await;
    let access = &chat.community.access;
    let message = access
        .permitted_write(account, permission, Scope::Room(room.id), write)
        .await?;
    voted(chat, &viewer, message, json!(false))
}

fn voted(chat: Chat, viewer: &Viewer, message: Message, on: serde_json::Value) -> Result<Outcome> {
    let result = json!({ "on": on, "poll": message.poll });
    let (location, lang) = (format!("/messages/{}", message.id), viewer.lang);
    let frame = async move { chat.updated_frame(&message, lang).await };
    Ok(Outcome::new(result, location).fragment(frame))
}

/// A message with a poll that is open, locked.
///
/// # Errors
/// `Conflict` when it is deleted or has ended; `NotFound` when it is no poll.
async fn locked_poll(tx: &mut Tx, id: MessageId) -> Result<Message> {
    store::lock_message(tx, id).await?;
    let message = store::message_in(tx, id).await?;
    check_markable(&message)?;
    if message.poll.is_none() {
        return Err(Error::NotFound);
    }
    let has_ended = message.poll.ends_at.is_some_and(|at| at <= Micros::now());
    match message.poll.is_ended || has_ended {
        true => Err(Error::Conflict("error-poll-ended")),
        false => Ok(message),
    }
}

/// A job: a poll ends at its time.
#[derive(Serialize, Deserialize)]
struct EndPoll {
    message: MessageId,
}

const END_POLL: &str = "chat.end-poll";

pub(in super::super) fn end_poll_job() -> JobKind<Chat> {
    JobKind::new(END_POLL, "Ends polls at their time", end_due)
}

async fn end_due(chat: Chat, run: Run, job: EndPoll) -> Result<Settled, Failure> {
    let context = chat.clone();
    let write = async move |tx: &mut Tx| {
        store::lock_message(tx, job.message).await?;
        let mut message = match store::message_in(tx, job.message).await {
            Err(Error::NotFound) => return Ok(()),
            found => found?,
        };
        if message.poll.is_none() || message.poll.is_ended {
            return Ok(());
        }
        message.poll.is_ended = true;
        poll_store::store(tx, message.id, &message.poll).await?;
        let author = message.author;
        context.publish_vote(tx, author, None, &message).await
    };
    chat.engine.db.write_queued(write).await?;
    run.done()
}

impl Chat {
    /// Has a new poll end at its time, in the transaction of its post.
    pub(super) async fn schedule_poll_end(&self, tx: &mut Tx, message: &Message) -> Result<()> {
        let Some(ends_at) = message.poll.ends_at else {
            return Ok(());
        };
        let delay = ends_at.since(Micros::now());
        let job = NewJob::new(
            END_POLL,
            &EndPoll {
                message: message.id,
            },
        );
        let job = job.key(message.id.to_string()).after(delay);
        self.engine.jobs.add(tx, job).await.map(drop)
    }

    async fn end_poll(
        &self,
        tx: &mut Tx,
        by: AccountId,
        space: Option<SpaceId>,
        id: MessageId,
    ) -> Result<Message> {
        let mut message = locked_poll(tx, id).await?;
        message.poll.is_ended = true;
        poll_store::store(tx, message.id, &message.poll).await?;
        self.publish_vote(tx, by, space, &message).await?;
        Ok(message)
    }

    pub(in super::super) async fn publish_vote(
        &self,
        tx: &mut Tx,
        by: AccountId,
        space: Option<SpaceId>,
        message: &Message,
    ) -> Result<()> {
        let event = MessageVoted {
            room: message.room,
            message: message.clone(),
        };
        let (bus, feed) = (&self.engine.bus, ROOM_FEED.name(message.room));
        let origin = Origin::new(by, space);
        bus.publish_to_followers(tx, &[feed], origin, event).await
    }
}
