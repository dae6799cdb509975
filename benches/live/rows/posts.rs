//! Acknowledged posts, 64 at once, each of which is there after a kill -9.

use std::process::Command;

use anyhow::{Context, Result};

use crate::load::{Posted, Posts};
use crate::options::Options;
use crate::process::{Folder, Meter, Process};
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};

const CONNECTIONS: usize = 64;
const AUTHORS: usize = 16;

/// What follows a post's number.
pub const TEXT: &str =
    " the frost came **early** this year, and the lemons are in the kitchen until it goes.";

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let mut server = Server::tidepool(&folder).await?;
    let site = Site::set_up(&server, AUTHORS).await?;
    let posts = Posts::to(&server, &site, TEXT);
    let count = options.by(500, 10_000) as u64;
    let mut all: Posted = posts.many(CONNECTIONS, count / 10, |_| true)?.posted;
    let (mut ours, mut bare) = (Side::default(), Side::default());
    for round in 0..options.rounds() {
        let meter = Meter::start(&server.process)?;
        let burst = posts.many(CONNECTIONS, count, |_| true)?;
        ours.turn(
            count as f64 / (burst.to - burst.from).as_secs_f64(),
            Some(meter.stop(count)?),
        );
        all.extend(burst.posted);
        bare.turn(count as f64 / insert(&folder, round, count)?, None);
    }
    server.process.check()?;
    server.process.kill()?;
    let server = Server::tidepool(&folder).await?;
    site.check_history(&server, &site.room, &all)
        .await
        .context("after a kill -9")?;
    let what = format!("acknowledged posts, {CONNECTIONS} at once, synchronous=FULL");
    report.line(Line {
        what,
        unit: Unit::PerSecond,
        ours,
        baseline: bare,
        mark: Some(Mark::AtLeast(5_000.0)),
    });
    report.note(format!(
        "posts: {count} a turn by {AUTHORS} authors, {} in all, each found after a kill -9; the \
            baseline is a bare loop of inserts, 64 a \
         commit; making 4 KiB safe takes {:.2} ms in this folder",
        all.len(),
        folder.sync_time()?
    ));
    Ok(())
}

/// How many seconds the bare loop takes.
fn insert(folder: &Folder, round: usize, count: u64) -> Result<f64> {
    let mut command = Command::new(std::env::current_exe()?);
    let file = folder.path().join(format!("bare-{round}.sqlite"));
    command
        .args([
            "--baseline",
            "insert",
            "--count",
            &count.to_string(),
            "--file",
        ])
        .arg(file);
    let (_process, line) = Process::start("inserts", &mut command, folder)?;
    line.parse().with_context(|| format!("no time in {line:?}"))
}
