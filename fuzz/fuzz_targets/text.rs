//! Normalizes and compares any text as a name: nothing may panic or take long, and what is done twice
//! must be the same as done once.
#![no_main]
#![allow(dead_code)]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;

/// What the checks of a text record in.
mod error {
    #[derive(Default)]
    pub struct Check(pub usize);

    impl Check {
        pub fn that(
            &mut self,
            is_right: bool,
            _field: &'static str,
            _key: &'static str,
            _limit: usize,
        ) -> &mut Self {
            self.0 += usize::from(!is_right);
            self
        }
    }
}
#[path = "../../src/base/text.rs"]
mod text;

const MAX_CHARS: usize = 40;
const MAX_TIME: Duration = Duration::from_secs(1);

fuzz_target!(|source: &str| {
    let started = Instant::now();
    let line = text::normalize_line(source);
    assert!(!line.chars().any(char::is_control) && line.len() <= source.len());
    assert_eq!(text::normalize_line(&line), line);
    let limited = text::limit_marks(source);
    assert_eq!(text::limit_marks(&limited), limited);
    assert!(!text::has_excess_marks(&limited));
    let key = text::fold(source);
    assert_eq!(text::fold(&key), key, "{source:?}");
    assert_eq!(text::fold(&line), key, "{source:?}");
    text::is_blank(source);
    let mut check = error::Check::default();
    text::check_short_text(source, "name", MAX_CHARS, &mut check);
    assert!(check.0 > 0 || source.len() <= MAX_CHARS * 32);
    assert!(started.elapsed() < MAX_TIME, "{:?}", started.elapsed());
});
