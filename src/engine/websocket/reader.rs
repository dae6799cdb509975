//! From bytes as they arrive to whole messages (RFC 6455, sections 5 to 8).

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
    /// The client wants to end, with a code and a reason or without. To be answered with a close frame of the same code;
    /// nothing that arrives after it counts.
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

/// Makes messages of one connection's bytes. Holds memory only while a message is under way, and no more than its bytes so
/// far ask for.
pub struct Reader {
    /// The longest message taken, in bytes.
    longest: usize,
    /// The payloads of the message under way, unmasked, still compressed if they are. After them, what has arrived of a
    /// control frame.
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
    /// A reader for a new connection that takes messages of up to `longest` bytes, counted after inflating. `deflate`:
    /// whether compression was agreed.
    pub fn new(longest: usize, deflate: bool) -> Self {
        Self { longest, kept: Vec::new(), step: Step::START, message: None, deflate }
    }

    /// Takes what arrived, unmasks it in place and gives back the first message that it ends, with `input` moved on to what
    /// follows. None: all of it was taken and more is needed.
    ///
    /// # Errors
    /// As soon as the bytes so far can no longer become valid; the connection has to be failed, and the reader dropped.
    pub fn next(&mut self, input: &mut &mut [u8], inflater: &mut Inflater) -> Result<Option<Message>, Fault> {
        while let Some(mut frame) = self.frame(input)? {
            let payload = split(input, frame.left);
            unmask(payload, frame.mask);
            frame.left -= payload.len();
            frame.mask.rotate_left(payload.len() % 4);
            self.step = if frame.left == 0 { Step::START } else { Step::Payload(frame) };
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
        // The first two bytes are judged at once: what is wrong with them often means that no more will come.
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
            let begun = *self.message.get_or_insert(Begun { text: frame.opcode == Opcode::Text, deflated, unended: 0 });
            if frame.left > self.most(begun) - self.kept.len() {
                return Err(Fault::TooLarge);
            }
        }
        Ok(Some(frame))
    }

    /// Checks the first two bytes of a header against each other, what was agreed and the message under way.
    fn judge(&self, header: &Header) -> Result<(), Fault> {
        let [first, second, ..] = header.bytes;
        let opcode = header.opcode()?;
        let allowed = match opcode {
            Opcode::Continuation => self.message.is_some() && !header.is_deflated(),
            Opcode::Text | Opcode::Binary => self.message.is_none() && (self.deflate || !header.is_deflated()),
            Opcode::Close | Opcode::Ping | Opcode::Pong => header.is_last() && second & 0x7F <= 125 && !header.is_deflated(),
        };
        let (reserved, masked) = (first & 0x30 != 0, second & 0x80 != 0);
        if allowed && masked && !reserved { Ok(()) } else { Err(Fault::Protocol) }
    }

