//! What the connections of a shard share on its thread: buffers, codecs, the clock and counters.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::batches::{Batch, FeedBatches};
use super::frame::Encoding;
use super::refetch::RefetchPacer;
use super::shard_handle::ShardHandle;
use crate::engine::websocket::{Deflater, Inflater};

const READ_BUFFER_BYTES: usize = 64 << 10; // at most taken by one read

pub(super) struct ShardContext {
    pub(super) handle: Arc<ShardHandle>,
    pub(super) refetches: Arc<RefetchPacer>,
    /// Feeds that hold batches.
    warm: RefCell<Vec<Rc<FeedBatches>>>,
    /// The batches of the connection that is being delivered to, with the position of their feed in
    /// its list. Kept here so that a delivery allocates nothing.
    pub(super) gathered: RefCell<Vec<(usize, Batch)>>,
    /// What arrives on any socket is read here; a connection keeps only the start of an incomplete
    /// message.
    pub(super) read_buffer: RefCell<Box<[u8]>>,
    pub(super) inflater: RefCell<Inflater>,
    deflater: RefCell<Deflater>,
    /// Frames delivered since the metric was last increased.
    delivered: Cell<u64>,
    /// How many of the handle's signals were passed on.
    pub(super) signals: Cell<u64>,
    /// Seconds since the shard started. As exact as connections need it.
    pub(super) second: Cell<u32>,
}

impl ShardContext {
    pub(super) fn new(handle: Arc<ShardHandle>, refetches: Arc<RefetchPacer>) -> Self {
        Self {
            handle,
            refetches,
            warm: RefCell::default(),
            gathered: RefCell::default(),
            read_buffer: RefCell::new(vec![0; READ_BUFFER_BYTES].into()),
            inflater: RefCell::new(Inflater::new()),
            deflater: RefCell::new(Deflater::new()),
            delivered: Cell::new(0),
            signals: Cell::new(0),
            second: Cell::new(0),
        }
    }

    /// Whether sockets were signalled whose connections do not know it yet.
    pub(super) fn has_signals(&self) -> bool {
        self.handle.signals() != self.signals.get()
    }

    /// What comes after frame `seen`, made once for all connections at that position; nothing when
    /// the ring no longer reaches back so far.
    pub(super) fn batch_after(
        &self,
        feed: &Rc<FeedBatches>,
        seen: u64,
        encoding: Encoding,
    ) -> Option<Batch> {
        let held = feed.find(seen, encoding);
        if held.is_some() {
            return held;
        }
        let is_cold = feed.is_empty();
        let batch = feed.make(seen, encoding, &mut self.deflater.borrow_mut());
        if is_cold && !feed.is_empty() {
            self.warm.borrow_mut().push(feed.clone());
        }
        batch
    }

    pub(super) fn count_delivered(&self, frames: usize) {
        self.delivered.set(self.delivered.get() + frames as u64);
    }

    /// Nobody waits for bytes any more: frees the batches and updates the metric.
    pub(super) fn release_batches(&self) {
        for feed in self.warm.borrow_mut().drain(..) {
            feed.clear();
        }
        let delivered = self.delivered.take();
        if delivered > 0 {
            metrics::counter!("tidepool_frames_delivered_total").increment(delivered);
        }
    }
}
