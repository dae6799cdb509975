//! A shard: a thread that serves its share of the sockets and nothing else.
//!
//! Pages and actions have threads of their own, so a page never waits behind a fan-out. A publish
//! rings each shard at most once, whatever the number of its sockets. The shard then makes the
//! bytes of what came once, and hands the same bytes to every socket that stands at the same place
//! of the feed, in one write each.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local, yield_now};
use tokio::time::timeout_at;

use super::connection::Connection;
use super::feed::Feed;
use super::refetch::RefetchPacer;
use super::session::{NewSocket, serve};
use super::subscriptions::{Batch, Subscriptions};
use crate::engine::websocket::{Deflater, Inflater};

const MAX_SHARDS: usize = 64; // shards: a feed keeps them as bits
// Sockets written to before a shard looks at what its sockets say.
const DELIVERIES_PER_TURN: usize = 256;
const PREFETCH: usize = 32; // of them, whose memory is fetched at once
const READ_BUFFER_BYTES: usize = 64 << 10; // bytes one read may bring
const TICK_INTERVAL: Duration = Duration::from_secs(1);

/// The threads that serve sockets. Started when the first socket comes.
pub(super) struct Shards(Box<[Arc<ShardHandle>]>);

impl Shards {
    /// One for each shard of the machine. `pages` runs what people do.
    pub(super) fn start(pages: &Handle, refetches: &Arc<RefetchPacer>) -> std::io::Result<Self> {
        let count = std::thread::available_parallelism()?.get().min(MAX_SHARDS);
        let start = |index| {
            let bell = Arc::new(ShardHandle {
                index,
                inbox: Mutex::default(),
                signals: AtomicU64::new(0),
                is_woken: Notify::new(),
            });
            let (own, pages, refetches) = (bell.clone(), pages.clone(), refetches.clone());
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            let run = move || {
                LocalSet::new().block_on(&runtime, Rc::new(Shard::new(own, pages, refetches)).run())
            };
            std::thread::Builder::new()
                .name(format!("live-{index}"))
                .spawn(run)?;
            Ok(bell)
        };
        (0..count)
            .map(start)
            .collect::<std::io::Result<_>>()
            .map(Self)
    }

    /// The shard that a socket of this number lives on.
    pub(super) fn of(&self, socket: u64) -> &Arc<ShardHandle> {
        &self.0[(socket % self.0.len() as u64) as usize]
    }

    pub(super) fn get(&self, index: usize) -> &ShardHandle {
        &self.0[index]
    }
}

/// How the rest of the server reaches a shard.
pub(super) struct ShardHandle {
    pub(super) index: usize,
    inbox: Mutex<Inbox>,
    /// How many signals there were.
    signals: AtomicU64,
    is_woken: Notify,
}

#[derive(Default)]
struct Inbox {
    arrived: Vec<NewSocket>,
    /// Feeds that gained frames, each once.
    gained: Vec<Arc<Feed>>,
    /// Sockets whose task has something to see to.
    signalled: Vec<u64>,
}

impl ShardHandle {
    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, put: impl FnOnce(&mut Inbox)) {
        put(&mut self.inbox());
        self.is_woken.notify_one();
    }

    pub(super) fn arrive(&self, arrival: NewSocket) {
        self.put(|inbox| inbox.arrived.push(arrival));
    }

    pub(super) fn gained(&self, feed: &Arc<Feed>) {
        self.put(|inbox| inbox.gained.push(feed.clone()));
    }

    pub(super) fn signal(&self, socket: u64) {
        self.put(|inbox| self.signalled(inbox, socket));
    }

    /// Marks a socket and signals it, unless it has the mark. Under the lock, so that whoever finds
    /// it marked knows that the call was counted.
    pub(super) fn mark(&self, socket: u64, mark: &AtomicBool) {
        self.put(|inbox| {
            if !mark.swap(true, Ordering::AcqRel) {
                self.signalled(inbox, socket);
            }
        });
    }

    fn signalled(&self, inbox: &mut Inbox, socket: u64) {
        inbox.signalled.push(socket);
        self.signals.fetch_add(1, Ordering::Release);
    }
}

