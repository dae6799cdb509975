//! An installation as large ones are, whose every part can fail alone: three instances behind
//! HAProxy, each with links of its own to PostgreSQL and to NATS.

use std::path::Path;

use super::server::{BINARY, share_files};
use super::{Database, Folder, Haproxy, Instance, Nats, Postgres, TcpProxy, TestServer};

/// How many instances `deploy/haproxy.cfg` knows.
const INSTANCES: usize = 3;

/// The installation. People reach it through the proxy.
pub struct Cluster {
    /// The instances.
    pub server: TestServer,
    /// The links of the instances to PostgreSQL, in their order.
    pub database_links: Vec<TcpProxy>,
    /// The links of the instances to NATS, in their order.
    pub nats_links: Vec<TcpProxy>,
    /// The database server, which writes as a host's does.
    pub postgres: Postgres,
    /// What joins the instances.
    pub nats: Nats,
    proxy: Haproxy,
}

impl Cluster {
    /// A fresh installation with these environment variables.
    pub fn start(overrides: &[(&str, &str)]) -> Self {
        let (postgres, nats) = (Postgres::durable(), Nats::start());
        let database = postgres.create_database();
        let start = |_| {
            let database_link = TcpProxy::start(postgres.port());
            (database_link, TcpProxy::start_for_nats(nats.port()))
        };
        let (database_links, nats_links): (Vec<_>, Vec<_>) = (0..INSTANCES).map(start).unzip();
        let mut instances: Vec<Instance> = Vec::new();
        for (database_link, nats_link) in database_links.iter().zip(&nats_links) {
            let folder = Folder::new();
            if let Some(first) = instances.first() {
                share_files(first.data(), folder.path());
            }
            let address = format!("nats://127.0.0.1:{}", nats_link.port());
            let connections = [
                ("TIDEPOOL_DATABASE", &*database.url_at(database_link.port())),
                ("TIDEPOOL_NATS", &*address),
                ("TIDEPOOL_BEHIND_PROXY", "true"),
                ("TIDEPOOL_HEAD_SECONDS", "130"),
            ];
            let environment = connections.iter().chain(overrides);
            let environment =
                environment.map(|(name, value)| (name.to_string(), value.to_string()));
            instances.push(Instance::new(
                Path::new(BINARY),
                folder,
                environment.collect(),
            ));
        }
        let connections = vec![("TIDEPOOL_DATABASE".to_owned(), database.url())];
        let database = Database::Postgres(database);
        let mut server = TestServer::of_instances(instances, database, connections);
        let addresses = [0, 1, 2].map(|number| server.instances[number].address());
        let proxy = Haproxy::start(addresses);
        server.front = Some(proxy.endpoint());
        Self {
            server,
            database_links,
            nats_links,
            postgres,
            nats,
            proxy,
        }
    }

    /// Loses one message in so many on each instance's link to NATS, or none with 0.
    pub fn lose_messages(&self, period: u64) {
        for link in &self.nats_links {
            link.loss().set_period(period);
        }
    }
}
