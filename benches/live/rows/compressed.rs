//! The fan-out to sockets that take compressed frames, beside sockets that do not.

use anyhow::Result;

use super::Comparison;
use super::fanout::{Size, turn};
use crate::load::Posts;
use crate::options::Options;
use crate::report::{Line, Report, Side, Unit};
use crate::socket_pool::ConnectOptions;

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let sockets = options.sockets(50, 1_000);
    let mut comparison = Comparison::start(options, 4).await?;
    let posts = Posts {
        text: super::posts::TEXT,
        ..comparison.posts.clone()
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
                ConnectOptions { compressed },
                &comparison.server,
                comparison.server.address,
                &posts,
                &comparison.path,
                &size,
            )
            .await?;
            comparison
                .site
                .check_history(&comparison.server, &comparison.site.room, &done.posted)
                .await?;
            much.turn(done.deliveries, Some(done.used));
            bytes.turn(done.bytes, None);
            all.turn(done.all, None);
        }
    }
    comparison.check()?;
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
