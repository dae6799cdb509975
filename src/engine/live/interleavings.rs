//! The log on the primitives of a scheduler, which tries many orders of publishing, lagging,
//! closing and resuming.

use shuttle::sync::{Arc, Condvar};
use shuttle::thread;

mod sync {
    pub(super) use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(super) use shuttle::sync::{Mutex, MutexGuard};
    pub(super) use std::sync::PoisonError;
}

#[path = "log.rs"]
#[allow(dead_code, reason = "only what sockets do is tested here")]
mod log;

use log::{Bounds, Entry, Log, ReadAfter};

struct Number(u64);

impl Entry for Number {
    fn number(&self) -> u64 {
        self.0
    }

    fn weight(&self) -> usize {
        1
    }
}

const START: u64 = 100;
const ORDERS: usize = 2_000;
const THREE: Bounds = Bounds {
    entries: 3,
    weight: usize::MAX,
};

/// A shard's wake-up. Waiting for one that never comes is a deadlock, which the scheduler reports.
#[derive(Default)]
struct ShardHandle(sync::Mutex<bool>, Condvar);

impl ShardHandle {
    fn wake(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_one();
    }

    fn wait(&self) {
        let mut woken = self.0.lock().unwrap();
        while !*woken {
            woken = self.1.wait(woken).unwrap();
        }
        *woken = false;
    }
}

struct Stage {
    log: Log<Number>,
    handles: [ShardHandle; 2],
}

impl Stage {
    fn publish(&self, count: u64) {
        for _ in 0..count {
            self.log
                .append(THREE, Number, None, |shard| self.handles[shard].wake());
        }
    }

    /// Reads what came after `seen`, each number once and in order, or starts again from the head.
    fn take(&self, seen: &mut u64, refreshed: &mut bool) {
        while self.log.head() != *seen {
            match self.log.read_after(*seen, 2) {
                ReadAfter::Entries(entries, _) => {
                    for entry in entries {
                        assert_eq!(
                            entry.number(),
                            *seen + 1,
                            "a number was skipped or came twice"
                        );
                        *seen += 1;
                    }
                }
                ReadAfter::OutOfRange => {
                    *refreshed = true;
                    *seen = self.log.head();
                }
            }
        }
    }

    /// A socket on a shard: follows, reads until number `last`, and closes and resumes `absences`
    /// times in between.
    fn follow(&self, shard: usize, last: u64, mut absences: u32) {
        let (mut seen, mut refreshed) = (START, false);
        self.log.listen(shard);
        self.take(&mut seen, &mut refreshed);
        while seen != last {
            if absences > 0 {
                absences -= 1;
                self.log.leave(shard);
                thread::yield_now();
                self.log.listen(shard);
                self.take(&mut seen, &mut refreshed);
                continue;
            }
            self.handles[shard].wait();
            self.log.acknowledge(shard);
            self.take(&mut seen, &mut refreshed);
        }
        self.log.leave(shard);
    }
}

fn stage() -> Arc<Stage> {
    Arc::new(Stage {
        log: Log::new(START),
        handles: Default::default(),
    })
}

fn run(play: impl Fn(&Arc<Stage>) -> Vec<thread::JoinHandle<()>> + Send + Sync + 'static) {
    shuttle::check_pct(
        move || {
            let stage = stage();
            for actor in play(&stage) {
                actor.join().unwrap();
            }
        },
        ORDERS,
        3,
    );
}

fn actor(stage: &Arc<Stage>, act: impl FnOnce(&Stage) + Send + 'static) -> thread::JoinHandle<()> {
    let stage = stage.clone();
    thread::spawn(move || act(&stage))
}

#[test]
fn concurrent_appends_reach_every_shard_once() {
    run(|stage| {
        vec![
            actor(stage, |stage| stage.publish(3)),
            actor(stage, |stage| stage.publish(2)),
            actor(stage, |stage| stage.follow(0, START + 5, 0)),
            actor(stage, |stage| stage.follow(1, START + 5, 0)),
        ]
    });
}

#[test]
fn resumed_socket_misses_nothing() {
    run(|stage| {
        vec![
            actor(stage, |stage| stage.publish(6)),
            actor(stage, |stage| stage.follow(0, START + 6, 2)),
            actor(stage, |stage| stage.follow(1, START + 6, 1)),
        ]
    });
}

#[test]
fn forgotten_log_refreshes_its_followers() {
    run(|stage| {
        vec![
            actor(stage, |stage| stage.publish(4)),
            actor(stage, |stage| {
                stage
                    .log
                    .skip_to(stage.log.head() + 1, |shard| stage.handles[shard].wake())
            }),
            actor(stage, |stage| stage.follow(0, START + 5, 1)),
        ]
    });
}
