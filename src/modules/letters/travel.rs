//! How long a tide takes: from what lies between the two people, within the bounds of the space.
//! Pure: the time is given.

use std::time::Duration;

use chrono::{Offset, TimeZone};
use chrono_tz::Tz;

use crate::base::clock::Micros;

/// The least time a tide may take, in hours.
pub const MIN_TIDE_HOURS: i64 = 1;
/// The longest time a tide may take, in hours.
pub const MAX_TIDE_HOURS: i64 = 720;
/// The furthest that clocks of two zones are apart, in seconds.
const WIDEST: u64 = 14 * 3600;

/// When a letter leaves and when it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Voyage {
    pub(super) departs_at: Micros,
    pub(super) arrives_at: Micros,
}

/// The seconds that clocks in a zone are ahead of UTC.
fn offset(at: Micros, zone: Tz) -> i32 {
    let at = chrono::DateTime::from_timestamp_micros(at.0).unwrap_or_default();
    zone.offset_from_utc_datetime(&at.naive_utc())
        .fix()
        .local_minus_utc()
}

/// A voyage between two time zones that begins now: half of its length is the difference of their
/// clocks, the other half is drawn from `seed`. `hours` are the bounds.
pub(super) fn voyage(now: Micros, zones: (Tz, Tz), seed: i64, hours: (i64, i64)) -> Voyage {
    let apart = offset(now, zones.0).abs_diff(offset(now, zones.1));
    let far = u64::from(apart).min(WIDEST) * 1000 / WIDEST;
    let drawn = blake3::hash(&seed.to_le_bytes());
    let drawn = u64::from(u16::from_le_bytes([
        drawn.as_bytes()[0],
        drawn.as_bytes()[1],
    ])) % 1001;
    let (least, most) = bounds(hours);
    let length = least + (most - least) * (far + drawn) / 2000;
    until(now, now.plus(Duration::from_secs(length)))
}

/// The bounds in seconds, whatever is stored.
fn bounds((min, max): (i64, i64)) -> (u64, u64) {
    let min = min.clamp(MIN_TIDE_HOURS, MAX_TIDE_HOURS);
    let max = max.clamp(min, MAX_TIDE_HOURS);
    (min.unsigned_abs() * 3600, max.unsigned_abs() * 3600)
}

/// A voyage that ends at a time. It leaves after a tenth of it, at most a day.
pub(super) fn until(now: Micros, arrives_at: Micros) -> Voyage {
    let wait = (arrives_at.since(now) / 10).min(Duration::from_secs(86_400));
    Voyage {
        departs_at: now.plus(wait),
        arrives_at,
    }
}

/// The city that a zone is named for: `America/Argentina/Buenos_Aires` is `Buenos Aires`.
pub(super) fn city(zone: &str) -> String {
    match zone.rsplit_once('/') {
        Some((_, city)) => city.replace('_', " "),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Micros = Micros(1_795_228_200_000_000);
    const HERE: (Tz, Tz) = (Tz::Europe__Lisbon, Tz::Europe__Lisbon);

    proptest! {
        #[test]
        fn voyage_is_within_the_bounds_of_the_space(
            seed in any::<i64>(), min in -5i64..900, max in -5i64..900,
        ) {
            for zones in [HERE, (Tz::Pacific__Auckland, Tz::Pacific__Honolulu)] {
                let Voyage { departs_at, arrives_at } = voyage(NOW, zones, seed, (min, max));
                let hours = arrives_at.since(NOW).as_secs_f64() / 3600.0;
                let (least, most) = bounds((min, max));
                prop_assert!(hours * 3600.0 >= least as f64 && hours * 3600.0 <= most as f64);
                prop_assert!(NOW < departs_at && departs_at < arrives_at);
            }
        }
    }

    #[test]
    fn distance_makes_a_voyage_longer() {
        let length = |zones| voyage(NOW, zones, 7, (4, 72)).arrives_at.since(NOW);
        let (near, far) = (length(HERE), length((Tz::Asia__Tokyo, Tz::America__Lima)));
        assert!(far > near + Duration::from_secs(20 * 3600));
        assert_eq!(near, length(HERE), "drawn once for a letter");
    }

    #[test]
    fn city_is_the_end_of_a_zone() {
        assert_eq!(city("America/Argentina/Buenos_Aires"), "Buenos Aires");
        assert_eq!(city("UTC"), "");
        assert_eq!(city(""), "");
    }
}
