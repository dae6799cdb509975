//! Reminders: what somebody wants to be told of at a time, about a message or anything else. At
//! that time it becomes a notice. `/remind` makes one from where one writes messages.

mod actions;
mod command;
mod pages;
mod personal_data;
mod store;
mod when;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::base::clock::Micros;
use crate::base::error::{Check, Error, Result};
use crate::base::ids::AccountId;
use crate::base::text::{has_excess_marks, is_short, normalize_optional_line};
use crate::community::Community;
use crate::engine::Engine;
use crate::engine::actions::Class;
use crate::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use crate::engine::module::Module;
use crate::engine::notices::{NewNotice, NoticeKind, Recipients, ToldAt};
use crate::id;

id!(
    /// A reminder.
    ReminderId
);

/// Reminders of one account that wait.
pub const MAX_REMINDERS: i64 = 200;
/// Graphemes of a reminder's text.
pub const MAX_REMINDER_CHARS: usize = 200;
/// How far ahead a reminder may be.
pub const MAX_REMINDER_DELAY: Duration = Duration::from_secs(5 * 366 * 86_400);

const TELL: &str = "reminders.tell";

static DUE: NoticeKind = NoticeKind {
    name: "reminders.due",
    line: "notice-reminder",
    told_at: ToldAt::Every,
};

/// Something to be reminded of.
#[derive(Clone, Debug, FromRow)]
struct Reminder {
    id: ReminderId,
    #[sqlx(rename = "account_id")]
    account: AccountId,
    /// One line of plain text; may be empty where there is a path.
    text: String,
    /// The path of what it is about, or nothing.
    href: String,
    due_at: Micros,
}

/// A reminder that is about to be kept.
struct NewReminder {
    text: String,
    href: String,
    due_at: Micros,
    key: String,
}

impl NewReminder {
    /// Checks what was sent.
    ///
    /// # Errors
    /// `Invalid` for a text of more than [`MAX_REMINDER_CHARS`], one that is empty though it is
    /// about nothing, and a time that has passed or is more than [`MAX_REMINDER_DELAY`] away.
    fn new(text: &str, href: &str, due_at: Option<Micros>, key: String) -> Result<Self> {
        let (text, now) = (normalize_optional_line(text), Micros::now());
        let is_path = href.is_empty() || is_message_path(href);
        let fits = is_short(&text, MAX_REMINDER_CHARS) && !has_excess_marks(&text);
        let latest = now.plus(MAX_REMINDER_DELAY);
        Check::default()
            .that(is_path, "about", "error-message-shape", 0)
            .that(
                !text.is_empty() || !href.is_empty(),
                "text",
                "error-reminder-empty",
                0,
            )
            .that(fits, "text", "error-reminder-long", MAX_REMINDER_CHARS)
            .that(
                due_at.is_some_and(|at| at > now && at <= latest),
                "at",
                "error-reminder-time",
                0,
            )
            .done()?;
        Ok(Self {
            text,
            href: href.to_owned(),
            due_at: due_at.ok_or(Error::field("at", "error-reminder-time"))?,
            key,
        })
    }
}

/// Whether a path is that of a message, the only thing that a reminder can be about: it becomes a
/// link of a notice.
fn is_message_path(path: &str) -> bool {
    let id = path.strip_prefix("/messages/").unwrap_or_default();
    (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

/// The module. Cheap to clone.
#[derive(Clone)]
pub struct Reminders {
    engine: Engine,
    community: Community,
}

/// A job: somebody is told at the time of a reminder.
#[derive(Serialize, Deserialize)]
struct Tell {
    reminder: ReminderId,
}

impl Reminders {
    /// Creates the module's state.
    pub fn new(community: &Community) -> Self {
        Self {
            engine: community.engine().clone(),
            community: community.clone(),
        }
    }

    /// Keeps a reminder, once for a key.
    ///
    /// # Errors
    /// `Conflict` past [`MAX_REMINDERS`].
    async fn add(&self, account: AccountId, new: NewReminder) -> Result<Reminder> {
        let jobs = self.engine.jobs.clone();
        let write = self.engine.db.write(async move |tx| {
            store::lock(tx, account).await?;
            let (reminder, is_new) = store::add(tx, account, &new).await?;
            if !is_new {
                return Ok(reminder);
            }
            if store::count(tx, account).await? > MAX_REMINDERS {
                return Err(Error::Conflict("error-reminders-full"));
            }
            let tell = Tell {
                reminder: reminder.id,
            };
            let delay = reminder.due_at.since(Micros::now());
            let job = NewJob::new(TELL, &tell).account(account).after(delay);
            let job = jobs.add(tx, job).await?;
            store::set_job(tx, reminder.id, job).await?;
            Ok(reminder)
        });
        write.await
    }
}

/// Tells of a reminder, unless it was removed.
async fn tell(reminders: Reminders, run: Run, job: Tell) -> Result<Settled, Failure> {
    let notices = reminders.engine.notices.clone();
    let effect = async move |tx: &mut crate::base::db::Tx| {
        let Some(reminder) = store::take(tx, job.reminder).await? else {
            return Ok(());
        };
        let href = match reminder.href.is_empty() {
            true => "/reminders".to_owned(),
            false => reminder.href,
        };
        let notice = NewNotice {
            kind: &DUE,
            item: reminder.id.0,
            actor: None,
            space: None,
            room: None,
            href,
            text: reminder.text,
            to: vec![Recipients::Accounts(vec![reminder.account])],
        };
        notices.add(tx, notice).await
    };
    run.settle(effect).await
}

/// What the module declares to the engine.
pub fn module() -> Module<Reminders> {
    let module = Module::new("reminders")
        .notice_kind(&DUE)
        .job(JobKind::new(
            TELL,
            "Tells people what they wanted to be reminded of",
            tell,
        ))
        .personal_data("reminders", personal_data::export, personal_data::erase)
        .command(&command::REMIND, command::remind)
        .action(
            "reminders.add",
            "Keeps something to be reminded of at a time",
            Class::Write,
            actions::add,
        )
        .action(
            "reminders.remove",
            "Removes a reminder",
            Class::Write,
            actions::remove,
        );
    pages::declare(module)
}
