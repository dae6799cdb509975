//! Waiting for what nothing announces: bounded polling, and allowances that refill meanwhile.

use std::time::Instant;

use super::{Answer, PATIENCE, POLL_INTERVAL};

/// Attempts after which [`until_refused`] gives up. No allowance that a test uses up is larger.
const MAX_ATTEMPTS: usize = 100;

/// Polls until there is an answer; fails after [`PATIENCE`].
pub async fn eventually<T, R: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> R,
) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < until, "no {what} in time");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Repeats a request until a rate limit refuses it with 429: how often it was served, and the
/// refusal. One more request than the limit is not enough, because the allowance refills while a
/// slow machine sends them.
pub async fn until_refused<R: Future<Output = Answer>>(
    mut attempt: impl FnMut() -> R,
) -> (usize, Answer) {
    for served in 0..MAX_ATTEMPTS {
        let answer = attempt().await;
        if answer.status == 429 {
            return (served, answer);
        }
    }
    panic!("{MAX_ATTEMPTS} attempts and none is refused");
}
