//! The real server with one module more, whose frames come from nowhere: the engine's own part of a
//! delivery, without what a post is for (rights, a commit, rendering).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;
use tidepool::base::error::Result;
use tidepool::base::ids::SpaceId;
use tidepool::base::settings::{Flags, Settings};
use tidepool::engine::Engine;
use tidepool::engine::actions::{Action, Class, Outcome};
use tidepool::engine::jobs::{JobKind, NewJob, Run};
use tidepool::engine::live::{Content, FeedSpec};
use tidepool::engine::module::Module;
use tidepool::event;
use tokio::sync::Notify;

/// What is told with each beat, so that a frame has about 360 bytes.
const TEXT: &str = "The tide comes in and the tide goes out, and every pool among the rocks is another world for a while: anemones, \
    blennies, a crab under its stone, and somebody who looks: it is all there, for as long as one stays.";
const FEED: &str = "pulse/1";

event! {
    /// A beat.
    pub struct BeatTold on "bench.beat.told" by space {
        /// Where.
        space: SpaceId = SpaceId(1),
        /// Which.
        id: String = "10000001".into(),
        /// What.
        text: String = TEXT.into(),
    }
}

#[derive(Deserialize)]
struct Beats {
    frames: u64,
}

#[derive(Deserialize)]
struct Wanted {
    jobs: u64,
}

/// What jobs tell those who wait for them.
#[derive(Default)]
struct Seen {
    done: AtomicU64,
    rung: Notify,
    begun: Mutex<Option<Instant>>,
}

impl Seen {
    fn one(&self) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.done.fetch_add(1, Ordering::AcqRel);
        self.rung.notify_one();
    }

    async fn reaches(&self, count: u64) {
        while self.done.load(Ordering::Acquire) < count {
            self.rung.notified().await;
        }
    }
}

/// Adds so many jobs in one transaction.
async fn add(engine: &Engine, kind: &'static str, count: u64) -> Result<()> {
    let jobs = engine.jobs.clone();
    engine
        .db
        .write(async move |tx| {
            for number in 0..count {
                jobs.add(tx, NewJob::new(kind, &number)).await?;
            }
            Ok(())
        })
        .await
}

fn module(engine: Engine) -> Module {
    let number = Arc::new(Mutex::new(10_000_000_u64));
    let seen = Arc::new(Seen::default());
    let mut module = Module::new("bench")
        .migration(
            "0001_effects",
            "CREATE TABLE bench_effects (number BIGINT NOT NULL)",
        )
        .publishes::<BeatTold>()
        .feed(FeedSpec::new("pulse/{pulse}", "Beats", |_, _| async {
            Ok(true)
        }));
    for kind in ["bench.work", "bench.settle", "bench.once", "bench.wait"] {
        let doing = seen.clone();
        module = module.job(
            JobKind::new(
                kind,
                "Does next to nothing",
                move |run: Run, number: u64| {
                    let seen = doing.clone();
                    async move {
                        let settled = match kind {
                            "bench.settle" => {
                                let effect = run.settle(async move |tx| {
                                    const KEEP: &str =
                                        "INSERT INTO bench_effects (number) VALUES ($1)";
                                    tx.execute(KEEP, (number as i64,)).await?;
                                    Ok(())
                                });
                                effect.await?
                            }
                            _ => run.done()?,
                        };
                        seen.one();
                        Ok(settled)
                    }
                },
            )
            .at_once(64),
        );
        let (engine, seen) = (engine.clone(), seen.clone());
        module = module.action(Action::new(kind, "Adds jobs, and says how long they took", Class::Write, move |_, Wanted { jobs }| {
            let (engine, seen) = (engine.clone(), seen.clone());
            async move {
                let (before, started) = (seen.done.load(Ordering::Acquire), Instant::now());
                add(&engine, kind, jobs).await?;
                if kind != "bench.wait" {
                    seen.reaches(before + jobs).await;
                }
                let begun = seen.begun.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(started);
                let waited = begun.saturating_duration_since(started).as_secs_f64();
                Ok(Outcome::new(json!({ "seconds": started.elapsed().as_secs_f64(), "millis": waited * 1e3 }), "/"))
            }
        }));
    }
    let left = engine.clone();
    let drained = Action::new(
        "bench.drained",
        "Waits until no job is left",
        Class::Write,
        move |_, Wanted { .. }| {
            let engine = left.clone();
            async move {
                let until = Instant::now() + Duration::from_secs(15);
                loop {
                    let left: i64 = engine.db.scalar("SELECT COUNT(*) FROM jobs", ()).await?;
                    if left == 0 || Instant::now() > until {
                        return Ok(Outcome::new(json!({ "left": left }), "/"));
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        },
    );
    module.action(drained).action(Action::new(
        "bench.beat",
        "Tells all who follow of beats",
        Class::Write,
        move |_, Beats { frames }| {
            let (engine, number) = (engine.clone(), number.clone());
            async move {
                let mut number = number.lock().unwrap_or_else(PoisonError::into_inner);
                for _ in 0..frames {
                    *number += 1;
                    let beat = BeatTold {
                        space: SpaceId(1),
                        id: number.to_string(),
                        text: TEXT.into(),
                    };
                    // Under the lock: in the order of the numbers.
                    engine.live.publish(FEED, Content::of(&beat));
                }
                Ok(Outcome::new(
                    json!({ "message": { "id": number.to_string() } }),
                    "/",
                ))
            }
        },
    ))
}

/// Serves until it is killed.
#[tokio::main]
pub async fn serve() -> anyhow::Result<()> {
    let ready = |address| println!("Tidepool is at http://{address}");
    let settings = Settings::load(&Flags::default())?;
    tidepool::app::serve_with(
        settings,
        |community| vec![module(community.engine().clone())],
        ready,
    )
    .await
}
