//! A thousand people arrive at the same moment: pages for all, sockets for all, and what one who
//! was there is told.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout_at;

use crate::follower::Plan;
use crate::follower_pool::FollowerPool;
use crate::http::request;
use crate::load::drive;
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::socket::{PING, TEXT, first_frame, is_event, open, pong};
use crate::stats::percentile;

const WAIT_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECTIONS: usize = 64; // that fetch the pages

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let people = options.sockets(100, 1_000);
    let folder = Folder::new()?;
    let server = Server::tidepool(&folder).await?;
    let mut site = Site::set_up(&server, 1).await?;
    drop(server);
    site.populate(&folder, people + 1).await?;
    let cookies = site.cookies().split_off(1);
    let presence = format!("space/{}/presence", site.space);
    let [mut frames, mut told, mut follow, mut pages, mut slowest] = [const {
        Side {
            figures: Vec::new(),
            used: Vec::new(),
        }
    }; 5];
    for _ in 0..options.rounds() {
        // A fresh start, on which nobody's page was ever made.
        let mut server = Server::tidepool(&folder).await?;
        let (rate, p99) = first_pages(&server, &site, &cookies)?;
        pages.turn(rate, None);
        slowest.turn(p99, None);
        let mut observer = Observer::connect(
            &server,
            &format!("/live/data?feed={presence}"),
            &site.people[0].cookie,
        )
        .await?;
        let plan = Plan::new(server.address, &site.room, 0)
            .beside(format!("&feed={presence}&feed=room/{}/typing", site.room))
            .all_at_once();
        let begun = Instant::now();
        let followers = FollowerPool::open(plan, &cookies, people);
        observer.wait_for_people(people).await?;
        told.turn(begun.elapsed().as_secs_f64() * 1e3, None);
        follow.turn(
            (followers
                .all_follow(WAIT_TIMEOUT)
                .await?
                .saturating_duration_since(begun))
            .as_secs_f64()
                * 1e3,
            None,
        );
        observer.settle().await?;
        frames.turn(observer.frames as f64, None);
        server.process.check()?;
    }
    let mark = (people <= 1_000).then_some(Mark::AtMost(20.0));
    let lines = [
        (
            format!("{people} people arrive: frames of presence that another gets"),
            Unit::Count,
            frames,
            mark,
        ),
        (
            format!("{people} people arrive: until another knows of all"),
            Unit::Millis,
            told,
            None,
        ),
        (
            format!("{people} people arrive: until all follow their room, at most"),
            Unit::Millis,
            follow,
            None,
        ),
        (
            format!("first pages of {people} people after a start, {CONNECTIONS} at once"),
            Unit::PerSecond,
            pages,
            None,
        ),
        ("the same, p99".to_owned(), Unit::Millis, slowest, None),
    ];
    for (what, unit, ours, mark) in lines {
        report.line(Line {
            what,
            unit,
            ours,
            baseline: Side::default(),
            mark,
        });
    }
    report.note(
        "arrivals: each person has an account; all connect at once and follow room, typing \
        and presence"
            .to_owned(),
    );
    Ok(())
}

/// Everybody's page of the room, once: how many a second, and the p99.
fn first_pages(server: &Server, site: &Site, cookies: &[String]) -> Result<(f64, f64)> {
    let path = format!("/rooms/{}", site.room);
    let driven = drive(server.address, CONNECTIONS, |number, mut http| {
        let path = &path;
        async move {
            let mut times = Vec::new();
            for cookie in cookies.iter().skip(number).step_by(CONNECTIONS) {
                let headers = [
                    ("cookie", cookie.as_str()),
                    ("accept", "text/html"),
                    ("accept-encoding", "br"),
                ];
                let started = Instant::now();
                let answer = http.send(&request("GET", path, &headers, "")).await?;
                ensure!(
                    answer.status == 200,
                    "a page was answered {}",
                    answer.status
                );
                times.push(started.elapsed().as_secs_f64() * 1e3);
            }
            Ok(times)
        }
    })?;
    let seconds = (driven.to - driven.from).as_secs_f64();
    let mut times = driven.done.concat();
    Ok((times.len() as f64 / seconds, percentile(&mut times, 99.0)))
}

/// Someone who was there before and follows who comes.
struct Observer {
    stream: TcpStream,
    came: Vec<u8>,
    frames: usize,
    here: BTreeSet<String>,
}

impl Observer {
    async fn connect(server: &Server, path: &str, cookie: &str) -> Result<Self> {
        let (stream, came) = open(server.address, path, cookie).await?;
        let mut observer = Self {
            stream,
            came,
            frames: 0,
            here: BTreeSet::new(),
        };
        // Past the frame that tells of the observer.
        observer
            .read_until(Instant::now() + Duration::from_secs(1), |_| false)
            .await?;
        (observer.frames, observer.here) = Default::default();
        Ok(observer)
    }

    async fn wait_for_people(&mut self, people: usize) -> Result<()> {
        let all = self
            .read_until(Instant::now() + WAIT_TIMEOUT, |here| here.len() >= people)
            .await?;
        ensure!(all, "{} of {people} people were told of", self.here.len());
        Ok(())
    }

    /// What else is told in the second after.
    async fn settle(&mut self) -> Result<()> {
        self.read_until(Instant::now() + Duration::from_secs(1), |_| false)
            .await?;
        Ok(())
    }

    async fn read_until(
        &mut self,
        until: Instant,
        enough: impl Fn(&BTreeSet<String>) -> bool,
    ) -> Result<bool> {
        loop {
            let mut used = 0;
            while let Some((frame, length)) = first_frame(&self.came[used..])? {
                used += length;
                match frame.opcode {
                    PING => self.stream.write_all(&pong(frame.payload)).await?,
                    TEXT if is_event(frame.payload) => {
                        self.frames += 1;
                        let told: Value = serde_json::from_slice(frame.payload)?;
                        for person in told["event"]["people"]
                            .as_array()
                            .context("a frame of presence without people")?
                        {
                            ensure!(person["state"] == "here", "{person} although nobody left");
                            self.here.insert(
                                person["account"].as_str().context("no account")?.to_owned(),
                            );
                        }
                    }
                    TEXT if frame.payload.starts_with(b"{\"type\":\"hello\"")
                        || frame.payload.starts_with(b"{\"type\":\"subscribed\"") => {}
                    _ => bail!("the server said {}", String::from_utf8_lossy(frame.payload)),
                }
            }
            self.came.drain(..used);
            if enough(&self.here) {
                return Ok(true);
            }
            match timeout_at(until.into(), self.stream.read_buf(&mut self.came)).await {
                Ok(read) => ensure!(read? > 0, "the observer was closed"),
                Err(_) => return Ok(false),
            }
        }
    }
}
