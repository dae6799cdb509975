//! The baseline of voice: a thread that takes packets and sends each to a list of addresses as it
//! came, with `recvmmsg` and `sendmmsg` and nothing in between.

use std::io::{IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, sendmmsg};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};

const MAX_DATAGRAM_BYTES: usize = 2_048;
/// How long a read waits, so that the thread sees that it is to end.
const READ_TIMEOUT: Duration = Duration::from_millis(50);

/// A reflector on a free port of the loopback, until it is dropped.
pub struct Reflector {
    /// Where it takes packets.
    pub address: SocketAddr,
    forwarded: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    stat: String,
}

impl Reflector {
    /// Starts one that sends to these.
    pub fn start(to: &[SocketAddr]) -> Result<Self> {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.set_read_timeout(Some(READ_TIMEOUT))?;
        let address = socket.local_addr()?;
        let mut targets = Vec::new();
        for target in to {
            let SocketAddr::V4(v4) = target else {
                bail!("{target} is not of IPv4");
            };
            targets.push(Some(SockaddrIn::from(SocketAddrV4::new(
                *v4.ip(),
                v4.port(),
            ))));
        }
        let (forwarded, is_over) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (counts, ends) = (forwarded.clone(), is_over.clone());
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            drop(tell.send(std::fs::read_link("/proc/thread-self")));
            drop(reflect(&socket, &targets, &counts, &ends));
        });
        let link = told.recv().context("the thread")??;
        Ok(Self {
            address,
            forwarded,
            is_over,
            thread: Some(thread),
            stat: format!("/proc/{}/schedstat", link.display()),
        })
    }

    /// The processor time of its thread.
    pub fn cpu(&self) -> Result<Duration> {
        let text = std::fs::read_to_string(&self.stat)?;
        let first = text.split(' ').next().context("no time")?;
        Ok(Duration::from_nanos(first.parse()?))
    }

    /// Packets that it has sent.
    pub fn forwarded(&self) -> u64 {
        self.forwarded.load(Ordering::Relaxed)
    }
}

impl Drop for Reflector {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn reflect(
    socket: &UdpSocket,
    targets: &[Option<SockaddrIn>],
    forwarded: &AtomicU64,
    is_over: &AtomicBool,
) -> Result<()> {
    let state = UdpSocketState::new(UdpSockRef::from(socket))?;
    // The state makes the socket non-blocking; here reading may wait.
    socket.set_nonblocking(false)?;
    let mut buffer = vec![0; BATCH_SIZE * state.gro_segments() * MAX_DATAGRAM_BYTES];
    let size = buffer.len() / BATCH_SIZE;
    let mut headers = MultiHeaders::preallocate(targets.len(), None);
    while !is_over.load(Ordering::Relaxed) {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let mut chunks = buffer.chunks_mut(size);
        let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] =
            std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
        let Ok(count) = state.recv(UdpSockRef::from(socket), &mut buffers, &mut metas) else {
            continue;
        };
        for (meta, read) in metas.iter().zip(&buffers).take(count) {
            for bytes in read[..meta.len].chunks(meta.stride.max(1)) {
                let slices = vec![[IoSlice::new(bytes)]; targets.len()];
                let sent = sendmmsg(
                    socket.as_raw_fd(),
                    &mut headers,
                    &slices,
                    targets,
                    [],
                    MsgFlags::empty(),
                );
                if sent.is_ok() {
                    forwarded.fetch_add(targets.len() as u64, Ordering::Relaxed);
                }
            }
        }
    }
    Ok(())
}
