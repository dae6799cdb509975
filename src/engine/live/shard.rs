//! A shard: a thread that serves its part of the sockets and nothing else.
//!
//! Pages and actions have threads of their own, so a page never waits behind a fan-out. A publish
//! wakes each shard at most once, whatever the number of its sockets. The shard then makes the
//! bytes of what came once, and hands the same bytes to every socket at the same position of the
//! feed, in one write each.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::task::{LocalSet, yield_now};
use tokio::time::timeout_at;

use super::batches::FeedBatches;
use super::connection::Connection;
use super::feed::Feed;
use super::refetch::RefetchPacer;
use super::shard_context::ShardContext;
use super::shard_handle::ShardHandle;

const MAX_SHARDS: usize = 64; // a feed's log keeps them as bits
// Sockets written to before a shard looks at what its sockets say.
const DELIVERIES_PER_TURN: usize = 256;
const PREFETCH: usize = 32; // of them, whose memory is fetched at once
const TICK_INTERVAL: Duration = Duration::from_secs(1);

thread_local! {
    /// The shard that this thread is.
    static CURRENT: OnceCell<Rc<Shard>> = const { OnceCell::new() };
}

/// The threads that serve sockets. Started when the first socket comes.
pub(super) struct Shards(Box<[Arc<ShardHandle>]>);

impl Shards {
    /// One for each core of the machine. `pages` runs what people do.
    pub(super) fn start(pages: &Handle, refetches: &Arc<RefetchPacer>) -> std::io::Result<Self> {
        let count = std::thread::available_parallelism()?.get().min(MAX_SHARDS);
        let start = |index| {
            let handle = Arc::new(ShardHandle::new(index));
            let (own, pages, refetches) = (handle.clone(), pages.clone(), refetches.clone());
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let run = move || {
                let shard = Rc::new(Shard::new(ShardContext::new(own, refetches), pages));
                CURRENT.with(|current| drop(current.set(shard.clone())));
                LocalSet::new().block_on(&runtime, shard.run())
            };
            std::thread::Builder::new()
                .name(format!("live-{index}"))
                .spawn(run)?;
            Ok(handle)
        };
        let handles: std::io::Result<_> = (0..count).map(start).collect();
        handles.map(Self)
    }

    /// The shard that serves the socket of this number.
    pub(super) fn of(&self, socket: u64) -> &Arc<ShardHandle> {
        &self.0[(socket % self.0.len() as u64) as usize]
    }

    pub(super) fn get(&self, index: usize) -> &ShardHandle {
        &self.0[index]
    }
}

/// The followers of a feed on this shard. In the order of their numbers, which is that of their
/// arrival: what was allocated together lies together, the kernel's part included.
struct Followers {
    batches: Rc<FeedBatches>,
    by: BTreeMap<u64, Rc<Connection>>,
}

/// A shard's own side: everything here stays on its thread.
pub(super) struct Shard {
    pub(super) context: ShardContext,
    /// Where actions run.
    pub(super) pages: Handle,
    connections: RefCell<HashMap<u64, Rc<Connection>>>,
    feeds: RefCell<HashMap<u64, Followers>>,
    /// Connections to deliver to, each once, in the order in which their feeds gained something.
    due: RefCell<VecDeque<Rc<Connection>>>,
    /// The feeds of the current round, with their heads when it began.
    round: RefCell<Vec<(Arc<Feed>, u64)>>,
}

impl Shard {
    fn new(context: ShardContext, pages: Handle) -> Self {
        Self {
            context,
            pages,
            connections: RefCell::default(),
            feeds: RefCell::default(),
            due: RefCell::default(),
            round: RefCell::default(),
        }
    }

    /// The shard that runs this task; none on other threads.
    pub(super) fn current() -> Option<Rc<Self>> {
        CURRENT.with(|current| current.get().cloned())
    }

    pub(super) fn index(&self) -> usize {
        self.context.handle.index
    }

    async fn run(&self) {
        let mut ticked = Instant::now();
        loop {
            if self.take_inbox() && self.due.borrow().is_empty() {
                self.begin_round();
            }
            if ticked.elapsed() >= TICK_INTERVAL {
                ticked = Instant::now();
                self.tick();
            }
            if !self.due.borrow().is_empty() {
                self.deliver();
                if self.due.borrow().is_empty() {
                    self.end_round();
                }
                yield_now().await; // to the tasks that handle what sockets say
            } else {
                self.sleep(ticked + TICK_INTERVAL).await;
            }
        }
    }

    /// Until the next wake-up or, with connections that need it, the next tick.
    async fn sleep(&self, next_tick: Instant) {
        let woken = self.context.handle.woken();
        if self.connections.borrow().is_empty() {
            woken.await;
        } else {
            // A timeout is no error: it is time for the tick.
            let _ = timeout_at(next_tick.into(), woken).await;
        }
    }

