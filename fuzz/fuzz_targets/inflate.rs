//! Any bytes as a compressed message: the inflater must neither panic nor give more than it was
//! allowed, also after a fault; and what the deflater makes of the bytes must come back as it was.
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
    static BOTH: RefCell<(Inflater, Deflater)> = RefCell::default();
}

fuzz_target!(|input: &[u8]| {
    let Some((longest, bytes)) = input.split_first_chunk::<2>() else { return };
    let longest = usize::from(u16::from_le_bytes(*longest));
    BOTH.with_borrow_mut(|(inflater, deflater)| {
        if let Ok(plain) = inflater.inflate(bytes, longest) {
            assert!(plain.capacity() <= longest);
        }
        assert_eq!(inflater.inflate(&deflater.deflate(bytes), bytes.len()).as_deref(), Ok(bytes));
    });
});
