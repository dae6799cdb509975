//! A connection: a socket's stream and the state that its shard holds for it. It reads into its
//! shard's buffer and writes bytes that it shares with other connections.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::batches::{Batch, FeedBatches};
use super::frame::Encoding;
use super::incoming::read_messages;
use super::keepalive::{Due, Keepalive};
use super::outbox::Outbox;
use super::protocol::ToClient;
use super::shard_context::ShardContext;
use super::socket::Socket;
use super::subscriptions::Subscriptions;
use crate::engine::websocket::{Fault, Message, Reader, frames};

static PING: Bytes = Bytes::from_static(&frames::PING);

/// The order of the fields places those that a delivery reads next to each other: they are no
/// longer in the processor's cache by then, and loading them is most of a delivery's cost besides
/// the system call.
#[repr(C)]
pub(super) struct Connection {
    /// Whether it is queued for a delivery.
    pub(super) due: Cell<bool>,
    /// While its rights are being checked no frame may pass.
    held: Cell<bool>,
    dead: Cell<bool>,
    /// One read brought too many messages: it is closed once the first of them are handled.
    flooded: Cell<bool>,
    encoding: Encoding,
    /// The feed that the next gathering starts from (round robin), so that a busy feed does not
    /// starve the others.
    next_feed: Cell<usize>,
    outbox: Outbox,
    pub(super) subscriptions: Subscriptions,
    pub(super) socket: Arc<Socket>,
    keepalive: Keepalive,
    waker: RefCell<Option<Waker>>,
}

/// What a connection's task has to handle.
pub(super) enum Event {
    /// Bytes may be read.
    Readable,
    /// All unsent bytes were written: frames may be delivered again.
    Flushed,
    /// A flag of the socket is set.
    Signalled,
    /// The peer is gone: closed, broken, silent or stuck.
    Dead,
}

/// What is left to do after a delivery.
#[derive(Default)]
pub(super) struct Delivery {
    /// There is more to deliver, and the peer takes it.
    pub(super) has_more: bool,
    /// Feeds that are no longer followed, because their ring no longer holds the next frames.
    pub(super) lost: Vec<Rc<FeedBatches>>,
}

/// Why nothing more is read.
pub(super) enum Ended {
    Dead,
    Fault(Fault),
}

