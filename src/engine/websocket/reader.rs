//! From bytes as they arrive to whole messages (RFC 6455, sections 5 to 8).

#[cfg(test)]
mod tests;

use std::mem::take;

use super::deflate::{Inflater, append};

/// What a client said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text message, inflated if it was compressed.
    Text(String),
    /// A binary message, inflated if it was compressed.
    Binary(Vec<u8>),
    /// To be answered with a pong of the same at most 125 bytes.
    Ping(Vec<u8>),
    /// The answer to a ping, or said unasked. What it carries is left out.
    Pong,
    /// The client wants to end, with a code and a reason or without. To be answered with a close
    /// frame of the same code; nothing that arrives after it counts.
    Close(Option<(u16, String)>),
}

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
}

impl Fault {
    /// The code to close with (RFC 6455, section 7.4.1).
    pub fn code(self) -> u16 {
        match self {
            Self::Protocol => 1002,
            Self::NotUtf8 | Self::NotDeflate => 1007,
            Self::TooLarge => 1009,
        }
    }
}

/// Makes messages of one connection's bytes. Holds memory only while a message is under way, and no
/// more than its bytes so far ask for.
pub struct Reader {
    /// The longest message taken, in bytes.
    longest: usize,
    /// The payloads of the message under way, unmasked, still compressed if they are. After them,
    /// what has arrived of a control frame.
    kept: Vec<u8>,
    step: Step,
    message: Option<Begun>,
    deflate: bool,
}

// Ten thousand idle connections hold one each.
const _: () = assert!(size_of::<Reader>() <= 64);

/// Where in a frame we are.
#[derive(Clone, Copy)]
enum Step {
    Header(Header),
    Payload(Frame),
}

/// A frame's header as far as it has arrived.
#[derive(Clone, Copy)]
struct Header {
    bytes: [u8; 14],
    len: u8,
}

/// A frame whose payload is arriving.
#[derive(Clone, Copy)]
struct Frame {
    /// Bytes still to come.
    left: usize,
    /// For the next byte first.
    mask: [u8; 4],
    opcode: Opcode,
    last: bool,
    /// Length of a control frame's whole payload.
    control: u8,
}

/// A message of which frames are still to come.
#[derive(Clone, Copy)]
struct Begun {
    text: bool,
    deflated: bool,
    /// How many of the last bytes kept begin a character that has not ended yet: at most 3.
    unended: u8,
}

/// What a frame is for (RFC 6455, section 5.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Reader {
    /// A reader for a new connection that takes messages of up to `longest` bytes, counted after
    /// inflating. `deflate`: whether compression was agreed.
    pub fn new(longest: usize, deflate: bool) -> Self {
        Self {
            longest,
            kept: Vec::new(),
            step: Step::START,
            message: None,
            deflate,
        }
    }

    /// Takes what arrived, unmasks it in place and gives back the first message that it ends, with
    /// `input` moved on to what follows. None: all of it was taken and more is needed.
    ///
    /// # Errors
    /// As soon as the bytes so far can no longer become valid; the connection has to be failed, and
    /// the reader dropped.
    pub fn next(
        &mut self,
        input: &mut &mut [u8],
        inflater: &mut Inflater,
    ) -> Result<Option<Message>, Fault> {
        while let Some(mut frame) = self.frame(input)? {
            let payload = split(input, frame.left);
            unmask(payload, frame.mask);
            frame.left -= payload.len();
            frame.mask.rotate_left(payload.len() % 4);
            self.step = if frame.left == 0 {
                Step::START
            } else {
                Step::Payload(frame)
            };
            let message = match self.message {
                _ if frame.opcode.is_control() => self.control(frame, payload)?,
                Some(begun) => self.data(begun, frame, payload, inflater)?,
                None => return Err(Fault::Protocol), // cannot be: a header begins one or is refused
            };
            if message.is_some() || frame.left > 0 {
                return Ok(message);
            }
        }
        Ok(None)
    }

    /// Whether the client is amid something: inside a frame, or between the frames of a message.
    pub fn is_amid(&self) -> bool {
        self.message.is_some() || !matches!(self.step, Step::Header(Header { len: 0, .. }))
    }

    /// The frame that the next bytes belong to. None: its header has not wholly arrived.
    fn frame(&mut self, input: &mut &mut [u8]) -> Result<Option<Frame>, Fault> {
        let mut header = match self.step {
            Step::Payload(frame) => return Ok(Some(frame)),
            Step::Header(header) => header,
        };
        // The first two bytes are judged at once: what is wrong with them often means that no more
        // will come.
        if header.len < 2 && header.fill(2, input) {
            self.judge(&header)?;
        }
        if header.len < 2 || !header.fill(header.whole(), input) {
            self.step = Step::Header(header);
            return Ok(None);
        }
        let frame = header.frame()?;
        if !frame.opcode.is_control() {
            let deflated = header.is_deflated();
            let begun = *self.message.get_or_insert(Begun {
                text: frame.opcode == Opcode::Text,
                deflated,
                unended: 0,
            });
            if frame.left > self.most(begun) - self.kept.len() {
                return Err(Fault::TooLarge);
            }
        }
        Ok(Some(frame))
    }

    /// Checks the first two bytes of a header against each other, what was agreed and the message
    /// under way.
    fn judge(&self, header: &Header) -> Result<(), Fault> {
        let [first, second, ..] = header.bytes;
        let opcode = header.opcode()?;
        let allowed = match opcode {
            Opcode::Continuation => self.message.is_some() && !header.is_deflated(),
            Opcode::Text | Opcode::Binary => {
                self.message.is_none() && (self.deflate || !header.is_deflated())
            }
            Opcode::Close | Opcode::Ping | Opcode::Pong => {
                header.is_last() && second & 0x7F <= 125 && !header.is_deflated()
            }
        };
        let (reserved, masked) = (first & 0x30 != 0, second & 0x80 != 0);
        if allowed && masked && !reserved {
            Ok(())
        } else {
            Err(Fault::Protocol)
        }
    }

    /// How many bytes of payload a message may have.
    fn most(&self, begun: Begun) -> usize {
        // What cannot be compressed grows a little: with short blocks, or with the fixed code's 9
        // bits for a byte, by an eighth.
        if begun.deflated {
            self.longest.saturating_add(self.longest / 8 + 64)
        } else {
            self.longest
        }
    }

    /// Takes a piece of a control frame, which may come between the frames of a message.
    fn control(&mut self, frame: Frame, payload: &[u8]) -> Result<Option<Message>, Fault> {
        let whole = usize::from(frame.control);
        let body = if payload.len() == whole {
            payload.to_vec()
        } else if payload.is_empty() {
            return Ok(None); // only its header came
        } else {
            self.kept.reserve_exact(payload.len() + frame.left);
            self.kept.extend_from_slice(payload);
            if frame.left > 0 {
                return Ok(None);
            }
            match self.message {
                Some(_) => self.kept.split_off(self.kept.len() - whole),
                None => take(&mut self.kept),
            }
        };
        match frame.opcode {
            Opcode::Ping => Ok(Some(Message::Ping(body))),
            Opcode::Pong => Ok(Some(Message::Pong)),
            _ => close(&body).map(Some),
        }
    }

    /// Takes a piece of a message.
    fn data(
        &mut self,
        begun: Begun,
        frame: Frame,
        payload: &[u8],
        inflater: &mut Inflater,
    ) -> Result<Option<Message>, Fault> {
        let ends = frame.last && frame.left == 0;
        // Most messages come in one piece, which then is all that is copied.
        if !ends || !self.kept.is_empty() {
            let most = self.most(begun);
            append(&mut self.kept, payload, most);
        }
        if !ends {
            let unended = if begun.text && !begun.deflated {
                unended(&self.kept, payload.len() + usize::from(begun.unended))?
            } else {
                0
            };
            self.message = Some(Begun { unended, ..begun });
            return Ok(None);
        }
        self.message = None;
        let kept = take(&mut self.kept);
        let body = match (begun.deflated, kept.is_empty()) {
            (true, true) => inflater.inflate(payload, self.longest)?,
            (true, false) => inflater.inflate(&kept, self.longest)?,
            (false, true) => payload.to_vec(),
            (false, false) => kept,
        };
        let message = if begun.text {
            Message::Text(String::from_utf8(body).map_err(|_| Fault::NotUtf8)?)
        } else {
            Message::Binary(body)
        };
        Ok(Some(message))
    }
}

