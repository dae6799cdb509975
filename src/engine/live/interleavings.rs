//! The log once more, on the primitives of a scheduler that tries every order in which publishing,
//! lagging, closing and resuming can meet.

use shuttle::sync::{Arc, Condvar};
use shuttle::thread;

mod sync {
    pub(super) use shuttle::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(super) use shuttle::sync::{Mutex, MutexGuard};
    pub(super) use std::sync::PoisonError;
}

#[path = "log.rs"]
#[allow(dead_code, reason = "only what sockets do is tried here")]
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

/// A shard's inbox. Waiting for a ring that never comes is a deadlock, which the scheduler reports.
#[derive(Default)]
struct ShardHandle(sync::Mutex<bool>, Condvar);

impl ShardHandle {
    fn wake(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_one();
    }

    fn wait(&self) {
        let mut rung = self.0.lock().unwrap();
        while !*rung {
            rung = self.1.wait(rung).unwrap();
        }
        *rung = false;
    }
}

struct Stage {
    log: Log<Number>,
    bells: [ShardHandle; 2],
}

impl Stage {
    fn publish(&self, count: u64) {
        for _ in 0..count {
            self.log
                .append(THREE, Number, None, |shard| self.bells[shard].wake());
        }
    }

    /// Takes what came after `seen`, each number once and in order, or begins anew at the head.
    fn take(&self, seen: &mut u64, refreshed: &mut bool) {
        while self.log.head() != *seen {
            match self.log.read_after(*seen, 2) {
                ReadAfter::Entries(entries, _) => {
                    for entry in entries {
                        assert_eq!(
                            entry.number(),
                            *seen + 1,
                            "a number was left out or came twice"
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

    /// A socket on a shard: follows, takes what comes until `last`, and may go and come back in
    /// between.
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
            self.bells[shard].wait();
            self.log.acknowledge(shard);
            self.take(&mut seen, &mut refreshed);
        }
        self.log.leave(shard);
    }
}

fn stage() -> Arc<Stage> {
    Arc::new(Stage {
        log: Log::new(START),
        bells: Default::default(),
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
fn no_ring_is_lost_and_nothing_comes_twice() {
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
fn who_goes_and_comes_back_misses_nothing() {
    run(|stage| {
        vec![
            actor(stage, |stage| stage.publish(6)),
            actor(stage, |stage| stage.follow(0, START + 6, 2)),
            actor(stage, |stage| stage.follow(1, START + 6, 1)),
        ]
    });
}

#[test]
fn a_log_that_is_forgotten_is_begun_anew() {
    run(|stage| {
        vec![
            actor(stage, |stage| stage.publish(4)),
            actor(stage, |stage| {
                stage.log.forget(|shard| stage.bells[shard].wake())
            }),
            actor(stage, |stage| stage.follow(0, START + 5, 1)),
        ]
    });
}
