//! The first visit of a room: the bytes of everything a browser loads for it, compressed.

use std::collections::BTreeSet;
use std::str::from_utf8;

use anyhow::{Context, Result, ensure};

use super::pages::unpack;
use crate::http::{Http, request};
use crate::load::Posts;
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};

const ENCODING: &str = "br";
const ASSETS: &str = "/assets/";

/// Measures. Bytes are the same in every turn.
pub async fn measure(_: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let mut server = Server::tidepool(&folder).await?;
    let site = Site::set_up(&server, 1).await?;
    Posts::to(&server, &site, super::posts::TEXT).many(1, 60, |_| true)?;
    let mut http = Http::connect(server.address).await?;
    let mut load = async |path: &str| -> Result<(usize, String)> {
        let headers = [
            ("cookie", site.people[0].cookie.as_str()),
            ("accept", "*/*"),
            ("accept-encoding", ENCODING),
        ];
        let answer = http.send(&request("GET", path, &headers, "")).await?;
        ensure!(
            answer.status == 200,
            "{path} was answered {}",
            answer.status
        );
        let text = match answer.header("content-encoding") {
            Some(encoding) => unpack(encoding, answer.body)?,
            None => from_utf8(answer.body)
                .context("a picture was not expected")?
                .to_owned(),
        };
        Ok((answer.body.len(), text))
    };

    let (page, html) = load(&format!("/rooms/{}", site.room)).await?;
    // A link to another page is no asset, and a link to a symbol of a picture is the picture.
    let mut wanted: Vec<String> = ["href=\"", "src=\""]
        .iter()
        .flat_map(|before| quoted(&html, before, '"'))
        .map(file_of)
        .collect();
    wanted.retain(|path| {
        path.starts_with(ASSETS)
            || path
                .split('?')
                .next()
                .is_some_and(|path| path.ends_with(".css"))
    });
    let (mut assets, mut known) = (0, BTreeSet::new());
    while let Some(path) = wanted.pop() {
        if !known.insert(path.clone()) {
            continue;
        }
        let (bytes, text) = load(&path).await?;
        assets += bytes;
        match path.rsplit('.').next() {
            Some("js") => wanted.extend(
                ["from '", "import '"]
                    .iter()
                    .flat_map(|before| quoted(&text, before, '\''))
                    .map(|to| beside(&path, to)),
            ),
            Some("css") => wanted.extend(
                quoted(&text, "url(", ')').map(|to| beside(&path, to.trim_matches(['"', '\'']))),
            ),
            _ => {}
        }
    }
    server.process.check()?;
    ensure!(
        known.iter().any(|path| path.ends_with("/chat/log.js")),
        "what a script imports was not found"
    );
    for (what, bytes, mark) in [
        (
            "first visit of a room, assets",
            assets,
            Some(Mark::AtMost(60_000.0)),
        ),
        (
            "first visit of a room, assets and page",
            assets + page,
            Some(Mark::AtMost(64_000.0)),
        ),
    ] {
        let (what, ours) = (format!("{what}, {ENCODING}"), Side::of([bytes as f64]));
        report.line(Line {
            what,
            unit: Unit::Bytes,
            ours,
            baseline: Side::default(),
            mark,
        });
    }
    report.note(format!(
        "first visit: {} files beside the page",
        known.len()
    ));
    Ok(())
}

/// What stands between these in a text, as often as it does.
fn quoted<'a>(text: &'a str, before: &str, after: char) -> impl Iterator<Item = &'a str> {
    text.split(before)
        .skip(1)
        .filter_map(move |rest| Some(rest.split_once(after)?.0))
}

/// An address without the symbol it names in the file.
fn file_of(address: &str) -> String {
    address.split('#').next().unwrap_or_default().to_owned()
}

/// Where an address leads that is written in the file at `path`.
fn beside(path: &str, address: &str) -> String {
    let mut folder: Vec<_> = path.split('/').collect();
    folder.pop();
    for step in address.split('/') {
        match step {
            "." => {}
            ".." => drop(folder.pop()),
            step => folder.push(step),
        }
    }
    folder.join("/")
}
