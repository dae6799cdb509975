mod attempts;
mod servers;
mod timing;

use std::sync::atomic::AtomicUsize;
use std::time::Instant;

use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::*;
use crate::base::db::tests::Scratch;
use crate::base::ids::AccountId;

const PATIENCE: Duration = Duration::from_secs(60);

/// Receives the number and the attempt of each job that begins.
type Attempts = mpsc::UnboundedSender<(i64, u32)>;

/// A kind that reports each attempt and ends as its payload says.
fn kind() -> JobKind<Attempts> {
    JobKind::new("test.do", "Follows its payload", follow_instruction)
        .backoff(Duration::from_millis(10))
        .max_attempts(3)
}

async fn follow_instruction(
    attempts: Attempts,
    run: Run,
    (number, instruction): (i64, String),
) -> Result<Settled, Failure> {
    attempts.send((number, run.attempt())).unwrap();
    match instruction.as_str() {
        "fail" => Err("it was asked to".into()),
        "fail twice" if run.attempt() < 3 => Err("not yet".into()),
        "give up" => Err(Failure::GiveUp("it was asked to".to_owned())),
        "panic" => panic!("it was asked to"),
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

struct TestJobs {
    scratch: Scratch,
    jobs: Jobs,
    received: mpsc::UnboundedReceiver<(i64, u32)>,
}

impl TestJobs {
    async fn new(set: impl FnOnce(JobKind<Attempts>) -> JobKind<Attempts>) -> Self {
        let scratch = Scratch::new().await;
        let (attempts, received) = mpsc::unbounded_channel();
        let kind = set(kind());
        let jobs = Jobs::new(scratch.db.clone(), [kind.spec.clone()]);
        jobs.start([kind.bind(&attempts)], vec![]);
        Self {
            scratch,
            jobs,
            received,
        }
    }

    async fn add(&self, number: i64, instruction: &str) -> JobId {
        self.jobs
            .add_alone(NewJob::new("test.do", &(number, instruction)))
            .await
            .unwrap()
    }

    async fn next_attempt(&mut self) -> (i64, u32) {
        timeout(PATIENCE, self.received.recv())
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
async fn every_job_is_done_once_and_deleted() {
    let mut test = TestJobs::new(|kind| kind.concurrency(16)).await;
    let jobs = test.jobs.clone();
    let add = (0..500).map(|n| {
        jobs.add_alone(NewJob::new(
            "test.do",
            &(n, if n % 2 == 0 { "insert" } else { "" }),
        ))
    });
    futures_util::future::try_join_all(add).await.unwrap();
    let mut numbers = Vec::new();
    for _ in 0..500 {
        numbers.push(test.next_attempt().await.0);
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..500), "each once");
    let overview = test.until_quiet().await;
    assert_eq!(
        (
            overview.kinds[0].done,
            overview.kinds[0].failed,
            test.rows().await
        ),
        (500, 0, 0)
    );
    let inserted: i64 = test
        .scratch
        .db
        .scalar("SELECT COUNT(*) FROM spaces", ())
        .await
        .unwrap();
    assert_eq!(inserted, 250);
}

#[tokio::test]
async fn job_of_aborted_transaction_does_not_exist() {
    let test = TestJobs::new(|kind| kind).await;
    let jobs = test.jobs.clone();
    let aborted: Result<()> = test
        .scratch
        .db
        .write(async move |tx| {
            jobs.add(tx, NewJob::new("test.do", &(1, ""))).await?;
            Err(Error::NotFound)
        })
        .await;
    assert!(aborted.is_err());
    assert_eq!(test.rows().await, 0);
}

#[tokio::test]
async fn priority_goes_first_and_paused_kind_waits() {
    let mut test = TestJobs::new(|kind| kind.concurrency(1)).await;
    test.jobs.pause("test.do", true).await.unwrap();
    for (number, priority) in [(1, 0), (2, 0), (3, 5), (4, -1)] {
        test.jobs
            .add_alone(NewJob::new("test.do", &(number, "")).priority(priority))
            .await
            .unwrap();
    }
    let overview = test.jobs.overview().await.unwrap();
    assert!(
        overview.kinds[0].paused
            && overview.kinds[0].waiting == 4
            && overview.kinds[0].oldest.is_some()
    );
    test.jobs.pause("test.do", false).await.unwrap();
    let order = [
        test.next_attempt().await.0,
        test.next_attempt().await.0,
        test.next_attempt().await.0,
        test.next_attempt().await.0,
    ];
    assert_eq!(order, [3, 1, 2, 4]);
}

#[tokio::test]
async fn accounts_take_turns() {
    let mut test = TestJobs::new(|kind| kind.concurrency(1)).await;
    test.jobs.pause("test.do", true).await.unwrap();
    for (number, account) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 3), (6, 2)] {
        let job = NewJob::new("test.do", &(number, "")).account(AccountId(account));
        test.jobs.add_alone(job).await.unwrap();
    }
    test.jobs.pause("test.do", false).await.unwrap();
    let mut order = Vec::new();
    for _ in 0..6 {
        order.push(test.next_attempt().await.0);
    }
    assert_eq!(order, [1, 4, 5, 2, 6, 3]);
}

#[tokio::test]
async fn key_is_unique_until_its_job_ends() {
    let mut test = TestJobs::new(|kind| kind).await;
    let add = || {
        test.jobs
            .add_alone(NewJob::new("test.do", &(1, "wait")).key("one"))
    };
    let first = add().await.unwrap();
    assert_eq!(add().await.unwrap(), first);
    assert_eq!(test.next_attempt().await.0, 1);
    assert_eq!(
        test.jobs
            .add_alone(NewJob::new("test.do", &(1, "wait")).key("one"))
            .await
            .unwrap(),
        first,
        "also while it runs"
    );
    test.until_quiet().await;
    assert_ne!(
        test.jobs
            .add_alone(NewJob::new("test.do", &(1, "")).key("one"))
            .await
            .unwrap(),
        first
    );
}
