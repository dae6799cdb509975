//! How other threads reach a shard: an inbox and a wake-up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::feed::Feed;

/// Runs on the shard's thread.
pub(super) type Task = Box<dyn FnOnce() + Send>;

pub(super) struct ShardHandle {
    pub(super) index: usize,
    inbox: Mutex<Inbox>,
    /// How many signals were sent so far. Counted under the inbox's lock.
    signals: AtomicU64,
    woken: Notify,
}

/// What a shard has not taken in yet.
#[derive(Default)]
pub(super) struct Inbox {
    pub(super) tasks: Vec<Task>,
    /// Feeds that gained frames, each once: a feed's log wakes a shard once until it acknowledges.
    pub(super) gained: Vec<Arc<Feed>>,
    /// Sockets whose task has to look at its socket's flags.
    pub(super) signalled: Vec<u64>,
}

impl ShardHandle {
    pub(super) fn new(index: usize) -> Self {
        Self {
            index,
            inbox: Mutex::default(),
            signals: AtomicU64::new(0),
            woken: Notify::new(),
        }
    }

    pub(super) fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, put: impl FnOnce(&mut Inbox)) {
        put(&mut self.inbox());
        self.wake();
    }

    pub(super) fn wake(&self) {
        self.woken.notify_one();
    }

    /// Waits for a wake-up. One that came before is not lost.
    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }

    /// Has the shard run something, such as the start of a socket's task.
    pub(super) fn run(&self, task: Task) {
        self.put(|inbox| inbox.tasks.push(task));
    }

    /// Has the shard deliver what a feed gained.
    pub(super) fn gained(&self, feed: &Arc<Feed>) {
        self.put(|inbox| inbox.gained.push(feed.clone()));
    }

    /// Has a socket's task look at its socket's flags.
    pub(super) fn signal(&self, socket: u64) {
        self.put(|inbox| self.add_signal(inbox, socket));
    }

    /// Sets a socket's flag and signals it, unless the flag is set. Under the lock, so that whoever
    /// finds the flag set knows that the signal was counted.
    pub(super) fn set_flag(&self, socket: u64, flag: &AtomicBool) {
        self.put(|inbox| {
            if !flag.swap(true, Ordering::AcqRel) {
                self.add_signal(inbox, socket);
            }
        });
    }

    fn add_signal(&self, inbox: &mut Inbox, socket: u64) {
        inbox.signalled.push(socket);
        self.signals.fetch_add(1, Ordering::Release);
    }

    pub(super) fn signals(&self) -> u64 {
        self.signals.load(Ordering::Acquire)
    }
}
