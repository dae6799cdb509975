//! Reads any bytes in chunks of any sizes: the reader must neither panic nor exceed its limits, and
//! the result must not depend on the chunks.
#![no_main]
#![allow(dead_code)]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

#[path = "../../src/engine/websocket/deflate.rs"]
mod deflate;
#[path = "../../src/engine/websocket/reader.rs"]
mod reader;

use deflate::Inflater;
use reader::{Fault, Message, Reader};

thread_local! {
    static INFLATER: RefCell<Inflater> = RefCell::default();
}

const MAX_MESSAGE_BYTES: usize = 300; // bytes

/// Reads bytes in chunks of these sizes.
fn read(
    mut bytes: Vec<u8>,
    sizes: impl Iterator<Item = usize>,
    deflate: bool,
    inflater: &mut Inflater,
) -> (Vec<Message>, Option<Fault>) {
    let (mut reader, mut messages, mut rest) = (
        Reader::new(MAX_MESSAGE_BYTES, deflate),
        Vec::new(),
        &mut bytes[..],
    );
    for size in sizes {
        let (mut piece, later) = rest.split_at_mut(size.min(rest.len()));
        loop {
            match reader.next(&mut piece, inflater) {
                Ok(Some(message)) => {
                    match &message {
                        Message::Text(text) => assert!(text.capacity() <= MAX_MESSAGE_BYTES),
                        Message::Binary(bytes) => assert!(bytes.capacity() <= MAX_MESSAGE_BYTES),
                        Message::Ping(payload) => assert!(payload.len() <= 125),
                        Message::Close(Some((code, reason))) => {
                            assert!(*code >= 1000 && reason.len() <= 123)
                        }
                        Message::Pong | Message::Close(None) => {}
                    }
                    messages.push(message);
                }
                Ok(None) => break,
                Err(fault) => return (messages, Some(fault)),
            }
        }
        assert!(piece.is_empty(), "the reader consumes every chunk");
        if later.is_empty() {
            break;
        }
        rest = later;
    }
    (messages, None)
}

// The first byte says whether compression was negotiated and whether frames are masked, the next
// three are the sizes of the chunks.
fuzz_target!(|input: &[u8]| {
    let Some(([flags, sizes @ ..], bytes)) = input.split_first_chunk::<4>() else {
        return;
    };
    let mut bytes = bytes.to_vec();
    if flags & 2 != 0 {
        mask_headers(&mut bytes);
    }
    let deflate = flags & 1 != 0;
    let chunks = sizes.iter().map(|size| usize::from(*size).max(1)).cycle();
    let (in_chunks, whole) = INFLATER.with_borrow_mut(|inflater| {
        (
            read(bytes.clone(), chunks, deflate, inflater),
            read(bytes, std::iter::once(usize::MAX), deflate, inflater),
        )
    });
    assert_eq!(in_chunks, whole);
});

/// Sets the mask bit of each short frame, so that a fuzzer gets past the first header more often.
fn mask_headers(bytes: &mut [u8]) {
    let mut at = 1;
    while let Some(second) = bytes.get_mut(at) {
        *second |= 0x80;
        at += 6 + usize::from(*second & 0x7F);
    }
}
