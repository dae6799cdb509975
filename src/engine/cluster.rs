//! Several instances of the server as one: they share a PostgreSQL database, and tell one another
//! over NATS what they publish on their buses.
//!
//! NATS core delivers at most once, so nothing depends on a message alone:
//! - An event of a stored feed has a position. A gap has the feed's followers refetch, and the
//!   heads of all followed feeds are compared with the database once a second.
//! - What concerns all instances is numbered by its sender, who repeats its newest number when it
//!   has nothing to say. A gap, a reconnect or a slow consumer makes everything cached stale, has
//!   rights checked again, and brings feeds up to date.
//! - Changes of rights have a position in the database, too, which is compared twice a second, with
//!   or without NATS.
//! - While NATS does not answer, nothing is cached.
//!
//! Events of stored feeds and typing marks travel on a subject for each feed, which an instance
//! subscribes while it has followers: it hears what its sockets follow, and what is for all.

mod connection;
mod forward;
mod message;
mod peers;
mod receive;
mod status;
mod watch;

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

use super::Engine;
use super::live::Rights;
use crate::base::ids::AccountId;
use connection::Connection;
use message::Outgoing;
pub use status::ClusterStatus;
use watch::KnownRights;

/// Messages that wait to be sent. Further ones are dropped, which other instances notice.
const MAX_WAITING: usize = 65_536;

/// What the tasks of the cluster share. Cheap to clone.
#[derive(Clone)]
struct Cluster(Arc<Inner>);

struct Inner {
    engine: Engine,
    /// What brings volatile feeds up to date.
    rights: Arc<Rights>,
    connection: Connection,
    status: ClusterStatus,
    outgoing: mpsc::Sender<(u64, Outgoing)>,
    known_rights: KnownRights,
    /// Messages may have been missed.
    missed: Notify,
}

/// Joins the other instances at `settings.nats`. Waits two seconds for NATS, and goes on trying
/// while it does not answer.
/// Does nothing when that is empty. To be called before the first request.
///
/// # Errors
/// When the address is none, or the database cannot be read.
pub(super) async fn join(engine: &Engine, rights: Arc<Rights>) -> anyhow::Result<ClusterStatus> {
    let status = ClusterStatus::default();
    if engine.settings.nats.is_empty() {
        return Ok(status);
    }
    status.join(engine.live.instance());
    // Until the first connection stands.
    engine.versions.suspend();
    let (connection, events) = Connection::open(&engine.settings, engine.live.instance()).await?;
    let (outgoing, waiting) = mpsc::channel(MAX_WAITING);
    let cluster = Cluster(Arc::new(Inner {
        engine: engine.clone(),
        rights,
        connection,
        status: status.clone(),
        outgoing,
        known_rights: KnownRights::read(&engine.db).await?,
        missed: Notify::new(),
    }));
    let everywhere = cluster.0.connection.subscribe_all().await?;
    cluster.forward_events();
    cluster.forward_rechecks();
    cluster.follow_feeds();
    tokio::spawn(cluster.clone().send(waiting));
    tokio::spawn(cluster.clone().receive_all(everywhere));
    tokio::spawn(cluster.clone().watch_connection(events));
    tokio::spawn(cluster.clone().repair_repeatedly());
    tokio::spawn(cluster.clone().watch_rights());
    tokio::spawn(cluster.watch_heads());
    status.finish_joining().await;
    Ok(status)
}

/// Whose sockets are to be checked: of some accounts, or of everybody.
type Accounts = Option<Vec<AccountId>>;
