//! Times as people write and read them: by the clock of a time zone.

use std::time::Duration;

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::clock::Micros;

/// How `<input type="datetime-local">` writes a time.
const FIELD_FORMAT: &str = "%Y-%m-%dT%H:%M";

/// The first of these time zones that is known; else UTC. Names are those of the IANA database,
/// such as `Europe/Lisbon`.
pub fn time_zone<'a>(names: impl IntoIterator<Item = &'a str>) -> Tz {
    let mut known = names.into_iter().filter_map(|name| name.parse().ok());
    known.next().unwrap_or(Tz::UTC)
}

fn local(at: Micros, zone: Tz) -> DateTime<Tz> {
    let utc = DateTime::<Utc>::from_timestamp_micros(at.0).unwrap_or_default();
    utc.with_timezone(&zone)
}

/// The moment at which the clocks of a zone show a time. Of one that they show twice the first is
/// meant; where they are set forward past it, the same time after the change.
fn moment(time: NaiveDateTime, zone: Tz) -> Option<Micros> {
    let found = match zone.from_local_datetime(&time) {
        LocalResult::Single(found) | LocalResult::Ambiguous(found, _) => found,
        LocalResult::None => {
            let hour = chrono::Duration::hours(1);
            let later = zone.from_local_datetime(&time.checked_add_signed(hour)?);
            later.earliest()?
        }
    };
    Some(Micros(found.timestamp_micros()))
}

/// The moment that `2026-12-01T18:30` stands for in a zone; seconds may follow, which are left out.
pub fn parse_field(text: &str, zone: Tz) -> Option<Micros> {
    let text = text.trim().get(..16)?;
    let time = NaiveDateTime::parse_from_str(text, FIELD_FORMAT).ok()?;
    moment(time, zone)
}

/// A moment as the value of such a field.
pub fn field_value(at: Micros, zone: Tz) -> String {
    local(at, zone).format(FIELD_FORMAT).to_string()
}

/// When the clocks of a zone show a time, so many days from a moment on.
pub fn at_time(from: Micros, zone: Tz, days: u64, time: NaiveTime) -> Option<Micros> {
    let day = local(from, zone).date_naive();
    let day = day.checked_add_days(Days::new(days))?;
    moment(day.and_time(time), zone)
}

/// The next moment after `from` at which the clocks of a zone show a time.
pub fn next_time(from: Micros, zone: Tz, time: NaiveTime) -> Option<Micros> {
    let today = at_time(from, zone, 0, time)?;
    match today > from {
        true => Some(today),
        false => at_time(from, zone, 1, time),
    }
}

/// The days from a moment to the next Monday, at least one.
pub fn days_to_monday(from: Micros, zone: Tz) -> u64 {
    let day = local(from, zone).weekday().num_days_from_monday();
    u64::from(7 - day)
}

/// `18:30`, or `9` and `9:05`.
pub fn parse_clock(text: &str) -> Option<NaiveTime> {
    let (hour, minute) = text.split_once(':').unwrap_or((text, "00"));
    let is_number = |part: &str| (1..=2).contains(&part.len());
    let number = |part: &str| match is_number(part) && part.bytes().all(|b| b.is_ascii_digit()) {
        true => part.parse().ok(),
        false => None,
    };
    let minute = number(minute).filter(|_| minute.len() == 2)?;
    NaiveTime::from_hms_opt(number(hour)?, minute, 0)
}

/// `20m`, `2h`, `3d`, `1w`, or several together: `1h30m`. At most ten thousand of each.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest.get(..end)?.parse().ok()?;
        let unit = rest.get(end..)?.chars().next()?;
        let length = match unit {
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        if number > 10_000 {
            return None;
        }
        seconds += number * length;
        rest = rest.get(end + unit.len_utf8()..)?;
    }
    Some(Duration::from_secs(seconds)).filter(|duration| !duration.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: Tz = Tz::Europe__Berlin;

    fn clock(text: &str) -> NaiveTime {
        parse_clock(text).unwrap()
    }

    #[test]
    fn field_is_read_by_the_clock_of_the_zone() {
        let at = parse_field("2026-12-01T18:30", BERLIN).unwrap();
        assert_eq!(at.rfc3339(), "2026-12-01T17:30:00Z");
        assert_eq!(field_value(at, BERLIN), "2026-12-01T18:30");
        assert_eq!(parse_field("2026-12-01T18:30:59", BERLIN), Some(at));
        for wrong in [
            "",
            "2026-12-01",
            "2026-13-01T18:30",
            "２026-12-01T18:30",
            "x".repeat(40).as_str(),
        ] {
            assert_eq!(parse_field(wrong, BERLIN), None, "{wrong}");
        }
    }

    #[test]
    fn times_at_which_clocks_change_have_a_moment() {
        // 02:30 does not exist on the last Sunday of March, and exists twice in October.
        let spring = parse_field("2026-03-29T02:30", BERLIN).unwrap();
        assert_eq!(spring.rfc3339(), "2026-03-29T01:30:00Z");
        let autumn = parse_field("2026-10-25T02:30", BERLIN).unwrap();
        assert_eq!(autumn.rfc3339(), "2026-10-25T00:30:00Z");
    }

    #[test]
    fn next_time_is_today_or_tomorrow() {
        let noon = parse_field("2026-12-01T12:00", BERLIN).unwrap();
        let next = |text| field_value(next_time(noon, BERLIN, clock(text)).unwrap(), BERLIN);
        assert_eq!(next("12:01"), "2026-12-01T12:01");
        assert_eq!(next("12:00"), "2026-12-02T12:00");
        assert_eq!(days_to_monday(noon, BERLIN), 6);
    }

    #[test]
    fn durations_and_clocks_are_read_strictly() {
        for (text, seconds) in [
            ("20m", 1_200),
            ("1h30m", 5_400),
            ("2d", 172_800),
            ("1w", 604_800),
        ] {
            assert_eq!(
                parse_duration(text),
                Some(Duration::from_secs(seconds)),
                "{text}"
            );
        }
        for wrong in [
            "",
            "m",
            "20",
            "20x",
            "0m",
            "99999d",
            "1h 30m",
            "-5m",
            "٢٠m",
            "99999999999999999999m",
        ] {
            assert_eq!(parse_duration(wrong), None, "{wrong}");
        }
        assert_eq!(clock("9"), clock("09:00"));
        for wrong in ["24:00", "9:5", "9:60", "", ":", "1:2:3", "009", "-1"] {
            assert_eq!(parse_clock(wrong), None, "{wrong}");
        }
    }
}
