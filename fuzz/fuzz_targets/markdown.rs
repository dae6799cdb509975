//! Renders any text as a message: it must neither panic nor take long, and no HTML of its own may
//! appear in it.
#![no_main]
#![allow(dead_code)]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;

/// What the emoji of a space need of the server.
mod community {
    pub struct EmojiSet;

    impl EmojiSet {
        pub fn get(&self, name: &str) -> Option<u64> {
            (name == "tide").then_some(1)
        }

        pub fn is_empty(&self) -> bool {
            false
        }
    }
}
#[path = "../../src/modules/chat"]
mod chat {
    pub mod markdown;
}
use chat::markdown;

/// The budget of a message's code, of a grammar's first use and of its costliest line, and a
/// machine that does other things.
const MAX_TIME: Duration = Duration::from_secs(3);

fuzz_target!(|source: &str| {
    let started = Instant::now();
    let html = markdown::to_html_with_code(source);
    assert!(started.elapsed() < MAX_TIME, "{:?}", started.elapsed());
    let plain = markdown::to_html(source);
    assert!(plain.len() <= 64 * source.len() + 4096, "{}", plain.len());
    for html in [html, plain] {
        for tag in ["<script", "<img", "<style", "<form", "<hx-"] {
            assert!(!html.to_ascii_lowercase().contains(tag), "{html}");
        }
    }
    markdown::with_emoji(&markdown::to_html(source), &community::EmojiSet);
    markdown::to_plain(source, 200);
    markdown::is_emoji_only(source);
    markdown::needs_highlighting(source);
});
