//! A module with a job: alarms that are delivered when they are due, even if the server was
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
    /// An alarm was due.
    pub struct AlarmTold on "alarms.alarm.told" by account {
        /// Whose alarm it is.
        account: AccountId = AccountId(7),
        /// What to be reminded of.
        text: String = "Water the plants".into(),
    }
}

const TABLE: &str = "CREATE TABLE alarms (
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
struct Alarm {
    account: AccountId,
    text: String,
}

/// An account's due alarms.
const FEED: Feed<AccountId> = Feed::new("alarms/{account}", "What one is reminded of");

fn module() -> Module<Engine> {
    Module::new("alarms")
        .migration("0001_alarms", TABLE)
        .publishes::<AlarmTold>()
        .feed(FEED, |_, viewer, account| async move {
            Ok(viewer.account == account)
        })
        .job(
            JobKind::new("alarms.tell", "Reminds someone", tell)
                .concurrency(8)
                .timeout(Duration::from_secs(10))
                .max_attempts(5),
        )
        .action("alarms.set", "Sets an alarm", Class::Write, set)
        .action("alarms.list", "What one was reminded of", Class::Read, list)
        .subscriber(Subscriber::new("alarms.presenter").on(alarm_told))
}

async fn alarm_told(engine: &Engine, event: &AlarmTold, envelope: &Envelope) -> Result<()> {
    let feed = FEED.name(event.account);
    engine.live.publish_at(&feed, envelope, Content::of(event));
    Ok(())
}

/// A job is added in the transaction of its cause. Here the job is all there is to write.
async fn set(engine: Engine, viewer: Viewer, input: SetInput) -> Result<Outcome> {
    if input.text.trim().is_empty() || input.text.len() > MAX_TEXT_BYTES {
        return Err(Error::field("text", "error-message-shape"));
    }
    let alarm = Alarm {
        account: viewer.account,
        text: input.text,
    };
    let job = NewJob::new("alarms.tell", &alarm).after(Duration::from_secs(input.seconds));
    let id = engine.jobs.add_alone(job).await?;
    Ok(Outcome::new(json!({ "job": id }), "/"))
}

/// The effect and the completion of the job are one transaction, so the effect happens once even if
/// the server crashes in between.
async fn tell(engine: Engine, run: Run, alarm: Alarm) -> Result<Settled, Failure> {
    let id = run.id();
    run.settle(async move |tx| {
        let Alarm { account, text } = alarm;
        const TELL: &str = "INSERT INTO alarms (id, account_id, text) VALUES ($1, $2, $3)";
        tx.execute(TELL, (id, account, &text)).await?;
        let (feed, origin) = (FEED.name(account), Origin::new(account, None));
        let told = AlarmTold { account, text };
        engine.bus.publish_on(tx, &[feed], origin, told).await
    })
    .await
}

async fn list(engine: Engine, viewer: Viewer, _: ListInput) -> Result<Outcome> {
    const LIST: &str = "SELECT text FROM alarms WHERE account_id = $1 ORDER BY id DESC LIMIT 1000";
    let texts: Vec<String> = engine.db.scalars(LIST, (viewer.account,)).await?;
    Ok(Outcome::new(json!({ "told": texts }), "/"))
}

fn main() -> ExitCode {
    tidepool::cli::main(|modules| {
        modules.add(module(), |community: &Community| community.engine().clone())
    })
}
