//! A room's page for people who are in few and in many rooms: all of them stand in the list beside
//! it.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::pages::{messages_in, unpack};
use crate::http::{Http, request};
use crate::load::Posts;
use crate::options::Options;
use crate::people::{account, database};
use crate::process::Folder;
use crate::report::{Line, Report, Side, Unit};
use crate::server::{Server, Site};
use crate::stats::percentile;

const FIRST: i64 = 5_000; // of the rooms' ids
const POSTER: usize = 1; // place among the people: in the first room alone, as is the next
const FEW: usize = 2;

/// Measures.
pub async fn measure(options: &Options, report: &mut Report) -> Result<()> {
    let counts: [i64; 4] = [1, 30, 300, 1_000];
    let folder = Folder::new()?;
    let server = Server::tidepool(&folder).await?;
    let mut site = Site::set_up(&server, 1).await?;
    drop(server);
    site.populate(&folder, FEW + counts.len()).await?;
    seed(&folder, &site, &counts).await?;
    let mut server = Server::tidepool(&folder).await?;
    let mut http = Http::connect(server.address).await?;
    let posts = Posts {
        room: FIRST.to_string(),
        cookies: vec![site.people[POSTER].cookie.clone()],
        ..Posts::to(&server, &site, " and so on")
    };
    let mut newest = posts.one(&mut http).await?.0;
    let page = |place: usize| {
        let headers = [
            ("cookie", site.people[FEW + place].cookie.as_str()),
            ("accept", "text/html"),
            ("accept-encoding", "br"),
        ];
        request("GET", &format!("/rooms/{FIRST}"), &headers, "")
    };
    let pages: Vec<_> = (0..counts.len()).map(page).collect();
    let mut sizes = vec![0; counts.len()];
    for changed in [false, true] {
        let mut sides = vec![Side::default(); counts.len()];
        for _ in 0..options.rounds() {
            let count = options.by(10, 100);
            let mut times = vec![Vec::new(); counts.len()];
            for number in 0..count + count / 5 {
                if changed {
                    newest = posts.one(&mut http).await?.0;
                }
                for place in 0..counts.len() {
                    let started = Instant::now();
                    let answer = http.send(&pages[place]).await?;
                    let took = started.elapsed().as_secs_f64() * 1e3;
                    ensure!(
                        answer.status == 200,
                        "a page was answered {}",
                        answer.status
                    );
                    sizes[place] = answer.body.len();
                    ensure!(
                        messages_in(&unpack("br", answer.body)?)?.last() == Some(&newest),
                        "the page lacks the newest message"
                    );
                    if number >= count / 5 {
                        times[place].push(took);
                    }
                }
            }
            for (side, mut times) in sides.iter_mut().zip(times) {
                side.turn(percentile(&mut times, 50.0), None);
            }
        }
        for place in 1..counts.len() {
            let when = if changed {
                "after each post"
            } else {
                "unchanged"
            };
            let what = format!(
                "room page for a member of {} rooms against {}, {when}, p50",
                counts[place], counts[0]
            );
            let (ours, baseline) = (sides[place].clone(), sides[0].clone());
            report.line(Line {
                what,
                unit: Unit::Millis,
                ours,
                baseline,
                mark: None,
            });
        }
    }
    server.process.check()?;
    report.note(format!(
        "rooms: both sides are tidepool; the pages of members of {counts:?} rooms \
        have {sizes:?} bytes as br"
    ));
    Ok(())
}

/// Writes private rooms into the database of a stopped server, each with a message, and who is in
/// how many of them.
async fn seed(folder: &Folder, site: &Site, counts: &[i64]) -> Result<()> {
    let mut database = database(folder).await?;
    let most = counts.iter().copied().max().unwrap_or_default();
    let author = account(POSTER);
    sqlx::query(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1) \
         INSERT INTO rooms (id, space_id, name, private, created_at) SELECT $2 + i, $3, \
            printf('Room %04d', i), 1, 1 FROM n",
    )
    .bind(most)
    .bind(FIRST)
    .bind(site.space.parse::<i64>()?)
    .execute(&mut database)
    .await?;
    sqlx::query(
        "INSERT INTO messages (id, room_id, author_id, client_key, body, revision, continues, \
            created_at) \
         SELECT ((id - $1) << 20) + 1, id, $2, 'seed-' || id, 'The first message.', 1, 0, 1 FROM \
            rooms WHERE id >= $1 AND id < $1 + $3",
    )
    .bind(FIRST)
    .bind(author)
    .bind(most)
    .execute(&mut database)
    .await?;
    let people = counts
        .iter()
        .enumerate()
        .map(|(place, count)| (account(FEW + place), *count))
        .chain([(author, 1)]);
    for (person, count) in people {
        sqlx::query(
            "INSERT INTO room_members (room_id, account_id, joined_at) SELECT id, $1, 1 FROM rooms \
                WHERE id >= $2 AND id < $2 + $3",
        )
        .bind(person)
        .bind(FIRST)
        .bind(count)
        .execute(&mut database)
        .await?;
    }
    sqlx::Connection::close(database).await?;
    Ok(())
}
