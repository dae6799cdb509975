//! A connection: a socket's stream and all that the server keeps for it. No buffer stands ready for
//! reading or writing.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use smallvec::SmallVec;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::frame::Encoding;
use super::protocol::ToClient;
use super::shard::Shard;
use super::socket::Socket;
use super::subscriptions::{Batch, Subscriptions};
use crate::engine::websocket::{Fault, Message, Reader, frames};

const INLINE_FEEDS: usize = 5; // feeds of a page; more are kept apart
const MAX_FLUSH_FRAMES: usize = 64; // frames gathered from a connection's feeds for one write
const PING_INTERVAL_SECS: u32 = 8; // seconds
const READ_TIMEOUT_SECS: u32 = 17; // seconds: two pings unanswered, the plug is pulled
const WRITE_TIMEOUT_SECS: u32 = 15; // seconds: a peer that takes nothing for so long is gone
const MAX_WRITE_SLICES: usize = 64; // of one write

static PING: Bytes = Bytes::from_static(&frames::PING);

/// A feed that a connection follows, and how far it has come.
struct Following {
    subscriptions: Rc<Subscriptions>,
    seen: u64,
}

/// In this order what a delivery looks at lies together: by the next one the processor has
/// forgotten it, and fetching it is most of what a delivery costs beside the system call.
#[repr(C)]
pub(super) struct Connection {
    /// Whether it waits for a delivery.
    pub(super) due: Cell<bool>,
    /// While its rights are being proved no frame may pass.
    held: Cell<bool>,
    gone: Cell<bool>,
    encoding: Encoding,
    /// The feed that the next gathering starts from, so that a busy one does not starve the others.
    turn: Cell<usize>,
    stream: TcpStream,
    /// What the peer has not taken yet: one gathering and the answers to what it said, at most.
    unsent: RefCell<VecDeque<Bytes>>,
    following: RefCell<SmallVec<[Following; INLINE_FEEDS]>>,
    pub(super) socket: Arc<Socket>,
    heard: Cell<u32>,
    moved: Cell<u32>,
    waker: RefCell<Option<Waker>>,
}

/// What a connection's task has to see to.
pub(super) enum Event {
    /// Bytes may be read.
    Readable,
    /// The rest of the server wants something: the socket's marks say what.
    Signalled,
    /// The peer is gone: closed, broken, silent or stuck.
    Gone,
}

impl Connection {
    /// A connection that is held.
    pub(super) fn new(
        socket: Arc<Socket>,
        stream: TcpStream,
        encoding: Encoding,
        second: u32,
    ) -> Self {
        Self {
            due: Cell::new(false),
            held: Cell::new(true),
            gone: Cell::new(false),
            encoding,
            turn: Cell::new(0),
            stream,
            unsent: RefCell::default(),
            following: RefCell::default(),
            socket,
            heard: Cell::new(second),
            moved: Cell::new(second),
            waker: RefCell::default(),
        }
    }

