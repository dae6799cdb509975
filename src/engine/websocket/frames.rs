//! Frames as a server sends them: unmasked and each a whole message (RFC 6455, section 5.2). Each
//! function adds one frame to the end of `out`, so that several can leave in one write.

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PONG: u8 = 0xA;
const FINAL: u8 = 0x80;
const DEFLATED: u8 = 0x40; // RSV1 (RFC 7692, section 6)
const MAX_CONTROL_BYTES: usize = 125; // RFC 6455, section 5.5

/// A ping without a payload.
pub const PING: [u8; 2] = [0x89, 0];

/// A close frame without a code: the answer to one that had none.
pub const EMPTY_CLOSE: [u8; 2] = [0x88, 0];

/// A text message. The payload has to be UTF-8.
pub fn text(payload: &[u8], out: &mut Vec<u8>) {
    frame(FINAL | TEXT, payload, out);
}

/// A binary message.
pub fn binary(payload: &[u8], out: &mut Vec<u8>) {
    frame(FINAL | BINARY, payload, out);
}

/// A text message as a [`Deflater`](super::Deflater) made it, for a client that agreed and whose
/// window takes its length.
pub fn compressed_text(deflated: &[u8], out: &mut Vec<u8>) {
    frame(FINAL | DEFLATED | TEXT, deflated, out);
}

/// As [`compressed_text`], for a binary message.
pub fn compressed_binary(deflated: &[u8], out: &mut Vec<u8>) {
    frame(FINAL | DEFLATED | BINARY, deflated, out);
}

/// The answer to a ping: its payload back. A ping brings at most 125 bytes; what is beyond them is
/// left out.
pub fn pong(payload: &[u8], out: &mut Vec<u8>) {
    frame(
        FINAL | PONG,
        &payload[..payload.len().min(MAX_CONTROL_BYTES)],
        out,
    );
}

/// A close frame. A reason of more than 123 bytes is cut after a whole character.
pub fn close(code: u16, reason: &str, out: &mut Vec<u8>) {
    let reason = &reason[..reason.floor_char_boundary(MAX_CONTROL_BYTES - 2)];
    out.extend([FINAL | CLOSE, (2 + reason.len()) as u8]);
    out.extend(code.to_be_bytes());
    out.extend(reason.as_bytes());
}

fn frame(first: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.reserve(payload.len() + 10);
    match payload.len() {
        short @ 0..=125 => out.extend([first, short as u8]),
        medium @ 126..=0xFFFF => {
            out.extend([first, 126]);
            out.extend((medium as u16).to_be_bytes());
        }
        long => {
            out.extend([first, 127]);
            out.extend((long as u64).to_be_bytes());
        }
    }
    out.extend(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(make: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        make(&mut out);
        out
    }

    #[test]
    fn frames_match_the_rfcs() {
        assert_eq!(made(|out| text(b"Hello", out)), b"\x81\x05Hello");
        assert_eq!(made(|out| pong(b"Hello", out)), b"\x8a\x05Hello");
        assert_eq!(
            made(|out| compressed_text(b"\xf2\x48\xcd\xc9\xc9\x07\x00", out)),
            b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"
        );
        assert_eq!(made(|out| compressed_binary(b"\x00", out)), b"\xc2\x01\x00");
        assert_eq!(
            made(|out| binary(&[7; 256], out))[..5],
            [0x82, 0x7E, 0x01, 0x00, 7]
        );
        assert_eq!(
            made(|out| binary(&[7; 65536], out))[..11],
            [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0, 7]
        );
        assert_eq!(made(|out| close(1001, "bye", out)), b"\x88\x05\x03\xe9bye");
    }

    #[test]
    fn length_takes_the_fewest_bytes() {
        for (length, header) in [(0, 2), (125, 2), (126, 4), (65535, 4), (65536, 10)] {
            assert_eq!(
                made(|out| text(&vec![b'a'; length], out)).len(),
                header + length
            );
        }
    }

    #[test]
    fn control_frame_stays_within_125_bytes() {
        let long = made(|out| close(1000, &"ä".repeat(100), out));
        assert_eq!((long[1], long.len()), (124, 126)); // 61 whole characters, not 61 and a half
        assert_eq!(made(|out| pong(&[0; 200], out)).len(), 127);
    }
}
