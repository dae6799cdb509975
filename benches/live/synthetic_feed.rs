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
use tidepool::community::Community;
use tidepool::engine::Engine;
use tidepool::engine::actions::{Class, Outcome};
use tidepool::engine::feed::Feed;
use tidepool::engine::jobs::{Failure, JobKind, NewJob, Run, Settled};
use tidepool::engine::live::Content;
use tidepool::engine::module::{Module, Modules};
use tidepool::engine::viewer::Viewer;
use tidepool::event;
use tokio::sync::Notify;

/// Text of each frame, so that it has about 360 bytes.
const TEXT: &str = "The tide comes in and the tide goes out, and every pool among the rocks is \
    another world for a while: anemones, \
    blennies, a crab under its stone, and somebody who looks: it is all there, for as long as one \
    stays.";
const FEED: Feed<SpaceId> = Feed::new("bench/{bench}", "Synthetic frames");

event! {
    /// A synthetic frame.
    pub struct FrameSent on "bench.frame.sent" by space {
        /// Where.
        space: SpaceId = SpaceId(1),
        /// Which.
        id: String = "10000001".into(),
        /// What.
        text: String = TEXT.into(),
    }
}

#[derive(Deserialize)]
struct FrameCount {
    frames: u64,
}

#[derive(Deserialize)]
struct JobCount {
    jobs: u64,
}

/// What jobs tell those who wait for them.
#[derive(Default)]
struct JobProgress {
    done: AtomicU64,
    changed: Notify,
    begun: Mutex<Option<Instant>>,
}

impl JobProgress {
    fn one(&self) {
        *self.begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.done.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_one();
    }

    async fn reaches(&self, count: u64) {
        while self.done.load(Ordering::Acquire) < count {
            self.changed.notified().await;
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

/// The bench's own module.
#[derive(Clone)]
struct Bench {
    engine: Engine,
    /// The number of the last frame.
    number: Arc<Mutex<u64>>,
    seen: Arc<JobProgress>,
}

impl Bench {
    fn new(community: &Community) -> Self {
        Self {
            engine: community.engine().clone(),
            number: Arc::new(Mutex::new(10_000_000)),
            seen: Arc::default(),
        }
    }

    /// Adds jobs, and says how long they took.
    async fn run_jobs(self, kind: &'static str, jobs: u64) -> Result<Outcome> {
        let Self { engine, seen, .. } = self;
        let (before, started) = (seen.done.load(Ordering::Acquire), Instant::now());
        add(&engine, kind, jobs).await?;
        if kind != "bench.wait" {
            seen.reaches(before + jobs).await;
        }
        let begun = seen.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = begun.unwrap_or(started).saturating_duration_since(started);
        let (seconds, millis) = (started.elapsed().as_secs_f64(), waited.as_secs_f64() * 1e3);
        Ok(Outcome::new(
            json!({ "seconds": seconds, "millis": millis }),
            "/",
        ))
    }

    /// Waits until no job is left.
    async fn drained(self) -> Result<Outcome> {
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            let left: i64 = self
                .engine
                .db
                .scalar("SELECT COUNT(*) FROM jobs", ())
                .await?;
            if left == 0 || Instant::now() > until {
                return Ok(Outcome::new(json!({ "left": left }), "/"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A job that does next to nothing.
async fn work(bench: Bench, run: Run, number: u64, settles: bool) -> Result<Settled, Failure> {
    const KEEP: &str = "INSERT INTO bench_effects (number) VALUES ($1)";
    let settled = if settles {
        let effect = run.settle(async move |tx| {
            tx.execute(KEEP, (number.cast_signed(),)).await?;
            Ok(())
        });
        effect.await?
    } else {
        run.done()?
    };
    bench.seen.one();
    Ok(settled)
}

/// Sends frames to all who follow.
async fn send_frames(
    bench: Bench,
    _: Viewer,
    FrameCount { frames }: FrameCount,
) -> Result<Outcome> {
    let mut number = bench.number.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..frames {
        *number += 1;
        let frame = FrameSent {
            space: SpaceId(1),
            id: number.to_string(),
            text: TEXT.into(),
        };
        // Under the lock: in the order of the numbers.
        bench
            .engine
            .live
            .publish(&FEED.name(SpaceId(1)), Content::of(&frame));
    }
    let message = json!({ "message": { "id": number.to_string() } });
    Ok(Outcome::new(message, "/"))
}

fn module() -> Module<Bench> {
    const TABLE: &str = "CREATE TABLE bench_effects (number BIGINT NOT NULL)";
    const KINDS: [&str; 4] = ["bench.work", "bench.settle", "bench.once", "bench.wait"];
    let mut module = Module::new("bench")
        .migration("0001_effects", TABLE)
        .publishes::<FrameSent>()
        .feed(FEED, |_, _, _| async { Ok(true) });
    for kind in KINDS {
        let settles = kind == "bench.settle";
        let work = move |bench, run, number| work(bench, run, number, settles);
        module = module
            .job(JobKind::new(kind, "Does next to nothing", work).concurrency(64))
            .action(
                kind,
                "Adds jobs, and says how long they took",
                Class::Write,
                move |bench: Bench, _, JobCount { jobs }| bench.run_jobs(kind, jobs),
            );
    }
    module
        .action(
            "bench.drained",
            "Waits until no job is left",
            Class::Write,
            |bench: Bench, _, JobCount { .. }| bench.drained(),
        )
        .action(
            "bench.send-frames",
            "Sends frames to all who follow",
            Class::Write,
            send_frames,
        )
}

/// Serves until it is killed.
#[tokio::main]
pub async fn serve() -> anyhow::Result<()> {
    let ready = |address| println!("Tidepool is at http://{address}");
    let settings = Settings::load(&Flags::default())?;
    let add_bench = |modules: Modules<Community>| modules.add(module(), Bench::new);
    tidepool::app::serve_with(settings, add_bench, ready).await
}
