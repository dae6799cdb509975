//! Properties of the reader, for random messages, pieces and bytes.

use proptest::prelude::*;

use super::tests::{frame, read_in_pieces};
use super::*;
use crate::engine::websocket::deflate::Deflater;

/// A message, as the client sends it: in how many bytes a frame, compressed or not, with a ping
/// after each frame or not.
fn any_message() -> impl Strategy<Value = (Message, usize, bool, bool)> {
    let message = prop_oneof![
        "\\PC{0,300}".prop_map(Message::Text),
        prop::collection::vec(any::<u8>(), 0..2000).prop_map(Message::Binary),
        prop::collection::vec(any::<u8>(), 0..=125).prop_map(Message::Ping),
        Just(Message::Pong),
    ];
    (message, 1..1000_usize, any::<bool>(), any::<bool>())
}

fn frames_of(
    message: &Message,
    size: usize,
    deflated: bool,
    pings: bool,
    expected: &mut Vec<Message>,
) -> Vec<u8> {
    let (opcode, body) = match message {
        Message::Text(text) => (1, text.as_bytes()),
        Message::Binary(body) => (2, &body[..]),
        Message::Ping(body) => return frame(0x89, body),
        _ => return frame(0x8A, b"!"),
    };
    let body = if deflated {
        Deflater::new().deflate(body)
    } else {
        body.to_vec()
    };
    // Fewer small frames than a message may have.
    let size = size.max(body.len().div_ceil(200)).max(1);
    let mut chunks: Vec<_> = body.chunks(size).collect();
    if chunks.is_empty() {
        chunks.push(b"");
    }
    let mut bytes = Vec::new();
    for (at, chunk) in chunks.iter().enumerate() {
        let last = at + 1 == chunks.len();
        let first = if at == 0 {
            opcode | u8::from(deflated) << 6
        } else {
            0
        };
        bytes.extend(frame(first | u8::from(last) << 7, chunk));
        if pings && !last {
            bytes.extend(frame(0x89, b"between"));
            expected.push(Message::Ping(b"between".into()));
        }
    }
    bytes
}

/// The first byte and the payload of a frame. Mostly one that begins or continues a message.
fn any_frame() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let begins = [0x01_u8, 0x82, 0xC1, 0x42, 0x80].map(Just);
    let [text, binary, deflated_text, deflated_binary, end] = begins;
    let first = prop_oneof![
        text,
        binary,
        deflated_text,
        deflated_binary,
        end,
        any::<u8>()
    ];
    (first, prop::collection::vec(any::<u8>(), 0..200))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn messages_are_the_same_in_any_pieces(
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
        prop_assert!(!reader.is_mid_message());
    }

    #[test]
    fn random_bytes_never_panic_or_exceed_limit(
        pieces in prop::collection::vec(any_frame(), 0..10),
        size in 1..300_usize,
    ) {
        let frames = pieces.iter().flat_map(|(first, payload)| frame(*first, payload));
        let mut bytes: Vec<u8> = frames.collect();
        let (mut reader, mut inflater) = (Reader::new(300, true), Inflater::new());
        'read: for mut piece in bytes.chunks_mut(size) {
            loop {
                let read = reader.next(&mut piece, &mut inflater);
                let limit = reader.max_bytes + reader.max_bytes / 8 + 64 + 125;
                prop_assert!(reader.buffered.capacity() <= limit);
                match read {
                    Ok(Some(Message::Text(text))) => prop_assert!(text.capacity() <= 300),
                    Ok(Some(Message::Binary(body))) => prop_assert!(body.len() <= 300),
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(_) => break 'read,
                }
            }
        }
    }
}
