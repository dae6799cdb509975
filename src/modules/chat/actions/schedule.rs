//! `chat.schedule`, `chat.cancel-scheduled` and `chat.send-scheduled`: messages for later.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::attachment_store::{MAX_FILES, NewAttachments};
use super::super::scheduled::{MAX_SCHEDULED, MAX_SCHEDULED_DELAY};
use super::super::scheduled_model::{Scheduled, ScheduledId};
use super::super::{ATTACH, Chat, POST, model, scheduled_store};
use super::post_input::MAX_LISTED;
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::RoomId;
use crate::base::list::List;
use crate::base::local_time::{parse_field, time_zone};
use crate::community::Scope;
use crate::engine::actions::Outcome;
use crate::engine::files::FileId;
use crate::engine::viewer::Viewer;

#[derive(Deserialize)]
pub(in super::super) struct ScheduleInput {
    room: RoomId,
    body: String,
    /// `2026-12-01T18:30`, by the clock of `zone`.
    at: String,
    /// The time zone of the browser; without it the account's.
    #[serde(default)]
    zone: String,
    /// One's own scheduled message that is changed.
    scheduled: Option<ScheduledId>,
    /// As those of `chat.post`; behind the files that a changed message has.
    #[serde(default)]
    files: List<FileId, MAX_LISTED>,
    /// As those of `chat.post`.
    #[serde(default)]
    captions: List<String, MAX_LISTED>,
    /// Files of a changed message that it shall not have any more.
    #[serde(default)]
    without: List<FileId, MAX_LISTED>,
    /// As that of `chat.post`.
    #[serde(default)]
    key: String,
    /// As that of `chat.post`.
    #[serde(default)]
    seen: String,
}

/// Keeps a message to be posted at a time, or changes one.
pub(in super::super) async fn schedule(
    chat: Chat,
    viewer: Viewer,
    input: ScheduleInput,
) -> Result<Outcome> {
    let account = viewer.account;
    let access = &chat.community.access;
    let room = access.permit_in_room(account, &POST, input.room).await?.id;
    let (files, captions) = (input.files.into_vec(), input.captions.into_vec());
    let attachments = NewAttachments::new(files, captions, &[])?;
    if !attachments.is_empty() {
        access.permit_in_room(account, &ATTACH, room).await?;
    }
    // What a changed message has is counted where it is changed.
    let may_be_empty = !attachments.is_empty() || input.scheduled.is_some();
    let body = model::body(&input.body, may_be_empty)?;
    let own = chat.community.time_zone(account).await?;
    let zone = time_zone([input.zone.as_str(), own.as_str()]);
    let now = Micros::now();
    let due_at = parse_field(&input.at, zone)
        .filter(|at| *at > now && *at <= now.plus(MAX_SCHEDULED_DELAY))
        .ok_or_else(|| Error::field("at", "error-schedule-time"))?;
    let key = model::client_key(&input.key, room, &input.seen, &body)?;
    let context = chat.clone();
    let write = async move |tx: &mut Tx| {
        if let Some(id) = input.scheduled {
            let changed = scheduled_store::change(tx, account, id, &body, due_at).await?;
            let changed = changed.ok_or(Error::Conflict("error-schedule-gone"))?;
            for file in input.without.iter() {
                if scheduled_store::take_file(tx, id, *file).await? {
                    context.engine.files.release(tx, *file).await?;
                }
            }
            context.attach_later(tx, &changed, attachments).await?;
            context.schedule_post(tx, &changed).await?;
            return Ok(changed);
        }
        scheduled_store::lock(tx, account).await?;
        let new = (key.as_str(), body.as_str());
        let (scheduled, is_new) = scheduled_store::add(tx, account, room, new, due_at).await?;
        if is_new {
            if scheduled_store::count(tx, account).await? > MAX_SCHEDULED {
                return Err(Error::Conflict("error-schedule-full"));
            }
            context.attach_later(tx, &scheduled, attachments).await?;
            context.schedule_post(tx, &scheduled).await?;
        }
        Ok(scheduled)
    };
    let scheduled = access
        .permitted_write(account, &POST, Scope::Room(room), write)
        .await?;
    let result = json!({ "scheduled": scheduled.id, "at": scheduled.due_at.rfc3339() });
    Ok(Outcome::new(result, "/scheduled"))
}

impl Chat {
    /// Adds files to a scheduled message.
    ///
    /// # Errors
    /// Those of claiming them; `Invalid` when there are too many, or when there is nothing to post.
    async fn attach_later(
        &self,
        tx: &mut Tx,
        scheduled: &Scheduled,
        attachments: NewAttachments,
    ) -> Result<()> {
        let (room, account) = (scheduled.room, scheduled.account);
        let claimed = attachments.claim(self, tx, room, account).await?;
        let files: Vec<_> = claimed
            .0
            .into_iter()
            .map(|one| (one.id, one.caption))
            .collect();
        scheduled_store::add_files(tx, scheduled.id, &files).await?;
        let count = scheduled_store::count_files(tx, scheduled.id).await?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Check::default()
            .that(count <= MAX_FILES, "files", "error-files-many", MAX_FILES)
            .that(
                count > 0 || !scheduled.body.is_empty(),
                "body",
                "error-message-empty",
                0,
            )
            .done()
    }
}

#[derive(Deserialize)]
pub(in super::super) struct ScheduledInput {
    scheduled: ScheduledId,
}

/// Removes one's own scheduled message.
pub(in super::super) async fn cancel(
    chat: Chat,
    viewer: Viewer,
    input: ScheduledInput,
) -> Result<Outcome> {
    let account = viewer.account;
    let (jobs, context) = (chat.engine.jobs.clone(), chat.clone());
    let write = chat.engine.db.write(async move |tx: &mut Tx| {
        let job = scheduled_store::job(tx, input.scheduled).await?;
        if !context
            .remove_scheduled(tx, account, input.scheduled)
            .await?
        {
            return Err(Error::NotFound);
        }
        match job {
            Some(job) => jobs.withdraw(tx, job).await,
            None => Ok(()),
        }
    });
    write.await?;
    Ok(Outcome::new(Value::Null, "/scheduled"))
}

/// Posts one's own scheduled message now.
pub(in super::super) async fn send_now(
    chat: Chat,
    viewer: Viewer,
    input: ScheduledInput,
) -> Result<Outcome> {
    let found = scheduled_store::find(&chat.engine.db, input.scheduled).await?;
    let own = found.filter(|one| one.account == viewer.account);
    let scheduled = own.ok_or(Error::NotFound)?;
    chat.post_scheduled(&scheduled).await?;
    let location = format!("/rooms/{}", scheduled.room);
    Ok(Outcome::new(Value::Null, location))
}
