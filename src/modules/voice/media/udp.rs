//! The UDP socket of voice.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use anyhow::{Context, Result};
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};

/// What the system may hold for a socket: a few hundred milliseconds of a busy server.
const SOCKET_BYTES: usize = 4 << 20;
/// Of a datagram; browsers send less than 1,500.
const MAX_DATAGRAM_BYTES: usize = 2_048;
/// Batches that are read before anything else gets its turn.
const MAX_BATCHES: usize = 8;
/// Addresses whose way is known.
const MAX_WAYS: usize = 65_536;

/// A socket that takes IPv6 and IPv4 where the system has both.
///
/// # Errors
/// When the port is taken.
pub(super) fn bind(port: u16) -> Result<UdpSocket> {
    let both = || -> io::Result<Socket> {
        let socket = Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP))?;
        socket.set_only_v6(false)?;
        socket.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)).into())?;
        Ok(socket)
    };
    let only_v4 = || -> io::Result<Socket> {
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
        Ok(socket)
    };
    let socket = both().or_else(|_| only_v4());
    let socket = socket.with_context(|| format!("UDP port {port} cannot be had for voice"))?;
    // The system gives what it allows.
    drop(socket.set_recv_buffer_size(SOCKET_BYTES));
    drop(socket.set_send_buffer_size(SOCKET_BYTES));
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// The socket in use.
pub(super) struct UdpSide {
    socket: tokio::net::UdpSocket,
    state: UdpSocketState,
    is_v6: bool,
    buffer: Vec<u8>,
    /// The own address that each was heard on, and is answered from.
    ways: HashMap<SocketAddr, IpAddr>,
    /// Datagrams that the system did not take.
    pub(super) dropped: u64,
}

impl UdpSide {
    pub(super) fn new(socket: UdpSocket) -> Result<Self> {
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let is_v6 = socket.local_addr()?.is_ipv6();
        let buffer = vec![0; BATCH_SIZE * state.gro_segments() * MAX_DATAGRAM_BYTES];
        Ok(Self {
            socket: tokio::net::UdpSocket::from_std(socket)?,
            state,
            is_v6,
            buffer,
            ways: HashMap::new(),
            dropped: 0,
        })
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Reads what has come, and hands each datagram on with its source; `take` says whether it was
    /// for anybody.
    pub(super) fn read(&mut self, mut take: impl FnMut(SocketAddr, &[u8]) -> bool) {
        let size = self.buffer.len() / BATCH_SIZE;
        for _ in 0..MAX_BATCHES {
            let mut metas = [RecvMeta::default(); BATCH_SIZE];
            let mut chunks = self.buffer.chunks_mut(size);
            let mut buffers: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| IoSliceMut::new(chunks.next().unwrap_or_default()));
            let read = self.socket.try_io(tokio::io::Interest::READABLE, || {
                let socket = UdpSockRef::from(&self.socket);
                self.state.recv(socket, &mut buffers, &mut metas)
            });
            let Ok(count) = read else {
                return;
            };
            for (meta, buffer) in metas.iter().zip(&buffers).take(count) {
                let source = SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port());
                let mut is_known = false;
                for bytes in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    is_known |= take(source, bytes);
                }
                if let Some(own) = meta.dst_ip
                    && is_known
                    && self.ways.get(&source) != Some(&own)
                {
                    if self.ways.len() >= MAX_WAYS {
                        self.ways.clear();
                    }
                    self.ways.insert(source, own);
                }
            }
        }
    }

    /// Sends a datagram; one that the system does not take at once is lost, as on any network.
    pub(super) fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        let destination = match to.ip() {
            IpAddr::V4(v4) if self.is_v6 => SocketAddr::new(v4.to_ipv6_mapped().into(), to.port()),
            _ => to,
        };
        let transmit = Transmit {
            destination,
            ecn: None,
            contents: bytes,
            segment_size: None,
            src_ip: self.ways.get(&to).copied(),
        };
        // Not through the runtime's readiness, which is known only after it was idle.
        let sent = self.state.send(UdpSockRef::from(&self.socket), &transmit);
        self.dropped += u64::from(sent.is_err());
    }
}
