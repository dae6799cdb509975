//! The composition root: starts the server from its settings. The only file that knows every
//! module.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Extension;
use rustix::fs::Mode;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::base::data_folder;
use crate::base::db::{Db, copy};
use crate::base::error::Error;
use crate::base::locale;
use crate::base::secrets::{self, Secrets};
use crate::base::settings::Settings;
use crate::base::telemetry;
use crate::community::{self, Community, Layout};
use crate::engine::Engine;
use crate::engine::bus::Topic;
use crate::engine::files;
use crate::engine::module::{Migration, Modules};
use crate::engine::permission::{HeldBy, Permission, ScopeKind};
use crate::engine::web::{self, Health, assemble};
use crate::modules::admin::{self, Admin};
use crate::modules::chat::{self, Chat};
use crate::modules::letters::{self, Letters};
use crate::modules::moderation::{self, Moderation};
use crate::modules::notices::{self, Notices};
use crate::modules::presence::{self, Presence};
use crate::modules::reminders::{self, Reminders};
use crate::modules::search::{self, SearchPages};
use crate::modules::terminals::{self, Terminals};
use crate::modules::voice::{self, Voice};

/// How long requests may take to finish on shutdown. With the two below it stays within the ten
/// seconds that container runtimes allow.
const REQUEST_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// File descriptors reserved for everything but connections: the database, the listener, and
/// connections that are being refused.
const RESERVED_FILES: usize = 128;
const JOB_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
const SOCKET_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// How long `tidepool health` waits for the response.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// The built-in modules.
pub fn modules() -> Modules<Community> {
    Modules::new()
        .add(community::module(), Community::clone)
        .add(admin::module(), Admin::new)
        .add(presence::module(), Presence::new)
        .add(notices::module(), Notices::new)
        .add(letters::module(), Letters::new)
        .add(chat::module(), Chat::new)
        .add(reminders::module(), Reminders::new)
        .add(moderation::module(), Moderation::new)
        .add(search::module(), SearchPages::new)
        .add(voice::module(), Voice::new)
        .add(terminals::module(), Terminals::new)
}

/// Runs the server until SIGTERM or SIGINT. `further` adds modules to the built-in ones: see
/// `docs/module.md`. Calls `ready` with the address once it accepts connections.
///
/// ```ignore
/// serve_with(settings, |modules| modules.add(todo::module(), Todo::new), ready).await
/// ```
///
/// # Errors
/// When the data folder, the database or the address is not available, or a module's migration
/// fails; nothing was served then.
pub async fn serve_with(
    mut settings: Settings,
    further: impl FnOnce(Modules<Community>) -> Modules<Community>,
    ready: impl FnOnce(SocketAddr),
) -> Result<()> {
    // What the server writes (the database, files, uploads) is its own user's to read, whatever the
    // folder allows.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    for name in Settings::unknown_variables() {
        tracing::warn!("no setting reads the environment variable {name}");
    }
    data_folder::create(&settings.data)?;
    let _lock = data_folder::lock(&settings.data)?;
    settings.max_connections = within_file_limit(settings.max_connections);
    let secrets = Secrets::load(&settings.data)?;
    settings.s3_secret_key.clone_from(&secrets.s3_secret_key);
    settings.mail_password.clone_from(&secrets.mail_password);
    settings
        .oidc_client_secret
        .clone_from(&secrets.oidc_client_secret);
    settings
        .letters_prompts_key
        .clone_from(&secrets.letters_prompts_key);
    let metrics = telemetry::start_metrics()?;
    let db = Db::open(&settings).await?;
    let listener = listen(settings.address)
        .with_context(|| format!("cannot listen on {}", settings.address))?;
    let address = listener.local_addr()?;

    let modules = further(modules());
    let declared = modules.declarations();
    if !declared.messages.is_empty() {
        locale::add_messages(declared.messages.clone()).map_err(anyhow::Error::msg)?;
    }
    let engine = Engine::new(settings, db.clone(), declared)?;
    engine
        .migrate(&declared.migrations)
        .await
        .context("a module's migration failed; nothing was started")?;
    let community = Community::new(engine.clone(), declared);
    community
        .restrict_hosts()
        .await
        .map_err(anyhow::Error::new)?;
    let filling = community.fill_name_skeletons().await;
    filling.map_err(anyhow::Error::new)?;
    let setup_path = community.setup_path().await.map_err(anyhow::Error::new)?;
    chat::resume_ids(&db).await.map_err(anyhow::Error::new)?;
    let sessions = community.clone();
    let mut started = engine.start(modules.bind(&community), move |viewer| {
        let community = sessions.clone();
        async move { community.is_session_valid(&viewer).await }
    });
    let cluster = engine.join_cluster(&started).await?;
    let layout = Layout::new(
        &community,
        started.navs.clone(),
        started.panes.clone(),
        started.room_parts.clone(),
        started.tab_counts.clone(),
    );
    started.routes = started.routes.layer(Extension(layout));
    let health = Health::new(db.clone(), cluster.clone(), metrics, &secrets.metrics_token);
    let front = assemble(&engine, started, health.clone(), cluster, |router| {
        community.guard(router)
    });

    let (stop, stopping) = watch::channel(false);
    let settings = engine.settings.clone();
    let serving =
        tokio::spawn(async move { web::serve(listener, front, &settings, stopping).await });
    // Before `ready`: whoever learns the address may send a signal at once.
    let stop_signal = stop_signal()?;
    tracing::info!("{}", engine.settings.joined_to());
    ready(address);
    if let Some(path) = setup_path {
        print_setup_link(&engine.settings, address, &path);
    }

    stop_signal.await;
    tracing::info!("stopping");
    health.set_stopping();
    // Order matters: refuse new requests first, then close sockets (pages reconnect by themselves),
    // then wait for jobs and requests that were started.
    stop.send_replace(true);
    shut_down(&engine, serving).await;
    db.close().await;
    Ok(())
}

