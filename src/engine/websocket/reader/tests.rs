//! What comes on a socket, whole and broken, in pieces of every size.

use proptest::prelude::*;

use super::*;
use crate::engine::websocket::deflate::Deflater;

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D]; // that of the RFC's examples

/// A masked frame. `first`: its first byte.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = match payload.len() {
        short @ 0..=125 => vec![first, 0x80 | short as u8],
        medium @ 126..=0xFFFF => [&[first, 0xFE], &(medium as u16).to_be_bytes()[..]].concat(),
        long => [&[first, 0xFF], &(long as u64).to_be_bytes()[..]].concat(),
    };
    frame.extend(MASK);
    frame.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

/// Reads bytes that arrive in pieces of `sizes`, over and over.
fn read_in_pieces(
    reader: &mut Reader,
    mut bytes: Vec<u8>,
    sizes: &[usize],
) -> Result<Vec<Message>, Fault> {
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
    assert_eq!(
        read(b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".into()).unwrap(),
        [text("Hello")]
    );
    assert_eq!(
        read(b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58".into()).unwrap(),
        [Message::Pong]
    );
    assert_eq!(
        read([frame(0x01, b"Hel"), frame(0x80, b"lo")].concat()).unwrap(),
        [text("Hello")]
    );
    assert_eq!(
        read(frame(0x82, &[9; 256])).unwrap(),
        [Message::Binary(vec![9; 256])]
    );
    let mut reader = Reader::new(65536, false);
    assert_eq!(
        read_in_pieces(&mut reader, frame(0x82, &[9; 65536]), &[1000]).unwrap(),
        [Message::Binary(vec![9; 65536])]
    );
}

/// RFC 7692, section 7.2.3: one block, a stored one, a final one, two, and a message in two frames.
#[test]
fn the_examples_of_rfc_7692_are_read() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    for bytes in [
        frame(0xC1, hello),
        frame(0xC1, b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"),
        frame(0xC1, b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
        frame(
            0xC1,
            b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
        ),
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
    let expected = [
        Message::Ping(b"ping".into()),
        Message::Pong,
        text("a€"),
        Message::Close(Some((1000, "bye".to_owned()))),
    ];
    for size in 1..bytes.len() {
        assert_eq!(
            read_in_pieces(&mut Reader::new(4, false), bytes.clone(), &[size]).unwrap(),
            expected,
            "pieces of {size}"
        );
    }
}

#[test]
fn every_break_of_the_protocol_is_1002() {
    let masked_length =
        |second: u8, length: &[u8]| [&[0x82, second], length, &MASK, &[0; 300]].concat();
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
    assert_eq!(
        read_in_pieces(&mut Reader::new(1000, false), frame(0xC1, b"\x00"), &[1]),
        Err(Fault::Protocol)
    );
}

#[test]
fn only_codes_that_mean_something_close() {
    for code in [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999] {
        assert_eq!(
            read(frame(0x88, &u16::to_be_bytes(code))).unwrap(),
            [Message::Close(Some((code, String::new())))]
        );
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
        assert_eq!(
            read(frame(0x88, &u16::to_be_bytes(code))),
            Err(Fault::Protocol),
            "{code}"
        );
    }
    assert_eq!(read(frame(0x88, b"")).unwrap(), [Message::Close(None)]);
    assert_eq!(read(frame(0x88, b"\x03\xe8\xff")), Err(Fault::NotUtf8));
}

#[test]
fn what_is_not_utf8_is_found_with_the_byte_that_breaks_it() {
    for (begun, breaks) in [
        (&b"caf"[..], 0xFF),
        (b"\xf4", 0x90),
        (b"\xed", 0xA0),
        (b"a\xe2\x82", b'a'),
        (b"", 0xC0),
    ] {
        // The frame says that more is to come, and it never does.
        let mut bytes = frame(0x01, &[begun, &[breaks, b'.', b'.', b'.']].concat());
        bytes.truncate(bytes.len() - 3);
        let broken = bytes.pop().unwrap();
        let mut reader = Reader::new(1000, false);
        assert_eq!(read_in_pieces(&mut reader, bytes, &[1]), Ok(vec![]));
        assert_eq!(
            read_in_pieces(&mut reader, vec![broken], &[1]),
            Err(Fault::NotUtf8),
            "{begun:?}"
        );
    }
    assert_eq!(
        read(frame(0x81, b"\xe2\x82")),
        Err(Fault::NotUtf8),
        "a character that never ends"
    );
    assert_eq!(
        read([frame(0x01, b"\xe2\x82"), frame(0x80, b"")].concat()),
        Err(Fault::NotUtf8)
    );
    assert_eq!(
        read(frame(0xC1, &Deflater::new().deflate(b"caf\xff"))),
        Err(Fault::NotUtf8)
    );
}

#[test]
fn what_is_too_large_is_refused_by_its_header() {
    let header_of = |bytes: Vec<u8>, header: usize| bytes[..header].to_vec();
    let mut reader = Reader::new(1000, true);
    assert_eq!(
        read_in_pieces(&mut reader, header_of(frame(0x82, &[0; 1001]), 8), &[3]),
        Err(Fault::TooLarge)
    );
    assert_eq!(reader.kept.capacity(), 0);
    let huge = [&[0x82, 0xFF, 0x7F][..], &[0xFF; 7], &MASK].concat();
    assert_eq!(read(huge), Err(Fault::TooLarge));
    let parts = [frame(0x02, &[0; 600]), header_of(frame(0x80, &[0; 401]), 8)].concat();
    assert_eq!(read(parts), Err(Fault::TooLarge));
    assert_eq!(
        read([frame(0x02, &[0; 600]), frame(0x80, &[0; 400])].concat()).unwrap(),
        [Message::Binary(vec![0; 1000])]
    );
}

#[test]
fn a_bomb_is_too_large() {
    let bomb = Deflater::new().deflate(&vec![0; 1_000_000]);
    assert!(bomb.len() < 2000);
    assert_eq!(
        read_in_pieces(&mut Reader::new(100_000, true), frame(0xC2, &bomb), &[500]),
        Err(Fault::TooLarge)
    );
    let just = Deflater::new().deflate(&[0; 1000]);
    assert_eq!(
        read(frame(0xC2, &just)).unwrap(),
        [Message::Binary(vec![0; 1000])]
    );
    assert_eq!(
        read(frame(0xC2, &Deflater::new().deflate(&[0; 1001]))),
        Err(Fault::TooLarge)
    );
}

#[test]
fn what_is_not_deflated_is_1007() {
    for payload in [&b"\xff\xff\xff"[..], b"\xf2\x48\xcd", b"\x06"] {
        assert_eq!(
            read(frame(0xC2, payload)),
            Err(Fault::NotDeflate),
            "{payload:x?}"
        );
    }
    assert_eq!(Fault::NotDeflate.code(), 1007);
}

#[test]
fn between_messages_nothing_is_held() {
    let mut reader = Reader::new(1000, true);
    assert!(!reader.is_amid());
    let deflated = Deflater::new().deflate(&[7; 700]);
    for bytes in [
        frame(0x81, &[b'a'; 700]),
        frame(0x89, b"ping"),
        frame(0xC2, &deflated),
        [frame(0x02, b"a"), frame(0x80, b"b")].concat(),
    ] {
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
        let mut payload: Vec<u8> = (0..length)
            .map(|at| at ^ MASK[usize::from(at) % 4])
            .collect();
        unmask(&mut payload, MASK);
        assert_eq!(payload, (0..length).collect::<Vec<_>>());
    }
}

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
