//! Posts on PostgreSQL, and what a second instance costs and takes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures_util::StreamExt;
use sqlx::{Connection, PgConnection};

use crate::ground::Ground;
use crate::http::Http;
use crate::load::Posts;
use crate::options::Options;
use crate::process::{Folder, Meter};
use crate::report::{Line, Report, Side, Unit};
use crate::rows::posts::TEXT;
use crate::server::{Server, Site};
use crate::socket_pool::SocketPool;
use crate::stats::percentile;

const CONNECTIONS: usize = 64;
const AUTHORS: usize = 16;
const QUIET: Duration = Duration::from_millis(4); // between two posts

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let (ground, folder) = (Ground::start().await?, Folder::new()?);
    let database = ground.create_database("shared").await?;
    let bare = ground.create_database("bare").await?;
    let alone = ground.create_database("alone").await?;
    let single = start(&folder, "alone", &[("TIDEPOOL_DATABASE", &alone)]).await?;
    let site = Site::set_up(&single, AUTHORS).await?;
    let count = options.by(300, 5_000) as u64;
    let on_postgres = rate(&single, &site, count, options.rounds())?;
    drop(single);
    let inserted = insert(&bare, count, options.rounds()).await?;
    report.line(Line {
        what: format!("acknowledged posts on PostgreSQL, {CONNECTIONS} at once"),
        unit: Unit::PerSecond,
        ours: on_postgres,
        baseline: inserted,
        mark: None,
    });
    let joined = [
        ("TIDEPOOL_DATABASE", &*database),
        ("TIDEPOOL_NATS", &*ground.nats),
    ];
    let first = start(&folder, "first", &joined).await?;
    let site = Site::set_up(&first, AUTHORS).await?;
    let before = rate(&first, &site, count, options.rounds())?;
    let second = start(&folder, "second", &joined).await?;
    let path = format!("/live/data?feed=room/{}", site.room);
    let follower = SocketPool::connect(second.address, &path, &site.cookies()[1..2], 1).await?;
    let with_second = rate(&first, &site, count, options.rounds())?;
    drop(follower);
    report.line(Line {
        what: "the same with a second instance that follows, beside one alone with NATS".to_owned(),
        unit: Unit::PerSecond,
        ours: with_second,
        baseline: before,
        mark: None,
    });
    let mut hops = hops(&first, &second, &site, &path, options.by(40, 500)).await?;
    let mut bare = bare_hops(&ground.nats, options.by(40, 500)).await?;
    for percent in [50.0, 99.0] {
        let (mut ours, mut baseline) = (Side::default(), Side::default());
        ours.turn(percentile(&mut hops, percent), None);
        baseline.turn(percentile(&mut bare, percent), None);
        report.line(Line {
            what: format!("post → seen on a socket of another instance, p{percent}"),
            unit: Unit::Millis,
            ours,
            baseline,
            mark: None,
        });
    }
    report.note(
        "instances: the baselines are a loop of inserts, 64 a commit, on the same PostgreSQL; the \
         first instance alone; and a message over NATS from one connection to another"
            .to_owned(),
    );
    Ok(())
}

async fn start(folder: &Folder, name: &str, settings: &[(&str, &str)]) -> Result<Server> {
    Server::tidepool_with(folder, name, settings).await
}

fn rate(server: &Server, site: &Site, count: u64, rounds: usize) -> Result<Side> {
    let (posts, mut side) = (Posts::to(server, site, TEXT), Side::default());
    posts.many(CONNECTIONS, count / 10, |_| true)?;
    for _ in 0..rounds {
        let meter = Meter::start(&server.process)?;
        let burst = posts.many(CONNECTIONS, count, |_| true)?;
        let rate = count as f64 / (burst.to - burst.from).as_secs_f64();
        side.turn(rate, Some(meter.stop(count)?));
    }
    Ok(side)
}

/// Bare inserts over one connection, as many a commit as posts wait at once.
async fn insert(database: &str, count: u64, rounds: usize) -> Result<Side> {
    let mut connection = PgConnection::connect(database).await?;
    const TABLE: &str = "CREATE TABLE messages (id BIGINT NOT NULL PRIMARY KEY, \
        room_id BIGINT NOT NULL, author_id BIGINT NOT NULL, client_key TEXT NOT NULL, \
        body TEXT NOT NULL, created_at BIGINT NOT NULL, UNIQUE (author_id, client_key))";
    sqlx::query(TABLE).execute(&mut connection).await?;
    const INSERT: &str = "INSERT INTO messages (id, room_id, author_id, client_key, body, \
        created_at) VALUES ($1, 1, $2, $3, $4, $1)";
    let (mut side, mut id) = (Side::default(), 0_i64);
    for _ in 0..rounds {
        let started = Instant::now();
        for _ in 0..count.div_ceil(CONNECTIONS as u64) {
            let mut transaction = connection.begin().await?;
            for _ in 0..CONNECTIONS {
                id += 1;
                sqlx::query(INSERT)
                    .bind(id)
                    .bind(id % AUTHORS as i64)
                    .bind(format!("bench-{id:08}"))
                    .bind(format!("{id:08}{TEXT}"))
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
        }
        side.turn(count as f64 / started.elapsed().as_secs_f64(), None);
    }
    Ok(side)
}

/// Milliseconds from a post at one instance to its frame on a socket of the other.
async fn hops(
    first: &Server,
    second: &Server,
    site: &Site,
    path: &str,
    count: usize,
) -> Result<Vec<f64>> {
    let posts = Posts::to(first, site, TEXT);
    let pool = SocketPool::connect(second.address, path, &site.cookies()[1..2], 1).await?;
    let mut http = Http::connect(first.address).await?;
    let mut times = Vec::new();
    for number in 1..=count as u64 {
        pool.await_frames(number);
        let (_, _, sent, _) = posts.one(&mut http).await?;
        times.push((pool.reached().await? - sent).as_secs_f64() * 1e3);
        tokio::time::sleep(QUIET).await;
    }
    Ok(times)
}

/// Milliseconds of a message over NATS.
async fn bare_hops(nats: &str, count: usize) -> Result<Vec<f64>> {
    let (from, to) = (
        async_nats::connect(nats).await?,
        async_nats::connect(nats).await?,
    );
    let mut messages = to.subscribe("bench").await?;
    to.flush().await?;
    let mut times = Vec::new();
    for _ in 0..count {
        let sent = Instant::now();
        from.publish("bench", TEXT.into()).await?;
        messages.next().await.context("NATS has ended")?;
        times.push(sent.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(QUIET).await;
    }
    Ok(times)
}
