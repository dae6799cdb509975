//! The real server, and the baseline's child process in its place; people in the real one.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::http::{Http, action, request};
use crate::load::Posted;
use crate::process::{Folder, Process};

const SETTINGS: [(&str, &str); 10] = [
    ("TIDEPOOL_MAX_FILES_MIB_PER_ACCOUNT", "1000000"),
    ("TIDEPOOL_PROFILE", "production"),
    ("TIDEPOOL_WRITES_PER_10_SECONDS", "100000000"),
    // Counted, but never reached.
    ("TIDEPOOL_MAX_MESSAGES_PER_DAY", "1000000000"),
    ("TIDEPOOL_MAX_MESSAGE_KIB_PER_DAY", "1000000000"),
    ("TIDEPOOL_REQUESTS_PER_MINUTE", "1000000000"),
    ("TIDEPOOL_MAX_CONNECTIONS", "100000"),
    ("TIDEPOOL_MAX_SOCKETS", "100000"),
    ("TIDEPOOL_MAX_SOCKETS_PER_ACCOUNT", "100000"),
    // Each member joins from an address of their own.
    ("TIDEPOOL_BEHIND_PROXY", "true"),
];

/// A running server.
pub struct Server {
    /// Its process.
    pub process: Process,
    /// Where it answers.
    pub address: SocketAddr,
    /// Where a baseline's bare loop takes sockets; the same as `address` for the real server.
    pub sockets: SocketAddr,
    /// From its start to its first answer.
    pub started_in: Duration,
}

