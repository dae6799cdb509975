//! What a start takes, in time and memory, and what an idle socket adds.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::Comparison;
use crate::file_limit::file_limit;
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::socket_pool::SocketPool;

const STARTS: usize = 5; // for each turn

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    starts(options, report).await?;
    for sockets in options.socket_steps(&[1_000, 10_000]) {
        sockets_idle(sockets, options, report).await?;
    }
    report.note(
        "memory: the baseline is a bare axum socket with the same 4 KiB buffers that \
        follows a broadcast"
            .to_owned(),
    );
    Ok(())
}

async fn sockets_idle(sockets: usize, options: &Options, report: &mut Report) -> Result<()> {
    ensure!(
        sockets + 500 <= file_limit()?,
        "only {} files may be open here",
        file_limit()?
    );
    // Past the first ping, which touches every socket.
    let settle = Duration::from_millis(options.by(300, 10_000) as u64);
    let (mut ours, mut bare) = (Side::default(), Side::default());
    for _ in 0..options.rounds_up_to(2) {
        // A fresh comparison, because memory that was used once may stay with a process.
        let mut comparison = Comparison::start(options, 4).await?;
        for (server, side) in [
            (&comparison.server, &mut ours),
            (&comparison.baseline, &mut bare),
        ] {
            drop(
                SocketPool::connect(
                    server.address,
                    &comparison.path,
                    &comparison.site.cookies(),
                    8,
                )
                .await?,
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
            let before = server.process.resident()?;
            let pool = SocketPool::connect(
                server.address,
                &comparison.path,
                &comparison.site.cookies(),
                sockets,
            )
            .await?;
            tokio::time::sleep(settle).await;
            side.turn((server.process.resident()? - before) / sockets as f64, None);
            pool.check(&Default::default())?;
        }
        comparison.check()?;
    }
    let mark = Some(Mark::AtMost(4.0));
    report.line(Line {
        what: format!("memory of one idle socket of {sockets}"),
        unit: Unit::Kib,
        ours,
        baseline: bare,
        mark,
    });
    Ok(())
}

async fn starts(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let page = folder.path().join("page");
    std::fs::write(&page, "page")?;
    let first = Server::tidepool(&folder).await?;
    let first_in = first.started_in;
    Site::set_up(&first, 1).await?;
    drop(first);
    let [mut ready, mut ready_bare, mut idle, mut idle_bare] = [const {
        Side {
            figures: Vec::new(),
            used: Vec::new(),
        }
    }; 4];
    for _ in 0..options.rounds() * options.by(1, STARTS) {
        for (ready, idle, bare) in [
            (&mut ready, &mut idle, false),
            (&mut ready_bare, &mut idle_bare, true),
        ] {
            let server = if bare {
                Server::baseline(&folder, &page).await?
            } else {
                Server::tidepool(&folder).await?
            };
            ready.turn(server.started_in.as_secs_f64() * 1e3, None);
            tokio::time::sleep(Duration::from_millis(options.by(100, 500) as u64)).await;
            idle.turn(server.process.resident()?, None);
        }
    }
    let mark = Some(Mark::AtMost(150.0));
    report.line(Line {
        what: "start → first answer".to_owned(),
        unit: Unit::Millis,
        ours: ready,
        baseline: ready_bare,
        mark,
    });
    let mark = Some(Mark::AtMost(20.0 * 1024.0));
    report.line(Line {
        what: "memory of an idle server, just started".to_owned(),
        unit: Unit::Kib,
        ours: idle,
        baseline: idle_bare,
        mark,
    });
    report.note(format!(
        "memory: the first start in an empty folder answered after {:.0} ms",
        first_in.as_secs_f64() * 1e3
    ));
    Ok(())
}
