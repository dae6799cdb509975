//! From bytes as they arrive to whole messages (RFC 6455, sections 5 to 8).

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

use std::mem::take;

use super::deflate::{Inflater, append};
use super::header::{Fault, Frame, Header, Opcode, split};

/// What a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A text message, inflated if it was compressed.
    Text(String),
    /// A binary message, inflated if it was compressed.
    Binary(Vec<u8>),
    /// To be answered with a pong of the same at most 125 bytes.
    Ping(Vec<u8>),
    /// The answer to a ping, or unsolicited. Its payload is dropped.
    Pong,
    /// The client wants to end, with a code and a reason or without. To be answered with a close
    /// frame of the same code; nothing that arrives after it counts.
    Close(Option<(u16, String)>),
}

/// Decodes the bytes of one connection to messages. Holds memory only while a message is
/// incomplete, and no more than its bytes so far need.
pub struct Reader {
    /// The longest message taken, in bytes.
    max_bytes: usize,
    /// The payloads of the incomplete message, unmasked, still compressed if they are. After them,
    /// what has arrived of a control frame.
    buffered: Vec<u8>,
    step: Step,
    message: Option<PartialMessage>,
    deflate: bool,
}

// Ten thousand idle connections hold one each.
const _: () = assert!(size_of::<Reader>() <= 64);

/// The position in the frame that is arriving.
#[derive(Clone, Copy)]
enum Step {
    Header(Header),
    Payload(Frame),
}

/// Frames of one message with fewer than [`SMALL_FRAME_BYTES`]. The bytes of a message bound the
/// number of the others.
const MAX_SMALL_FRAMES: u16 = 256;
const SMALL_FRAME_BYTES: usize = 16;

/// A message of which frames are still to come.
#[derive(Clone, Copy)]
struct PartialMessage {
    small_frames: u16,
    text: bool,
    deflated: bool,
    /// How many of the last buffered bytes belong to an incomplete UTF-8 character: at most 3.
    incomplete: u8,
}

impl Reader {
    /// A reader for a new connection that takes messages of up to `max_bytes` bytes, counted after
    /// inflating. `deflate`: whether compression was agreed.
    pub fn new(max_bytes: usize, deflate: bool) -> Self {
        Self {
            max_bytes,
            buffered: Vec::new(),
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
                Some(partial) => self.data(partial, frame, payload, inflater)?,
                None => return Err(Fault::Protocol), // cannot be: a header begins one or is refused
            };
            if message.is_some() || frame.left > 0 {
                return Ok(message);
            }
        }
        Ok(None)
    }

    /// Whether a frame, or a message of several frames, has begun and is not complete.
    pub fn is_mid_message(&self) -> bool {
        self.message.is_some() || !matches!(self.step, Step::Header(header) if header.len == 0)
    }

    /// The frame that the next bytes belong to. None: its header has not wholly arrived.
    fn frame(&mut self, input: &mut &mut [u8]) -> Result<Option<Frame>, Fault> {
        let mut header = match self.step {
            Step::Payload(frame) => return Ok(Some(frame)),
            Step::Header(header) => header,
        };
        // The first two bytes are checked at once: after wrong ones often no more will come.
        if header.len < 2 && header.fill(2, input) {
            self.check(&header)?;
        }
        if header.len < 2 || !header.fill(header.whole(), input) {
            self.step = Step::Header(header);
            return Ok(None);
        }
        let frame = header.frame()?;
        if !frame.opcode.is_control() {
            let deflated = header.is_deflated();
            let partial = self.message.get_or_insert(PartialMessage {
                small_frames: 0,
                text: frame.opcode == Opcode::Text,
                deflated,
                incomplete: 0,
            });
            partial.small_frames += u16::from(frame.left < SMALL_FRAME_BYTES);
            if partial.small_frames > MAX_SMALL_FRAMES {
                return Err(Fault::TooManyFrames);
            }
            let partial = *partial;
            if frame.left > self.max_payload(partial) - self.buffered.len() {
                return Err(Fault::TooLarge);
            }
        }
        Ok(Some(frame))
    }

    /// Checks the first two bytes of a header against each other, what was agreed and the
    /// incomplete message.
    fn check(&self, header: &Header) -> Result<(), Fault> {
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
    fn max_payload(&self, partial: PartialMessage) -> usize {
        // What cannot be compressed grows a little: with short blocks, or with the fixed code's 9
        // bits for a byte, by an eighth.
        if partial.deflated {
            self.max_bytes.saturating_add(self.max_bytes / 8 + 64)
        } else {
            self.max_bytes
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
            self.buffered.reserve_exact(payload.len() + frame.left);
            self.buffered.extend_from_slice(payload);
            if frame.left > 0 {
                return Ok(None);
            }
            match self.message {
                Some(_) => self.buffered.split_off(self.buffered.len() - whole),
                None => take(&mut self.buffered),
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
        partial: PartialMessage,
        frame: Frame,
        payload: &[u8],
        inflater: &mut Inflater,
    ) -> Result<Option<Message>, Fault> {
        let ends = frame.last && frame.left == 0;
        // Most messages come in one piece, which then is all that is copied.
        if !ends || !self.buffered.is_empty() {
            let max = self.max_payload(partial);
            append(&mut self.buffered, payload, max);
        }
        if !ends {
            let incomplete = if partial.text && !partial.deflated {
                incomplete_bytes(
                    &self.buffered,
                    payload.len() + usize::from(partial.incomplete),
                )?
            } else {
                0
            };
            self.message = Some(PartialMessage {
                incomplete,
                ..partial
            });
            return Ok(None);
        }
        self.message = None;
        let buffered = take(&mut self.buffered);
        let body = match (partial.deflated, buffered.is_empty()) {
            (true, true) => inflater.inflate(payload, self.max_bytes)?,
            (true, false) => inflater.inflate(&buffered, self.max_bytes)?,
            (false, true) => payload.to_vec(),
            (false, false) => buffered,
        };
        let message = if partial.text {
            Message::Text(String::from_utf8(body).map_err(|_| Fault::NotUtf8)?)
        } else {
            Message::Binary(body)
        };
        Ok(Some(message))
    }
}

impl Step {
    const START: Self = Self::Header(Header::EMPTY);
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
fn incomplete_bytes(text: &[u8], new: usize) -> Result<u8, Fault> {
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
