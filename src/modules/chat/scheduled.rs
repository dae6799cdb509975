//! Messages that are written now and posted at a time. A job posts each as its author would then:
//! with the rights, rules and limits of that moment. What could not be posted stays in the author's
//! list, with the reason, and a notice says so.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::actions::post::post_input;
use super::actions::post_input::{Author, PostInput};
use super::attachment::{Attachment, Attachments};
use super::scheduled_model::{Scheduled, ScheduledId};
use super::{Chat, markdown, scheduled_store};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::{AccountId, RoomId};
use crate::base::locale::Lang;
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::notices::{NewNotice, NoticeKind, Recipients, ToldAt};
use crate::engine::problem::words_of;

/// Scheduled messages of one account.
pub const MAX_SCHEDULED: i64 = 50;
/// How far ahead a message may be scheduled.
pub const MAX_SCHEDULED_DELAY: Duration = Duration::from_secs(366 * 86_400);
/// Characters of a message that a notice about it shows.
const NOTICE_CHARS: usize = 100;

/// Scheduled messages that one transaction erases.
const BATCH_ERASED: i64 = 10;

const POST_SCHEDULED: &str = "chat.post-scheduled";

pub(super) static NOT_POSTED: NoticeKind = NoticeKind {
    name: "chat.scheduled-failed",
    line: "notice-scheduled-failed",
    told_at: ToldAt::Every,
};

/// A job: a message is posted at its time, unless it was changed or removed meanwhile.
#[derive(Serialize, Deserialize)]
struct PostScheduled {
    scheduled: ScheduledId,
    due_at: Micros,
}

pub(super) fn job() -> JobKind<Chat> {
    JobKind::new(
        POST_SCHEDULED,
        "Posts messages at the time they are scheduled for",
        post_due,
    )
}

async fn post_due(chat: Chat, run: Run, job: PostScheduled) -> Result<Settled, Failure> {
    let found = scheduled_store::find(&chat.engine.db, job.scheduled).await?;
    let waiting = found.filter(|one| one.due_at == job.due_at && one.problem.is_empty());
    let Some(scheduled) = waiting else {
        return run.done();
    };
    match chat.post_scheduled(&scheduled).await {
        Ok(()) => run.done(),
        Err(error @ (Error::Unavailable | Error::Internal(_))) => Err(error.into()),
        Err(Error::TooMany(left)) => {
            let due_at = Micros::now().plus(left.wait + Duration::from_secs(1));
            chat.postpone(&scheduled, due_at).await?;
            run.done()
        }
        Err(error) => {
            let problem = words_of(&error, Lang::negotiate(None, None));
            chat.fail_scheduled(&scheduled, problem).await?;
            run.done()
        }
    }
}

impl Chat {
    /// Has a scheduled message posted at its time, in the transaction that stores it.
    pub(super) async fn schedule_post(&self, tx: &mut Tx, scheduled: &Scheduled) -> Result<()> {
        let job = PostScheduled {
            scheduled: scheduled.id,
            due_at: scheduled.due_at,
        };
        let delay = scheduled.due_at.since(Micros::now());
        let job = NewJob::new(POST_SCHEDULED, &job);
        let job = job.account(scheduled.account).after(delay);
        // Or else one could fill the queue by changing a message again and again.
        if let Some(before) = scheduled_store::job(tx, scheduled.id).await? {
            self.engine.jobs.withdraw(tx, before).await?;
        }
        let job = self.engine.jobs.add(tx, job).await?;
        scheduled_store::set_job(tx, scheduled.id, job).await
    }

    /// Posts a scheduled message as its author, once, and removes it from the list.
    ///
    /// # Errors
    /// Those of a post.
    pub(super) async fn post_scheduled(&self, scheduled: &Scheduled) -> Result<()> {
        // Its sessions are ended; what it left to be posted must not be.
        self.community
            .check_not_suspended(scheduled.account)
            .await?;
        let account = self.community.accounts.get(scheduled.account).await?;
        let author = Author {
            account: scheduled.account,
            name: account.name.as_str().into(),
            lang: Lang::negotiate(None, None),
        };
        let key = format!("scheduled-{}", scheduled.id);
        let files = scheduled_store::files(&self.engine.db, scheduled.id).await?;
        let input = PostInput::of_scheduled(scheduled, files, key);
        post_input(self.clone(), author, input).await?;
        let (account, id, context) = (scheduled.account, scheduled.id, self.clone());
        let write = self.engine.db.write_queued(async move |tx: &mut Tx| {
            context.remove_scheduled(tx, account, id).await.map(drop)
        });
        write.await
    }

    /// Removes a message of an account, with the files that were not posted. Returns whether it was
    /// there.
    pub(super) async fn remove_scheduled(
        &self,
        tx: &mut Tx,
        account: AccountId,
        id: ScheduledId,
    ) -> Result<bool> {
        let files = scheduled_store::remove(tx, account, id).await?;
        for file in files.iter().flatten() {
            self.engine.files.release(tx, *file).await?;
        }
        Ok(files.is_some())
    }

    /// Removes some scheduled messages of an account, or for a room, with their files. Returns
    /// whether there may be more.
    pub(super) async fn erase_some_scheduled(
        &self,
        account: Option<AccountId>,
        room: Option<RoomId>,
    ) -> Result<bool> {
        let db = &self.engine.db;
        let some = scheduled_store::some_of(db, account, room, BATCH_ERASED).await?;
        let (context, is_more) = (self.clone(), !some.is_empty());
        let write = db.write_queued(async move |tx: &mut Tx| {
            for (id, account) in some {
                context.remove_scheduled(tx, account, id).await?;
            }
            Ok(())
        });
        write.await?;
        Ok(is_more)
    }

    /// The files of a scheduled message, as they are now.
    pub(super) async fn files_of_scheduled(&self, scheduled: &Scheduled) -> Result<Attachments> {
        let mut files = Vec::new();
        for (id, caption) in scheduled_store::files(&self.engine.db, scheduled.id).await? {
            match self.engine.files.file(id).await {
                Ok(file) => files.push(Attachment::of(&file, caption)),
                Err(Error::NotFound) => {} // posted or removed since
                Err(error) => return Err(error),
            }
        }
        Ok(Attachments(files))
    }

    async fn postpone(&self, scheduled: &Scheduled, due_at: Micros) -> Result<()> {
        let later = Scheduled {
            due_at,
            ..scheduled.clone()
        };
        let context = self.clone();
        let write = self.engine.db.write_queued(async move |tx: &mut Tx| {
            scheduled_store::postpone(tx, later.id, due_at).await?;
            context.schedule_post(tx, &later).await
        });
        write.await
    }

    /// Keeps a message that could not be posted, and tells its author.
    async fn fail_scheduled(&self, scheduled: &Scheduled, problem: String) -> Result<()> {
        let (scheduled, notices) = (scheduled.clone(), self.engine.notices.clone());
        let write = self.engine.db.write_queued(async move |tx: &mut Tx| {
            scheduled_store::fail(tx, scheduled.id, &problem).await?;
            let notice = NewNotice {
                kind: &NOT_POSTED,
                item: scheduled.id.0,
                actor: None,
                space: None,
                room: None,
                href: "/scheduled".to_owned(),
                text: markdown::to_plain(&scheduled.body, NOTICE_CHARS),
                to: vec![Recipients::Accounts(vec![scheduled.account])],
            };
            notices.add(tx, notice).await
        });
        write.await
    }
}
