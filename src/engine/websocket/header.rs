//! The header of a client's frame (RFC 6455, section 5.2).

use std::mem::take;

/// Why a connection has to be failed (RFC 6455, section 7.1.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The client broke the protocol.
    #[error("the client broke the websocket protocol")]
    Protocol,
    /// Text, or a close's reason, that is not UTF-8.
    #[error("a text that is not UTF-8")]
    NotUtf8,
    /// A compressed message that is not deflated data.
    #[error("a compressed message that cannot be inflated")]
    NotDeflate,
    /// A message longer than the reader takes.
    #[error("a message that is too large")]
    TooLarge,
    /// Far more frames than what they carry needs.
    #[error("too many frames")]
    TooManyFrames,
}

impl Fault {
    /// The code to close with (RFC 6455, section 7.4.1).
    pub fn code(self) -> u16 {
        match self {
            Self::Protocol => 1002,
            Self::NotUtf8 | Self::NotDeflate => 1007,
            Self::TooLarge => 1009,
            Self::TooManyFrames => 1008,
        }
    }
}

/// A frame's header as far as it has arrived.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) bytes: [u8; 14],
    /// How many of the bytes have arrived.
    pub(super) len: u8,
}

/// A frame whose payload is arriving.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Bytes still to come.
    pub(super) left: usize,
    /// Rotated so that its first byte is for the next byte of the payload.
    pub(super) mask: [u8; 4],
    pub(super) opcode: Opcode,
    pub(super) last: bool,
    /// Length of a control frame's whole payload.
    pub(super) control: u8,
}

/// What a frame is for (RFC 6455, section 5.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Header {
    pub(super) const EMPTY: Self = Self {
        bytes: [0; 14],
        len: 0,
    };

    /// Takes what is missing up to `wanted` bytes. Whether they are all there.
    pub(super) fn fill(&mut self, wanted: usize, input: &mut &mut [u8]) -> bool {
        let len = usize::from(self.len);
        let taken = split(input, wanted - len);
        self.bytes[len..len + taken.len()].copy_from_slice(taken);
        self.len += taken.len() as u8;
        usize::from(self.len) == wanted
    }

    /// Its length, mask included. Known once two bytes are there.
    pub(super) fn whole(&self) -> usize {
        match self.bytes[1] & 0x7F {
            127 => 14,
            126 => 8,
            _ => 6,
        }
    }

    pub(super) fn is_last(&self) -> bool {
        self.bytes[0] & 0x80 != 0
    }

    pub(super) fn is_deflated(&self) -> bool {
        self.bytes[0] & 0x40 != 0
    }

    pub(super) fn opcode(&self) -> Result<Opcode, Fault> {
        match self.bytes[0] & 0x0F {
            0x0 => Ok(Opcode::Continuation),
            0x1 => Ok(Opcode::Text),
            0x2 => Ok(Opcode::Binary),
            0x8 => Ok(Opcode::Close),
            0x9 => Ok(Opcode::Ping),
            0xA => Ok(Opcode::Pong),
            _ => Err(Fault::Protocol),
        }
    }

    /// Decodes it, once it is whole. A length has to be in the fewest bytes and below 2^63 (RFC
    /// 6455, section 5.2).
    pub(super) fn frame(&self) -> Result<Frame, Fault> {
        let [_, second, length @ .., _, _, _, _] = self.bytes;
        let [a, b, ..] = length;
        let (length, fewest) = match second & 0x7F {
            127 => (u64::from_be_bytes(length), (1 << 16)..=(u64::MAX >> 1)),
            126 => (u64::from(u16::from_be_bytes([a, b])), 126..=u64::MAX),
            short => (u64::from(short), 0..=u64::MAX),
        };
        if !fewest.contains(&length) {
            return Err(Fault::Protocol);
        }
        let left = usize::try_from(length).map_err(|_| Fault::TooLarge)?;
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.bytes[self.whole() - 4..self.whole()]);
        Ok(Frame {
            left,
            mask,
            opcode: self.opcode()?,
            last: self.is_last(),
            control: second & 0x7F,
        })
    }
}

impl Opcode {
    pub(super) fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Takes up to `max` bytes from the front.
pub(super) fn split<'a>(input: &mut &'a mut [u8], max: usize) -> &'a mut [u8] {
    let available = input.len();
    let (front, rest) = take(input).split_at_mut(max.min(available));
    *input = rest;
    front
}