    /// Starts new tasks and passes signals on. Whether feeds have gained something.
    fn take_inbox(&self) -> bool {
        let (tasks, signalled, has_gained) = {
            let mut inbox = self.context.handle.inbox();
            // Counted under this lock, so the count belongs to the signals taken.
            self.context.signals.set(self.context.handle.signals());
            (
                std::mem::take(&mut inbox.tasks),
                std::mem::take(&mut inbox.signalled),
                !inbox.gained.is_empty(),
            )
        };
        tasks.into_iter().for_each(|task| task());
        for socket in signalled {
            if let Some(connection) = self.connections.borrow().get(&socket) {
                connection.handle_signal();
            }
        }
        has_gained
    }

    /// Queues every follower of a feed that gained something, once. What comes meanwhile is the
    /// next round's, so that a feed that never rests is written in batches, not frame by frame.
    fn begin_round(&self) {
        let gained = std::mem::take(&mut self.context.handle.inbox().gained);
        for feed in gained {
            feed.log.acknowledge(self.index());
            let head = feed.log.head();
            if let Some(followers) = self.feeds.borrow().get(&feed.id) {
                let connections = followers.by.values();
                connections.for_each(|connection| self.queue(connection));
            }
            self.round.borrow_mut().push((feed, head));
        }
        if self.due.borrow().is_empty() {
            self.end_round(); // the followers left before it began
        }
    }

    /// Every socket that takes bytes has been written what the round began with.
    fn end_round(&self) {
        for (feed, head) in self.round.borrow_mut().drain(..) {
            feed.set_taken(self.index(), head);
        }
        self.context.release_batches();
    }

    /// Queues a connection for a delivery.
    fn queue(&self, connection: &Rc<Connection>) {
        if !connection.due.replace(true) {
            self.due.borrow_mut().push_back(connection.clone());
        }
    }

    /// The same from a connection's own task, while the shard may be asleep.
    pub(super) fn queue_and_wake(&self, connection: &Rc<Connection>) {
        self.queue(connection);
        self.context.handle.wake();
    }

    fn deliver(&self) {
        let mut some = Vec::with_capacity(PREFETCH);
        for _ in 0..DELIVERIES_PER_TURN / PREFETCH {
            {
                let mut due = self.due.borrow_mut();
                let count = due.len().min(PREFETCH);
                some.extend(due.drain(..count));
            }
            // They have left the processor's cache since the last delivery. Read one after the
            // other, without a system call in between, they are fetched side by side.
            some.iter().for_each(|connection| connection.prefetch());
            for connection in some.drain(..) {
                self.deliver_to(&connection);
            }
        }
    }

    fn deliver_to(&self, connection: &Rc<Connection>) {
        let delivery = connection.deliver(&self.context);
        for lost in &delivery.lost {
            self.remove_follower(&lost.feed, connection);
        }
        if delivery.has_more {
            self.queue(connection); // behind those that have had nothing yet
        }
    }

    fn tick(&self) {
        let second = self.context.second.get() + 1;
        self.context.second.set(second);
        for connection in self.connections.borrow().values() {
            connection.tick(second);
        }
    }

    pub(super) fn enter(&self, connection: &Rc<Connection>) {
        self.connections
            .borrow_mut()
            .insert(connection.socket.id, connection.clone());
    }

    /// Forgets a connection and all it follows.
    pub(super) fn leave(&self, connection: &Connection) {
        self.unfollow_all(connection);
        self.connections.borrow_mut().remove(&connection.socket.id);
    }

    /// Queues a connection from now on when the feed gains something. The feed's log wakes this
    /// shard already.
    pub(super) fn add_follower(
        &self,
        feed: &Arc<Feed>,
        connection: &Rc<Connection>,
    ) -> Rc<FeedBatches> {
        let mut feeds = self.feeds.borrow_mut();
        let followers = feeds.entry(feed.id).or_insert_with(|| Followers {
            batches: Rc::new(FeedBatches::new(feed.clone())),
            by: BTreeMap::new(),
        });
        followers
            .by
            .insert(connection.socket.id, connection.clone());
        followers.batches.clone()
    }

    pub(super) fn remove_follower(&self, feed: &Feed, connection: &Connection) {
        let mut feeds = self.feeds.borrow_mut();
        if let Some(followers) = feeds.get_mut(&feed.id) {
            followers.by.remove(&connection.socket.id);
            if followers.by.is_empty() {
                feeds.remove(&feed.id);
                feed.leave(self.index());
            }
        }
    }

    pub(super) fn unfollow(&self, connection: &Connection, name: &str) {
        if let Some(left) = connection.subscriptions.remove_named(name) {
            self.remove_follower(&left.feed, connection);
        }
    }

    pub(super) fn unfollow_all(&self, connection: &Connection) {
        for left in connection.subscriptions.take() {
            self.remove_follower(&left.feed, connection);
        }
    }
}
