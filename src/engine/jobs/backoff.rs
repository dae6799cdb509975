//! Exponential backoff with jitter: the delay doubles with each attempt up to an hour, then varies
//! by ±25 % so that jobs that failed together are not retried together.

use std::time::Duration;

const MAX_BACKOFF: Duration = Duration::from_secs(3600);

/// The delay before the attempt that follows `attempt` (counted from 1); `first` is the delay after
/// the first attempt, without jitter.
pub(super) fn delay_after(attempt: i64, first: Duration) -> Duration {
    let doublings = u32::try_from(attempt - 1).ok();
    let factor = doublings.and_then(|times| 2_u32.checked_pow(times));
    let delay = factor.and_then(|factor| first.checked_mul(factor));
    let delay = delay.map_or(MAX_BACKOFF, |delay| delay.min(MAX_BACKOFF));
    // Without the system's random source there is no jitter: retries bunch up, but still happen.
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    delay.mul_f64(0.75 + f64::from(random) / f64::from(u32::MAX) / 2.0)
}

/// Deaths of the process while a job ran, after which the job is given up.
pub(super) const MAX_CRASHES: i64 = 3;
/// The delay after the first death; ten times as long after the next.
const CRASH_BACKOFF: Duration = Duration::from_secs(1);

/// The delay of a job that ran at each of `crashes` deaths of the process; nothing when it is to
/// be given up, because it probably is what kills the process.
pub(super) fn delay_after_crash(crashes: i64) -> Option<Duration> {
    let earlier = u32::try_from(crashes.max(1) - 1).ok()?;
    (crashes < MAX_CRASHES).then(|| CRASH_BACKOFF * 10_u32.pow(earlier))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crash_delay_grows_until_the_job_is_given_up() {
        let delays = [1, 2, 3, 4].map(delay_after_crash);
        let seconds = Duration::from_secs;
        assert_eq!(delays, [Some(seconds(1)), Some(seconds(10)), None, None]);
    }

    #[test]
    fn backoff_doubles_up_to_an_hour() {
        let first = Duration::from_secs(2);
        for (attempt, seconds) in [
            (1, 2.0),
            (2, 4.0),
            (5, 32.0),
            (11, 2048.0),
            (12, 3600.0),
            (99, 3600.0),
        ] {
            let delay = delay_after(attempt, first).as_secs_f64();
            assert!(
                (seconds * 0.75..=seconds * 1.25).contains(&delay),
                "{attempt}: {delay}"
            );
        }
    }
}
