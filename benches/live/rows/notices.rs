//! One `@here` in a room of thousands who are all connected: how soon each inbox is told of it, in
//! how many frames, and what posts in another room take meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use serde_json::json;

use crate::file_limit::file_limit;
use crate::http::Http;
use crate::load::Posts;
use crate::options::Options;
use crate::people::account;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::socket_pool::{ConnectOptions, SocketPool};
use crate::stats::percentile;

/// Between two posts beside the call.
const POST_INTERVAL: Duration = Duration::from_millis(10);
/// In which a second frame about the same call would come.
const SETTLE: Duration = Duration::from_secs(3);

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let people = options.sockets(500, 5_000);
    ensure!(
        people + 500 <= file_limit()?,
        "only {} files may be open here",
        file_limit()?
    );
    let folder = Folder::new()?;
    let server = Server::tidepool(&folder).await?;
    let mut site = Site::set_up(&server, 1).await?;
    let mut http = Http::connect(server.address).await?;
    let other = site.create_room(&mut http, "Elsewhere").await?;
    drop(server);
    // The owner and who posts beside it are not called.
    site.populate(&folder, people + 2).await?;
    let mut server = Server::tidepool(&folder).await?;
    let mut http = Http::connect(server.address).await?;
    let seat = |place: usize| {
        let path = format!("/live/data?feed=account/{}/inbox", account(place));
        (path, site.people[place].cookie.clone())
    };
    let seats: Vec<_> = (2..people + 2).map(seat).collect();
    let pool = SocketPool::connect_each(ConnectOptions::default(), server.address, seats).await?;
    let posts = Posts {
        room: other,
        cookies: vec![site.people[1].cookie.clone()],
        ..Posts::to(&server, &site, "")
    };
    let [mut told, mut alone, mut beside, mut late] = [const {
        Side {
            figures: Vec::new(),
            used: Vec::new(),
        }
    }; 4];
    for round in 1..=options.rounds() as u64 {
        let mut quiet = post_for(&posts, SETTLE).await?;
        alone.turn(percentile(&mut quiet, 50.0), None);
        pool.await_frames(round);
        let stop = Arc::new(AtomicBool::new(false));
        let posting = std::thread::spawn({
            let (posts, stop) = (posts.clone(), stop.clone());
            move || post_until(&posts, &stop)
        });
        let called = call(&site, &mut http, &pool, round).await;
        stop.store(true, Ordering::Release);
        let times = posting.join().map_err(|_| anyhow!("posting panicked"))?;
        let (took, mut times) = (called?, times?);
        told.turn(took, None);
        beside.turn(percentile(&mut times, 50.0), None);
        late.turn(percentile(&mut times, 99.0), None);
        tokio::time::sleep(SETTLE).await;
        let expected = round * pool.len();
        ensure!(
            pool.total() == expected,
            "{} frames came, not {expected}",
            pool.total()
        );
    }
    server.process.check()?;
    let line = |what: String, ours, mark| Line {
        what,
        unit: Unit::Millis,
        ours,
        baseline: Side::default(),
        mark,
    };
    let what = format!("one @here → all {people} inboxes told, in one frame each");
    report.line(line(what, told, None));
    report.line(Line {
        what: "post in another room beside that call, against none, p50".to_owned(),
        unit: Unit::Millis,
        ours: beside,
        baseline: alone,
        mark: None,
    });
    let what = "post in another room beside that call, p99".to_owned();
    report.line(line(what, late, Some(Mark::AtMost(50.0))));
    Ok(())
}

/// Calls everybody. Milliseconds until the last of them has been told.
async fn call(site: &Site, http: &mut Http, pool: &SocketPool, round: u64) -> Result<f64> {
    let fields = json!({ "room": site.room, "body": format!("@here, for the {round}th time"),
        "key": format!("bench-here-{round}") });
    let started = Instant::now();
    site.act(http, 0, "chat.post", fields).await?;
    let at = pool.reached().await?;
    Ok(at.saturating_duration_since(started).as_secs_f64() * 1e3)
}

/// Posts one after the other. What each took, in milliseconds.
async fn post_for(posts: &Posts, duration: Duration) -> Result<Vec<f64>> {
    let mut http = Http::connect(posts.address).await?;
    let (started, mut times) = (Instant::now(), Vec::new());
    while started.elapsed() < duration {
        times.push(post(posts, &mut http).await?);
    }
    Ok(times)
}

/// The same on a thread of its own, until it is told to stop.
fn post_until(posts: &Posts, stop: &AtomicBool) -> Result<Vec<f64>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (mut http, mut times) = (Http::connect(posts.address).await?, Vec::new());
        while !stop.load(Ordering::Acquire) {
            times.push(post(posts, &mut http).await?);
        }
        Ok(times)
    })
}

async fn post(posts: &Posts, http: &mut Http) -> Result<f64> {
    let started = Instant::now();
    posts.one(http).await?;
    let took = started.elapsed().as_secs_f64() * 1e3;
    tokio::time::sleep(POST_INTERVAL).await;
    Ok(took)
}