impl Server {
    /// Starts the real server on this folder.
    pub async fn tidepool(folder: &Folder) -> Result<Self> {
        Self::tidepool_at(folder, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// The same where it is to listen.
    pub async fn tidepool_at(folder: &Folder, address: SocketAddr) -> Result<Self> {
        Self::real(
            Command::new(env!("CARGO_BIN_EXE_tidepool")),
            folder,
            address,
        )
        .await
    }

    /// Starts the real server with these settings and a data folder of this name.
    pub async fn tidepool_with(
        folder: &Folder,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidepool"));
        remove_settings(&mut command);
        command
            .envs(SETTINGS)
            .envs(settings.iter().copied())
            .env("TIDEPOOL_ADDRESS", "127.0.0.1:0")
            .env("TIDEPOOL_DATA", folder.path().join(name));
        Self::start("server", &mut command, folder).await
    }

    /// Starts the real server with a module whose frames nothing stores.
    pub async fn with_synthetic_feed(folder: &Folder) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--baseline", "synthetic-feed"]);
        Self::real(command, folder, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    async fn real(mut command: Command, folder: &Folder, address: SocketAddr) -> Result<Self> {
        remove_settings(&mut command);
        command
            .envs(SETTINGS)
            .env("TIDEPOOL_ADDRESS", address.to_string())
            .env("TIDEPOOL_DATA", folder.path().join("data"));
        Self::start("server", &mut command, folder).await
    }

    /// Starts the baseline, which tells and serves the contents of `file`.
    pub async fn baseline(folder: &Folder, file: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--baseline", "serve", "--file"]).arg(file);
        Self::start("baseline", &mut command, folder).await
    }

    async fn start(what: &'static str, command: &mut Command, folder: &Folder) -> Result<Self> {
        let started = Instant::now();
        let (process, line) = Process::start(what, command, folder)?;
        let mut addresses = line
            .split(' ')
            .filter_map(|word| word.trim_start_matches("http://").parse().ok());
        let address = addresses
            .next()
            .with_context(|| format!("no address in {line:?}"))?;
        let answered = Http::connect(address)
            .await?
            .send(&request("GET", "/health/live", &[], ""))
            .await?
            .status;
        ensure!(answered == 200, "the {what} answers {answered}");
        Ok(Self {
            process,
            address,
            sockets: addresses.next().unwrap_or(address),
            started_in: started.elapsed(),
        })
    }
}

/// The server is untouched by the settings of whoever runs the bench.
fn remove_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIDEPOOL_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
}

/// Someone's account.
#[derive(Clone, Debug)]
pub struct Person {
    /// What their requests carry.
    pub cookie: String,
}

/// A server's people and their first room.
pub struct Site {
    /// The first is the owner.
    pub people: Vec<Person>,
    /// The space.
    pub space: String,
    /// `#general`.
    pub room: String,
}

impl Site {
    /// Sets a fresh server up for this many people.
    pub async fn set_up(server: &Server, people: usize) -> Result<Self> {
        let mut http = Http::connect(server.address).await?;
        // Behind a proxy the set-up takes the link that the server prints.
        let line = server.process.next_line()?;
        let (_, token) = line.split_once("token=").context("no set-up link")?;
        let also = format!("community=Glasshouse&token={token}&");
        let (owner, made) = enter(&mut http, "/setup", "Owner", 1, &also).await?;
        let space = made["space"].as_str().context("no space")?.to_owned();
        let home = http
            .send(&request(
                "GET",
                "/",
                &[("cookie", &owner.cookie), ("accept", "text/html")],
                "",
            ))
            .await?;
        let room = home
            .header("location")
            .and_then(|to| to.strip_prefix("/rooms/"))
            .context("no room to go to")?
            .to_owned();
        let mut site = Self {
            people: vec![owner],
            space,
            room,
        };
        // Members of a bench write more than a flood.
        let floods = json!({ "space": site.space, "rule": "1", "on": "no" });
        site.act(&mut http, 0, "moderation.switch-rule", floods)
            .await?;
        let invite = site
            .act(
                &mut http,
                0,
                "community.invite",
                json!({ "space": site.space }),
            )
            .await?;
        let link = invite["link"].as_str().context("no link")?;
        for number in 2..=people {
            let (member, _) =
                enter(&mut http, link, &format!("Member {number}"), number, "").await?;
            site.people.push(member);
        }
        Ok(site)
    }

    /// Everybody's cookies.
    pub fn cookies(&self) -> Vec<String> {
        self.people
            .iter()
            .map(|person| person.cookie.clone())
            .collect()
    }

    /// Does an action as one of the people.
    pub async fn act(
        &self,
        http: &mut Http,
        person: usize,
        name: &str,
        fields: Value,
    ) -> Result<Value> {
        http.send(&action(name, &self.people[person].cookie, &fields))
            .await?
            .done()
            .with_context(|| name.to_owned())
    }

    /// A new public room.
    pub async fn create_room(&self, http: &mut Http, name: &str) -> Result<String> {
        let made = self
            .act(
                http,
                0,
                "community.create-room",
                json!({ "space": self.space, "name": name }),
            )
            .await?;
        Ok(made["room"].as_str().context("no room")?.to_owned())
    }

    /// Fails unless the room's history, read from the first of these messages on, holds them all,
    /// each once, with its text, and nothing else. Reading it is limited for each person, so they
    /// take turns.
    pub async fn check_history(&self, server: &Server, room: &str, posted: &Posted) -> Result<()> {
        let mut http = Http::connect(server.address).await?;
        let mut expected = posted.iter();
        let mut after = posted.keys().next().context("nothing was posted")? - 1;
        for turn in 0.. {
            let fields = json!({ "room": room, "after": after.to_string() });
            let answer = http
                .send(&action(
                    "chat.history",
                    &self.people[turn % self.people.len()].cookie,
                    &fields,
                ))
                .await?;
            if answer.status == 429 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            let stretch = answer.done()?;
            let messages = stretch["messages"].as_array().context("no messages")?;
            for message in messages {
                let found = (
                    message["id"].as_str().unwrap_or_default().parse()?,
                    message["body"].as_str().unwrap_or_default(),
                );
                match expected.next() {
                    Some((id, body)) if (*id, body.as_str()) == found => after = *id,
                    Some((id, body)) => {
                        bail!("where {id} {body:?} was acknowledged the history has {found:?}")
                    }
                    None => bail!("the history has {found:?}, which was never acknowledged"),
                }
            }
            if stretch["more"] != true {
                break;
            }
        }
        ensure!(
            expected.next().is_none(),
            "acknowledged posts are not in the history"
        );
        Ok(())
    }
}

/// Makes an account through a form.
async fn enter(
    http: &mut Http,
    path: &str,
    name: &str,
    number: usize,
    also: &str,
) -> Result<(Person, Value)> {
    let address = format!("192.0.2.{number}");
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("x-forwarded-for", address.as_str()),
    ];
    let body = format!(
        "{also}name={}&email=person{number}@example.org&password=correct+horse+battery",
        name.replace(' ', "+")
    );
    let answer = http.send(&request("POST", path, &headers, &body)).await?;
    let made = answer.done().with_context(|| path.to_owned())?;
    let cookies = answer.headers("set-cookie");
    let cookies: Vec<&str> = cookies
        .filter_map(|cookie| cookie.split(';').next())
        .collect();
    ensure!(!cookies.is_empty(), "no cookie");
    let cookie = cookies.join("; ");
    Ok((Person { cookie }, made))
}