    /// How many bytes of payload a message may have.
    fn most(&self, begun: Begun) -> usize {
        // What cannot be compressed grows a little: with short blocks, or with the fixed code's 9 bits for a byte, by an eighth.
        if begun.deflated { self.longest.saturating_add(self.longest / 8 + 64) } else { self.longest }
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
    fn data(&mut self, begun: Begun, frame: Frame, payload: &[u8], inflater: &mut Inflater) -> Result<Option<Message>, Fault> {
        let ends = frame.last && frame.left == 0;
        // Most messages come in one piece, which then is all that is copied.
        if !ends || !self.kept.is_empty() {
            let most = self.most(begun);
            append(&mut self.kept, payload, most);
        }
        if !ends {
            let unended = if begun.text && !begun.deflated { unended(&self.kept, payload.len() + usize::from(begun.unended))? } else { 0 };
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
        let message = if begun.text { Message::Text(String::from_utf8(body).map_err(|_| Fault::NotUtf8)?) } else { Message::Binary(body) };
        Ok(Some(message))
    }
}

impl Step {
    const START: Self = Self::Header(Header { bytes: [0; 14], len: 0 });
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

    /// What it says, once it is whole. A length has to be in the fewest bytes and below 2^63 (RFC 6455, section 5.2).
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
        Ok(Frame { left, mask, opcode: self.opcode()?, last: self.is_last(), control: second & 0x7F })
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

/// Undoes the client's masking (RFC 6455, section 5.3). Eight bytes at a time, which the compiler makes into vectors.
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

/// Checks the last `new` bytes of a text that goes on, and says how many of them are the beginning of a character.
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
        return if body.is_empty() { Ok(Message::Close(None)) } else { Err(Fault::Protocol) };
    };
    let code = u16::from_be_bytes(*code);
    // 1004 to 1006 and 1015 are never sent; 1016 to 2999 mean nothing yet (RFC 6455, section 7.4, and the registry it made).
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Fault::Protocol);
    }
    let reason = std::str::from_utf8(reason).map_err(|_| Fault::NotUtf8)?;
    Ok(Message::Close(Some((code, reason.to_owned()))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::deflate::Deflater;
    use super::*;

    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D]; // that of the RFC's examples

    /// A masked frame. `first`: its first byte.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = match payload.len() {
            short @ 0..=125 => vec![first, 0x80 | short as u8],
            medium @ 126..=0xFFFF => [&[first, 0xFE], &(medium as u16).to_be_bytes()[..]].concat(),
            long => [&[first, 0xFF], &(long as u64).to_be_bytes()[..]].concat(),
        };
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    /// Reads bytes that arrive in pieces of `sizes`, over and over.
    fn read_in_pieces(reader: &mut Reader, mut bytes: Vec<u8>, sizes: &[usize]) -> Result<Vec<Message>, Fault> {
        let (mut messages, mut inflater, mut rest) = (Vec::new(), Inflater::new(), &mut bytes[..]);
        for size in sizes.iter().cycle() {
            let mut piece = split(&mut rest, *size);
            while let Some(message) = reader.next(&mut piece, &mut inflater)? {
                messages.push(message);
            }
            assert!(piece.is_empty());
            if rest.is_empty() {
                break;
            }
        }
        Ok(messages)
    }

    fn read(bytes: Vec<u8>) -> Result<Vec<Message>, Fault> {
        read_in_pieces(&mut Reader::new(1000, true), bytes, &[usize::MAX])
    }

    fn text(text: &str) -> Message {
        Message::Text(text.to_owned())
    }

    #[test]
    fn the_examples_of_rfc_6455_are_read() {
        assert_eq!(read(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".into()).unwrap(), [text("Hello")]);
        assert_eq!(read(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".into()).unwrap(), [Message::Pong]);
        assert_eq!(read([frame(0x01, b"Hel"), frame(0x80, b"lo")].concat()).unwrap(), [text("Hello")]);
        assert_eq!(read(frame(0x82, &[9; 256])).unwrap(), [Message::Binary(vec![9; 256])]);
        let mut reader = Reader::new(65536, false);
        assert_eq!(read_in_pieces(&mut reader, frame(0x82, &[9; 65536]), &[1000]).unwrap(), [Message::Binary(vec![9; 65536])]);
    }

    /// RFC 7692, section 7.2.3: one block, a stored one, a final one, two, and a message in two frames.
    #[test]
    fn the_examples_of_rfc_7692_are_read() {
        let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
        for bytes in [
            frame(0xC1, hello),
            frame(0xC1, b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"),
            frame(0xC1, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
            frame(0xC1, b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
            [frame(0x41, &hello[..3]), frame(0x80, &hello[3..])].concat(),
        ] {
            assert_eq!(read(bytes).unwrap(), [text("Hello")]);
        }
        assert_eq!(read(frame(0xC1, b"\x00")).unwrap(), [text("")]);
        assert_eq!(read(frame(0xC2, b"")).unwrap(), [Message::Binary(vec![])]);
    }

    #[test]
    fn control_frames_come_between_the_frames_of_a_message() {
        let bytes = [
            frame(0x01, "a€".as_bytes().split_at(2).0),
            frame(0x89, b"ping"),
            frame(0x00, b""),
            frame(0x8A, b"pong"),
            frame(0x80, "a€".as_bytes().split_at(2).1),
            frame(0x88, b"\x03\xe8bye"),
        ]
        .concat();
        let expected = [Message::Ping(b"ping".into()), Message::Pong, text("a€"), Message::Close(Some((1000, "bye".to_owned())))];
        for size in 1..bytes.len() {
            assert_eq!(read_in_pieces(&mut Reader::new(4, false), bytes.clone(), &[size]).unwrap(), expected, "pieces of {size}");
        }
    }

    #[test]
    fn every_break_of_the_protocol_is_1002() {
        let masked_length = |second: u8, length: &[u8]| [&[0x82, second], length, &MASK, &[0; 300]].concat();
        for bytes in [
            b"\x81\x05Hello".to_vec(),                       // not masked
            b"\x89\x00".to_vec(),                            // neither, and without a payload
            frame(0xA1, b""),                                // RSV2
            frame(0x91, b""),                                // RSV3
            frame(0xC9, b""),                                // a compressed control frame
            [frame(0x41, b""), frame(0xC0, b"")].concat(),   // RSV1 on a continuation
            frame(0x83, b""),                                // reserved opcodes
            frame(0x87, b""),                                //
            frame(0x8B, b""),                                //
            frame(0x8F, b""),                                //
            frame(0x80, b""),                                // a continuation of nothing
            [frame(0x01, b"a"), frame(0x81, b"b")].concat(), // a message amid another
            frame(0x09, b""),                                // a control frame in parts
            frame(0x89, &[0; 126]),                          // too long a control frame
            masked_length(0xFE, &[0, 125]),                  // lengths in more bytes than they need
            masked_length(0xFF, &[0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
            masked_length(0xFF, &[0x80, 0, 0, 0, 0, 0, 0, 0]), // a length of 64 bits
            frame(0x88, b"\x03"),                              // half a code
        ] {
            assert_eq!(read(bytes.clone()), Err(Fault::Protocol), "{bytes:x?}");
        }
        assert_eq!(read_in_pieces(&mut Reader::new(1000, false), frame(0xC1, b"\x00"), &[1]), Err(Fault::Protocol));
    }

    #[test]
    fn only_codes_that_mean_something_close() {
        for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999] {
            assert_eq!(read(frame(0x88, &u16::to_be_bytes(code))).unwrap(), [Message::Close(Some((code, String::new())))]);
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            assert_eq!(read(frame(0x88, &u16::to_be_bytes(code))), Err(Fault::Protocol), "{code}");
        }
        assert_eq!(read(frame(0x88, b"")).unwrap(), [Message::Close(None)]);
        assert_eq!(read(frame(0x88, b"\x03\xe8\xff")), Err(Fault::NotUtf8));
    }

    #[test]
    fn what_is_not_utf8_is_found_with_the_byte_that_breaks_it() {
        for (begun, breaks) in [(&b"caf"[..], 0xFF), (b"\xf4", 0x90), (b"\xed", 0xA0), (b"a\xe2\x82", b'a'), (b"", 0xC0)] {
            // The frame says that more is to come, and it never does.
            let mut bytes = frame(0x01, &[begun, &[breaks, b'.', b'.', b'.']].concat());
            bytes.truncate(bytes.len() - 3);
            let broken = bytes.pop().unwrap();
            let mut reader = Reader::new(1000, false);
            assert_eq!(read_in_pieces(&mut reader, bytes, &[1]), Ok(vec![]));
            assert_eq!(read_in_pieces(&mut reader, vec![broken], &[1]), Err(Fault::NotUtf8), "{begun:?}");
        }
        assert_eq!(read(frame(0x81, b"\xe2\x82")), Err(Fault::NotUtf8), "a character that never ends");
        assert_eq!(read([frame(0x01, b"\xe2\x82"), frame(0x80, b"")].concat()), Err(Fault::NotUtf8));
        assert_eq!(read(frame(0xC1, &Deflater::new().deflate(b"caf\xff"))), Err(Fault::NotUtf8));
    }

    #[test]
    fn what_is_too_large_is_refused_by_its_header() {
        let header_of = |bytes: Vec<u8>, header: usize| bytes[..header].to_vec();
        let mut reader = Reader::new(1000, true);
        assert_eq!(read_in_pieces(&mut reader, header_of(frame(0x82, &[0; 1001]), 8), &[3]), Err(Fault::TooLarge));
        assert_eq!(reader.kept.capacity(), 0);
        let huge = [&[0x82, 0xFF, 0x7F][..], &[0xFF; 7], &MASK].concat();
        assert_eq!(read(huge), Err(Fault::TooLarge));
        let parts = [frame(0x02, &[0; 600]), header_of(frame(0x80, &[0; 401]), 8)].concat();
        assert_eq!(read(parts), Err(Fault::TooLarge));
        assert_eq!(read([frame(0x02, &[0; 600]), frame(0x80, &[0; 400])].concat()).unwrap(), [Message::Binary(vec![0; 1000])]);
    }

    #[test]
    fn a_bomb_is_too_large() {
        let bomb = Deflater::new().deflate(&vec![0; 1_000_000]);
        assert!(bomb.len() < 2000);
        assert_eq!(read_in_pieces(&mut Reader::new(100_000, true), frame(0xC2, &bomb), &[500]), Err(Fault::TooLarge));
        let just = Deflater::new().deflate(&[0; 1000]);
        assert_eq!(read(frame(0xC2, &just)).unwrap(), [Message::Binary(vec![0; 1000])]);
        assert_eq!(read(frame(0xC2, &Deflater::new().deflate(&[0; 1001]))), Err(Fault::TooLarge));
    }

    #[test]
    fn what_is_not_deflated_is_1007() {
        for payload in [&b"\xff\xff\xff"[..], b"\xf2\x48\xcd", b"\x06"] {
            assert_eq!(read(frame(0xC2, payload)), Err(Fault::NotDeflate), "{payload:x?}");
        }
        assert_eq!(Fault::NotDeflate.code(), 1007);
    }

    #[test]
    fn between_messages_nothing_is_held() {
        let mut reader = Reader::new(1000, true);
        assert!(!reader.is_amid());
        let deflated = Deflater::new().deflate(&[7; 700]);
        for bytes in
            [frame(0x81, &[b'a'; 700]), frame(0x89, b"ping"), frame(0xC2, &deflated), [frame(0x02, b"a"), frame(0x80, b"b")].concat()]
        {
            for end in 1..bytes.len() {
                read_in_pieces(&mut reader, bytes[..end].to_vec(), &[7]).unwrap();
                assert!(reader.is_amid());
                read_in_pieces(&mut reader, bytes[end..].to_vec(), &[7]).unwrap();
                assert!(!reader.is_amid());
                assert_eq!(reader.kept.capacity(), 0);
            }
        }
    }

    #[test]
    fn unmasking_undoes_masking_at_every_length() {
        for length in 0..40 {
            let mut payload: Vec<u8> = (0..length).map(|at| at ^ MASK[usize::from(at) % 4]).collect();
            unmask(&mut payload, MASK);
            assert_eq!(payload, (0..length).collect::<Vec<_>>());
        }
    }

    /// A message, as the client sends it: in how many bytes a frame, compressed or not, with a ping after each frame or not.
    fn any_message() -> impl Strategy<Value = (Message, usize, bool, bool)> {
        let message = prop_oneof![
            "\\PC{0,300}".prop_map(Message::Text),
            prop::collection::vec(any::<u8>(), 0..2000).prop_map(Message::Binary),
            prop::collection::vec(any::<u8>(), 0..=125).prop_map(Message::Ping),
            Just(Message::Pong),
        ];
        (message, 1..1000_usize, any::<bool>(), any::<bool>())
    }

    fn frames_of(message: &Message, size: usize, deflated: bool, pings: bool, expected: &mut Vec<Message>) -> Vec<u8> {
        let (opcode, body) = match message {
            Message::Text(text) => (1, text.as_bytes()),
            Message::Binary(body) => (2, &body[..]),
            Message::Ping(body) => return frame(0x89, body),
            _ => return frame(0x8A, b"!"),
        };
        let body = if deflated { Deflater::new().deflate(body) } else { body.to_vec() };
        let mut chunks: Vec<_> = body.chunks(size).collect();
        if chunks.is_empty() {
            chunks.push(b"");
        }
        let mut bytes = Vec::new();
        for (at, chunk) in chunks.iter().enumerate() {
            let last = at + 1 == chunks.len();
            let first = if at == 0 { opcode | u8::from(deflated) << 6 } else { 0 };
            bytes.extend(frame(first | u8::from(last) << 7, chunk));
            if pings && !last {
                bytes.extend(frame(0x89, b"between"));
                expected.push(Message::Ping(b"between".into()));
            }
        }
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_messages_are_the_same_however_they_arrive(
            messages in prop::collection::vec(any_message(), 1..6),
            sizes in prop::collection::vec(1..3000_usize, 1..8),
        ) {
            let (mut bytes, mut expected) = (Vec::new(), Vec::new());
            for (message, size, deflated, pings) in messages {
                bytes.extend(frames_of(&message, size, deflated, pings, &mut expected));
                expected.push(message);
            }
            let mut reader = Reader::new(2000, true);
            prop_assert_eq!(read_in_pieces(&mut reader, bytes, &sizes), Ok(expected));
            prop_assert!(!reader.is_amid());
        }

        #[test]
        fn nothing_that_arrives_panics_or_is_kept_beyond_the_limit(
            pieces in prop::collection::vec((prop_oneof![Just(0x01_u8), Just(0x82), Just(0xC1), Just(0x42), Just(0x80), any::<u8>()],
                prop::collection::vec(any::<u8>(), 0..200)), 0..10),
            size in 1..300_usize,
        ) {
            let mut bytes = pieces.iter().flat_map(|(first, payload)| frame(*first, payload)).collect::<Vec<_>>();
            let (mut reader, mut inflater) = (Reader::new(300, true), Inflater::new());
            'read: for mut piece in bytes.chunks_mut(size) {
                loop {
                    let read = reader.next(&mut piece, &mut inflater);
                    prop_assert!(reader.kept.capacity() <= reader.longest + reader.longest / 8 + 64 + 125);
                    match read {
                        Ok(Some(Message::Text(text))) => prop_assert!(text.len() <= 300 && text.capacity() <= 300),
                        Ok(Some(Message::Binary(body))) => prop_assert!(body.len() <= 300),
                        Ok(Some(_)) => {}
                        Ok(None) => break,
                        Err(_) => break 'read,
                    }
                }
            }
        }
    }
}