impl Step {
    const START: Self = Self::Header(Header {
        bytes: [0; 14],
        len: 0,
    });
}

impl Header {
    /// Takes what is missing up to `wanted` bytes. Whether they are all there.
    fn fill(&mut self, wanted: usize, input: &mut &mut [u8]) -> bool {
        let len = usize::from(self.len);
        let taken = split(input, wanted - len);
        self.bytes[len..len + taken.len()].copy_from_slice(taken);
        self.len += taken.len() as u8;
        usize::from(self.len) == wanted
    }

    /// Its length, mask included. Known once two bytes are there.
    fn whole(&self) -> usize {
        match self.bytes[1] & 0x7F {
            127 => 14,
            126 => 8,
            _ => 6,
        }
    }

    fn is_last(&self) -> bool {
        self.bytes[0] & 0x80 != 0
    }

    fn is_deflated(&self) -> bool {
        self.bytes[0] & 0x40 != 0
    }

    fn opcode(&self) -> Result<Opcode, Fault> {
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

    /// What it says, once it is whole. A length has to be in the fewest bytes and below 2^63 (RFC
    /// 6455, section 5.2).
    fn frame(&self) -> Result<Frame, Fault> {
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
    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// Takes up to `most` bytes from the front.
fn split<'a>(input: &mut &'a mut [u8], most: usize) -> &'a mut [u8] {
    let available = input.len();
    let (front, rest) = take(input).split_at_mut(most.min(available));
    *input = rest;
    front
}

/// Undoes the client's masking (RFC 6455, section 5.3). Eight bytes at a time, which the compiler
/// makes into vectors.
fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let word = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

/// Checks the last `new` bytes of a text that goes on, and says how many of them are the beginning
/// of a character.
fn unended(text: &[u8], new: usize) -> Result<u8, Fault> {
    let new = &text[text.len() - new..];
    match std::str::from_utf8(new) {
        Ok(_) => Ok(0),
        Err(error) if error.error_len().is_none() => Ok((new.len() - error.valid_up_to()) as u8),
        Err(_) => Err(Fault::NotUtf8),
    }
}

/// Reads the payload of a close frame (RFC 6455, section 5.5.1).
fn close(body: &[u8]) -> Result<Message, Fault> {
    let Some((code, reason)) = body.split_first_chunk() else {
        return if body.is_empty() {
            Ok(Message::Close(None))
        } else {
            Err(Fault::Protocol)
        };
    };
    let code = u16::from_be_bytes(*code);
    // 1004 to 1006 and 1015 are never sent; 1016 to 2999 mean nothing yet (RFC 6455, section 7.4,
    // and the registry it made).
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Fault::Protocol);
    }
    let reason = std::str::from_utf8(reason).map_err(|_| Fault::NotUtf8)?;
    Ok(Message::Close(Some((code, reason.to_owned()))))
}
