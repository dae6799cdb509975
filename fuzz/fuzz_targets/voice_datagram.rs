//! Reads any bytes as a datagram that arrives on the port of voice before anybody is known: it must
//! not panic, and the name that it finds must stand in the bytes before a colon.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../src/modules/voice/sfu/datagram.rs"]
mod datagram;

fuzz_target!(|bytes: &[u8]| {
    if let Some(name) = datagram::addressed_ufrag(bytes) {
        let named = format!("{name}:");
        let mut places = bytes.windows(named.len());
        assert!(places.any(|place| place == named.as_bytes()));
    }
});
