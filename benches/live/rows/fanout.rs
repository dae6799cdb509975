//! One post to all sockets of a room, and as many deliveries as will go.

use anyhow::{Result, ensure};

use super::Comparison;
use crate::file_limit::file_limit;
use crate::http::Http;
use crate::load::{Posted, Posts};
use crate::options::Options;
use crate::process::{Meter, Used};
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::Server;
use crate::socket_pool::{ConnectOptions, SocketPool};
use crate::stats::percentile;

const POSTING: usize = 64; // connections that post at once
const AHEAD: u64 = 128; // posts that may not have reached everybody yet; a feed keeps 512
const WARM_UP: usize = 10;
// For each that is asked for: what one turn says swings by a third, so there are more of them.
const TURNS: usize = 3;

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    for sockets in options.socket_steps(&[100, 1_000, 10_000]) {
        ensure!(
            sockets + 500 <= file_limit()?,
            "only {} files may be open here",
            file_limit()?
        );
        measure_at(
            "frames",
            Comparison::with_synthetic_feed(4).await?,
            sockets,
            options,
            report,
        )
        .await?;
        measure_at(
            "posts",
            Comparison::start(options, 4).await?,
            sockets,
            options,
            report,
        )
        .await?;
    }
    report.note(
        "fanout: frames are told over HTTP as posts are, eight by a request when saturated, and \
            nothing stores them; the baseline stores nothing at all, and \
         loops over its sockets with up to 64 frames a write, on as many threads as cores"
            .to_owned(),
    );
    Ok(())
}

async fn measure_at(
    what: &str,
    mut comparison: Comparison,
    sockets: usize,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    let stored = what == "posts";
    let ours = comparison.posts.clone();
    let bare = ours.at(&comparison.baseline);
    let [
        mut one,
        mut one_bare,
        mut all,
        mut all_bare,
        mut much,
        mut much_bare,
    ] = [const {
        Side {
            figures: Vec::new(),
            used: Vec::new(),
        }
    }; 6];
    let size = Size::of(sockets, options);
    for _ in 0..options.rounds() * options.by(1, TURNS) {
        let done = turn(
            ConnectOptions::default(),
            &comparison.server,
            comparison.server.address,
            &ours,
            &comparison.path,
            &size,
        )
        .await?;
        if stored {
            comparison
                .site
                .check_history(&comparison.server, &comparison.site.room, &done.posted)
                .await?;
        }
        one.turn(done.one, None);
        all.turn(done.all, None);
        much.turn(done.deliveries, Some(done.used));
        let done = turn(
            ConnectOptions::default(),
            &comparison.baseline,
            comparison.baseline.sockets,
            &bare,
            &comparison.path,
            &size,
        )
        .await?;
        one_bare.turn(done.one, None);
        all_bare.turn(done.all, None);
        much_bare.turn(done.deliveries, Some(done.used));
    }
    comparison.check()?;
    let mark = (!stored && sockets >= 1_000).then_some(Mark::RatioAtLeast(0.9));
    let row = format!("{what}: one to {sockets} sockets, past what it takes to one");
    report.line(Line {
        what: row,
        unit: Unit::PerSecond,
        ours: one,
        baseline: one_bare,
        mark,
    });
    let row = format!("{what}: saturated, to {sockets} sockets");
    report.line(Line {
        what: row,
        unit: Unit::PerSecond,
        ours: much,
        baseline: much_bare,
        mark,
    });
    let mark = (stored && sockets == 1_000).then_some(Mark::AtMost(10.0));
    let row = format!("{what}: one on all of {sockets} sockets, p50");
    report.line(Line {
        what: row,
        unit: Unit::Millis,
        ours: all,
        baseline: all_bare,
        mark,
    });
    report.note(format!(
        "{what} to {sockets}: {} alone and {} with {POSTING} at once a turn, frames of {} bytes",
        size.alone, size.many, comparison.frame
    ));
    Ok(())
}

/// How much one turn delivers.
pub struct Size {
    sockets: usize,
    /// Posts that are awaited one by one.
    pub alone: usize,
    /// Posts that follow each other as they will.
    pub many: usize,
}

impl Size {
    /// For so many sockets.
    pub fn of(sockets: usize, options: &Options) -> Self {
        let alone = options.by(5, if sockets > 2_000 { 20 } else { 50 });
        Self {
            sockets,
            alone,
            many: options.by(200, (2_000_000 / sockets).clamp(100, 4_000)),
        }
    }
}

/// What one turn gave.
pub struct Done {
    /// Deliveries a second of a frame that came alone: in the time to all past the time to one.
    /// When the first of many has it says little, for a loop that keeps the cores busy has written
    /// to all before anyone reads.
    pub one: f64,
    /// Milliseconds until all had a post that came alone.
    pub all: f64,
    /// Deliveries a second.
    pub deliveries: f64,
    /// What they cost.
    pub used: Used,
    /// Bytes of a frame on the wire.
    pub bytes: f64,
    /// What was posted.
    pub posted: Posted,
}

/// One turn of one side.
pub async fn turn(
    connect_options: ConnectOptions,
    server: &Server,
    sockets: std::net::SocketAddr,
    posts: &Posts,
    path: &str,
    size: &Size,
) -> Result<Done> {
    let mut http = Http::connect(server.address).await?;
    let one = SocketPool::connect_as(connect_options, sockets, path, &posts.cookies, 1).await?;
    let (mut to_one, told_one) = lone(&one, &mut http, posts, size.alone).await?;
    drop(one);
    let pool = SocketPool::connect_as(connect_options, sockets, path, &posts.cookies, size.sockets)
        .await?;
    let (mut to_all, mut posted) = lone(&pool, &mut http, posts, size.alone).await?;
    let before = pool.total();
    pool.await_frames((WARM_UP + size.alone + size.many) as u64);
    let meter = Meter::start(&server.process)?;
    let burst = posts.many(POSTING, size.many as u64, |begun| {
        begun < AHEAD + (pool.total() - before) / pool.len()
    })?;
    let took = pool.reached().await? - burst.from;
    let deliveries = pool.len() * size.many as u64;
    let used = meter.stop(deliveries)?;
    posted.extend(burst.posted);
    pool.check(&posted.keys().copied().collect())?;
    posted.extend(told_one);
    let (all, deliveries) = (
        percentile(&mut to_all, 50.0),
        deliveries as f64 / took.as_secs_f64(),
    );
    let one = pool.len() as f64 / ((all - percentile(&mut to_one, 50.0)) / 1e3);
    Ok(Done {
        one,
        all,
        deliveries,
        used,
        bytes: pool.bytes_each(),
        posted,
    })
}

/// Posts that are awaited one by one: milliseconds until all of a pool had each, and what was
/// posted.
async fn lone(
    pool: &SocketPool,
    http: &mut Http,
    posts: &Posts,
    count: usize,
) -> Result<(Vec<f64>, Posted)> {
    let (mut times, mut posted) = (Vec::new(), Posted::new());
    for number in 0..WARM_UP + count {
        pool.await_frames(number as u64 + 1);
        let (id, body, sent, _) = posts.one(http).await?;
        posted.insert(id, body);
        let seen = pool.reached().await?;
        if number >= WARM_UP {
            times.push((seen - sent).as_secs_f64() * 1e3);
        }
    }
    Ok((times, posted))
}
