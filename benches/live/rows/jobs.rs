//! Jobs: how many small ones are done in a second, how soon one begins, and whether many that wait
//! slow a post.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::http::Http;
use crate::load::Posts;
use crate::options::Options;
use crate::process::{Folder, Meter};
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::stats::percentile;

const WAITING: usize = 10_000;

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let mut server = Server::with_synthetic_feed(&folder).await?;
    let site = Site::set_up(&server, 2).await?;
    let mut http = Http::connect(server.address).await?;
    let (count, asked) = (options.by(500, 5_000), options.by(20, 300));
    let [
        mut rate,
        mut settled,
        mut half,
        mut most,
        mut alone,
        mut beside,
    ] = [const {
        Side {
            figures: Vec::new(),
            used: Vec::new(),
        }
    }; 6];
    for _ in 0..options.rounds() {
        for (side, action) in [(&mut rate, "bench.work"), (&mut settled, "bench.settle")] {
            let meter = Meter::start(&server.process)?;
            let done = site
                .act(&mut http, 0, action, json!({ "jobs": count }))
                .await?;
            let seconds = done["seconds"].as_f64().context("no time")?;
            side.turn(count as f64 / seconds, Some(meter.stop(count as u64)?));
        }
        let mut waits = Vec::new();
        for _ in 0..asked {
            waits.push(
                site.act(&mut http, 0, "bench.once", json!({ "jobs": 1 }))
                    .await?["millis"]
                    .as_f64()
                    .context("no time")?,
            );
        }
        half.turn(percentile(&mut waits, 50.0), None);
        most.turn(percentile(&mut waits, 99.0), None);
        let posts = Posts::to(&server, &site, "");
        alone.turn(median_post(&posts, &mut http, asked).await?, None);
        site.act(
            &mut http,
            0,
            "admin.pause-jobs",
            json!({ "kind": "bench.wait", "pause": true }),
        )
        .await?;
        site.act(
            &mut http,
            0,
            "bench.wait",
            json!({ "jobs": options.by(200, WAITING) }),
        )
        .await?;
        beside.turn(median_post(&posts, &mut http, asked).await?, None);
        site.act(
            &mut http,
            0,
            "admin.pause-jobs",
            json!({ "kind": "bench.wait", "pause": false }),
        )
        .await?;
        let drained = site
            .act(&mut http, 0, "bench.drained", json!({ "jobs": 0 }))
            .await?;
        ensure!(drained["left"] == 0, "jobs are left: {drained}");
    }
    server.process.check()?;
    let line = |what: &str, unit, ours, mark| Line {
        what: what.to_owned(),
        unit,
        ours,
        baseline: Side::default(),
        mark,
    };
    report.line(line(
        "small jobs done",
        Unit::PerSecond,
        rate,
        Some(Mark::AtLeast(1_000.0)),
    ));
    report.line(line(
        "small jobs with an effect, each in one transaction",
        Unit::PerSecond,
        settled,
        Some(Mark::AtLeast(1_000.0)),
    ));
    report.line(line(
        "job added → begun, quiet, p50",
        Unit::Millis,
        half,
        Some(Mark::AtMost(10.0)),
    ));
    report.line(line(
        "job added → begun, quiet, p99",
        Unit::Millis,
        most,
        None,
    ));
    let what = "post → acknowledged with 10000 jobs waiting, against none, p50".to_owned();
    report.line(Line {
        what,
        unit: Unit::Millis,
        ours: beside,
        baseline: alone,
        mark: Some(Mark::RatioAtMost(1.2)),
    });
    report.note(format!(
        "jobs: {count} at once, added in one transaction; {asked} one after the other; each is a \
            durable row, synchronous=FULL"
    ));
    Ok(())
}

async fn median_post(posts: &Posts, http: &mut Http, count: usize) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..count {
        let (_, _, sent, acknowledged) = posts.one(http).await?;
        times.push((acknowledged - sent).as_secs_f64() * 1e3);
    }
    Ok(percentile(&mut times, 50.0))
}
