//! The fan-out to sockets that take compressed frames, beside sockets that do not.

use anyhow::Result;

use super::Stage;
use super::fanout::{Size, turn};
use crate::load::Posts;
use crate::options::Options;
use crate::report::{Line, Report, Side, Unit};
use crate::socket_pool::PoolOptions;

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let sockets = options.sockets(50, 1_000);
    let mut stage = Stage::set(options, 4).await?;
    let posts = Posts {
        text: super::posts::TEXT,
        ..stage.posts.clone()
    };
    let size = Size::of(sockets, options);
    let [
        mut much,
        mut much_plain,
        mut bytes,
        mut bytes_plain,
        mut all,
        mut all_plain,
    ] = [const {
        Side {
            figures: Vec::new(),
            used: Vec::new(),
        }
    }; 6];
    for _ in 0..options.rounds() {
        for (compressed, much, bytes, all) in [
            (true, &mut much, &mut bytes, &mut all),
            (false, &mut much_plain, &mut bytes_plain, &mut all_plain),
        ] {
            let done = turn(
                PoolOptions { compressed },
                &stage.server,
                stage.server.address,
                &posts,
                &stage.path,
                &size,
            )
            .await?;
            stage
                .site
                .check_history(&stage.server, &stage.site.room, &done.posted)
                .await?;
            much.turn(done.deliveries, Some(done.used));
            bytes.turn(done.bytes, None);
            all.turn(done.all, None);
        }
    }
    stage.still_well()?;
    let what = format!("deliveries to {sockets} sockets, compressed against plain");
    report.line(Line {
        what,
        unit: Unit::PerSecond,
        ours: much,
        baseline: much_plain,
        mark: None,
    });
    let what = "bytes of a frame, compressed against plain".to_owned();
    report.line(Line {
        what,
        unit: Unit::Bytes,
        ours: bytes,
        baseline: bytes_plain,
        mark: None,
    });
    let what = format!("post → on all of {sockets} sockets, compressed against plain, p50");
    report.line(Line {
        what,
        unit: Unit::Millis,
        ours: all,
        baseline: all_plain,
        mark: None,
    });
    report.note(
        "compressed: both sides are tidepool; four sockets inflate what they get, all \
        compare it byte by byte"
            .to_owned(),
    );
    Ok(())
}