    /// Has its task look around.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn mark_dead(&self) {
        self.gone.set(true);
        self.wake();
    }

    /// Has its task answer a call, before any frame passes if it was to prove its rights.
    pub(super) fn handle_signal(&self) {
        if self.socket.recheck.load(Ordering::Acquire) {
            self.hold(); // the task finds the mark and releases it
        }
        self.wake();
    }

    /// Lets no frame pass until [`Self::release`].
    pub(super) fn hold(&self) {
        self.held.set(true);
    }

    pub(super) fn release(self: &Rc<Self>, shard: &Shard) {
        self.held.set(false);
        shard.is_due_now(self);
    }

    /// Its turn has come: it no longer waits, and what a delivery looks at is fetched.
    pub(super) fn prefetch(self: &Rc<Self>) {
        self.due.set(false);
        std::hint::black_box(self.following.borrow().first().map(|one| one.seen));
    }

    /// Gathers what its feeds gained and writes it at once. Whether there is more and the peer
    /// takes it.
    pub(super) fn deliver(&self, shard: &Shard) -> bool {
        if self.held.get() || self.gone.get() || !self.unsent.borrow().is_empty() {
            return false; // whoever ends that comes back here
        }
        let mut gathered = shard.gathered.borrow_mut();
        gathered.clear();
        let mut lost = Vec::new();
        let (mut room, mut more) = (MAX_FLUSH_FRAMES, false);
        let mut following = self.following.borrow_mut();
        let count = following.len();
        for place in (0..count).map(|n| (self.turn.get() + n) % count) {
            let Following {
                subscriptions,
                seen,
            } = &following[place];
            if subscriptions.feed.log.head() == *seen {
                continue;
            }
            if room == 0 {
                more = true;
                break;
            }
            match subscriptions.after(*seen, self.encoding, shard) {
                Some(batch) => {
                    room = room.saturating_sub(batch.frames);
                    more |= batch.full;
                    gathered.push((place, batch));
                }
                None => lost.push(place),
            }
        }
        // A right that changed before these frames were published was called by then: it is proved
        // first. Whether anybody was called at all lies at hand, which a socket's own mark does
        // not.
        if shard.has_signals() && self.socket.recheck.load(Ordering::Acquire) {
            self.wake();
            return false;
        }
        for (place, batch) in gathered.iter() {
            following[*place].seen = batch.upto;
            shard.count_delivered(batch.frames as u64);
        }
        self.turn.set(self.turn.get().wrapping_add(1));
        let mut refresh = Vec::new();
        // The client refetches all that it lost at one moment.
        let within = if lost.is_empty() {
            0
        } else {
            shard.refetches.reserve()
        };
        lost.sort_unstable();
        for place in lost.into_iter().rev() {
            let gone = following.remove(place);
            shard.unfollow(&gone.subscriptions, self);
            refresh.push(message(&ToClient::Refresh {
                feed: &gone.subscriptions.feed.name,
                within,
            }));
        }
        drop(following);
        self.write(&gathered, &refresh);
        more && self.unsent.borrow().is_empty()
    }

    fn write(&self, gathered: &[(usize, Batch)], refresh: &[Bytes]) {
        let pieces = || {
            gathered
                .iter()
                .map(|(_, batch)| &batch.bytes)
                .chain(refresh)
                .filter(|bytes| !bytes.is_empty())
        };
        let mut taken = match (pieces().next(), pieces().nth(1)) {
            (None, _) => return,
            (Some(one), None) => self.try_send(one),
            _ => self.try_write(
                &pieces()
                    .map(|bytes| IoSlice::new(bytes))
                    .collect::<Vec<_>>(),
            ),
        };
        for bytes in pieces() {
            if taken >= bytes.len() {
                taken -= bytes.len();
            } else {
                self.wait_with(bytes.slice(taken..));
                taken = 0;
            }
        }
    }

    /// How many bytes the peer's buffer took. The shorter way through the kernel, and past the
    /// runtime's note of which sockets are ready: it must not be relied on to learn that this one
    /// is not, as [`Self::flush`] does.
    fn try_send(&self, bytes: &[u8]) -> usize {
        self.taken(SockRef::from(&self.stream).send(bytes))
    }

    fn try_write(&self, pieces: &[IoSlice<'_>]) -> usize {
        self.taken(
            self.stream
                .try_write_vectored(&pieces[..pieces.len().min(MAX_WRITE_SLICES)]),
        )
    }

    fn taken(&self, written: io::Result<usize>) -> usize {
        match written {
            Ok(taken) => taken,
            Err(error) => {
                if error.kind() != ErrorKind::WouldBlock {
                    self.mark_dead();
                }
                0
            }
        }
    }

    fn wait_with(&self, bytes: Bytes) {
        let mut unsent = self.unsent.borrow_mut();
        if unsent.is_empty() {
            self.moved.set(u32::MAX); // the next beat starts the clock
            self.wake();
        }
        unsent.push_back(bytes);
    }

    /// Sends an answer, behind what is not sent yet.
    pub(super) fn send(&self, bytes: Bytes) {
        if self.gone.get() {
            return;
        }
        let taken = if self.unsent.borrow().is_empty() {
            self.try_send(&bytes)
        } else {
            0
        };
        if taken < bytes.len() {
            self.wait_with(bytes.slice(taken..));
        }
    }

    /// Writes what waits, as far as the peer takes it. Whether all is written.
    fn flush(&self) -> bool {
        let mut unsent = self.unsent.borrow_mut();
        while !unsent.is_empty() {
            let pieces: Vec<_> = unsent
                .iter()
                .take(MAX_WRITE_SLICES)
                .map(|bytes| IoSlice::new(bytes))
                .collect();
            let mut taken = self.try_write(&pieces);
            if taken == 0 {
                return false;
            }
            self.moved.set(u32::MAX);
            while let Some(first) = unsent.front_mut()
                && taken > 0
            {
                let part = taken.min(first.len());
                first.advance(part);
                taken -= part;
                if first.is_empty() {
                    unsent.pop_front();
                }
            }
        }
        if unsent.capacity() > 4 {
            *unsent = VecDeque::new();
        }
        true
    }

    /// Called every second: pings, and notices who is silent or stuck.
    pub(super) fn tick(&self, second: u32) {
        if self.moved.get() == u32::MAX {
            self.moved.set(second);
            self.heard.set(second); // who takes bytes is there
        }
        let stuck = !self.unsent.borrow().is_empty();
        if (stuck && second - self.moved.get() > WRITE_TIMEOUT_SECS)
            || second.saturating_sub(self.heard.get()) > READ_TIMEOUT_SECS
        {
            self.mark_dead();
        } else if !stuck
            && (u64::from(second) + self.socket.id).is_multiple_of(u64::from(PING_INTERVAL_SECS))
        {
            self.send(PING.clone());
        }
    }

    /// Waits for something to see to. Nothing is read while the peer does not take what it asked
    /// for.
    pub(super) async fn event(self: &Rc<Self>, shard: &Shard) -> Event {
        poll_fn(|task| self.poll_event(task, shard)).await
    }

    fn poll_event(self: &Rc<Self>, task: &mut Context<'_>, shard: &Shard) -> Poll<Event> {
        if self.gone.get() {
            return Poll::Ready(Event::Gone);
        }
        if self.socket.signals() {
            return Poll::Ready(Event::Signalled);
        }
        if self.poll_flush(task).is_ready() {
            shard.is_due_now(self);
        }
        if self.gone.get() {
            return Poll::Ready(Event::Gone);
        }
        if self.unsent.borrow().is_empty() && self.stream.poll_read_ready(task).is_ready() {
            return Poll::Ready(Event::Readable);
        }
        self.waker.replace(Some(task.waker().clone()));
        Poll::Pending
    }

    /// Ready when there was something to write and all of it is written.
    fn poll_flush(&self, task: &mut Context<'_>) -> Poll<()> {
        while !self.unsent.borrow().is_empty() {
            match self.stream.poll_write_ready(task) {
                Poll::Ready(Ok(())) if self.flush() => return Poll::Ready(()),
                Poll::Ready(Ok(())) if self.gone.get() => return Poll::Pending,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    self.gone.set(true);
                    return Poll::Pending;
                }
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Pending
    }

    /// Reads what is there and takes the whole messages out of it.
    pub(super) fn read(&self, shard: &Shard, reader: &mut Reader) -> Result<Vec<Message>, Ended> {
        let mut scratch = shard.scratch.borrow_mut();
        let came = match self.stream.try_read(&mut scratch) {
            Ok(0) => return Err(Ended::Gone),
            Ok(came) => came,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Vec::new()),
            Err(_) => return Err(Ended::Gone),
        };
        self.take(&mut scratch[..came], shard, reader)
    }

    /// The same of bytes that came with the handshake.
    pub(super) fn take(
        &self,
        mut bytes: &mut [u8],
        shard: &Shard,
        reader: &mut Reader,
    ) -> Result<Vec<Message>, Ended> {
        self.heard.set(shard.second.get());
        let mut messages = Vec::new();
        let mut inflater = shard.inflater.borrow_mut();
        while let Some(message) = reader
            .next(&mut bytes, &mut inflater)
            .map_err(Ended::Fault)?
        {
            messages.push(message);
        }
        Ok(messages)
    }

    /// Sends the last bytes and waits until the peer has closed, so that they are not lost to a
    /// reset. The caller bounds the time.
    pub(super) async fn finish(&self, last: Bytes) {
        self.hold();
        self.send(last);
        let written = poll_fn(|task| {
            if self.unsent.borrow().is_empty()
                || self.gone.get()
                || self.poll_flush(task).is_ready()
            {
                return Poll::Ready(!self.gone.get());
            }
            if self.gone.get() {
                Poll::Ready(false)
            } else {
                Poll::Pending
            }
        });
        if !written.await
            || SockRef::from(&self.stream)
                .shutdown(Shutdown::Write)
                .is_err()
        {
            return;
        }
        let mut rest = [0; 512];
        loop {
            if self.stream.readable().await.is_err() {
                return;
            }
            match self.stream.try_read(&mut rest) {
                Ok(0) => return,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
                _ => {}
            }
        }
    }

    pub(super) fn follows(&self) -> Vec<String> {
        self.following
            .borrow()
            .iter()
            .map(|one| one.subscriptions.feed.name.clone())
            .collect()
    }

    pub(super) fn follow(&self, subscriptions: Rc<Subscriptions>, seen: u64) {
        self.following.borrow_mut().push(Following {
            subscriptions,
            seen,
        });
    }

    pub(super) fn unfollow(&self, name: &str, shard: &Shard) {
        let place = self
            .following
            .borrow()
            .iter()
            .position(|one| one.subscriptions.feed.name == name);
        if let Some(place) = place {
            let left = self.following.borrow_mut().remove(place);
            shard.unfollow(&left.subscriptions, self);
        }
    }

    pub(super) fn unfollow_all(&self, shard: &Shard) {
        for left in self.following.take() {
            shard.unfollow(&left.subscriptions, self);
        }
    }
}

/// Why nothing more is read.
pub(super) enum Ended {
    Gone,
    Fault(Fault),
}

/// A control message on the wire.
pub(super) fn message(message: &ToClient) -> Bytes {
    let text = message.text();
    let mut bytes = Vec::new();
    frames::text(text.as_bytes(), &mut bytes);
    bytes.into()
}
