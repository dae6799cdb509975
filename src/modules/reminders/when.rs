//! When a reminder is due, as people write it: `20m`, `18:30`, `2026-12-01 9:00`. Pure.

use chrono::NaiveTime;
use chrono_tz::Tz;

use crate::base::clock::Micros;
use crate::base::local_time::{
    at_time, days_to_monday, next_time, parse_clock, parse_duration, parse_field,
};

/// The time of day of what is due on a day, without a time.
const MORNING: (u32, u32) = (9, 0);

fn morning() -> NaiveTime {
    NaiveTime::from_hms_opt(MORNING.0, MORNING.1, 0).unwrap_or_default()
}

/// Words that may stand before a time.
const FILLERS: [&str; 3] = ["me", "in", "at"];

/// Reads the time at the beginning of a text, and what stands after it.
pub(super) fn parse(text: &str, now: Micros, zone: Tz) -> Option<(Micros, &str)> {
    let mut rest = text.trim_start();
    let mut word = next_word(&mut rest);
    while FILLERS.contains(&word) {
        word = next_word(&mut rest);
    }
    if let Some(duration) = parse_duration(word) {
        return Some((now.plus(duration), rest));
    }
    if let Some(time) = parse_clock(word).filter(|_| word.contains(':')) {
        return Some((next_time(now, zone, time)?, rest));
    }
    let noon = parse_field(&format!("{word}T12:00"), zone)?;
    let mut after = rest;
    let time = parse_clock(next_word(&mut after)).filter(|_| rest.trim_start().contains(':'));
    match time {
        Some(time) => Some((at_time(noon, zone, 0, time)?, after)),
        None => Some((at_time(noon, zone, 0, morning())?, rest)),
    }
}

/// Takes the first word off a text.
fn next_word<'a>(text: &mut &'a str) -> &'a str {
    let trimmed = text.trim_start();
    let end = trimmed.find(char::is_whitespace).unwrap_or(trimmed.len());
    let (word, rest) = trimmed.split_at(end);
    *text = rest.trim_start();
    word
}

/// A time that the form offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offered {
    After(&'static str),
    Tomorrow,
    Monday,
}

/// What the form offers, with the keys of the words.
pub(super) const OFFERED: [(&str, &str, Offered); 5] = [
    ("20m", "reminder-20m", Offered::After("20m")),
    ("1h", "reminder-1h", Offered::After("1h")),
    ("3h", "reminder-3h", Offered::After("3h")),
    ("tomorrow", "reminder-tomorrow", Offered::Tomorrow),
    ("monday", "reminder-monday", Offered::Monday),
];

/// The moment that an offered time stands for.
pub(super) fn offered(name: &str, now: Micros, zone: Tz) -> Option<Micros> {
    let (.., offered) = OFFERED.iter().find(|(value, ..)| *value == name)?;
    match offered {
        Offered::After(duration) => Some(now.plus(parse_duration(duration)?)),
        Offered::Tomorrow => at_time(now, zone, 1, morning()),
        Offered::Monday => at_time(now, zone, days_to_monday(now, zone), morning()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::local_time::field_value;

    const ZONE: Tz = Tz::Asia__Tokyo;

    fn parsed(text: &str) -> Option<(String, &str)> {
        let now = parse_field("2026-11-28T20:00", ZONE)?;
        let (at, rest) = parse(text, now, ZONE)?;
        Some((field_value(at, ZONE), rest))
    }

    #[test]
    fn time_is_read_before_the_text() {
        for (text, at, rest) in [
            ("20m お茶", "2026-11-28T20:20", "お茶"),
            ("me in 1h30m to call", "2026-11-28T21:30", "to call"),
            ("18:30 شاي", "2026-11-29T18:30", "شاي"),
            ("at 21:05", "2026-11-28T21:05", ""),
            ("2026-12-01 7:15 bread", "2026-12-01T07:15", "bread"),
            ("2026-12-01 bread", "2026-12-01T09:00", "bread"),
            ("2026-12-01 2 loaves", "2026-12-01T09:00", "2 loaves"),
            ("2026-12-01", "2026-12-01T09:00", ""),
        ] {
            assert_eq!(parsed(text), Some((at.to_owned(), rest)), "{text}");
        }
        for wrong in [
            "",
            "tea",
            "me",
            "20 m",
            "25:00 tea",
            "2026-13-01 tea",
            "9 tea",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn offered_times_are_in_the_morning_of_the_zone() {
        let saturday = parse_field("2026-11-28T20:00", ZONE).unwrap();
        let at = |name| field_value(offered(name, saturday, ZONE).unwrap(), ZONE);
        assert_eq!(at("3h"), "2026-11-28T23:00");
        assert_eq!(at("tomorrow"), "2026-11-29T09:00");
        assert_eq!(at("monday"), "2026-11-30T09:00");
        assert_eq!(offered("never", saturday, ZONE), None);
    }
}
