//! A room's page while posts arrive in the room, so that no page that was made stands for long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use super::pages::{ENCODINGS, messages_in, unpack};
use crate::http::request;
use crate::load::{Posts, drive};
use crate::open_loop::{NEVER_STOP, Offered};
use crate::options::Options;
use crate::process::{Folder, Meter, Used};
use crate::report::{Line, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::stats::percentile;

const CONNECTIONS: usize = 16;
const POSTS: f64 = 50.0; // a second
const PAGE: usize = 50; // messages
const SAMPLE: usize = 8; // every eighth page is looked into
const TEXT: &str =
    " Frost on the *inside* of the glass this morning, so the **lemons** moved to the kitchen.";

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let mut server = Server::tidepool(&folder).await?;
    let site = Site::set_up(&server, 4).await?;
    let posts = Posts {
        cookies: site.cookies()[1..].to_vec(),
        ..Posts::to(&server, &site, TEXT)
    };
    let mut ids: Vec<u64> = posts
        .many(1, PAGE as u64 + 10, |_| true)?
        .posted
        .keys()
        .copied()
        .collect();
    let time = Duration::from_millis(options.by(1_000, 3_000) as u64);
    for encoding in ENCODINGS {
        let headers = [
            ("cookie", site.people[0].cookie.as_str()),
            ("accept", "text/html"),
            ("accept-encoding", encoding),
        ];
        let page = request("GET", &format!("/rooms/{}", site.room), &headers, "");
        let body = crate::http::Http::connect(server.address)
            .await?
            .send(&page)
            .await?
            .body
            .to_vec();
        let file = folder.path().join(format!("page.{encoding}"));
        std::fs::write(&file, &body)?;
        let mut bare = Server::baseline(&folder, &file).await?;
        let bare_page = request("GET", "/page", &headers, "");
        let [mut rate, mut rate_bare, mut slow, mut slow_bare] = [const {
            Side {
                figures: Vec::new(),
                used: Vec::new(),
            }
        }; 4];
        for _ in 0..options.rounds() {
            let done = turn(&server, &page, &posts, time, Some(encoding))?;
            let before = ids.len();
            ids.extend(done.offered.accepted.iter().map(|accepted| accepted.id));
            for seen in &done.pages {
                ensure!(
                    ids.windows(PAGE).any(|stretch| stretch == seen),
                    "a page does not hold {PAGE} messages on end"
                );
            }
            ensure!(
                ids.len() > before && done.pages.iter().any(|seen| seen.contains(&ids[before])),
                "no page showed what was posted"
            );
            site.check_history(&server, &site.room, &done.offered.posted())
                .await?;
            rate.turn(done.rate, Some(done.used));
            slow.turn(done.p99, None);
            let done = turn(&bare, &bare_page, &posts.at(&bare), time, None)?;
            rate_bare.turn(done.rate, Some(done.used));
            slow_bare.turn(done.p99, None);
        }
        bare.process.check()?;
        let what =
            format!("room pages while {POSTS} posts/s arrive, {encoding}, {CONNECTIONS} at once");
        report.line(Line {
            what,
            unit: Unit::PerSecond,
            ours: rate,
            baseline: rate_bare,
            mark: None,
        });
        let what = format!("the same, p99, {encoding}");
        report.line(Line {
            what,
            unit: Unit::Millis,
            ours: slow,
            baseline: slow_bare,
            mark: None,
        });
    }
    server.process.check()?;
    report.note(
        "busy: each page looked into (one of eight) was as new as the newest post \
        acknowledged before it was asked for"
            .to_owned(),
    );
    Ok(())
}

struct Done {
    rate: f64,
    p99: f64,
    used: Used,
    offered: Offered,
    /// The messages of the pages that were looked into.
    pages: Vec<Vec<u64>>,
}

fn turn(
    server: &Server,
    page: &[u8],
    posts: &Posts,
    time: Duration,
    look: Option<&str>,
) -> Result<Done> {
    let newest = AtomicU64::new(0);
    let meter = Meter::start(&server.process)?;
    let (offered, driven) = std::thread::scope(|scope| {
        let posting = scope.spawn(|| posts.offer(4, POSTS, time, &NEVER_STOP, &newest));
        let driven = drive(server.address, CONNECTIONS, |_, mut http| {
            let newest = &newest;
            async move {
                let until = Instant::now() + time;
                let (mut times, mut pages) = (Vec::new(), Vec::new());
                while Instant::now() < until {
                    let (known, started) = (newest.load(Ordering::Acquire), Instant::now());
                    let answer = http.send(page).await?;
                    times.push(started.elapsed().as_secs_f64() * 1e3);
                    ensure!(
                        answer.status == 200,
                        "a page was answered {}",
                        answer.status
                    );
                    if let Some(encoding) = look.filter(|_| times.len() % SAMPLE == 0) {
                        let seen = messages_in(&unpack(encoding, answer.body)?)?;
                        ensure!(
                            seen.last().is_some_and(|last| *last >= known),
                            "a page lacks {known}, posted before it was asked for"
                        );
                        pages.push(seen);
                    }
                }
                Ok((times, pages))
            }
        });
        (
            posting.join().map_err(|_| anyhow!("posting panicked")),
            driven,
        )
    });
    let (offered, driven) = (offered??.all_accepted()?, driven?);
    let seconds = (driven.to - driven.from).as_secs_f64();
    let (times, pages): (Vec<_>, Vec<_>) = driven.done.into_iter().unzip();
    let mut times = times.concat();
    let used = meter.stop(times.len() as u64)?;
    Ok(Done {
        rate: times.len() as f64 / seconds,
        p99: percentile(&mut times, 99.0),
        used,
        offered,
        pages: pages.concat(),
    })
}
