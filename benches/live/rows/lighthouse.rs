//! Lighthouse's scores for the first visit of a room, as a slowed-down phone, beside the same page
//! without its scripts. Needs npx and chromium.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::load::Posts;
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};

const LIGHTHOUSE: &str = "lighthouse@12";
const OTHERS: [&str; 3] = ["accessibility", "best-practices", "seo"];
const CHROMIUM: &str = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
    --disable-background-networking \
    --disable-component-update --disable-sync";
const MESSAGES: u64 = 60;
/// How many times slower than the machine Lighthouse takes a phone to be. It means a quick machine:
/// on one below [`QUICK`] by its own benchmark it warns that this is too much, and its
/// documentation (`throttling.md`) asks for half.
const SLOWDOWN: u32 = 4;
const SLOWDOWN_OF_A_SLOW_MACHINE: u32 = 2;
const QUICK: f64 = 1500.0;

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let mut server = Server::tidepool(&folder).await?;
    let site = Site::set_up(&server, 1).await?;
    Posts::to(
        &server,
        &site,
        "of the **log**, with a [link](https://example.org/).",
    )
    .many(1, MESSAGES, |_| true)?;
    let page = Page {
        address: format!("http://{}/rooms/{}", server.address, site.room),
        headers: json!({ "Cookie": site.people[0].cookie }).to_string(),
    };
    let mut others = [const {
        Side {
            figures: Vec::new(),
            used: Vec::new(),
        }
    }; OTHERS.len()];
    let mut speeds = [Speed::of(SLOWDOWN), Speed::of(SLOWDOWN_OF_A_SLOW_MACHINE)];
    let mut machine = Side::default();
    for _ in 0..options.rounds() {
        for speed in &mut speeds {
            let seen = speed.look(&page)?;
            machine.turn(
                seen["environment"]["benchmarkIndex"]
                    .as_f64()
                    .context("no benchmark")?,
                None,
            );
            for (side, category) in others.iter_mut().zip(OTHERS) {
                side.turn(score(&seen, category)?, None);
            }
        }
    }
    server.process.check()?;
    let mark = Some(Mark::AtLeast(100.0));
    for (category, ours) in OTHERS.into_iter().zip(others) {
        report.line(Line {
            what: format!("Lighthouse: {category}"),
            unit: Unit::Count,
            ours,
            baseline: Side::default(),
            mark,
        });
    }
    for Speed {
        slowdown,
        scores: [ours, baseline],
        blocked: [blocked, bare],
    } in speeds
    {
        let what = format!("Lighthouse: performance, {slowdown} times slower than here");
        report.line(Line {
            what,
            unit: Unit::Count,
            ours,
            baseline,
            mark,
        });
        let what = format!("Lighthouse: time the page blocks its thread, {slowdown} times slower");
        report.line(Line {
            what,
            unit: Unit::Millis,
            ours: blocked,
            baseline: bare,
            mark: None,
        });
    }
    report.note(format!(
        "Lighthouse: a room of {MESSAGES} messages; the baseline is the same page without its \
            scripts; its benchmark of the machine: {}, where \
         {QUICK} and more mean a phone is {SLOWDOWN} times slower, and less \
            {SLOWDOWN_OF_A_SLOW_MACHINE} times",
        machine.text(Unit::Count)
    ));
    Ok(())
}

/// A page, and how to ask for it.
struct Page {
    address: String,
    headers: String,
}

/// How quick the page is on a machine so many times slower, with its scripts and without.
struct Speed {
    slowdown: u32,
    scores: [Side; 2],
    blocked: [Side; 2],
}

impl Speed {
    fn of(slowdown: u32) -> Self {
        Self {
            slowdown,
            scores: Default::default(),
            blocked: Default::default(),
        }
    }

    /// Takes a turn; gives what was said about the whole page.
    fn look(&mut self, page: &Page) -> Result<Value> {
        let both = [
            page.look(self.slowdown, None)?,
            page.look(self.slowdown, Some("*.js"))?,
        ];
        for (place, seen) in both.iter().enumerate() {
            self.scores[place].turn(score(seen, "performance")?, None);
            self.blocked[place].turn(blocking_time(seen)?, None);
        }
        let [whole, _] = both;
        Ok(whole)
    }
}

impl Page {
    /// What Lighthouse has to say about it. Some files may be withheld.
    fn look(&self, slowdown: u32, withheld: Option<&str>) -> Result<Value> {
        let chromium =
            std::env::var_os("CHROME_PATH").unwrap_or_else(|| "/usr/bin/chromium".into());
        let said = Command::new("npx")
            .args([
                "--yes",
                LIGHTHOUSE,
                &self.address,
                "--quiet",
                "--output=json",
                "--output-path=stdout",
            ])
            .args([
                format!("--extra-headers={}", self.headers),
                format!("--chrome-flags={CHROMIUM}"),
            ])
            .arg(format!("--throttling.cpuSlowdownMultiplier={slowdown}"))
            .args(withheld.map(|files| format!("--blocked-url-patterns={files}")))
            .env("CHROME_PATH", chromium)
            .stderr(Stdio::inherit())
            .output()
            .context("npx is needed")?;
        ensure!(
            said.status.success(),
            "lighthouse ended with {}",
            said.status
        );
        let seen: Value =
            serde_json::from_slice(&said.stdout).context("not what lighthouse says")?;
        ensure!(
            seen["runtimeError"].is_null(),
            "{}",
            seen["runtimeError"]["message"]
        );
        Ok(seen)
    }
}

/// Of a hundred.
fn score(seen: &Value, category: &str) -> Result<f64> {
    Ok((seen["categories"][category]["score"]
        .as_f64()
        .context("no score")?
        * 100.0)
        .round())
}

/// Milliseconds.
fn blocking_time(seen: &Value) -> Result<f64> {
    seen["audits"]["total-blocking-time"]["numericValue"]
        .as_f64()
        .context("no blocking time")
}
