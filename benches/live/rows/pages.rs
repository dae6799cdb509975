//! A room's page of 50 messages for someone signed in, compressed: whole, and unchanged since the
//! last time.

use std::io::Read;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::http::{Http, request};
use crate::load::{Posts, drive};
use crate::options::Options;
use crate::process::{Folder, Meter, Used};
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};

const CONNECTIONS: usize = 16;
const PAGE: usize = 50; // messages
const TEXT: &str = " Frost on the *inside* of the glass this morning, so the lemons moved to the \
    kitchen. \
    The **thermometer** by the door says 2 °C; is the [heater](https://example.org/heater) on a \
    timer?";

/// What an answer must be.
enum Expected {
    /// One of these bodies; what is not among them has to hold these messages and be whole.
    Page(String, Vec<Vec<u8>>, Vec<u64>),
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing: 304.
    Unchanged,
}

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let mut server = Server::tidepool(&folder).await?;
    let site = Site::set_up(&server, 4).await?;
    let posted = Posts::to(&server, &site, TEXT)
        .many(1, PAGE as u64 + 10, |_| true)?
        .posted;
    let ids: Vec<u64> = posted.keys().copied().skip(posted.len() - PAGE).collect();

    for encoding in ENCODINGS {
        measure_in(encoding, &ids, &folder, &mut server, &site, options, report).await?;
    }
    Ok(())
}

/// The ways in which browsers take pages.
pub const ENCODINGS: [&str; 2] = ["br", "gzip"];

async fn measure_in(
    encoding: &str,
    ids: &[u64],
    folder: &Folder,
    server: &mut Server,
    site: &Site,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    let path = format!("/rooms/{}", site.room);
    let cookie = &site.people[0].cookie;
    let headers = [
        ("cookie", cookie.as_str()),
        ("accept", "text/html"),
        ("accept-encoding", encoding),
    ];
    let whole = request("GET", &path, &headers, "");
    let mut http = Http::connect(server.address).await?;
    // The first visit marks the room read; from the second on nothing changes.
    http.send(&whole).await?;
    let answer = http.send(&whole).await?;
    let tag = answer
        .header("etag")
        .context("the page has no entity tag")?
        .to_owned();
    ensure!(
        answer.header("content-encoding") == Some(encoding),
        "the page is not compressed as it was asked for"
    );
    let body = answer.body.to_vec();
    let plain = check_page(encoding, &body, ids)?;
    let unchanged = request(
        "GET",
        &path,
        &[&headers[..], &[("if-none-match", &tag)]].concat(),
        "",
    );
    let file = folder.path().join(format!("page.{encoding}"));
    std::fs::write(&file, &body)?;
    let mut bare = Server::baseline(folder, &file).await?;
    let (bare_whole, bare_unchanged) = (
        request("GET", "/page", &headers, ""),
        request("GET", "/unchanged", &headers, ""),
    );

    let [mut pages, mut pages_bare, mut same, mut same_bare] = [const {
        Side {
            figures: Vec::new(),
            used: Vec::new(),
        }
    }; 4];
    let time = Duration::from_millis(options.by(200, 2_500) as u64);
    for _ in 0..options.rounds() {
        for (server, request, side, expected) in [
            (
                &*server,
                &whole,
                &mut pages,
                Expected::Page(encoding.to_owned(), vec![body.clone()], ids.to_vec()),
            ),
            (
                &bare,
                &bare_whole,
                &mut pages_bare,
                Expected::Bytes(body.clone()),
            ),
            (&*server, &unchanged, &mut same, Expected::Unchanged),
            (&bare, &bare_unchanged, &mut same_bare, Expected::Unchanged),
        ] {
            turn(server, request, time / 10, &expected)?;
            let (rate, used) = turn(server, request, time, &expected)?;
            side.turn(rate, Some(used));
        }
    }
    server.process.check()?;
    bare.process.check()?;
    let what = format!("room pages of {PAGE} messages, {encoding}, {CONNECTIONS} at once");
    report.line(Line {
        what,
        unit: Unit::PerSecond,
        ours: pages,
        baseline: pages_bare,
        mark: Some(Mark::RatioAtLeast(0.6)),
    });
    let what = format!("the same unchanged (304), {encoding}, {CONNECTIONS} at once");
    report.line(Line {
        what,
        unit: Unit::PerSecond,
        ours: same,
        baseline: same_bare,
        mark: Some(Mark::RatioAtLeast(0.8)),
    });
    report.note(format!(
        "pages: {plain} bytes, {} as {encoding}",
        body.len()
    ));
    Ok(())
}

/// How many a second, over this time.
fn turn(
    server: &Server,
    request: &[u8],
    time: Duration,
    expected: &Expected,
) -> Result<(f64, Used)> {
    let meter = Meter::start(&server.process)?;
    let drive = drive(server.address, CONNECTIONS, |_, mut http| async move {
        let until = Instant::now() + time;
        let (mut count, mut known) = (0, Vec::new());
        while Instant::now() < until {
            let answer = http.send(request).await?;
            match expected {
                Expected::Unchanged => ensure!(
                    answer.status == 304 && answer.body.is_empty(),
                    "{} instead of 304",
                    answer.status
                ),
                Expected::Bytes(bytes) => ensure!(
                    answer.status == 200 && answer.body == bytes,
                    "another body than was to be served"
                ),
                Expected::Page(..) if answer.status != 200 => {
                    bail!("a page was answered {}", answer.status)
                }
                Expected::Page(_, bodies, _)
                    if bodies.iter().chain(&known).any(|body| body == answer.body) => {}
                Expected::Page(encoding, _, ids) => {
                    check_page(encoding, answer.body, ids)?;
                    known.push(answer.body.to_vec());
                }
            }
            count += 1;
        }
        Ok(count)
    })?;
    let count: u64 = drive.done.iter().sum();
    Ok((
        count as f64 / (drive.to - drive.from).as_secs_f64(),
        meter.stop(count)?,
    ))
}

/// Fails unless a compressed page holds these messages in order and is whole. How long it is.
fn check_page(encoding: &str, body: &[u8], ids: &[u64]) -> Result<usize> {
    let page = unpack(encoding, body)?;
    ensure!(
        messages_in(&page)? == ids,
        "the page does not hold its messages in order"
    );
    ensure!(
        page.trim_end().ends_with("</html>"),
        "the page ends before its end"
    );
    Ok(page.len())
}

/// A compressed body as text.
pub fn unpack(encoding: &str, body: &[u8]) -> Result<String> {
    let mut text = String::new();
    let read = match encoding {
        "br" => brotli::Decompressor::new(body, 4096).read_to_string(&mut text),
        "gzip" => flate2::read::GzDecoder::new(body).read_to_string(&mut text),
        other => bail!("nobody asked for {other}"),
    };
    read.context("the compressed body is damaged")?;
    Ok(text)
}

/// The messages of a page or a piece of one, in order.
pub fn messages_in(html: &str) -> Result<Vec<u64>> {
    html.split(" id=\"m-")
        .skip(1)
        .map(|rest| Ok(rest.split('"').next().unwrap_or_default().parse()?))
        .collect()
}
