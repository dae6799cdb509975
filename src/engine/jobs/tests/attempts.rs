use super::*;

#[tokio::test]
async fn failing_job_is_retried_then_marked_failed() {
    let mut test = TestJobs::new(|kind| kind.timeout(Duration::from_millis(200))).await;
    test.add(1, "fail twice").await;
    assert_eq!(
        [
            test.next_attempt().await,
            test.next_attempt().await,
            test.next_attempt().await
        ],
        [(1, 1), (1, 2), (1, 3)]
    );
    assert!(test.until_quiet().await.failed.is_empty());
    for (instruction, attempts, reason) in [
        ("fail", 3, "it was asked to"),
        ("give up", 1, "it was asked to"),
        ("panic", 3, "it panicked"),
        ("hang", 3, "it took too long"),
    ] {
        let id = test.add(2, instruction).await;
        for attempt in 1..=attempts {
            assert_eq!(test.next_attempt().await, (2, attempt), "{instruction}");
        }
        let failed = test.until_quiet().await.failed;
        assert_eq!(
            (failed[0].id, failed[0].error.as_deref()),
            (id, Some(reason)),
            "{instruction}"
        );
        // A manual retry starts over with the first attempt; cancelling deletes the row.
        test.jobs.retry(id).await.unwrap();
        assert_eq!(test.next_attempt().await, (2, 1), "{instruction}");
        for _ in 1..attempts {
            test.next_attempt().await;
        }
        test.until_quiet().await;
        test.jobs.cancel(id).await.unwrap();
        assert!(matches!(test.jobs.cancel(id).await, Err(Error::NotFound)));
    }
    assert_eq!(test.rows().await, 0);
}

#[tokio::test]
async fn cancelled_running_job_is_deleted() {
    let mut test = TestJobs::new(|kind| kind.concurrency(1)).await;
    let hanging = test.add(1, "hang").await;
    let waiting = test.add(2, "").await;
    assert_eq!(test.next_attempt().await.0, 1);
    test.jobs.cancel(hanging).await.unwrap();
    assert_eq!(test.next_attempt().await, (2, 1), "concurrency is 1");
    test.until_quiet().await;
    let rows = || async { test.rows().await };
    let until = Instant::now() + PATIENCE;
    while rows().await > 0 {
        assert!(Instant::now() < until);
        sleep(Duration::from_millis(5)).await;
    }
    assert!(
        matches!(test.jobs.cancel(waiting).await, Err(Error::NotFound)),
        "it is done"
    );
}

#[tokio::test]
async fn stop_waits_for_jobs_and_returns_the_rest() {
    let mut test = TestJobs::new(|kind| kind).await;
    test.add(1, "wait").await;
    test.add(2, "hang").await;
    let mut begun = [test.next_attempt().await.0, test.next_attempt().await.0];
    begun.sort_unstable();
    assert_eq!(begun, [1, 2]);
    let late = test.jobs.clone();
    let stopping = tokio::spawn(async move { late.stop(Duration::from_millis(600)).await });
    sleep(Duration::from_millis(50)).await;
    test.add(3, "").await;
    stopping.await.unwrap();
    let rows: Vec<(String, String, i64)> = test
        .scratch
        .db
        .all("SELECT payload, state, attempts FROM jobs ORDER BY id", ())
        .await
        .unwrap();
    let waiting = |payload: &str| (payload.to_owned(), "waiting".to_owned(), 0);
    assert_eq!(rows, [waiting("[2,\"hang\"]"), waiting("[3,\"\"]")]);
}

#[tokio::test]
async fn job_of_ended_process_runs_again_within_attempts() {
    let scratch = Scratch::new().await;
    // Never started: stands for a process that crashed while its jobs ran.
    let crashed = Jobs::new(scratch.db.clone(), [kind().spec]);
    let (attempts, received) = mpsc::unbounded_channel();
    for number in [1, 2] {
        crashed
            .add_alone(NewJob::new("test.do", &(number, "insert")))
            .await
            .unwrap();
    }
    let take_with_attempts = |attempts: i64| {
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
    take_with_attempts(3).await.unwrap();
    take_with_attempts(1).await.unwrap();
    let jobs = Jobs::new(scratch.db.clone(), [kind().spec]);
    let mut test = TestJobs {
        jobs,
        received,
        scratch,
    };
    test.jobs.start([kind().bind(&attempts)], vec![]);
    assert_eq!(test.next_attempt().await, (2, 2));
    let overview = test.until_quiet().await;
    assert_eq!(
        overview.failed.len(),
        1,
        "a job that crashes the process each time runs out of attempts"
    );
    assert_eq!(overview.failed[0].payload, json!([1, "insert"]).to_string());
}

#[tokio::test]
async fn job_that_ran_at_three_crashes_is_given_up() {
    let scratch = Scratch::new().await;
    let crashing = Jobs::new(scratch.db.clone(), [kind().max_attempts(9).spec]);
    crashing
        .add_alone(NewJob::new("test.do", &(1, "")))
        .await
        .unwrap();
    // Twice before, and now for the third time.
    let take = scratch.db.write(async move |tx| {
        store::take(tx, "test.do", 1, Micros::now()).await?;
        tx.execute("UPDATE jobs SET crashes = 2", ()).await
    });
    take.await.unwrap();
    let (attempts, received) = mpsc::unbounded_channel();
    let kind = kind().max_attempts(9);
    let jobs = Jobs::new(scratch.db.clone(), [kind.spec.clone()]);
    let mut test = TestJobs {
        jobs,
        received,
        scratch,
    };
    test.jobs.start([kind.bind(&attempts)], vec![]);
    let overview = test
        .until("it is given up", |overview| overview.kinds[0].failed == 1)
        .await;
    assert_eq!(overview.failed[0].attempts, 1);
    assert!(test.received.try_recv().is_err(), "it did not begin again");
}

#[tokio::test]
async fn superseded_attempt_settles_nothing() {
    let mut test = TestJobs::new(|kind| kind).await;
    let id = test.add(1, "hang").await;
    assert_eq!(test.next_attempt().await, (1, 1));
    let run = Run {
        jobs: test.jobs.clone(),
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
    let inserted: i64 = test
        .scratch
        .db
        .scalar("SELECT COUNT(*) FROM spaces", ())
        .await
        .unwrap();
    assert_eq!(inserted, 0);
}
