//! Twice as many posts as can be taken: what is accepted and how soon, what is refused, and how
//! long until it is over.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::follower::Plan;
use crate::follower_pool::FollowerPool;
use crate::http::Http;
use crate::load::Posts;
use crate::open_loop::{NEVER_STOP, Offered};
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::stats::percentile;

const SOCKETS: usize = 200;
const AUTHORS: usize = 200;
// Connections that find what is sustained: far fewer than the server takes at once.
const CLOSED: usize = 256;
const QUIET: f64 = 50.0; // posts a second before and after
const STEADY: usize = 10; // posts on end that must be quick again

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let server = Server::tidepool(&folder).await?;
    let mut site = Site::set_up(&server, 1).await?;
    drop(server);
    site.populate(&folder, AUTHORS).await?;
    let mut server = Server::tidepool(&folder).await?;
    let posts = Posts::to(&server, &site, super::posts::TEXT);
    let since = posts
        .one(&mut Http::connect(server.address).await?)
        .await?
        .0;
    let plan = || Plan::new(server.address, &site.room, since);
    let followers = FollowerPool::connect(plan().only_counting(), &site.cookies(), SOCKETS).await?;
    let watcher = FollowerPool::connect(plan(), &site.cookies()[1..], 1).await?;

    let newest = AtomicU64::new(0);
    let quiet_time = Duration::from_millis(options.by(1_000, 4_000) as u64);
    let quiet = posts
        .offer(4, QUIET, quiet_time, &NEVER_STOP, &newest)?
        .all_accepted()?;
    watcher
        .all_know(last(&quiet)?, Duration::from_secs(10))
        .await?;
    let mut delays = watcher.delays(&quiet.times());
    let quiet_p99 = percentile(&mut delays, 99.0);

    // Twice: the first finds how many are needed for the second to last.
    let burst = |count| posts.many(CLOSED, count, |_| true);
    let first = burst(options.by(500, 3_000) as u64)?;
    let rate = |burst: &crate::load::Burst| {
        burst.posted.len() as f64 / (burst.to - burst.from).as_secs_f64()
    };
    let second = burst((rate(&first) * options.by(1, 4) as f64) as u64)?;
    let sustained = rate(&second);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = server.process.resident()?;

    let time = Duration::from_secs(if options.deep {
        20
    } else {
        options.by(3, 10) as u64
    });
    let offered = posts
        .offer(
            options.by(1_500, 3_000),
            2.0 * sustained,
            time,
            &NEVER_STOP,
            &newest,
        )?
        .no_errors()?;
    let relief = Instant::now();
    let during = server.process.resident()?;
    let after_time = Duration::from_millis(options.by(2_000, 8_000) as u64);
    let after = posts
        .offer(4, QUIET, after_time, &NEVER_STOP, &newest)?
        .no_errors()?;
    watcher
        .all_know(last(&after)?, Duration::from_secs(30))
        .await?;
    let recovered = recovery(&watcher, &after, relief, 2.0 * quiet_p99);
    let afterwards = server.process.resident()?;

    let mut all =
        [&first.posted, &second.posted]
            .into_iter()
            .fold(quiet.posted(), |mut all, more| {
                all.extend(more.clone());
                all
            });
    all.extend(offered.posted());
    all.extend(after.posted());
    followers.all_follow(Duration::from_secs(30)).await?;
    watcher.check(&all.keys().copied().collect())?;
    site.check_history(&server, &site.room, &all).await?;
    server.process.check()?;

    let line = |what: &str, unit, figure: f64, baseline: Option<f64>, mark| Line {
        what: what.to_owned(),
        unit,
        ours: Side::of([figure]),
        baseline: Side::of(baseline),
        mark,
    };
    let mut took: Vec<_> = offered
        .accepted
        .iter()
        .map(|accepted| (accepted.acknowledged - accepted.sent).as_secs_f64() * 1e3)
        .collect();
    let accepted = offered.accepted.len() as f64 / offered.seconds;
    report.line(line(
        "overload: accepted posts, offered twice what is sustained",
        Unit::PerSecond,
        accepted,
        Some(sustained),
        None,
    ));
    report.line(line(
        "overload: refused posts",
        Unit::PerSecond,
        offered.refused.len() as f64 / offered.seconds,
        None,
        None,
    ));
    report.line(line(
        "overload: accepted → acknowledged, p50",
        Unit::Millis,
        percentile(&mut took, 50.0),
        None,
        None,
    ));
    report.line(line(
        "overload: accepted → acknowledged, p99",
        Unit::Millis,
        percentile(&mut took, 99.0),
        None,
        None,
    ));
    let mark = Some(Mark::AtMost(5_000.0));
    let back = recovered.map_or(f64::INFINITY, |recovered| recovered.as_secs_f64() * 1e3);
    report.line(line(
        "overload: relief → post → seen within twice the quiet p99",
        Unit::Millis,
        back,
        None,
        mark,
    ));
    report.line(line(
        "overload: memory afterwards against before",
        Unit::Kib,
        afterwards,
        Some(before),
        Some(Mark::RatioAtMost(1.25)),
    ));
    report.note(format!(
        "overload: {:.0} posts/s were offered, {SOCKETS} sockets followed and were told to refresh \
            {} times; quiet p99 {quiet_p99:.1} ms; \
         {:.0} MiB at the end of the overload; {} posts were refused after relief; all {} accepted \
            were found; {:.1} s until the last was answered",
        offered.sent() as f64 / offered.seconds,
        followers.sum(|one| &one.refreshed),
        during / 1024.0,
        after.refused.len(),
        all.len(),
        offered.seconds,
    ));
    report.note(format!(
        "overload, second by second (accepted, refused, p50, p99 in ms): {}",
        seconds(&offered)
    ));
    Ok(())
}

fn last(offered: &Offered) -> Result<u64> {
    Ok(offered.accepted.last().context("nothing was accepted")?.id)
}

/// How long after relief the first of enough posts on end was sent that were seen in time.
fn recovery(
    watcher: &FollowerPool,
    after: &Offered,
    relief: Instant,
    most: f64,
) -> Option<Duration> {
    let mut run = 0;
    for (place, accepted) in after.accepted.iter().enumerate() {
        let delays = watcher.delays(&[(accepted.id, accepted.sent)].into());
        run = if delays.first().is_some_and(|delay| *delay <= most) {
            run + 1
        } else {
            0
        };
        if run == STEADY {
            return Some(
                after.accepted[place + 1 - STEADY]
                    .sent
                    .saturating_duration_since(relief),
            );
        }
    }
    None
}

fn seconds(offered: &Offered) -> String {
    let Some(begun) = offered.accepted.iter().map(|accepted| accepted.sent).min() else {
        return String::new();
    };
    let second = |at: Instant| at.saturating_duration_since(begun).as_secs() as usize;
    let count = offered
        .accepted
        .iter()
        .map(|accepted| second(accepted.sent) + 1)
        .max()
        .unwrap_or(0);
    let mut by_second = vec![Vec::new(); count];
    for accepted in &offered.accepted {
        let took = (accepted.acknowledged - accepted.sent).as_secs_f64() * 1e3;
        by_second[second(accepted.sent)].push(took);
    }
    let texts = by_second.into_iter().enumerate().map(|(place, mut took)| {
        let refused = offered
            .refused
            .iter()
            .filter(|at| second(**at) == place)
            .count();
        let (p50, p99) = (percentile(&mut took, 50.0), percentile(&mut took, 99.0));
        format!("{} {refused} {p50:.0} {p99:.0}", took.len())
    });
    texts.collect::<Vec<_>>().join("; ")
}
