//! Search in a large community, as `tidepool seed` makes it, beside a bare query of the same index:
//! for words that are common and rare, in several scripts, and for a member who may read little.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use crate::http::{Http, action, request};
use crate::options::Options;
use crate::people::database;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::Server;
use crate::stats::percentile;

/// For the index to take in what was seeded.
const PATIENCE: Duration = Duration::from_secs(3_600);
/// Results of a page, and rows that the bare query asks for.
const PAGE: i64 = 50;
/// A word that only three messages have.
const RARE: &str = "zanzibar";
/// What is looked for: in words, what is typed, and the same for the bare query.
const QUESTIONS: [(&str, &str, &str); 6] = [
    ("a word of every other English message", "the ", "\"the\""),
    ("a common word", "ferry ", "\"ferry\""),
    ("a rare word", "zanzibar ", "\"zanzibar\""),
    ("a phrase", "\"the first ferry\" ", "\"the first ferry\""),
    ("a Chinese word of two characters", "灯塔 ", "\"灯塔\""),
    ("a word that is being typed", "fer", "\"fer\"*"),
];

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let (folder, messages) = (Folder::new()?, options.by(20_000, 1_000_000));
    let started = Instant::now();
    let password = seed(&folder, messages)?;
    let seeded = started.elapsed();
    let mut server = Server::tidepool(&folder).await?;
    let mut http = Http::connect(server.address).await?;
    let owner = sign_in(&mut http, &password).await?;
    let rooms = readable_room(&mut http, &owner).await?;
    for number in 0..3 {
        let fields = json!({ "room": rooms, "body": format!("We sail to {RARE}, {number}"),
            "key": format!("bench-rare-{number}") });
        post(&mut http, &owner, fields).await?;
    }
    let newcomer = newcomer(&mut http, &owner).await?;
    let mut index = database(&folder).await?;
    let started = Instant::now();
    wait_for_index(&mut index).await?;
    let indexed = started.elapsed();
    // The server has closed the one that nothing came on for minutes.
    let mut http = Http::connect(server.address).await?;
    for (what, typed, bare) in QUESTIONS {
        ask_both(
            options,
            report,
            &mut http,
            &mut index,
            (what, &owner, typed, bare),
        )
        .await?;
    }
    let little = (
        "a common word, for a member who may read three messages",
        "ferry ",
    );
    let bare = QUESTIONS[1].2;
    ask_both(
        options,
        report,
        &mut http,
        &mut index,
        (little.0, &newcomer, little.1, bare),
    )
    .await?;
    server.process.check()?;
    report.note(format!(
        "search: {messages} messages were seeded in {seeded:.1?}, and after the start the index \
         took {indexed:.1?} to take them in; the baseline asks the same FTS5 table for the newest \
         {PAGE} and reads no message, no room and no right"
    ));
    Ok(())
}

/// One question to the server and to the index alone, in turns: p50 beside the bare query's, and p99
/// against its mark.
async fn ask_both(
    options: &Options,
    report: &mut Report,
    http: &mut Http,
    index: &mut SqliteConnection,
    (what, cookie, typed, bare): (&str, &str, &str, &str),
) -> Result<()> {
    let mut sides = [Side::default(), Side::default()];
    let mut late = Side::default();
    let asked = action("search.find", cookie, &json!({ "q": typed }));
    for _ in 0..options.rounds() {
        let count = options.by(20, 200);
        let mut times = [Vec::new(), Vec::new()];
        for number in 0..count + count / 5 {
            let ours = ask(http, &asked, what).await?;
            let baseline = ask_bare(index, bare).await?;
            // What comes first warms both.
            if number >= count / 5 {
                times[0].push(ours);
                times[1].push(baseline);
            }
        }
        late.turn(percentile(&mut times[0], 99.0), None);
        for (side, times) in sides.iter_mut().zip(&mut times) {
            side.turn(percentile(times, 50.0), None);
        }
    }
    let [ours, baseline] = sides;
    report.line(Line {
        what: format!("search for {what}, p50"),
        unit: Unit::Millis,
        ours,
        baseline,
        mark: None,
    });
    report.line(Line {
        what: format!("search for {what}, p99"),
        unit: Unit::Millis,
        ours: late,
        baseline: Side::default(),
        mark: Some(Mark::AtMost(20.0)),
    });
    Ok(())
}

