//! Jobs in a database that two servers share. On SQLite, which one server has, the second only
//! writes.

use futures_util::future::join_all;

use super::*;

async fn jobs_of_second_server(test: &TestJobs) -> Jobs {
    Jobs::new(test.scratch.of_second_server().await, [kind().spec])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_of_two_servers_are_each_taken_once() {
    let mut test = TestJobs::new(|kind| kind).await;
    test.jobs.stop(PATIENCE).await;
    let second = jobs_of_second_server(&test).await;
    for number in 0..200 {
        test.add(number, "").await;
    }
    let take = |db: &Db| {
        let db = db.clone();
        async move {
            db.write(async |tx| store::take(tx, "test.do", 7, Micros::now()).await)
                .await
                .unwrap()
        }
    };
    let takes = (0..40).map(|n| {
        take(if n % 2 == 0 {
            &test.jobs.0.db
        } else {
            &second.0.db
        })
    });
    let mut taken: Vec<_> = join_all(takes)
        .await
        .into_iter()
        .flatten()
        .map(|job| job.id)
        .collect();
    let total = taken.len();
    taken.sort_unstable();
    taken.dedup();
    assert_eq!(taken.len(), total, "each once");
    assert_eq!(total, 200);
    assert!(test.received.try_recv().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keyed_job_of_two_servers_is_added_once() {
    let test = TestJobs::new(|kind| kind).await;
    test.jobs.stop(PATIENCE).await;
    let second = jobs_of_second_server(&test).await;
    let adds = (0..40).map(|n| {
        let jobs = if n % 2 == 0 { &test.jobs } else { &second };
        jobs.add_alone(NewJob::new("test.do", &(n, "")).key("one"))
    });
    let ids = futures_util::future::try_join_all(adds).await.unwrap();
    assert!(ids.iter().all(|id| *id == ids[0]));
    assert_eq!(test.rows().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedule_of_two_servers_comes_once() {
    let test = TestJobs::new(|kind| kind).await;
    test.jobs.stop(PATIENCE).await;
    let second = jobs_of_second_server(&test).await;
    let schedule = Schedule::new("test.do", "0 * * * *");
    let at = |hour: i64| Micros((1_795_219_200 + hour * 3600) * 1_000_000);
    let tick = |jobs: &Jobs, now: Micros| {
        let (db, jobs, schedule) = (jobs.0.db.clone(), jobs.clone(), schedule.clone());
        async move {
            let ticked = db.write(async move |tx| {
                schedule.tick(tx, &jobs, now).await?;
                // Its job is done at once: the next may not add it again.
                tx.execute("UPDATE jobs SET state = 'failed'", ()).await
            });
            ticked.await.unwrap();
        }
    };
    tick(&test.jobs, at(1)).await;
    for hour in 2..12 {
        let ticks = (0..6).map(|n| tick(if n % 2 == 0 { &test.jobs } else { &second }, at(hour)));
        join_all(ticks).await;
    }
    assert_eq!(test.rows().await, 10);
}
