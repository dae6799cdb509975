//! A steady mix for a long time: nothing may fail, and memory must stay where it is after the first
//! minutes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::json;

use crate::follower::Plan;
use crate::follower_pool::FollowerPool;
use crate::http::{Http, action, request};
use crate::load::Posts;
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::stats::percentile;

const SOCKETS: usize = 500;
const PEOPLE: usize = 200;
const POSTS: f64 = 20.0; // a second
const AWAY: Duration = Duration::from_millis(200); // between two sockets that leave and come back
const EVERY: Duration = Duration::from_secs(5); // memory is looked at

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let server = Server::tidepool(&folder).await?;
    let mut site = Site::set_up(&server, 1).await?;
    drop(server);
    site.populate(&folder, PEOPLE).await?;
    let mut server = Server::tidepool(&folder).await?;
    let posts = Posts::to(&server, &site, super::posts::TEXT);
    let since = posts
        .one(&mut Http::connect(server.address).await?)
        .await?
        .0;
    let beside = format!(
        "&feed=room/{}/typing&feed=space/{}&feed=space/{}/presence",
        site.room, site.space, site.space
    );
    let followers = FollowerPool::connect(
        Plan::new(server.address, &site.room, since).beside(beside),
        &site.cookies(),
        SOCKETS,
    )
    .await?;

    let time = Duration::from_secs_f64(options.minutes * 60.0);
    // Caches fill until what was kept first goes again: parts after four minutes, fragments after
    // ten.
    let warm_up = (time / 2).min(Duration::from_secs(12 * 60));
    let begun = Instant::now();
    let done = AtomicBool::new(false);
    let (offered, browsed, sampled) = std::thread::scope(|scope| {
        let newest = AtomicU64::new(0);
        let posting = scope.spawn({
            let posts = &posts;
            move || posts.offer(4, POSTS, time, &AtomicBool::new(false), &newest)
        });
        let browsing = scope.spawn(|| browse(&server, &site, &done));
        let mut sampled = Vec::new();
        let mut turn = 0;
        while !posting.is_finished() {
            std::thread::sleep(AWAY);
            followers.reconnect_one(turn * 7);
            turn += 1;
            if begun.elapsed() >= EVERY * (sampled.len() as u32 + 1) {
                sampled.push((
                    begun.elapsed().as_secs_f64() / 60.0,
                    server.process.resident(),
                ));
            }
        }
        done.store(true, Ordering::Release);
        (posting.join(), browsing.join(), sampled)
    });
    let panicked = |_| anyhow!("a load panicked");
    let offered = offered.map_err(panicked)??.all_accepted()?;
    let (pages, mut page_times) = browsed.map_err(panicked)??;
    followers.all_follow(Duration::from_secs(10)).await?;
    let last = offered.accepted.last().context("nothing was posted")?.id;
    followers.all_know(last, Duration::from_secs(10)).await?;
    followers.check(
        &offered
            .accepted
            .iter()
            .map(|accepted| accepted.id)
            .collect(),
    )?;
    let lost = followers.sum(|one| &one.lost);
    site.check_history(&server, &site.room, &offered.posted())
        .await?;
    server.process.check()?;

    let sampled = sampled
        .into_iter()
        .map(|(at, resident)| Ok((at, resident?)))
        .collect::<Result<Vec<_>>>()?;
    let warm: Vec<_> = sampled
        .iter()
        .copied()
        .filter(|(at, _)| *at * 60.0 >= warm_up.as_secs_f64())
        .collect();
    ensure!(warm.len() >= 3, "too short to tell anything");
    let ends = warm.len().min(12) / 2 + 1; // the middle of several: one alone depends on its moment
    let of = |part: &[(f64, f64)]| {
        percentile(
            &mut part
                .iter()
                .map(|(_, resident)| *resident)
                .collect::<Vec<_>>(),
            50.0,
        )
    };
    let (from, to) = (of(&warm[..ends]), of(&warm[warm.len() - ends..]));
    let mut delays = followers.delays(&offered.times());
    let live = delays.len();
    let lines = [
        (
            "soak: memory at the end against after the warm-up",
            Unit::Kib,
            to,
            Some(from),
            None,
        ),
        (
            "soak: growth of memory after the warm-up",
            Unit::Percent,
            (to / from - 1.0) * 100.0,
            None,
            Some(Mark::AtMost(2.0)),
        ),
        (
            "soak: slope of memory, in a minute",
            Unit::Kib,
            slope(&warm),
            None,
            None,
        ),
        (
            "soak: sockets lost without cause",
            Unit::Count,
            lost as f64,
            None,
            Some(Mark::AtMost(0.0)),
        ),
        (
            "soak: post → seen, p50",
            Unit::Millis,
            percentile(&mut delays, 50.0),
            None,
            None,
        ),
        (
            "soak: post → seen, p99",
            Unit::Millis,
            percentile(&mut delays, 99.0),
            None,
            None,
        ),
        (
            "soak: room page, p99",
            Unit::Millis,
            percentile(&mut page_times, 99.0),
            None,
            None,
        ),
    ];
    for (what, unit, figure, baseline, mark) in lines {
        report.line(Line {
            what: what.to_owned(),
            unit,
            ours: Side::of([figure]),
            baseline: Side::of(baseline),
            mark,
        });
    }
    let all: Vec<_> = sampled
        .iter()
        .step_by(12)
        .map(|(at, resident)| format!("{at:.1} min {:.1}", resident / 1024.0))
        .collect();
    report.note(format!(
        "soak: {:.1} minutes, {} posts, {live} deliveries seen live, {pages} pages and as many \
            signs, {} refreshes; memory in MiB: {}",
        options.minutes,
        offered.accepted.len(),
        followers.sum(|one| &one.refreshed),
        all.join(", ")
    ));
    Ok(())
}

/// Loads a page, types and moves, as one person after the other, about ten times a second. How many
/// pages and the milliseconds they took.
fn browse(server: &Server, site: &Site, done: &AtomicBool) -> Result<(usize, Vec<f64>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut http = Http::connect(server.address).await?;
        let mut times = Vec::new();
        while !done.load(Ordering::Acquire) {
            let cookie = &site.people[times.len() % site.people.len()].cookie;
            let headers = [
                ("cookie", cookie.as_str()),
                ("accept", "text/html"),
                ("accept-encoding", "br"),
            ];
            let started = Instant::now();
            let answer = http
                .send(&request(
                    "GET",
                    &format!("/rooms/{}", site.room),
                    &headers,
                    "",
                ))
                .await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            ensure!(
                answer.status == 200,
                "a page was answered {}",
                answer.status
            );
            let sign = match times.len() % 2 {
                0 => action("chat.type", cookie, &json!({ "room": site.room })),
                _ => action("presence.active", cookie, &json!({})),
            };
            http.send(&sign).await?.done()?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok((times.len(), times))
    })
}

/// How much the second figure grows with one of the first, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let mean =
        |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let (over, under) = points.iter().fold((0.0, 0.0), |(over, under), point| {
        (
            over + (point.0 - x) * (point.1 - y),
            under + (point.0 - x).powi(2),
        )
    });
    over / under
}
