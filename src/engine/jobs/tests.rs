use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::*;
use crate::base::db::tests::Scratch;

const PATIENCE: Duration = Duration::from_secs(20);

type Said = mpsc::UnboundedSender<(i64, u32)>;

/// A kind that says what it was given and does what it was told.
fn kind() -> JobKind<Said> {
    JobKind::new("test.do", "Does what it is told", do_as_told)
        .backoff(Duration::from_millis(10))
        .attempts(3)
}

async fn do_as_told(
    said: Said,
    run: Run,
    (number, told): (i64, String),
) -> Result<Settled, Failure> {
    said.send((number, run.attempt())).unwrap();
    match told.as_str() {
        "fail" => Err("it was told to".into()),
        "fail twice" if run.attempt() < 3 => Err("not yet".into()),
        "give up" => Err(Failure::GiveUp("it was told to".to_owned())),
        "panic" => panic!("it was told to"),
        "hang" => std::future::pending().await,
        "wait" => {
            sleep(Duration::from_millis(300)).await;
            run.done()
        }
        "insert" => run.settle(async move |tx| insert(tx, number).await).await,
        _ => run.done(),
    }
}

async fn insert(tx: &mut Tx, number: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO spaces (id, name, created_at) VALUES ($1, 'x', 0)",
        (number,),
    )
    .await?;
    Ok(())
}

struct Bench {
    scratch: Scratch,
    jobs: Jobs,
    said: mpsc::UnboundedReceiver<(i64, u32)>,
}

impl Bench {
    async fn new(set: impl FnOnce(JobKind<Said>) -> JobKind<Said>) -> Self {
        let scratch = Scratch::new().await;
        let (say, said) = mpsc::unbounded_channel();
        let kind = set(kind());
        let jobs = Jobs::new(scratch.db.clone(), [kind.spec.clone()]);
        jobs.start([kind.bind(&say)], vec![]);
        Self {
            scratch,
            jobs,
            said,
        }
    }

    async fn add(&self, number: i64, told: &str) -> JobId {
        self.jobs
            .add_alone(NewJob::new("test.do", &(number, told)))
            .await
            .unwrap()
    }

    async fn heard(&mut self) -> (i64, u32) {
        timeout(PATIENCE, self.said.recv())
            .await
            .expect("a job begins")
            .unwrap()
    }

