//! What comes on a socket, whole and broken, in pieces of every size.

use super::*;
use crate::engine::websocket::deflate::Deflater;

const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D]; // that of the RFC's examples

/// A masked frame. `first`: its first byte.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
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
pub(super) fn read_in_pieces(
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
fn rfc_6455_examples_are_read() {
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
fn rfc_7692_examples_are_read() {
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
fn control_frames_between_fragments_are_read() {
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
fn protocol_violation_is_code_1002() {
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
fn close_with_reserved_code_is_refused() {
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
fn invalid_utf8_is_found_at_its_byte() {
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
fn too_large_message_is_refused_by_its_header() {
    let header_of = |bytes: Vec<u8>, header: usize| bytes[..header].to_vec();
    let mut reader = Reader::new(1000, true);
    assert_eq!(
        read_in_pieces(&mut reader, header_of(frame(0x82, &[0; 1001]), 8), &[3]),
        Err(Fault::TooLarge)
    );
    assert_eq!(reader.buffered.capacity(), 0);
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
fn deflate_bomb_is_too_large() {
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
fn broken_deflate_is_code_1007() {
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
fn reader_holds_nothing_between_messages() {
    let mut reader = Reader::new(1000, true);
    assert!(!reader.is_mid_message());
    let deflated = Deflater::new().deflate(&[7; 700]);
    for bytes in [
        frame(0x81, &[b'a'; 700]),
        frame(0x89, b"ping"),
        frame(0xC2, &deflated),
        [frame(0x02, b"a"), frame(0x80, b"b")].concat(),
    ] {
        for end in 1..bytes.len() {
            read_in_pieces(&mut reader, bytes[..end].to_vec(), &[7]).unwrap();
            assert!(reader.is_mid_message());
            read_in_pieces(&mut reader, bytes[end..].to_vec(), &[7]).unwrap();
            assert!(!reader.is_mid_message());
            assert_eq!(reader.buffered.capacity(), 0);
        }
    }
}

#[test]
fn unmask_undoes_mask_at_every_length() {
    for length in 0..40 {
        let mut payload: Vec<u8> = (0..length)
            .map(|at| at ^ MASK[usize::from(at) % 4])
            .collect();
        unmask(&mut payload, MASK);
        assert_eq!(payload, (0..length).collect::<Vec<_>>());
    }
}

#[test]
fn endless_empty_fragments_are_refused() {
    const SMALL_FRAMES: usize = MAX_SMALL_FRAMES as usize;
    let empty = [frame(0x01, b""), frame(0x00, b"").repeat(SMALL_FRAMES - 1)].concat();
    let whole = [empty.clone(), frame(0x80, b"")].concat();
    assert_eq!(read(empty).unwrap(), []);
    assert_eq!(read(whole), Err(Fault::TooManyFrames));
    // A frame for each byte of a small message, and small frames of a large one.
    let bytes = frame(0x00, b"a").repeat(SMALL_FRAMES - 2);
    let small = [frame(0x01, b"a"), bytes, frame(0x80, b"a")].concat();
    assert_eq!(read(small).unwrap(), [text(&"a".repeat(SMALL_FRAMES))]);
    let pieces = frame(0x00, &[1; SMALL_FRAME_BYTES]).repeat(2_000);
    let large = [frame(0x02, b""), pieces, frame(0x80, b"")].concat();
    let read = read_in_pieces(&mut Reader::new(40_000, false), large, &[usize::MAX]);
    assert_eq!(
        read.unwrap(),
        [Message::Binary(vec![1; 2_000 * SMALL_FRAME_BYTES])]
    );
}
