//! The composition root: settings in, running server out. The only file that knows every module.

use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::Extension;
use rustix::fs::Mode;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::base::db::Db;
use crate::base::locale;
use crate::base::secrets::Secrets;
use crate::base::settings::Settings;
use crate::base::telemetry;
use crate::community::{self, Community, Layout};
use crate::engine::Engine;
use crate::engine::bus::Topic;
use crate::engine::module::Modules;
use crate::engine::permission::Permission;
use crate::engine::web::{self, Health, assemble};
use crate::modules::admin::{self, Admin};
use crate::modules::chat::{self, Chat};
use crate::modules::presence::{self, Presence};

// Of the ten seconds a shutdown may take.
const REQUESTS_END_WITHIN: Duration = Duration::from_secs(5);
// Open beside connections: the database's, the listener, clients that are being refused.
const OTHER_FILES: usize = 128;
const JOBS_END_WITHIN: Duration = Duration::from_secs(2);
const SOCKETS_END_WITHIN: Duration = Duration::from_secs(3);

/// Every module of this server.
fn modules() -> Modules<Community> {
    Modules::new()
        .add(community::module(), Community::clone)
        .add(admin::module(), Admin::new)
        .add(presence::module(), Presence::new)
        .add(chat::module(), Chat::new)
}

/// Runs the server until SIGTERM or SIGINT. Calls `ready` with the address once it answers.
///
/// # Errors
/// When the data folder, the database or the address cannot be had; nothing was served then.
pub async fn serve(settings: Settings, ready: impl FnOnce(SocketAddr)) -> Result<()> {
    serve_with(settings, |modules| modules, ready).await
}

/// As [`serve`], with further modules: how a builder runs their own beside ours. See
/// `docs/module.md`.
///
/// ```ignore
/// serve_with(settings, |modules| modules.add(todo::module(), Todo::new), ready).await
/// ```
///
/// # Errors
/// As [`serve`]; also when a module's migration fails.
pub async fn serve_with(
    mut settings: Settings,
    further: impl FnOnce(Modules<Community>) -> Modules<Community>,
    ready: impl FnOnce(SocketAddr),
) -> Result<()> {
    // What the server writes (the database, files, uploads) is its own user's to read, whatever the
    // folder allows.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    make_data_folder(&settings)?;
    let _alone = lock(&settings)?;
    settings.max_connections = within_file_limit(settings.max_connections);
    let secrets = Secrets::load(&settings.data)?;
    settings.s3_secret_key.clone_from(&secrets.s3_secret_key);
    let metrics = telemetry::start_metrics()?;
    let db = Db::open(&settings).await?;
    let listener = TcpListener::bind(settings.address)
        .await
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
    chat::resume_ids(&db).await.map_err(anyhow::Error::new)?;
    let sessions = community.clone();
    let mut started = engine.start(modules.bind(&community), move |viewer| {
        let community = sessions.clone();
        async move { community.still_valid(&viewer).await }
    });
    let layout = Layout::new(&community, started.navs.clone(), started.panes.clone());
    started.routes = started.routes.layer(Extension(layout));
    let health = Health::new(db.clone(), metrics, &secrets.metrics_token);
    let front = assemble(&engine, started, health.clone(), |router| {
        community.guard(router)
    });

    let (stop, stopping) = watch::channel(false);
    let settings = engine.settings.clone();
    let serving =
        tokio::spawn(async move { web::serve(listener, front, &settings, stopping).await });
    // Heard from here on: who is told the address may at once ask to stop.
    let stopped = signalled()?;
    ready(address);

    stopped.await;
    tracing::info!("stopping");
    health.set_stopping();
    // Order matters: no new requests, then the sockets (whose pages come back by themselves), then
    // what was begun.
    stop.send_replace(true);
    engine.live.close_all(SOCKETS_END_WITHIN).await;
    engine.jobs.stop(JOBS_END_WITHIN).await;
    if tokio::time::timeout(REQUESTS_END_WITHIN, serving)
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time");
    }
    db.close().await;
    Ok(())
}

/// Every topic of this server, by name, without starting it: `tidepool topics`.
pub fn topics() -> Vec<&'static Topic> {
    let mut topics = modules().declarations().topics.clone();
    topics.sort_by_key(|topic| topic.name);
    topics
}

/// Every permission of this server, by name: `tidepool permissions`.
pub fn permissions() -> Vec<&'static Permission> {
    let mut permissions = modules().declarations().permissions.clone();
    permissions.sort_by_key(|permission| permission.name);
    permissions
}

/// Lets this process have as many open files as it may, and says how many connections fit.
fn within_file_limit(connections: usize) -> usize {
    // A system that will not say or change its limit is no reason not to start.
    let Ok(files) = rlimit::increase_nofile_limit(u64::MAX) else {
        return connections;
    };
    let fit = usize::try_from(files)
        .unwrap_or(usize::MAX)
        .saturating_sub(OTHER_FILES)
        .max(1);
    if fit < connections {
        tracing::warn!(
            files,
            connections = fit,
            wanted = connections,
            "few open files are allowed: only so many connections are taken in"
        );
    }
    connections.min(fit)
}

fn make_data_folder(settings: &Settings) -> Result<()> {
    let data = &settings.data;
    if !data.exists() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .with_context(|| format!("cannot make {}", data.display()))?;
    } else if std::fs::metadata(data)?.permissions().mode() & 0o007 != 0 {
        let folder = data.display();
        tracing::warn!(%folder, "everybody on this machine can read it; consider: chmod 700");
    }
    Ok(())
}

/// Holds the data folder as long as it lives: what one process believes of its jobs and files,
/// another must not change.
fn lock(settings: &Settings) -> Result<std::fs::File> {
    let path = settings.data.join("lock");
    let file = std::fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            anyhow::bail!("another server is running on {}", settings.data.display())
        }
        Err(std::fs::TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

fn signalled() -> Result<impl Future<Output = ()>> {
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
    let ask = async {
        let mut connection = tokio::net::TcpStream::connect(address).await?;
        connection
            .write_all(
                format!(
                    "GET /health/ready HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
                )
                .as_bytes(),
            )
            .await?;
        let mut answer = Vec::new();
        connection.take(4096).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(answer.starts_with(b"HTTP/1.1 200"))
    };
    let well = tokio::time::timeout(Duration::from_secs(3), ask)
        .await
        .is_ok_and(|asked| asked.unwrap_or(false));
    println!("{}", if well { "ok" } else { "not ready" });
    Ok(if well {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    })
}