/// Prints the one-time link for the setup. To stdout only: logs may be kept and passed on.
fn print_setup_link(settings: &Settings, mut address: SocketAddr, path: &str) {
    use std::io::Write;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let scheme = if settings.https { "https" } else { "http" };
    let line = format!(
        "Nobody owns it yet. Set it up at {scheme}://{address}{path}\n\
         (from another machine with the server's name in place of {address})\n"
    );
    // Nobody may be reading.
    drop(std::io::stdout().write_all(line.as_bytes()));
}

/// Closes sockets and ends jobs, then waits for `serving`, the task of the HTTP server.
async fn shut_down<T>(engine: &Engine, serving: JoinHandle<T>) {
    engine.live.close_all(SOCKET_SHUTDOWN_TIMEOUT).await;
    engine.jobs.stop(JOB_SHUTDOWN_TIMEOUT).await;
    let served = tokio::time::timeout(REQUEST_SHUTDOWN_TIMEOUT, serving);
    if served.await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// Every topic of these modules, by name: `tidepool topics`.
pub fn topics(modules: &Modules<Community>) -> Vec<&'static Topic> {
    let mut topics = modules.declarations().topics.clone();
    topics.sort_by_key(|topic| topic.name);
    topics
}

/// Every permission of these modules, by name: `tidepool permissions`.
pub fn permissions(modules: &Modules<Community>) -> Vec<&'static Permission> {
    let mut permissions = modules.declarations().permissions.clone();
    permissions.sort_by_key(|permission| permission.name);
    permissions
}

/// The permissions of these modules as a Markdown table: `tidepool permissions`, and the table of
/// `docs/permissions.md`.
pub fn permission_table(modules: &Modules<Community>) -> String {
    let mut text = "| permission | held in | by default | adds content | allows to |\n\
        |---|---|---|---|---|\n"
        .to_owned();
    for permission in permissions(modules) {
        let Permission {
            name,
            scope,
            held_by,
            adds_content,
            about,
        } = permission;
        let scope = match scope {
            ScopeKind::Server => "the server",
            ScopeKind::Space => "a space",
            ScopeKind::Room => "a room",
        };
        let held_by = match held_by {
            HeldBy::Members => "every member",
            HeldBy::Moderators => "moderators",
            HeldBy::Owners => "owners",
            HeldBy::Host => "the host",
        };
        let adds = if *adds_content { "yes" } else { "" };
        text += &format!("| `{name}` | {scope} | {held_by} | {adds} | {about} |\n");
    }
    text
}

/// What is wrong with the data of a stopped or running server, in English: the structure of the
/// database, its rows, and every file. Empty when nothing is.
///
/// # Errors
/// When the database or the bucket cannot be read at all.
pub async fn check(mut settings: Settings) -> Result<Vec<String>> {
    let mut problems = Db::problems(&settings).await?;
    if !problems.is_empty() {
        // Rows of a damaged structure may lead anywhere.
        problems.push("rows were not checked, because the structure is damaged".to_owned());
        return Ok(problems);
    }
    if !settings.s3_bucket.is_empty() {
        settings.s3_secret_key = Secrets::load(&settings.data)?.s3_secret_key;
    }
    let db = Db::open_read_only(&settings).await?;
    problems.extend(community::problems(&db).await?);
    problems.extend(chat::problems(&db).await?);
    problems.extend(files::problems(&settings, &db).await?);
    Ok(problems)
}

