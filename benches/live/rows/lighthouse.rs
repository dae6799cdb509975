//! Lighthouse's scores for the first visit of a room, as a slowed-down phone, beside the same page without its scripts.
//! Needs npx and chromium.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::load::Posts;
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};

const LIGHTHOUSE: &str = "lighthouse@12";
const CATEGORIES: [&str; 4] = ["performance", "accessibility", "best-practices", "seo"];
const CHROMIUM: &str = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync";
const MESSAGES: u64 = 60;

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let mut server = Server::tidepool(&folder).await?;
    let site = Site::set_up(&server, 1).await?;
    Posts::to(&server, &site, "of the **log**, with a [link](https://example.org/).").many(1, MESSAGES, |_| true)?;
    let page = format!("http://{}/rooms/{}", server.address, site.room);
    let headers = json!({ "Cookie": site.people[0].cookie }).to_string();
    let mut scores = [const { Side { figures: Vec::new(), used: Vec::new() } }; CATEGORIES.len()];
    let [mut bare, mut blocked, mut blocked_bare] = [const { Side { figures: Vec::new(), used: Vec::new() } }; 3];
    for _ in 0..options.rounds() {
        let seen = look(&page, &headers, None)?;
        for (side, category) in scores.iter_mut().zip(CATEGORIES) {
            side.turn(score(&seen, category)?, None);
        }
        blocked.turn(blocking_time(&seen)?, None);
        let seen = look(&page, &headers, Some("*.js"))?;
        bare.turn(score(&seen, CATEGORIES[0])?, None);
        blocked_bare.turn(blocking_time(&seen)?, None);
    }
    server.process.check()?;
    for (category, ours) in CATEGORIES.into_iter().zip(scores) {
        let baseline = if category == CATEGORIES[0] { bare.clone() } else { Side::default() };
        let mark = Some(Mark::AtLeast(100.0));
        report.line(Line { what: format!("Lighthouse: {category}"), unit: Unit::Count, ours, baseline, mark });
    }
    let what = "Lighthouse: time the page blocks its thread".to_owned();
    report.line(Line { what, unit: Unit::Millis, ours: blocked, baseline: blocked_bare, mark: None });
    report.note(format!("Lighthouse: a room of {MESSAGES} messages; the baseline is the same page without its scripts"));
    Ok(())
}

/// What it has to say about a page, of which some files may be withheld.
fn look(page: &str, headers: &str, withheld: Option<&str>) -> Result<Value> {
    let chromium = std::env::var_os("CHROME_PATH").unwrap_or_else(|| "/usr/bin/chromium".into());
    let said = Command::new("npx")
        .args(["--yes", LIGHTHOUSE, page, "--quiet", "--output=json", "--output-path=stdout"])
        .args([format!("--extra-headers={headers}"), format!("--chrome-flags={CHROMIUM}")])
        .args(withheld.map(|files| format!("--blocked-url-patterns={files}")))
        .env("CHROME_PATH", chromium)
        .stderr(Stdio::inherit())
        .output()
        .context("npx is needed")?;
    ensure!(said.status.success(), "lighthouse ended with {}", said.status);
    let seen: Value = serde_json::from_slice(&said.stdout).context("not what lighthouse says")?;
    ensure!(seen["runtimeError"].is_null(), "{}", seen["runtimeError"]["message"]);
    Ok(seen)
}

/// Of a hundred.
fn score(seen: &Value, category: &str) -> Result<f64> {
    Ok((seen["categories"][category]["score"].as_f64().context("no score")? * 100.0).round())
}

/// Milliseconds.
fn blocking_time(seen: &Value) -> Result<f64> {
    seen["audits"]["total-blocking-time"]["numericValue"].as_f64().context("no blocking time")
}
