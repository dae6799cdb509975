//! The same pages in a small and in a large room: time must not grow with history.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use sqlx::{Connection, SqliteConnection};

use super::pages::{messages_in, unpack};
use crate::http::{Http, request};
use crate::options::Options;
use crate::process::Folder;
use crate::report::{Line, Mark, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::stats::percentile;

const EPOCH: i64 = 1_704_067_200_000; // of ids, in milliseconds
const PAGE: i64 = 50;
const PLACES: i64 = 10; // in a room's history that are read

/// A room whose messages stand a second apart, ending a minute ago.
struct Room {
    id: String,
    messages: i64,
    first: i64,
    /// Keeps the ids of two rooms apart.
    place: i64,
}

impl Room {
    fn message(&self, number: i64) -> i64 {
        ((self.first + number * 1_000) << 20) + self.place
    }

    fn before(&self, number: i64) -> Vec<u64> {
        (number - PAGE..number)
            .map(|number| self.message(number) as u64)
            .collect()
    }
}

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let folder = Folder::new()?;
    let server = Server::tidepool(&folder).await?;
    let site = Site::set_up(&server, 2).await?;
    let mut http = Http::connect(server.address).await?;
    let most = if options.deep {
        1_000_000
    } else {
        options.by(10_000, 100_000) as i64
    };
    let sizes: Vec<i64> = [1_000, 10_000, 100_000, 1_000_000]
        .into_iter()
        .filter(|size| *size <= most)
        .collect();
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)?
            .as_millis(),
    )? - EPOCH;
    let mut rooms = Vec::new();
    for (messages, place) in sizes.iter().copied().zip(1..) {
        let id = site
            .create_room(&mut http, &format!("room of {messages}"))
            .await?;
        rooms.push(Room {
            id,
            messages,
            first: now - 60_000 - messages * 1_000,
            place,
        });
    }
    drop(server);
    let started = Instant::now();
    seed(&folder, &rooms).await?;
    let seeded = started.elapsed();
    let mut server = Server::tidepool(&folder).await?;
    let mut http = Http::connect(server.address).await?;
    let (small, larger) = rooms.split_first().context("no rooms")?;
    let [owner, author] = [&site.people[0].cookie, &site.people[1].cookie];

    let newest = |room: &Room, cookie| {
        vec![(
            page(&format!("/rooms/{}", room.id), cookie),
            room.before(room.messages),
        )]
    };
    let older = |room: &Room| {
        let places = (1..=PLACES)
            .map(|place| room.messages * place / (PLACES + 1))
            .filter(|number| *number >= PAGE);
        let path = |number| format!("/rooms/{}/log?before={}", room.id, room.message(number));
        places
            .map(|number| (page(&path(number), owner), room.before(number)))
            .collect::<Vec<_>>()
    };
    let mut pairs = Vec::new();
    for large in larger {
        let sizes = format!("{} messages against {}", large.messages, small.messages);
        pairs.push((
            format!("newest page: {sizes}"),
            newest(large, owner),
            newest(small, owner),
        ));
        pairs.push((format!("older page: {sizes}"), older(large), older(small)));
    }
    // The list of rooms marks what is new: its author has posted all of it and opened only the
    // small room.
    pairs.push((
        format!("page beside {most} messages one wrote oneself"),
        newest(small, author),
        newest(small, owner),
    ));
    for (what, of_large, of_small) in pairs {
        let (mut ours, mut baseline) = (Side::default(), Side::default());
        for _ in 0..options.rounds() {
            let count = options.by(10, 200);
            let mut times = [Vec::new(), Vec::new()];
            for number in 0..count + count / 5 {
                for (pages, times) in [&of_large, &of_small].into_iter().zip(&mut times) {
                    let (request, ids) = &pages[number % pages.len()];
                    let took = visit(&mut http, request, ids).await?;
                    if number >= count / 5 {
                        times.push(took);
                    }
                }
            }
            let [mut large, mut small] = times;
            ours.turn(percentile(&mut large, 50.0), None);
            baseline.turn(percentile(&mut small, 50.0), None);
        }
        report.line(Line {
            what,
            unit: Unit::Millis,
            ours,
            baseline,
            mark: Some(Mark::RatioAtMost(2.0)),
        });
    }
    server.process.check()?;
    report.note(format!(
        "growth: both sides are tidepool; {} messages were written in {seeded:.1?} before \
         the start",
        sizes.iter().sum::<i64>()
    ));
    Ok(())
}

fn page(path: &str, cookie: &str) -> Vec<u8> {
    request(
        "GET",
        path,
        &[
            ("cookie", cookie),
            ("accept", "text/html"),
            ("accept-encoding", "gzip"),
        ],
        "",
    )
}

/// Opens a page that must hold these messages. How many milliseconds it took.
async fn visit(http: &mut Http, request: &[u8], ids: &[u64]) -> Result<f64> {
    let started = Instant::now();
    let answer = http.send(request).await?;
    let took = started.elapsed();
    ensure!(
        answer.status == 200,
        "a page was answered {}",
        answer.status
    );
    ensure!(
        messages_in(&unpack("gzip", answer.body)?)? == ids,
        "the page does not hold its messages in order"
    );
    Ok(took.as_secs_f64() * 1e3)
}

/// Writes the rooms' messages into the database of a stopped server, all by the member, as if
/// posted long ago.
async fn seed(folder: &Folder, rooms: &[Room]) -> Result<()> {
    let file = folder.path().join("data/tidepool.sqlite");
    let mut database = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .context("the database")?;
    const SEED: &str = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 \
        < $1) \
        INSERT INTO messages (id, room_id, author_id, client_key, body, revision, continues, \
        created_at) \
        SELECT (($2 + i * 1000) << 20) + $3, $4, (SELECT account_id FROM members WHERE role = \
        'member'), 'seed-' || $3 || '-' || i, \
        'Message ' || i || ': the lemons are *still* in the kitchen, and the frost is not gone.', \
        1, 0, ($2 + i * 1000 + $5) * 1000 FROM n";
    for room in rooms {
        let seed = sqlx::query(SEED)
            .bind(room.messages)
            .bind(room.first)
            .bind(room.place)
            .bind(room.id.parse::<i64>()?)
            .bind(EPOCH);
        let written = seed.execute(&mut database).await?.rows_affected();
        ensure!(
            written == room.messages.unsigned_abs(),
            "{written} messages were written"
        );
    }
    sqlx::query("UPDATE members SET joined_at = 0")
        .execute(&mut database)
        .await?;
    database.close().await?;
    Ok(())
}
