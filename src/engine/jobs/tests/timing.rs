use super::*;

#[tokio::test]
async fn delayed_job_ignores_clock_stepping_back() {
    let mut test = TestJobs::new(|kind| kind).await;
    let later = |number, wait| {
        test.jobs
            .add_alone(NewJob::new("test.do", &(number, "")).after(wait))
    };
    later(1, Duration::from_millis(100)).await.unwrap();
    later(2, Duration::from_secs(3600)).await.unwrap();
    assert_eq!(test.next_attempt().await, (1, 1));
    assert_eq!(test.jobs.overview().await.unwrap().kinds[0].later, 1);
    // What the runner does after it detected that the clock was set back by an hour.
    test.scratch
        .db
        .write(async move |tx| store::shift_times_back(tx, Duration::from_secs(3600)).await)
        .await
        .unwrap();
    test.jobs.wake_timer();
    assert_eq!(test.next_attempt().await, (2, 1));
}

#[tokio::test]
async fn schedule_runs_once_despite_clock_steps() {
    let test = TestJobs::new(|kind| kind).await;
    test.jobs.pause("test.do", true).await.unwrap();
    let schedule = Schedule::new("test.do", "0 * * * *");
    // Hours and minutes from 2026-11-21, midnight UTC.
    let at =
        |hour: i64, minute: i64| Micros((1_795_219_200 + hour * 3600 + minute * 60) * 1_000_000);
    let added = AtomicUsize::new(0);
    let tick = async |now: Micros| {
        let (jobs, schedule) = (test.jobs.clone(), schedule.clone());
        let next = test
            .scratch
            .db
            .write(async move |tx| schedule.tick(tx, &jobs, now).await)
            .await
            .unwrap();
        let before = added.swap(
            test.rows().await as usize,
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
    test.scratch.db.execute("SELECT 1", ()).await.unwrap();
    // The clock was set back by a day: the next full hour by the new clock counts.
    assert_eq!(tick(at(-22, 30)).await.0, at(-21, 0));
    // One job makes up for all missed times; the one added at 2:00 still waits.
    assert_eq!(tick(at(40, 10)).await, (at(41, 0), 0));
}

#[tokio::test]
async fn rate_limits_how_many_jobs_begin() {
    let mut test = TestJobs::new(|kind| kind.concurrency(50).max_per_second(20.0)).await;
    let began = Instant::now();
    for number in 0..30 {
        test.add(number, "").await;
    }
    for _ in 0..30 {
        test.next_attempt().await;
    }
    assert!(
        began.elapsed() > Duration::from_millis(450),
        "{:?}: twenty at once, ten in half a second",
        began.elapsed()
    );
}
