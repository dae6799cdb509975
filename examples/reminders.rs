//! A module with a job: reminders that are told when their time comes, whatever happens to the
//! server in between. `docs/jobs.md` explains it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tidepool::base::error::{Error, Result};
use tidepool::base::ids::AccountId;
use tidepool::base::settings::{Flags, Settings};
use tidepool::engine::Engine;
use tidepool::engine::actions::{Action, Class, Outcome};
use tidepool::engine::bus::{Origin, Subscriber};
use tidepool::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use tidepool::engine::live::{Content, FeedSpec};
use tidepool::engine::module::Module;
use tidepool::engine::viewer::Viewer;
use tidepool::event;

event! {
    /// Someone is reminded.
    pub struct ReminderTold on "reminders.reminder.told" by account {
        /// Who.
        account: AccountId = AccountId(7),
        /// Of what.
        text: String = "Water the plants".into(),
    }
}

const TABLE: &str = "CREATE TABLE reminders (account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE, text TEXT NOT NULL)";

#[derive(Deserialize)]
struct Set {
    text: String,
    seconds: u64,
}

#[derive(Deserialize)]
struct List {}

/// What the job is about: enough to do it, and no more.
#[derive(Serialize, Deserialize)]
struct Reminder {
    account: AccountId,
    text: String,
}

fn module(engine: Engine) -> Module {
    let (telling, setting, listing, live) = (
        engine.clone(),
        engine.clone(),
        engine.clone(),
        engine.live.clone(),
    );
    Module::new("reminders")
        .migration("0001_reminders", TABLE)
        .publishes::<ReminderTold>()
        .feed(FeedSpec::new(
            "reminders/{account}",
            "What one is reminded of",
            |viewer, ids| async move { Ok(viewer.account.0 == ids[0]) },
        ))
        .job(
            JobKind::new("reminders.tell", "Reminds someone", move |run, reminder| {
                tell(telling.clone(), run, reminder)
            })
            .at_once(8)
            .limit(Duration::from_secs(10))
            .attempts(5),
        )
        .action(Action::new(
            "reminders.set",
            "Sets a reminder",
            Class::Write,
            move |viewer, input| set(setting.clone(), viewer, input),
        ))
        .action(Action::new(
            "reminders.list",
            "What one was reminded of",
            Class::Read,
            move |viewer, _: List| list(listing.clone(), viewer),
        ))
        .subscriber(
            Subscriber::new("reminders.presenter", move |event| {
                if let Some(told) = event.get::<ReminderTold>() {
                    live.publish(&format!("reminders/{}", told.account), Content::of(told));
                }
                async { Ok(()) }
            })
            .on::<ReminderTold>(),
        )
}

/// The job is added in the transaction of its cause. Here it is all there is to write.
async fn set(engine: Engine, viewer: Viewer, input: Set) -> Result<Outcome> {
    if input.text.trim().is_empty() || input.text.len() > 1000 {
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

/// The effect and the end of the job are one transaction: however often the server ends in the
/// middle, it happens once.
async fn tell(engine: Engine, run: Run, reminder: Reminder) -> Result<Settled, Failure> {
    run.settle(async move |tx| {
        let Reminder { account, text } = reminder;
        const TELL: &str = "INSERT INTO reminders (account_id, text) VALUES ($1, $2)";
        tx.execute(TELL, (account, &text)).await?;
        let bus = engine.bus.clone();
        tx.after_commit(move || {
            bus.publish(Origin::new(account, None), ReminderTold { account, text })
        });
        Ok(())
    })
    .await
}

async fn list(engine: Engine, viewer: Viewer) -> Result<Outcome> {
    const LIST: &str =
        "SELECT text FROM reminders WHERE account_id = $1 ORDER BY rowid DESC LIMIT 1000";
    let told: Vec<String> = engine.db.scalars(LIST, (viewer.account,)).await?;
    Ok(Outcome::new(json!({ "told": told }), "/"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::load(&Flags::default())?;
    let ready = |address| println!("Tidepool is at http://{address}");
    tidepool::app::serve_with(
        settings,
        |community| vec![module(community.engine().clone())],
        ready,
    )
    .await
}