async fn ask(http: &mut Http, asked: &[u8], what: &str) -> Result<f64> {
    let started = Instant::now();
    let answer = http.send(asked).await?;
    let took = started.elapsed();
    let found = answer.done().with_context(|| what.to_owned())?;
    let found = found["found"].as_array().context("no list")?;
    ensure!(!found.is_empty(), "nothing was found for {what}");
    Ok(took.as_secs_f64() * 1e3)
}

async fn ask_bare(index: &mut SqliteConnection, expression: &str) -> Result<f64> {
    const FIND: &str = "SELECT rowid FROM search_index WHERE search_index MATCH $1 \
        ORDER BY rowid DESC LIMIT $2";
    let started = Instant::now();
    let found: Vec<i64> = sqlx::query_scalar(FIND)
        .bind(expression)
        .bind(PAGE)
        .fetch_all(index)
        .await?;
    let took = started.elapsed();
    ensure!(!found.is_empty(), "the index has no {expression}");
    Ok(took.as_secs_f64() * 1e3)
}

/// Fills the folder, and returns everybody's password.
fn seed(folder: &Folder, messages: usize) -> Result<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidepool"));
    let done = command
        .args(["seed", "--people", "500", "--messages"])
        .arg(messages.to_string())
        .arg("--data")
        .arg(folder.path().join("data"))
        .output()?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let error = String::from_utf8_lossy(&done.stderr).into_owned();
    ensure!(done.status.success(), "seed: {error}");
    let (_, password) = said.split_once("the password ").context("no password")?;
    let (password, _) = password.split_once(',').context("no password")?;
    Ok(password.to_owned())
}

async fn wait_for_index(index: &mut SqliteConnection) -> Result<()> {
    const WAITING: &str = "SELECT (SELECT COUNT(*) FROM search_queue) \
        + (SELECT COUNT(*) FROM search_progress WHERE next_before <> 0) \
        + (SELECT COUNT(*) = 0 FROM search_progress)";
    let started = Instant::now();
    loop {
        let waiting: i64 = sqlx::query_scalar(WAITING).fetch_one(&mut *index).await?;
        if waiting == 0 {
            return Ok(());
        }
        ensure!(started.elapsed() < PATIENCE, "the index is not complete");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn sign_in(http: &mut Http, password: &str) -> Result<String> {
    let body = format!("login=ann%40example.org&password={password}");
    form(http, "/sign-in", &body).await
}

/// Sends a form of somebody without a session, and returns their cookies after it.
async fn form(http: &mut Http, path: &str, body: &str) -> Result<String> {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let answer = http.send(&request("POST", path, &headers, body)).await?;
    answer.done().with_context(|| path.to_owned())?;
    let cookies = answer.headers("set-cookie");
    let cookies = cookies.filter_map(|cookie| cookie.split(';').next());
    Ok(cookies.collect::<Vec<_>>().join("; "))
}

/// The room that the first page leads to.
async fn readable_room(http: &mut Http, cookie: &str) -> Result<String> {
    let headers = [("cookie", cookie), ("accept", "text/html")];
    let home = http.send(&request("GET", "/", &headers, "")).await?;
    let room = home.header("location");
    let room = room.and_then(|to| to.strip_prefix("/rooms/"));
    Ok(room.context("no room to go to")?.to_owned())
}

async fn post(http: &mut Http, cookie: &str, fields: Value) -> Result<()> {
    let answer = http.send(&action("chat.post", cookie, &fields)).await?;
    answer.done().context("chat.post").map(drop)
}

/// Somebody in a space of its own, in which there are three messages.
async fn newcomer(http: &mut Http, owner: &str) -> Result<String> {
    let fields = json!({ "name": "Attic" });
    let made = http
        .send(&action("community.create-space", owner, &fields))
        .await?;
    let space = made.done().context("community.create-space")?["space"].clone();
    let fields = json!({ "space": space });
    let invited = http
        .send(&action("community.invite", owner, &fields))
        .await?;
    let link = invited.done().context("community.invite")?["link"].clone();
    let body = "name=Newcomer&email=newcomer%40example.org&password=correct+horse+battery";
    let cookie = form(http, link.as_str().context("no link")?, body).await?;
    let room = readable_room(http, &cookie).await?;
    for number in 0..3 {
        let fields = json!({ "room": room, "body": format!("The ferry is late, {number}"),
            "key": format!("bench-little-{number}") });
        post(http, &cookie, fields).await?;
    }
    Ok(cookie)
}
