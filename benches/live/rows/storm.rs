//! The server is restarted, and everybody comes back at once: how long until all follow again, and
//! that nothing is lost.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};

use crate::file_limit::file_limit;
use crate::follower::Plan;
use crate::follower_pool::FollowerPool;
use crate::http::Http;
use crate::load::Posts;
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::socket::message_number;

const PEOPLE: usize = 200;
const EVERY: Duration = Duration::from_millis(200); // a post: each is ten thousand frames
const WAIT_TIMEOUT: Duration = Duration::from_secs(180); // far beyond the mark: slow is not wrong

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let sockets = options.sockets(1_000, 10_000);
    ensure!(
        sockets + 500 <= file_limit()?,
        "only {} files may be open here",
        file_limit()?
    );
    let folder = Folder::new()?;
    let server = Server::tidepool(&folder).await?;
    let mut site = Site::set_up(&server, 1).await?;
    drop(server);
    site.populate(&folder, PEOPLE).await?;
    let mut server = Server::tidepool(&folder).await?;
    let (mut whole, mut back, mut connected) = (Side::default(), Side::default(), Side::default());
    for _ in 0..options.rounds_up_to(2) {
        let posts = Posts::to(&server, &site, "");
        let since = posts
            .one(&mut Http::connect(server.address).await?)
            .await?
            .0;
        let followers = FollowerPool::connect(
            Plan::new(server.address, &site.room, since),
            &site.cookies(),
            sockets,
        )
        .await?;
        let stop = std::sync::Arc::new(AtomicBool::new(false));
        let posting = std::thread::spawn({
            let (posts, stop) = (posts.clone(), stop.clone());
            move || post_on(&posts, &stop)
        });
        tokio::time::sleep(Duration::from_millis(options.by(500, 2_000) as u64)).await;

        let restarted = Instant::now();
        server.process.end()?;
        let ended = restarted.elapsed();
        server = Server::tidepool_at(&folder, server.address).await?;
        let answered = restarted.elapsed();
        let open = followers
            .all(WAIT_TIMEOUT, "come back", |one| {
                one.opened.load(Ordering::Acquire) > 1
            })
            .await?
            .saturating_duration_since(restarted);
        connected.turn(open.as_secs_f64() * 1e3, None);
        let is_back = |one: &crate::follower::Follower| {
            one.lost.load(Ordering::Acquire) > 0 && one.following.load(Ordering::Acquire)
        };
        let all = followers
            .all(WAIT_TIMEOUT, "follow again", is_back)
            .await?
            .saturating_duration_since(restarted);
        whole.turn(all.as_secs_f64() * 1e3, None);
        back.turn((all - answered).as_secs_f64() * 1e3, None);

        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.store(true, Ordering::Release);
        let (posted, repeated) = posting.join().map_err(|_| anyhow!("posting panicked"))??;
        followers
            .all_know(posted.last().copied().unwrap_or_default(), WAIT_TIMEOUT)
            .await?;
        followers.check(&posted)?;
        report.note(format!(
            "storm: ended {:.0} ms after SIGTERM, answering after {:.0} ms; {} messages, of which \
                {repeated} had to be sent again, were known \
             to all {sockets} in the end; {} were told to refresh and read them over HTTP, {} \
                tries to come back failed; {:.0} MiB",
            ended.as_secs_f64() * 1e3,
            answered.as_secs_f64() * 1e3,
            posted.len(),
            followers.sum(|one| &one.refreshed),
            followers.sum(|one| &one.lost) - sockets as u64,
            server.process.resident()? / 1024.0,
        ));
        server.process.check()?;
    }
    let mark = Some(Mark::AtMost(15_000.0));
    let what = format!("restart → all of {sockets} sockets follow again");
    report.line(Line {
        what,
        unit: Unit::Millis,
        ours: whole,
        baseline: Side::default(),
        mark,
    });
    let what =
        format!("restart → all of {sockets} sockets are open again, before anything is read");
    report.line(Line {
        what,
        unit: Unit::Millis,
        ours: connected,
        baseline: Side::default(),
        mark: None,
    });
    let what = "restart → all follow, from the new server's first answer on".to_owned();
    report.line(Line {
        what,
        unit: Unit::Millis,
        ours: back,
        baseline: Side::default(),
        mark: None,
    });
    Ok(())
}

/// Posts until told to stop, each again and again with the same key until it is acknowledged, as a
/// page does. The messages, and how many had to be sent more than once.
fn post_on(posts: &Posts, stop: &AtomicBool) -> Result<(BTreeSet<u64>, usize)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let (mut posted, mut repeated, mut open) = (BTreeSet::new(), 0, None);
        for author in 0.. {
            if stop.load(Ordering::Acquire) {
                break;
            }
            let (_, request) = posts.next(author);
            let mut tries = 0;
            let id = loop {
                tries += 1;
                if open.is_none() {
                    open = Http::connect(posts.address).await.ok();
                }
                if let Some(http) = &mut open {
                    match http.send(&request).await {
                        Ok(answer) if answer.status == 200 => break message_number(answer.body)?,
                        Ok(answer) => ensure!(
                            matches!(answer.status, 429 | 503),
                            "a post was answered {}",
                            answer.status
                        ),
                        Err(_) => open = None,
                    }
                }
                tokio::time::sleep(EVERY).await;
            };
            ensure!(posted.insert(id), "two posts were acknowledged as {id}");
            repeated += usize::from(tries > 1);
            tokio::time::sleep(EVERY).await;
        }
        Ok((posted, repeated))
    })
}
