//! When nothing draws the attention of an account: in its quiet hours, by the clock of its time
//! zone, and while it does not want to be disturbed. What it is told of waits in its inbox.

use chrono::{DateTime, Timelike, Utc};
use chrono_tz::Tz;
use sqlx::FromRow;

use crate::base::clock::Micros;
use crate::base::error::{Error, Result};
use crate::base::ids::AccountId;
use crate::community::PresenceChoice;

/// Minutes of a day.
const DAY: i64 = 24 * 60;

/// What decides whether an account is not to be disturbed.
#[derive(Clone, Debug, FromRow)]
pub(super) struct Quiet {
    pub(super) account: AccountId,
    /// Minutes after midnight; `None` without quiet hours.
    pub(super) quiet_from: Option<i64>,
    pub(super) quiet_to: Option<i64>,
    /// Empty: UTC.
    pub(super) time_zone: String,
    pub(super) presence: PresenceChoice,
    pub(super) presence_until: Option<Micros>,
}

/// Whether nothing is to draw the attention of an account at a moment.
pub(super) fn is_quiet(of: &Quiet, at: Micros) -> bool {
    let is_busy =
        of.presence == PresenceChoice::Busy && of.presence_until.is_none_or(|until| until > at);
    let in_hours = match (of.quiet_from, of.quiet_to) {
        (Some(from), Some(to)) => is_between(from, to, minute_of_day(&of.time_zone, at)),
        _ => false,
    };
    is_busy || in_hours
}

/// Hours may go past midnight. From a time to the same time is the whole day.
fn is_between(from: i64, to: i64, minute: i64) -> bool {
    (minute - from).rem_euclid(DAY)
        < match (to - from).rem_euclid(DAY) {
            0 => DAY,
            length => length,
        }
}

/// The minute of the day in a time zone; of a name that is not known, in UTC.
fn minute_of_day(zone: &str, at: Micros) -> i64 {
    let Some(utc) = DateTime::<Utc>::from_timestamp_micros(at.0) else {
        return 0;
    };
    let local = utc.with_timezone(&zone.parse().unwrap_or(Tz::UTC));
    i64::from(local.hour() * 60 + local.minute())
}

/// The minute of the day that `22:30` stands for.
///
/// # Errors
/// `Invalid` for anything else.
pub(super) fn parse_time(text: &str, field: &'static str) -> Result<i64> {
    let error = || Error::field(field, "error-quiet-time");
    let (hours, minutes) = text.trim().split_once(':').ok_or_else(error)?;
    let is_number = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    let number = |part: &str, end: i64| match is_number(part) {
        true => part.parse().ok().filter(|number| (0..end).contains(number)),
        false => None,
    };
    match (number(hours, 24), number(minutes, 60)) {
        (Some(hours), Some(minutes)) => Ok(hours * 60 + minutes),
        _ => Err(error()),
    }
}

/// `22:30`.
pub(super) fn time_text(minute: i64) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Micros = Micros(1_795_176_000_000_000); // 2026-11-20T12:00:00Z

    fn quiet(hours: Option<(&str, &str)>, zone: &str) -> Quiet {
        let minute = |text: &str| parse_time(text, "from").unwrap();
        Quiet {
            account: AccountId(7),
            quiet_from: hours.map(|(from, _)| minute(from)),
            quiet_to: hours.map(|(_, to)| minute(to)),
            time_zone: zone.to_owned(),
            presence: PresenceChoice::Automatic,
            presence_until: None,
        }
    }

    #[test]
    fn hours_are_those_of_the_zone() {
        assert_eq!(NOON.rfc3339(), "2026-11-20T12:00:00Z");
        for (hours, zone, expected) in [
            (("11:30", "12:30"), "", true),
            (("12:00", "12:01"), "", true),
            (("11:00", "12:00"), "", false),
            (("17:00", "18:00"), "Asia/Kolkata", true),
            (("22:00", "07:00"), "Asia/Kolkata", false),
            (("22:00", "07:00"), "Pacific/Auckland", true),
            (("22:00", "07:00"), "No/Such_Zone", false),
            (("22:00", "13:00"), "", true),
            (("08:00", "08:00"), "", true),
        ] {
            assert_eq!(
                is_quiet(&quiet(Some(hours), zone), NOON),
                expected,
                "{hours:?} {zone}"
            );
        }
        assert!(!is_quiet(&quiet(None, ""), NOON));
    }

    #[test]
    fn summer_time_moves_the_hours() {
        let zone = quiet(Some(("14:00", "14:30")), "Europe/Berlin");
        let summer = Micros(1_784_030_400_000_000); // 2026-07-14T12:00:00Z
        assert_eq!(summer.rfc3339(), "2026-07-14T12:00:00Z");
        assert!(is_quiet(&zone, summer));
        assert!(!is_quiet(&zone, NOON));
    }

    #[test]
    fn busy_is_quiet_until_it_ends() {
        let mut one = quiet(None, "");
        one.presence = PresenceChoice::Busy;
        assert!(is_quiet(&one, NOON));
        one.presence_until = Some(NOON);
        assert!(!is_quiet(&one, NOON));
        one.presence = PresenceChoice::Invisible;
        one.presence_until = None;
        assert!(!is_quiet(&one, NOON));
    }

    #[test]
    fn times_of_other_forms_are_refused() {
        for text in [
            "",
            "7:00",
            "24:00",
            "12:60",
            "12",
            "12:0",
            "+1:00",
            "１２:００",
        ] {
            assert!(parse_time(text, "from").is_err(), "{text}");
        }
        assert_eq!(time_text(parse_time("07:05", "from").unwrap()), "07:05");
    }
}
