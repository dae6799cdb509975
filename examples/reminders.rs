//! A module with a job: reminders that are delivered when they are due, even if the server was
//! restarted in between. `docs/jobs.md` explains it.

use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tidepool::base::error::{Error, Result};
use tidepool::base::ids::AccountId;
use tidepool::community::Community;
use tidepool::engine::Engine;
use tidepool::engine::actions::{Class, Outcome};
use tidepool::engine::bus::{Envelope, Origin, Subscriber};
use tidepool::engine::feed::Feed;
use tidepool::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use tidepool::engine::live::Content;
use tidepool::engine::module::Module;
use tidepool::engine::viewer::Viewer;
use tidepool::event;

event! {
    /// A reminder was due.
    pub struct ReminderTold on "reminders.reminder.told" by account {
        /// Whose reminder it is.
        account: AccountId = AccountId(7),
        /// What to be reminded of.
        text: String = "Water the plants".into(),
    }
}

const TABLE: &str = "CREATE TABLE reminders (
    id         BIGINT NOT NULL PRIMARY KEY, -- that of the job
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    text       TEXT NOT NULL
)";
const MAX_TEXT_BYTES: usize = 1000;

#[derive(Deserialize)]
struct SetInput {
    text: String,
    seconds: u64,
}

#[derive(Deserialize)]
struct ListInput {}

/// The job's payload.
#[derive(Serialize, Deserialize)]
struct Reminder {
    account: AccountId,
    text: String,
}

/// An account's due reminders.
const FEED: Feed<AccountId> = Feed::new("reminders/{account}", "What one is reminded of");

fn module() -> Module<Engine> {
    Module::new("reminders")
        .migration("0001_reminders", TABLE)
        .publishes::<ReminderTold>()
        .feed(FEED, |_, viewer, account| async move {
            Ok(viewer.account == account)
        })
        .job(
            JobKind::new("reminders.tell", "Reminds someone", tell)
                .concurrency(8)
                .timeout(Duration::from_secs(10))
                .max_attempts(5),
        )
        .action("reminders.set", "Sets a reminder", Class::Write, set)
        .action(
            "reminders.list",
            "What one was reminded of",
            Class::Read,
            list,
        )
        .subscriber(Subscriber::new("reminders.presenter").on(reminder_told))
}

async fn reminder_told(engine: &Engine, event: &ReminderTold, envelope: &Envelope) -> Result<()> {
    let feed = FEED.name(event.account);
    engine.live.publish_at(&feed, envelope, Content::of(event));
    Ok(())
}

/// A job is added in the transaction of its cause. Here the job is all there is to write.
async fn set(engine: Engine, viewer: Viewer, input: SetInput) -> Result<Outcome> {
    if input.text.trim().is_empty() || input.text.len() > MAX_TEXT_BYTES {
        return Err(Error::field("text", "error-message-shape"));
    }
    let reminder = Reminder {
        account: viewer.account,
        text: input.text,
    };
    let job = NewJob::new("reminders.tell", &reminder).after(Duration::from_secs(input.seconds));
    let id = engine.jobs.add_alone(job).await?;
    Ok(Outcome::new(json!({ "job": id }), "/"))
}

/// The effect and the completion of the job are one transaction, so the effect happens once even if
/// the server crashes in between.
async fn tell(engine: Engine, run: Run, reminder: Reminder) -> Result<Settled, Failure> {
    let id = run.id();
    run.settle(async move |tx| {
        let Reminder { account, text } = reminder;
        const TELL: &str = "INSERT INTO reminders (id, account_id, text) VALUES ($1, $2, $3)";
        tx.execute(TELL, (id, account, &text)).await?;
        let (feed, origin) = (FEED.name(account), Origin::new(account, None));
        let told = ReminderTold { account, text };
        engine.bus.publish_on(tx, &[feed], origin, told).await
    })
    .await
}

async fn list(engine: Engine, viewer: Viewer, _: ListInput) -> Result<Outcome> {
    const LIST: &str =
        "SELECT text FROM reminders WHERE account_id = $1 ORDER BY id DESC LIMIT 1000";
    let texts: Vec<String> = engine.db.scalars(LIST, (viewer.account,)).await?;
    Ok(Outcome::new(json!({ "told": texts }), "/"))
}

fn main() -> ExitCode {
    tidepool::cli::main(|modules| {
        modules.add(module(), |community: &Community| community.engine().clone())
    })
}
