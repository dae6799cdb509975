//! Posts to a room some of whose sockets have stopped reading: the others must not notice, and
//! memory must be bounded.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::follower::Plan;
use crate::follower_pool::FollowerPool;
use crate::http::Http;
use crate::load::Posts;
use crate::open_loop::{NEVER_STOP, Offered};
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::socket::{CLOSE, PING, TEXT, first_frame, is_event, message_number, open_narrow, pong};
use crate::stats::percentile;

const POSTS: f64 = 50.0; // a second
// A server closes who takes nothing for 15 seconds.
const GIVEN_UP: Duration = Duration::from_secs(18);
/// About a thousand bytes, so that what stands between the two ends is soon full.
const LONG: &str = {
    macro_rules! eight {
        ($text:literal) => {
            concat!($text, $text, $text, $text, $text, $text, $text, $text)
        };
    }
    eight!(
        " The frost came early this year, and the lemons are in the kitchen until it goes; the \
            thermometer by the door says two degrees."
    )
};

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let sockets = options.sockets(50, 1_000);
    let folder = Folder::new()?;
    let mut server = Server::tidepool(&folder).await?;
    let site = Site::set_up(&server, 4).await?;
    let posts = Posts::to(&server, &site, LONG);
    let time = Duration::from_millis(options.by(2_000, 10_000) as u64);
    // What comes first has the server's memory grow, whoever stalls.
    post(&server, &posts, time / 4).await?;
    let counts = [0, 1, (sockets / 10).max(2)];
    let mut sides = [const {
        [const {
            Side {
                figures: Vec::new(),
                used: Vec::new(),
            }
        }; 3]
    }; 3];
    for _ in 0..options.rounds_up_to(2) {
        for (stalled, [p50, p99, memory]) in counts.into_iter().zip(&mut sides) {
            let since = posts
                .one(&mut Http::connect(server.address).await?)
                .await?
                .0;
            let before = server.process.resident()?;
            let followers = FollowerPool::connect(
                Plan::new(server.address, &site.room, since),
                &site.cookies(),
                sockets - stalled,
            )
            .await?;
            let path = format!("/live/data?feed=room/{}", site.room);
            let mut still = Vec::new();
            for _ in 0..stalled {
                still.push(open_narrow(server.address, &path, &site.people[0].cookie).await?);
            }
            tokio::time::sleep(Duration::from_millis(300)).await; // all follow
            let begun = Instant::now();
            let (offered, most) = post(&server, &posts, time).await?;
            let ids: BTreeSet<u64> = offered
                .accepted
                .iter()
                .map(|accepted| accepted.id)
                .collect();
            followers
                .all_know(
                    ids.last().copied().unwrap_or_default(),
                    Duration::from_secs(30),
                )
                .await?;
            followers.check(&ids)?;
            let mut delays = followers.delays(&offered.times());
            ensure!(
                delays.len() == ids.len() * (sockets - stalled),
                "{} deliveries were seen live",
                delays.len()
            );
            p50.turn(percentile(&mut delays, 50.0), None);
            p99.turn(percentile(&mut delays, 99.0), None);
            memory.turn(most - before, None);
            if !options.quick && stalled > 0 {
                tokio::time::sleep(
                    (begun + time / 4 + GIVEN_UP).saturating_duration_since(Instant::now()),
                )
                .await;
            }
            let ends = read_on(server.address, still, &ids).await?;
            ensure!(
                options.quick || ends.caught_up == 0,
                "{} sockets that read nothing for 15 s were kept",
                ends.caught_up
            );
            if stalled > 0 {
                report.note(format!(
                    "stalled: {stalled} of {sockets}: {} closed, {} told to refresh, {} caught up",
                    ends.closed, ends.refreshed, ends.caught_up
                ));
            }
        }
    }
    server.process.check()?;
    let [none, some @ ..] = sides;
    for (count, [p50, p99, memory]) in counts[1..].iter().zip(some) {
        for (what, unit, ours, baseline, mark) in [
            (
                "post → seen, p50",
                Unit::Millis,
                p50,
                &none[0],
                Some(Mark::RatioAtMost(1.2)),
            ),
            (
                "post → seen, p99",
                Unit::Millis,
                p99,
                &none[1],
                Some(Mark::RatioAtMost(1.5)),
            ),
            (
                "server's memory gained, most",
                Unit::Kib,
                memory,
                &none[2],
                None,
            ),
        ] {
            let what = format!("{what}, {count} of {sockets} stalled against none");
            report.line(Line {
                what,
                unit,
                ours,
                baseline: baseline.clone(),
                mark,
            });
        }
    }
    Ok(())
}

/// Posts for this long. What was posted, and the most memory that the server used meanwhile.
async fn post(server: &Server, posts: &Posts, time: Duration) -> Result<(Offered, f64)> {
    let posts = posts.clone();
    let posting =
        std::thread::spawn(move || posts.offer(4, POSTS, time, &NEVER_STOP, &AtomicU64::new(0)));
    let mut most = 0.0_f64;
    while !posting.is_finished() {
        most = most.max(server.process.resident()?);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    match posting.join() {
        Ok(offered) => Ok((offered?.all_accepted()?, most)),
        Err(_) => bail!("posting panicked"),
    }
}

#[derive(Default)]
struct Ends {
    closed: usize,
    refreshed: usize,
    caught_up: usize,
}

/// Reads on where nobody read. Each must get what was posted from the beginning on, until it is
/// told that it missed the rest, or closed.
async fn read_on(
    server: SocketAddr,
    still: Vec<(TcpStream, Vec<u8>)>,
    posted: &BTreeSet<u64>,
) -> Result<Ends> {
    let mut ends = Ends::default();
    for (mut stream, mut came) in still {
        let mut expected = posted.iter();
        let mut left = posted.len();
        'socket: loop {
            let mut used = 0;
            while let Some((frame, length)) = first_frame(&came[used..])? {
                used += length;
                match frame.opcode {
                    // May be closed by now.
                    PING => drop(stream.write_all(&pong(frame.payload)).await),
                    CLOSE => {}
                    TEXT if is_event(frame.payload) => {
                        ensure!(
                            expected.next() == Some(&message_number(frame.payload)?),
                            "a stalled socket missed a frame unsaid"
                        );
                        left -= 1;
                    }
                    TEXT if frame.payload.starts_with(b"{\"type\":\"refresh\"") => {
                        ends.refreshed += 1;
                        break 'socket;
                    }
                    _ => {}
                }
            }
            came.drain(..used);
            if left == 0 {
                ends.caught_up += 1;
                break;
            }
            match timeout(Duration::from_secs(10), stream.read_buf(&mut came)).await {
                Ok(Ok(1..)) => {}
                Ok(_) => {
                    ends.closed += 1;
                    break;
                }
                Err(_) => bail!(
                    "a stalled socket of {server} lacks {left} of {} frames and nothing comes",
                    posted.len()
                ),
            }
        }
    }
    Ok(ends)
}