/// A shard's own side: everything here stays on its thread.
pub(super) struct Shard {
    bell: Arc<ShardHandle>,
    /// Where actions run.
    pub(super) pages: Handle,
    pub(super) refetches: Arc<RefetchPacer>,
    connections: RefCell<HashMap<u64, Rc<Connection>>>,
    feeds: RefCell<HashMap<u64, Rc<Subscriptions>>>,
    /// Connections to deliver to, each once, in the order in which their feeds gained something.
    due: RefCell<VecDeque<Rc<Connection>>>,
    /// What the round under way writes: feeds, and their heads when it began.
    round: RefCell<Vec<(Arc<Feed>, u64)>>,
    /// Feeds that hold batches.
    pub(super) warm: RefCell<Vec<Rc<Subscriptions>>>,
    /// What the connection that is being delivered to gets: emptied after each.
    pub(super) gathered: RefCell<Vec<(usize, Batch)>>,
    /// What arrives on any socket is read here; only what is not whole yet is kept by its
    /// connection.
    pub(super) scratch: RefCell<Box<[u8]>>,
    pub(super) inflater: RefCell<Inflater>,
    pub(super) deflater: RefCell<Deflater>,
    delivered: Cell<u64>,
    /// The signals that were passed on.
    signals: Cell<u64>,
    /// Seconds since the start, as far as connections need to know.
    pub(super) second: Cell<u32>,
}

impl Shard {
    fn new(bell: Arc<ShardHandle>, pages: Handle, refetches: Arc<RefetchPacer>) -> Self {
        Self {
            bell,
            pages,
            refetches,
            connections: RefCell::default(),
            feeds: RefCell::default(),
            due: RefCell::default(),
            round: RefCell::default(),
            warm: RefCell::default(),
            gathered: RefCell::default(),
            scratch: RefCell::new(vec![0; READ_BUFFER_BYTES].into()),
            inflater: RefCell::new(Inflater::new()),
            deflater: RefCell::new(Deflater::new()),
            delivered: Cell::new(0),
            signals: Cell::new(0),
            second: Cell::new(0),
        }
    }

    async fn run(self: Rc<Self>) {
        let mut ticked = Instant::now();
        loop {
            if self.look() && self.due.borrow().is_empty() {
                self.begin();
                if self.due.borrow().is_empty() {
                    self.end_round(); // the followers have left meanwhile
                }
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
                yield_now().await; // what the sockets say is heard in between
            } else if self.connections.borrow().is_empty() {
                self.bell.is_woken.notified().await;
            } else {
                // No answer means that the second is over.
                let _ = timeout_at(
                    (ticked + TICK_INTERVAL).into(),
                    self.bell.is_woken.notified(),
                )
                .await;
            }
        }
    }

    /// Takes in who arrived and wakes who is signalled. Whether feeds have gained something.
    fn look(self: &Rc<Self>) -> bool {
        let (arrived, signalled, waiting) = {
            let mut inbox = self.bell.inbox();
            // They are counted under the lock.
            self.signals.set(self.bell.signals.load(Ordering::Relaxed));
            (
                std::mem::take(&mut inbox.arrived),
                std::mem::take(&mut inbox.signalled),
                !inbox.gained.is_empty(),
            )
        };
        for arrival in arrived {
            spawn_local(serve(self.clone(), arrival));
        }
        for socket in signalled {
            if let Some(connection) = self.connections.borrow().get(&socket) {
                connection.handle_signal();
            }
        }
        waiting
    }

    /// Whether sockets were signalled whose connections do not know it yet.
    pub(super) fn has_signals(&self) -> bool {
        self.bell.signals.load(Ordering::Acquire) != self.signals.get()
    }

