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
    // As the runner does when it finds the clock an hour behind.
    test.scratch
        .db
        .write(async move |tx| store::step_back(tx, Duration::from_secs(3600)).await)
        .await
        .unwrap();
    test.jobs.look_soon();
    assert_eq!(test.next_attempt().await, (2, 1));
}

#[tokio::test]
async fn schedule_runs_once_despite_clock_steps() {
    let test = TestJobs::new(|kind| kind).await;
    test.jobs.pause("test.do", true).await.unwrap();
    let schedule = Schedule::new("test.do", "0 * * * *");
    let at =
        // From 2026-11-21, midnight.
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
    // The clock steps a day back: the next hour by the new clock counts, not that of tomorrow.
    assert_eq!(tick(at(-22, 30)).await.0, at(-21, 0));
    // After a long sleep one job makes up for all that was missed; it is there already.
    assert_eq!(tick(at(40, 10)).await, (at(41, 0), 0));
}

#[tokio::test]
async fn rate_limits_how_many_jobs_begin() {
    let mut test = TestJobs::new(|kind| kind.at_once(50).per_second(20.0)).await;
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
