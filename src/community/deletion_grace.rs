//! How long what was deleted can be brought back.

use std::time::Duration;

use crate::base::clock::Micros;

/// Between the deletion of a room or space and its erasure.
pub(super) const GRACE: Duration = Duration::from_secs(7 * 86_400);

/// Between the end of the grace and the job that erases: nobody restores, by another clock, what
/// has begun to be erased.
const MARGIN: Duration = Duration::from_secs(60);

fn before(now: Micros, span: Duration) -> Micros {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Micros(now.0.saturating_sub(micros))
}

/// What was deleted after this can be brought back.
pub(super) fn oldest_restorable() -> Micros {
    before(Micros::now(), GRACE)
}

/// How long the job that erases waits.
pub(super) fn wait() -> Duration {
    GRACE + MARGIN
}

/// How long what was deleted then has yet to wait for its erasure; `None` when it is due.
pub(super) fn rest(deleted_at: Micros) -> Option<Duration> {
    let since = deleted_at.0.saturating_sub(before(Micros::now(), wait()).0);
    let since = u64::try_from(since).ok().filter(|micros| *micros > 0)?;
    Some(Duration::from_micros(since))
}

/// Until when what was deleted then can be brought back.
pub(super) fn until(deleted_at: Micros) -> Micros {
    let micros = i64::try_from(GRACE.as_micros()).unwrap_or(i64::MAX);
    Micros(deleted_at.0.saturating_add(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erasure_is_due_after_grace_and_never_before() {
        let now = Micros::now();
        let days = |days: i64| Micros(now.0 - days * 86_400_000_000);
        assert!(rest(now).is_some_and(|rest| rest > GRACE));
        assert!(rest(days(7)).is_some(), "the margin");
        assert!(rest(days(8)).is_none());
        assert!(rest(Micros(now.0 + 60_000_000)).is_some_and(|rest| rest > wait()));
        assert!(until(days(7)) <= Micros::now());
        assert!(days(8) < oldest_restorable() && days(6) > oldest_restorable());
    }
}
