//! Everything that joins three instances fails in turn, under load: nothing that was acknowledged
//! is lost or there twice, and every page ends with what a fresh one shows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::json;

use super::follower::{Follower, messages_of};
use super::poster::{Posters, repeat};
use crate::only_in_modes;
use crate::support::{Cluster, Message, Person, eventually};

const POSTERS: usize = 3;

/// How hard it is tried, and whether times are held against what is promised: on a machine that is
/// busy with other things they say nothing.
struct Trial {
    followers: usize,
    /// Acknowledged posts in each state of the installation.
    posts: usize,
    outage: Duration,
    is_timed: bool,
}

/// Pages of an instance that died are back at another one within this.
const MAX_RETURN: Duration = Duration::from_secs(15);

/// Pages show what there is within this after the last repair.
const MAX_CONVERGENCE: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn failures_lose_no_post_and_pages_converge() {
    only_in_modes!("needs PostgreSQL, NATS and HAProxy", [Cluster]);
    let short = Trial {
        followers: 9,
        posts: 60,
        outage: Duration::from_secs(2),
        is_timed: false,
    };
    short.run().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes on a machine with nothing else to do: `just failures`"]
async fn failures_of_minutes_lose_no_post_and_pages_converge_in_time() {
    only_in_modes!("needs PostgreSQL, NATS and HAProxy", [Cluster]);
    let long = Trial {
        followers: 60,
        posts: 1000,
        outage: Duration::from_secs(10),
        is_timed: true,
    };
    long.run().await;
}

impl Trial {
    async fn run(self) {
        let settings = [
            ("TIDEPOOL_WRITES_PER_10_SECONDS", "100000"),
            ("TIDEPOOL_REQUESTS_PER_MINUTE", "0"),
        ];
        let mut cluster = Cluster::start(&settings);
        let ann = cluster.server.owner("ann").await;
        let mut posters = Vec::new();
        for number in 0..POSTERS {
            posters.push(cluster.server.member(&format!("poster {number}")).await);
        }
        let bob = cluster.server.member("bob").await;
        let mut followers = Vec::new();
        for number in 0..self.followers {
            let person = if number % 2 == 0 { &ann } else { &bob };
            followers.push(Follower::start(person.clone()).await);
        }
        let names = self.wait_until_connected(&followers, "").await;
        assert_eq!(names, 3, "the proxy spreads sockets over all instances");
        let posters = Posters::start(posters);
        posters.post_more(self.posts).await;

        cluster.lose_messages(20);
        posters.post_more(self.posts).await;
        let seen: u64 = cluster
            .nats_links
            .iter()
            .map(|link| link.loss().seen())
            .sum();
        assert!(seen > 20, "messages are lost: the links carried {seen}");
        self.kill_instance(&mut cluster, &ann, &followers).await;
        posters.post_more(self.posts).await;
        cluster.server.instance(0).start_again().await;
        posters.post_more(self.posts).await;

        cluster.nats.stop();
        tokio::time::sleep(self.outage).await;
        posters.post_more(self.posts).await;
        cluster.nats.start_again();
        posters.post_more(self.posts).await;

        cluster.nats_links[1].stall();
        posters.post_more(self.posts).await;
        cluster.nats_links[1].restore();

        cluster.database_links[2].cut();
        posters.post_more(self.posts).await;
        cluster.database_links[2].restore();

        cluster.postgres.stop();
        tokio::time::sleep(self.outage).await;
        cluster.postgres.start_again();
        posters.post_more(self.posts).await;
        cluster.lose_messages(0);
        let keys = posters.end().await;

        let repaired = Instant::now();
        let history = read_history(&ann).await;
        check_history(&history, &keys);
        for follower in &followers {
            eventually("a page that shows what there is", async || {
                follower.is_equal_to(&history).then_some(())
            })
            .await;
        }
        self.check_time(
            "pages show what there is",
            repaired.elapsed(),
            MAX_CONVERGENCE,
        );
        let refreshes: usize = followers
            .iter()
            .map(|one| one.look(|view| view.refreshes))
            .sum();
        println!("{} posts, {refreshes} refreshes", keys.len());
    }

    /// Kills the first instance; its pages come back elsewhere.
    async fn kill_instance(&self, cluster: &mut Cluster, ann: &Person, followers: &[Follower]) {
        let name = ann
            .at_instance(&cluster.server, 0)
            .socket()
            .await
            .instance
            .clone();
        cluster.server.instance(0).kill().await;
        let killed = Instant::now();
        self.wait_until_connected(followers, &name).await;
        self.check_time("pages are back", killed.elapsed(), MAX_RETURN);
    }

    /// Waits until every page is connected, and none to this instance; to how many they are.
    async fn wait_until_connected(&self, followers: &[Follower], except: &str) -> usize {
        let mut instances = BTreeSet::new();
        for follower in followers {
            let instance = eventually("a connected page", async || {
                let instance = follower.look(|view| view.instance.clone());
                (!instance.is_empty() && instance != except).then_some(instance)
            });
            instances.insert(instance.await);
        }
        instances.len()
    }

    fn check_time(&self, what: &str, took: Duration, max: Duration) {
        println!("{what} after {took:?}");
        assert!(!self.is_timed || took <= max, "{what} only after {took:?}");
    }
}

/// Everything that is in `general`.
async fn read_history(person: &Person) -> BTreeMap<i64, Message> {
    let mut all = BTreeMap::new();
    loop {
        let mut fields = json!({ "room": person.room("general") });
        if let Some((oldest, _)) = all.first_key_value() {
            let oldest: &i64 = oldest;
            fields["before"] = json!(oldest.to_string());
        }
        let page = repeat(person, "chat.history", fields).await;
        all.extend(messages_of(&page));
        if page["more"] != true {
            return all;
        }
    }
}

/// Every acknowledged post is there, once.
fn check_history(history: &BTreeMap<i64, Message>, keys: &[String]) {
    let mut counts = HashMap::new();
    for message in history.values() {
        *counts.entry(&message.key).or_insert(0) += 1;
    }
    for key in keys {
        assert_eq!(counts.remove(key), Some(1), "{key}");
    }
    assert!(counts.is_empty(), "nobody posted {counts:?}");
}