    async fn until(&self, what: &str, holds: impl Fn(&Overview) -> bool) -> Overview {
        let until = Instant::now() + PATIENCE;
        loop {
            let overview = self.jobs.overview().await.unwrap();
            if holds(&overview) {
                return overview;
            }
            assert!(Instant::now() < until, "{what}: {overview:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until_quiet(&self) -> Overview {
        let quiet = |kind: &KindView| kind.waiting + kind.later + kind.running as i64 == 0;
        self.until("all ends", |overview| overview.kinds.iter().all(quiet))
            .await
    }

    async fn rows(&self) -> i64 {
        self.scratch
            .db
            .scalar("SELECT COUNT(*) FROM jobs", ())
            .await
            .unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_job_is_done_and_its_row_is_gone() {
    let mut bench = Bench::new(|kind| kind.at_once(16)).await;
    let jobs = bench.jobs.clone();
    let add = (0..500).map(|n| {
        jobs.add_alone(NewJob::new(
            "test.do",
            &(n, if n % 2 == 0 { "insert" } else { "" }),
        ))
    });
    futures_util::future::try_join_all(add).await.unwrap();
    let mut heard = Vec::new();
    for _ in 0..500 {
        heard.push(bench.heard().await.0);
    }
    heard.sort_unstable();
    assert!(heard.into_iter().eq(0..500), "each once");
    let overview = bench.until_quiet().await;
    assert_eq!(
        (
            overview.kinds[0].done,
            overview.kinds[0].failed,
            bench.rows().await
        ),
        (500, 0, 0)
    );
    let inserted: i64 = bench
        .scratch
        .db
        .scalar("SELECT COUNT(*) FROM spaces", ())
        .await
        .unwrap();
    assert_eq!(inserted, 250);
}

#[tokio::test]
async fn a_job_of_a_cause_that_is_undone_does_not_exist() {
    let bench = Bench::new(|kind| kind).await;
    let jobs = bench.jobs.clone();
    let undone: Result<()> = bench
        .scratch
        .db
        .write(async move |tx| {
            jobs.add(tx, NewJob::new("test.do", &(1, ""))).await?;
            Err(Error::NotFound)
        })
        .await;
    assert!(undone.is_err());
    assert_eq!(bench.rows().await, 0);
}

#[tokio::test]
async fn the_urgent_go_first_and_a_paused_kind_waits() {
    let mut bench = Bench::new(|kind| kind.at_once(1)).await;
    bench.jobs.pause("test.do", true).await.unwrap();
    for (number, priority) in [(1, 0), (2, 0), (3, 5), (4, -1)] {
        bench
            .jobs
            .add_alone(NewJob::new("test.do", &(number, "")).priority(priority))
            .await
            .unwrap();
    }
    let overview = bench.jobs.overview().await.unwrap();
    assert!(
        overview.kinds[0].paused
            && overview.kinds[0].waiting == 4
            && overview.kinds[0].oldest.is_some()
    );
    bench.jobs.pause("test.do", false).await.unwrap();
    let order = [
        bench.heard().await.0,
        bench.heard().await.0,
        bench.heard().await.0,
        bench.heard().await.0,
    ];
    assert_eq!(order, [3, 1, 2, 4]);
}

#[tokio::test]
async fn a_key_is_there_once_until_its_job_has_ended() {
    let mut bench = Bench::new(|kind| kind).await;
    let add = || {
        bench
            .jobs
            .add_alone(NewJob::new("test.do", &(1, "wait")).key("one"))
    };
    let first = add().await.unwrap();
    assert_eq!(add().await.unwrap(), first);
    assert_eq!(bench.heard().await.0, 1);
    assert_eq!(
        bench
            .jobs
            .add_alone(NewJob::new("test.do", &(1, "wait")).key("one"))
            .await
            .unwrap(),
        first,
        "also while it runs"
    );
    bench.until_quiet().await;
    assert_ne!(
        bench
            .jobs
            .add_alone(NewJob::new("test.do", &(1, "")).key("one"))
            .await
            .unwrap(),
        first
    );
}

#[tokio::test]
async fn what_fails_is_tried_again_and_then_kept_until_someone_decides() {
    let mut bench = Bench::new(|kind| kind.limit(Duration::from_millis(200))).await;
    bench.add(1, "fail twice").await;
    assert_eq!(
        [
            bench.heard().await,
            bench.heard().await,
            bench.heard().await
        ],
        [(1, 1), (1, 2), (1, 3)]
    );
    assert!(bench.until_quiet().await.failed.is_empty());
    for (told, attempts, reason) in [
        ("fail", 3, "it was told to"),
        ("give up", 1, "it was told to"),
        ("panic", 3, "it panicked"),
        ("hang", 3, "it took too long"),
    ] {
        let id = bench.add(2, told).await;
        for attempt in 1..=attempts {
            assert_eq!(bench.heard().await, (2, attempt), "{told}");
        }
        let failed = bench.until_quiet().await.failed;
        assert_eq!(
            (failed[0].id, failed[0].error.as_deref()),
            (id, Some(reason)),
            "{told}"
        );
        // Tried again from the start, as an owner may ask; then forgotten.
        bench.jobs.retry(id).await.unwrap();
        assert_eq!(bench.heard().await, (2, 1), "{told}");
        for _ in 1..attempts {
            bench.heard().await;
        }
        bench.until_quiet().await;
        bench.jobs.cancel(id).await.unwrap();
        assert!(matches!(bench.jobs.cancel(id).await, Err(Error::NotFound)));
    }
    assert_eq!(bench.rows().await, 0);
}

#[tokio::test]
async fn a_running_job_can_be_cancelled_and_is_forgotten() {
    let mut bench = Bench::new(|kind| kind.at_once(1)).await;
    let hanging = bench.add(1, "hang").await;
    let waiting = bench.add(2, "").await;
    assert_eq!(bench.heard().await.0, 1);
    bench.jobs.cancel(hanging).await.unwrap();
    assert_eq!(bench.heard().await, (2, 1), "its place is free");
    bench.until_quiet().await;
    let rows = || async { bench.rows().await };
    let until = Instant::now() + PATIENCE;
    while rows().await > 0 {
        assert!(Instant::now() < until);
        sleep(Duration::from_millis(5)).await;
    }
    assert!(
        matches!(bench.jobs.cancel(waiting).await, Err(Error::NotFound)),
        "it is done"
    );
}

#[tokio::test]
async fn a_stopped_server_ends_what_it_began_and_gives_back_what_does_not_end() {
    let mut bench = Bench::new(|kind| kind).await;
    bench.add(1, "wait").await;
    bench.add(2, "hang").await;
    let mut begun = [bench.heard().await.0, bench.heard().await.0];
    begun.sort_unstable();
    assert_eq!(begun, [1, 2]);
    let late = bench.jobs.clone();
    let stopping = tokio::spawn(async move { late.stop(Duration::from_millis(600)).await });
    sleep(Duration::from_millis(50)).await;
    bench.add(3, "").await;
    stopping.await.unwrap();
    let rows: Vec<(String, String, i64)> = bench
        .scratch
        .db
        .all("SELECT payload, state, attempts FROM jobs ORDER BY id", ())
        .await
        .unwrap();
    let waiting = |payload: &str| (payload.to_owned(), "waiting".to_owned(), 0);
    assert_eq!(rows, [waiting("[2,\"hang\"]"), waiting("[3,\"\"]")]);
}

#[tokio::test]
async fn what_ran_when_a_process_ended_runs_again_as_often_as_it_may() {
    let scratch = Scratch::new().await;
    // Never started: the process ends before its runner does anything.
    let before = Jobs::new(scratch.db.clone(), [kind().spec]);
    let (say, said) = mpsc::unbounded_channel();
    for number in [1, 2] {
        before
            .add_alone(NewJob::new("test.do", &(number, "insert")))
            .await
            .unwrap();
    }
    let took = |attempts: i64| {
        scratch.db.write(async move |tx| {
            store::take(tx, "test.do", 1, Micros::now()).await?;
            tx.execute(
                "UPDATE jobs SET attempts = $1 WHERE state = 'running' AND attempts = 1",
                (attempts,),
            )
            .await?;
            Ok(())
        })
    };
    took(3).await.unwrap();
    took(1).await.unwrap();
    let jobs = Jobs::new(scratch.db.clone(), [kind().spec]);
    let mut bench = Bench {
        jobs,
        said,
        scratch,
    };
    bench.jobs.start([kind().bind(&say)], vec![]);
    assert_eq!(bench.heard().await, (2, 2));
    let overview = bench.until_quiet().await;
    assert_eq!(
        overview.failed.len(),
        1,
        "what ends the process every time is not tried for ever"
    );
    assert_eq!(overview.failed[0].payload, json!([1, "insert"]).to_string());
}

#[tokio::test]
async fn an_attempt_that_was_overtaken_settles_nothing() {
    let mut bench = Bench::new(|kind| kind).await;
    let id = bench.add(1, "hang").await;
    assert_eq!(bench.heard().await, (1, 1));
    let run = Run {
        jobs: bench.jobs.clone(),
        id,
        attempt: 0,
        payload: String::new(),
        progress: Arc::default(),
    };
    assert!(
        run.settle(async move |tx| { insert(tx, 9).await })
            .await
            .is_err()
    );
    let inserted: i64 = bench
        .scratch
        .db
        .scalar("SELECT COUNT(*) FROM spaces", ())
        .await
        .unwrap();
    assert_eq!(inserted, 0);
}

#[tokio::test]
async fn a_job_for_later_waits_as_long_as_it_was_to_although_the_clock_steps_back() {
    let mut bench = Bench::new(|kind| kind).await;
    let later = |number, wait| {
        bench
            .jobs
            .add_alone(NewJob::new("test.do", &(number, "")).after(wait))
    };
    later(1, Duration::from_millis(100)).await.unwrap();
    later(2, Duration::from_secs(3600)).await.unwrap();
    assert_eq!(bench.heard().await, (1, 1));
    assert_eq!(bench.jobs.overview().await.unwrap().kinds[0].later, 1);
    // As the runner does when it finds the clock an hour behind.
    bench
        .scratch
        .db
        .write(async move |tx| store::step_back(tx, Duration::from_secs(3600)).await)
        .await
        .unwrap();
    bench.jobs.look_soon();
    assert_eq!(bench.heard().await, (2, 1));
}

#[tokio::test]
async fn a_schedule_comes_once_for_each_time_and_survives_steps_of_the_clock() {
    let bench = Bench::new(|kind| kind).await;
    bench.jobs.pause("test.do", true).await.unwrap();
    let schedule = Schedule::new("test.do", "0 * * * *");
    let at =
        // From 2026-11-21, midnight.
        |hour: i64, minute: i64| Micros((1_795_219_200 + hour * 3600 + minute * 60) * 1_000_000);
    let added = AtomicUsize::new(0);
    let tick = async |now: Micros| {
        let (jobs, schedule) = (bench.jobs.clone(), schedule.clone());
        let next = bench
            .scratch
            .db
            .write(async move |tx| schedule.tick(tx, &jobs, now).await)
            .await
            .unwrap();
        let before = added.swap(
            bench.rows().await as usize,
            std::sync::atomic::Ordering::Relaxed,
        );
        (
            next,
            added.load(std::sync::atomic::Ordering::Relaxed) - before,
        )
    };
    assert_eq!(tick(at(1, 30)).await, (at(2, 0), 0));
    assert_eq!(tick(at(1, 59)).await, (at(2, 0), 0));
    assert_eq!(tick(at(2, 0)).await, (at(3, 0), 1));
    assert_eq!(tick(at(2, 1)).await, (at(3, 0), 0));
    bench.scratch.db.execute("SELECT 1", ()).await.unwrap();
    // The clock steps a day back: the next hour by the new clock counts, not that of tomorrow.
    assert_eq!(tick(at(-22, 30)).await.0, at(-21, 0));
    // After a long sleep one job makes up for all that was missed; it is there already.
    assert_eq!(tick(at(40, 10)).await, (at(41, 0), 0));
}

#[tokio::test]
async fn a_kind_with_a_rate_does_not_begin_more() {
    let mut bench = Bench::new(|kind| kind.at_once(50).per_second(20.0)).await;
    let began = Instant::now();
    for number in 0..30 {
        bench.add(number, "").await;
    }
    for _ in 0..30 {
        bench.heard().await;
    }
    assert!(
        began.elapsed() > Duration::from_millis(450),
        "{:?}: twenty at once, ten in half a second",
        began.elapsed()
    );
}
