//! Rights that end on one instance end on all.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::only_in_modes;
use crate::support::{Cluster, Person, Socket};

/// Sockets of somebody who was removed follow nothing after this.
const MAX_REVOCATION: Duration = Duration::from_secs(1);

/// Sockets of this person at every instance, each following `general`.
async fn sockets(cluster: &Cluster, person: &Person) -> Vec<Socket> {
    let mut sockets = Vec::new();
    for number in 0..cluster.server.instances() {
        let person = person.at_instance(&cluster.server, number);
        sockets.push(person.following("room/general").await);
    }
    sockets
}

/// Removes or bans this person at the first instance, and waits until every socket says so. How long the
/// last one took.
async fn remove(cluster: &Cluster, ann: &Person, action: &str, person: &Person) -> Duration {
    let sockets = sockets(cluster, person).await;
    let removed = json!({ "space": ann.space, "account": person.id });
    let ann = ann.at_instance(&cluster.server, 0);
    let begun = Instant::now();
    ann.act(action, removed).await.done();
    for mut socket in sockets {
        socket.wait_for("revoked").await;
    }
    begun.elapsed()
}

#[tokio::test]
async fn removal_revokes_on_every_instance_also_without_nats() {
    only_in_modes!("needs PostgreSQL, NATS and HAProxy", [Cluster]);
    let mut cluster = Cluster::start(&[]);
    let ann = cluster.server.owner("ann").await;
    let bob = cluster.server.member("bob").await;
    let cem = cluster.server.member("cem").await;
    let dan = cluster.server.member("dan").await;
    let joined = remove(&cluster, &ann, "community.remove-member", &bob).await;
    let banned = remove(&cluster, &ann, "community.ban", &dan).await;
    cluster.nats.stop();
    let apart = remove(&cluster, &ann, "community.remove-member", &cem).await;
    println!("removed after {joined:?}, banned after {banned:?}, without NATS after {apart:?}");
    // A busy machine proves nothing about time.
    if std::env::var_os("TIDEPOOL_TEST_TIMES").is_some() {
        assert!(joined.max(banned).max(apart) <= MAX_REVOCATION);
    }
}

#[tokio::test]
async fn suspension_closes_sockets_on_every_instance_also_without_nats() {
    only_in_modes!("needs PostgreSQL, NATS and HAProxy", [Cluster]);
    let mut cluster = Cluster::start(&[]);
    let ann = cluster.server.owner("ann").await;
    let bob = cluster.server.member("bob").await;
    let cem = cluster.server.member("cem").await;
    let joined = suspend(&cluster, &ann, &bob).await;
    cluster.nats.stop();
    let apart = suspend(&cluster, &ann, &cem).await;
    println!("suspended after {joined:?}, without NATS after {apart:?}");
    // A busy machine proves nothing about time.
    if std::env::var_os("TIDEPOOL_TEST_TIMES").is_some() {
        assert!(joined.max(apart) <= MAX_REVOCATION);
    }
}

/// Suspends this person at the first instance, and waits until every socket is closed. How long the
/// last one took.
async fn suspend(cluster: &Cluster, ann: &Person, person: &Person) -> Duration {
    let sockets = sockets(cluster, person).await;
    let suspended = json!({ "account": person.id, "reason": "measured" });
    let ann = ann.at_instance(&cluster.server, 0);
    let begun = Instant::now();
    ann.act("community.suspend", suspended).await.done();
    for mut socket in sockets {
        socket.close_code().await;
    }
    begun.elapsed()
}