    /// Begins a round: whoever follows a feed that gained something is delivered to, once. What
    /// comes meanwhile is the next round's, so that a feed that never rests is written in batches
    /// and not frame by frame.
    fn begin(&self) {
        let gained = std::mem::take(&mut self.bell.inbox().gained);
        for feed in gained {
            feed.log.acknowledge(self.bell.index);
            let head = feed.log.head();
            if let Some(subscriptions) = self.feeds.borrow().get(&feed.id) {
                subscriptions
                    .by
                    .borrow()
                    .values()
                    .for_each(|connection| self.is_due(connection));
            }
            self.round.borrow_mut().push((feed, head));
        }
    }

    /// Every socket that takes bytes has been written what the round began with.
    fn end_round(&self) {
        for (feed, head) in self.round.borrow_mut().drain(..) {
            feed.set_taken(self.bell.index, head);
        }
        self.release_batches();
    }

    /// Has what came on its feeds delivered to a connection soon.
    pub(super) fn is_due(&self, connection: &Rc<Connection>) {
        if !connection.due.replace(true) {
            self.due.borrow_mut().push_back(connection.clone());
        }
    }

    /// The same from a connection's own task, for which the shard is not awake yet.
    pub(super) fn is_due_now(&self, connection: &Rc<Connection>) {
        self.is_due(connection);
        self.bell.is_woken.notify_one();
    }

    fn deliver(&self) {
        let mut some = Vec::with_capacity(PREFETCH);
        for _ in 0..DELIVERIES_PER_TURN / PREFETCH {
            {
                let mut due = self.due.borrow_mut();
                let count = due.len().min(PREFETCH);
                some.extend(due.drain(..count));
            }
            // ReadAfter the last delivery the processor has forgotten them. Looked at one after the
            // other, without a system call in between, they are fetched side by side.
            some.iter().for_each(|connection| connection.prefetch());
            for connection in some.drain(..) {
                if connection.deliver(self) {
                    self.is_due(&connection); // behind those who have had nothing yet
                }
            }
        }
    }

    pub(super) fn count_delivered(&self, frames: u64) {
        self.delivered.set(self.delivered.get() + frames);
    }

    /// Nobody waits for bytes any more: they are given back, and what was done is counted.
    fn release_batches(&self) {
        for subscriptions in self.warm.borrow_mut().drain(..) {
            subscriptions.batches.borrow_mut().clear();
        }
        let delivered = self.delivered.take();
        if delivered > 0 {
            metrics::counter!("tidepool_frames_delivered_total").increment(delivered);
        }
    }

    fn tick(&self) {
        let second = self.second.get() + 1;
        self.second.set(second);
        for connection in self.connections.borrow().values() {
            connection.tick(second);
        }
    }

    pub(super) fn enter(&self, connection: &Rc<Connection>) {
        self.connections
            .borrow_mut()
            .insert(connection.socket.id, connection.clone());
    }

    pub(super) fn leave(&self, connection: &Connection) {
        self.connections.borrow_mut().remove(&connection.socket.id);
    }

    /// Has a connection delivered to when the feed gains something. The feed listens to this shard
    /// already.
    pub(super) fn follow(
        &self,
        feed: &Arc<Feed>,
        connection: &Rc<Connection>,
    ) -> Rc<Subscriptions> {
        let new = || {
            Rc::new(Subscriptions {
                feed: feed.clone(),
                by: RefCell::default(),
                batches: RefCell::default(),
            })
        };
        let subscriptions = self
            .feeds
            .borrow_mut()
            .entry(feed.id)
            .or_insert_with(new)
            .clone();
        subscriptions
            .by
            .borrow_mut()
            .insert(connection.socket.id, connection.clone());
        subscriptions
    }

    pub(super) fn unfollow(&self, subscriptions: &Subscriptions, connection: &Connection) {
        subscriptions.by.borrow_mut().remove(&connection.socket.id);
        if subscriptions.by.borrow().is_empty() {
            self.feeds.borrow_mut().remove(&subscriptions.feed.id);
            subscriptions.feed.leave(self.bell.index);
        }
    }

    pub(super) fn index(&self) -> usize {
        self.bell.index
    }
}
