//! A connection's stream and the bytes that its peer has not taken yet.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};

use bytes::{Buf, Bytes};
use smallvec::SmallVec;
use socket2::SockRef;
use tokio::net::TcpStream;

const MAX_WRITE_SLICES: usize = 64; // of one vectored write
const MAX_IDLE_CAPACITY: usize = 4; // slots of an empty queue that are worth keeping

/// The stream comes first: a delivery looks at both, and at nothing beyond.
#[repr(C)]
pub(super) struct Outbox {
    pub(super) stream: TcpStream,
    /// Bounded: one gathering of batches and the answers to what the peer said.
    unsent: RefCell<VecDeque<Bytes>>,
}

impl Outbox {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            unsent: RefCell::default(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unsent.borrow().is_empty()
    }

    /// Writes these pieces at once and keeps what the peer does not take. Only while empty.
    ///
    /// # Errors
    /// When the peer is gone.
    pub(super) fn write<'a>(
        &self,
        pieces: impl Iterator<Item = &'a Bytes> + Clone,
    ) -> io::Result<()> {
        let mut first = pieces.clone();
        let mut taken = match (first.next(), first.next()) {
            (None, _) => return Ok(()),
            (Some(one), None) => self.try_send(one)?,
            _ => self.try_write(pieces.clone())?,
        };
        for bytes in pieces {
            if taken >= bytes.len() {
                taken -= bytes.len();
            } else {
                self.unsent.borrow_mut().push_back(bytes.slice(taken..));
                taken = 0;
            }
        }
        Ok(())
    }

    /// Writes bytes behind those that wait.
    ///
    /// # Errors
    /// When the peer is gone.
    pub(super) fn send(&self, bytes: Bytes) -> io::Result<()> {
        let taken = if self.is_empty() {
            self.try_send(&bytes)?
        } else {
            0
        };
        if taken < bytes.len() {
            self.unsent.borrow_mut().push_back(bytes.slice(taken..));
        }
        Ok(())
    }

    /// Writes once of what waits. How many bytes the peer took; after 0 the stream's readiness to
    /// write has to be waited for.
    ///
    /// # Errors
    /// When the peer is gone.
    pub(super) fn flush(&self) -> io::Result<usize> {
        let mut unsent = self.unsent.borrow_mut();
        let taken = self.try_write(unsent.iter())?;
        let mut left = taken;
        while let Some(first) = unsent.front_mut()
            && left > 0
        {
            let part = left.min(first.len());
            first.advance(part);
            left -= part;
            if first.is_empty() {
                unsent.pop_front();
            }
        }
        if unsent.is_empty() && unsent.capacity() > MAX_IDLE_CAPACITY {
            *unsent = VecDeque::new();
        }
        Ok(taken)
    }

    /// The shorter way through the kernel, which bypasses the runtime's note of which sockets are
    /// ready. It must not be relied on to learn that this one is not, as [`Self::flush`] does.
    fn try_send(&self, bytes: &[u8]) -> io::Result<usize> {
        zero_if_blocked(SockRef::from(&self.stream).send(bytes))
    }

    fn try_write<'a>(&self, pieces: impl Iterator<Item = &'a Bytes>) -> io::Result<usize> {
        let slices: SmallVec<[IoSlice<'_>; 8]> = pieces
            .take(MAX_WRITE_SLICES)
            .map(|bytes| IoSlice::new(bytes))
            .collect();
        zero_if_blocked(self.stream.try_write_vectored(&slices))
    }
}

fn zero_if_blocked(written: io::Result<usize>) -> io::Result<usize> {
    match written {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}
