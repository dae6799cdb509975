//! From a post to its frame on the author's own and on another's socket, nothing else going on.

use std::time::Duration;

use anyhow::Result;

use super::Comparison;
use crate::http::Http;
use crate::load::{Posted, Posts};
use crate::options::Options;
use crate::process::Meter;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::Server;
use crate::socket_pool::SocketPool;
use crate::stats::percentile;

const QUIET: Duration = Duration::from_millis(4); // between two posts

#[derive(Default)]
struct Times {
    acknowledged: Vec<f64>,
    own: Vec<f64>,
    other: Vec<f64>,
}

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let mut comparison = Comparison::start(options, 2).await?;
    let ours = Posts::to(&comparison.server, &comparison.site, "");
    let bare = ours.at(&comparison.baseline);
    let count = options.by(40, 500);
    const LINES: [(&str, f64, Option<Mark>); 5] = [
        ("post → acknowledged, quiet, p50", 50.0, None),
        ("post → own echo, quiet, p50", 50.0, None),
        ("post → own echo, quiet, p99", 99.0, None),
        (
            "post → seen on another socket, quiet, p50",
            50.0,
            Some(Mark::AtMost(2.0)),
        ),
        (
            "post → seen on another socket, quiet, p99",
            99.0,
            Some(Mark::AtMost(8.0)),
        ),
    ];
    let mut sides = [
        LINES.map(|_| Side::default()),
        LINES.map(|_| Side::default()),
    ];
    for _ in 0..options.rounds() {
        for (server, posts, side) in [
            (&comparison.server, &ours, 0),
            (&comparison.baseline, &bare, 1),
        ] {
            let meter = Meter::start(&server.process)?;
            let (times, posted) = turn(server, posts, &comparison.path, count).await?;
            let used = meter.stop(count as u64)?;
            if side == 0 {
                comparison
                    .site
                    .check_history(server, &comparison.site.room, &posted)
                    .await?;
            }
            for (place, (_, percent, _)) in LINES.iter().enumerate() {
                let mut of = [
                    &times.acknowledged,
                    &times.own,
                    &times.own,
                    &times.other,
                    &times.other,
                ][place]
                    .clone();
                sides[side][place]
                    .turn(percentile(&mut of, *percent), (place == 0).then_some(used));
            }
        }
    }
    comparison.check()?;
    let [ours, bare] = sides;
    for (((what, _, mark), ours), baseline) in LINES.into_iter().zip(ours).zip(bare) {
        report.line(Line {
            what: what.to_owned(),
            unit: Unit::Millis,
            ours,
            baseline,
            mark,
        });
    }
    report.note(format!(
        "echo: {count} posts a turn, frames of {} bytes; the baseline stores nothing",
        comparison.frame
    ));
    Ok(())
}

async fn turn(server: &Server, posts: &Posts, path: &str, count: usize) -> Result<(Times, Posted)> {
    let own = SocketPool::connect(server.address, path, &posts.cookies[..1], 1).await?;
    let other = SocketPool::connect(server.address, path, &posts.cookies[1..], 1).await?;
    let mut http = Http::connect(server.address).await?;
    let (mut times, mut posted) = (Times::default(), Posted::new());
    let warm_up = count / 10;
    for number in 0..warm_up + count {
        for pool in [&own, &other] {
            pool.await_frames(number as u64 + 1);
        }
        let (id, body, sent, acknowledged) = posts.one(&mut http).await?;
        let (on_own, on_other) = (own.reached().await?, other.reached().await?);
        posted.insert(id, body);
        if number >= warm_up {
            for (of, at) in [
                (&mut times.acknowledged, acknowledged),
                (&mut times.own, on_own),
                (&mut times.other, on_other),
            ] {
                of.push((at - sent).as_secs_f64() * 1e3);
            }
        }
        tokio::time::sleep(QUIET).await;
    }
    let ids = posted.keys().copied().collect();
    own.check(&ids)?;
    other.check(&ids)?;
    Ok((times, posted))
}