/// Fills a server that nobody has set up: `tidepool seed`. Returns the password of everybody.
///
/// # Errors
/// When the server is set up already or runs, or the database is not available.
pub async fn seed(
    settings: Settings,
    further: impl FnOnce(Modules<Community>) -> Modules<Community>,
    (people, messages): (u64, u64),
    progress: impl Fn(u64),
) -> Result<String> {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    data_folder::create(&settings.data)?;
    let _lock = data_folder::lock(&settings.data)?;
    let db = Db::open(&settings).await?;
    // The host that requests name; the addresses of loopback are answered, too.
    let host = match reqwest::Url::parse(&settings.public_address) {
        Ok(url) => url.host_str().unwrap_or_default().to_owned(),
        Err(_) => settings.address.ip().to_string(),
    };
    let modules = further(modules());
    let declared = modules.declarations();
    let engine = Engine::new(settings, db.clone(), declared)?;
    engine.migrate(&declared.migrations).await?;
    let community = Community::new(engine, declared);
    let password = secrets::short_token();
    let people = usize::try_from(people)?;
    let joined = chat::seed_begins(messages);
    let made = community.seed(people, joined, &password, &host).await;
    let made = made.map_err(|error| match error {
        Error::Conflict(_) => anyhow::anyhow!("this server is set up already; nothing was changed"),
        error => anyhow::Error::new(error),
    })?;
    let seeded = Chat::new(&community).seed(&made, messages, progress).await;
    seeded.map_err(anyhow::Error::new)?;
    db.close().await;
    Ok(password)
}

/// A link with which an account sets a new password, without mail: `tidepool reset-link`. Works
/// beside a server that runs.
///
/// # Errors
/// When there is no such account, or the database is not available.
pub async fn reset_link(
    settings: Settings,
    modules: Modules<Community>,
    login: &str,
) -> Result<String> {
    let db = Db::open(&settings).await?;
    let declared = modules.declarations();
    let community = Community::new(Engine::new(settings, db.clone(), declared)?, declared);
    let link = community.reset_link(login).await;
    db.close().await;
    link?.with_context(|| format!("there is no account with the name or address {login}"))
}

/// Copies a database with the tables of these modules: `tidepool copy-database`.
///
/// # Errors
/// See [`copy::copy`].
pub async fn copy_database(
    modules: &Modules<Community>,
    from: &str,
    to: &str,
) -> Result<copy::Copied> {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let migrations = modules.declarations().migrations.iter();
    let migrations: Vec<_> = migrations.map(Migration::for_copy).collect();
    copy::copy(from, to, &migrations).await
}

/// Listens with room for all the clients that come back at once after a restart.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    const BACKLOG: u32 = 4096;
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Raises the limit of open files as far as the system allows, and returns how many connections fit
/// into it.
fn within_file_limit(connections: usize) -> usize {
    // Not fatal: the configured number of connections may still fit.
    let Ok(files) = rlimit::increase_nofile_limit(u64::MAX) else {
        return connections;
    };
    let fit = usize::try_from(files)
        .unwrap_or(usize::MAX)
        .saturating_sub(RESERVED_FILES)
        .max(1);
    if fit < connections {
        tracing::warn!(
            files,
            connections = fit,
            wanted = connections,
            "the limit of open files is low: fewer connections are accepted"
        );
    }
    connections.min(fit)
}

/// Installs the signal handlers. The future completes with the first signal.
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Asks the server at the settings' address whether it is ready: `tidepool health`.
pub async fn health(settings: &Settings) -> Result<std::process::ExitCode> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut address = settings.address;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let probe = async {
        let mut connection = tokio::net::TcpStream::connect(address).await?;
        connection
            .write_all(
                format!(
                    "GET /health/ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
                )
                .as_bytes(),
            )
            .await?;
        let mut response = Vec::new();
        connection.take(4096).read_to_end(&mut response).await?;
        Ok::<_, std::io::Error>(response.starts_with(b"HTTP/1.1 200"))
    };
    let is_ready = tokio::time::timeout(HEALTH_TIMEOUT, probe)
        .await
        .is_ok_and(|result| result.unwrap_or(false));
    println!("{}", if is_ready { "ok" } else { "not ready" });
    Ok(if is_ready {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    })
}