impl Connection {
    /// A connection to which no frame is delivered before [`Self::release`].
    pub(super) fn new(
        socket: Arc<Socket>,
        stream: TcpStream,
        encoding: Encoding,
        second: u32,
    ) -> Self {
        Self {
            due: Cell::new(false),
            held: Cell::new(true),
            dead: Cell::new(false),
            flooded: Cell::new(false),
            encoding,
            next_feed: Cell::new(0),
            outbox: Outbox::new(stream),
            subscriptions: Subscriptions::default(),
            socket,
            keepalive: Keepalive::new(second),
            waker: RefCell::default(),
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn mark_dead(&self) {
        self.dead.set(true);
        self.wake();
    }

    /// Wakes its task. If its rights are to be checked, no frame passes before that.
    pub(super) fn handle_signal(&self) {
        if self.socket.recheck.load(Ordering::Acquire) {
            self.hold(); // the task finds the flag and releases it
        }
        self.wake();
    }

    /// Lets no frame pass until [`Self::release`].
    pub(super) fn hold(&self) {
        self.held.set(true);
    }

    /// Lets frames pass again. The caller queues it for a delivery.
    pub(super) fn release(&self) {
        self.held.set(false);
    }

    /// It leaves the queue, and what a delivery reads is brought into the processor's cache.
    pub(super) fn prefetch(&self) {
        self.due.set(false);
        self.subscriptions.prefetch();
    }

    /// Gathers what its feeds gained and writes it at once.
    pub(super) fn deliver(&self, context: &ShardContext) -> Delivery {
        if self.held.get() || self.dead.get() || !self.outbox.is_empty() {
            return Delivery::default(); // whoever ends that queues it again
        }
        let mut batches = context.gathered.borrow_mut();
        batches.clear();
        let (first, feeds) = (self.next_feed.get(), &self.subscriptions);
        let gathered = feeds.gather(first, self.encoding, context, &mut batches);
        // A right that changed before these frames were published was signalled by then: it is
        // checked first. Whether anybody was signalled is in the cache, a socket's own flag is not.
        if context.has_signals() && self.socket.recheck.load(Ordering::Acquire) {
            self.wake();
            return Delivery::default();
        }
        feeds.advance(&batches);
        context.count_delivered(batches.iter().map(|(_, batch)| batch.frames).sum());
        self.next_feed.set(first.wrapping_add(1));
        let lost = if gathered.lost.is_empty() {
            Vec::new()
        } else {
            feeds.remove(gathered.lost)
        };
        self.write(&batches, &refreshes(&lost, context));
        Delivery {
            has_more: gathered.has_more && self.outbox.is_empty(),
            lost,
        }
    }

    fn write(&self, gathered: &[(usize, Batch)], refreshes: &[Bytes]) {
        let batches = gathered.iter().map(|(_, batch)| &batch.bytes);
        let pieces = batches.chain(refreshes).filter(|bytes| !bytes.is_empty());
        let written = self.outbox.write(pieces);
        self.after_write(true, written);
    }

    /// Sends an answer, behind what waits.
    pub(super) fn send(&self, bytes: Bytes) {
        if self.dead.get() {
            return;
        }
        let was_empty = self.outbox.is_empty();
        let written = self.outbox.send(bytes);
        self.after_write(was_empty, written);
    }

    /// When bytes begin to wait, the task is woken to wait for the stream to take them.
    fn after_write(&self, was_empty: bool, written: io::Result<()>) {
        if written.is_err() {
            self.mark_dead();
        } else if was_empty && !self.outbox.is_empty() {
            self.keepalive.has_written(); // the next tick starts the clock
            self.wake();
        }
    }

    /// Called every second: pings, and notices a silent or stuck peer.
    pub(super) fn tick(&self, second: u32) {
        let has_unsent = !self.outbox.is_empty();
        match self.keepalive.tick(second, self.socket.id, has_unsent) {
            Due::Nothing => {}
            Due::Ping => self.send(PING.clone()),
            Due::Close => self.mark_dead(),
        }
    }

    /// Waits for something to handle. Nothing is read while the peer does not take the answers to
    /// what it said.
    pub(super) async fn event(&self) -> Event {
        poll_fn(|task| self.poll_event(task)).await
    }

    fn poll_event(&self, task: &mut Context<'_>) -> Poll<Event> {
        if self.dead.get() {
            return Poll::Ready(Event::Dead);
        }
        if self.socket.has_flags() {
            return Poll::Ready(Event::Signalled);
        }
        if self.poll_flush(task).is_ready() {
            return Poll::Ready(Event::Flushed);
        }
        if self.dead.get() {
            return Poll::Ready(Event::Dead);
        }
        let mut is_readable =
            || self.flooded.get() || self.outbox.stream.poll_read_ready(task).is_ready();
        if self.outbox.is_empty() && is_readable() {
            return Poll::Ready(Event::Readable);
        }
        self.waker.replace(Some(task.waker().clone()));
        Poll::Pending
    }

    /// Ready when there was something to write and all of it is written. Pending, with the
    /// connection marked dead, when the peer is gone.
    fn poll_flush(&self, task: &mut Context<'_>) -> Poll<()> {
        while !self.outbox.is_empty() {
            let flushed = match self.outbox.stream.poll_write_ready(task) {
                Poll::Ready(ready) => ready.and_then(|()| self.outbox.flush()),
                Poll::Pending => return Poll::Pending,
            };
            match flushed {
                Ok(0) => {} // not ready after all: asking again registers the task
                Ok(_) if self.outbox.is_empty() => {
                    self.keepalive.has_written();
                    return Poll::Ready(());
                }
                Ok(_) => self.keepalive.has_written(),
                Err(_) => {
                    self.dead.set(true);
                    return Poll::Pending;
                }
            }
        }
        Poll::Pending
    }

    /// Reads what is there and takes the whole messages out of it.
    pub(super) fn read(
        &self,
        context: &ShardContext,
        reader: &mut Reader,
    ) -> Result<Vec<Message>, Ended> {
        if self.flooded.get() {
            return Err(Ended::Fault(Fault::TooManyFrames));
        }
        let mut buffer = context.read_buffer.borrow_mut();
        let len = match self.outbox.stream.try_read(&mut buffer) {
            Ok(0) => return Err(Ended::Dead),
            Ok(len) => len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Vec::new()),
            Err(_) => return Err(Ended::Dead),
        };
        self.take(&mut buffer[..len], context, reader)
    }

    /// Takes the whole messages out of bytes that were read here or with the handshake. When they
    /// are too many the rest is dropped, and the next [`Self::read`] fails.
    pub(super) fn take(
        &self,
        bytes: &mut [u8],
        context: &ShardContext,
        reader: &mut Reader,
    ) -> Result<Vec<Message>, Ended> {
        self.keepalive.has_read(context.second.get());
        let inflater = &mut context.inflater.borrow_mut();
        let incoming = read_messages(bytes, reader, inflater).map_err(Ended::Fault)?;
        self.flooded.set(incoming.is_flood);
        Ok(incoming.messages)
    }

    /// Sends the last bytes and waits until the peer has closed, so that they are not lost to a
    /// reset. The caller bounds the time.
    pub(super) async fn finish(&self, last: Bytes) {
        self.hold();
        self.send(last);
        let stream = &self.outbox.stream;
        if !self.flush_all().await || SockRef::from(stream).shutdown(Shutdown::Write).is_err() {
            return;
        }
        let mut rest = [0; 512];
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut rest) {
                Ok(0) => return,
                Err(error) if error.kind() != ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }

    /// Whether the peer has taken everything.
    async fn flush_all(&self) -> bool {
        poll_fn(|task| {
            let is_done = self.outbox.is_empty() || self.dead.get();
            if is_done || self.poll_flush(task).is_ready() || self.dead.get() {
                Poll::Ready(!self.dead.get())
            } else {
                Poll::Pending
            }
        })
        .await
    }
}

/// What the client is told of feeds that it has lost. It refetches all of them at one moment.
fn refreshes(lost: &[Rc<FeedBatches>], context: &ShardContext) -> Vec<Bytes> {
    if lost.is_empty() {
        return Vec::new();
    }
    let within = context.refetches.reserve();
    let refresh = |batches: &Rc<FeedBatches>| {
        let feed = &batches.feed.name;
        message(&ToClient::Refresh { feed, within })
    };
    lost.iter().map(refresh).collect()
}

/// A control message on the wire.
pub(super) fn message(message: &ToClient) -> Bytes {
    let mut bytes = Vec::new();
    frames::text(message.text().as_bytes(), &mut bytes);
    bytes.into()
}
