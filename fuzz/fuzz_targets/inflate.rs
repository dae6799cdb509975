//! Inflates any bytes: the inflater must neither panic nor exceed its limit, also after a fault; and
//! deflating and inflating the bytes must return them.
#![no_main]
#![allow(dead_code)]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;

#[path = "../../src/engine/websocket/deflate.rs"]
mod deflate;
#[path = "../../src/engine/websocket/reader.rs"]
mod reader;

use deflate::{Deflater, Inflater};

thread_local! {
    static CODEC: RefCell<(Inflater, Deflater)> = RefCell::default();
}

fuzz_target!(|input: &[u8]| {
    let Some((limit, bytes)) = input.split_first_chunk::<2>() else {
        return;
    };
    let limit = usize::from(u16::from_le_bytes(*limit));
    CODEC.with_borrow_mut(|(inflater, deflater)| {
        if let Ok(plain) = inflater.inflate(bytes, limit) {
            assert!(plain.capacity() <= limit);
        }
        assert_eq!(
            inflater
                .inflate(&deflater.deflate(bytes), bytes.len())
                .as_deref(),
            Ok(bytes)
        );
    });
});
