//! When a courier carries: days of the week and hours, by the clock of their own time zone.

use chrono::{DateTime, Datelike, Timelike, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::json;

use super::{Letters, WRITE};
use crate::base::clock::Micros;
use crate::base::db::Tx;
use crate::base::error::{Error, Result};
use crate::base::ids::SpaceId;
use crate::base::list::List;
use crate::base::local_time::time_zone;
use crate::engine::actions::Outcome;
use crate::engine::viewer::Viewer;

/// Days of the week.
const DAYS: usize = 7;
/// All of them, as bits.
const EVERY_DAY: i64 = 127;

/// When somebody carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shift {
    /// Bit 0 is Monday.
    days: i64,
    from_hour: i64,
    /// After `from_hour`; 24 is midnight.
    until_hour: i64,
    zone: Tz,
}

impl Shift {
    pub(super) fn new(days: i64, from_hour: i64, until_hour: i64, zone: &str) -> Self {
        Self {
            days,
            from_hour,
            until_hour,
            zone: time_zone([zone]),
        }
    }

    #[cfg(test)]
    pub(super) fn always() -> Self {
        Self::new(EVERY_DAY, 0, 24, "UTC")
    }

    /// Whether it is on at a moment.
    pub(super) fn is_on(&self, at: Micros) -> bool {
        let utc = DateTime::<Utc>::from_timestamp_micros(at.0).unwrap_or_default();
        let local = utc.with_timezone(&self.zone);
        let (day, hour) = (
            local.weekday().num_days_from_monday(),
            i64::from(local.hour()),
        );
        self.days & (1 << day) != 0 && (self.from_hour..self.until_hour).contains(&hour)
    }
}

#[derive(Deserialize)]
pub(super) struct ShiftInput {
    space: SpaceId,
    /// `0` Monday to `6` Sunday.
    #[serde(default)]
    days: List<String, DAYS>,
    from_hour: String,
    until_hour: String,
}

/// `letters.set-shift`: says on which days and between which hours one carries letters.
pub(super) async fn set(letters: Letters, viewer: Viewer, input: ShiftInput) -> Result<Outcome> {
    const SET: &str = "UPDATE letter_couriers SET days = $3, from_hour = $4, until_hour = $5 \
        WHERE space_id = $1 AND account_id = $2 AND state <> 'applied'";
    let number = |text: &str| text.trim().parse::<i64>().unwrap_or(-1);
    let mut days = 0;
    for day in input.days.iter().map(|day| number(day)) {
        if !(0..7).contains(&day) {
            return Err(Error::field("days", "error-message-shape"));
        }
        days |= 1 << day;
    }
    let (from, until) = (number(&input.from_hour), number(&input.until_hour));
    if days == 0 {
        return Err(Error::field("days", "error-shift-days"));
    }
    if !(0..=23).contains(&from) || !(from + 1..=24).contains(&until) {
        return Err(Error::field("until_hour", "error-shift-hours"));
    }
    let (space, by) = (input.space, viewer.account);
    let work = async move |tx: &mut Tx| {
        let row = (space, by, days & EVERY_DAY, from, until);
        match tx.execute(SET, row).await? {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    };
    letters.permitted(by, &WRITE, space, work).await?;
    let location = format!("/spaces/{space}/letters/round");
    let note = viewer.lang.t("letters-saved").to_owned();
    Ok(Outcome::new(json!({ "days": days }), location).note(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_is_by_the_clock_of_its_zone() {
        // 1970-01-01, a Thursday, 23:30 in UTC: Friday in Tokyo.
        let at = Micros((23 * 60 + 30) * 60_000_000);
        let (thursday, friday) = (1 << 3, 1 << 4);
        assert!(Shift::new(thursday, 23, 24, "UTC").is_on(at));
        assert!(!Shift::new(thursday, 0, 23, "UTC").is_on(at));
        assert!(!Shift::new(thursday, 0, 24, "Asia/Tokyo").is_on(at));
        assert!(Shift::new(friday, 8, 9, "Asia/Tokyo").is_on(at));
        assert!(Shift::always().is_on(at));
    }
}
